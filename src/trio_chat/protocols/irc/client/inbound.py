"""The meaning of a server's lines: one row each in the tables at the end.

A line becomes a message of its own kind where there is one, and a sentence where there is none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from trio_chat.core.events import (
    AwaySet,
    Change,
    Departed,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    TopicSet,
    UserModesSet,
)
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks, Notice, Rooms, RoomView, Topic
from trio_chat.protocols.casemapping import OURS, UNKNOWN, UNTOLD
from trio_chat.protocols.client import (
    LOG_IN_AGAIN,
    Earlier,
    MarkedRead,
    Member,
    Message,
    Operator,
    RemovedMeanwhile,
    Roster,
    Stamped,
    Typing,
)
from trio_chat.protocols.irc.client.answers import (
    ANSWERS,
    OF_WELCOME,
    SILENT,
    who_words,
)
from trio_chat.protocols.irc.client.batch import NO_BATCH, SEARCH, Batch
from trio_chat.protocols.irc.client.outgoing import ID_TAG
from trio_chat.protocols.irc.client.readings import origin_of, room_of, said_in
from trio_chat.protocols.irc.client.refusals import IrcRefusals
from trio_chat.protocols.irc.info import (
    AGAIN_TAG,
    IDENTITY,
    MISSED,
    SECONDS_TAG,
    URGENT_TAG,
    WHOM_TAG,
    WHY_TAG,
)
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import CTCP, is_room, shown
from trio_chat.protocols.plain.wording import notices
from trio_chat.protocols.resume_state import Last

Messages = Sequence[Message]

_VERSION = "trio-chat"

# Batches of history (ircv3.net, "chathistory"; and a bouncer's).
_HISTORY = ("chathistory", "znc.in/playback", SEARCH, MISSED)

# The batch that lists private conversations (ircv3.net, "chathistory").
_TALKS = "draft/chathistory-targets"

# Lines read unchanged: the answer must be the same, or there is more than text in them.
_RAW = {"PING", "PRIVMSG", "NOTICE"}

# The size of a room up to which we ask who is away: for more, the answer is too long.
_ASKED_ABOUT_MAX = 200


class IrcInbound(IrcRefusals):
    """Understands the server's lines, and keeps what they tell."""

    def understand(self, line: Line) -> Messages:
        """Return what a line tells. Raises NotAdmitted if it refuses us."""
        batch = self.batches.get(line.tags.get("batch", ""), NO_BATCH)
        history = batch.kind in _HISTORY
        heard = COMMANDS.get(line.command)
        line.source = shown(line.source)
        if line.command not in _RAW:
            line.params = tuple(map(shown, line.params))
        if line.command.isdecimal():
            return self._numeric(line)
        if heard is None or len(line.params) < heard.needed:
            return ()
        if history and not heard.talk:
            return self._past_event(line, batch)
        messages = heard.means(self, line)
        if not history:
            return messages
        told = [_past(message, batch) for message in messages]
        return [*self._begin_found(line, batch), *told] if told else ()

    def _past_event(self, line: Line, batch: Batch) -> Messages:
        """Of all that happened while we were cut off, only removals change what is shown."""
        self.pages.came(batch.page)
        self.catch_up.passed(
            batch.page, Last(line.tags.get("msgid", ""), line.tags.get("time", ""))
        )
        return [self._removal(line, RemovedMeanwhile)] if line.command == "REDACT" else ()

    def _begin_found(self, line: Line, batch: Batch) -> Messages:
        """Return the heading before the first result."""
        if not batch.found or batch.told:
            return ()
        self.batches[line.tags["batch"]] = batch._replace(told=True)
        return [Notice("Found:")]

    # ── talk ─────────────────────────────────────────────────────────────────────────────────────

    def _answer_question(self, line: Line) -> None:
        """Answer the two common questions between clients (CTCP)."""
        if line.source.startswith((":", "!", "@")):  # no nickname
            return
        text = line.params[1].strip(CTCP)
        verb = text.partition(" ")[0].upper()
        if verb == "VERSION":
            self.answer("NOTICE", line.nick, f"{CTCP}VERSION {_VERSION}{CTCP}")
        elif verb == "PING":
            self.answer("NOTICE", line.nick, f"{CTCP}{text}{CTCP}")

    def _on_privmsg(self, line: Line) -> Messages:
        """A live message is ours if it has our nickname. In history we may have had another one;
        there our token tells, which others only know from the server.
        """
        batch = self.batches.get(line.tags.get("batch", ""), NO_BATCH)
        self.pages.came(batch.page)
        said = self._in_conversation(said_in(line), batch.page)
        live, own = not line.tags.get("batch"), self.is_me(said.nick)
        if line.params[1].startswith(CTCP) and not said.action:
            if "!" in line.source and live and not own:
                self._answer_question(line)
            return ()
        if isinstance(said, Stamped) and said.msgid and not (batch.asked or batch.found):
            self.lately.note(said.msgid, self.buffer_of(said), said.nick)
        token = line.tags.get(ID_TAG, "")
        if own or (not live and self.state.is_known(token)):
            token = self.ours(token, line.params[0], live=live)
            return [replace(said, token=token)]
        return [said]

    def _in_conversation(self, said: Said, page: str) -> Said:
        """Name both by the nicknames they have now: in the history of a conversation they may have
        had others, and it would be taken for one with somebody else.
        """
        if said.room or not page or is_room(page):
            return said
        same = self.state.names.same
        if same(said.nick, page):
            return replace(said, to=self.nick)
        if self.is_me(said.nick) or same(said.to, page):
            return replace(said, nick=self.nick, to=page)
        return replace(said, nick=page) if self.is_me(said.to) else said

    def _on_notice(self, line: Line) -> Messages:
        """Comes from a person, or from the server, perhaps as NickServ. Nobody wants its statistics
        as we leave.
        """
        if line.params[1].startswith(CTCP) or self.leaving or AGAIN_TAG in line.tags:
            return ()
        if "!" in line.source and line.source.rpartition("@")[2] != self.server:
            return self._on_privmsg(line)
        target = shown(line.params[0])
        room = target if is_room(target) else ""
        return [Notice(shown(line.params[1]), room, urgent=URGENT_TAG in line.tags)]

    def _on_tagmsg(self, line: Line) -> Messages:
        state = line.tags.get("+typing", "")
        if not state or self.is_me(line.nick) or line.tags.get("batch"):
            return ()
        target = line.params[0]
        room = room_of(target)
        return [Typing(room, line.nick, state == "active", to="" if room else target)]

    def _on_redact(self, line: Line) -> Messages:
        return [self._removal(line, Redacted)]

    def _removal(self, line: Line, kind: type[Redacted]) -> Redacted:
        target, msgid, why = line.params[0], line.params[1], line.param(2)
        room, author = room_of(target), self.lately.forget(msgid)
        to = "" if room else target
        return kind(room, line.nick, msgid, author, why, to=to, origin=origin_of(line))

    def _on_batch(self, line: Line) -> Messages:
        """A batch within another is of the same kind."""
        sign, name = line.params[0][:1], line.params[0][1:]
        if sign != "+":
            batch = self.batches.pop(name, NO_BATCH)
            answers = self.pages.over(batch.page) or self.catch_up.page_over(batch.page)
            return answers or _end_found(batch)
        if outer := self.batches.get(line.tags.get("batch", "")):
            self.batches[name] = outer._replace(page="")
            return ()
        self.batches[name] = self._begun(line.param(1), line.param(2))
        return ()

    def _begun(self, kind: str, target: str) -> Batch:
        if kind == MISSED:
            return Batch(kind, late=True)
        if kind == SEARCH and target == "mentions":
            return Batch(kind, found=self.has_come("mentions"), calls=True)
        if kind != "chathistory":
            return Batch(kind, found=self.has_come(kind))
        if self.pages.expects(target):
            return Batch(kind, target, asked=True)
        if self.catch_up.expected(target):
            return Batch(kind, target, late=self.catch_up.fills_a_gap(target))
        return Batch(kind, found=self.has_come(kind))

    def _on_chathistory(self, line: Line) -> Messages:
        """A conversation that went on while we were cut off. Rooms catch up as we enter them."""
        batch = self.batches.get(line.tags.get("batch", ""), NO_BATCH)
        if batch.kind == _TALKS and not is_room(line.params[1]):
            self.talked(line.params[1], line.params[2])
        return ()

    def _on_markread(self, line: Line) -> Messages:
        return [MarkedRead(line.params[0], line.param(1).removeprefix("timestamp=").strip("*"))]

    # ── coming and going ─────────────────────────────────────────────────────────────────────────

    def _on_join(self, line: Line) -> Messages:
        room, account, name = line.params[0], line.param(1), line.param(2)
        if not is_room(room) or " " in room:
            return ()
        if self.is_me(line.nick):
            self.address = line.source.partition("!")[2]
            return [*self.linked(), self.entered(room, line.tags.get("time", ""))]
        origin = replace(origin_of(line), account=account.removeprefix("*"), name=name)
        return [Joined(room, line.nick, origin=origin)]

    def _on_part(self, line: Line) -> Messages:
        if self.is_me(line.nick):
            return [self.left(line.params[0], line.param(1))]
        return [Left(line.params[0], line.nick, why=line.param(1), origin=origin_of(line))]

    def _on_quit(self, line: Line) -> Messages:
        if self.is_me(line.nick):
            return ()
        return [Departed(line.nick, why=line.param(0), origin=origin_of(line))]

    def _on_kick(self, line: Line) -> Messages:
        room, target, why = line.params[0], line.params[1], line.param(2)
        reason = "" if why == line.nick else why
        kicked = Kicked(room, line.nick, target, reason, origin=origin_of(line))
        return [kicked, self.left(room, reason)] if self.is_me(target) else [kicked]

    def _on_nick(self, line: Line) -> Messages:
        if self.is_me(line.nick):
            self.nick, self.refused_nick = line.params[0], ""
        return [Renamed(line.nick, line.params[0], origin=origin_of(line))]

    def _on_register(self, line: Line) -> Messages:
        """The outcome of REGISTER (ircv3.net, "account-registration")."""
        told = [Notice(f"{line.params[-1].rstrip('.')}.")]
        if line.params[0].upper() == "SUCCESS" and self.has_come("register"):
            self.keep_device()
            told += [] if self.state.device else [Notice(LOG_IN_AGAIN)]
        return told

    def _logged_in(self, line: Line) -> Messages:
        """Note whom trio-chat knows us as from now on, if it will know us again."""
        self.state.logged_out = False
        if IDENTITY in self.caps:
            self.state.account = line.params[2]
        return [Notice(f"You are logged in as {line.params[2]}.")]

    def _logged_out(self, line: Line) -> Messages:
        self.state.account = ""
        self.state.logged_out = self.has_come("logout")
        return [Notice("You are logged out.")]

    def _on_chghost(self, line: Line) -> Messages:
        if self.is_me(line.nick):
            self.address = "@".join(line.params[:2])
        return ()

    # ── the room and the people ──────────────────────────────────────────────────────────────────

    def _on_topic(self, line: Line) -> Messages:
        return [TopicSet(line.params[0], line.nick, line.params[1], origin=origin_of(line))]

    def _on_rename(self, line: Line) -> Messages:
        room, to, why = line.params[0], line.params[1], line.param(2)
        if not is_room(to) or " " in to:
            return ()
        if room in self.inside:
            self.renamed(room, to)
        return [RoomRenamed(room, line.nick, to, why, origin=origin_of(line))]

    def _on_invite(self, line: Line) -> Messages:
        told = notices(Invited(line.params[1], line.nick, line.params[0]))
        return [replace(notice, urgent=self.is_me(line.params[0])) for notice in told]

    def _on_wallops(self, line: Line) -> Messages:
        return [Notice(f"{line.nick} announces: {line.params[0]}", urgent=True)]

    def _list_entry(self, line: Line) -> Messages:
        self.lists_rooms = True
        count = line.params[2] if line.params[2].isdecimal() else "0"
        return notices(Rooms((RoomView(line.params[1], int(count[:9]), line.param(3)),)))

    def _end_of_list(self, line: Line) -> Messages:
        listed, self.lists_rooms = self.lists_rooms, False
        return () if listed else [Notice("No rooms are listed.")]

    def _topic_is(self, line: Line) -> Messages:
        self.topics[line.params[1]] = line.params[2]
        return [Topic(line.params[1], line.params[2])]

    def _topic_by(self, line: Line) -> Messages:
        """RPL_TOPICWHOTIME, which follows the topic on most servers."""
        room, by, at = line.params[1], line.params[2].partition("!")[0], line.params[3]
        text = self.topics.pop(room, "")
        if not (text and at.isdecimal() and len(at) <= 12):
            return ()
        return [Topic(room, text, by, int(at) * 1000)]

    def _no_topic(self, line: Line) -> Messages:
        return [Topic(line.params[1], "")]

    def _ban_entry(self, line: Line) -> Messages:
        """RPL_BANLIST; trio-chat also tells our own client its number, its end, by which name
        somebody was banned, the reason and the account of whoever has set it; and those of the
        server for no room.
        """
        mask, (by, _, account) = line.params[2], line.param(3).partition("!")
        if "@" in account:  # an address, on other servers
            account = ""
        at, number, until = (_count(line.param(place)) for place in (4, 5, 6))
        whom, why = line.param(7).strip("*"), line.param(8)
        ban = Mask(mask, by, at * 1000, number, until * 1000, why, whom, account)
        self.bans.setdefault(line.params[1], []).append(ban)
        return ()

    def _end_of_bans(self, line: Line) -> Messages:
        banned = tuple(self.bans.pop(line.params[1], ()))
        return [Masks(line.params[1].strip("*"), "b", banned)]

    def _on_mode(self, line: Line) -> Messages:
        """The modes that a server sets as we come in are no news."""
        target, letters, *arguments = line.params
        if is_room(target):
            changes = _explained(line, self.supports.changes(letters, arguments))
            nick = "" if self._is_expiry(line, changes) else line.nick
            return [ModesSet(target, nick, changes, origin=origin_of(line))]
        changes = self.supports.changes(letters, arguments)
        rules = [Operator(change.add) for change in changes if change.mode == "o"]
        ours = rules if self.is_me(target) else []
        if not self.has_settled:
            return ours
        if told := notices(UserModesSet(target, changes)) if ours else ():
            return [*ours, *told]
        return [Notice(f"{line.nick} set the mode of {target} {' '.join([letters, *arguments])}.")]

    def _is_expiry(self, line: Line, changes: Sequence[Change]) -> bool:
        """Whether the time of these bans is up: trio-chat itself lifts no others."""
        lifted = {(change.add, change.mode) for change in changes} == {(False, "b")}
        return lifted and "!" not in line.source and IDENTITY in self.offered

    def _on_away(self, line: Line) -> Messages:
        if self.is_me(line.nick):
            return ()
        return [AwaySet(line.nick, line.param(0), origin=origin_of(line))]

    def _away_told(self, line: Line) -> Messages:
        """RPL_UNAWAY and RPL_NOWAWAY: the server repeats no text."""
        gone = line.command == "306"
        if not gone:
            self.state.away = ""
        return [AwaySet(self.nick, self.state.away or line.params[-1] if gone else "")]

    def _is_away(self, line: Line) -> Messages:
        nick, text = line.params[1:3]
        return [Notice(f"{nick} is away: {text}", room=nick)]

    def _end_of_names(self, line: Line) -> Messages:
        room = line.params[1]
        names = [self.supports.split(name) for name in self.names.pop(room, ())]
        if room not in self.inside:
            return [Notice(_in_words(room, names))]
        roster = Roster(room, tuple(Member(nick, prefixes) for prefixes, nick in names))
        if room not in self.entering:  # the answer to a /who
            return [roster, Notice(_in_words(room, names), room=room)]
        del self.entering[room]
        if "away-notify" in self.caps and len(names) <= _ASKED_ABOUT_MAX:
            self.people[room] = []
            self.send("WHO", room)
        return [roster]

    def _name_reply(self, line: Line) -> Messages:
        room, names = line.params[-2:]
        self.names.setdefault(room, []).extend(names.split())
        return ()

    def _who_reply(self, line: Line) -> Messages:
        if (people := self.people.get(line.params[1])) is not None:
            people.append(line)
            return ()
        return [Notice(who_words(line.params))]

    def _end_of_who(self, line: Line) -> Messages:
        people = self.people.pop(line.params[1], None)
        if not people:
            return ()
        return [Roster(people[0].params[1], tuple(self._member(person) for person in people))]

    def _member(self, line: Line) -> Member:
        """The flags are H or G (here, gone), perhaps ``*`` or a bot's, and prefixes."""
        nick, flags = line.params[5], line.params[6]
        prefixes = "".join(flag for flag in flags if flag in self.supports.prefixes)
        bot = bool(self.supports.bot) and self.supports.bot in flags[1:]
        return Member(nick, prefixes, away=flags.startswith("G"), bot=bot)

    # ── the server ───────────────────────────────────────────────────────────────────────────────

    def _on_ping(self, line: Line) -> Messages:
        self.send("PONG", line.params[-1])
        return ()

    def _on_error(self, line: Line) -> Messages:
        head, colon, words = line.params[0].partition(": ")
        closing = head.lower() == "closing link" and colon
        return self.ended(words if closing else line.params[0])

    def _on_cap(self, line: Line) -> Messages:
        pairs = [word.partition("=") for word in line.param(-1).split()]
        verb, words = line.params[1].upper(), {name for name, _, _ in pairs}
        if verb in ("LS", "NEW"):
            self.cap_values |= {name: value for name, _, value in pairs}
        match verb:
            case "LS":
                self.offered |= words
                if line.param(2) != "*" or len(line.params) < 4:  # the last line of them
                    self.ask_for_caps()
            case "NEW":
                self.offered |= words
                self.ask_for_caps()
            case "ACK":
                self.acknowledged(words)
            case "NAK":
                self.refused_caps()
            case "DEL":
                self.offered -= words
                self.caps -= words
        return ()

    def _on_pong(self, line: Line) -> Messages:
        match line.params[-1]:
            case "finish":
                return self.ponged()
            case "entered":
                return self.settled()
            case "lag":
                return self.alive()
            case asked:
                return self.pages.ponged(asked) or self.catch_up.ponged(asked)

    def _supports(self, line: Line) -> Messages:
        for token in line.params[1:-1]:
            self.supports.learn(token)
            self.catch_up.supports(token)
            name, _, value = token.partition("=")
            if name == "CASEMAPPING" and value and self.state.names.name != OURS:
                self.state.names.learn(value)
        return ()

    def _end_of_motd(self, line: Line) -> Messages:
        self.supports.network = self.supports.network or line.source
        return self.linked()

    def _new_host(self, line: Line) -> Messages:
        """396 on most servers: our address changes."""
        user, _, _ = self.address.partition("@")
        host = line.params[1].rpartition("@")[2]
        self.address = f"{user}@{host}" if self.address else ""
        return ()

    # ── numerics ─────────────────────────────────────────────────────────────────────────────────

    def _numeric(self, line: Line) -> Messages:
        """The first parameter of a numeric is our nickname; the last one is for people."""
        command, params = line.command, line.params[1:]
        if command in NUMERICS:
            needed, means = NUMERICS[command]
            return means(self, line) if len(line.params) >= needed else ()
        if command in ANSWERS:
            needed, words = ANSWERS[command]
            enough = len(line.params) >= needed
            return [self.notice_about(words(line.params), params)] if enough else ()
        if not params or command in SILENT or (command in OF_WELCOME and not self.admitted):
            return ()
        if command[:1] in ("4", "5"):
            return self.on_refusal(line) if self.registered else self.on_early_numeric(line)
        return [self.notice_about(" ".join(params), params)]

    def _welcome(self, line: Line) -> Messages:
        if not self.registered:
            self.check_login()
            if self.state.names.name == UNKNOWN:
                self.state.names.learn(UNTOLD)
            self.server = line.source
            self.welcomed(line.params[0])
            if self._login:
                self.keep_device()
        return [Notice(line.params[-1])]

    def _my_info(self, line: Line) -> Messages:
        """trio-chat slows down floods by itself. Its CASEMAPPING is for other clients."""
        if line.params[2].startswith(_VERSION):
            self.outgoing.paced = False
            self.state.names.learn(OURS)
        return ()


def _count(text: str) -> int:
    """A number of the server's; 0 if it is none, or none that a moment can have."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0


def _explained(line: Line, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Add what trio-chat tells of a ban: its time, its reason, and whom it is about."""
    if len(changes) != 1:
        return changes
    why, whom = (shown(line.tags.get(tag, "")) for tag in (WHY_TAG, WHOM_TAG))
    seconds = _count(line.tags.get(SECONDS_TAG, ""))
    return (replace(changes[0], seconds=seconds, why=why, whom=whom),)


def _end_found(batch: Batch) -> Messages:
    return [Notice("Nothing was found.")] if batch.found and not batch.told else ()


def _past(message: Message, batch: Batch) -> Message:
    late = batch.late
    match message:
        case Said() if batch.found or batch.calls:
            time = message.time if isinstance(message, Stamped) else ""
            return Earlier(message, time, batch.found, calls=batch.calls)
        case Stamped(time=time):
            asked = batch.asked
            return replace(message, late=True) if late else Earlier(message, time, asked=asked)
        case Said():
            return message if late else Earlier(message, asked=batch.asked)
        case _:
            return message


def _in_words(room: str, names: Sequence[tuple[str, str]]) -> str:
    nicks = sorted((nick for _, nick in names), key=str.lower)
    return f"In {room} ({len(nicks)}): {', '.join(nicks)}" if nicks else f"Nobody is in {room}."


class Heard(NamedTuple):
    """``needed`` parameters; ``talk`` if history may have it, too."""

    means: Callable[[Any, Line], Messages]
    needed: int = 0
    talk: bool = False


# Each with the number of parameters that it needs.
Numerics = Mapping[str, tuple[int, Callable[[Any, Line], Messages]]]

COMMANDS = {
    "AUTHENTICATE": Heard(IrcInbound.on_authenticate, 1),
    "AWAY": Heard(IrcInbound._on_away),
    "BATCH": Heard(IrcInbound._on_batch, 1, talk=True),
    "CAP": Heard(IrcInbound._on_cap, 3),
    "CHATHISTORY": Heard(IrcInbound._on_chathistory, 3),
    "CHGHOST": Heard(IrcInbound._on_chghost, 2),
    "ERROR": Heard(IrcInbound._on_error, 1),
    "FAIL": Heard(IrcInbound.on_fail, 3),
    "INVITE": Heard(IrcInbound._on_invite, 2),
    "JOIN": Heard(IrcInbound._on_join, 1),
    "KICK": Heard(IrcInbound._on_kick, 2),
    "MARKREAD": Heard(IrcInbound._on_markread, 1),
    "MODE": Heard(IrcInbound._on_mode, 2),
    "NICK": Heard(IrcInbound._on_nick, 1),
    "NOTE": Heard(IrcInbound.on_report, 3),
    "NOTICE": Heard(IrcInbound._on_notice, 2, talk=True),
    "PART": Heard(IrcInbound._on_part, 1),
    "PING": Heard(IrcInbound._on_ping, 1),
    "PONG": Heard(IrcInbound._on_pong, 1),
    "PRIVMSG": Heard(IrcInbound._on_privmsg, 2, talk=True),
    "QUIT": Heard(IrcInbound._on_quit),
    "REDACT": Heard(IrcInbound._on_redact, 2),
    "REGISTER": Heard(IrcInbound._on_register, 3),
    "RENAME": Heard(IrcInbound._on_rename, 2),
    "TAGMSG": Heard(IrcInbound._on_tagmsg, 1),
    "TOPIC": Heard(IrcInbound._on_topic, 2),
    "WALLOPS": Heard(IrcInbound._on_wallops, 1),
    "WARN": Heard(IrcInbound.on_report, 3),
}

#: Numerics with an effect; for the others see ``answers``.
NUMERICS: Numerics = {
    "001": (2, IrcInbound._welcome),
    "004": (3, IrcInbound._my_info),
    "005": (3, IrcInbound._supports),
    "301": (3, IrcInbound._is_away),
    "305": (2, IrcInbound._away_told),
    "306": (2, IrcInbound._away_told),
    "315": (2, IrcInbound._end_of_who),
    "322": (3, IrcInbound._list_entry),
    "323": (1, IrcInbound._end_of_list),
    "331": (2, IrcInbound._no_topic),
    "332": (3, IrcInbound._topic_is),
    "333": (4, IrcInbound._topic_by),
    "352": (8, IrcInbound._who_reply),
    "353": (3, IrcInbound._name_reply),
    "366": (2, IrcInbound._end_of_names),
    "367": (3, IrcInbound._ban_entry),
    "368": (2, IrcInbound._end_of_bans),
    "376": (1, IrcInbound._end_of_motd),
    "396": (2, IrcInbound._new_host),
    "422": (1, IrcInbound._end_of_motd),
    "900": (4, IrcInbound._logged_in),
    "901": (3, IrcInbound._logged_out),
    "902": (2, IrcInbound.on_login_refused),
    "903": (1, IrcInbound.on_logged_in),
    "904": (2, IrcInbound.on_login_refused),
    "905": (2, IrcInbound.on_login_refused),
    "906": (2, IrcInbound.on_login_refused),
}
