"""The places where the server listens, and why one cannot be had."""

import errno
import logging
import os
import socket
import stat
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import trio

from trio_chat.errors import CannotListen
from trio_chat.server.poller import PolledLink, Poller
from trio_chat.server.transport import SocketLink
from trio_chat.settings.places import Address
from trio_chat.storage.private import reason

logger = logging.getLogger(__name__)

# Connections that the kernel accepts before we do, cut to its own maximum: a thousand people who
# come back at the same moment should not be turned away.
_BACKLOG = 4096

_AT_ONCE = 100  # connections accepted before other tasks run

# The errors of accept() when too many files are open, or memory is too short for one more.
_NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
_UNTIL_SOME_CLOSE = 0.1  # seconds


@dataclass(frozen=True)
class Sockets:
    """Sockets that listen already: for people, for operators, and for those who ask how the server
    is. Those of a kind take the place of all that the settings say of it; the server closes them.
    """

    chat: Sequence[socket.socket] = ()
    admin: Sequence[socket.socket] = ()
    ops: Sequence[socket.socket] = ()

    def copy(self) -> "Sockets":
        """Copies of all of them, each to be closed by itself."""
        return Sockets(*([one.dup() for one in some] for some in (self.chat, self.admin, self.ops)))


NONE_PASSED = Sockets()


class Listener(trio.abc.Listener[SocketLink]):
    """Accepts connections; closing it closes its socket.

    ``accept`` takes all connections that wait at once, and then hands them out without a pause. A
    pass of trio's loop takes as long as a message to everybody: one connection in each would be too
    few.
    """

    def __init__(self, sock: socket.socket, poller: Poller | None, *, keepalive: float) -> None:
        self._socket, self._poller, self._keepalive = sock, poller, keepalive
        self._accepted: deque[tuple[socket.socket, Any]] = deque()

    @property
    def address(self) -> Address:
        """The address it really listens at; with port 0 the kernel has chosen the port."""
        name = self._socket.getsockname()
        if self._socket.family == socket.AF_UNIX:
            return Address(f"unix:{_path(name)}")
        return Address(_host(name[0]), name[1])

    async def accept(self) -> SocketLink:
        """The next connection. Raises OSError if too many files are open."""
        while not self._accepted:
            await trio.lowlevel.wait_readable(self._socket)
            self._accept_waiting()
        sock, name = self._accepted.popleft()
        peer = "unix" if sock.family == socket.AF_UNIX else _host(name[0])
        if self._poller is None:
            return SocketLink(sock, peer, keepalive=self._keepalive)
        return PolledLink(sock, peer, keepalive=self._keepalive, poller=self._poller)

    def _accept_waiting(self) -> None:
        try:
            while len(self._accepted) < _AT_ONCE:
                self._accepted.append(self._socket.accept())
        except (BlockingIOError, ConnectionAbortedError):
            pass
        except OSError:
            if not self._accepted:
                raise

    async def aclose(self) -> None:
        for sock, _ in self._accepted:
            sock.close()
        self._socket.close()
        await trio.lowlevel.checkpoint()


async def accept_all(listener: Listener, take: Callable[[SocketLink], object]) -> NoReturn:
    """Accept as trio.serve_listeners does, but keep less of each connection in memory."""
    while True:
        try:
            link = await listener.accept()
        except OSError as error:
            if error.errno not in _NO_MORE_FILES:
                raise
            logger.warning(
                "cannot accept a connection: %s",
                error.strerror,
                extra={"event": "accept-failed", "reason": error.strerror},
            )
            await trio.sleep(_UNTIL_SOME_CLOSE)
        else:
            take(link)


@asynccontextmanager
async def open_listeners(
    addresses: Sequence[Address],
    poller: Poller | None,
    *,
    keepalive: float,
    private: bool = False,
    passed: Sequence[socket.socket] = (),
    setting: str = "",
) -> AsyncIterator[list[Listener]]:
    """Listen at all of the addresses, or with the sockets that were ``passed`` instead, as long as
    the context lasts.

    A ``poller`` wakes those who read; without one, trio does. ``private`` Unix sockets are for
    their own user. Raises CannotListen for the first address that cannot be had, about the
    ``setting`` that names them, if it is not the server's host and port.
    """
    async with AsyncExitStack() as stack:
        sockets = [*passed]
        for sock in passed:
            sock.setblocking(False)
        with _about(setting):
            for address in () if passed else addresses:
                if path := address.unix_path:
                    opening = _unix_socket(path, private=private)
                    sockets.append(await stack.enter_async_context(opening))
                else:
                    sockets += await _tcp_sockets(address)
        listeners = [Listener(sock, poller, keepalive=keepalive) for sock in sockets]
        for listener in listeners:
            await stack.enter_async_context(listener)
        yield listeners


@contextmanager
def _about(setting: str) -> Iterator[None]:
    try:
        yield
    except CannotListen as error:
        error.about = setting or error.about
        raise


def _host(name: str) -> str:
    """An address of IPv4 as such: sockets for both kinds, as others open them, call it IPv6."""
    return name.removeprefix("::ffff:") if "." in name else name


def _path(name: str | bytes) -> str:
    """The path of a Unix socket; ``@`` and its name if that is in no folder (unix(7))."""
    return name if isinstance(name, str) else f"@{os.fsdecode(name[1:])}"


async def _tcp_sockets(address: Address) -> Sequence[socket.socket]:
    host = None if address.host == "*" else address.host
    try:
        sockets = await _listening(host, address.port)
        ports = {sock.getsockname()[1] for sock in sockets}
        if len(ports) == 1:
            return sockets
        # Several addresses and port 0: the kernel has chosen a different port for each.
        for sock in sockets:
            sock.close()
        return await _listening(host, ports.pop())
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(
            f"cannot listen on {address}: there is no host named {address.host}", about="host"
        ) from error
    except OSError as error:
        raise _cannot_listen(address, error) from error


async def _listening(host: str | None, port: int) -> Sequence[socket.socket]:
    listeners = await trio.open_tcp_listeners(port, host=host, backlog=_BACKLOG)
    return [socket.socket(fileno=listener.socket.detach()) for listener in listeners]


def _cannot_listen(address: Address, error: OSError) -> CannotListen:
    why, about = reason(error, Path(address.unix_path)), ""
    match error.errno, address.unix_path:
        case errno.EADDRINUSE, "":
            why = "it is in use. Is a server already running there? Another port may be free"
            about = "port"
        case errno.EADDRINUSE, _:
            why = "it is in use"
        case errno.EACCES, "":
            why, about = "this needs special privileges. A port above 1023 does not", "port"
        case errno.EADDRNOTAVAIL, _:
            why, about = "this machine does not have that address", "host"
    return CannotListen(f"cannot listen on {address}: {why}", about=about)


@asynccontextmanager
async def _unix_socket(path: str, *, private: bool) -> AsyncIterator[socket.socket]:
    """Listen at a Unix socket; its ``path`` is there as long as the context lasts."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await _remove_dead_socket(path)
        with _file_mode(private=private):
            sock.bind(path)
    except OSError as error:
        sock.close()
        raise _cannot_listen(Address(f"unix:{path}"), error) from error
    sock.listen(_BACKLOG)
    made = os.stat(path).st_ino
    try:
        yield sock
    finally:
        with suppress(FileNotFoundError):
            if os.stat(path).st_ino == made:  # not the socket of another server by now
                os.unlink(path)


@contextmanager
def _file_mode(*, private: bool) -> Iterator[None]:
    """Let only their own user connect to ``private`` sockets that are bound meanwhile."""
    before = os.umask(0o177) if private else None
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


async def _remove_dead_socket(path: str) -> None:
    """Remove the socket of a server that was killed: nobody answers there."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        stream = await trio.open_unix_socket(path)
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        os.unlink(path)
    else:
        await stream.aclose()
