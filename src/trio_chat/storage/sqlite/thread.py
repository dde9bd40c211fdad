"""The writer's own thread: it does what would hold up the chat for too long, and keeps house.

While a transaction is on its way to the disk, the next one gathers: under load hundreds of jobs
share the wait for the disk.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import trio

from trio_chat.storage.sqlite.jobs import Job, Transactions
from trio_chat.storage.sqlite.maintenance import Housekeeper
from trio_chat.storage.sqlite.store import Store

# Jobs that may share a transaction: with 128 messages in each it still takes far less than a
# second.
_TOGETHER = 256

# Housekeeping: how long after a message it begins, and how long between two looks for work when
# nobody says anything (seconds).
PAUSE, _REST = 1.0, 5.0
# Commits by others after which it sees to the journal: by then that is about as long as SQLite lets
# it become.
_COMMITS = 200
# The share of the time that it may take while there are messages; and the steps it does after a
# transaction when it is far behind: as many as keep up.
_SHARE, _STEPS = 0.1, 10


class WriterThread:
    """A thread that does jobs. ``start`` it, give it jobs with ``do``, and end it with ``close``.

    It holds ``in_use`` as long as it uses the store.
    """

    def __init__(self, store: Store, keeper: Housekeeper, transactions: Transactions) -> None:
        self._store, self._keeper, self._transactions = store, keeper, transactions
        self._trio = trio.lowlevel.current_trio_token()
        # An empty one wakes it, and None ends it.
        self._given: queue.SimpleQueue[Sequence[Job[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._due = 0.0  # when the next step of housekeeping is, in monotonic seconds
        self._commits, self._wake_at = 0, 0.0  # by others, since it was woken; and when to be woken
        self.in_use = threading.Lock()
        self.unfinished = 0  # jobs; for trio's thread
        self._since = 0.0  # when some of them were done, or the first was given, as monotonic time

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def waited(self) -> float:
        """For how many seconds it has finished nothing of what it was given; for trio's thread."""
        return time.monotonic() - self._since if self.unfinished else 0.0

    def do(self, jobs: Sequence[Job[Any]]) -> None:
        """Have jobs done."""
        if not self.unfinished:
            self._since = time.monotonic()
        self.unfinished += len(jobs)
        self._given.put(jobs)

    def do_for(self, job: Job[Any]) -> None:
        """Do a job for another thread than trio's, in which this is called."""
        with self.in_use:
            self._store.let_commits_wait(True)
            self._transactions.do([job])
            self.note_commit()

    def note_commit(self) -> None:
        """Note that somebody else has committed something, and holds ``in_use``."""
        self._commits, now = self._commits + 1, time.monotonic()
        if self._commits >= _COMMITS or now >= self._wake_at:
            self._commits, self._wake_at = 0, now + PAUSE
            self._wake()

    def _wake(self) -> None:
        """Let it see to what others have committed: the journal, and housekeeping."""
        self._given.put([])

    def close(self) -> None:
        """Do what waits, end the thread, and wait for that. Blocks."""
        self._given.put(None)
        self._thread.join()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            given = self._next()
            goes_on = None not in given
            with self._using():
                self._do([job for jobs in given if jobs for job in jobs])
                if [] in given:
                    self._store.empty_journal()
                self._keep_house(busy=bool(given))
        with self._using():
            self._keeper.note_the_time()

    def _next(self) -> Sequence[Sequence[Job[Any]] | None]:
        """The jobs that it has been given, in order; empty if it is time for housekeeping."""
        given: list[Sequence[Job[Any]] | None] = []
        with suppress(queue.Empty):
            given.append(self._given.get(timeout=max(self._due - time.monotonic(), 0)))
            while len(given) < _TOGETHER and given[-1] is not None:
                given.append(self._given.get_nowait())
        return given

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Use the store; an error ends what is done, and is reported."""
        with self.in_use:
            try:
                self._store.let_commits_wait(True)
                yield
            except Exception as error:  # noqa: BLE001  (if this thread ended, everybody would wait)
                self._transactions.report(error)

    def _do(self, jobs: Sequence[Job[Any]]) -> None:
        if jobs:
            self._transactions.do(jobs)
            with suppress(trio.RunFinishedError):
                self._trio.run_sync_soon(self._finish, jobs)

    def _finish(self, jobs: Sequence[Job[Any]]) -> None:
        self.unfinished -= len(jobs)
        self._since = time.monotonic()
        for job in jobs:
            job.finished()

    def _keep_house(self, *, busy: bool) -> None:
        """Do a step of housekeeping if it is due, or several if it is far behind."""
        if busy:
            self._due = min(self._due, time.monotonic() + PAUSE)
        for _ in range(_STEPS):
            if not (self._keeper.is_behind() or time.monotonic() >= self._due):
                break
            self._step(busy=busy)

    def _step(self, *, busy: bool) -> None:
        """Do a step. While there are messages, the next is due such that it keeps its share."""
        begin = time.monotonic()
        self._due = begin + _REST  # if it fails
        self._store.check()
        has_more = self._keeper.step()
        self._store.measure()
        end = time.monotonic()
        self._due = end + ((end - begin) * (1 / _SHARE - 1) * busy if has_more else _REST)
