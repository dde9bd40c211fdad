"""The one thread that writes. Everything that waits for it shares one transaction.

There is no timer: while a transaction is on its way to the disk, the next one gathers. So a message
that comes alone is not delayed, and under load hundreds share the wait for the disk. If a
transaction fails, its jobs are tried one by one, so that each fails for itself alone.
"""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, Generic, TypeVar

import trio

from trio_chat.errors import ChatError, Unavailable
from trio_chat.storage.sqlite.maintenance import Housekeeper
from trio_chat.storage.sqlite.store import Store

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

# Jobs that may share a transaction: with 128 messages in each it still takes far less than a
# second.
_TOGETHER = 256

# Housekeeping: how long after a message it begins, and how long between two looks for work when
# nobody says anything (seconds).
_PAUSE, _REST = 1.0, 5.0
# The share of the time that it may take while there are messages; and the steps it does after a
# transaction when it is far behind: as many as keep up.
_SHARE, _STEPS = 0.1, 10


class Job(Generic[_T]):
    """Something to do with the store: ``run``, in the writer's thread, and once more if something
    that it was done together with has failed. A ChatError concerns this job alone, which has
    changed nothing.

    ``writes`` says whether it needs a transaction. If it could not be made lasting, ``otherwise``
    is run instead. ``then`` is called in trio's thread, in the order in which jobs were done. After
    that ``result`` is there, unless ``error`` says why it could not be done.
    """

    result: _T
    error: Exception | None = None

    def __init__(
        self,
        run: Callable[[Store], _T],
        *,
        writes: bool = True,
        otherwise: Callable[[Store], _T] | None = None,
        then: "Callable[[Job[_T]], None] | None" = None,
    ) -> None:
        self.run, self.writes, self.otherwise, self._then = run, writes, otherwise, then
        self.done = trio.Event()

    def finished(self) -> None:
        """Tell whoever waits for it, unless they have been cancelled."""
        try:
            if self._then:
                self._then(self)
        except trio.BrokenResourceError as error:
            self.error = error
        self.done.set()


class Writer:
    """The thread that writes. ``start`` it, give it jobs with ``do``, and end it with ``close``."""

    def __init__(
        self, store: Store, keeper: Housekeeper, trio_token: trio.lowlevel.TrioToken
    ) -> None:
        self._store, self._keeper, self._trio = store, keeper, trio_token
        self._jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._due = 0.0  # when the next step of housekeeping is, in monotonic seconds
        self._failing = self._unexpected = ""  # what has been reported last

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def do(self, job: Job[Any]) -> None:
        """Have a job done; ``job.finished`` is called afterwards."""
        self._jobs.put(job)

    def close(self) -> None:
        """Do what waits, end the thread, and wait for that. Blocks."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            jobs = self._next_jobs()
            if jobs:
                self._do([job for job in jobs if job])
                self._due = min(self._due, time.monotonic() + _PAUSE)
            if None in jobs:
                self._end()
                return
            for _ in range(_STEPS):
                if not (self._keeper.is_behind() or time.monotonic() >= self._due):
                    break
                self._keep_house(busy=bool(jobs))

    def _next_jobs(self) -> Sequence[Job[Any] | None]:
        """The jobs that wait, perhaps none; None among them asks for the end."""
        jobs: list[Job[Any] | None] = []
        with suppress(queue.Empty):
            jobs.append(self._jobs.get(timeout=max(self._due - time.monotonic(), 0)))
            while len(jobs) < _TOGETHER and jobs[-1] is not None:
                jobs.append(self._jobs.get_nowait())
        return jobs

    def _do(self, jobs: Sequence[Job[Any]]) -> None:
        if error := self._try(jobs):
            for job in jobs:
                if job.writes and _is_locked(error):  # the wait for one was long enough
                    self._fail(job, error)
                elif again := self._try([job]):
                    self._fail(job, error := again)
        with suppress(trio.RunFinishedError):
            self._trio.run_sync_soon(_finish, jobs)

    def _try(self, jobs: Sequence[Job[Any]]) -> Exception | None:
        """Do jobs in one transaction; returns why that could not be done."""
        writes = any(job.writes for job in jobs)
        try:
            with self._store.transaction() if writes else nullcontext():
                for job in jobs:
                    _run(job, self._store)
        except Exception as error:  # noqa: BLE001  (if this thread ended, everybody would wait)
            return error
        if writes:
            self._note("")
        return None

    def _fail(self, job: Job[Any], error: Exception) -> None:
        self._report(error)
        job.error = unavailable = Unavailable(f"This cannot be stored now: {error}.")
        try:
            if job.otherwise:
                job.result, job.error = job.otherwise(self._store), None
        except Exception as failed:  # noqa: BLE001  (as above)
            job.error = failed if isinstance(failed, ChatError) else unavailable

    def _keep_house(self, *, busy: bool) -> None:
        """Do a step of housekeeping; while there are messages, the next keeps its share."""
        begin = time.monotonic()
        try:
            self._store.check()
            has_more = self._keeper.step()
        except Exception as error:  # noqa: BLE001  (as above)
            self._report(error)
            has_more = False
        end = time.monotonic()
        if has_more:
            self._due = end + (end - begin) * (1 / _SHARE - 1) * busy
        else:
            self._due = end + _REST

    def _end(self) -> None:
        try:
            self._keeper.note_the_time()
        except sqlite3.Error as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        if isinstance(error, sqlite3.Error):
            self._note(str(error))
        elif str(error) != self._unexpected:
            logger.error("this should not have happened", exc_info=error)
            self._unexpected = str(error)

    def _note(self, error: str) -> None:
        """Report it when writing begins to fail, and when it works again."""
        if error and not self._failing:
            logger.error("cannot write history: %s", error)
        elif self._failing and not error:
            logger.warning("history can be written again")
        self._failing = error


def _is_locked(error: Exception) -> bool:
    """Whether the wait for somebody else who writes to the file was in vain."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _run(job: Job[Any], store: Store) -> None:
    job.error = None
    try:
        job.result = job.run(store)
    except ChatError as error:
        job.error = error


def _finish(jobs: Sequence[Job[Any]]) -> None:
    for job in jobs:
        job.finished()
