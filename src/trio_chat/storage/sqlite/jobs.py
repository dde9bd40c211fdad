"""Jobs that write, and how several share a transaction.

If a transaction fails, its jobs are tried one by one, so that each fails for itself alone.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Generic, TypeVar

import trio

from trio_chat.errors import ChatError, Unavailable
from trio_chat.storage.sqlite.store import Store

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class Job(Generic[_T]):
    """Something to do with the store: ``run``, in either thread, and once more if something that it
    was done together with has failed. A ChatError concerns this job alone, which has changed
    nothing.

    ``writes`` says whether it needs a transaction, ``size`` how many entries it appends; None is
    something else, which may take long. If it could not be made lasting, ``otherwise`` is run
    instead. ``then`` is called in trio's thread, in the order in which jobs were done. After that
    ``result`` is there, unless ``error`` says why it could not be done.
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
        size: int | None = None,
    ) -> None:
        self.run, self.writes, self.otherwise, self._then = run, writes, otherwise, then
        self.size = size
        self._is_done = False
        self._awaited: trio.Event | None = None

    def finished(self) -> None:
        """Tell whoever waits for it, unless they have been cancelled."""
        try:
            if self._then:
                self._then(self)
        except trio.BrokenResourceError as error:
            self.error = error
        self._is_done = True
        if self._awaited is not None:
            self._awaited.set()

    async def until_done(self) -> None:
        """Wait until it has been done; if it has been, this is no checkpoint."""
        if not self._is_done:
            self._awaited = trio.Event()
            await self._awaited.wait()


class Transactions:
    """Does jobs with the store, and reports what fails. For one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failing = self._unexpected = ""  # what has been reported last
        self.is_failing = False  # whether a job could not be done, and none has written since

    def attempt(self, jobs: Sequence[Job[Any]]) -> Exception | None:
        """Do jobs in one transaction; returns why that could not be done."""
        writes = any(job.writes for job in jobs)
        try:
            with self._store.transaction() if writes else nullcontext():
                for job in jobs:
                    _run(job, self._store)
        except Exception as error:  # noqa: BLE001  (if a thread ended, everybody would wait)
            return error
        if writes:
            self.is_failing = False
            self._note("")
        return None

    def do(self, jobs: Sequence[Job[Any]]) -> None:
        """Do jobs together, or each for itself; those that cannot be done have failed."""
        if error := self.attempt(jobs):
            for job in jobs:
                if job.writes and _is_locked(error):  # the wait for one was long enough
                    self._fail(job, error)
                elif failed := self.attempt([job]):
                    self._fail(job, error := failed)

    def _fail(self, job: Job[Any], error: Exception) -> None:
        self.is_failing = self.is_failing or isinstance(error, sqlite3.Error)
        self.report(error)
        job.error = unavailable = Unavailable(f"This cannot be stored now: {error}.")
        try:
            if job.otherwise:
                job.result, job.error = job.otherwise(self._store), None
        except Exception as failed:  # noqa: BLE001  (as above)
            job.error = failed if isinstance(failed, ChatError) else unavailable

    def report(self, error: Exception) -> None:
        """Log an error, unless it is the one that was logged last."""
        if isinstance(error, sqlite3.Error):
            self._note(str(error))
        elif str(error) != self._unexpected:
            logger.error("this should not have happened", exc_info=error, extra={"event": "failed"})
            self._unexpected = str(error)

    def _note(self, error: str) -> None:
        """Report it when writing begins to fail, and when it works again."""
        if error and not self._failing:
            logger.error(
                "cannot write history: %s", error, extra={"event": "store-failing", "reason": error}
            )
        elif self._failing and not error:
            logger.warning("history can be written again", extra={"event": "store-works"})
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
