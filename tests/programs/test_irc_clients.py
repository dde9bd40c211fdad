"""Real IRC clients do with us what they do with any server, and nothing odd goes over the wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from irc_clients import CLIENTS, Bot
from peers import House, Peer, running, settings
from processes import free_port
from wiretap import Wiretap

pytestmark = pytest.mark.programs


class Site:
    """A server that goes and comes again, with its history, behind a wiretap on one port. It asks
    soon whether clients are there, and somebody on a plain connection always is.
    """

    house: House
    nettie: Peer

    def __init__(self, nursery: trio.Nursery, port: int, store: Path) -> None:
        self.tap, self.port = Wiretap(), port
        self._nursery = nursery
        # Some clients send few lines a second, and a PONG in its turn: 3 s are enough for that.
        self._settings = settings(limits={"ping": 3}, history={"store": str(store)})

    async def open(self) -> None:
        await self._nursery.start(self._serve)

    async def close(self) -> None:
        self.tap.refuse()
        self.house.server.stop()
        await self._closed.wait()

    async def _serve(self, task_status: trio.TaskStatus[None]) -> None:
        self._closed = trio.Event()
        async with running(self._settings) as self.house:
            # Before a client that has waited for the server can come back.
            self.nettie = await self.house.connect("nettie")
            async with self.tap.listen(self.port, self.house.port):
                task_status.started()
                await self.house.server.stopped.wait()
        self._closed.set()


@asynccontextmanager
async def site(store: Path) -> AsyncIterator[Site]:
    with free_port() as port:
        async with trio.open_nursery() as nursery:
            it = Site(nursery, port, store)
            await it.open()
            yield it
            await it.close()


@pytest.mark.parametrize("name", CLIENTS)
async def test_it_talks_stays_and_comes_back(name: str, tmp_path: Path) -> None:
    async with site(tmp_path / "chat.db") as here:
        await here.nettie.send(b"long before\n")
        await here.nettie.until("nettie: long before\n")
        async with CLIENTS[name](here.port, tmp_path) as client:
            await client.join()
            await here.nettie.until("bob joined!\n")
            await here.nettie.send("hello, zoë\n".encode())
            await client.hear("hello, zoë")
            await client.say("hello, all")
            await here.nettie.until("bob: hello, all\n")
            await here.tap.until_said("PONG", times=2)
            await here.close()
            await here.open()
            await client.come_back()
            await client.join()
            await here.nettie.until("bob joined!\n")
            await here.nettie.send(b"welcome back\n")
            await client.hear("welcome back")
            await client.say("here again")
            await here.nettie.until("bob: here again\n")
            await client.quit()
            await here.nettie.until("bob left!\n")
            if isinstance(client, Bot):
                assert client.heard() == ["hello, zoë", "welcome back"]  # and not what was before
            assert client.complaints() == [], "\n".join(client.complaints())
        assert here.tap.odd() == []
