"""The part that a node takes in a chat of several nodes."""

from collections.abc import Callable, Collection, Mapping, Sequence

import trio

from trio_chat.core.checkpoint import Checkpoint
from trio_chat.errors import CannotOpenStore, Unavailable
from trio_chat.storage.base import Membership, Node
from trio_chat.storage.shared.order import Order
from trio_chat.storage.shared.wire import Wire


async def open_wire(
    order: Order, key: Callable[[], bytes], need_key: Callable[[], None]
) -> tuple[Wire, tuple[str, Checkpoint] | None]:
    """How the nodes write to each other, and the last checkpoint, if there is one, with its id.

    Then the others have a ``key``, and this node does not make one. Raises CannotOpenStore and
    SettingsError.
    """
    try:
        found = await order.load()
    except Unavailable as error:
        raise CannotOpenStore(str(error)) from error
    if not found:
        return Wire(key()), None
    need_key()
    wire, (id, sealed) = Wire(key()), found
    return wire, (id, await trio.to_thread.run_sync(wire.open_checkpoint, sealed))


class NodeMembership(Membership):
    """What a ``node`` knows of the others, by an order, and tells them in what is written by a
    ``wire``. The tail begins after the checkpoint that was ``found``.
    """

    def __init__(
        self, order: Order, wire: Wire, node: str, found: tuple[str, Checkpoint] | None
    ) -> None:
        self._order, self._wire, self.node = order, wire, node
        self.gone, self.lost = order.gone, order.lost
        self.begin, self.end = order.base, order.end
        self._found: Checkpoint | None = None
        if found:
            self.begin, self._found = found

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
