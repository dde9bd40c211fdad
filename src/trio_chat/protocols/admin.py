"""The session of an operator on the operators' socket: commands come as lines, objects go back.

A line is a command of the plain dialect, with or without its slash; the room that it is about comes
first, as in ``#tea kick bob``. The answer is JSON, an object a line, in ASCII: its ``text`` is for
people, its ``type`` tells programs which other fields there are. Once the peer has ended its side,
the rest is answered, and the connection ends.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from trio_chat.core.commands import (
    WHY_MAX,
    Announce,
    Command,
    DeleteAccount,
    Drain,
    DropOperator,
    EndDrain,
    Kill,
    ListConnections,
    ListNodes,
    Quit,
    Reload,
    ResetAccount,
    SetLogLevel,
    ShowStats,
    UseInvitation,
)
from trio_chat.core.events import Event
from trio_chat.core.letters import cut
from trio_chat.core.queries import Audit, FindPeople, ShowAccount
from trio_chat.core.refusals import Code
from trio_chat.core.views import Answer, Notice, People, Refused, Rooms, Shown
from trio_chat.core.words import is_number
from trio_chat.protocols.admin_objects import Object, nothing_found, objects
from trio_chat.protocols.durations import read_duration
from trio_chat.protocols.lines import ENDLESS, LineBuffer
from trio_chat.protocols.plain.verbs import VERBS, Verb, read_verb
from trio_chat.protocols.session import HANDLED, Ask, Dialect, Run, Session
from trio_chat.protocols.slashes import described

_UNANSWERED = "Whether this was done, nobody knows."
_NOT_HERE = "That is for people in the chat, and you are not in it here."
_WHICH_ROOM = "Of which room? It comes first: #tea kick bob"
_LEVELS = ("debug", "info", "warning", "error")
_WHICH_LEVEL = f"The log has these levels: {', '.join(_LEVELS)}."


def _account(room: str, rest: str) -> Command:
    match rest.split():
        case ["reset", name]:
            return ResetAccount(name)
        case ["delete", name]:
            return DeleteAccount(name)
        case ["demote", name]:
            return DropOperator(name)
    return ShowAccount(rest)


def _audit(room: str, rest: str) -> Command | Notice | Refused:
    """Of the room that was named, if nothing else is."""
    read = VERBS["audit"].read(room, rest)
    return replace(read, of=room) if isinstance(read, Audit) and not read.of else read


def _kill(room: str, rest: str) -> Command:
    nick, why = rest.split(maxsplit=1)
    return Kill(nick, why)


# What would be taken for a reason, and end the server too early.
_UNIT = re.compile(r"(?:s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)\b", re.I)
_LIKE_A_TIME = re.compile(r"[-+.]?\d")


def _drain(room: str, rest: str) -> Command | Refused:
    if rest.lower() == "off":
        return EndDrain()
    first, _, why = rest.partition(" ")
    unit = _UNIT.match(why.lstrip()) if is_number(first) else None
    seconds = int(first) if is_number(first) else read_duration(first) or None
    if unit or (seconds is None and _LIKE_A_TIME.match(first)):
        words = f"{first} {unit[0]}" if unit else first
        return Refused(f"{words} is no time: say a number of seconds, or 10m, or 1h30m.")
    return Drain(seconds, cut(rest if seconds is None else why.strip(), WHY_MAX))


def _log(room: str, level: str) -> Command | Refused:
    level = level.lower()
    if level and level not in _LEVELS:
        return Refused(_WHICH_LEVEL)
    return SetLogLevel(level)


def _help(room: str, rest: str) -> Notice:
    return Notice("\n".join(described(COMMANDS)))


_OWN = {
    "who": Verb(
        "[NAME|MASK|NETWORK|ROOM]",
        "list the people in the chat, with what you may know of them",
        0,
        lambda room, of: FindPeople(of or room or "*", rooms=True),
    ),
    "kill": Verb("NAME WHY", "disconnect somebody", 2, _kill),
    "announce": Verb(
        "TEXT",
        "say something to all operators, and to everybody who wants to hear it",
        1,
        lambda room, text: Announce(text),
    ),
    "account": Verb(
        "NAME|reset NAME|demote NAME|delete NAME",
        "tell of an account; let in its owner, who has forgotten the password; make them no "
        "operator any more; or delete it",
        1,
        _account,
    ),
    "audit": VERBS["audit"]._replace(read=_audit),
    "remove": VERBS["remove"]._replace(
        arguments="last NAME|topic|ID [WHY]", does="remove a message, or a topic, of the room"
    ),
    "invitation": VERBS["invitation"]._replace(
        arguments="[PEOPLE] [DAYS]|list|revoke ID",
        does="make an invitation; list those that were used; or end one",
    ),
    "stats": Verb("", "show how the server is, and how many are here", 0, lambda *_: ShowStats()),
    "nodes": Verb("", "list the servers that are this chat", 0, lambda *_: ListNodes()),
    "connections": Verb(
        "",
        "list all connections, also of those who are not in the chat yet",
        0,
        lambda room, rest: ListConnections(),
    ),
    "drain": Verb(
        "[10m|SECONDS] [WHY]|off",
        "let nobody else in, tell people, and end the server when all have left, or after that "
        "time; off calls it off",
        0,
        _drain,
    ),
    "log": Verb(
        "[LEVEL]",
        "log nothing below debug, info, warning or error until the settings are read again",
        0,
        _log,
    ),
    "reload": Verb(
        "",
        "read the server's settings again, and tell which changes need a restart",
        0,
        lambda room, rest: Reload(),
    ),
    "help": Verb("", "show this list", 0, _help),
}

# Rows of the plain dialect; all others are for people who are in the chat.
_OF_PLAIN = (
    "help", "rooms", "topic", "rename", "invite", "kick", "ban", "mute", "unban", "bans", "op",
    "deop", "voice", "devoice", "uban", "lock", "reports",
)  # fmt: skip

COMMANDS: Mapping[str, Verb] = {**{word: VERBS[word] for word in _OF_PLAIN}, **_OWN}


def _written(told: Object) -> bytes:
    """The line of an object."""
    return json.dumps(told).encode() + b"\n"


class AdminDialect(Dialect):
    """Objects of JSON, one a line."""

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        return b"".join(map(_written, objects(shown)))


class AdminSession(Session):
    """One connection's session (see ``protocols.session.Session`` for the contract)."""

    protocol = "admin"
    client = "the operators' socket"
    refusals = 0
    own = None
    dialect = AdminDialect()

    def __init__(self, line_bytes: int) -> None:
        self._lines = LineBuffer(line_bytes)
        self._waiting: list[bytes | None] = []  # the next one last; None was too long
        self._room = ""
        self._has_found = False  # something, in the parts of a list that came already
        self._has_quit = False
        self._has_asked = False  # something
        self._owes = True  # an answer: what asks for it may be on its way
        self._to_send = b""

    def greeting(self) -> bytes:
        return b""

    def receive_data(self, data: bytes) -> None:
        self._owes = True
        self._waiting[:0] = reversed(self._lines.feed(data))

    def receive_eof(self) -> None:
        if rest := self._lines.take():
            self._waiting.insert(0, rest)

    def next_run(self) -> Run | None:
        if self._has_quit:
            return None
        if self._lines.endless:
            self._has_quit, self._owes = True, False
            why = f"More than {ENDLESS} bytes came without a newline."
            self.reply(Refused(why, Code.TOO_LONG))
            return Ask(Quit(""))
        if not self._waiting:
            self._owes = not self._has_asked
            return None
        self._has_asked = True
        match self._read(self._waiting.pop()):
            case Refused() | Notice() as answer:
                self.reply(answer)
                return HANDLED
            case command:
                self._has_found = False
                return Ask(command)

    def _read(self, line: bytes | None) -> Command | Notice | Refused:
        if line is None:
            return Refused("That line was too long.", Code.TOO_LONG)
        text = line.decode(errors="replace").strip()
        self._room, rest = "", text
        if text.startswith("#"):
            self._room, _, rest = text.partition(" ")
        read = read_verb(self._room, f"/{rest.strip().removeprefix('/')}", COMMANDS)
        if isinstance(read, UseInvitation):
            read = Refused(_NOT_HERE)
        if isinstance(read, Refused) and read.code is Code.OTHER:
            return replace(read, code=Code.BAD_COMMAND)
        return read

    def done(self, event: Event) -> Iterable[Ask]:
        self._tell(event)
        return ()

    def done_elsewhere(self, event: Event) -> Iterable[Ask]:
        """Nothing: an operator here is nobody in the chat."""
        return ()

    def room_renamed(self, room: str, to: str) -> None:
        """Do nothing: each line names its room."""

    def reply(self, answer: Answer) -> None:
        if isinstance(answer, Refused):
            self.refusals += 1
            if answer.code is Code.NO_SUCH_ROOM and not self._room:
                answer = Refused(_WHICH_ROOM, answer.code)
        if isinstance(answer, Rooms | People):
            answer = self._part(answer)
        self._tell(answer)

    def _part(self, part: Rooms | People) -> Answer:
        """A part of a list, or the sentence that there was nothing in any."""
        self._has_found |= bool(part.rooms if isinstance(part, Rooms) else part.people)
        return part if part.more or self._has_found else nothing_found(part)

    def _tell(self, shown: Shown) -> None:
        self._to_send += self.dialect.render(shown)

    def ping(self) -> None:
        """Do nothing: the kernel tells who has gone."""

    def farewell(self, words: str, refused: Refused | None = None) -> None:
        """Say it. Whoever has not got an answer must not take it for one."""
        if self._owes:
            refused = Refused(f"{_UNANSWERED} {words}".rstrip(), Code.UNAVAILABLE)
        if refused or words:
            self._tell(refused or Notice(words))

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data
