"""One connection of a client, from the first byte to the last.

There is no task in the background. A caller that waits for something reads, one that says something
writes; so errors come out of the call, and everything is cancelled with the caller's own tasks.
"""

import math
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import trio

from trio_chat.client.dial import ANSWER, QUIET, Remote, Stream, dial, socket_of
from trio_chat.errors import ConnectionLost, NotAdmitted
from trio_chat.protocols.client import (
    PATIENCE,
    ClientSession,
    Message,
    spoken_by,
)
from trio_chat.protocols.plain.client import PlainClientSession

_READ = 64 * 1024  # bytes

# How long to wait until a server lets us in: the tutorial's deals with one newcomer at a time.
_ADMIT_TIMEOUT = 30.0  # seconds


#: On a plain server, this stands for the room in which it puts newcomers.
DEFAULT_ROOM = "#lobby"


class Connection:
    """A connection to a server, with the session for its protocol; ``hear`` takes the messages.

    An IRC server that has been silent for half a minute, and does not answer, counts as lost.
    """

    def __init__(
        self,
        stream: Stream,
        session: ClientSession,
        hear: Callable[[Sequence[Message]], None],
    ) -> None:
        self.session = session
        self._stream, self._hear = stream, hear
        self._sending = trio.Lock()
        self._ended = False  # we say nothing more
        self._closed = False  # and neither does the server
        self._receiving = trio.CancelScope()
        self._silence = 0.0  # seconds that we have waited for the server since it said something
        self._asked = False  # whether we have asked for a sign of life
        self._torn = False  # whether something has been sent in part

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self.session.nick

    async def push(self) -> None:
        """Send what may be sent now, after a request to the session; the rest goes out while
        somebody reads. The session's own messages are heard even if the connection is lost now.
        """
        self._hear_ourselves()
        await self._send()
        if self.session.waiting:
            self._receiving.cancel("there is something to be sent")

    async def finish(self, words: str = "") -> None:
        """Say nothing more, and read on to the end. ``words`` are shown to the others as we leave,
        if the protocol has a place for them.
        """
        self._ended, self._silence = True, 0.0
        self.session.finish(words)
        await self._send()
        self._receiving.cancel("there is less to wait for")

    async def close(self) -> None:
        """Close without a word. The outcome of texts on their way is heard, if it is known."""
        self._hear([*self.session.own_messages(), *self.session.cut()])
        with trio.CancelScope(shield=True):  # it does not wait
            await trio.aclose_forcefully(self._stream)

    async def enter(self, data: bytes) -> None:
        """Shake hands: return once we are in. Raises NotAdmitted or ConnectionLost.

        ``data`` is what the server has said by itself.
        """
        self._hear(self.session.receive_data(data))
        await self._send()
        with trio.move_on_after(_ADMIT_TIMEOUT):
            while not self.session.admitted:
                if not await self.receive():
                    raise ConnectionLost("the server closed the connection before it let us in")
            return
        raise NotAdmitted(f"the server did not let us in within {_ADMIT_TIMEOUT:g} seconds")

    def reset(self) -> None:
        """Make the close a reset, as a plain close leaves a thread of the tutorial's server
        spinning.
        """
        if not self.session.framed:
            linger = struct.pack("ii", 1, 0)
            socket_of(self._stream).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def receive(self) -> bool:
        """Wait until something has come, or is due to be sent; False at the end. One task at a time
        may do so.
        """
        if not self._sending.locked():
            self._check_whole()
        data = await self._read()
        if data:
            self._silence, self._asked = 0.0, False
            self._hear(self.session.receive_data(data))
        await self._send()
        return data is not None

    async def _read(self) -> bytes | None:
        """Read; None at the end, and when all is silent after our last words. Empty if it is time
        to send something, or ``_receiving`` was cancelled.
        """
        began = trio.current_time()
        quiet_until = began + self._patience() - self._silence
        self._receiving = trio.CancelScope(deadline=min(quiet_until, self.session.due))
        try:
            with self._receiving, _lost_if_broken():
                data = bytes(await self._stream.receive_some(_READ))
                self._closed = not data
                return data or None
        finally:
            self._silence += trio.current_time() - began
        return b"" if trio.current_time() < quiet_until else self._on_silence()

    def _patience(self) -> float:
        """Return the seconds of silence after which to do something about it."""
        if self._ended and not self.session.waiting:
            return self.session.silence
        if not self.session.admitted:
            return math.inf
        return QUIET + ANSWER if self._asked else QUIET

    def _on_silence(self) -> bytes | None:
        """Do something about a long silence."""
        if self._ended and not self.session.waiting:
            return None
        if self._asked:
            raise ConnectionLost(f"the server has been silent for {QUIET + ANSWER:g} seconds")
        self._asked = self.session.ping()
        if not self._asked:
            self._silence = 0.0  # only TCP can tell
        return b""

    def _hear_ourselves(self) -> None:
        """Hear the session's own messages, and wake the reader for them."""
        if own := self.session.own_messages():
            self._hear(own)
            self.interrupt("there is something to be heard")

    def interrupt(self, why: str) -> None:
        """Wake the reader."""
        self._receiving.cancel(why)

    async def _send(self) -> None:
        """Send what may be sent now."""
        async with self._sending:
            self._check_whole()
            data = self.session.data_to_send(trio.current_time())
            self._hear_ourselves()
            if data:
                self._torn = True
                with _lost_if_broken():
                    await self._stream.send_all(data)
                self._torn = False

    def _check_whole(self) -> None:
        """Raise ConnectionLost if a send was cancelled halfway."""
        if self._torn:
            raise ConnectionLost("a message was only partly sent")


#: Makes the session of a connection; the argument is whether it is plain.
NewSession = Callable[[bool], ClientSession]


async def connect(
    server: Remote,
    new_session: NewSession,
    hear: Callable[[Sequence[Message]], None],
) -> tuple[Connection, bytes]:
    """Connect to a server. Returns the connection, which the caller closes, and the server's first
    bytes, for ``enter``. Raises CannotConnect, NotTrusted and ConnectionLost.
    """
    stream = await dial(server.address, tls=server.tls, pin=server.pin)
    try:
        protocol = server.protocol
        data, late = (b"", True) if protocol == "irc" else await _greeting(stream)
        chosen = protocol if protocol != "auto" else spoken_by(data)
        session = new_session(chosen == "plain")
        if late and isinstance(session, PlainClientSession):
            session.speak_first()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return Connection(stream, session, hear), data


async def _greeting(stream: Stream) -> tuple[bytes, bool]:
    """Return the server's first bytes, and whether we have waited too long for them."""
    data = b""
    with trio.move_on_after(PATIENCE) as patience, _lost_if_broken():
        while spoken_by(data) is None and (more := await stream.receive_some(_READ)):
            data += more
    # Even if something has come: it may have come late.
    return data, trio.current_time() >= patience.deadline


@contextmanager
def _lost_if_broken() -> Iterator[None]:
    try:
        yield
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise ConnectionLost("the connection to the server was lost") from error
