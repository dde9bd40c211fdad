"""A network for tests of the client: it loses links when a test wants it to."""

import math
from collections.abc import Callable

import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, memory_stream_pair

from keeping_server import KeepingServer
from trio_chat.settings.places import Address

Stream = trio.StapledStream[MemorySendStream, MemoryReceiveStream]


class Network:
    """Brings each client that connects to an end of the server, over a link that a test can lose.

    A link breaks by itself after as many bytes, in either direction, as ``breaks_after`` says next.
    """

    def __init__(self, server: KeepingServer, nursery: trio.Nursery) -> None:
        self.server = server
        self.breaks_after: Callable[[], float] = lambda: math.inf
        self.links: list[Link] = []
        self._nursery = nursery

    async def connect(self, address: Address, **tls: object) -> Stream:
        ours, theirs = memory_stream_pair()
        link = Link(self.server, theirs, ours, self.breaks_after())
        self.links.append(link)
        self._nursery.start_soon(link.run)
        return ours


class Link:
    def __init__(
        self, server: KeepingServer, stream: Stream, ours: Stream, bytes_left: float
    ) -> None:
        self.end, self.ours = server.connect(), ours
        self.end.notify = lambda: self._more.set()
        self._more = trio.Event()
        self.silent = False  # from now on nothing gets through
        self._stream, self._left = stream, bytes_left

    async def run(self) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, nursery)
                async for data in self._stream:
                    if not self.silent:
                        self.end.receive(self._through(bytes(data)))
                    if self._left <= 0:
                        break
                nursery.cancel_scope.cancel("it is broken, or the client has gone")
        except* trio.BrokenResourceError:
            pass
        finally:
            self.end.cut()
            with trio.CancelScope(shield=True):  # a memory stream does not wait
                await self._stream.aclose()

    async def _write(self, nursery: trio.Nursery) -> None:
        while self._left > 0 and not self.end.closed:
            await self._more.wait()
            self._more = trio.Event()
            if (data := self.end.take()) and not self.silent:
                await self._stream.send_all(self._through(data))
        nursery.cancel_scope.cancel("it is broken, or the server has closed it")

    def _through(self, data: bytes) -> bytes:
        passed = data if self._left >= len(data) else data[: int(self._left)]
        self._left -= len(data)
        return passed
