"""Puts a backup in the place of the history: all of it by one rename, or nothing.

What was there stays beside it. Who is killed before the rename has changed nothing; and after it,
the next one who opens the file puts the files in their places that it has brought along.
"""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.private import nearest, sync_folder, user_name
from trio_chat.storage.sqlite import brought
from trio_chat.storage.sqlite.backup import Progress
from trio_chat.storage.sqlite.drafts import drafting
from trio_chat.storage.sqlite.reading import reading_backup
from trio_chat.storage.sqlite.schema import connect, locked, opening, version_of

_CACHE = 2 * 1024 * 1024  # bytes
_PAGES = 1000  # copied in a step


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup has ``brought`` along besides the history, and the names under which that is
    ``kept`` which was in its place.
    """

    brought: Sequence[str]
    kept: Sequence[Path]


def restore(
    backup: Path,
    path: Path,
    files: Mapping[str, Path],
    *,
    progress: Progress = lambda done, total: None,
) -> Restored:
    """Put a backup in the place of the history, and what it has of these files in theirs.

    Raises CannotOpenStore; also if a server has the history.
    """
    path = Path(os.path.realpath(path))  # or a link would be replaced, and not what it leads to
    _check_owner(path)
    with reading_backup(backup) as connection:
        connection.execute("BEGIN")
        _check(connection, backup, path)
        names = brought.names(connection)
        with locked(path, "stop it first"), opening(path):
            with drafting(path) as draft:
                connection.backup(
                    draft.connection,
                    pages=_PAGES,
                    progress=lambda _, left, total: progress(total - left, total),
                )
                kept = _keep_aside(path)
            with closing(connect(path, cache_bytes=_CACHE)) as restored:
                restored.execute("PRAGMA secure_delete = ON")
                kept += brought.unpack(restored, files)
    return Restored(names, kept)


def _check_owner(path: Path) -> None:
    """Let root restore nothing that the server could not read then. Raises CannotOpenStore."""
    there = nearest(path)
    owner = there.stat().st_uid
    if os.geteuid() == 0 and owner:
        name = user_name(owner)
        raise CannotOpenStore(f"{there} belongs to {name}: run this as that user (sudo -u {name})")


def _check(connection: sqlite3.Connection, backup: Path, path: Path) -> None:
    if os.path.exists(path) and os.path.samefile(backup, path):
        raise CannotOpenStore(f"{backup} is the history itself, and no backup of it")
    version_of(connection, backup)
    [found] = connection.execute("PRAGMA integrity_check (1)").fetchone()
    if found != "ok":
        why = " ".join(str(found).split())
        raise CannotOpenStore(f"{backup} is damaged ({why}): take another backup")


def _keep_aside(path: Path) -> list[Path]:
    """Give the history that is there a second name, which is returned, if there is any."""
    with suppress(sqlite3.Error), closing(connect(path, cache_bytes=_CACHE)) as connection:
        connection.execute("PRAGMA wal_checkpoint (TRUNCATE)")
    journal = Path(f"{path}-wal")
    if not path.stat().st_size and not journal.exists():
        return []
    kept = brought.aside(path)
    os.link(path, kept)
    # Only if the history is damaged, or somebody reads it: a new one must not take it for its own.
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{kept}{suffix}")
    sync_folder(path.parent)
    return [kept]
