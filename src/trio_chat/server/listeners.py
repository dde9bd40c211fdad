"""Where the server listens: TCP addresses and Unix sockets, and why one of them cannot be had."""

import errno
import os
import socket
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import trio

from trio_chat.errors import CannotListen
from trio_chat.settings import Address

# Connections that the kernel accepts for us before we do; the kernel cuts it to its own maximum.
# A thousand people who come back at the same moment should not be turned away.
_BACKLOG = 4096


@asynccontextmanager
async def open_listeners(
    addresses: Sequence[Address],
) -> AsyncIterator[Sequence[trio.SocketListener]]:
    """Listen on all of the addresses, or raise CannotListen for the first that cannot be had."""
    async with AsyncExitStack() as stack:
        listeners: list[trio.SocketListener] = []
        for address in addresses:
            if address.unix_path:
                listener = await stack.enter_async_context(_unix_listener(address.unix_path))
                listeners.append(listener)
            else:
                for listener in await _tcp_listeners(address):
                    listeners.append(await stack.enter_async_context(listener))
        yield listeners


def address_of(listener: trio.SocketListener) -> Address:
    """The address that a listener really has; with port 0 the kernel chose one."""
    name = listener.socket.getsockname()
    if listener.socket.family == socket.AF_UNIX:
        return Address(f"unix:{name}")
    return Address(name[0], name[1])


async def _tcp_listeners(address: Address) -> Sequence[trio.SocketListener]:
    host = None if address.host == "*" else address.host
    try:
        return await trio.open_tcp_listeners(address.port, host=host, backlog=_BACKLOG)
    except socket.gaierror as error:
        raise CannotListen(
            f"cannot listen on {address}: there is no host of the name {address.host} (--host)"
        ) from error
    except OSError as error:
        raise CannotListen(f"cannot listen on {address}: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                "it is in use. Does a server run there already? Another port may be free (--port)"
            )
        case errno.EACCES:
            return "this needs special rights. A port above 1023 does not (--port)"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have that address (--host)"
        case _:
            return (error.strerror or str(error)).lower()


@asynccontextmanager
async def _unix_listener(path: str) -> AsyncIterator[trio.SocketListener]:
    """A Unix socket at ``path``, that is there as long as this lasts."""
    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        await _remove_dead_socket(path)
        await sock.bind(path)
    except OSError as error:
        sock.close()
        advice = "it is in use" if error.errno == errno.EADDRINUSE else _advice(error)
        raise CannotListen(f"cannot listen on unix:{path}: {advice}") from error
    sock.listen(_BACKLOG)
    made = os.stat(path).st_ino
    async with trio.SocketListener(sock) as listener:
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if os.stat(path).st_ino == made:  # and not another server's by now
                    os.unlink(path)


async def _remove_dead_socket(path: str) -> None:
    """A server that was killed leaves its socket behind: nobody answers there."""
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
