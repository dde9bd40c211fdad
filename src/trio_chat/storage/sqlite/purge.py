"""The last bytes of what was redacted, and old copies of the file: both go, in steps.

What SQLite deletes, it overwrites (``secure_delete``). But the index holds deleted words until it
is merged, free pages of an older file are not overwritten, the journal holds pages as they were,
and the copy that was made before a migration holds everything.
"""

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Error
from typing import Any

from trio_chat.storage.ids import time_of, unpack
from trio_chat.storage.sqlite import search
from trio_chat.storage.sqlite.schema import COPY
from trio_chat.storage.sqlite.store import Store

logger = logging.getLogger(__name__)

# Seconds between the beginnings of two purges, because each merges all of the index.
_APART = 6 * 3600

# How long copies stay (milliseconds), and how long it is between two looks for them (seconds).
_KEPT, _LOOK = 7 * 86_400_000, 3600

_PAGES = 256  # that are given back to the file system in a step


class Purge:
    """Work for the thread that writes: soon after a redaction, but at most every six hours.

    ``steady`` gives seconds, ``house_time`` unix milliseconds. Raises sqlite3.Error.
    """

    def __init__(
        self, store: Store, steady: Callable[[], float], house_time: Callable[[], int]
    ) -> None:
        self._store, self._connection = store, store.connection
        self._steady, self._house_time = steady, house_time
        self._steps: Iterator[bool] | None = None
        self._due = self._look = steady()

    def step(self) -> bool:
        """Do a step; returns whether the next one can be done at once."""
        self._look_at_copies()
        if self._steps is None:
            if self._steady() < self._due or not self._one("SELECT redacted FROM indexed"):
                return False
            self._due = self._steady() + _APART
            self._steps = self._purge()
        try:
            more = next(self._steps, None)
        except Error:
            self._steps, self._due = None, self._steady()
            raise
        if more is None:
            self._steps = None
        return bool(more)

    def _purge(self) -> Iterator[bool]:
        redactions, oldest = self._store.redactions, self._one("SELECT redacted FROM indexed")
        yield self._merge(begins=True)
        while self._merge(begins=False):
            yield True
        while self._give_pages_back():
            yield True
        self._drop_copies(lambda made: made >= time_of(unpack(oldest)))
        while not self._empty_journal():
            yield False
        if self._store.redactions == redactions:  # else there is more to purge, later
            with self._store.transaction():
                self._connection.execute("UPDATE indexed SET redacted = 0")

    def _merge(self, *, begins: bool) -> bool:
        with self._store.transaction():
            return search.merge(self._connection, begins=begins)

    def _give_pages_back(self) -> bool:
        """Give some free pages back; returns whether there are more."""
        free = self._one("PRAGMA freelist_count")
        if free:
            self._connection.execute(f"PRAGMA incremental_vacuum ({_PAGES})").fetchall()
        return bool(0 < self._one("PRAGMA freelist_count") < free)

    def _empty_journal(self) -> bool:
        """Empty the journal; returns whether it is: not if somebody reads from it just now."""
        self._store.let_commits_wait(False)
        return not self._one("PRAGMA wal_checkpoint (TRUNCATE)")

    def _look_at_copies(self) -> None:
        if self._steady() >= self._look:
            self._look = self._steady() + _LOOK
            self._drop_copies(lambda made: made < self._house_time() - _KEPT)

    def _drop_copies(self, should_go: Callable[[float], bool]) -> None:
        """Remove those copies of earlier versions that were made at certain moments."""
        path = Path(self._connection.execute("PRAGMA database_list").fetchone()[2])
        is_copy = re.compile(re.escape(f"{path.name}{COPY}") + r"\d+(\.part)?")
        try:
            for file in path.parent.iterdir():
                if is_copy.fullmatch(file.name) and should_go(file.stat().st_mtime * 1000):
                    file.unlink()
                    logger.info(
                        "removed %s, the history as an earlier version had it",
                        file,
                        extra={"event": "copy-removed", "path": str(file)},
                    )
        except OSError as error:
            logger.warning(
                "cannot remove an old copy of the history: %s",
                error,
                extra={"event": "copy-stays", "reason": str(error)},
            )

    def _one(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()[0]
