"""On which thread what is written, and how many share a transaction."""

import itertools
import math
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import append, open_file, said, take, texts
from trio_chat.core.events import TopicSet
from trio_chat.storage.sqlite import store, writer
from trio_chat.storage.sqlite.jobs import Job
from trio_chat.storage.sqlite.log import SqliteLog
from trio_chat.storage.sqlite.writer import Writer

HERE, THREAD = "MainThread", "history"


class Disk:
    """A disk that takes ``seconds`` for each commit; ``commits`` tells by which thread they were
    made.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.commits: list[str] = []
        self._now = self._passed = 0.0  # the clock stands still, but for what a test lets pass

    def perf_counter(self) -> float:
        """Called before a commit and after it."""
        self._now += self.seconds
        return self._now

    def monotonic(self) -> float:
        return self._passed

    def pass_time(self, seconds: float) -> None:
        self._passed += seconds

    def trace(self, statement: str) -> None:
        if statement == "COMMIT":
            self.commits.append(threading.current_thread().name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(0.0001)
    for module in (store, writer):
        monkeypatch.setattr(module, "time", disk)
    return disk


@asynccontextmanager
async def opened(path: Path, disk: Disk, **how: Any) -> AsyncIterator[SqliteLog]:
    """A log of which the disk has been found out to be as fast as it is."""
    async with open_file(path, **how) as log:
        for number in range(60):
            await append(log, said(f"before {number}"))
        log._store.connection.set_trace_callback(disk.trace)
        disk.commits.clear()
        yield log


async def test_a_message_that_comes_alone_is_committed_without_another_thread(
    tmp_path: Path, disk: Disk
) -> None:
    async with opened(tmp_path / "chat.db", disk) as log:
        for number in range(10):
            await append(log, said(f"{number}"))
        assert disk.commits.count(HERE) == 10
        assert await texts(log, "#a", limit=10) == [f"{number}" for number in range(10)]


async def test_a_slow_disk_holds_up_nobody(tmp_path: Path, disk: Disk) -> None:
    disk.seconds = 0.005
    async with opened(tmp_path / "chat.db", disk) as log:
        for number in range(10):
            await append(log, said(f"{number}"))
        assert disk.commits[:10] == [THREAD] * 10


async def test_a_disk_that_becomes_slow_holds_up_the_chat_once(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "chat.db", disk) as log:
        disk.seconds = 0.1
        for number in range(10):
            await append(log, said(f"{number}"))
        assert disk.commits[:10] == [HERE] + [THREAD] * 9


async def test_a_disk_that_was_slow_once_is_trusted_again(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "chat.db", disk) as log:
        disk.seconds = 0.005
        await append(log, said("slow"))
        disk.seconds = 0.0001
        for number in range(3):
            await append(log, said(f"{number}"))
        assert disk.commits[:4] == [HERE, THREAD, THREAD, THREAD]
        disk.commits.clear()
        disk.pass_time(0.2)
        with trio.fail_after(20):
            while HERE not in disk.commits:  # the other thread may be keeping house
                await append(log, said("fast"))


async def test_a_disk_that_stays_slow_is_tried_ever_more_seldom(tmp_path: Path, disk: Disk) -> None:
    tries = []
    async with opened(tmp_path / "chat.db", disk) as log:
        disk.seconds = 0.1
        for second in range(1, 120):
            await append(log, said(f"{second}"))
            if HERE in disk.commits:
                tries.append(second)
            disk.commits.clear()
            disk.pass_time(1)
    assert 5 <= len(tries) <= 9
    assert tries[-1] - tries[-2] > 25


async def test_those_that_come_together_share_a_transaction(tmp_path: Path, disk: Disk) -> None:
    async def say_together() -> None:
        disk.commits.clear()
        async with trio.open_nursery() as nursery:
            for number in range(60):
                nursery.start_soon(append, log, said(f"{number}"))

    async with opened(tmp_path / "chat.db", disk) as log, trio.open_nursery() as nursery:
        nursery.start_soon(take, log, 60 + 180)  # and those of before
        await trio.testing.wait_all_tasks_blocked()
        await say_together()
        assert len(disk.commits) == 2  # the first was taken for one that comes alone
        for _ in range(2):
            await say_together()
            assert disk.commits == [HERE]


async def test_much_at_once_holds_up_nobody(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path / "chat.db", disk) as log:
        await append(log, *(said(f"{number}") for number in range(65)))
        assert disk.commits == [THREAD]


async def test_somebody_else_who_writes_holds_up_nobody(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "chat.db"
    async with opened(path, disk, busy=60) as log, trio.open_nursery() as nursery:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with trio.fail_after(30):  # long before it is given up
                nursery.start_soon(append, log, said("waits"))
                await trio.testing.wait_all_tasks_blocked()
            other.execute("ROLLBACK")
    assert THREAD in disk.commits


async def test_what_was_gathered_is_written_before_the_end(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = tmp_path / "chat.db", 0
    do = Writer.do

    def counted(writer: Writer, job: Job[Any], *, lone: bool) -> None:
        nonlocal asked
        asked += 1
        do(writer, job, lone=False)

    async with opened(path, disk) as log, trio.open_nursery() as nursery:
        monkeypatch.setattr(Writer, "do", counted)
        for number in range(50):
            nursery.start_soon(append, log, said(f"{number}"))
        while asked < 2:
            await trio.lowlevel.checkpoint()  # then many have, and none has been answered
        nursery.cancel_scope.cancel()
    assert asked > 1
    async with open_file(path) as log:
        assert len(await texts(log, "#a", limit=1000)) == 60 + asked


@pytest.mark.slow
async def test_the_journal_does_not_grow_with_what_is_said(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "chat.db"
    async with opened(path, disk) as log:
        for number in range(900):  # 27 MB
            await log.append("#a", [said(f"{number} {'x' * 30_000}")])
        assert os.stat(f"{path}-wal").st_size < 18 * 1024 * 1024  # a busy machine has time for it


@given(st.lists(st.lists(st.sampled_from([1, 2, 70]), min_size=1, max_size=5), max_size=8))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_the_tail_shows_in_the_order_of_ids_whoever_writes(
    tmp_path_factory: pytest.TempPathFactory, passes: Sequence[Sequence[int]]
) -> None:
    """Some alone, some together; some short, some long; the disk now slow, now fast."""
    until: Iterator[float] = itertools.cycle([0.0, 0.0, math.inf, math.inf])
    path = tmp_path_factory.mktemp("log") / "chat.db"

    async def main() -> None:
        async with open_file(path) as log:
            count = 0
            for sizes in passes:
                async with trio.open_nursery() as nursery:
                    for size in sizes:
                        nursery.start_soon(append, log, *(said("x") for _ in range(size)))
                        count += size
                log._writer._slow_until = next(until)
            await append(log, TopicSet("#a", "alice", "last", "1"))
            shown = [entry.id for entry in await take(log, count + 1)]
            assert shown == sorted(shown)

    trio.run(main)


async def test_a_disk_that_hangs_keeps_the_log_from_settling(tmp_path: Path, disk: Disk) -> None:
    disk.seconds = 0.005  # so its commits are the other thread's
    goes_on = threading.Event()

    def hang(statement: str) -> None:
        if statement == "COMMIT":
            goes_on.wait()

    async with opened(tmp_path / "chat.db", disk) as log, trio.open_nursery() as nursery:
        log._store.connection.set_trace_callback(hang)
        nursery.start_soon(append, log, said("hello"))
        settled = trio.Event()

        async def settle() -> None:
            await log.settled()
            settled.set()

        nursery.start_soon(settle)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert not settled.is_set()
        goes_on.set()
        await settled.wait()
