"""A manager as systemd is one, to a server that it has started: it hears what that tells."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from processes import PATIENCE


class Manager:
    def __init__(self, socket: trio.socket.SocketType) -> None:
        self._socket = socket

    async def hear(self) -> dict[str, str]:
        """What it is told next."""
        with trio.fail_after(PATIENCE):
            told = await self._socket.recv(4096)
        return dict(line.split("=", 1) for line in told.decode().split("\n"))

    async def until(self, fits: Callable[[dict[str, str]], bool]) -> list[dict[str, str]]:
        """All that it is told up to what fits."""
        heard = [await self.hear()]
        while not fits(heard[-1]):
            heard.append(await self.hear())
        return heard


@asynccontextmanager
async def manager(address: str) -> AsyncIterator[Manager]:
    """A manager at an address as NOTIFY_SOCKET has it, a path or ``@`` and a name."""
    family, kind = trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM
    with trio.socket.socket(family, kind) as socket:
        await socket.bind(address.replace("@", "\0", 1) if address[0] == "@" else address)
        yield Manager(socket)
