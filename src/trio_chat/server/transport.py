"""The links that a connection runs over."""

import fcntl
import select
import socket
import struct
import sys
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

import trio

# Bytes that may wait in the kernel besides those in flight (tcp(7)). Without this bound they are
# four megabytes for each peer that does not read, which no outbox sees or counts.
_UNSENT = 128 * 1024  # bytes

# For each socket: no waiting for more to send (Nagle), and keepalive probes to a silent peer, ten
# seconds apart; a peer that misses three is gone.
_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)

_INTERVAL = 10  # seconds between probes

# The same while somebody waits for an answer.
_ASKING = 1  # seconds

# The time between two looks for an answer, since TCP tells nobody of it; and how coarse the
# kernel's clock may be.
_LOOK, _GRAIN = 0.1, 0.02  # seconds

# Where Linux tells in its answer to TCP_INFO how long ago the peer's system has last acknowledged
# anything, in milliseconds: the last number of these (struct tcp_info in <linux/tcp.h>).
_ACKNOWLEDGED = struct.Struct("56xI")

# What Linux writes in answer to SIOCOUTQ (tcp(7), unix(7)), which it calls TIOCOUTQ elsewhere.
_INT = struct.Struct("i")

# The event by which a system tells that the peer has ended its side; not every system does.
_FINISHED = getattr(select, "POLLRDHUP", 0)

#: The time that a peer has to take a farewell, and to end its own side.
LINGER = 1.0  # seconds
#: Bytes per read: what a fast sender has sent meanwhile comes in one piece.
READ = 64 * 1024


class Link(trio.abc.AsyncResource):
    """A connected stream of bytes and the name of its peer.

    ``peer`` is an IP address, ``unix`` for a Unix socket, or any other name in tests. It
    ``is_direct`` unless a proxy has said that it hands on what a peer sends.

    ``write_now(data)`` sends what can be sent without waiting, and returns the number of bytes. It
    raises BlockingIOError if that is nothing, and another OSError if the connection is lost.
    """

    __slots__ = ("_received", "_stream", "_waiting", "is_direct", "peer", "write_now")

    def __init__(self, stream: trio.abc.HalfCloseableStream, peer: str) -> None:
        self._stream = stream
        self._received: bytes | None = None
        self._waiting: trio.CancelScope | None = None
        self.peer, self.is_direct = peer, True
        self.write_now: Callable[[bytes], int] = _never_now

    @property
    def seal(self) -> Callable[[bytes], bytes] | None:
        """Makes of a text the bytes to send, once and in order; None if they are the same."""
        return None

    async def send_all(self, data: bytes) -> None:
        """Send all of it. Raises trio.BrokenResourceError. Nothing can follow if cancelled."""
        await self._stream.send_all(data)

    async def receive(self) -> bytes:
        """The bytes that the peer sends next; empty at its end. Raises trio.BrokenResourceError."""
        while True:
            await self.readable()
            if (data := self.receive_now()) is not None:
                return data

    def readable(self) -> Awaitable[None]:
        """Wait until ``receive_now`` may have something, or somebody calls ``wake``, or has called
        it since the last time. Raises trio.BrokenResourceError.

        Most connections wait here, so links return trio's own awaitable: each coroutine in between
        would take 0.2 KiB of every connection.
        """
        return self._readable()

    async def _readable(self) -> None:
        self._waiting = self._waiting or trio.CancelScope()
        try:
            with self._waiting:
                await self._receive_some()
        finally:
            self._waiting = None

    async def _receive_some(self) -> None:
        self._received = bytes(await self._stream.receive_some(READ))

    def wake(self) -> None:
        """Let somebody go on who waits until it is ``readable``, or will wait next."""
        self._waiting = self._waiting or trio.CancelScope()
        self._waiting.cancel("woken")

    def receive_now(self) -> bytes | None:
        """The bytes that have come already, empty at the peer's end; None if none have. Raises
        trio.BrokenResourceError.

        Ask this before you call a peer silent: at a deadline its bytes may have come, and only we
        had no time to look.
        """
        data, self._received = self._received, None
        return data

    def has_finished(self) -> bool:
        """Whether the peer is known to have ended its side, though not all of it is read."""
        return False

    def on_end(self, call: Callable[[], object] | None) -> None:
        """Call this from now on, until None is given, when the peer ends its side, and again when
        it turns out to be gone; never where the system does not tell.
        """

    async def answers(self, seconds: float) -> bool:
        """Ask the peer's system, not the peer itself, whether it is still there, and give it so
        many seconds; True if it cannot be asked.
        """
        await trio.lowlevel.checkpoint()
        return True

    def unacknowledged(self) -> int:
        """The bytes that were sent and that the peer's system has not acknowledged, as far as the
        system tells.
        """
        return 0

    async def aclose(self) -> None:
        """Close it at once; what waits in the kernel may still be sent."""
        await trio.aclose_forcefully(self._stream)

    async def finish(self) -> bool:
        """End our side, and wait for up to a second until the peer ends its own; returns whether it
        has.

        Closing while the peer is still sending would reset the connection, and destroy what the
        peer has not read yet. Raises nothing if the peer was faster.
        """
        try:
            with trio.move_on_after(LINGER):
                await self._send_eof()
                while await self.receive():
                    pass
                return True
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        return False

    async def _send_eof(self) -> None:
        await self._stream.send_eof()


def _never_now(data: bytes) -> NoReturn:
    raise BlockingIOError


class SocketLink(Link):
    """A link over a TCP or Unix socket that has just been accepted.

    It does what trio.SocketStream does, but sends without a task where it can, and takes a quarter
    of the memory: most of ten thousand connections are idle.
    """

    __slots__ = ("_askers", "_keepalive", "_socket")

    def __init__(self, sock: socket.socket, peer: str, *, keepalive: float) -> None:
        self._socket, self._keepalive, self._askers = sock, int(keepalive), 0
        self._waiting = None
        self.peer, self.is_direct = peer, True
        self.write_now = sock.send  # called for every delivery, so not through a method of ours
        sock.setblocking(False)
        with suppress(OSError):  # not every socket and system has every option
            for level, option, value in _OPTIONS:
                sock.setsockopt(level, option, value)
            self._probe(idle=self._keepalive, interval=_INTERVAL)

    @property
    def uid(self) -> int:
        """The user of this system who has connected to a Unix socket (Linux, unix(7))."""
        credentials = struct.Struct("iII")  # process, user, group
        told = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
        return int(credentials.unpack(told)[1])

    async def send_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            await trio.lowlevel.wait_writable(self._socket)
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError("the connection is lost") from error

    async def _receive_some(self) -> None:
        await trio.lowlevel.wait_readable(self._socket)

    def receive_now(self) -> bytes | None:
        try:
            return self._socket.recv(READ)
        except BlockingIOError:
            return None
        except OSError as error:
            raise trio.BrokenResourceError("the connection is lost") from error

    async def answers(self, seconds: float) -> bool:
        """Ask by keepalive probes, as TCP does of a peer that has long been silent."""
        if sys.platform != "linux":
            return await super().answers(seconds)
        try:
            self._probe(idle=_ASKING, interval=_ASKING)
        except OSError:  # no TCP: a peer on this machine
            return await super().answers(seconds)
        began = trio.current_time()
        self._askers += 1
        try:
            while (asked := trio.current_time() - began) < seconds:
                if self._acknowledged() + _GRAIN < asked:
                    return True
                await trio.sleep(_LOOK)
            return False
        except OSError:  # it was closed meanwhile
            return False
        finally:
            self._askers -= 1
            if not self._askers:
                with suppress(OSError):
                    self._probe(idle=self._keepalive, interval=_INTERVAL)

    def _probe(self, *, idle: int, interval: int) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)

    def _acknowledged(self) -> float:
        """Seconds since the peer's system has last acknowledged anything."""
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
        return int(_ACKNOWLEDGED.unpack(info)[0]) / 1000

    def unacknowledged(self) -> int:
        if sys.platform != "linux":
            return 0
        found = bytearray(_INT.size)
        try:
            fcntl.ioctl(self._socket, termios.TIOCOUTQ, found)
        except OSError:  # it was closed: nobody knows
            return 1
        return int(_INT.unpack(found)[0])

    def has_finished(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, _FINISHED)
        return bool(poll.poll(0))

    async def aclose(self) -> None:
        trio.lowlevel.notify_closing(self._socket)
        self._socket.close()
        await trio.lowlevel.checkpoint()

    async def _send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise trio.BrokenResourceError("the connection is lost") from error
