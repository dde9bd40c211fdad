"""Files that appear under their name when they are whole and on the disk, or not at all."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.private import opener, sync_folder


class Draft(NamedTuple):
    """A database that is being written, and a descriptor of its file."""

    connection: sqlite3.Connection
    descriptor: int


@contextmanager
def drafting(path: Path) -> Iterator[Draft]:
    """A new database that takes this name when the context ends, in place of what has it by then.

    Only its user may read it. Until then it is in ``<path>.part``: what a crash leaves there, the
    next one removes. Raises OSError, and CannotOpenStore if somebody else is writing it.
    """
    part = Path(f"{path}.part")
    with open(part, "ab", opener=_opener) as file:
        _claim(part, file)
        try:
            _remove_journals(part)
            file.truncate(0)
            # Closed before the descriptor, which would take its locks along (schema.locked).
            with closing(sqlite3.connect(part, isolation_level=None)) as new:
                new.execute("PRAGMA journal_mode = OFF")  # a failed one is thrown away
                new.execute("PRAGMA synchronous = OFF")  # done below, once for all
                yield Draft(new, file.fileno())
                # One file is all there is, and it can be read where nobody can write.
                new.execute("PRAGMA journal_mode = DELETE")
            os.fsync(file.fileno())
            part.rename(path)
        except BaseException:
            _remove_journals(part)
            part.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def _opener(path: str, flags: int) -> int:
    return opener(path, flags | os.O_NOFOLLOW)


def _claim(part: Path, file: BinaryIO) -> None:
    """Make sure that nobody else has made this file, writes it, or has just renamed it."""
    status = os.fstat(file.fileno())
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = status.st_uid == os.geteuid() and os.path.samestat(status, part.stat())
    except (BlockingIOError, FileNotFoundError):
        is_ours = False
    if not is_ours:
        raise CannotOpenStore(f"somebody else is writing {part}: try again, or choose another name")
    os.fchmod(file.fileno(), 0o600)


def _remove_journals(part: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{part}{suffix}").unlink(missing_ok=True)
