"""Very many clients of a server, or of several: they connect, go in, and are there."""

import itertools
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from benchmarks.load import PATIENCE, READ
from benchmarks.transcript import Failed

# Clients on their way in at a time: as many as come in a storm, but less than a listener's backlog
# (4096 on Linux, if a server asks for it); who finds that full tries again only a second later.
AT_ONCE = 1000

# Who is connected need not have been accepted yet. Where nothing tells, this is the time for it.
_ACCEPTING = 0.01  # seconds

# Sent at close, this makes it a reset: no port is held in TIME_WAIT, of which there are too few.
_RESET = struct.pack("ii", 1, 0)


class _Newcomer:
    """Connects, sends ``hello``, and is inside when ``marker`` has come."""

    def __init__(self, sock: socket.socket, hello: bytes, marker: bytes) -> None:
        self._sock, self._hello, self._marker = sock, hello, marker
        self.greeted = False
        self._tail = b""

    def greet(self) -> None:
        if error := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise Failed(f"a client cannot connect (error {error})")
        if self._hello:
            self._sock.send(self._hello)
        self.greeted = True

    def is_inside(self, data: bytes) -> bool:
        """Whether it is, now that ``data`` has come."""
        seen = self._tail + data
        self._tail = seen[-len(self._marker) :]
        return self._marker in seen


class Crowd:
    """The clients' sockets, non-blocking, and one ``epoll`` with all of them. They connect to the
    ``ports`` in turn.
    """

    def __init__(self, *ports: int, patience: float = PATIENCE) -> None:
        self._ports = itertools.cycle(ports)
        self._patience = patience
        self.epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}

    def enter(
        self, hellos: Iterable[bytes], marker: bytes, *, at_once: int = AT_ONCE
    ) -> list[socket.socket]:
        """Connect a client for each hello. With no ``marker`` whoever is connected is inside."""
        outside = deque(hellos)
        entered: list[socket.socket] = []
        newcomers: dict[int, _Newcomer] = {}
        while outside or newcomers:
            while outside and len(newcomers) < at_once:
                entered.append(sock := self._connect())
                newcomers[sock.fileno()] = _Newcomer(sock, outside.popleft(), marker)
            for fd, data in self._events(newcomers):
                newcomer = newcomers.get(fd)
                if newcomer is None:
                    continue
                if not newcomer.greeted:
                    newcomer.greet()
                    self.epoll.modify(fd, select.EPOLLIN)
                if not marker or newcomer.is_inside(data):
                    del newcomers[fd]
            if not marker and not newcomers:
                time.sleep(_ACCEPTING)
        return entered

    def settle(
        self,
        members: Sequence[socket.socket],
        say: Callable[[int], None],
        line: Callable[[int], bytes],
    ) -> None:
        """Let something be said until it is the last that everybody reads.

        Then all are inside, and nothing that happened before is still on its way. The n-th time
        ``say(n)`` says it, and ``line(n)`` is what a member reads.
        """
        for attempt in range(8):
            say(attempt)
            if self._all_end_with(members, line(attempt), 0.25 * 2**attempt):
                return
        raise Failed("not all members hear what is said")

    def forget(self, sock: socket.socket) -> None:
        """Do not read from this one any more."""
        self.epoll.unregister(sock)

    def close(self) -> None:
        for sock in self._sockets.values():
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            sock.close()
        self.epoll.close()

    def _connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each message goes at once
        self._sockets[sock.fileno()] = sock
        with suppress(BlockingIOError):
            sock.connect(("127.0.0.1", next(self._ports)))
        self.epoll.register(sock, select.EPOLLIN | select.EPOLLOUT)
        return sock

    def _events(self, newcomers: dict[int, _Newcomer]) -> Iterator[tuple[int, bytes]]:
        """Descriptors at which something has happened, and what has been read there."""
        events = self.epoll.poll(self._patience)
        if not events:
            raise Failed(f"{len(newcomers)} clients are not let in")
        for fd, mask in events:
            yield fd, self._receive(fd) if mask & ~select.EPOLLOUT else b""

    def _receive(self, fd: int) -> bytes:
        try:
            data = self._sockets[fd].recv(READ)
        except ConnectionError as error:
            raise Failed(f"a client is cut off: {error}") from None
        if not data:
            raise Failed("a client is cut off")
        return data

    def _all_end_with(self, members: Sequence[socket.socket], line: bytes, wait: float) -> bool:
        tails = {sock.fileno(): b"" for sock in members}
        missing = set(tails)
        until = time.monotonic() + wait
        while missing and time.monotonic() < until:
            for fd, _ in self.epoll.poll(0.1):
                data = self._receive(fd)
                if fd in tails:
                    tails[fd] = (tails[fd] + data)[-len(line) :]
                    (missing.discard if tails[fd] == line else missing.add)(fd)
        return not missing


@contextmanager
def crowd(*ports: int) -> Iterator[Crowd]:
    """A crowd as long as this lasts."""
    it = Crowd(*ports)
    try:
        yield it
    finally:
        it.close()
