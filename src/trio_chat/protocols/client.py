"""What a client understands, whichever language it speaks. Sans-IO: no method waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from trio_chat.core.events import Joined, Left, Notice, Renamed, Said, TopicSet
from trio_chat.core.fact import fact

# How long to wait for a server to speak first. The tutorial's server greets at once, trio-chat
# those who are silent for a quarter of a second, and never before a fifth; most IRC servers say
# nothing, or something that is IRC.
PATIENCE = 0.15  # seconds

# Longer than any line that a server lets anybody say, and still no burden.
LINE_BYTES = 1024 * 1024

# With what an IRC server begins that speaks first.
_IRC_OPENINGS = (b":", b"@", b"NOTICE ", b"PING ", b"ERROR ", b"CAP ")


@fact
class Stamped(Said):
    """What was said, and what the server has noted of it: its id, and when that was (ISO 8601).

    ``late`` if it was said while we were cut off, and comes now.
    """

    msgid: str = ""
    time: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that was said before we came: shown for reading, not for answering.

    ``time`` is when, as ISO 8601, if the server says so.
    """

    said: Said
    time: str = ""


@fact
class Member:
    """Somebody in a room; ``prefixes`` tell what they may do in it (``@`` leads, ``+`` speaks)."""

    nick: str
    prefixes: str = ""
    away: bool = False
    bot: bool = False


@fact
class Roster:
    """All who are in a room: it takes the place of what was known."""

    room: str
    members: tuple[Member, ...]


@fact
class InRoom:
    """We ourselves have entered it; again after each reconnect."""

    room: str


@fact
class OutOfRoom:
    """We ourselves have left it, or were sent out."""

    room: str
    why: str = ""


@fact
class Typing:
    """Somebody is writing something, or has stopped to; ``to`` us, if not in a room."""

    room: str
    nick: str
    active: bool
    to: str = ""


@fact
class Sent:
    """A text of ours is on its way."""

    token: str
    target: str
    text: str
    action: bool = False


@fact
class Acknowledged:
    """A text of ours has come back. It is not told as Stamped as well."""

    token: str
    msgid: str = ""
    time: str = ""


@fact
class Failed:
    """A text of ours was refused, or may not have arrived."""

    token: str
    why: str


@fact
class PageEnd:
    """The end of a page of history that was asked for: ``count`` messages; ``complete`` if nothing
    older is kept.
    """

    target: str
    count: int
    complete: bool


@fact
class MarkedRead:
    """Up to when we have read, here or with another client: ISO 8601, empty if nothing is known."""

    target: str
    time: str


@fact
class Linked:
    """We are in."""

    nick: str
    network: str
    caps: frozenset[str]


@fact
class Unlinked:
    """The connection is lost; ``retry`` is how many seconds it is until the next attempt."""

    why: str
    retry: float


@fact
class Lag:
    """How long the server takes to answer."""

    seconds: float


#: What a client is told of.
Message = Said | Joined | Left | Renamed | TopicSet | Notice | Earlier


class ClientSession(Protocol):
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
        ...

    @property
    def undelivered(self) -> str:
        """At the end: why not all that we said has got through; empty if nothing tells so."""
        ...

    @property
    def doubtful(self) -> int:
        """After a cut: how many of our messages may be lost, and will not be sent again."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether something is to be said that may not be sent yet."""
        ...

    @property
    def due(self) -> float:
        """When more of it may be sent though nothing has come by then; infinity if that is open."""
        ...

    def receive_data(self, data: bytes) -> Sequence[Message]:
        """What the server tells us. Raises NotAdmitted."""
        ...

    def data_to_send(self, now: float) -> bytes:
        """What the server is to be sent now."""
        ...

    def say(self, text: str) -> None:
        """Say ``text`` in the room; each line of it is a message. Raises Unsupported."""
        ...

    def command(self, line: str) -> None:
        """Do a command, which begins with a slash. Raises Unsupported, or tells it if it waits."""
        ...

    def own_messages(self) -> Sequence[Message]:
        """What follows from what was said or commanded, and no server will tell us."""
        ...

    def ping(self) -> bool:
        """Ask the server for a sign of life. Returns whether there is a way to."""
        ...

    def finish(self, words: str) -> bool:
        """Say our last word, with ``words`` for the others where there is a place for them.

        Returns whether it is the end of the stream.
        """
        ...


def spoken_by(data: bytes) -> Literal["plain", "irc"] | None:
    """What a server speaks that begins like this; None if that depends on bytes yet to come."""
    if data.startswith(_IRC_OPENINGS):
        return "irc"
    if any(opening.startswith(data) for opening in _IRC_OPENINGS):
        return None
    return "plain"
