"""Several nodes of one chat in one process: real servers, whose logs share an order in memory.

Whatever one of them appends comes out of the tail of each, in the same order. The tail of one can
be held back, so that its server judges by what it has not seen yet.
"""

import itertools
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib import import_module
from secrets import token_hex
from typing import Any, cast

import trio

from irc_peers import settings
from peers import PATIENCE, House, Peer, running
from trio_chat.core.checkpoint import Checkpoint
from trio_chat.core.events import Entry, Event
from trio_chat.errors import Fenced, Unavailable
from trio_chat.server.server import Server
from trio_chat.settings import Settings
from trio_chat.storage.base import START, Log, Membership
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.tail import Intake, Tail


class Order(MemoryLog):
    """The order and the history that all nodes share, as if each had an equal copy."""

    def __init__(self) -> None:
        super().__init__(per_room=1000, total_bytes=10_000_000, rooms=1000)
        self.nodes: list[Node] = []
        self.names: dict[str, str] = {}
        self.shown: list[Entry] = []
        self._intake = cast("Intake", _Everywhere(self.nodes, self.shown))


class _Everywhere:
    """The intake of the order: what is shown goes to all nodes."""

    def __init__(self, nodes: "list[Node]", shown: list[Entry]) -> None:
        self._nodes, self._shown = nodes, shown

    @property
    def in_use(self) -> set[str]:
        return self._nodes[0].intake.in_use

    async def take_place(self) -> None:
        taken: list[Node] = []
        try:
            for node in [*self._nodes]:
                await node.intake.take_place()
                taken.append(node)
        except BaseException:
            for node in taken:
                node.intake.give_back()
            raise

    def give_back(self) -> None:
        for node in self._nodes:
            node.intake.give_back()

    def show(self, entries: Sequence[Entry]) -> None:
        self._shown += entries
        for node in self._nodes:
            node.take(entries)


class _Membership(Membership):
    """The part of a node in the chat: it is told which are gone, one by one."""

    def __init__(self, node: "Node", order: Order) -> None:
        self._node, self._order = node, order
        self._tell, self.gone = trio.open_memory_channel[str](10)
        self.lost = trio.Event()
        self.is_clear = trio.Event()
        self.begin, self.end = order.newest, START
        self.found: Checkpoint | None = None  # where the node begins, if not at the beginning

    @property
    def why(self) -> str:
        return "it is lost"

    @property
    def names(self) -> Mapping[str, str]:
        return self._order.names

    @property
    def alive(self) -> Collection[str]:
        return [node.node for node in self._order.nodes]

    async def checkpoint(self) -> Checkpoint | None:
        await trio.lowlevel.checkpoint()
        return self.found

    async def tell(self, node: str) -> None:
        """Tell that a node is gone, and wait until that has been seen to."""
        self._tell.send_nowait(node)
        with trio.fail_after(PATIENCE):
            await self.is_clear.wait()

    async def cleared(self, node: str) -> None:
        await trio.lowlevel.checkpoint()
        self.is_clear.set()

    async def leave(self) -> None:
        await trio.lowlevel.checkpoint()


class Node:
    """The log of one node; what it does not do itself, the order does."""

    def __init__(self, order: Order) -> None:
        self.node = token_hex(4)
        self.intake = Intake()
        self._order, self._held = order, list[Sequence[Entry]]()
        self._is_held, self.shown = False, ""
        self.is_dead = False  # whether nothing that it appends reaches the order any more
        self.is_cut_off = False  # whether it cannot append anything for now
        self.is_fenced = False  # whether it is to find out, as it appends, that it is lost
        self._changed = trio.Event()
        self.membership = _Membership(self, order)
        order.nodes.append(self)
        order.names[self.node] = f"node-{len(order.nodes)}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._order, name)

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        """As the order does; but then all other nodes that are not held back have shown it, too, so
        that a test need not wait for that.
        """
        if self.is_dead:
            raise trio.BrokenResourceError
        if self.is_cut_off:
            raise Unavailable("the order is out of reach")
        if self.is_fenced:
            self.membership.lost.set()
            raise Fenced
        entries = await self._order.append(room, events, **how)
        for node in [*self._order.nodes]:
            if node is not self:
                await node.until_shown(entries[-1].id)
        return entries

    async def until_shown(self, id: str) -> None:
        while self.shown < id and not self._is_held and self in self._order.nodes:
            await self._changed.wait()

    def note_shown(self, id: str) -> None:
        self.shown = max(self.shown, id)
        self._change()

    def _change(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    def take(self, entries: Sequence[Entry]) -> None:
        if self._is_held:
            self._held.append(entries)
            self._change()
            return
        with suppress(trio.BrokenResourceError):  # it stops, and the others go on
            self.intake.show(entries)

    def begin_with_the_first(self) -> None:
        """Show this node all that there has been, as where there is no checkpoint yet."""
        self.membership.begin = START
        for entry in self._order.shown:
            self.take([entry])

    def hold(self) -> None:
        """Show this node nothing more."""
        self._is_held = True
        self._change()

    @property
    def held(self) -> int:
        """How many appends are held back."""
        return len(self._held)

    async def until_held(self, number: int) -> None:
        """Wait until so many appends of anybody's are held back."""
        with trio.fail_after(PATIENCE):
            while len(self._held) < number:
                await self._changed.wait()

    def go_on(self) -> None:
        """Show it what was held back, and all that comes."""
        self._is_held = False
        held, self._held = self._held, []
        for entries in held:
            self.take(entries)

    @asynccontextmanager
    async def tail(self) -> AsyncIterator[Tail]:
        try:
            async with self.intake.tail() as tail:
                yield _Tail(self, tail)
        finally:
            self._order.nodes.remove(self)
            self._change()


class _Tail(Tail):
    """A tail that notes what has been shown: all that came before whoever reads it asks again."""

    def __init__(self, node: Node, tail: Tail) -> None:
        super().__init__(tail._fresh, tail._places)
        self._node, self._given = node, ""

    async def __anext__(self) -> Sequence[Entry]:
        self._node.note_shown(self._given)
        batch = await super().__anext__()
        self._given = batch[-1].id
        return batch

    def waiting(self) -> Sequence[Entry]:
        batch = super().waiting()
        self._given = batch[-1].id if batch else self._given
        return batch


@asynccontextmanager
async def twins(
    number: int = 2, chosen: Settings | None = None, order: Order | None = None
) -> AsyncIterator[list[House]]:
    """So many nodes of one chat; each has an operator "boss" with the password "sesame"."""
    order = order or Order()
    async with AsyncExitStack() as stack:
        nodes = [Node(order) for _ in range(number)]
        chosen = chosen or settings()
        yield [
            await stack.enter_async_context(running(chosen, cast("Log", node))) for node in nodes
        ]


class Spread(House):
    """Several nodes that look like one server: each connection is to the next one."""

    def __init__(self, houses: Sequence[House]) -> None:
        super().__init__(houses[0].server)
        self.houses = houses
        self._next = itertools.cycle(houses)

    @property
    def servers(self) -> Sequence[Server]:
        return [house.server for house in self.houses]

    @property
    def port(self) -> int:
        return next(self._next).port

    async def connect(self, nick: str = "") -> Peer:
        return await next(self._next).connect(nick)

    async def link(self, nick: str = "", address: str = "memory") -> Peer:
        return await next(self._next).link(nick, address)


@asynccontextmanager
async def spread(chosen: Settings | None = None) -> AsyncIterator[House]:
    """Two nodes that look like one server."""
    async with twins(2, chosen) as houses:
        yield Spread(houses)


def node_of(house: House) -> Node:
    """The log of a node."""
    return cast("Node", house.server._log)


def those_of(*modules: str, but: Collection[str] = ()) -> dict[str, Any]:
    """The tests of these modules of ``server`` that need nothing but a ``house``, by names that
    differ.
    """
    return {
        f"{module}_{name.removeprefix('test_')}": test
        for module in modules
        for name, test in vars(import_module(f"server.{module}")).items()
        if name.startswith("test_")
        and "house" in getattr(test, "__annotations__", {})
        and name not in but
    }
