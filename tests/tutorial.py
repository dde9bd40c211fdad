"""Peers that behave byte for byte as the tutorial's two programs do: one read is one message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from processes import PATIENCE, Output

_READ = 1024  # bytes


class TutorialServer:
    """Frames nothing, ends no line, and lets in one after the other.

    ``glued`` makes the newcomer's first two messages, and this text, arrive as one. ``slow`` makes
    it busy with somebody else until the newcomer has spoken first, or for a second at the most.
    """

    def __init__(self, *, glued: bytes = b"", slow: bool = False) -> None:
        self.port = 0
        self.received: list[bytes] = []
        self._glued, self._slow = glued, slow
        self._nicknames: dict[trio.socket.SocketType, str] = {}

    async def run(self, *, task_status: trio.TaskStatus["TutorialServer"]) -> None:
        with trio.socket.socket() as listening:
            await listening.bind(("127.0.0.1", 0))
            listening.listen()
            self.port = listening.getsockname()[1]
            async with trio.open_nursery() as nursery:
                task_status.started(self)
                while True:
                    client, _ = await listening.accept()
                    await self._let_in(client)
                    nursery.start_soon(self._handle, client)

    async def _let_in(self, client: trio.socket.SocketType) -> None:
        if self._slow:
            with trio.move_on_after(1):
                await client.recv(1, trio.socket.MSG_PEEK)
        await client.send(b"NICK")
        nickname = (await client.recv(_READ)).decode("ascii")
        self._nicknames[client] = nickname
        joined, connected = f"{nickname} joined!".encode("ascii"), b"Connected to server!"
        if self._glued:
            await client.send(joined + connected + self._glued)
        else:
            await self.broadcast(joined)
            await client.send(connected)

    async def broadcast(self, message: bytes) -> None:
        for client in self._nicknames:
            await client.send(message)

    async def _handle(self, client: trio.socket.SocketType) -> None:
        with client:
            try:
                while message := await client.recv(_READ):
                    self.received.append(message)
                    await self.broadcast(message)
                await trio.sleep_forever()  # its thread spins, and nobody hears of the close
            except OSError:
                nickname = self._nicknames.pop(client)
                await self.broadcast(f"{nickname} left!".encode("ascii"))


class TutorialClient:
    """Answers NICK, shows all else, and puts its nickname before what its person types."""

    def __init__(self, nickname: str, stream: trio.SocketStream) -> None:
        self._nickname, self._stream = nickname, stream
        self.asked = 0  # how often it was asked for its nickname
        self.shown = Output()

    async def listen(self) -> None:
        await self.shown.collect(self._messages())

    async def _messages(self) -> AsyncIterator[bytes]:
        while data := await self._stream.receive_some(_READ):
            message = data.decode("ascii")  # one byte that is not ASCII ends the real one
            if message == "NICK":
                self.asked += 1
                await self._stream.send_all(self._nickname.encode("ascii"))
            else:
                yield data

    async def say(self, *texts: str) -> None:
        """Type these lines; several are sent so quickly that they arrive as one piece."""
        messages = [f"{self._nickname}: {text}" for text in texts]
        await self._stream.send_all("".join(messages).encode("ascii"))

    async def until(self, expected: str) -> str:
        return await self.shown.until(expected)


@asynccontextmanager
async def tutorial_client(port: int, nickname: str) -> AsyncIterator[TutorialClient]:
    """Connected, and listening."""
    with trio.fail_after(3 * PATIENCE):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream, trio.open_nursery() as nursery:
            client = TutorialClient(nickname, stream)
            nursery.start_soon(client.listen)
            yield client
            nursery.cancel_scope.cancel()
