"""The log in memory: everything is gone when the server stops.

It keeps the newest entries, up to a number per room and a number of bytes in all. When there are
more, the oldest of the room that nobody has used for longest go first.
"""

import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import trio

from trio_chat.core.events import Entry, Event, Said, is_lasting
from trio_chat.core.room import RoomState
from trio_chat.errors import Conflict
from trio_chat.storage.base import START, Log, Tail
from trio_chat.storage.ids import Ids

# Appends that wait for the tail's reader. Each is one read of one connection, so this bounds
# memory; when it is full, the readers of connections wait, and TCP holds the senders back.
INTAKE = 1024

# A batch reaches every member as one piece of bytes: much smaller than an outbox, so that one
# batch never makes a slow peer of somebody who reads.
BATCH_ENTRIES = 256
BATCH_BYTES = 64 * 1024

# What an entry costs in memory beside its text: the tuple, the event, their strings.
ENTRY_BYTES = 400


@dataclass(slots=True)
class _Room:
    entries: deque[Entry] = field(default_factory=deque)
    barrier: str = ""
    saved: tuple[str, RoomState | None] = (START, None)


class MemoryLog(Log):
    """Keeps ``per_room`` entries of each room and about ``total_bytes`` in all.

    Beyond ``rooms`` rooms those that nobody follows are forgotten. ``clock`` gives unix time in
    seconds.
    """

    def __init__(
        self,
        *,
        per_room: int,
        total_bytes: int,
        rooms: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._per_room, self._total_bytes, self._rooms_kept = per_room, total_bytes, rooms
        self._ids = Ids(clock)
        self._rooms: OrderedDict[str, _Room] = OrderedDict()  # the longest unused first
        self._followed: set[str] = set()
        self._bytes = 0
        self._places = trio.Semaphore(INTAKE)
        self._intake, self._fresh = trio.open_memory_channel[Sequence[Entry]](INTAKE)

    @property
    def node(self) -> str:
        return "memory"

    async def append(
        self, room: str, events: Sequence[Event], *, expect: str = "", barrier: bool = False
    ) -> Sequence[str]:
        await self._places.acquire()
        # Nothing waits from here on, so what has its place in the log is always shown.
        log = self._touch(room)
        # Without a barrier none has come in between: an old one may be forgotten with its room.
        if log.barrier not in ("", expect):
            self._places.release()
            raise Conflict(log.barrier)
        entries = [
            Entry(room, id, event)
            for id, event in zip(self._ids.take(len(events)), events, strict=True)
        ]
        if barrier:
            log.barrier = entries[-1].id
        self._keep(log, [entry for entry in entries if is_lasting(entry.event)])
        self._show(room, entries)
        return [entry.id for entry in entries]

    async def history(
        self, room: str, *, after: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        entries = self._rooms[room].entries if room in self._rooms else ()
        found = [e for e in entries if e.id > after and (not before or e.id < before)]
        return found[:limit] if after else found[-limit:]

    async def snapshot(self, room: str) -> tuple[str, RoomState | None]:
        await trio.lowlevel.checkpoint()
        return self._rooms[room].saved if room in self._rooms else (START, None)

    async def save(self, room: str, id: str, state: RoomState) -> None:
        await trio.lowlevel.checkpoint()
        self._touch(room).saved = (id, state)

    async def follow(self, room: str, after: str) -> None:
        await self._places.acquire()
        self._followed.add(room)
        self._show(room, [e for e in self._touch(room).entries if e.id > after])

    async def unfollow(self, room: str) -> None:
        await trio.lowlevel.checkpoint()
        self._followed.discard(room)

    @asynccontextmanager
    async def tail(self) -> AsyncIterator[Tail]:
        try:
            with self._fresh:
                yield _Batches(self._fresh, self._places)
        finally:
            for _ in range(self._places.statistics().tasks_waiting):
                self._places.release()  # they will find the channel broken

    async def claim(self, name: str) -> str:
        await trio.lowlevel.checkpoint()
        return self.node  # there is no other

    async def release(self, name: str) -> None:
        await trio.lowlevel.checkpoint()

    def _show(self, room: str, entries: Sequence[Entry]) -> None:
        """Hand entries to the tail, in the place that was acquired for them."""
        if entries and room in self._followed:
            self._intake.send_nowait(entries)
        else:
            self._places.release()

    def _touch(self, room: str) -> _Room:
        """The room's log, made if need be, and now the one used last."""
        if room not in self._rooms:
            self._rooms[room] = _Room()
            if len(self._rooms) > self._rooms_kept:
                self._forget_a_room()
        self._rooms.move_to_end(room)
        return self._rooms[room]

    def _forget_a_room(self) -> None:
        unused = next((room for room in self._rooms if room not in self._followed), None)
        if unused is not None:
            self._bytes -= sum(_cost(entry) for entry in self._rooms.pop(unused).entries)

    def _keep(self, log: _Room, entries: Sequence[Entry]) -> None:
        log.entries.extend(entries)
        self._bytes += sum(_cost(entry) for entry in entries)
        while len(log.entries) > self._per_room:
            self._bytes -= _cost(log.entries.popleft())
        while self._bytes > self._total_bytes:
            longest_unused = next(room for room in self._rooms.values() if room.entries)
            self._bytes -= _cost(longest_unused.entries.popleft())


class _Batches(Tail):
    """What waits in the channel is one batch, up to a bound."""

    def __init__(
        self, fresh: trio.MemoryReceiveChannel[Sequence[Entry]], places: trio.Semaphore
    ) -> None:
        self._fresh, self._places = fresh, places

    async def __anext__(self) -> Sequence[Entry]:
        return self._gather(await self._fresh.receive())

    def waiting(self) -> Sequence[Entry]:
        try:
            return self._gather(self._fresh.receive_nowait())
        except trio.WouldBlock:
            return ()

    def _gather(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        batch: list[Entry] = []
        size = 0
        with suppress(trio.WouldBlock):
            while True:
                self._places.release()
                batch += entries
                size += sum(_size(entry) for entry in entries)
                if len(batch) >= BATCH_ENTRIES or size >= BATCH_BYTES:
                    break
                entries = self._fresh.receive_nowait()
        return batch


def _size(entry: Entry) -> int:
    return len(entry.event.text) if isinstance(entry.event, Said) else 0


def _cost(entry: Entry) -> int:
    return ENTRY_BYTES + _size(entry)
