"""The part that a node takes in a chat of several nodes."""

from collections.abc import Collection, Mapping, Sequence

import trio

from trio_chat.core.checkpoint import Checkpoint
from trio_chat.errors import CannotOpenStore, Unavailable
from trio_chat.storage.base import Membership, Node
from trio_chat.storage.shared.order import Order
from trio_chat.storage.shared.wire import Wire


class NodeMembership(Membership):
    """What a ``node`` knows of the others, by an order, and tells them in what is written by a
    ``wire``.
    """

    def __init__(self, order: Order, wire: Wire, node: str) -> None:
        self._order, self._wire, self.node = order, wire, node
        self.gone, self.lost = order.gone, order.lost
        self.begin, self.end = order.base, order.end
        self._found: Checkpoint | None = None

    async def look(self) -> None:
        """Look where the tail begins: after the last checkpoint, if there is one. Raises
        CannotOpenStore.
        """
        try:
            found = await self._order.load()
        except Unavailable as error:
            raise CannotOpenStore(str(error)) from error
        if found:
            self.begin, sealed = found
            self._found = await trio.to_thread.run_sync(self._wire.open_checkpoint, sealed)

    @property
    def why(self) -> str:
        return self._order.why

    @property
    def nodes(self) -> Sequence[Node]:
        return self._order.nodes

    @property
    def names(self) -> Mapping[str, str]:
        return self._order.names

    @property
    def is_up(self) -> bool:
        return self._order.is_up

    @property
    def behind(self) -> int | None:
        return self._order.behind

    @property
    def alive(self) -> Collection[str]:
        return self._order.alive

    async def checkpoint(self) -> Checkpoint | None:
        await trio.lowlevel.checkpoint()
        found, self._found = self._found, None  # it may be large
        return found

    async def save(self, checkpoint: Checkpoint) -> None:
        sealed = await trio.to_thread.run_sync(self._wire.seal_checkpoint, checkpoint)
        await self._order.save(checkpoint.id, sealed)

    async def cleared(self, node: str) -> None:
        await self._order.cleared(node)

    async def leave(self) -> None:
        await self._order.leave()
