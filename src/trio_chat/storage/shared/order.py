"""The one order of all events of a chat that several servers share: places for records, and the
records in their order.

Two threads talk to the engine, each over a connection of its own: one asks, and has one call under
way; the other one reads. Nothing here knows what a record says.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from trio_chat.errors import CannotOpenStore, Fenced, SettingsError, Unavailable
from trio_chat.settings.engine import Address
from trio_chat.storage.base import START, Node
from trio_chat.storage.shared.calls import Calls, Question
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.flushes import Flushes
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.look import look_at
from trio_chat.storage.shared.nodes import Beat
from trio_chat.storage.shared.reading import Reading
from trio_chat.storage.shared.records import ZERO, Append, Place, Record, padded

#: What a checkpoint has at the most, in bytes: the engine has it in memory, and sends it while
#: nobody else gets an answer.
CHECKPOINT = 64 * 1024 * 1024

# Beats within a lease: some may be late, or be lost with a connection.
_BEATS = 4

# What the engine does not do, by the setting that is wrong.
_REFUSED = {
    "nodes.password": "the engine at {} lets nobody in with that",
    "nodes.through": "the engine at {} does not let its user do what a node of this chat has to do",
}


class Order:
    """The shared order, for one node. Have it by ``open_order``. For trio's thread."""

    def __init__(
        self,
        address: Address,
        password: str,
        node: str,
        *,
        lease: float,
        patience: float,
        keep: int,
    ) -> None:
        self._address, self._password, self._node = address, password, node
        self._lease, self._patience, self._keep = lease, patience, keep
        # A call that has no answer is repeated while the lease still lasts.
        self._timeout = lease / 2
        self._library = Library(address.name)
        self._beat = Beat(node, self._seen, self._fence)
        self._calls = Calls(self._engine(self._timeout), self._beat, every=lease / _BEATS)
        self._flushes = Flushes(
            self._calls,
            node,
            keep=keep,
            patience=patience,
            on_fenced=self._fence,
            on_healing=self._heal,
        )
        self._reading: Reading | None = None
        #: The id after which the order begins; what is older is nobody's but this node's.
        self.base = ZERO
        #: What is noted in the files of all nodes, and in those of no other chat.
        self.chat = ""
        #: Whether the chat begins with this node; and how many others were there when it came.
        self.begins, self.others = False, 0
        #: The id of the last entry that there was when this node came.
        self.end = ZERO
        #: Set once this node takes part no more.
        self.lost = trio.Event()
        #: Why, unless the reader finds something else.
        self.why = str(Fenced())
        #: Gives the ids of nodes whose leases have lapsed, and which this one has to clear up: when
        #: it has appended that their people are gone, it calls ``cleared``. If it goes before, they
        #: are another one's to clear up.
        self.gone: trio.MemoryReceiveChannel[str] = self._beat.gone

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes that live, as of the last beat; those that came first are first."""
        return self._beat.nodes

    @property
    def names(self) -> Mapping[str, str]:
        """Their names by their ids, now and later."""
        return self._beat.names

    @property
    def alive(self) -> Collection[str]:
        """The ids of these."""
        return [node.id for node in self.nodes]

    @property
    def is_up(self) -> bool:
        """Whether the engine has answered the last time."""
        return not self._calls.down

    @property
    def behind(self) -> int | None:
        """How many entries there are that were not taken yet, as of the last beat; None if the
        engine has not answered since.
        """
        if not self.is_up:
            return None
        return max(self._beat.count - self._reading.count, 0) if self._reading else 0

    @property
    def epoch(self) -> str:
        """The run of the engine whose entries are read. If another one begins between an entry's
        place and its turn to be read, it may be lost: ask ``has``.
        """
        return self._reading.epoch if self._reading else ""

    async def place(self, append: Append) -> Sequence[Place]:
        """Give places to records. Raises Conflict, Unavailable if the engine does not answer in
        time (the text says whether it may still happen), and Fenced if the others think that this
        node is gone.

        If it is cancelled, it may or may not have happened.
        """
        return await self._flushes.place(append)

    def entries(
        self, after: str, store: Callable[[Sequence[Record]], None] = lambda records: None
    ) -> Reading:
        """The entries after an id, in batches, for ever. Ask once: there is one reader. Each batch
        is stored first, in another thread: ``store`` is called until it raises no Unavailable.

        Raises Fenced if the others think that this node is gone, and Missed if the next entry is
        not there any more, or the engine has lost the last one, and no node could give it back.
        """
        if self._reading:
            raise RuntimeError("there is one reader already")
        engine = self._engine(2 * self._timeout)
        self._reading = Reading(
            engine,
            self._library,
            self._node,
            ZERO if after == START else after,
            store,
            block=self._timeout,
            keep=self._keep,
            on_fenced=self._fence,
        )
        return self._reading

    async def has(self, id: str) -> bool:
        """Whether the engine has an entry, for sure. Raises Unavailable."""
        reply: bytes = await self._ask("resume", self._node, id)
        return reply.startswith(b"ok")

    async def cleared(self, node: str) -> None:
        """Let the engine forget a node that was ``gone``. Raises Unavailable."""
        await self._ask("clear", self._node, node)

    async def leave(self) -> None:
        """Take part no more, now that the people of this node have gone. Without it, they are the
        others' to clear up. Raises Unavailable.
        """
        await self._ask("leave", self._node)

    async def save(self, id: str, data: bytes) -> bool:
        """Keep a checkpoint, the state of all after an entry, for nodes that start; unless there is
        one of a later entry. Returns whether it is kept. Raises Unavailable.
        """
        if len(data) > CHECKPOINT:
            raise ValueError(f"{len(data):,} bytes are too many for a checkpoint")
        return bool(await self._ask("save", id, data))

    async def load(self) -> tuple[str, bytes] | None:
        """The last checkpoint: the id of its entry, and its data. Raises Unavailable."""
        found = await self._ask("load")
        return (found[0].decode(), found[1]) if found else None

    async def _ask(self, function: str, *words: str | bytes) -> Any:
        question = Question(function, *words)
        self._calls.make(question)
        return await self._answer(question)

    async def _answer(self, question: Question) -> Any:
        try:
            with trio.move_on_after(self._patience):
                await question.done.wait()
        finally:
            question.is_wanted = False
        if not question.is_answered:
            raise Unavailable("The engine that the servers share does not answer.")
        return question.reply

    def _engine(self, timeout: float) -> Engine:
        return Engine(self._address, self._password, self._library, timeout=timeout)

    def _seen(self) -> str:
        return self._reading.seen if self._reading else self.base

    def _fence(self) -> None:
        self.lost.set()
        self._flushes.fence()
        if self._reading:
            self._reading.fail(Fenced())

    def _heal(self) -> None:
        if self._reading:
            self._reading.look()

    async def _open(self, name: str, seen: str, chat: str) -> None:
        lease = str(int(self._lease * 1000))
        enrolment = Question("enrol", self._node, name, lease, seen, chat)
        self._calls.start(enrolment)
        try:
            base, end, found, begins, self.others = await self._answer(enrolment)
        except Unavailable as error:
            why = self._calls.down or "it is too slow"
            if refused := self._calls.refused:
                what = _REFUSED[refused.setting].format(self._address)
                raise SettingsError(f"{refused.setting}: {what}: {refused}") from error
            raise CannotOpenStore(
                f"The engine at {self._address} does not answer: {why}"
            ) from error
        self._beat.names[self._node] = name  # before the first beat
        self.base, self.end, self.chat = base.decode(), padded(end), found.decode()
        self.begins = bool(begins)
        look_at(self._address, self._password, self._calls.info)

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
    name: str = "",
    lease: float = 4,
    patience: float = 10,
    keep: int = 200_000,
    seen: str = START,
    chat: str = "",
) -> AsyncIterator[Order]:
    """Take part in the order of a chat, as a ``node`` that has never taken part before, and has
    ``seen`` what is up to that id. Its ``name`` is for people, ``chat`` the id of the chat, if
    nobody has been there before. Raises CannotOpenStore, and SettingsError if the engine wants
    another password.

    Whoever is silent for longer than its ``lease`` (seconds) is gone for the others. An append is
    given up after ``patience`` seconds. The engine keeps about so many entries as ``keep`` has it.
    """
    order = Order(address, password, node=node, lease=lease, patience=patience, keep=keep)
    try:
        await order._open(name, ZERO if seen == START else seen, chat)
        yield order
    finally:
        with trio.CancelScope(shield=True):  # it interrupts what the threads wait for
            await trio.to_thread.run_sync(order._close)
