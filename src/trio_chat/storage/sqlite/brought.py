"""The files that a backup brings along: what must outlive the server besides its history.

They are in a table of the backup. So it is one file, of which nothing can be forgotten or mixed up,
and putting it in the place of the history is all or nothing. Whoever opens it there puts the files
in their places, and the table away.
"""

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.private import make_whole

_TABLE = "CREATE TABLE brought (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT"


def pack(connection: sqlite3.Connection, files: Mapping[str, Path]) -> Sequence[str]:
    """Put those files that exist into a backup, and return their names in it. Raises OSError."""
    contents = {name: path.read_bytes() for name, path in files.items() if path.exists()}
    connection.execute(_TABLE)
    connection.executemany("INSERT INTO brought VALUES (?, ?)", contents.items())
    return [*contents]


def names(connection: sqlite3.Connection) -> Sequence[str]:
    """The names of the files that a history has brought along."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'brought'").fetchone():
        return []
    return [name for (name,) in connection.execute("SELECT name FROM brought ORDER BY rowid")]


def unpack(connection: sqlite3.Connection, files: Mapping[str, Path]) -> Sequence[Path]:
    """Put the files that a history has brought along in their places, in those of ``files``.

    However often it is stopped, the next one goes on. Returns the new names of what was there and
    is not the same. Raises CannotOpenStore.
    """
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'brought'").fetchone():
        return []
    kept: list[Path] = []
    for name, content in connection.execute("SELECT name, content FROM brought").fetchall():
        if path := files.get(name):
            kept += _put(path, content)
    connection.execute("DROP TABLE brought")
    return kept


def _put(path: Path, content: bytes) -> Sequence[Path]:
    """Give a file this content; what was there gets another name, which is returned."""
    kept: list[Path] = []
    try:
        if path.exists():
            if path.read_bytes() == content:
                return []
            kept.append(aside(path))
            path.rename(kept[0])
        make_whole(path, content)
    except OSError as error:
        raise CannotOpenStore(
            f"cannot put {path} back from the backup: {error.strerror}"
        ) from error
    return kept


def aside(path: Path) -> Path:
    """A new name beside a file, for what was there before something was restored."""
    name = f"{path.name}.before-{time.strftime('%Y%m%d-%H%M%S')}"
    return path.with_name(name if not path.with_name(name).exists() else f"{name}-{os.getpid()}")
