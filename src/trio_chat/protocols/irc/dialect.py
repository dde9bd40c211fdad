"""The writing of events in IRC: one dialect for all clients with the same capabilities."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

from trio_chat.core.events import (
    AccountSet,
    Announced,
    AwaySet,
    Banned,
    Change,
    Departed,
    Entry,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Locked,
    Looked,
    ModesSet,
    NameSet,
    Origin,
    Redacted,
    Renamed,
    Reported,
    RoomRenamed,
    Said,
    Signalled,
    TopicSet,
    Unbanned,
    Unlocked,
    UserModesSet,
)
from trio_chat.core.masks import address
from trio_chat.core.names import NICK_MAX, fold
from trio_chat.core.views import (
    Block,
    Copy,
    LoggedOut,
    Marked,
    Members,
    Metadata,
    Missed,
    Notice,
    Presence,
    RoomMoved,
    RoomWelcome,
    Shown,
)
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.fitting import cut, mode_lines, size, wrapped
from trio_chat.protocols.irc.hints import quoted
from trio_chat.protocols.irc.info import (
    AGAIN_TAG,
    IDENTITY,
    LINE_MAX,
    METADATA,
    MISSED,
    REDACTION,
    RENAMING,
    SECONDS_TAG,
    URGENT_TAG,
    WHOM_TAG,
    WHY_TAG,
)
from trio_chat.protocols.irc.message import body, escape, last, safe, trailing
from trio_chat.protocols.irc.multiline import MULTILINE, NEEDED, framed, parted, tags_of
from trio_chat.protocols.irc.text import CTCP, FRAMES, pieces
from trio_chat.protocols.irc.times import timestamp
from trio_chat.protocols.plain.modes import changed
from trio_chat.protocols.plain.wording import OURS, notices, removal
from trio_chat.protocols.session import Dialect, OwnDialect

# A message's client-only tags are repeated on each of its lines if they are no longer than this: 32
# lines with the longest ones would be more than an outbox may hold for a slow reader.
_REPEATED_MAX = 256  # bytes

_END = "End of the last messages."


class IrcDialect(Dialect):
    """Writes for clients with these ``caps`` (of ``RENDERED``), as the server of this name."""

    def __init__(self, caps: frozenset[str], server: str) -> None:
        self.caps, self._server = caps, server

    @property
    def asks_for_missed(self) -> bool:
        return "draft/chathistory" in self.caps and MISSED not in self.caps

    def render(self, shown: Shown, id: str = "", at: int = 0, extra: str = "") -> bytes:
        """Write it as every dialect does, with ``extra`` tags on each line."""
        if isinstance(shown, Copy):
            if not self._tells(shown):
                return b""
            if type(shown.of) is ModesSet:
                return self._explained(shown.of, at, extra)
            shown = shown.of
        if type(shown) is Redacted and REDACTION not in self.caps:
            shown = Notice(removal(shown), shown.to or shown.room)
        if isinstance(shown, Metadata) and shown.whole:
            return self._whole(shown, extra)
        if isinstance(shown, Missed):
            return self._missed(shown)
        if isinstance(shown, RoomWelcome) and shown.recent:
            return self._entered_later(shown, id, at, extra)
        if type(shown) is Said and _has_lines(shown) and self.caps >= NEEDED:
            return self._as_batch(shown, id, at, extra)
        if not (texts := self._texts(shown)):
            return b""
        texts = [cut(text) for text in texts]
        if tags := self._tags(shown, id, at, extra):
            first, *others = texts
            tail = self._repeated(shown, tags) if others else ""
            texts = [f"@{tags} {first}", *(tail + text for text in others)]
        return ("\r\n".join(texts) + "\r\n").encode()

    def _repeated(self, shown: Shown, tags: str) -> str:
        """The tags of a message that also stand before its second and further lines.

        It has one id and one label in however many lines it is written.
        """
        given = getattr(shown, "tags", "")
        if len(given) > _REPEATED_MAX:
            tags = tags.replace(given, "")
        once = ("msgid=", "label=")
        rest = ";".join(tag for tag in tags.split(";") if tag and not tag.startswith(once))
        return f"@{rest} " if rest else ""

    def _explained(self, event: ModesSet, at: int, extra: str) -> bytes:
        """Write the end and the reason of bans of a room, which MODE has no place for; whoever
        reads our tags knows them.
        """
        bans = tuple(change for change in event.changes if change.mode == "b" and change.add)
        lines = [line.removeprefix(OURS) for line in changed(replace(event, changes=bans), at)]
        again = AGAIN_TAG if _of_ban(event) and "message-tags" in self.caps else ""
        tags = ";".join(filter(None, (extra, again)))
        return self.render(Notice("\n".join(lines), event.room), extra=tags)

    def _as_batch(self, said: Said, id: str, at: int, extra: str) -> bytes:
        """Write a message of several lines as a batch of "multiline".

        "Any tags that would have been added to the message" are on its first line. Within another
        batch, the first and the last line carry the reference to that.
        """
        name, source = f"m{id.replace('-', '')}", _source(said)
        tags = self._tags(said, id, at, extra)
        head, tail = f"@{tags} " if tags else "", f"@{extra} " if extra.startswith("batch=") else ""
        command, target = _command(said), _target(said)
        start = f":{source} {command} {target} :"
        most = LINE_MAX - 2 - size(start + "".join(FRAMES[said.action]))
        parts = framed(parted(said.text, said.concat_at, most), said.action)
        lines = [
            f"{head}:{source} BATCH +{name} {MULTILINE} {target}",
            *(tags_of(name, part) + start + safe(part.text) for part in parts),
            f"{tail}:{source} BATCH -{name}",
        ]
        return ("\r\n".join(lines) + "\r\n").encode()

    def _entered_later(self, entered: RoomWelcome, id: str, at: int, extra: str) -> bytes:
        """Write a room for a newcomer, with old messages that nobody can take for new ones.

        Least of all may a bot, which would do again what it was once told to do. ``extra`` tags are
        on all of it.
        """
        first = self.render(replace(entered, recent=()), id, at, extra)
        if "draft/chathistory" in self.caps:
            # "If a client requests this capability, the server … SHOULD NOT play back any history
            # that would otherwise be sent automatically" (chathistory).
            return first
        recent = _without_questions(entered.recent)
        if not recent:
            return first
        if "batch" in self.caps:
            return first + self._in_batch(entered.room, recent, f"h{id.replace('-', '')}", extra)
        return first + self._in_notices(entered.room, recent, "Last messages", _END)

    def _missed(self, missed: Missed) -> bytes:
        """Write what was said to somebody who was not here, as old messages: a conversation after
        the other. Clients that ask for history find it there, but for those that want it at once.
        """
        if self.asks_for_missed:
            return b""
        kind = MISSED if MISSED in self.caps else "chathistory"
        said_by: dict[str, list[Entry]] = {}
        for entry in _without_questions(missed.entries):
            said = replace(cast("Said", entry.event), to=missed.nick)  # it may be another one now
            said_by.setdefault(said.nick, []).append(entry._replace(event=said))
        if "batch" in self.caps:
            parts = [
                self._in_batch(nick, said, f"w{said[0].id.replace('-', '')}", "", kind, dated=True)
                for nick, said in said_by.items()
            ]
        else:
            what, end = "While you were not here", "End of what you have missed."
            parts = [
                self._in_notices(missed.nick, said, what, end, dated=True)
                for said in said_by.values()
            ]
        return b"".join(parts)

    def _in_batch(
        self,
        room: str,
        recent: Sequence[Entry],
        name: str,
        extra: str,
        kind: str = "chathistory",
        *,
        dated: bool = False,
    ) -> bytes:
        """Write old messages as everybody was shown them then, in a batch."""
        start = self._line(body("BATCH", f"+{name}", kind, room), extra)
        again = self._again(recent, f"batch={name}", dated=dated)
        return start + again + self._line(f"BATCH -{name}", extra)

    def _whole(self, found: Metadata, extra: str) -> bytes:
        """Write a client's own metadata for itself: "in a metadata batch with their own nick as
        target as part of the registration burst".
        """
        if not self.caps >= {METADATA, "batch"}:
            return b""
        start = self._line(body("BATCH", "+metadata", "metadata", found.target), extra)
        lines = [self._line(text, "batch=metadata") for text in _described(found)]
        return start + b"".join(lines) + self._line("BATCH -metadata", extra)

    def _in_notices(
        self, room: str, recent: Sequence[Entry], what: str, end: str, *, dated: bool = False
    ) -> bytes:
        """Write old messages as NOTICEs, between two lines that say what they are.

        "Automatic replies MUST NEVER be sent in response to a NOTICE" (RFC 2812, 3.3.2). The two
        lines are needed even with server-time: some clients show the time of arrival (irssi).
        """
        when = "" if "server-time" in self.caps else " (times in UTC)"
        start = self._line(trailing("NOTICE", room, f"{what}{when}:"))
        noticed = [entry._replace(event=_as_notice(entry.event)) for entry in recent]
        return start + self._again(noticed, dated=dated) + self._line(trailing("NOTICE", room, end))

    def _again(self, entries: Iterable[Entry], extra: str = "", *, dated: bool = False) -> bytes:
        """Write old messages; without server-time, with the time in the text, or also the day."""
        dialect = irc_dialect(self.caps, self._server)
        if "server-time" in self.caps:
            return b"".join([dialect.render(e.event, e.id, e.at, extra) for e in entries])
        return b"".join([dialect.render(_timed(e, dated=dated), "", 0, extra) for e in entries])

    def _line(self, text: str, extra: str = "") -> bytes:
        return f"{f'@{extra} ' if extra else ''}:{self._server} {text}\r\n".encode()

    def _tells(self, aside: Copy) -> bool:
        match aside.of:
            case Invited():
                return "invite-notify" in self.caps
            case AwaySet() | NameSet() | AccountSet():
                return "extended-monitor" in self.caps
            case _:
                return True

    def _tags(self, shown: Shown, id: str, at: int, extra: str) -> str:
        caps = self.caps
        tags = [extra] if extra else []
        if id and "server-time" in caps:
            tags.append(time_tag(at))
        if (own := _OWN_TAGS.get(type(shown))) and "message-tags" in caps:
            tags += own(shown)
        origin: Origin | None = getattr(shown, "origin", None)
        if origin is None:
            return ";".join(tags)
        if "message-tags" in caps:
            if id:
                tags.append(f"msgid={id}")
            if origin.bot:
                tags.append("bot")
            if said_of_it := getattr(shown, "tags", ""):
                tags.append(said_of_it)
        if origin.account and "account-tag" in caps:
            tags.append(f"account={origin.account}")
        return ";".join(tags)

    def _texts(self, shown: Shown) -> Sequence[str]:
        """The lines for something shown, without tags; none if these clients are not told of it."""
        match shown:
            case Said():
                return self._said(shown)
            case Signalled(room) if "message-tags" in self.caps:
                return [_line(shown, "TAGMSG", shown.to or shown.status + room)]
            case Redacted(room, msgid=msgid, why=why, to=to):
                return [_line(shown, "REDACT", to or room, msgid, *([why] if why else []))]
            case Joined() | Looked():
                return self._joined(shown)
            case Left(room, why=why):
                return [_line(shown, "PART", room, *([why] if why else []))]
            case Departed(why=why):
                return [_line(shown, "QUIT", why)]
            case Kicked(room, nick, target, why):
                return [_line(shown, "KICK", room, target, why or nick)]
            case Invited(room, target=target):
                return [_line(shown, "INVITE", target, room)]
            case RoomWelcome():
                return self._entered(shown)
            case RoomMoved():
                return self._moved(shown)
            case RoomRenamed(room, to=name, why=why) if RENAMING in self.caps:
                return [f":{_source(shown)} {trailing('RENAME', room, name, why)}"]
            case TopicSet(room, text=text):
                return [f":{_source(shown)} {trailing('TOPIC', room, text)}"]
            case ModesSet(room, "", changes):  # the time of a ban is up
                return mode_lines(f":{self._server} MODE {room}", changes)
            case ModesSet(place, changes=changes) | UserModesSet(place, changes):
                return mode_lines(_line(shown, "MODE", place), changes)
            case Renamed(to=nick):
                return [_line(shown, "NICK", nick)]
            case AwaySet(text=text) if "away-notify" in self.caps:
                return [_line(shown, "AWAY", *([text] if text else []))]
            case AccountSet(origin=origin) if "account-notify" in self.caps:
                return [_line(shown, "ACCOUNT", origin.account or "*")]
            case NameSet(origin=origin) if "setname" in self.caps:
                return [_line(shown, "SETNAME", origin.name)]
            case Banned() | Unbanned() | Locked() | Unlocked() | Reported():
                lines = [self._hinted(notice.text) for notice in notices(shown)]
                return [f":{self._server} {body('NOTICE', '*', line)}" for line in lines]
            case Announced(text=text):
                return [_line(shown, "WALLOPS", text)]
            case Presence(watcher, nick, None):
                return [self._numeric(n.RPL_MONOFFLINE, watcher, nick)]
            case Presence(watcher, nick, Origin() as origin):
                return [self._numeric(n.RPL_MONONLINE, watcher, address(nick, origin))]
            case LoggedOut(nick, origin):
                words = "You are now logged out"
                return [self._numeric(n.RPL_LOGGEDOUT, nick, address(nick, origin), words)]
            case Notice(text, place):
                start = f":{self._server} NOTICE {place or '*'}"
                return [f"{start} {last(line)}" for line in text.split("\n")]
            case Marked():
                return self.marked(shown)
            case Metadata() if METADATA in self.caps:
                return [f":{self._server} {text}" for text in _described(shown)]
        return ()

    def _hinted(self, text: str) -> str:
        """A sentence with the commands that its reader has."""
        return text if IDENTITY in self.caps else quoted(text)

    def _said(self, said: Said) -> Sequence[str]:
        """Write a message in lines that fit, without blank ones.

        "Servers MUST NOT send blank lines to clients" that do not know multiline.
        """
        before, end = FRAMES[said.action]
        start = f":{_source(said)} {_command(said)} {_target(said)} :{before}"
        most = LINE_MAX - 2 - size(start + end)
        if _has_lines(said):
            parts = parted(said.text, said.concat_at, most)
            return [safe(start + piece.text + end) for piece in parts if piece.text]
        return [safe(start + piece + end) for piece in pieces(said.text, most)]

    def _joined(self, joined: Joined | Looked) -> Sequence[str]:
        lines = [f":{_source(joined)} JOIN {joined.room}"]
        if "extended-join" in self.caps:
            # "If the client is not logged in, … an asterisk" (extended-join).
            account, name = joined.origin.account or "*", joined.origin.name
            lines = [_line(joined, "JOIN", joined.room, account, name)]
        if isinstance(joined, Looked):
            return lines
        if joined.away and "away-notify" in self.caps:
            lines.append(_line(joined, "AWAY", joined.away))
        if joined.status:
            changes = [Change(True, letter, joined.nick) for letter in joined.status]
            lines += mode_lines(f":{self._server} MODE {joined.room}", changes)
        return lines

    def _entered(self, entered: RoomWelcome) -> Sequence[str]:
        lines = []
        if topic := entered.topic:
            by, at = topic.by or self._server, str(topic.at // 1000)
            lines.append(self._numeric(n.RPL_TOPIC, entered.nick, topic.room, topic.text))
            lines.append(self._numeric(n.RPL_TOPICWHOTIME, entered.nick, topic.room, by, at))
        return lines

    def _moved(self, moved: RoomMoved) -> Sequence[str]:
        """Write another name of a room, for those who do not know that: "Send the client a PART
        message for the old channel name …. Send the client a JOIN message followed by the usual
        messages"; but not "if the rename only changes the case".
        """
        event, nick, origin = moved.event, moved.nick, moved.origin
        if RENAMING in self.caps or fold(event.room) == fold(event.to):
            return self._texts(event)
        left = Left(event.room, nick, why=event.why, origin=origin)
        joined = Joined(event.to, nick, origin=origin)
        lines = [*self._texts(left), *self._joined(joined)]
        lines += self._entered(RoomWelcome(event.to, nick, topic=moved.topic))
        if "no-implicit-names" not in self.caps:
            end = trailing(n.RPL_ENDOFNAMES, nick, event.to, "End of /NAMES list")
            lines += [*self.names(nick, moved.members), f":{self._server} {end}"]
        return lines

    def names(self, nick: str, members: Members) -> Sequence[str]:
        """A room's members for ``nick``: RPL_NAMREPLY (353).

        What has been written of a block for one person is there for all whose nickname is not
        unusually long.
        """
        secret = "@" if members.secret else "="
        start = self._numeric(n.RPL_NAMREPLY, nick, secret, members.room, "")
        rest = LINE_MAX - 2 - (size(start) - size(nick))
        most = rest - (NICK_MAX if size(nick) <= NICK_MAX else 4 * NICK_MAX)
        return [start + words for block in members.blocks for words in self._words(block, most)]

    def _words(self, block: Block, most: int) -> Sequence[str]:
        """The names in a block, in lines of at most ``most`` bytes."""
        several, with_address = "multi-prefix" in self.caps, "userhost-in-names" in self.caps
        way = (several, with_address, most)
        if way not in block.written:
            names = [
                (seen.status if several else seen.status[:1])
                + (address(seen.nick, seen.origin) if with_address else seen.nick)
                for seen in block.people
            ]
            block.written[way] = wrapped(names, most)
        return block.written[way]

    def marked(self, marked: Marked) -> Sequence[str]:
        """A read marker. "If there is no known last message read timestamp, the … parameter is a
        literal *".
        """
        if "draft/read-marker" not in self.caps:
            return ()
        at = f"timestamp={timestamp(marked.at)}" if marked.at else "*"
        return [f":{self._server} {body('MARKREAD', marked.target, at)}"]

    def _numeric(self, numeric: str, nick: str, *params: str) -> str:
        return f":{self._server} {body(numeric, nick, *params)}"


class OwnIrcDialect(IrcDialect, OwnDialect):
    """The writing of a client's own actions, where it differs from what everybody else is shown.

    Their own messages are shown only with echo-message; and a client that has set its away message,
    or logged in, is told so in other ways.
    """

    def differs(self, shown: Shown) -> bool:
        of = shown.of if isinstance(shown, Copy) else shown
        said = isinstance(of, Said | Signalled) and "echo-message" not in self.caps
        leads = isinstance(shown, Joined) and bool(shown.status)
        return said or leads or isinstance(shown, AwaySet | AccountSet)

    def render(self, shown: Shown, id: str = "", at: int = 0, extra: str = "") -> bytes:
        """The same as ``IrcDialect``; empty for what its owner is not to be shown.

        Whoever enters a room reads their own status among the names.
        """
        if isinstance(shown, Joined) and shown.status:
            return super().render(replace(shown, status=""), id, at, extra)
        return b"" if self.differs(shown) else super().render(shown, id, at, extra)


@cache
def irc_dialect(caps: frozenset[str], server: str) -> IrcDialect:
    """The one dialect object for a set of capabilities."""
    return IrcDialect(caps, server)


@cache
def own_dialect(caps: frozenset[str], server: str) -> OwnIrcDialect:
    """The one object for a set of capabilities that writes a client's own actions."""
    return OwnIrcDialect(caps, server)


def _of_ban(event: ModesSet) -> Sequence[str]:
    """The tags of a ban of a room: its time, its reason, and whom it is about."""
    if len(event.changes) != 1:
        return ()
    [change] = event.changes
    told = {
        SECONDS_TAG: str(change.seconds) if change.seconds else "",
        WHY_TAG: escape(change.why),
        WHOM_TAG: escape(change.whom),
    }
    return [f"{tag}={value}" for tag, value in told.items() if value]


#: The tags of trio-chat's own, by what is shown.
_OWN_TAGS: Mapping[type, Callable[[Any], Sequence[str]]] = {
    ModesSet: _of_ban,
    Locked: lambda locked: (URGENT_TAG,),
    Reported: lambda reported: (URGENT_TAG,),
}


def _text(event: Event) -> str:
    return event.text if isinstance(event, Said) else ""


def _without_questions(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Old messages without questions from one client to another (CTCP), which would be answered
    again.
    """
    return [entry for entry in entries if not _text(entry.event).startswith(CTCP)]


def _timed(entry: Entry, *, dated: bool) -> Event:
    """An event with the time before its text; shown without an id, as another text."""
    event = entry.event
    if not isinstance(event, Said):
        return event
    clock = timestamp(entry.at)[0 if dated else 11 : 19].replace("T", " ")
    return replace(event, text=f"[{clock}] {event.text}", tags="", concat_at=())


def _as_notice(event: Event) -> Event:
    """A message as a NOTICE, with an action put in words.

    In a NOTICE, CTCP would be a client's answer, and any line that a text is cut into may begin
    with it.
    """
    if not isinstance(event, Said):
        return event
    if not event.action:
        text = event.text.replace(CTCP, "")
        concat_at = event.concat_at if text == event.text else ()
        return replace(event, text=text, notice=True, concat_at=concat_at)
    lines = [f"* {event.nick} {line}" for line in event.text.split("\n") if line]
    return replace(event, text="\n".join(lines), action=False, notice=True, concat_at=())


def _described(found: Metadata) -> Sequence[str]:
    """RPL_KEYVALUE and RPL_KEYNOTSET for many: without the name of the reader."""
    return [
        trailing(n.RPL_KEYVALUE, "*", found.target, key, "*", value)
        if value
        else trailing(n.RPL_KEYNOTSET, "*", found.target, key, "Key is not set")
        for key, value in found.values
    ]


# ── text into lines ────────────────────────────────────────────────────────────────────────────


def _source(event: Any) -> str:
    return address(event.nick, event.origin)


def _line(event: Any, command: str, *params: str) -> str:
    return f":{_source(event)} {body(command, *params)}"


def _command(said: Said) -> str:
    return "NOTICE" if said.notice else "PRIVMSG"


def _target(said: Said) -> str:
    return said.to or said.status + said.room


def _has_lines(said: Said) -> bool:
    """Whether it was said in several lines of IRC."""
    return bool(said.concat_at) or "\n" in said.text


def time_tag(milliseconds: int) -> str:
    """The tag of "server-time" for a moment in unix milliseconds."""
    return f"time={timestamp(milliseconds)}"
