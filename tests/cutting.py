"""A way to an engine that fails as networks do: replies are lost, or nothing comes through."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import trio

from engines import RedisServer
from trio_chat.settings.engine import Address


class Cutter:
    """Passes on what comes, unless it is told not to."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        #: Lose the reply to every second append, and the connection with it.
        self.loses_replies = False
        self.lost = 0
        #: Let nothing through of what is read from the stream, and lose the connection with it.
        self.refuses_reads = False
        self._is_open = trio.Event()
        self._is_open.set()
        self._appends = 0
        self._connections: set[trio.CancelScope] = set()

    def hold(self) -> None:
        """Let nothing through, in either direction; nobody is told."""
        self._is_open = trio.Event()

    def release(self) -> None:
        """Let everything through again, what was held as well."""
        self._is_open.set()

    def drop(self) -> None:
        """Lose all connections, and what is held."""
        for connection in self._connections:
            connection.cancel()

    async def serve(self, ours: trio.SocketStream) -> None:
        """Pass on what one connection asks, and what is answered."""
        try:
            theirs = await trio.open_unix_socket(self._server.path)
        except OSError:  # it is away
            await ours.aclose()
            return
        async with ours, theirs, trio.open_nursery() as nursery:
            is_lost = is_reader = False

            async def ask() -> None:
                nonlocal is_lost, is_reader
                async for data in ours:
                    await self._is_open.wait()
                    is_lost = is_lost or (_is_append(data) and self._is_to_be_lost())
                    is_reader = is_reader or b"XREAD" in data
                    await theirs.send_all(data)

            async def answer() -> None:
                async for data in theirs:
                    await self._is_open.wait()
                    if is_lost:
                        self.lost += 1
                        return
                    if is_reader and self.refuses_reads:
                        return
                    await ours.send_all(data)

            async def until_end(way: Callable[[], Awaitable[None]]) -> None:
                with suppress(trio.BrokenResourceError):
                    await way()
                nursery.cancel_scope.cancel()

            nursery.start_soon(until_end, ask)
            nursery.start_soon(until_end, answer)
            self._connections.add(nursery.cancel_scope)
        self._connections.discard(nursery.cancel_scope)

    def _is_to_be_lost(self) -> bool:
        self._appends += 1
        return self.loses_replies and self._appends % 2 == 0


def _is_append(data: bytes) -> bool:
    return b"FCALL" in data and b"_append" in data


@asynccontextmanager
async def cutting(server: RedisServer, name: str) -> AsyncIterator[tuple[Cutter, Address]]:
    """Such a way to a chat in an engine, and its address."""
    cutter = Cutter(server)
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, cutter.serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        yield cutter, Address(name, hosts=(("127.0.0.1", port),))
        nursery.cancel_scope.cancel()
