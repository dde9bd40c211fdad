"""Reads a history while the server may go on writing it.

SQLite writes to ``chat.db-shm`` to share a file. Where it cannot, as on a disk that is full or has
become read-only, the file is read with all servers kept away: that is when people want a backup.
"""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.private import reason
from trio_chat.storage.sqlite.schema import cause, connect, opening

_CACHE = 2 * 1024 * 1024  # bytes
_ALONE = "ro&immutable=1"  # nothing is written for it, and nobody may write

# What SQLite says if it cannot write to chat.db-shm.
_CANNOT_SHARE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file. Raises CannotOpenStore, also for errors of SQLite in the
    context.
    """
    with opening(path, "read"):
        _look(path)
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(_sharing(path))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _CANNOT_SHARE:
                    raise
                connection = stack.enter_context(_alone(path, error))
            yield connection


@contextmanager
def _sharing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection beside others."""
    with closing(connect(path, cache_bytes=_CACHE, mode="ro")) as connection:
        connection.execute("SELECT 1 FROM sqlite_schema")  # it is only opened now
        yield connection


@contextmanager
def _alone(path: Path, why: sqlite3.OperationalError) -> Iterator[sqlite3.Connection]:
    """A connection that keeps servers away. It raises what is wrong if there is one, and
    CannotOpenStore if a part of the history is in the journal, which it cannot read.
    """
    with ExitStack() as stack:
        for name in (path, f"{os.path.realpath(path)}.lock"):  # as a server does (schema.locked)
            with suppress(FileNotFoundError):
                file = stack.enter_context(open(name, "rb"))
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise why from None
        if journal_size(path):
            raise CannotOpenStore(
                f"cannot read history in {path}, where nothing can be written ({cause(why)}): copy "
                f"it and {path.name}-wal to another disk, and name that copy by history.store"
            ) from why
        yield stack.enter_context(closing(connect(path, cache_bytes=_CACHE, mode=_ALONE)))


def _look(path: Path) -> None:
    """Find out why a file cannot be read, which SQLite does not tell."""
    try:
        with open(path, "rb"):
            pass
    except FileNotFoundError:
        raise CannotOpenStore(f"there is no history in {path}") from None


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
        if not stat.S_ISREG(path.stat().st_mode):  # SQLite cannot, and who opens a pipe may wait
            raise CannotOpenStore(f"{path} is no regular file: save the backup in one")
        with open(path, "rb"):
            pass
        # With a journal it is a copy of the folder of a server.
        mode = "ro" if journal_size(path) else _ALONE
        with closing(connect(path, cache_bytes=_CACHE, mode=mode)) as connection:
            yield connection
    except OSError as error:
        raise CannotOpenStore(f"cannot read the backup {path}: {reason(error, path)}") from error
    except sqlite3.Error as error:
        raise CannotOpenStore(f"{path} cannot be restored: {error}: take another backup") from error
