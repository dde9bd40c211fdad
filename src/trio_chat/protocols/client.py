"""What a client understands, whichever language it speaks. Sans-IO: no method waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from trio_chat.core.events import Joined, Left, Notice, Renamed, Said, TopicSet

# How long to wait for a server to speak first. The tutorial's server greets at once, trio-chat
# those who are silent for a quarter of a second, and never before a fifth; most IRC servers say
# nothing, or something that is IRC.
PATIENCE = 0.15  # seconds

# Longer than any line that a server lets anybody say, and still no burden.
LINE_BYTES = 1024 * 1024

# With what an IRC server begins that speaks first.
_IRC_OPENINGS = (b":", b"@", b"NOTICE ", b"PING ", b"ERROR ", b"CAP ")


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that was said before we came: shown for reading, not for answering.

    ``time`` is when, as ISO 8601, if the server says so.
    """

    said: Said
    time: str = ""


#: What a client is told of.
Message = Said | Joined | Left | Renamed | TopicSet | Notice | Earlier


class ClientSession(Protocol):
    """Bytes from the server in, messages out; and what to send, as bytes.

    ``nick`` and ``room`` are what the server says they are; ``admitted`` whether it has let us in.
    ``framed`` is false only with the tutorial's server, which tells nobody where a message ends.
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

    def receive_data(self, data: bytes) -> Sequence[Message]:
        """What the server tells us. Ask for ``data_to_send`` afterwards. Raises NotAdmitted."""
        ...

    def data_to_send(self) -> bytes:
        """What must be sent to the server now, without our asking."""
        ...

    def say(self, text: str) -> bytes:
        """The bytes that say ``text`` in the room. Raises Unsupported."""
        ...

    def command(self, line: str) -> bytes:
        """The bytes of a command, which begins with a slash. Raises Unsupported."""
        ...

    def own_messages(self) -> Sequence[Message]:
        """What follows from what was just said or commanded, and no server will tell us."""
        ...

    def finish(self, words: str) -> bytes | None:
        """Our last word, with ``words`` for the others where there is a place for them; None if
        the end of the stream is it.
        """
        ...


def spoken_by(data: bytes) -> Literal["plain", "irc"] | None:
    """What a server speaks that begins like this; None if that depends on bytes yet to come."""
    if data.startswith(_IRC_OPENINGS):
        return "irc"
    if any(opening.startswith(data) for opening in _IRC_OPENINGS):
        return None
    return "plain"
