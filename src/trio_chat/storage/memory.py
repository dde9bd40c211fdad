"""The log in memory: everything is gone when the server stops.

It keeps the newest entries, up to a number per room and a number of bytes in all. When there are
more, nobody pushes out what others have said: comings and goings go first, then the oldest messages
of the source that has most, a source being the host that others see. Each room keeps its last
messages as long as there is anything else.
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import merge, nlargest
from itertools import dropwhile, islice, takewhile
from operator import attrgetter, itemgetter
from secrets import token_hex
from typing import NamedTuple

import trio

from trio_chat.core.events import (
    NOWHERE,
    REALM,
    AccountDropped,
    Entry,
    Event,
    Got,
    Joined,
    Origin,
    ReadUpTo,
    Reported,
    Said,
    Signalled,
    TopicSet,
    elsewhere,
    is_for_members,
    is_missed,
    is_persistent,
    is_promised,
    is_redactable,
    waits_for,
    without_words,
)
from trio_chat.core.names import fold
from trio_chat.core.queries import ALL, Bound, Span
from trio_chat.core.realm import RealmState
from trio_chat.core.room_state import RoomState
from trio_chat.errors import BoxFull, Conflict, Gone, Taken
from trio_chat.storage.base import (
    ENDLESS,
    FLOOR,
    MARKS,
    NEVER,
    START,
    WAITING_EACH,
    WAITING_MAX,
    Condition,
    Log,
    Move,
    Search,
    Secret,
    box_full,
    is_as_new,
    sender_of,
)
from trio_chat.storage.clock import Calendar, steady
from trio_chat.storage.ids import Ids, time_of
from trio_chat.storage.places import PLACES_MAX, moved
from trio_chat.storage.tail import Intake, text_size
from trio_chat.storage.words import is_sought, phrases, seeks_nothing

# Entries that are searched before other tasks run: about a millisecond.
_LOOK = 50

# The bytes that an entry takes besides its text: the tuple, the event, their strings.
ENTRY_BYTES = 400


# Logs of which it is remembered that they have moved away.
_MOVED = 1000
# Events of the log of accounts that the audit finds.
_AUDITED = 1000

# When there is too much, this part of the total goes at once.
_PART = 1 / 16


@dataclass(slots=True)
class _Room:
    """A room's entries: ``said`` holds those that would be missed, topics and modes included,
    ``others`` the comings and goings. ``bytes_by`` counts the former by source.
    """

    said: deque[Entry] = field(default_factory=deque)
    others: deque[Entry] = field(default_factory=deque)
    bytes_by: Counter[str] = field(default_factory=Counter)
    barriers: list[Entry] = field(default_factory=list)  # since its state was saved
    redacted: deque[str] = field(default_factory=deque)  # the tokens of messages that are
    barrier: str = ""
    saved: tuple[str, RoomState | None] = (START, None)

    def __iter__(self) -> Iterator[Entry]:
        return merge(self.said, self.others, key=_id)

    def __reversed__(self) -> Iterator[Entry]:
        return merge(reversed(self.said), reversed(self.others), key=_id, reverse=True)

    @property
    def owner(self) -> str:
        """The source that has most of the room."""
        return max(self.bytes_by, key=self.bytes_by.__getitem__, default="")


_id = attrgetter("id")
_NOTHING = _Room()


class MemoryLog(Log):
    """The ``Log`` that keeps everything in memory, for tests and for those who want no traces.

    ``per_room`` entries of each room are kept, and about ``total_bytes`` in all. Beyond ``rooms``
    rooms, those that nobody is in are forgotten; so is everything older than ``age`` seconds (0:
    nothing), when it would be looked at. ``clock`` gives unix time in seconds, ``steady`` seconds
    that pass whatever is done to the clock.

    Nothing is ever Unavailable, and ids begin anew with each log.
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
        self.node = token_hex(4)
        self._per_room, self._total_bytes, self._rooms_kept = per_room, total_bytes, rooms
        self._clock, self._ids = clock, Ids(clock)
        self._rooms: OrderedDict[str, _Room] = OrderedDict()  # the longest unused first
        self._moved: dict[str, str] = {}  # by the old name, when a log moved away
        self._tokens: dict[str, Entry] = {}
        self._marks: dict[tuple[str, str], _Mark] = {}  # the longest unchanged first
        self._secrets: dict[str, str] = {}
        self._waiting: dict[str, dict[str, Entry]] = {}  # by account, and by id
        self._places: dict[str, dict[str, _Place]] = {}  # by account and room, folded
        self._realm = (START, RealmState())
        self._bytes = 0
        self._bytes_by: Counter[str] = Counter()  # of messages, by source
        self._intake = Intake()
        self._age, self._steady, self._calendar = age, steady, Calendar(age)
        self._appended, self._too_old = 0, START

    @property
    def too_old(self) -> str:
        if self._age:
            oldest = round((self._steady() - self._age) * 1000)
            known = self._calendar.up_to(oldest)
            return max(self._too_old, self._ids.last if self._appended < oldest else known)
        return self._too_old

    @property
    def newest(self) -> str:
        return self._ids.last

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
        await self._intake.take_place()
        self._forget_old()
        # Nothing waits from here on, so an entry that has its place in the log is always shown.
        log = self._touch(room)
        for known, name in ((expect, room), *([(move.expect, move.to)] if move else [])):
            if (last := self._barrier(name)) > known:
                self._intake.give_back()
                raise Conflict(last)
        if move and self._knows(move.to):
            self._intake.give_back()
            raise Taken(f"there is {move.to} already")
        if redact and not self._redact(log, redact):
            self._intake.give_back()
            raise Gone(f"{redact} is not there")
        if full := self._box_is_full(events):
            self._intake.give_back()
            raise full
        if secret:
            self._secrets[secret.account] = secret.verifier
            if not secret.verifier:
                self._waiting.pop(secret.account, None)
        entries, fresh = [], []
        for event, (id, at) in zip(events, self._ids.take(len(events)), strict=True):
            token = event.token if isinstance(event, Said) else ""
            if token in self._tokens:
                entries.append(self._tokens[token])
                continue
            entries.append(entry := Entry(room, id, self._noted(event, at), at, by))
            fresh.append(entry)
            if token:
                self._tokens[token] = entry
        self._appended = round(self._steady() * 1000)
        self._calendar.note(self._appended, self._ids.last)
        if barrier:
            log.barrier = entries[-1].id
            log.barriers += [entry for entry in entries if is_persistent(entry.event)]
        for entry in fresh:
            self._note_places(entry)
            if is_persistent(entry.event) and room != REALM:  # of that, the barriers are enough
                self._keep(log, entry)
            if waits_for(entry.event):
                self._let_wait(entry)
            for other in elsewhere(entry.event):
                self._keep(self._touch(other), entry._replace(room=other))
        if self._bytes > self._total_bytes:
            self._make_room()
        if move:
            self._move(room, move, entries[-1].id)
        self._intake.show(fresh)
        return entries

    def _barrier(self, room: str) -> str:
        """The id of a log's last barrier, or of the one by which it has moved away."""
        return max(self._rooms.get(room, _NOTHING).barrier, self._moved.get(room, ""))

    def _move(self, room: str, move: Move, id: str) -> None:
        """Call a log by another name. Nobody will miss what has that name."""
        self._drop(move.to)
        log = self._rooms[move.to] = self._rooms.pop(room)
        for kept in (log.said, log.others):
            kept.extend([kept.popleft()._replace(room=move.to) for _ in range(len(kept))])
        log.saved, log.barriers = (id, replace(move.state, barrier=id)), []
        for reader, target in [key for key in self._marks if key[1] == room]:
            self._marks[reader, move.to] = self._marks.pop((reader, target))
        for there in self._places.values():
            there.pop(move.to, None)
            if place := there.pop(room, None):
                there[move.to] = place._replace(name=move.state.name)
        self._moved[room] = id
        if len(self._moved) > _MOVED:
            del self._moved[next(iter(self._moved))]

    def _note_places(self, entry: Entry) -> None:
        """Keep where accounts are after an entry."""
        if isinstance(dropped := entry.event, AccountDropped):
            self._places.pop(fold(dropped.name), None)
        if (found := moved(entry.event)) is None:
            return
        there = self._places.setdefault(found.account, {})
        before = there.pop(entry.room, None)
        if not found.gone:
            entered = entry.id if found.entered else before.entered if before else START
            there[entry.room] = _Place(found.room, entered)
        if len(there) > PLACES_MAX:
            del there[min(there, key=lambda room: (there[room].entered, room))]
        if not there:
            del self._places[found.account]

    async def places(self, account: str) -> Sequence[str]:
        await trio.lowlevel.checkpoint()
        there = self._places.get(account, {})
        return [there[room].name for room in sorted(there, key=lambda r: (there[r].entered, r))]

    def _redact(self, log: _Room, id: str) -> bool:
        """Take a message or a topic out, all but its token; returns whether it was there."""
        entry = _with_words(log, id)
        if entry is None:
            return False
        log.said.remove(entry)
        self._forget(log, entry)
        if isinstance(said := entry.event, TopicSet):
            log.barriers = [barrier for barrier in log.barriers if barrier.id != id]
            saved, state = log.saved
            if state and state.topic == said.text:
                log.saved = saved, replace(state, topic="")
        elif isinstance(said, Said) and said.token:
            self._tokens[said.token] = entry._replace(event=without_words(said))
            log.redacted.append(said.token)
            if len(log.redacted) > FLOOR:
                del self._tokens[log.redacted.popleft()]
        return True

    def _box_is_full(self, events: Sequence[Event]) -> BoxFull | None:
        new = [e for e in events if is_promised(e) and getattr(e, "token", "") not in self._tokens]
        for event in new:
            box = self._waiting.get(waits_for(event), {})
            theirs = sum(sender_of(entry.event) == sender_of(event) for entry in box.values())
            if full := box_full(len(box) + len(new), theirs + len(new)):
                return full
        return None

    async def waiting(self, account: str) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        self._forget_old()
        return [*self._waiting.get(account, {}).values()]

    def _let_wait(self, entry: Entry) -> None:
        """Let a new message wait, if there is a place for it."""
        box = self._waiting.setdefault(waits_for(entry.event), {})
        sender = sender_of(entry.event)
        theirs = [id for id, other in box.items() if sender_of(other.event) == sender]
        if len(theirs) >= WAITING_EACH:  # one that was promised would have been refused
            del box[theirs[0]]
        if len(box) < WAITING_MAX:
            box[entry.id] = entry

    def _noted(self, event: Event, at: int) -> Event:
        """Note what an event is for, at a moment; returns it as it is shown."""
        if isinstance(event, Got):
            self._got(event.ids)
        if isinstance(event, ReadUpTo) and event.identity:
            return replace(event, at=self._mark(event, at))
        return event

    def _got(self, ids: Collection[str]) -> None:
        for account in [*self._waiting]:
            for id in self._waiting[account].keys() & {*ids}:
                self._wait_no_more(account, id)

    def _wait_no_more(self, account: str, id: str) -> None:
        if (box := self._waiting.get(account)) and box.pop(id, None) and not box:
            del self._waiting[account]

    async def find(self, room: str, id: str, *, topics: bool = False) -> Entry | None:
        await trio.lowlevel.checkpoint()
        self._forget_old()
        found = _with_words(self._rooms.get(room, _NOTHING), id)
        return found if found and (topics or isinstance(found.event, Said)) else None

    async def whereabouts(self, ids: Sequence[str]) -> Mapping[str, str]:
        wanted, found = {*ids}, dict[str, str]()
        for room in [*self._rooms] if ids else ():
            await trio.lowlevel.checkpoint()
            said = self._rooms.get(room, _NOTHING).said
            found |= {entry.id: room for entry in said if entry.id in wanted}
        return found

    async def history(
        self, room: str, span: Span = ALL, *, limit: int = 100, said: bool = False
    ) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        self._forget_old()
        entries = self._rooms.get(room, _NOTHING)
        after, before, first = span.after, span.before, span.first
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

    async def audit(self, room: str, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        log = self._rooms.get(room, _NOTHING)
        kept = log.barriers if room == REALM else log.said
        older = (entry for entry in reversed(kept) if not before or entry.id < before)
        found = (entry for entry in older if not isinstance(entry.event, Said | Signalled | Joined))
        return [*islice(found, limit)][::-1]

    async def audit_all(self, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        found = list[Entry]()
        for room in [*self._rooms]:  # with other tasks in between
            found += await self.audit(room, before=before, limit=limit)
            found = sorted(found, key=_id)[-limit:]
        return found

    async def reports(self, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        done = await self.audit(REALM, before=before, limit=_AUDITED)
        return [entry for entry in done if isinstance(entry.event, Reported)][-limit:]

    async def talks(self, identity: str) -> Sequence[Entry]:
        await trio.lowlevel.checkpoint()
        self._forget_old()
        talks = (
            log.said
            for room, log in self._rooms.items()
            if "," in room and identity in room.split(",")
        )
        last = (next((e for e in reversed(t) if isinstance(e.event, Said)), None) for t in talks)
        return [entry for entry in last if entry]

    async def search(self, search: Search) -> Sequence[Entry]:
        """Search all that is kept of the rooms; other tasks run in between."""
        found: list[Entry] = []
        self._forget_old()
        for room in search.rooms:
            entries = [*self._rooms.get(room, _NOTHING).said]
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
        if state.barrier < self._moved.get(room, ""):  # it has moved away meanwhile
            return
        log = self._touch(room)
        log.saved = (id, state)
        log.barriers = [entry for entry in log.barriers if entry.id > id]

    async def secret(self, account: str) -> str:
        await trio.lowlevel.checkpoint()
        return self._secrets.get(account, "")

    async def realm(self) -> tuple[str, RealmState]:
        await trio.lowlevel.checkpoint()
        return self._realm

    async def save_realm(self, id: str, state: RealmState) -> None:
        await trio.lowlevel.checkpoint()
        self._realm = (id, state)
        log = self._touch(REALM)
        since = sum(entry.id > id for entry in log.barriers)
        del log.barriers[: -max(since, _AUDITED)]

    async def knows(self, room: str) -> bool:
        await trio.lowlevel.checkpoint()
        return self._knows(room)

    def _knows(self, room: str) -> bool:
        log = self._rooms.get(room, _NOTHING)
        _, state = log.saved
        return bool(log.said) or (state is not None and not is_as_new(state))

    async def close(self, room: str, id: str, state: RoomState) -> None:
        if is_as_new(state) and not self._rooms.get(room, _NOTHING).said:
            await trio.lowlevel.checkpoint()
            if state.barrier >= self._moved.get(room, ""):
                self._drop(room)
        else:
            await self.save(room, id, state)

    def _mark(self, event: ReadUpTo, now: int) -> int:
        mark = event.identity, fold(event.target)
        before = self._marks.pop(mark, _NO_MARK).at
        at = max(event.at, before if before <= now else 0)
        self._marks[mark] = _Mark(at, event.source)
        if len(self._marks) > MARKS:
            self._forget_marks()
        return at

    async def marked(self, reader: str, target: str) -> int:
        await trio.lowlevel.checkpoint()
        return self._marks.get((reader, target), _NO_MARK).at

    @property
    def condition(self) -> Condition:
        return Condition(self._bytes, self._intake.free)

    def probe(self) -> None:
        """Nothing: it always lives."""

    async def settled(self) -> None:
        await trio.lowlevel.checkpoint()

    def _touch(self, room: str) -> _Room:
        """The room's log, made if need be, and marked as used last."""
        if room not in self._rooms:
            if len(self._rooms) >= self._rooms_kept:
                self._forget_a_room()
            self._rooms[room] = _Room()
        self._rooms.move_to_end(room)
        return self._rooms[room]

    def _forget_a_room(self) -> None:
        """Forget the longest unused room, of the source that has most of them."""
        unused = {
            room: log.owner for room, log in self._rooms.items() if room not in self._intake.in_use
        }
        owners = Counter(unused.values())
        most = max(owners.values(), default=0)
        for room, owner in unused.items():
            if owners[owner] == most:
                self._drop(room)
                return

    def _drop(self, room: str) -> None:
        log = self._rooms.pop(room, _NOTHING)
        for entry in log:
            self._forget(log, entry)
        for token in log.redacted:
            del self._tokens[token]

    def _forget_old(self) -> None:
        if (up_to := self.too_old) <= self._too_old:
            return
        self._too_old = up_to
        for log in self._rooms.values():
            for entries in (log.said, log.others):
                while entries and entries[0].id <= up_to:
                    self._forget(log, entries.popleft())

    def _keep(self, log: _Room, entry: Entry) -> None:
        self._bytes += _cost(entry)
        entries = log.said if is_missed(entry.event) else log.others
        entries.append(entry)
        if entries is log.said:
            log.bytes_by[_source(entry)] += _cost(entry)
            self._bytes_by[_source(entry)] += _cost(entry)
        if len(entries) > self._per_room:
            self._forget(log, entries.popleft())

    def _forget(self, log: _Room, entry: Entry) -> None:
        """Note that an entry has been taken out of a room."""
        cost, source = _cost(entry), _source(entry)
        self._bytes -= cost
        if is_missed(entry.event):
            for counter in (log.bytes_by, self._bytes_by):
                counter[source] -= cost
                if not counter[source]:
                    del counter[source]
        if isinstance(entry.event, Said):
            self._tokens.pop(entry.event.token, None)
            self._wait_no_more(waits_for(entry.event), entry.id)

    def _make_room(self) -> None:
        goal = self._total_bytes * (1 - _PART)
        while self._bytes > goal and (self._forget_comings(goal) or self._forget_of_largest(goal)):
            pass

    def _forget_comings(self, goal: float) -> bool:
        """While there is too much, forget half of the comings and goings in the room with most."""
        log = max(self._rooms.values(), key=lambda log: len(log.others))
        half = len(log.others) // 2
        found = bool(log.others)
        while self._bytes > goal and len(log.others) > half:
            self._forget(log, log.others.popleft())
        return found

    def _forget_of_largest(self, goal: float) -> bool:
        """Forget the older half of what the largest source has said where it has said most."""
        source = max(self._bytes_by, key=self._bytes_by.__getitem__, default=None)
        if source is None:
            return False
        theirs = [(room, log) for room, log in self._rooms.items() if source in log.bytes_by]
        large = [log for _, log in theirs if len(log.said) > FLOOR]
        unused = (log for room, log in theirs if room not in self._intake.in_use)
        if large:
            log, floor = max(large, key=lambda log: log.bytes_by[source]), FLOOR
        else:
            log, floor = next(unused, theirs[0][1]), 0
        self._forget_some(log, source, floor, goal)
        return True

    def _forget_some(self, log: _Room, source: str, floor: int, goal: float) -> None:
        half, rest = log.bytes_by[source] / 2, deque[Entry]()
        while len(log.said) + len(rest) > floor and log.said:
            entry = log.said.popleft()
            if _source(entry) != source:
                rest.append(entry)
                continue
            self._forget(log, entry)
            if self._bytes <= goal or log.bytes_by[source] < half:
                break
        log.said.extendleft(reversed(rest))

    def _forget_marks(self) -> None:
        """Forget marks of the largest source: of its busiest readers, the oldest first."""
        by_source = Counter(mark.source for mark in self._marks.values())
        [(source, _)] = by_source.most_common(1)
        later, order = Counter[str](), list[tuple[int, tuple[str, str]]]()
        for key in reversed([key for key, mark in self._marks.items() if mark.source == source]):
            later[key[0]] += 1
            order.append((later[key[0]], key))
        for _, key in nlargest(MARKS // 100, reversed(order), key=itemgetter(0)):
            del self._marks[key]


class _Mark(NamedTuple):
    """A read marker: its moment (unix milliseconds), and the source it is charged to."""

    at: int
    source: str


class _Place(NamedTuple):
    """A room in which an account is: its name, and the id by which it was entered."""

    name: str
    entered: str


_NO_MARK = _Mark(0, "")


def _with_words(log: _Room, id: str) -> Entry | None:
    return next(
        (entry for entry in log.said if entry.id == id and is_redactable(entry.event)), None
    )


def _source(entry: Entry) -> str:
    origin: Origin = getattr(entry.event, "origin", NOWHERE)
    return origin.host


def _by_id(entries: _Room, after: str, before: str, *, first: bool) -> Iterable[Entry]:
    """The entries between two ids, the latest first, or with ``first`` the oldest."""
    if first:
        later = dropwhile(lambda entry: entry.id <= after, entries)
        return takewhile(lambda entry: not before or entry.id < before, later)
    earlier = dropwhile(lambda e: bool(before) and e.id >= before, reversed(entries))
    return takewhile(lambda entry: entry.id > after, earlier)


def _by_time(
    entries: Iterable[Entry], after: Bound, before: Bound, *, first: bool
) -> Iterable[Entry]:
    """The entries between two bounds, in the order of times."""
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
    if seeks_nothing(search.words, search.nick):
        return
    sought = phrases(search.words)
    for entry in entries:
        if (
            is_for_members(entry.event)
            and _is_after(entry, search.after)
            and _is_before(entry, search.before)
            and is_sought(entry.event, sought, search.nick)
        ):
            yield entry


def _cost(entry: Entry) -> int:
    return ENTRY_BYTES + text_size(entry)
