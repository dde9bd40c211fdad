"""What every Log must do, whichever store it is."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.events import Entry, Event, Said, TopicSet
from trio_chat.core.names import fold
from trio_chat.core.room import RoomState
from trio_chat.errors import Conflict
from trio_chat.storage.base import START, Log
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.sqlite.keep import Retention
from trio_chat.storage.sqlite.log import open_sqlite

Clock = Callable[[], float]
OpenLog = Callable[[Clock], AbstractAsyncContextManager[Log]]


@asynccontextmanager
async def memory_log(clock: Clock, path: Path) -> AsyncIterator[Log]:
    yield MemoryLog(per_room=1000, total_bytes=10_000_000, rooms=100, clock=clock)


@asynccontextmanager
async def sqlite_log(clock: Clock, path: Path) -> AsyncIterator[Log]:
    retention = Retention(seconds=0, per_room=1000, total_bytes=10_000_000)
    async with open_sqlite(path, retention=retention, cache_bytes=100_000, clock=clock) as log:
        yield log


@pytest.fixture(params=[memory_log, sqlite_log])
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLog:
    return lambda clock: request.param(clock, tmp_path / "chat.db")


@pytest.fixture
async def log(open_log: OpenLog) -> AsyncIterator[Log]:
    async with open_log(lambda: 1_700_000_000.0) as log:
        yield log


def said(text: str, room: str = "#a") -> Said:
    return Said(room, "alice", text, "1")


async def append(log: Log, *events: Event, **how: Any) -> list[str]:
    """The ids of the entries that have been made of events of one room."""
    entries = await log.append(fold(events[0].room), events, **how)  # type: ignore[union-attr]
    assert [entry.event for entry in entries] == [*events]
    return [entry.id for entry in entries]


async def texts(log: Log, room: str, **where: object) -> list[str]:
    return [entry.event.text for entry in await log.history(room, **where)]  # type: ignore[arg-type]


async def take(log: Log, count: int) -> list[Entry]:
    """The next ``count`` entries of the tail."""
    entries: list[Entry] = []
    with trio.fail_after(5):
        async with log.tail() as tail:
            async for batch in tail:
                entries += batch
                if len(entries) >= count:
                    break
    assert len(entries) == count
    return entries


async def test_ids_rise_in_the_order_of_appending(log: Log) -> None:
    first = await append(log, said("1"), said("2"))
    second = await append(log, said("3", "#b"))
    ids = [*first, *second]
    assert len(ids) == 3
    assert ids == sorted(set(ids))
    assert all(id > START for id in ids)


async def test_ids_rise_when_the_clock_goes_back(open_log: OpenLog) -> None:
    now = 0.0
    async with open_log(lambda: now) as log:
        ids = []
        for now in (2000.0, 1000.0, 1000.0, 2000.0005, 3000.0):
            ids += await append(log, said(str(now)))
        assert ids == sorted(set(ids))
        assert [entry.id for entry in await log.history("#a")] == ids


async def test_ids_hold_the_time_in_milliseconds(log: Log) -> None:
    [id] = await append(log, said("now"))
    assert id.partition("-")[0] == "1700000000000"


async def test_history_gives_the_last_ones_oldest_first(log: Log) -> None:
    await log.append("#a", [said(str(n)) for n in range(10)])
    assert await texts(log, "#a", limit=3) == ["7", "8", "9"]


async def test_history_after_and_before_are_exclusive(log: Log) -> None:
    ids = await append(log, *[said(str(n)) for n in range(10)])
    assert await texts(log, "#a", after=ids[2], limit=2, first=True) == ["3", "4"]
    assert await texts(log, "#a", after=ids[2], limit=2) == ["8", "9"]
    assert await texts(log, "#a", before=ids[5], limit=2) == ["3", "4"]
    assert await texts(log, "#a", before=ids[5], limit=2, first=True) == ["0", "1"]
    assert await texts(log, "#a", after=ids[2], before=ids[5]) == ["3", "4"]
    assert await texts(log, "#a", after=ids[2], before=ids[5], limit=1) == ["4"]
    assert await texts(log, "#a", after=ids[9]) == []
    assert await texts(log, "#a", after=START, limit=2, first=True) == ["0", "1"]


async def test_rooms_do_not_mix(log: Log) -> None:
    await log.append("#a", [said("a")])
    await log.append("#b", [said("b", "#b")])
    assert await texts(log, "#a") == ["a"]
    assert await texts(log, "#nowhere") == []


async def test_the_tail_gives_followed_rooms_once_and_in_order(log: Log) -> None:
    await log.follow("#a", START)
    await log.follow("#b", START)
    ids = []
    for n in range(20):
        room = "#a" if n % 3 else "#b"
        ids += await append(log, said(str(n), room))
        await log.append("#unfollowed", [said("never", "#unfollowed")])
    assert [entry.id for entry in await take(log, 20)] == ids


async def test_following_gives_what_came_after_an_id_too(log: Log) -> None:
    ids = await append(log, said("1"), said("2"), said("3"))
    await log.follow("#a", ids[0])
    await log.append("#a", [said("4")])
    assert [entry.event.text for entry in await take(log, 3)] == ["2", "3", "4"]


async def test_what_is_not_followed_any_more_does_not_come(log: Log) -> None:
    await log.follow("#a", START)
    await log.follow("#b", START)
    await log.append("#a", [said("1")])
    await log.unfollow("#a")
    await log.append("#a", [said("2")])
    await log.append("#b", [said("3", "#b")])
    assert [entry.event.text for entry in await take(log, 2)] == ["1", "3"]


async def test_batches_are_bounded(log: Log) -> None:
    await log.follow("#a", START)
    for _ in range(1000):
        await log.append("#a", [said("x" * 1000)])
    async with log.tail() as tail:
        first = await anext(tail)
    assert sum(len(entry.event.text) for entry in first) < 200_000


async def test_appending_waits_when_nobody_reads_the_tail(log: Log) -> None:
    await log.follow("#a", START)
    appended, waits = 0, False
    while not waits and appended < 100_000:
        with trio.move_on_after(1) as patience:
            await log.append("#a", [said("x")])
            appended += 1
        waits = patience.cancelled_caught
    assert waits
    assert appended


async def test_appending_fails_once_the_tail_has_been_left(log: Log) -> None:
    await log.follow("#a", START)
    async with log.tail():
        pass
    with pytest.raises(trio.BrokenResourceError):
        await log.append("#a", [said("late")])


async def test_a_barrier_in_between_is_a_conflict(log: Log) -> None:
    await log.append("#a", [said("1")])
    [barrier] = await append(log, TopicSet("#a", "alice", "new"), barrier=True)
    with pytest.raises(Conflict) as conflict:
        await log.append("#a", [said("judged before")])
    assert conflict.value.barrier == barrier
    await log.append("#a", [said("judged after")], expect=barrier)
    assert len(await log.history("#a")) == 3


async def test_barriers_are_each_rooms_own(log: Log) -> None:
    await log.append("#a", [TopicSet("#a", "alice", "new")], barrier=True)
    await log.append("#b", [said("2", "#b")])
    assert await texts(log, "#b") == ["2"]


async def test_a_saved_state_comes_back(log: Log) -> None:
    assert await log.snapshot("#a") == (START, None)
    [id] = await append(log, said("1"))
    await log.save("#a", id, RoomState("#A", "topic", id))
    assert await log.snapshot("#a") == (id, RoomState("#A", "topic", id))


async def test_a_cancelled_append_is_whole_or_nothing(log: Log) -> None:
    await log.follow("#a", START)
    with trio.CancelScope() as scope:
        scope.cancel()
        await log.append("#a", [said("1"), said("2")])
    stored = len(await log.history("#a"))
    assert stored in (0, 2)
    await log.append("#a", [said("3")])
    assert len(await take(log, stored + 1)) == stored + 1


async def test_claims_are_ours_on_a_single_node(log: Log) -> None:
    assert await log.claim("alice") == log.node
    await log.release("alice")
    assert await log.claim("alice") == log.node


@given(lengths=st.lists(st.integers(0, 300), min_size=1, max_size=60), data=st.data())
def test_memory_keeps_the_newest_within_its_bounds(lengths: list[int], data: st.DataObject) -> None:
    rooms = [data.draw(st.sampled_from(["#a", "#b", "#c"])) for _ in lengths]

    async def run() -> None:
        log = MemoryLog(per_room=10, total_bytes=4000, rooms=2)
        for n, (room, length) in enumerate(zip(rooms, lengths, strict=True)):
            await log.append(room, [said(f"{n}:" + "x" * length, room)])
        kept = {room: await texts(log, room) for room in set(rooms)}
        assert sum(len(t) + 400 for found in kept.values() for t in found) <= 4000 + 800
        assert sum(bool(found) for found in kept.values()) <= 2
        for room, found in kept.items():
            appended = [n for n, r in enumerate(rooms) if r == room]
            numbers = [int(text.partition(":")[0]) for text in found]
            assert len(numbers) <= 10
            assert numbers == appended[len(appended) - len(numbers) :]

    trio.run(run)


async def test_whoever_knew_a_room_that_was_forgotten_can_go_on() -> None:
    """While a room was being opened, which takes some reads, others may have pushed it out."""
    log = MemoryLog(per_room=1000, total_bytes=10_000_000, rooms=2)
    [barrier] = await append(log, TopicSet("#a", "alice", "tea", "1"), barrier=True)
    for room in ("#b", "#c"):
        await log.append(room, [said("1", room)])
    assert await log.history("#a") == []
    await log.append("#a", [said("2")], expect=barrier)
    assert await texts(log, "#a") == ["2"]
