"""The log that several servers share: an engine gives the order, and each keeps a copy of its own.

What is appended goes to the engine, comes out of its stream on each node in the same order, is
written to the node's file, and only then shown. So what anybody has seen is in a file, history and
search are the file's, and they go on while the engine is away.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import groupby
from pathlib import Path
from secrets import token_hex
from typing import Any

import trio

from trio_chat.core.events import Entry, Event, Said, Unknown, is_persistent, is_promised
from trio_chat.errors import (
    CannotOpenStore,
    Conflict,
    Fenced,
    Gone,
    Missed,
    SettingsError,
    Taken,
    Unavailable,
)
from trio_chat.settings.engine import Address
from trio_chat.storage.base import Move, Secret
from trio_chat.storage.codec import Unreadable
from trio_chat.storage.ids import pack
from trio_chat.storage.noted import is_noted
from trio_chat.storage.shared.membership import NodeMembership, open_wire
from trio_chat.storage.shared.order import Order, open_order
from trio_chat.storage.shared.records import Append, Place, Record
from trio_chat.storage.shared.wire import Told, Wire
from trio_chat.storage.sqlite import read, waiting
from trio_chat.storage.sqlite.jobs import Job
from trio_chat.storage.sqlite.log import Parts, SqliteLog, open_parts
from trio_chat.storage.sqlite.rows import complain, row_of
from trio_chat.storage.sqlite.store import Replica
from trio_chat.storage.sqlite.whose import chat_of, note_chat

logger = logging.getLogger(__name__)

# Entries that are shown in one place of the intake.
_TOGETHER = 32

_NO_COPY = (
    "This server's history does not reach to where the other servers of the chat are. Make a "
    "backup on one of them with 'trio-chat history backup', and restore it here with "
    "'trio-chat history restore'."
)
_OF_ANOTHER = (
    "nodes.through: {path} is the history of another chat than the one at {address}: see "
    "history.store, too; or move the file away"
)

# For so long those wait who want to know whether this store still lives.
_SETTLED = 5.0  # seconds

_BEHIND = "This was stored, but this server cannot keep up with the others just now."
_LOST = "The engine that the servers share has lost this."


@asynccontextmanager
async def open_shared(
    path: Path,
    address: Address,
    password: str,
    key: Callable[[], bytes],
    *,
    need_key: Callable[[], None] = lambda: None,
    name: str,
    lease: float = 4,
    patience: float = 10,
    keep: int = 200_000,
    **how: Any,
) -> AsyncIterator["SharedLog"]:
    """Take part in the chat at an ``address``, with the copy in a file (``sqlite.log.open_parts``).

    ``key`` gives the chat's, 32 bytes, which all nodes have; where others have one already,
    ``need_key`` is called before, and raises SettingsError if there is none here. The rest is that
    of ``open_order``. Raises CannotOpenStore and SettingsError.
    """
    async with open_parts(path, **how) as parts:
        node, seen = token_hex(4), parts.store.ids.last
        chat = chat_of(parts.store.connection)
        async with (
            open_order(
                address,
                password,
                node=node,
                name=name,
                lease=lease,
                patience=patience,
                keep=keep,
                seen=seen,
                chat=chat or token_hex(8),
            ) as order,
            trio.open_nursery() as nursery,
        ):
            if chat and chat != order.chat:
                raise SettingsError(_OF_ANOTHER.format(path=path, address=address))
            if seen < order.base:
                raise CannotOpenStore(_NO_COPY)
            wire, checkpoint = await open_wire(order, key, need_key)
            membership = NodeMembership(order, wire, node, checkpoint)
            log = SharedLog(parts, order, wire, membership, patience=patience)
            if not chat:
                await log.belong()
            _tell(order, address.name, path, has_history=bool(pack(seen)))
            nursery.start_soon(log.replicate)
            yield log
            nursery.cancel_scope.cancel("the log is closed")


def _tell(order: Order, name: str, path: Path, *, has_history: bool) -> None:
    """Log whether the chat begins here: where it should not, the name in ``nodes.through`` is not
    that of the others.
    """
    if not order.begins:
        logger.info(
            "joins the chat %s (other servers there: %d)",
            name,
            order.others,
            extra={"event": "chat-joined", "number": order.others},
        )
    elif has_history:
        logger.warning(
            "begins the chat %s on the engine with the history of %s",
            name,
            path,
            extra={"event": "chat-begun", "path": str(path)},
        )
    else:
        logger.info(
            "begins the chat %s on the engine, with an empty history",
            name,
            extra={"event": "chat-begun"},
        )


class SharedLog(SqliteLog):
    """The ``Log`` of one node; open it with ``open_shared``.

    What must be judged by what is stored is judged by this node's file: whether a message is there
    to be redacted, a name is free, a box is full. Two nodes may so judge differently for a moment.
    What is appended waits for ``patience`` seconds at most.
    """

    def __init__(
        self,
        parts: Parts,
        order: Order,
        wire: Wire,
        membership: NodeMembership,
        *,
        patience: float,
    ) -> None:
        super().__init__(parts, refuse=True)
        self.membership, self.node = membership, membership.node
        self._order, self._wire, self._patience = order, wire, patience
        self._stored = parts.store.ids.last  # by this run, or one before
        self._begin = self._read_up_to = membership.begin
        # Of batches that were read: the entries, and those of them by which a log has moved away.
        self._taken: deque[tuple[Sequence[Entry], Sequence[Entry]]] = deque()
        self._has_read = trio.Event()
        self._is_left = False  # whether the tail has no reader any more
        self._asked: set[trio.Event] = set()  # appends under way, each set when it is done

    @property
    def newest(self) -> str:
        return self._read_up_to

    async def append(
        self,
        room: str,
        events: Sequence[Event],
        *,
        expect: str = "",
        barrier: bool = False,
        secret: Secret | None = None,
        redact: str = "",
        move: Move | None = None,
        by: str = "",
    ) -> Sequence[Entry]:
        told = [Told(event, by) for event in events[:-1]]
        told.append(Told(events[-1], by, secret, redact, move))
        with self._under_way():
            await self._check(room, told, expect)
            records = [(_token(each.event), self._wire.write(each)) for each in told]
            to, known = (move.to, move.expect) if move else ("", "")
            epoch = self._order.epoch
            places = await self._order.place(Append(room, records, expect, barrier, to, known))
            last = max(place.id for place in places)
            with trio.move_on_after(self._patience):
                await self._until_read(last)
                if self._order.epoch != epoch and not await self._order.has(last):
                    raise Unavailable(_LOST)
                placed = zip(told, places, strict=True)
                return [await self._entry(room, *one) for one in placed]
            raise Unavailable(_BEHIND)

    async def _check(self, room: str, told: Sequence[Told], expect: str) -> None:
        """Judge what the file alone knows. Raises BoxFull, Gone, Conflict, Taken and Unavailable as
        ``Log.append``.
        """
        events, last = [each.event for each in told], told[-1]
        if any(map(is_promised, events)):
            await self._read(waiting.check_unknown, events)
        if last.redact and await self.find(room, last.redact, topics=True) is None:
            await self._be_the_same(room, expect)
            raise Gone(f"{last.redact} is not there")
        if last.secret and last.secret.new and await self.secret(last.secret.account):
            await self._be_the_same(room, expect)
            raise Unavailable("That account's entry is damaged: restore it from a backup.")
        if last.move and await self.knows(last.move.to):
            raise Taken(f"there is {last.move.to} already")

    async def _be_the_same(self, room: str, expect: str) -> None:
        """Raise Conflict if the file was another one when what it speaks against was judged."""
        if (barrier := await self._read(read.barrier, room)) > expect:
            raise Conflict(barrier)

    async def _entry(self, room: str, told: Told, place: Place) -> Entry:
        """The entry of an event, or the one that has its token already."""
        if place.found and (found := await self._read(read.entry, place.id)):
            return found
        return Entry(room, place.id, told.event, self._at(place.at), told.by)

    def _at(self, moment: int) -> int:
        """The moment of an entry, by the engine's clock."""
        return moment

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        self._asked.add(done := trio.Event())
        try:
            yield
        finally:
            self._asked.discard(done)
            done.set()

    async def belong(self) -> None:
        """Note in the file of which chat it is from now on. Raises Unavailable."""
        await self._done(Job(lambda store: note_chat(store.connection, self._order.chat)))

    async def settled(self) -> None:
        with trio.move_on_after(_SETTLED):  # an engine that is away is no fault of this store's
            for done in [*self._asked]:
                await done.wait()
        await super().settled()

    # ── what comes from the order ──────────────────────────────────────────────────────────────

    async def replicate(self) -> None:
        """Write what comes from the order, and show it, until cancelled, or this node takes part no
        more.
        """
        try:
            await self._replicate()
        except (Fenced, Missed) as error:
            if isinstance(error, Missed) and self._read_up_to == self._begin:
                raise CannotOpenStore(_NO_COPY) from error  # it would be no better the next time
            self._order.why = str(error)
            self._order.lost.set()
        except trio.BrokenResourceError:  # nobody reads the tail any more
            self._is_left = True
            self._note_read(self._read_up_to)

    async def _replicate(self) -> None:
        begin = min(self._stored, self._begin)
        async for records in self._order.entries(begin, self._take):
            entries, moved = self._taken.popleft()
            for entry in moved:
                self._store.note_move(entry.room, entry.id)
            await self._show_all([entry for entry in entries if entry.id > self._begin])
            self._note_read(max(records[-1].id, self._begin))

    def _take(self, records: Sequence[Record]) -> None:
        """Write a batch to the file, as far as it is not there. In the thread that reads. Raises
        Unavailable as long as the file cannot be written.
        """
        replicas = [replica for record in records for replica in self._replicas(record)]
        stored = [one.entry for one in replicas if one.entry.id <= self._stored]
        fresh = replicas[len(stored) :]
        written = self._write(fresh)
        self._taken.append(([*stored, *written], [one.entry for one in fresh if one.move]))

    def _replicas(self, record: Record) -> Sequence[Replica]:
        try:
            told = self._wire.read(record.data)
        except Unreadable as error:  # by a newer version
            complain(f"entry {record.id}", str(error))
            told = Told(Unknown(record.room))
        event = told.event
        entry = Entry(record.room, record.id, event, self._at(record.at), told.by)
        row = row_of(event, barrier=record.barrier) if is_persistent(event) else None
        return [Replica(entry, row, record.barrier, told.secret, told.redact, told.move)]

    def _write(self, replicas: Sequence[Replica]) -> Sequence[Entry]:
        """Write to the file; returns the entries as they are shown."""
        if not any(map(_lasts, replicas)):
            return [replica.entry for replica in replicas]
        job = Job(lambda store: store.replicate(replicas), size=len(replicas))
        self._writer.do_for(job)
        if job.error:
            raise job.error
        return job.result

    async def _show_all(self, entries: Sequence[Entry]) -> None:
        for _, run in groupby(entries, lambda entry: entry.room):
            together = [*run]
            for begin in range(0, len(together), _TOGETHER):
                await self._intake.take_place()
                self._intake.show(together[begin : begin + _TOGETHER])

    async def _until_read(self, id: str) -> None:
        """Wait until what is up to this id has been written here, and is being shown."""
        while self._read_up_to < id:
            if self._is_left:
                raise trio.BrokenResourceError("nobody reads the tail any more")
            await self._has_read.wait()

    def _note_read(self, id: str) -> None:
        self._read_up_to = id
        has_read, self._has_read = self._has_read, trio.Event()
        has_read.set()


def _token(event: Event) -> str:
    return event.token if isinstance(event, Said) else ""


def _lasts(replica: Replica) -> bool:
    """Whether anything of an entry is kept."""
    return bool(replica.row or replica.barrier or is_noted(replica.entry.event))
