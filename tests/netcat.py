"""A peer with a bare socket, as netcat is: it sends what it is told, and keeps what comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from processes import PATIENCE, Output


class Netcat:
    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.heard = Output()

    async def listen(self) -> None:
        """Hear all that comes, and hang up when the other side does."""
        await self.heard.collect(self.stream)
        await self.stream.aclose()

    async def send(self, data: str | bytes) -> None:
        await self.stream.send_all(data.encode() if isinstance(data, str) else data)

    async def until(self, expected: str) -> str:
        """Wait for this text; return all that came since the last time, up to its end."""
        return await self.heard.until(expected)


@asynccontextmanager
async def netcat(where: int | str) -> AsyncIterator[Netcat]:
    """Connect to a port of 127.0.0.1 or to the path of a Unix socket."""
    with trio.fail_after(3 * PATIENCE):
        if isinstance(where, int):
            stream = await trio.open_tcp_stream("127.0.0.1", where)
        else:
            stream = await trio.open_unix_socket(where)
        async with stream, trio.open_nursery() as nursery:
            peer = Netcat(stream)
            nursery.start_soon(peer.listen)
            yield peer
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def guest(where: int | str, nick: str) -> AsyncIterator[Netcat]:
    """The same, in the chat already under a nickname."""
    async with netcat(where) as peer:
        await peer.send(f"{nick}\n")
        await peer.until("/help for more.\n")
        yield peer


async def converse(where: int | str, data: str | bytes) -> str:
    """Send this and then nothing more; return all that comes."""
    async with netcat(where) as peer:
        await peer.send(data)
        await peer.stream.send_eof()
        return await peer.heard.rest()
