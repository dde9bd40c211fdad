"""A front end of a client in many rooms that keeps what it is shown; and a link that can be cut."""

from dataclasses import dataclass, field

import trio

import trio_chat
from trio_chat.client import requests
from trio_chat.client.runner import MessageChannel, RequestChannel
from trio_chat.protocols.client import Acknowledged, Earlier, Message, Sent


@dataclass
class Screen:
    """Keeps what it is shown, and can wait for it."""

    shown: list[Message] = field(default_factory=list)
    news: trio.Event = field(default_factory=trio.Event)
    _looked: int = 0

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        self.asked = asked
        async for message in messages:
            self.shown.append(message)
            self.news.set()
            self.news = trio.Event()

    async def want(self, *asked: requests.Request) -> None:
        for request in asked:
            await self.asked.send(request)

    async def sees(self, *expected: object) -> None:
        """Wait for these, in this order; a type stands for any message of it."""
        for one in expected:
            while not any(_fits(message, one) for message in self.shown[self._looked :]):
                await self.news.wait()
            while not _fits(self.shown[self._looked], one):
                self._looked += 1
            self._looked += 1

    def texts(self, place: str) -> list[str]:
        """Of a room or a conversation, in which what we have said has its place, too."""
        found, said = [], {}
        for message in self.shown:
            message = message.said if isinstance(message, Earlier) else message
            if isinstance(message, Sent):
                said[message.token] = message
            elif isinstance(message, Acknowledged) and said[message.token].target == place:
                found.append(said[message.token].text)
            elif isinstance(message, trio_chat.Said) and place == (message.room or message.nick):
                found.append(message.text)
        return found


def _fits(message: Message, expected: object) -> bool:
    return isinstance(message, expected) if isinstance(expected, type) else message == expected


@dataclass
class Wire:
    """Between a client and a server. It can be cut at the client's end, and be down for a while; of
    that the server does not know until it is hung up. What either says while it is ``deaf`` is
    ``lost``.
    """

    server: int
    port: int = 0
    up: bool = True
    deaf: bool = False
    lost: trio.Event = field(default_factory=trio.Event)
    _gone: trio.Event = field(default_factory=trio.Event)
    _links: list[trio.CancelScope] = field(default_factory=list)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._carry, listeners)

    def cut(self) -> None:
        links, self._links = self._links, []
        for link in links:
            link.cancel("it is cut")

    def hang_up(self) -> None:
        self.cut()
        self._gone.set()
        self._gone = trio.Event()

    async def _carry(self, client: trio.SocketStream) -> None:
        if not self.up:
            return
        gone = self._gone
        async with await trio.open_tcp_stream("127.0.0.1", self.server) as server:
            async with client, trio.open_nursery() as nursery:
                self._links.append(nursery.cancel_scope)
                nursery.start_soon(self._pump, client, server)
                nursery.start_soon(self._pump, server, client)
            if nursery.cancel_scope.cancelled_caught:
                await gone.wait()

    async def _pump(self, source: trio.SocketStream, sink: trio.SocketStream) -> None:
        try:
            async for data in source:
                if self.deaf:
                    self.lost.set()
                else:
                    await sink.send_all(data)
            await sink.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
