"""The one order of all events of a chat that several servers share: places for records, and the
records in their order.

Two threads talk to the engine, each over a connection of its own: one asks, and has one call under
way; the other one reads. Nothing here knows what a record says.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.base import START
from trio_chat.storage.shared.address import Address
from trio_chat.storage.shared.calls import Calls
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.flushes import Flushes
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.reading import Reading
from trio_chat.storage.shared.records import ZERO, Append, Place


class Enrolment:
    """Lets a node take part, from the id on that it has ``seen``."""

    is_wanted = True

    def __init__(self, node: str, seen: str) -> None:
        self._node, self._seen = node, seen
        self.base, self.down = "", ""
        self.done = trio.Event()

    def ask(self, engine: Engine) -> None:
        """Ask to take part."""
        self.base = engine.call("enrol", self._node, self._seen).decode()

    def finish(self, down: str) -> None:
        """Let whoever waits know."""
        self.down = down
        self.done.set()


class Order:
    """The shared order, for one node. Have it by ``open_order``. For trio's thread."""

    def __init__(self, address: Address, password: str, *, lease: float) -> None:
        # A call that has no answer is repeated while the lease still lasts.
        self._timeout = lease / 2
        self._address, self._password = address, password
        self._library = Library(address.name)
        self._calls = Calls(self._engine(self._timeout))
        self._reading: Reading | None = None
        self._flushes: Flushes
        #: The id after which the order begins; what is older is nobody's but this node's.
        self.base = ZERO

    async def place(self, append: Append) -> Sequence[Place]:
        """Give places to records. Raises Conflict, Unavailable if the engine does not answer in
        time (the text says whether it may still happen), and Fenced if the others think that this
        node is gone.

        If it is cancelled, it may or may not have happened.
        """
        return await self._flushes.place(append)

    def entries(self, after: str) -> Reading:
        """The entries after an id, in batches, for ever. Ask once: there is one reader."""
        if self._reading:
            raise RuntimeError("there is one reader already")
        engine = self._engine(2 * self._timeout)
        self._reading = Reading(engine, self._library, after, block=self._timeout)
        return self._reading

    def _engine(self, timeout: float) -> Engine:
        return Engine(self._address, self._password, self._library, timeout=timeout)

    async def _open(self, node: str, *, seen: str, keep: int, patience: float) -> None:
        self._calls.start()
        enrolment = Enrolment(node, ZERO if seen == START else seen)
        self._calls.make(enrolment)
        with trio.move_on_after(patience):
            await enrolment.done.wait()
        if not enrolment.base:
            raise CannotOpenStore(f"The engine at {self._address} does not answer.")
        self.base = enrolment.base
        self._flushes = Flushes(self._calls, node, keep=keep, patience=patience)

    def _close(self) -> None:
        if self._reading:
            self._reading.close()
        self._calls.close()


@asynccontextmanager
async def open_order(
    address: Address,
    password: str = "",
    *,
    node: str,
    lease: float = 4,
    patience: float = 10,
    keep: int = 200_000,
    seen: str = START,
) -> AsyncIterator[Order]:
    """Take part in the order of a chat, as a ``node`` that has never taken part before, and has
    ``seen`` what is up to that id. Raises CannotOpenStore.

    Whoever is silent for longer than its ``lease`` (seconds) is gone for the others. An append is
    given up after ``patience`` seconds. The engine keeps about so many entries as ``keep`` has it.
    """
    order = Order(address, password, lease=lease)
    try:
        await order._open(node, seen=seen, keep=keep, patience=patience)
        yield order
    finally:
        with trio.CancelScope(shield=True):  # it interrupts what the threads wait for
            await trio.to_thread.run_sync(order._close)
