"""Nodes in this process that share an engine, each with a history of its own in a file."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from unittest import mock

import engines
from engines import fresh, the_engine
from peers import House, Peer, running, settings
from trio_chat.app import open_log
from trio_chat.core.checkpoint import checkpoint
from trio_chat.core.events import Said
from trio_chat.core.queries import Span
from trio_chat.settings import NodeSettings, Settings
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.records import padded
from trio_chat.storage.typed_json import to_json

KEY = bytes(32)


@asynccontextmanager
async def node(
    address: Address,
    file: Path,
    chosen: Settings | None = None,
    *,
    key: bytes = KEY,
    lease: float = 2,
    patience: float = 10,
    admin: Path | None = None,
) -> AsyncIterator[House]:
    """A node with its history in this file. At the end it is gone without a word."""
    chosen = chosen or settings()
    through = f"unix:{address.path}?{address.name}"
    nodes = NodeSettings(through=through, name=file.stem, lease=lease, patience=patience)
    history = chosen.history.model_copy(update={"store": str(file)})
    chosen = chosen.model_copy(update={"nodes": nodes, "history": history})
    async with open_log(chosen, lambda: key) as log, running(chosen, log, admin=admin) as house:
        yield house


@asynccontextmanager
async def in_step(
    folder: Path, chosen: Settings | None = None, *, admin: Path | None = None
) -> AsyncIterator[list[House]]:
    """Two nodes, where nobody sends anything before both have shown all that there is, so that a
    test need not wait for that. The first one has the socket for operators.
    """
    address = fresh(the_engine())
    async with AsyncExitStack() as stack:
        houses = [
            await stack.enter_async_context(
                node(address, folder / f"{name}.db", chosen, lease=10, admin=socket)
            )
            for name, socket in (("a", admin), ("b", None))
        ]
        send = Peer.send

        async def send_in_step(peer: Peer, data: bytes) -> None:
            await level(address, *houses)
            await send(peer, data)

        stack.enter_context(mock.patch.object(Peer, "send", send_in_step))
        yield houses


async def level(address: Address, *houses: House) -> None:
    """Wait until these have shown all that there is."""
    for [last, _] in the_engine().redis.xrevrange(f"{{{address.name}}}log", count=1):
        for house in houses:
            await house.server._hub.progress.until_shown(padded(last.encode()))


async def texts(house: House, room: str = "#lobby") -> Sequence[str]:
    """What has been said in a room, by the history of a node."""
    found = await house.server._log.history(room, Span(), limit=1000, said=True)
    return [entry.event.text for entry in found if isinstance(entry.event, Said)]


async def agree(*houses: House) -> None:
    """Wait until all have the same state, and look whether they have the same history."""
    chats = [house.server._hub.chat for house in houses]
    await engines.until(lambda: len({to_json(checkpoint(chat, "")) for chat in chats}) == 1)
    assert len({tuple(await texts(house)) for house in houses}) == 1
