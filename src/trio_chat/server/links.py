"""What a connection runs over."""

import os
import socket
from contextlib import suppress

import trio

# How long TCP waits between its questions whether a silent peer is still there, and how many
# may stay unanswered: a dead peer is gone half a minute after the first.
_PROBE_INTERVAL = 10  # seconds
_PROBES = 3


class Link:
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


class SocketLink(Link):
    """Over TCP or a Unix socket."""

    def __init__(self, stream: trio.SocketStream, *, keepalive: float) -> None:
        super().__init__(stream, _peer(stream.socket))
        self._fileno = stream.socket.fileno
        if self.peer != "unix":
            _ask_dead_peers(stream.socket, keepalive)

    def write_now(self, data: bytes) -> int:
        # trio has no send that never waits. The descriptor is asked for each time, since after a
        # close its number may be another connection's.
        return os.write(self._fileno(), data)


def _peer(sock: trio.socket.SocketType) -> str:
    if sock.family == socket.AF_UNIX:
        return "unix"
    try:
        return str(sock.getpeername()[0])
    except OSError:  # reset before it was accepted
        return "unknown"


def _ask_dead_peers(sock: trio.socket.SocketType, keepalive: float) -> None:
    with suppress(OSError):  # not every system has every option
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, int(keepalive))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_INTERVAL)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
