"""The server's end of IRC: a connection's lines, one after the other.

What a line asks for is found in the tables of ``registration`` and ``verbs``. Answers collect here
until the line is done with, for if it had a label (ircv3.net, "labeled-response"), that goes on the
only answer, or on the batch that holds several.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from trio_chat.core.commands import Command, Count, ListMembers, Quit, Say, ShowMark
from trio_chat.core.events import (
    NOWHERE,
    Absent,
    Answer,
    Arrived,
    Aside,
    AwaySet,
    Entry,
    Event,
    Invited,
    Joined,
    Marked,
    Notice,
    Refused,
    Renamed,
    Repeated,
    Shown,
    UserModesSet,
)
from trio_chat.core.letters import cut as cut_text
from trio_chat.core.masks import address
from trio_chat.core.modes import with_letter
from trio_chat.core.refusals import Code
from trio_chat.protocols.irc import registration, replies
from trio_chat.protocols.irc.batches import Collected, spoil
from trio_chat.protocols.irc.caps import RENDERED, TAGGED
from trio_chat.protocols.irc.dialect import IrcDialect, cut, irc_dialect, own_dialect, time_tag
from trio_chat.protocols.irc.info import CLIENT_TAGS_MAX, LINE_MAX, TAGS_MAX, ServerInfo
from trio_chat.protocols.irc.message import body, escape, parse, parse_tags, trailing, word
from trio_chat.protocols.irc.numerics import (
    ERR_INPUTTOOLONG,
    REFUSALS,
    RPL_AWAY,
    RPL_INVITING,
    RPL_NOWAWAY,
    RPL_UNAWAY,
    RPL_YOUREOPER,
)
from trio_chat.protocols.irc.verbs import dispatch
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.session import HANDLED, Ask, OwnDialect, Run, Says, Session

# Lines that may lead to several answers, whatever their parameters are.
_SEVERAL_ANSWERS = {"JOIN", "MODE", "MONITOR"}

# Commands whose own specifications want standard replies: "This capability allows servers to send
# arbitrary standard replies other than ones enabled by a specific specification".
_STANDARD = {"BATCH", "CHATHISTORY", "IDENTITY", "MARKREAD", "SEARCH"}

# Refusals that are told by a standard reply, and that go by another name there.
_STANDARD_CODES = {
    Code.BAD_NAME: "INVALID_REALNAME",
    Code.CANNOT_SET_NAME: "CANNOT_CHANGE_REALNAME",
    Code.UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}

# An id that a client has given to what it says: each is another one, and nothing depends on it.
_WITH_ID = re.compile(rb"@\+trio-chat/id=[A-Za-z0-9_-]{16,64} +")

# A line of so many bytes fits another's line, whatever the address that is put before it.
_SURELY_FITS = 350


def _too_long(line: bytes) -> bool:
    """ "Servers MUST reply with ERR_INPUTTOOLONG" to tags that are (message-tags, "Size limit")."""
    tags, _, rest = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    return len(tags) > CLIENT_TAGS_MAX + 1 or len(rest) > LINE_MAX - 2


def _context(params: Sequence[str]) -> Sequence[str]:
    """Of a standard reply, such that other parameters can follow it."""
    return [word(cut_text(param, 100)) for param in params]


def _without_id(line: bytes) -> bytes:
    return _WITH_ID.sub(b"", line, count=1) if line.startswith(b"@+") else line


class IrcSession(Session):
    """``clock`` gives unix time in seconds."""

    def __init__(self, info: ServerInfo, clock: Callable[[], float]) -> None:
        self.info, self.clock = info, clock
        self.nick = ""  # once registered
        self.wanted, self.user, self.name, self.password, self.secret = "", "", "", "", ""
        self.negotiating = False  # between CAP LS or REQ and CAP END
        self.cap_version = 0
        self.entering = False
        self.caps: frozenset[str] = frozenset()
        self.modes = ""
        self.collecting: Collected | None = None  # the batch that the client has opened
        self._origin = NOWHERE
        self.watched: dict[str, str] = {}  # by folded nickname
        self.refusals = 0
        self.verb = ""  # of the line in hand
        self.answered: Callable[[Any], None] | None = None
        self.otherwise: Callable[[Refused], None] | None = None  # instead of telling a refusal
        self._lines = LineBuffer(TAGS_MAX + LINE_MAX - 2, beginnings=True)
        self._waiting: deque[bytes] = deque()
        self._commands: deque[Command] = deque()  # what is left to do of the line in hand
        self._in_hand = False
        self._label, self._batch, self._batches = "", "", 0
        self._start = b""  # of the line in hand, up to its last parameter
        self._replies: list[str] = []  # to the line in hand; without tags, but for echoes
        self._echoed = False
        self._to_send: list[bytes] = []
        self._gone = False

    # ── how it is written to ───────────────────────────────────────────────────────────────

    @property
    def dialect(self) -> IrcDialect:
        return irc_dialect(self.caps & RENDERED, self.info.name)

    @property
    def own(self) -> OwnDialect:
        return _Labelled(self) if self._label else own_dialect(self.caps & RENDERED, self.info.name)

    @property
    def address(self) -> str:
        """``nick!user@host``, as others see it."""
        return address(self.nick, self._origin)

    @property
    def registered(self) -> bool:
        return bool(self.nick)

    def render_own(self, shown: Shown, id: str, at: int) -> bytes:
        """What the line in hand has led to, with its label."""
        own = own_dialect(self.caps & RENDERED, self.info.name)
        if isinstance(shown, Aside | UserModesSet) and not self._batch:
            # There may be another answer beside it, and then both belong in a batch.
            self._replies += own.lines(shown, id, at).decode().split("\r\n")[:-1]
            return b""
        extra = f"batch={self._batch}" if self._batch else f"label={self._label}"
        data = own.lines(shown, id, at, extra)
        self._echoed = self._echoed or bool(data)
        return data

    def send(self, command: str, *params: str) -> None:
        """An answer of the server's to the line in hand."""
        self._replies.append(f":{self.info.name} {body(command, *params)}")

    def numeric(self, numeric: str, *params: str) -> None:
        """Parameters follow the nickname. Those in the middle are made such that they can be."""
        self.send(numeric, *self._addressed(params))

    def last_param(self, numeric: str, *params: str) -> None:
        """As ``numeric``, with a colon before the last one even where it needs none."""
        self.send_trailing(numeric, *self._addressed(params))

    def send_trailing(self, command: str, *params: str) -> None:
        """As ``send``, with a colon before the last parameter even where it needs none."""
        self._replies.append(f":{self.info.name} {trailing(command, *params)}")

    def _addressed(self, params: Sequence[str]) -> Sequence[str]:
        return [self.nick or "*", *map(word, params[:-1]), params[-1]]

    def lines(self, lines: Iterable[str]) -> None:
        """Answers that are written already."""
        self._replies += lines

    def fail(self, command: str, code: str, *context_and_text: str) -> None:
        """Refuse something by ``FAIL`` (standard-replies)."""
        self.refusals += 1
        self._reply_by_standard("FAIL", command, code, *context_and_text)

    def fail_earlier(self, label: str, command: str, code: str, *context_and_text: str) -> None:
        """Refuse what a line before this one, with this label or none, has begun."""
        self.refusals += 1
        *context, text = context_and_text
        self._at_once(label, "FAIL", command, code, *_context(context), text)

    def _reply_by_standard(self, kind: str, command: str, code: str, *rest: str) -> None:
        """With a NOTICE to those who do not know such replies."""
        *context, text = rest
        if "standard-replies" in self.caps or command in _STANDARD or not self.registered:
            self.send(kind, command, code, *_context(context), text)
        else:
            self.send("NOTICE", self.nick, f"{command}: {text}")

    def entries(self, entries: Iterable[Entry]) -> None:
        """What happened before, as everybody was shown it then."""
        for _, id, event, at in entries:
            if isinstance(event, Joined):  # who was away then has long been back
                event = replace(event, away="")
            self._show(event, id, at)

    def _show(self, shown: Shown, id: str = "", at: int = 0) -> None:
        self._replies += self.dialect.lines(shown, id, at).decode().split("\r\n")[:-1]

    def greeting(self) -> bytes:
        return b""

    def farewell(self, words: str) -> None:
        """ "The server acknowledges this by sending an ERROR message" (RFC 2812, 3.1.7)."""
        self._finish_line()
        if words:
            self._replies.append(trailing("ERROR", f"Closing link: {words}"))
            self._flush_replies("")

    def ping(self) -> None:
        """Without a source, as every server asks: bots look for lines that begin with ``PING``."""
        if self.registered:
            self._to_send.append(f"{trailing('PING', self.info.name)}\r\n".encode())

    def data_to_send(self) -> bytes:
        if not self._label or self._batch:
            self._flush_replies(f"batch={self._batch}" if self._batch else "")
        data = b"".join(self._to_send)
        self._to_send.clear()
        return data

    # ── what it says ───────────────────────────────────────────────────────────────────────

    def receive_data(self, data: bytes) -> None:
        """What no line may hold (modern.ircdocs.horse, "Message Format") is dropped: NUL and CR."""
        lines = self._lines.feed(data.translate(None, b"\r\0"))
        self._waiting.extend(line for line in lines if line is not None)

    def receive_eof(self) -> None:
        """ "A message … is terminated": what has no ending is none."""

    def next_run(self) -> Run | None:
        if not self._commands:
            if self._in_hand:
                self._finish_line()
            if self._lines.endless and not self._gone:
                self._gone = True
                return Ask(Quit("Your line has no end."))
            if not self._waiting:
                return None
            self._begin_line(self._waiting.popleft())
            if not self._commands:
                return HANDLED
        command = self._commands.popleft()
        if isinstance(command, Say) and not self._label:
            return Says(command, self._more())
        return Ask(command, self.answered, self.otherwise)

    def _more(self) -> Iterator[Say]:
        """What the next lines say in the same room."""
        while self._goes_on():
            self._begin_line(self._waiting.popleft())
            match self._commands.popleft():
                case Say() as say:
                    yield say
                case other:
                    self._commands.appendleft(other)
                    return

    def _goes_on(self) -> bool:
        """Whether the next line just says something more where this one does. Nothing can be wrong
        with it.
        """
        if self._commands or not self._waiting:
            return False
        line, start = _without_id(self._waiting[0]), self._start
        if not start or b"," in start or not line.startswith(start):
            return False
        return len(start) < len(line) <= _SURELY_FITS and line.isascii()

    def _begin_line(self, line: bytes) -> None:
        self._in_hand = True
        start, colon, _ = _without_id(line).partition(b" :")
        self._start = start + colon if colon else b""
        if _too_long(line):
            self._spoiled(line, "A line was too long")
            self.numeric(ERR_INPUTTOOLONG, "Input line was too long")
            return
        try:
            message = parse(line.decode())
        except UnicodeDecodeError:
            # "Servers … MUST … reply with … INVALID_UTF8" (UTF8ONLY).
            self._spoiled(line, "A line was not UTF-8")
            self.send("FAIL", "*", "INVALID_UTF8", "Message rejected, it is not UTF-8")
            return
        if message is None:
            return
        self._take_label(message.tags)
        self.verb = message.command
        self._commands.extend(dispatch(self, message))
        if self._label and (len(self._commands) > 1 or message.command in _SEVERAL_ANSWERS):
            self.open_batch("labeled-response")

    def _spoiled(self, line: bytes, why: str) -> None:
        """It is refused without being read, but for its label; and with it a batch that is open."""
        self.refusals += 1
        spoil(self, why)
        text = line.partition(b" ")[0].decode(errors="replace")
        tags = parse_tags(text.removeprefix("@")) if text.startswith("@") else {}
        if "\ufffd" not in tags.get("label", ""):
            self._take_label(tags)

    def _take_label(self, tags: dict[str, str]) -> None:
        """ "The value MUST NOT exceed 64 bytes" (labeled-response)."""
        label = tags.pop("label", "")
        if {"labeled-response", "batch"} <= self.caps and len(label.encode()) <= 64:
            self._label = escape(label)

    @property
    def labelled(self) -> bool:
        """Whether the line in hand has a label."""
        return bool(self._label)

    def take_label(self) -> str:
        """That of the line in hand, which has no answer of its own: a later line's is for both."""
        label, self._label = self._label, ""
        return label

    def answer_with(self, label: str) -> None:
        """What becomes of the line in hand answers an earlier one, which had this label, if any."""
        if label and self._label:
            self._at_once(self._label, "ACK")
        self._label = label or self._label

    def open_batch(self, kind: str, *params: str) -> None:
        """All answers to the line in hand are in a batch of this kind, if they can be.

        "The batch type MUST be … an existing type applicable to the entire response", or
        "labeled-response"; and "the start of the batch MUST be tagged with the label tag".
        """
        if "batch" not in self.caps:
            return
        self._batches += 1
        self._batch = f"b{self._batches}"
        self._at_once(self._label, "BATCH", f"+{self._batch}", kind, *params)

    def _at_once(self, label: str, command: str, *params: str) -> None:
        """Send this before the answers to the line in hand, as none of them: with the label of the
        line that it answers, if that had one.
        """
        later, self._replies = self._replies, []
        self.send(command, *params)
        self._flush_replies(f"label={label}" if label else "")
        self._replies = later

    def _finish_line(self) -> None:
        """Everything that follows from the line is known now: send what is left to be said."""
        if self._label and not self._batch:
            if len(self._replies) > 1:
                self.open_batch("labeled-response")
            elif not self._replies and not self._echoed:
                self.send("ACK")
        if self._batch:
            self._flush_replies(f"batch={self._batch}")
            self.send("BATCH", f"-{self._batch}")
            self._flush_replies("")
        self._flush_replies(f"label={self._label}" if self._label else "")
        self._label = self._batch = ""
        self._echoed = self._in_hand = False
        self.answered = self.otherwise = None

    def _flush_replies(self, tag: str) -> None:
        if not self._replies:
            return
        tags = [tag] if tag else []
        if "server-time" in self.caps:
            tags.append(time_tag(int(self.clock() * 1000)))
        head = f"@{';'.join(tags)} " if tags and self.caps & TAGGED else ""
        for line in self._replies:
            if line.startswith("@batch="):
                whole = line  # in a batch of its own, which is within this one
            elif line.startswith("@"):
                whole = f"@{tag};{line[1:]}" if tag else line
            else:
                whole = head + cut(line)
            self._to_send.append(f"{whole}\r\n".encode())
        self._replies.clear()

    # ── what becomes of it ─────────────────────────────────────────────────────────────────

    def reply(self, answer: Answer) -> None:
        match answer:
            case Refused():
                self.refusals += 1
                self._refuse(answer)
            case Absent(nick, text):
                self.last_param(RPL_AWAY, nick, text)
            case Repeated(entry):
                self._tell_again(entry)
            case Marked():
                self._show(answer)
            case Notice(text):  # which nobody has asked for
                for line in text.splitlines():
                    self._at_once("", "NOTICE", self.nick or "*", line)
            case _:
                raise AssertionError(f"nobody asked for {answer}")

    def _tell_again(self, entry: Entry) -> None:
        """What they have sent again had arrived: they are answered as they were then."""
        if "echo-message" in self.caps:
            self.entries([entry])
        else:
            text = "That was sent already, and was not sent again"
            self._reply_by_standard("NOTE", self.verb, "ALREADY_SENT", entry.id, text)

    def _refuse(self, refused: Refused) -> None:
        code, about = refused.code, refused.about
        if not self.registered:
            self.entering = False
        if code is Code.UNAVAILABLE and about and self.verb == "PRIVMSG":
            code = Code.CANNOT_SAY  # to a room
        if code is Code.SAME_NICK or (code is Code.ALREADY_IN_ROOM and self.verb == "JOIN"):
            return  # "no message" is what clients expect where nothing changes
        if code is Code.NO_SUCH_ROOM and self.verb in ("PRIVMSG", "NOTICE", "TAGMSG"):
            code = Code.CANNOT_SAY
        if self.verb == "NOTICE" and code is not Code.UNAVAILABLE:
            return  # "automatic replies MUST NEVER be sent in response to a NOTICE" (Modern)
        if numeric := REFUSALS.get(code):
            self.numeric(numeric, *(cut_text(word, 100) for word in about), refused.why)
        else:
            name = _STANDARD_CODES.get(code, code.name)
            self._reply_by_standard("FAIL", self.verb or "*", name, refused.why)

    def done(self, event: Event) -> Iterable[Ask]:
        match event:
            case Arrived(nick, origin=origin):
                self.nick, self.entering, self._origin = nick, False, origin
                registration.welcome(self)
                return [Ask(Count(), replies.welcomed(self))]
            case Joined(room):
                return self._told_of(room)
            case Renamed(to=nick):
                self.nick = nick
            case AwaySet(text=text):
                told = (RPL_NOWAWAY, "You have been marked as being away")
                self.numeric(*told if text else (RPL_UNAWAY, "You are no longer marked as away"))
            case UserModesSet(changes=changes):
                for change in changes:
                    self.modes = with_letter(self.modes, change.mode, add=change.add)
                if self.verb == "OPER":
                    self.numeric(RPL_YOUREOPER, "You are now an IRC operator")
            case Invited(room=room, target=target):
                self.numeric(RPL_INVITING, target, room)
        return ()

    def _told_of(self, room: str) -> Iterator[Ask]:
        """ "After the server sends a server JOIN … the server MUST send a MARKREAD command …. The
        command MUST be sent before the RPL_ENDOFNAMES reply" (read-marker).
        """
        if "draft/read-marker" in self.caps:
            yield Ask(ShowMark(room))
        if "no-implicit-names" not in self.caps:
            yield Ask(ListMembers(room), *replies.names(self, [room]))


class _Labelled(OwnDialect):
    """Shows a session what it has done itself, with the label of the line in hand."""

    def differs(self, shown: Shown) -> bool:
        return True

    def __init__(self, session: IrcSession) -> None:
        self._session = session

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        return self._session.render_own(shown, id, at)
