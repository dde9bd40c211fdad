"""Servers and raw clients for tests: bytes on one side, a real server on the other."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import trio
import trio.testing

from trio_chat.app import open_log
from trio_chat.server.health import Health
from trio_chat.server.server import Server
from trio_chat.server.transport import Link
from trio_chat.settings import (
    AccountSettings,
    HistorySettings,
    LimitSettings,
    ServerSettings,
    Settings,
    TlsSettings,
)
from trio_chat.storage.base import Log

_ON_A_FREE_PORT = Settings(port=0)  # made once: it looks for each setting in the environment

PATIENCE = 50  # seconds that a test waits for what must come


def settings(**sections: dict[str, Any]) -> Settings:
    """Settings on a free port, with history in memory; ``limits``, ``server``, ``tls`` and
    ``history`` as dicts.
    """
    return _ON_A_FREE_PORT.model_copy(
        update={
            "accounts": AccountSettings(**{"iterations": 4096, **sections.get("accounts", {})}),
            "limits": LimitSettings(**sections.get("limits", {})),
            "server": ServerSettings(**sections.get("server", {})),
            "tls": TlsSettings(**sections.get("tls", {})),
            "history": HistorySettings(**{"store": "memory:", **sections.get("history", {})}),
        }
    )


class Peer:
    """A client that sends and receives bytes as a test tells it to."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self.received = bytearray()
        self._read = 0

    async def send(self, data: bytes) -> None:
        with trio.fail_after(PATIENCE):
            await self.stream.send_all(data)

    async def until(self, wanted: str) -> str:
        """Everything new that was received, up to and with ``wanted``."""
        sought = wanted.encode()
        with trio.fail_after(PATIENCE):
            while (found := self.received.find(sought, self._read)) < 0:
                data = await self.stream.receive_some(65536)
                assert data, f"closed before {wanted!r}: {self.received[self._read :]!r}"
                self.received += data
        begin, self._read = self._read, found + len(sought)
        return self.received[begin : self._read].decode()

    async def rest(self) -> str:
        """Everything new until the server closes."""
        with trio.fail_after(PATIENCE):
            async for data in self.stream:
                self.received += data
        begin, self._read = self._read, len(self.received)
        return self.received[begin:].decode()

    async def enter(self, nick: str) -> "Peer":
        """Say a nickname and wait to be let in."""
        await self.send(f"{nick}\n".encode())
        await self.until("/help for more.\n")
        return self


class House:
    """A running server, and the peers that a test has there; all of them go when it ends."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.peers: list[Peer] = []

    @property
    def servers(self) -> Sequence[Server]:
        """All servers of the chat."""
        return [self.server]

    @property
    def port(self) -> int:
        return self.server.addresses[0].port

    async def connect(self, nick: str = "") -> Peer:
        """A peer over TCP; with a nickname it has been let in."""
        return await self.take_in(await trio.open_tcp_stream("127.0.0.1", self.port), nick)

    async def link(self, nick: str = "", address: str = "memory") -> Peer:
        """A peer over memory, where the test's clock rules."""
        ours, theirs = trio.testing.memory_stream_pair()
        self.server.take(Link(theirs, address))
        return await self.take_in(ours, nick)

    async def people(self, *nicks: str) -> list[Peer]:
        """Peers that have been let in one after the other, and have read that."""
        peers = []
        for nick in nicks:
            peers.append(await self.connect(nick))
            for earlier in peers[:-1]:
                await earlier.until(f"{nick} joined!\n")
        return peers

    async def take_in(self, stream: trio.abc.HalfCloseableStream, nick: str = "") -> Peer:
        """A peer over a stream that has been connected."""
        peer = Peer(stream)
        self.peers.append(peer)
        return await peer.enter(nick) if nick else peer


@asynccontextmanager
async def running(
    chosen: Settings | None = None,
    log: Log | None = None,
    *,
    own_certificate: Path | None = None,
    clock: Callable[[], float] = time.time,
    admin: Path | None = None,
    health: Health | None = None,
) -> AsyncIterator[House]:
    """A server on loopback, stopped at once at the end of the block; with its own log or this."""
    chosen = chosen or settings()
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        log = log or await stack.enter_async_context(open_log(chosen))
        server = Server(
            chosen, log, b"a key", own_certificate=own_certificate, clock=clock, admin=admin,
            health=health,
        )  # fmt: skip
        await nursery.start(server.run)
        house = House(server)
        try:
            yield house
        finally:
            nursery.cancel_scope.cancel()  # first, or it would see people leave in order
            with trio.CancelScope(shield=True):
                for peer in house.peers:
                    await trio.aclose_forcefully(peer.stream)
