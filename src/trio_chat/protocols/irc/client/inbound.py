"""The meaning of a server's lines: one row each in the tables at the end.

A line becomes a message of its own kind where there is one, and a sentence where there is none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Renamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Notice, Rooms, RoomView, Topic
from trio_chat.protocols.casemapping import OURS, UNKNOWN, UNTOLD
from trio_chat.protocols.client import (
    Earlier,
    MarkedRead,
    Member,
    Message,
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
from trio_chat.protocols.irc.client.readings import notices, origin_of, room_of, said_in
from trio_chat.protocols.irc.client.refusals import (
    failed,
    kept_out,
    notice_about,
    refused,
    reported,
)
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import CTCP, is_room, shown

Messages = Sequence[Message]

_VERSION = "trio-chat"

# Batches of history (ircv3.net, "chathistory"; and a bouncer's).
_HISTORY = ("chathistory", "znc.in/playback", SEARCH)

# The batch that lists private conversations (ircv3.net, "chathistory").
_TALKS = "draft/chathistory-targets"

# Lines read unchanged: the answer must be the same, or there is more than text in them.
_RAW = {"PING", "PRIVMSG", "NOTICE"}

# The size of a room up to which we ask who is away: for more, the answer is too long.
_ASKED_ABOUT_MAX = 200


def understand(session: IrcRooms, line: Line) -> Messages:
    """Return what a line tells. Raises NotAdmitted if it refuses us."""
    batch = session.batches.get(line.tags.get("batch", ""), NO_BATCH)
    history = batch.kind in _HISTORY
    heard = COMMANDS.get(line.command)
    line.source = shown(line.source)
    if line.command not in _RAW:
        line.params = tuple(map(shown, line.params))
    if line.command.isdecimal():
        return _numeric(session, line)
    if heard is None or len(line.params) < heard.needed or (history and not heard.talk):
        return ()
    messages = heard.means(session, line)
    if not history:
        return messages
    told = [_past(message, batch) for message in messages]
    return [*_begin_found(session, line, batch), *told] if told else ()


def _begin_found(session: IrcRooms, line: Line, batch: Batch) -> Messages:
    """Return the heading before the first result."""
    if not batch.found or batch.told:
        return ()
    session.batches[line.tags["batch"]] = batch._replace(told=True)
    return [Notice("Found:")]


def _end_found(batch: Batch) -> Messages:
    return [Notice("Nothing was found.")] if batch.found and not batch.told else ()


def _past(message: Message, batch: Batch) -> Message:
    late = batch.late
    match message:
        case Said() if batch.found:
            return Earlier(message, message.time if isinstance(message, Stamped) else "", True)
        case Stamped(time=time):
            asked = batch.asked
            return replace(message, late=True) if late else Earlier(message, time, asked=asked)
        case Said():
            return message if late else Earlier(message, asked=batch.asked)
        case _:
            return message


# ── talk ─────────────────────────────────────────────────────────────────────────────────────────


def _answer_question(session: IrcRooms, line: Line) -> None:
    """Answer the two common questions between clients (CTCP)."""
    if line.source.startswith((":", "!", "@")):  # no nickname
        return
    text = line.params[1].strip(CTCP)
    verb = text.partition(" ")[0].upper()
    if verb == "VERSION":
        session.answer("NOTICE", line.nick, f"{CTCP}VERSION {_VERSION}{CTCP}")
    elif verb == "PING":
        session.answer("NOTICE", line.nick, f"{CTCP}{text}{CTCP}")


def _privmsg(session: IrcRooms, line: Line) -> Messages:
    """A live message is ours if it has our nickname. In history we may have had another one, but
    then our token tells, which others only know from the server.
    """
    batch = session.batches.get(line.tags.get("batch", ""), NO_BATCH)
    live, own = not line.tags.get("batch"), session.is_me(line.nick)
    session.pages.came(batch.page)
    said = _with_partner(session, said_in(line), batch.page)
    if line.params[1].startswith(CTCP) and not said.action:
        if "!" in line.source and live and not own:
            _answer_question(session, line)
        return ()
    token = line.tags.get(ID_TAG, "")
    if own or (not live and session.state.is_known(token)):
        token = session.ours(token, line.params[0], live=live)
        return [replace(said, token=token)]
    return [said]


def _with_partner(session: IrcRooms, said: Said, page: str) -> Said:
    """Address it to us: in the history of a conversation we may have had another nickname."""
    if said.room or not page or is_room(page) or not session.state.names.same(said.nick, page):
        return said
    return replace(said, to=session.nick)


def _notice(session: IrcRooms, line: Line) -> Messages:
    """From a person, or from the server, whose statistics as we leave nobody wants."""
    if line.params[1].startswith(CTCP) or session.leaving:
        return ()
    if "!" in line.source:
        return _privmsg(session, line)
    target = shown(line.params[0])
    return [Notice(shown(line.params[1]), room=target if is_room(target) else "")]


def _tagmsg(session: IrcRooms, line: Line) -> Messages:
    state = line.tags.get("+typing", "")
    if not state or session.is_me(line.nick) or line.tags.get("batch"):
        return ()
    target = line.params[0]
    room = room_of(target)
    return [Typing(room, line.nick, state == "active", to="" if room else target)]


def _batch(session: IrcRooms, line: Line) -> Messages:
    """A batch within another is of the same kind."""
    sign, name = line.params[0][:1], line.params[0][1:]
    if sign != "+":
        batch = session.batches.pop(name, NO_BATCH)
        answers = session.pages.over(batch.page) or session.catch_up.page_over(batch.page)
        return answers or _end_found(batch)
    if outer := session.batches.get(line.tags.get("batch", "")):
        session.batches[name] = outer._replace(page="")
        return ()
    session.batches[name] = _begun(session, line.param(1), line.param(2))
    return ()


def _begun(session: IrcRooms, kind: str, target: str) -> Batch:
    if kind != "chathistory":
        return Batch(kind, found=session.has_come(kind))
    if session.pages.expects(target):
        return Batch(kind, target, asked=True)
    if session.catch_up.expected(target):
        return Batch(kind, target, late=session.catch_up.fills_a_gap(target))
    return Batch(kind, found=session.has_come(kind))


def _chathistory(session: IrcRooms, line: Line) -> Messages:
    """A conversation that went on while we were cut off. Rooms catch up as we enter them."""
    batch = session.batches.get(line.tags.get("batch", ""), NO_BATCH)
    if batch.kind == _TALKS and not is_room(line.params[1]):
        session.talked(line.params[1], line.params[2])
    return ()


def _markread(session: IrcRooms, line: Line) -> Messages:
    return [MarkedRead(line.params[0], line.param(1).removeprefix("timestamp=").strip("*"))]


# ── coming and going ──────────────────────────────────────────────────────────────────────────────


def _join(session: IrcRooms, line: Line) -> Messages:
    room, account, name = line.params[0], line.param(1), line.param(2)
    if not is_room(room) or " " in room:
        return ()
    if session.is_me(line.nick):
        session.address = line.source.partition("!")[2]
        return [*session.linked(), session.entered(room, line.tags.get("time", ""))]
    origin = replace(origin_of(line), account=account.removeprefix("*"), name=name)
    return [Joined(room, line.nick, origin=origin)]


def _part(session: IrcRooms, line: Line) -> Messages:
    if session.is_me(line.nick):
        return [session.left(line.params[0], line.param(1))]
    return [Left(line.params[0], line.nick, why=line.param(1), origin=origin_of(line))]


def _quit(session: IrcRooms, line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    return [Departed(line.nick, why=line.param(0), origin=origin_of(line))]


def _kick(session: IrcRooms, line: Line) -> Messages:
    room, target, why = line.params[0], line.params[1], line.param(2)
    reason = "" if why == line.nick else why
    kicked = Kicked(room, line.nick, target, reason, origin=origin_of(line))
    return [kicked, session.left(room, reason)] if session.is_me(target) else [kicked]


def _nick(session: IrcRooms, line: Line) -> Messages:
    if session.is_me(line.nick):
        session.nick = line.params[0]
    return [Renamed(line.nick, line.params[0], origin=origin_of(line))]


def _chghost(session: IrcRooms, line: Line) -> Messages:
    if session.is_me(line.nick):
        session.address = "@".join(line.params[:2])
    return ()


# ── the room and the people ──────────────────────────────────────────────────────────────────────


def _topic(session: IrcRooms, line: Line) -> Messages:
    return [TopicSet(line.params[0], line.nick, line.params[1], origin=origin_of(line))]


def _invite(session: IrcRooms, line: Line) -> Messages:
    return notices(Invited(line.params[1], line.nick, line.params[0]))


def _wallops(session: IrcRooms, line: Line) -> Messages:
    return [Notice(f"{line.nick} announces: {line.params[0]}")]


def _list_entry(session: IrcRooms, line: Line) -> Messages:
    count = line.params[2] if line.params[2].isdecimal() else "0"
    return notices(Rooms((RoomView(line.params[1], int(count[:9]), line.param(3)),)))


def _topic_is(session: IrcRooms, line: Line) -> Messages:
    session.topics[line.params[1]] = line.params[2]
    return [Topic(line.params[1], line.params[2])]


def _topic_by(session: IrcRooms, line: Line) -> Messages:
    """RPL_TOPICWHOTIME, which follows the topic on most servers."""
    room, by, at = line.params[1], line.params[2].partition("!")[0], line.params[3]
    text = session.topics.pop(room, "")
    if not (text and at.isdecimal() and len(at) <= 12):
        return ()
    return [Topic(room, text, by, int(at) * 1000)]


def _no_topic(session: IrcRooms, line: Line) -> Messages:
    return [Topic(line.params[1], "")]


def _mode(session: IrcRooms, line: Line) -> Messages:
    """The modes that a server sets as we come in are no news."""
    target, letters, *arguments = line.params
    if is_room(target):
        changes = session.supports.changes(letters, arguments)
        return [ModesSet(target, line.nick, changes, origin=origin_of(line))]
    if not session.has_settled:
        return ()
    return [Notice(f"{line.nick} set the mode of {target} {' '.join([letters, *arguments])}.")]


def _away(session: IrcRooms, line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    return [AwaySet(line.nick, line.param(0), origin=origin_of(line))]


def _away_told(session: IrcRooms, line: Line) -> Messages:
    """RPL_UNAWAY and RPL_NOWAWAY: the server repeats no text."""
    gone = line.command == "306"
    if not gone:
        session.state.away = ""
    return [AwaySet(session.nick, session.state.away or line.params[-1] if gone else "")]


def _is_away(session: IrcRooms, line: Line) -> Messages:
    nick, text = line.params[1:3]
    return [Notice(f"{nick} is away: {text}", room=nick)]


def _end_of_names(session: IrcRooms, line: Line) -> Messages:
    room = line.params[1]
    names = [session.supports.split(name) for name in session.names.pop(room, ())]
    if room not in session.inside:
        return [Notice(_in_words(room, names))]
    roster = Roster(room, tuple(Member(nick, prefixes) for prefixes, nick in names))
    if room not in session.entering:  # the answer to a /who
        return [roster, Notice(_in_words(room, names), room=room)]
    del session.entering[room]
    if "away-notify" in session.caps and len(names) <= _ASKED_ABOUT_MAX:
        session.people[room] = []
        session.send("WHO", room)
    return [roster]


def _in_words(room: str, names: Sequence[tuple[str, str]]) -> str:
    nicks = sorted((nick for _, nick in names), key=str.lower)
    return f"In {room} ({len(nicks)}): {', '.join(nicks)}" if nicks else f"Nobody is in {room}."


def _name_reply(session: IrcRooms, line: Line) -> Messages:
    room, names = line.params[-2:]
    session.names.setdefault(room, []).extend(names.split())
    return ()


def _who_reply(session: IrcRooms, line: Line) -> Messages:
    if (people := session.people.get(line.params[1])) is not None:
        people.append(line)
        return ()
    return [Notice(who_words(line.params))]


def _end_of_who(session: IrcRooms, line: Line) -> Messages:
    people = session.people.pop(line.params[1], None)
    if not people:
        return ()
    return [Roster(people[0].params[1], tuple(_member(session, person) for person in people))]


def _member(session: IrcRooms, line: Line) -> Member:
    """The flags are H or G (here, gone), perhaps ``*`` for operators or a bot's, and prefixes."""
    nick, flags = line.params[5], line.params[6]
    prefixes = "".join(flag for flag in flags if flag in session.supports.prefixes)
    bot = bool(session.supports.bot) and session.supports.bot in flags[1:]
    return Member(nick, prefixes, away=flags.startswith("G"), bot=bot)


# ── the server ───────────────────────────────────────────────────────────────────────────────────


def _ping(session: IrcRooms, line: Line) -> Messages:
    session.send("PONG", line.params[-1])
    return ()


def _error(session: IrcRooms, line: Line) -> Messages:
    head, colon, words = line.params[0].partition(": ")
    closing = head.lower() == "closing link" and colon
    return session.ended(words if closing else line.params[0])


def _cap(session: IrcRooms, line: Line) -> Messages:
    pairs = [word.partition("=") for word in line.param(-1).split()]
    verb, words = line.params[1].upper(), {name for name, _, _ in pairs}
    if verb in ("LS", "NEW"):
        session.cap_values |= {name: value for name, _, value in pairs}
    match verb:
        case "LS":
            session.offered |= words
            if line.param(2) != "*" or len(line.params) < 4:  # the last line of them
                session.ask_for_caps()
        case "NEW":
            session.offered |= words
            session.ask_for_caps()
        case "ACK":
            session.acknowledged(words)
        case "NAK":
            session.end_of_caps()
        case "DEL":
            session.offered -= words
            session.caps -= words
    return ()


def _pong(session: IrcRooms, line: Line) -> Messages:
    match line.params[-1]:
        case "finish":
            return session.ponged()
        case "entered":
            return session.settled()
        case "lag":
            return session.alive()
        case asked:
            return session.pages.ponged(asked) or session.catch_up.ponged(asked)


def _supports(session: IrcRooms, line: Line) -> Messages:
    for token in line.params[1:-1]:
        session.supports.learn(token)
        session.catch_up.supports(token)
        name, _, value = token.partition("=")
        if name == "CASEMAPPING" and value and session.state.names.name != OURS:
            session.state.names.learn(value)
    return ()


def _end_of_motd(session: IrcRooms, line: Line) -> Messages:
    session.supports.network = session.supports.network or line.source
    return session.linked()


def _new_host(session: IrcRooms, line: Line) -> Messages:
    """396 on most servers: our address changes."""
    user, _, _ = session.address.partition("@")
    host = line.params[1].rpartition("@")[2]
    session.address = f"{user}@{host}" if session.address else ""
    return ()


# ── numerics ─────────────────────────────────────────────────────────────────────────────────────


def _numeric(session: IrcRooms, line: Line) -> Messages:
    """The first parameter of a numeric is our nickname; the last one is for people."""
    command, params = line.command, line.params[1:]
    if command in NUMERICS:
        needed, means = NUMERICS[command]
        return means(session, line) if len(line.params) >= needed else ()
    if command in ANSWERS:
        needed, words = ANSWERS[command]
        enough = len(line.params) >= needed
        return [notice_about(session, words(line.params), params)] if enough else ()
    if not params or command in SILENT or (command in OF_WELCOME and not session.admitted):
        return ()
    if command[:1] in ("4", "5"):
        return (refused if session.registered else kept_out)(session, line)
    return [notice_about(session, " ".join(params), params)]


def _welcome(session: IrcRooms, line: Line) -> Messages:
    if not session.registered:
        if session.state.names.name == UNKNOWN:
            session.state.names.learn(UNTOLD)
        session.welcomed(line.params[0])
    return [Notice(line.params[-1])]


def _my_info(session: IrcRooms, line: Line) -> Messages:
    """trio-chat slows down floods by itself. Its CASEMAPPING is for other clients."""
    if line.params[2].startswith(_VERSION):
        session.outgoing.paced = False
        session.state.names.learn(OURS)
    return ()


class Heard(NamedTuple):
    """``needed`` parameters; ``talk`` if history may have it, too."""

    means: Callable[[Any, Line], Messages]
    needed: int = 0
    talk: bool = False


# Each with the number of parameters that it needs.
Numerics = Mapping[str, tuple[int, Callable[[Any, Line], Messages]]]

COMMANDS = {
    "AWAY": Heard(_away),
    "BATCH": Heard(_batch, 1, talk=True),
    "CAP": Heard(_cap, 3),
    "CHATHISTORY": Heard(_chathistory, 3),
    "CHGHOST": Heard(_chghost, 2),
    "ERROR": Heard(_error, 1),
    "FAIL": Heard(failed, 3),
    "INVITE": Heard(_invite, 2),
    "JOIN": Heard(_join, 1),
    "KICK": Heard(_kick, 2),
    "MARKREAD": Heard(_markread, 1),
    "MODE": Heard(_mode, 2),
    "NICK": Heard(_nick, 1),
    "NOTE": Heard(reported, 3),
    "NOTICE": Heard(_notice, 2, talk=True),
    "PART": Heard(_part, 1),
    "PING": Heard(_ping, 1),
    "PONG": Heard(_pong, 1),
    "PRIVMSG": Heard(_privmsg, 2, talk=True),
    "QUIT": Heard(_quit),
    "TAGMSG": Heard(_tagmsg, 1),
    "TOPIC": Heard(_topic, 2),
    "WALLOPS": Heard(_wallops, 1),
    "WARN": Heard(reported, 3),
}

#: Numerics with an effect; for the others see ``answers``.
NUMERICS: Numerics = {
    "001": (2, _welcome),
    "004": (3, _my_info),
    "005": (3, _supports),
    "301": (3, _is_away),
    "305": (2, _away_told),
    "306": (2, _away_told),
    "315": (2, _end_of_who),
    "322": (3, _list_entry),
    "331": (2, _no_topic),
    "332": (3, _topic_is),
    "333": (4, _topic_by),
    "352": (8, _who_reply),
    "353": (3, _name_reply),
    "366": (2, _end_of_names),
    "376": (1, _end_of_motd),
    "396": (2, _new_host),
    "422": (1, _end_of_motd),
}
