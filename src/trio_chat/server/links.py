"""What a connection runs over."""

import socket
from contextlib import suppress

import trio

# How long TCP waits between its questions whether a silent peer is still there, and how many
# may stay unanswered: a dead peer is gone half a minute after the first.
_PROBE_INTERVAL = 10  # seconds
_PROBES = 3

_LINGER = 1.0  # seconds
_READ = 64 * 1024  # bytes


class Link(trio.abc.AsyncResource):
    """A connected stream of bytes and the name of the peer.

    ``peer`` is an IP address, ``unix`` for a Unix socket, or another name for what a test made.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, peer: str) -> None:
        self.stream = stream
        self.peer = peer

    def write_now(self, data: bytes) -> int:
        """Send what can be sent without waiting; returns the number of bytes.

        Raises BlockingIOError if that is nothing, another OSError if the connection is lost.
        """
        raise BlockingIOError

    async def aclose(self) -> None:
        """Close it at once; what waits in the kernel may still be sent."""
        await trio.aclose_forcefully(self.stream)

    async def finish(self) -> None:
        """Say that nothing more comes, and wait, not for long, until the peer says so too.

        To close while the peer is still sending would reset the connection, and destroy what the
        peer has not read yet. Raises nothing if the peer was faster.
        """
        try:
            with trio.move_on_after(_LINGER):
                await self.stream.send_eof()
                while await self.stream.receive_some(_READ):
                    pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass


class SocketLink(Link):
    """Over TCP or a Unix socket that has just been accepted."""

    def __init__(self, sock: socket.socket, peer: str, *, keepalive: float) -> None:
        super().__init__(trio.SocketStream(trio.socket.from_stdlib_socket(sock)), peer)
        self._socket = sock
        if sock.family != socket.AF_UNIX:
            _ask_dead_peers(sock, keepalive)

    def write_now(self, data: bytes) -> int:
        # trio's sockets have no send that never waits; the one inside of them has.
        return self._socket.send(data)


def _ask_dead_peers(sock: socket.socket, keepalive: float) -> None:
    with suppress(OSError):  # not every system has every option
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, int(keepalive))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_INTERVAL)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
