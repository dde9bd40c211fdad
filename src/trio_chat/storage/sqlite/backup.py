"""Backups, made while a server goes on writing.

All of a backup is read in one transaction: what is written meanwhile stays in the journal, and the
backup neither has it nor begins anew because of it. https://www.sqlite.org/backup.html
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.private import reason
from trio_chat.storage.sqlite import brought
from trio_chat.storage.sqlite.drafts import drafting
from trio_chat.storage.sqlite.reading import reading
from trio_chat.storage.sqlite.schema import cause, version_of

# Pages (of 4 KiB) that are copied in a step.
_PAGES = 256

# The longest rest after a step.
_REST = 1.0  # seconds

#: Is told now and then how many pages have been dealt with, and of how many.
Progress = Callable[[int, int], None]


def back_up(
    path: Path,
    to: Path,
    files: Mapping[str, Path],
    *,
    replace: bool = False,
    progress: Progress = lambda done, total: None,
) -> Sequence[str]:
    """Copy the history, and with it these files, to a file that appears when it is whole.

    A file of that name is only replaced if told to. Returns the names of the files that were there.
    Raises CannotOpenStore.
    """
    with reading(path) as connection, _writing(to):
        connection.execute("BEGIN")
        version_of(connection, path)
        _check_is_apart(to, path, files)
        _check_place(to, replace=replace)
        with drafting(to) as draft:
            pace = _Pace(draft.descriptor, progress)
            connection.backup(draft.connection, pages=_PAGES, progress=pace)
            names = brought.pack(draft.connection, files)
            _check_place(to, replace=replace)
    return names


def _check_is_apart(to: Path, path: Path, files: Mapping[str, Path]) -> None:
    """Let a backup replace nothing that the server needs."""
    history = os.path.realpath(path)
    own = [f"{history}{suffix}" for suffix in ("", "-wal", "-shm", ".lock")]
    if os.path.realpath(to) in {*own, *map(os.path.realpath, files.values())}:
        raise CannotOpenStore(f"{to} belongs to the server: name another file for the backup")


def _check_place(to: Path, *, replace: bool) -> None:
    if to.is_dir():
        raise CannotOpenStore(f"{to} is a folder: name a file in it")
    if to.exists() and not to.is_file():  # /dev/null would be no more
        raise CannotOpenStore(f"{to} is no regular file: name one for the backup")
    if not to.parent.is_dir():
        raise CannotOpenStore(f"there is no folder {to.parent} for the backup: make it first")
    if to.exists() and not replace:
        raise CannotOpenStore(f"{to} exists already: choose another name", about="replace")


@contextmanager
def _writing(to: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into CannotOpenStore. A damaged history is not that."""
    try:
        yield
    except OSError as error:
        path = Path(error.filename or to)
        why = f"{path}: {reason(error, path)}"
        raise CannotOpenStore(f"cannot make a backup: {why}") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise CannotOpenStore(
            f"cannot make a backup: {to}: {cause(error)}: make room, or name another place"
        ) from error


class _Pace:
    """Leaves the disk alone after each step for as long as that took. What was copied is on it by
    then, or all of it would hold up the server at the end.
    """

    def __init__(self, descriptor: int, progress: Progress) -> None:
        self._descriptor, self._progress = descriptor, progress
        self._begun = time.monotonic()

    def __call__(self, status: int, left: int, total: int) -> None:
        os.fsync(self._descriptor)
        self._progress(total - left, total)
        if left:
            time.sleep(min(time.monotonic() - self._begun, _REST))
        self._begun = time.monotonic()
