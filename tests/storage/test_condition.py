"""How a store says it is, without a look at the disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio
import trio.testing

from disks import disk_full, held
from stores import append, mark, open_file, said, take
from trio_chat.errors import Unavailable
from trio_chat.storage.base import Condition, Log
from trio_chat.storage.sqlite.log import SqliteLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


async def test_a_new_store_is_well(log: Log) -> None:
    now = log.condition
    assert now == Condition(now.bytes, free=1024)
    log.probe()
    await log.settled()
    assert log.condition == now


async def test_what_is_appended_takes_a_place_until_it_is_shown(log: Log) -> None:
    for _ in range(10):
        await append(log, *(said("x" * 1000) for _ in range(10)))
    assert log.condition.free == 1014
    await take(log, 100)
    assert log.condition.free == 1024


@pytest.mark.slow
async def test_the_size_is_that_of_the_file(path: Path) -> None:
    async with open_file(path) as log:
        empty = log.condition.bytes
        await append(log, *(said("x" * 1000) for _ in range(1000)))
        assert log.condition.unindexed > 0
        while log.condition.bytes < empty + 1_000_000 or log.condition.unindexed:
            await log.settled()
    size = (await trio.Path(path).stat()).st_size
    async with open_file(path) as log:
        assert log.condition.bytes == size


async def failed(log: Log) -> None:
    with pytest.raises(Unavailable):
        await append(log, said("lost"))


async def test_it_fails_while_the_disk_is_full_and_finds_out_by_itself_when_it_is_not(
    path: Path,
) -> None:
    async with open_file(path) as log:
        with disk_full():
            assert not log.condition.is_failing  # nobody has tried
            await failed(log)
            assert log.condition.is_failing
            await log.settled()
            await probed(log)
            assert log.condition.is_failing
        await probed(log)
        assert not log.condition.is_failing


async def test_a_disk_with_room_for_less_than_a_message_is_full(path: Path) -> None:
    async with open_file(path) as log:
        await log.settled()
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint (TRUNCATE)")
        with disk_full(60_000):
            with pytest.raises(Unavailable):
                await append(log, said("x" * 100_000))
            await probed(log)
            assert log.condition.is_failing
            await append(log, said("short"))
            assert not log.condition.is_failing


async def test_it_fails_while_the_file_is_not_in_its_place_though_nobody_writes(path: Path) -> None:
    async with open_file(path) as log:
        await trio.Path(path).rename(path.with_name("moved"))
        await probed(log)
        assert log.condition.is_failing
        await trio.Path(path.with_name("moved")).rename(path)
        await probed(log)
        assert not log.condition.is_failing


async def probed(log: Log) -> None:
    log.probe()
    await trio.testing.wait_all_tasks_blocked()  # it has been handed to the thread
    await log.settled()


async def test_what_it_tries_to_write_leaves_nothing(path: Path) -> None:
    async with open_file(path) as log:
        await mark(log, "al", "#a", 1)
        with disk_full():
            await failed(log)
        await probed(log)
        assert await log.marked("", "") == 0
        assert await log.marked("al", "#a") == 1


async def test_a_message_that_cannot_be_written_at_all_is_no_failure(path: Path) -> None:
    async with open_file(path) as log:
        with pytest.raises(Unavailable):
            await append(log, said("\ud800"))
        assert not log.condition.is_failing


async def test_it_knows_how_long_it_hangs_and_is_asked_once(path: Path) -> None:
    async with open_file(path, busy=50) as log, trio.open_nursery() as nursery:
        assert log.condition.waited == 0
        with held(path):
            nursery.start_soon(append, log, said("late"))
            while not log.condition.waited:
                await trio.lowlevel.checkpoint()
            for _ in range(3):
                log.probe()
            await trio.testing.wait_all_tasks_blocked()
            assert unfinished(log) == 1
        await log.settled()
        assert log.condition.waited == 0


def unfinished(log: SqliteLog) -> int:
    return log._writer._thread.unfinished
