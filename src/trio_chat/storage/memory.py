"""The log in memory: everything is gone when the server stops.

It keeps the newest entries, up to a number per room and a number of bytes in all. When there are
more, the oldest of the room that nobody has used for longest go first.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import dropwhile, islice, takewhile
from operator import attrgetter

import trio

from trio_chat.core.commands import Bound
from trio_chat.core.events import Entry, Event, Said, elsewhere, is_for_members, is_lasting
from trio_chat.core.names import fold
from trio_chat.core.room import RoomState
from trio_chat.errors import Conflict
from trio_chat.storage.base import ENDLESS, MARKS, NEVER, START, Log, Search, Tail
from trio_chat.storage.clock import Calendar, steady
from trio_chat.storage.ids import Ids, now, time_of
from trio_chat.storage.tail import Intake, text_size
from trio_chat.storage.words import has, phrases, words

# Entries that are searched before others are let in: about a millisecond.
_LOOK = 50

# What an entry costs in memory beside its text: the tuple, the event, their strings.
ENTRY_BYTES = 400


@dataclass(slots=True)
class _Room:
    entries: deque[Entry] = field(default_factory=deque)
    barriers: list[Entry] = field(default_factory=list)  # since its state was saved
    barrier: str = ""
    saved: tuple[str, RoomState | None] = (START, None)


class MemoryLog(Log):
    """Keeps ``per_room`` entries of each room and about ``total_bytes`` in all.

    Beyond ``rooms`` rooms those that nobody follows are forgotten, and what is older than ``age``
    seconds (0: nothing), when it is looked for. ``clock`` gives unix time in seconds, ``steady``
    seconds that pass whatever that does.
    """

    def __init__(
        self,
        *,
        per_room: int,
        total_bytes: int,
        rooms: int,
        age: float = 0,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady,
    ) -> None:
        self._per_room, self._total_bytes, self._rooms_kept = per_room, total_bytes, rooms
        self._clock, self._ids = clock, Ids(clock)
        self._rooms: OrderedDict[str, _Room] = OrderedDict()  # the longest unused first
        self._tokens: dict[str, Entry] = {}
        self._marks: dict[tuple[str, str], int] = {}  # the longest unchanged first
        self._bytes = 0
        self._intake = Intake()
        self._age, self._steady, self._calendar = age, steady, Calendar(age)
        self._appended, self._too_old = 0, START

    @property
    def node(self) -> str:
        return "memory"

    @property
    def too_old(self) -> str:
        if self._age:
            oldest = round((self._steady() - self._age) * 1000)
            known = self._calendar.up_to(oldest)
            self._forget_old(self._ids.last if self._appended < oldest else known)
        return self._too_old

    async def append(
        self, room: str, events: Sequence[Event], *, expect: str = "", barrier: bool = False
    ) -> Sequence[Entry]:
        await self._intake.take_place()
        # Nothing waits from here on, so what has its place in the log is always shown.
        log = self._touch(room)
        # Without a barrier none has come in between: an old one may be forgotten with its room.
        if log.barrier not in ("", expect):
            self._intake.give_back()
            raise Conflict(log.barrier)
        entries, fresh = [], []
        for event, (id, at) in zip(events, self._ids.take(len(events)), strict=True):
            token = event.token if isinstance(event, Said) else ""
            if token in self._tokens:
                entries.append(self._tokens[token])
                continue
            entries.append(entry := Entry(room, id, event, at))
            fresh.append(entry)
            if token:
                self._tokens[token] = entry
        self._appended = round(self._steady() * 1000)
        self._calendar.note(self._appended, self._ids.last)
        if barrier:
            log.barrier = entries[-1].id
            log.barriers.append(entries[-1])
        self._keep(log, [entry for entry in fresh if is_lasting(entry.event)])
        for entry in fresh:
            for other in elsewhere(entry.event):
                self._keep(self._touch(other), [entry._replace(room=other)])
        self._intake.show(room, fresh)
        return entries

    async def history(
        self,
        room: str,
        *,
        after: Bound = "",
        before: Bound = "",
        limit: int = 100,
        first: bool = False,
        said: bool = False,
    ) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        self._forget_old(self.too_old)
        entries = self._rooms[room].entries if room in self._rooms else deque[Entry]()
        if isinstance(after, str) and isinstance(before, str):
            within = _by_id(entries, after, before, first=first)
        else:
            within = _by_time(entries, after, before, first=first)
        seen = (e for e in within if is_for_members(e.event))
        found = [*islice((e for e in seen if not said or isinstance(e.event, Said)), limit)]
        return found if first else found[::-1]

    async def barriers(self, room: str, *, after: str) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        kept = self._rooms[room].barriers if room in self._rooms else ()
        return [entry for entry in kept if entry.id > after]

    async def talks(self, identity: str) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        self._forget_old(self.too_old)
        talks = (
            log.entries
            for room, log in self._rooms.items()
            if "," in room and identity in room.split(",")
        )
        last = (next((e for e in reversed(t) if isinstance(e.event, Said)), None) for t in talks)
        return [entry for entry in last if entry]

    async def search(self, search: Search) -> Sequence[Entry]:
        """Others are let in on the way: it looks at all that is kept of the rooms."""
        found: list[Entry] = []
        self._forget_old(self.too_old)
        for room in search.rooms:
            entries = [*self._rooms[room].entries] if room in self._rooms else []
            for begin in range(0, max(len(entries), 1), _LOOK):
                await trio.lowlevel.checkpoint()
                found += _find(entries[begin : begin + _LOOK], search)
        found.sort(key=lambda entry: entry.id)
        return found[max(len(found) - search.limit, 0) :]

    async def snapshot(self, room: str) -> tuple[str, RoomState | None]:
        await trio.lowlevel.checkpoint()
        return self._rooms[room].saved if room in self._rooms else (START, None)

    async def save(self, room: str, id: str, state: RoomState) -> None:
        await trio.lowlevel.checkpoint()
        log = self._touch(room)
        log.saved = (id, state)
        log.barriers = [entry for entry in log.barriers if entry.id > id]

    async def knows(self, room: str) -> bool:
        await trio.lowlevel.checkpoint()
        log = self._rooms.get(room, _Room())
        return bool(log.barrier) or any(isinstance(entry.event, Said) for entry in log.entries)

    async def mark(self, reader: str, target: str, at: int) -> int:
        await trio.lowlevel.checkpoint()
        before = self._marks.pop((reader, target), 0)
        at = self._marks[reader, target] = max(at, before if before <= now(self._clock) else 0)
        if len(self._marks) > MARKS:
            del self._marks[next(iter(self._marks))]
        return at

    async def marked(self, reader: str, target: str) -> int:
        await trio.lowlevel.checkpoint()
        return self._marks.get((reader, target), 0)

    async def follow(self, room: str, after: str) -> None:
        await self._intake.take_place()
        self._intake.followed.add(room)
        kept = [e for e in self._touch(room).entries if not elsewhere(e.event)]
        self._intake.show(room, [entry for entry in kept if entry.id > after])

    async def unfollow(self, room: str) -> None:
        await trio.lowlevel.checkpoint()
        self._intake.followed.discard(room)

    def tail(self) -> AbstractAsyncContextManager[Tail]:
        return self._intake.tail()

    async def claim(self, name: str) -> str:
        await trio.lowlevel.checkpoint()
        return self.node  # there is no other

    async def release(self, name: str) -> None:
        await trio.lowlevel.checkpoint()

    def _touch(self, room: str) -> _Room:
        """The room's log, made if need be, and now the one used last."""
        if room not in self._rooms:
            if len(self._rooms) >= self._rooms_kept:
                self._forget_a_room()
            self._rooms[room] = _Room()
        self._rooms.move_to_end(room)
        return self._rooms[room]

    def _forget_a_room(self) -> None:
        unused = next((room for room in self._rooms if room not in self._intake.followed), None)
        if unused is not None:
            for entry in self._rooms.pop(unused).entries:
                self._forget(entry)

    def _keep(self, log: _Room, entries: Sequence[Entry]) -> None:
        log.entries.extend(entries)
        self._bytes += sum(_cost(entry) for entry in entries)
        while len(log.entries) > self._per_room:
            self._forget(log.entries.popleft())
        while self._bytes > self._total_bytes:
            longest_unused = next(room for room in self._rooms.values() if room.entries)
            self._forget(longest_unused.entries.popleft())

    def _forget_old(self, up_to: str) -> None:
        if up_to <= self._too_old:
            return
        self._too_old = up_to
        for log in self._rooms.values():
            while log.entries and log.entries[0].id <= up_to:
                self._forget(log.entries.popleft())

    def _forget(self, entry: Entry) -> None:
        self._bytes -= _cost(entry)
        if isinstance(entry.event, Said):
            self._tokens.pop(entry.event.token, None)


def _by_id(entries: deque[Entry], after: str, before: str, *, first: bool) -> Iterable[Entry]:
    """Those between two ids, oldest or ``first`` ones first."""
    if first:
        later = dropwhile(lambda entry: entry.id <= after, entries)
        return takewhile(lambda entry: not before or entry.id < before, later)
    earlier = dropwhile(lambda e: bool(before) and e.id >= before, reversed(entries))
    return takewhile(lambda entry: entry.id > after, earlier)


def _by_time(
    entries: Iterable[Entry], after: Bound, before: Bound, *, first: bool
) -> Iterable[Entry]:
    """Those between two bounds, in the order of times."""
    ats = {entry.id: entry.at for entry in entries if entry.id in (after, before)}

    def place(bound: Bound, end: str) -> tuple[int, str]:
        return (bound, end) if isinstance(bound, int) else (ats.get(bound, time_of(bound)), bound)

    start = place(after, "~") if after != "" else (NEVER, "")
    end = place(before, "") if before != "" else (ENDLESS, "")
    found = [entry for entry in entries if start < (entry.at, entry.id) < end]
    return sorted(found, key=attrgetter("at", "id"), reverse=not first)


def _is_after(entry: Entry, bound: Bound) -> bool:
    return entry.at > bound if isinstance(bound, int) else entry.id > bound


def _is_before(entry: Entry, bound: Bound) -> bool:
    return entry.at < bound if isinstance(bound, int) else not bound or entry.id < bound


def _find(entries: Iterable[Entry], search: Search) -> Iterator[Entry]:
    sought = phrases(search.words)
    for entry in entries:
        event = entry.event
        if not isinstance(event, Said) or not is_for_members(event):
            continue
        if not (_is_after(entry, search.after) and _is_before(entry, search.before)):
            continue
        if search.nick and fold(search.nick) != fold(event.nick):
            continue
        text = words(event.text)
        if sought and all(has(text, phrase) for phrase in sought):
            yield entry


def _cost(entry: Entry) -> int:
    return ENTRY_BYTES + text_size(entry)
