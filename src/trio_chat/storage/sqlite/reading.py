"""The reads of a history beside the server, which may go on writing."""

import os
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
        _look(path)
        with closing(connect(path, cache_bytes=_CACHE, mode="ro")) as connection:
            yield connection


def _look(path: Path) -> None:
    """Find out why a file cannot be read, which SQLite does not tell."""
    try:
        with open(path, "rb"):
            pass
    except FileNotFoundError:
        raise CannotOpenStore(f"there is no history in {path}") from None
    except PermissionError as error:
        raise CannotOpenStore(
            f"cannot read history in {path}: run this as the user whose server it is"
        ) from error


def journal_size(path: Path) -> int:
    """The bytes of what stands beside a file and has not been moved into it yet."""
    journal = Path(f"{os.path.realpath(path)}-wal")
    return journal.stat().st_size if journal.exists() else 0


@contextmanager
def reading_backup(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads a file to which nobody writes, where nobody can. Raises
    CannotOpenStore, also for errors of SQLite in the context.
    """
    try:
        with open(path, "rb"):
            pass
        # With a journal it is a copy of the folder of a server.
        mode = "ro" if journal_size(path) else "ro&immutable=1"
        with closing(connect(path, cache_bytes=_CACHE, mode=mode)) as connection:
            yield connection
    except OSError as error:
        raise CannotOpenStore(f"cannot read the backup {path}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise CannotOpenStore(f"{path} cannot be restored: {error}: take another backup") from error
