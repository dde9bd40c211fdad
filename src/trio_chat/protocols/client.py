"""What a client understands, whichever language it speaks. Sans-IO: no method waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Renamed,
    Said,
    TopicSet,
)
from trio_chat.core.fact import fact
from trio_chat.core.views import Notice, Topic

# How long to wait for a server to speak first. The tutorial's server greets at once, trio-chat
# those who are silent for half a second, and never before a fifth; most IRC servers say
# nothing, or something that is IRC.
PATIENCE = 0.15  # seconds

# Longer than any line that a server lets anybody say, and still no burden.
LINE_BYTES = 1024 * 1024

# With what an IRC server begins that speaks first.
_IRC_OPENINGS = (b":", b"@", b"NOTICE ", b"PING ", b"ERROR ", b"CAP ")


class Look(NamedTuple):
    """How people want a part of their text to look. ``colour`` is one of the 16 that IRC has."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    colour: int | None = None


class Run(NamedTuple):
    """A part of a text, and its look."""

    start: int
    end: int
    look: Look


@fact
class Stamped(Said):
    """What was said, and what the server has noted of it: its id, and when that was (ISO 8601).

    ``late`` if it was said while we were cut off, and comes now. It has a ``token`` if it is ours.
    ``runs`` are the parts of its text that have a look of their own, in their order.
    """

    msgid: str = ""
    time: str = ""
    late: bool = False
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that was said before we came: shown for reading, not for answering.

    ``time`` is when, as ISO 8601, if the server says so. What was ``found``, as it was searched
    for, may have been shown already; so may what was ``asked`` for as a page of history.
    """

    said: Said
    time: str = ""
    found: bool = False
    asked: bool = field(default=False, compare=False, repr=False)


# ── what is known beside what is said ──────────────────────────────────────────────────────────


@fact
class Member:
    """``prefixes`` are those that they have in the room, the highest first."""

    nick: str
    prefixes: str = ""
    away: bool = False
    bot: bool = False


@fact
class Roster:
    """Everybody who is in a room: it replaces what was known."""

    room: str
    members: tuple[Member, ...]


@fact
class InRoom:
    """We have entered a room; also when we come back to it after a cut. ``greeting`` is what the
    server says to that, where plain is spoken.
    """

    room: str
    greeting: str = field(default="", compare=False)


@fact
class OutOfRoom:
    """We are not in a room any more: we have left it, were sent out, or not let in again."""

    room: str
    why: str = ""


@fact
class Typing:
    """Somebody is typing, or has stopped: in a room, or ``to`` one person."""

    room: str
    nick: str
    active: bool
    to: str = ""


@fact
class Sent:
    """A text of ours, and the ``token`` by which is told what becomes of it."""

    token: str
    target: str
    text: str
    action: bool = False
    notice: bool = False


@fact
class Acknowledged:
    """A text of ours has arrived, and this is its place among the others: it comes instead of the
    Stamped. Without an id or a time the server does not say so.
    """

    token: str
    msgid: str = ""
    time: str = ""


#: Why a text has failed that was not just refused.
MAYBE_LOST = "It may not have arrived."
CUT_SHORT = "Only the beginning of it was said."


@fact
class Failed:
    """A text of ours was refused, or may not have arrived."""

    token: str
    why: str


@fact
class PageEnd:
    """All that was asked for of what was said before has come: ``count`` messages. ``complete`` if
    nothing older is kept.
    """

    target: str
    count: int
    complete: bool


@fact
class MarkedRead:
    """Up to when we have read, on any device (ISO 8601); empty if the server does not know."""

    target: str
    time: str


@fact
class Linked:
    """The server has let us in. ``casemapping`` is how it compares names, if that is not as
    trio-chat does.
    """

    nick: str
    network: str
    caps: frozenset[str]
    casemapping: str = ""


@fact
class Unlinked:
    """We are cut off, and try again in ``retry`` seconds."""

    why: str
    retry: float


@fact
class Lag:
    """How long the server takes to answer."""

    seconds: float


#: What changes what is shown beside the messages, and has no words of its own.
State = (
    Roster | InRoom | OutOfRoom | Typing | Sent | Acknowledged | Failed | PageEnd | MarkedRead
    | Linked | Unlinked | Lag
)  # fmt: skip

#: All that is no words to be answered.
Happening = (
    Joined | Left | Renamed | TopicSet | Notice | Earlier
    | Departed | Kicked | ModesSet | AwaySet | Topic | State
)  # fmt: skip

#: What a client is told of.
Message = Said | Happening


class Requests(Protocol):
    """What can be asked for in many rooms at once, and in private conversations.

    A ``target`` is a room or a person. What comes of each of these comes as messages, also from
    ``own_messages``. What a server cannot do has no answer, or an empty one.
    """

    def say_to(self, target: str, text: str, action: bool = False, token: str = "") -> None:
        """It is one message if the server takes several lines as one, or several if it is too long
        for that. Else each line of it is a message, and blank ones are none. Sent comes for each
        message, and Acknowledged or Failed once that is known.

        ``token`` is by what they call it: 16 to 56 ASCII letters, digits, ``-`` or ``_`` that
        nobody guesses, or random ones if it is empty. What becomes of a second line, or the rest of
        a long one, is called ``<token>-2`` and so on. Of what is said with the same token again
        with the same ``ResumeState``, trio-chat shows only the first.
        """

    def resend(self, token: str) -> None:
        """Send again what has failed."""

    def join(self, room: str, key: str = "") -> None:
        """Enter a room, and again after each cut. Raises Unsupported."""

    def part(self, room: str, why: str = "") -> None:
        """Leave a room."""

    def history(self, target: str, before: str, limit: int) -> None:
        """Ask for the messages before this one; without an id, for the last ones."""

    def mark_read(self, target: str, time: str) -> None:
        """We have read all up to this time (ISO 8601); without one, ask until when that is."""

    def typing(self, target: str, active: bool) -> None:
        """Tell the others that we are typing, or have stopped."""

    def command(self, line: str, target: str = "") -> None:
        """Do a command that was given in a room or a conversation."""

    def away(self, text: str) -> None:
        """Say that we are away; without a text, that we are back. Raises Unsupported."""

    def raw(self, line: str) -> None:
        """Send a line of IRC as it is. Raises Unsupported."""

    def own_messages(self) -> Sequence[Message]:
        """What follows from what was asked for, and no server will tell us."""


@runtime_checkable
class ClientSession(Requests, Protocol):
    """Bytes from the server in, messages out; and what to send, as bytes.

    ``nick`` and ``room`` are what the server says they are; ``admitted`` whether it has let us in.
    ``framed`` is false only with the tutorial's server, which tells nobody where a message ends.

    Whatever has happened, ask for ``data_to_send`` afterwards, and then for ``own_messages``; and
    again at ``due``. Times are in seconds, of a clock that does not go back.
    """

    nick: str
    room: str
    admitted: bool
    framed: bool

    @property
    def silence(self) -> float:
        """After our last word, how many seconds of silence mean that nothing more is coming."""

    @property
    def undelivered(self) -> str:
        """At the end: why not all that we said has got through; empty if nothing tells so."""

    @property
    def waiting(self) -> bool:
        """Whether something is to be said that may not be sent yet."""

    @property
    def due(self) -> float:
        """When more of it may be sent though nothing has come by then; infinity if that is open."""

    def receive_data(self, data: bytes) -> Sequence[Message]:
        """What the server tells us. Raises NotAdmitted; what came before is in ``own_messages``."""

    def data_to_send(self, now: float) -> bytes:
        """What the server is to be sent now."""

    def ping(self) -> bool:
        """Ask the server for a sign of life. Returns whether there is a way to."""

    def finish(self, words: str) -> bool:
        """Say our last word, with ``words`` for the others where there is a place for them.

        Returns whether it is the end of the stream.
        """

    @property
    def arrived(self) -> bool:
        """Whether it is known which of the rooms that we want to be in have let us in."""

    def cut(self) -> Sequence[Message]:
        """The connection has ended: what has become of what was on its way, if nothing will tell
        that later.
        """


def spoken_by(data: bytes) -> Literal["plain", "irc"] | None:
    """What a server speaks that begins like this; None if that depends on bytes yet to come."""
    if data.startswith(_IRC_OPENINGS):
        return "irc"
    if any(opening.startswith(data) for opening in _IRC_OPENINGS):
        return None
    return "plain"
