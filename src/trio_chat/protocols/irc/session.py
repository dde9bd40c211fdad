"""The server's end of IRC: a connection's lines, one after the other.

What a line asks for is found in the tables of ``verbs``; its replies collect in a ``ReplyBuffer``
until the line is done with.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from trio_chat.core.commands import Join, LookAround, Quit, Say
from trio_chat.core.events import (
    AccountBlocked,
    AccountDropped,
    AccountMade,
    AccountSet,
    AccountUnblocked,
    Arrived,
    Attached,
    AwaySet,
    Change,
    Event,
    InvitationRevoked,
    Invited,
    Joined,
    KeyDropped,
    KeyMade,
    Killed,
    Left,
    Looked,
    NameSet,
    PasswordSet,
    PreferenceSet,
    Renamed,
    UserModesSet,
)
from trio_chat.core.names import fold
from trio_chat.core.queries import Count, FindNicks, ListMembers, ShowMark
from trio_chat.core.views import (
    Answer,
    AwayReply,
    BanEffect,
    LockEffect,
    Marked,
    Missed,
    Notice,
    Offer,
    People,
    Refused,
    Repeated,
    Unheard,
)
from trio_chat.protocols.irc import accounts, metadata, replies, services
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.batches import Collector
from trio_chat.protocols.irc.dialect import IrcDialect
from trio_chat.protocols.irc.info import (
    CLIENT_TAGS_MAX,
    IDENTITY,
    LINE_MAX,
    TAGS_MAX,
    ServerInfo,
)
from trio_chat.protocols.irc.message import parse, parse_tags, trailing
from trio_chat.protocols.irc.registration import Registration, welcome
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.irc.verbs import VERBS, Parts, dispatch
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import SETTLED, notices, offer
from trio_chat.protocols.session import HANDLED, Ask, OwnDialect, Run, Says, Session

# Lines that may lead to several answers, whatever their parameters are.
_SEVERAL_ANSWERS = {"BAN", "JOIN", "MODE", "MONITOR", "MUTE"}

# An id that a client has given its message. Each differs, and how the line is read does not.
_WITH_ID = re.compile(rb"@\+trio-chat/id=[A-Za-z0-9_-]{16,64} +")

# A line of so many bytes is short enough, whatever the sender's address that is put before it.
_SURELY_FITS = 350


class IrcSession(Session):
    """The IRC of one connection (see ``protocols.session.Session`` for the contract).

    ``clock`` gives unix time in seconds, ``sts`` is the value of that capability; ``private`` says
    that nobody on the way can read what the client sends. A line is in hand
    from the ``next_run`` that reads it to the one after everything it asked for has been done: that
    call labels its replies and takes the next line. So whatever is said with ``reply`` and
    ``done``, and whatever ``own`` renders in between, answers that line. A message without a label
    is handed out together with those of the next lines that go to the same room.
    """

    protocol = "irc"
    has_ping = True

    __slots__ = (
        "_asks",
        "_gone",
        "_in_hand",
        "_lines",
        "_out",
        "_parts",
        "_peer",
        "_start",
        "_waiting",
    )

    def __init__(
        self, info: ServerInfo, clock: Callable[[], float], *, sts: str = "", private: bool
    ) -> None:
        self._out = out = ReplyBuffer(info, clock)
        self._peer = out.peer
        self._parts = Parts(out, Registration(out, sts, private=private), Collector(out))
        self._lines = LineBuffer(TAGS_MAX + LINE_MAX - 2, beginnings=True)
        # Empty tuples take no memory, and most connections say nothing.
        self._waiting: list[bytes] | tuple[()] = ()  # the next one last
        self._asks: tuple[Ask, ...] = ()  # what the line in hand still asks for
        self._in_hand = False
        self._start = b""  # of the line in hand, up to its last parameter
        self._gone = False

    @property
    def client(self) -> str:
        return "trio-chat" if IDENTITY in self._peer.caps else "an IRC client"

    @property
    def refusals(self) -> int:
        return self._out.refusals

    @property
    def dialect(self) -> IrcDialect:
        return self._peer.dialect

    @property
    def own(self) -> OwnDialect:
        """The reply buffer while a line with a label is in hand; else its own dialect."""
        return self._out if self._out.labelled else self._peer.own_dialect

    def greeting(self) -> bytes:
        """Nothing: clients of IRC speak first."""
        return b""

    def server_stops(self) -> None:
        """Let nothing be acknowledged any more that has no answer: it may not have happened."""
        self._out.is_cut = True

    def farewell(self, words: str, refused: Refused | None = None) -> None:
        """Close the link: "The server acknowledges this by … ERROR" (RFC 2812, 3.1.7)."""
        if refused:
            self._out.refuse(refused)
        self._out.finish()
        if words:
            self._out.lines([trailing("ERROR", f"Closing link: {words}")])

    def ping(self) -> None:
        """Send PING without a source, as every server does: bots look for that."""
        if self._peer.registered:
            self._out.send_now(trailing("PING", self._out.info.name))

    def data_to_send(self) -> bytes:
        return self._out.data_to_send()

    # ── what it says ───────────────────────────────────────────────────────────────────────

    def receive_data(self, data: bytes) -> None:
        """Take bytes, without CR, which ends lines as well ("Message Format")."""
        lines = self._lines.feed(data.translate(None, b"\r"))
        if lines:
            new = [line for line in reversed(lines) if line is not None]
            self._waiting = [*new, *self._waiting]

    def receive_eof(self) -> None:
        """Drop the last line if it has no ending: "A message … is terminated"."""

    def next_run(self) -> Run | None:
        if not self._asks:
            if self._in_hand:
                self._in_hand = False
                self._out.finish()
            if self._lines.endless and not self._gone:
                self._gone = True
                return Ask(Quit("Your line never ended."))
            if not self._waiting:
                self._waiting, self._start = (), b""
                return None
            self._begin_line(self._waiting.pop())
            if not self._asks:
                return HANDLED
        ask, self._asks = self._asks[0], self._asks[1:]
        if isinstance(ask.command, Say) and not self._out.labelled:
            return Says(ask.command, self._more())
        return ask

    def _more(self) -> Iterator[Say]:
        """The messages of the next lines that go to the same room."""
        while self._waiting and self._goes_on():
            self._begin_line(self._waiting.pop())
            if not self._asks:  # it was held back
                return
            ask = self._asks[0]
            if not isinstance(ask.command, Say):
                return
            self._asks = self._asks[1:]
            yield ask.command

    def _goes_on(self) -> bool:
        """Whether the next line is a flawless plain message to the same place."""
        if self._asks or not self._waiting:
            return False
        line, start = _without_id(self._waiting[-1]), self._start
        if not start or b"," in start or not line.startswith(start):
            return False
        return len(start) < len(line) <= _SURELY_FITS and line.isascii() and b"\0" not in line

    def _begin_line(self, line: bytes) -> None:
        self._in_hand = True
        start, colon, _ = _without_id(line).partition(b" :")
        self._start = start + colon if colon else b""
        if _too_long(line):
            self._spoiled(line, "A line was too long")
            self._out.last_param(n.ERR_INPUTTOOLONG, "Input line was too long")
            return
        line = line.lstrip(b"\0")  # before a line, some send it to fill up
        if b"\0" in line:  # without it, another name or password would be meant
            self._reject(line, "A line had a NUL", "INVALID_PARAMS", "it has a NUL")
            return
        try:
            message = parse(line.decode())
        except UnicodeDecodeError:
            # "Servers MAY … FAIL … INVALID_UTF8" (utf8-only).
            self._reject(line, "A line was not UTF-8", "INVALID_UTF8", "it is not UTF-8")
            return
        if message is None:
            return
        several = message.command in _SEVERAL_ANSWERS
        self._out.begin(message.command, message.tags, several=several)
        self._asks = (*self._asks, *dispatch(self._parts, message))
        if len(self._asks) > 1:
            self._out.expect_several()

    def _reject(self, line: bytes, why: str, code: str, what: str) -> None:
        self._spoiled(line, why)
        known = parse(line.decode(errors="replace"))
        command = known.command if known and known.command in VERBS else "*"
        self._out.send("FAIL", command, code, f"Message rejected, {what}")

    def _spoiled(self, line: bytes, why: str) -> None:
        """Refuse a line unread but for its label, and with it a batch that is open."""
        self._out.refusals += 1
        self._parts.collector.spoil(why)
        text = line.partition(b" ")[0].decode(errors="replace")
        tags = parse_tags(text.removeprefix("@")) if text.startswith("@") else {}
        if "\ufffd" not in tags.get("label", ""):
            self._out.begin("", tags)

    # ── what becomes of it ─────────────────────────────────────────────────────────────────

    def reply(self, answer: Answer) -> None:
        match answer:
            case Refused():
                self._out.refuse(answer)
            case AwayReply(nick, text):
                self._out.last_param(n.RPL_AWAY, nick, text)
            case Repeated():
                self._out.tell_again(answer)
            case Marked():
                self._out.lines(self._peer.dialect.marked(answer))
            case Missed():
                self._out.show_now(answer)
            case Notice(text, room, urgent=urgent):
                self._out.unasked(text, room, urgent=urgent)
            case Offer(operator, room):
                ours = IDENTITY in self._peer.caps
                how = "/register PASSWORD" if ours else "/msg NickServ REGISTER PASSWORD"
                self._out.unasked(offer(operator=operator, how=how), room)
            case BanEffect() | LockEffect() | Unheard():
                self._out.unasked("\n".join(notice.text for notice in notices(answer)))
            case _:
                raise AssertionError(f"nobody asked for {answer}")

    def done(self, event: Event) -> Iterable[Ask]:
        """Tell the client what only the client is told of this event."""
        out, peer = self._out, self._peer
        match event:
            case Arrived(nick, origin=origin):
                known, peer.nick, peer.origin = peer.origin.account, nick, origin
                if origin.account != known:
                    accounts.tell(out, origin.account)
                return [*self._welcome(), *(accounts.come_back(out) if origin.account else ())]
            case Attached():
                return self._attached(event)
            case Joined(room) | Looked(room):
                return self._told_of(room)
            case Renamed(to=nick):
                peer.nick = nick
            case AccountMade(name):
                accounts.registered(out, name)
            case AccountSet(origin=origin):
                return accounts.account_set(out, origin.account)
            case AwaySet(text=text):
                self._tell_away(text)
            case UserModesSet(changes=changes):
                for change in changes:
                    peer.set_mode(change)
                if out.verb == "OPER":
                    out.numeric(n.RPL_YOUREOPER, "You are now an IRC operator")
            case Invited(room=room, target=target):
                out.numeric(n.RPL_INVITING, target, room)
            case InvitationRevoked():
                out.unasked(SETTLED[InvitationRevoked])
            case AccountBlocked() | AccountUnblocked() | Killed():
                out.unasked("\n".join(notice.text for notice in notices(event)))
            case AccountDropped():
                accounts.dropped(out)
                services.tell(out, SETTLED[AccountDropped])
            case PasswordSet() | KeyMade() | KeyDropped():
                services.tell(out, SETTLED[type(event)])
            case PreferenceSet():
                services.tell(out, *(notice.text for notice in notices(event)))
        return ()

    def _tell_away(self, text: str) -> None:
        told = (n.RPL_NOWAWAY, "You have been marked as being away")
        self._out.numeric(*told if text else (n.RPL_UNAWAY, "You are no longer marked as away"))

    def _tell_if_away(self, found: People) -> None:
        """Tell a client that comes that its owner is away, as another one of theirs has said."""
        for seen in found.people:
            if seen.away:
                self._tell_away(seen.away)

    def _welcome(self) -> Sequence[Ask]:
        out = self._out
        welcome(out)
        return [*metadata.admitted(out), Ask(Count(), partial(replies.welcomed, out))]

    def _attached(self, event: Attached) -> Iterable[Ask]:
        """Tell a client as whom it is here, on one more connection, and show it the rooms."""
        out, peer = self._out, self._peer
        known, guest = peer.origin.account, peer.nick
        if event.origin.account != known:
            accounts.account_set(out, event.origin.account)
        if guest:
            out.show(Renamed(guest, event.nick, origin=peer.origin))
        peer.nick, peer.origin = event.nick, event.origin
        if not guest:
            yield from self._welcome()
        if event.modes:
            changes = tuple(Change(True, mode) for mode in event.modes)
            for change in changes:
                peer.set_mode(change)
            out.show(UserModesSet(event.nick, changes, origin=event.origin))
        yield Ask(FindNicks((event.nick,)), self._tell_if_away)
        yield Ask(LookAround())
        yield from accounts.come_back(out)
        for room in event.rooms:
            join = Join(room, otherwise=fold(room) == peer.begun_in)
            yield Ask(join, on_refused=_seen_already)
            if join.otherwise and peer.begun_in:  # they are in others
                out.show(Left(room, event.nick, origin=event.origin))

    def done_elsewhere(self, event: Event) -> Iterable[Ask]:
        peer = self._peer
        match event:
            case Joined(room):
                return self._told_of(room)
            case AwaySet(text=text):
                self._tell_away(text)
            case Renamed(to=nick):
                peer.nick = nick
            case AccountSet(origin=origin) | NameSet(origin=origin):
                peer.origin = origin
            case UserModesSet(changes=changes):
                for change in changes:
                    peer.set_mode(change)
        return ()

    def room_renamed(self, room: str, to: str) -> None:
        """Nothing: clients of IRC say which room they mean."""

    def _told_of(self, room: str) -> Iterator[Ask]:
        """Ask for what follows a JOIN: the read marker, then the members and the metadata.

        "After the server sends a server JOIN … the server MUST send a MARKREAD command …. The
        command MUST be sent before the RPL_ENDOFNAMES reply" (read-marker).
        """
        if self._peer.origin.account and fold(room) == self._peer.begun_in:
            self._peer.begun_in = ""  # the account is there
        if "draft/read-marker" in self._peer.caps:
            yield Ask(ShowMark(room))
        if "no-implicit-names" not in self._peer.caps:
            yield Ask(ListMembers(room), *replies.names(self._out, [room]))
        yield from metadata.entered(self._out, room)


def _seen_already(refused: Refused) -> None:
    """Nothing: they are in the room by another device, and have just been shown it."""


def _too_long(line: bytes) -> bool:
    """Whether the tags or the rest of a line are too long.

    "Servers MUST reply with n.ERR_INPUTTOOLONG" to tags that are (message-tags, "Size limit").
    """
    tags, _, rest = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    return len(tags) > CLIENT_TAGS_MAX + 1 or len(rest) > LINE_MAX - 2


def _without_id(line: bytes) -> bytes:
    return _WITH_ID.sub(b"", line, count=1) if line.startswith(b"@+") else line
