"""The writer: what is asked of it in one pass of trio's loop shares one transaction.

A message that comes alone is committed there and then, on trio's thread: a hop to another thread
and back costs several times as much as a fast disk does. Those that come together are gathered
until the pass is over. If the disk is slow, or busy with something else, or there is much to write,
a thread does it. There is no timer, so nothing is delayed.
"""

import time
from collections.abc import Sequence
from typing import Any

import trio

from trio_chat.storage.sqlite.jobs import Job, Transactions
from trio_chat.storage.sqlite.maintenance import Housekeeper
from trio_chat.storage.sqlite.store import Store
from trio_chat.storage.sqlite.thread import WriterThread

# Entries that are committed on trio's thread at a time: about a millisecond.
_HERE = 64

# A commit on trio's thread that takes longer than this (seconds) holds up others. Then the other
# thread makes them for so many times as long, doubled for each slow one in a row, up to a limit.
_FAST, _FIRST, _MOST = 0.0005, 20, 320


class Writer:
    """Does jobs, in the order in which they come. For trio's thread.

    End it with ``close``.
    """

    def __init__(self, store: Store, keeper: Housekeeper) -> None:
        self._trio = trio.lowlevel.current_trio_token()
        self._store, self._transactions = store, Transactions(store)
        self._thread = WriterThread(store, keeper, self._transactions)
        self._thread.start()
        self._gathered: list[Job[Any]] = []  # in this pass of the loop
        self._is_crowded = False  # whether several came together the last time
        self._slow_until, self._caution = 0.0, _FIRST

    @property
    def is_busy(self) -> bool:
        """Whether it has something to do."""
        return bool(self._gathered or self._thread.unfinished)

    @property
    def is_failing(self) -> bool:
        """Whether a job has failed because of the file, and none has written to it since."""
        return self._transactions.is_failing

    @property
    def waited(self) -> float:
        """For how many seconds it has done nothing of what it has to do."""
        return self._thread.waited

    def do(self, job: Job[Any], *, lone: bool) -> None:
        """Have a job done; ``job.finished`` is called afterwards.

        ``lone`` says that nothing else has come in this pass, as far as is known. Then it may be
        done before this returns.
        """
        if lone and not (self._is_crowded or self._gathered):
            self._begin([job])
            return
        if not self._gathered:
            self._trio.run_sync_soon(self._begin_gathered)
        self._gathered.append(job)

    def _begin_gathered(self) -> None:
        jobs, self._gathered = self._gathered, []
        self._is_crowded = len(jobs) > 1
        self._begin(jobs)

    def do_for(self, job: Job[Any]) -> None:
        """Do a job for another thread, in which this is called; returns when it has been done."""
        self._thread.do_for(job)

    async def close(self) -> None:
        """Do what waits, end the thread, and wait for that."""
        self._begin_gathered()
        await trio.to_thread.run_sync(self._thread.close)

    def _begin(self, jobs: Sequence[Job[Any]]) -> None:
        if not (self._can_be_done_here(jobs) and self._do_here(jobs)):
            self._thread.do(jobs)

    def _can_be_done_here(self, jobs: Sequence[Job[Any]]) -> bool:
        if self._thread.unfinished or any(job.size is None for job in jobs):
            return False
        sizes = [job.size or 0 for job in jobs if job.writes]
        return not sizes or (sum(sizes) <= _HERE and time.monotonic() >= self._slow_until)

    def _do_here(self, jobs: Sequence[Job[Any]]) -> bool:
        """Do jobs on this thread; returns whether that was possible. If not, nothing is done."""
        if not self._thread.in_use.acquire(blocking=False):
            return False
        try:
            self._store.let_commits_wait(False)
            begin = time.monotonic()
            failed = self._transactions.attempt(jobs)
            if any(job.writes for job in jobs):
                self._note_commit(begin, failed)
        finally:
            self._thread.in_use.release()
        if failed:
            return False  # the other thread will find out which of them fails
        for job in jobs:
            job.finished()
        return True

    def _note_commit(self, begin: float, failed: Exception | None) -> None:
        now = time.monotonic()
        self._judge(now - begin if failed else self._store.took, now)
        self._thread.note_commit()

    def _judge(self, took: float, now: float) -> None:
        """Judge the disk by a commit on this thread, which is not held up by the other."""
        if took <= _FAST:
            self._caution = _FIRST
        else:
            self._slow_until = now + took * self._caution
            self._caution = min(2 * self._caution, _MOST)
