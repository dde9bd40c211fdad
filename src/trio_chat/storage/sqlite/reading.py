"""The reads of a history beside the server, which may go on writing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.sqlite.schema import connect, opening

_CACHE = 2 * 1024 * 1024  # bytes


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file. Raises CannotOpenStore, also for errors of SQLite in the
    context.
    """
    with opening(path, "read"):
        if not path.exists():
            raise CannotOpenStore(f"there is no history in {path}")
        with open(path, "rb"):  # which tells why it cannot be read; SQLite does not
            pass
        with closing(connect(path, cache_bytes=_CACHE, mode="ro")) as connection:
            yield connection
