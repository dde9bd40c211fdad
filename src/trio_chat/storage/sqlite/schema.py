"""The file: how it is opened, checked, brought up to date, and kept from other servers.

The sources are https://www.sqlite.org/pragma.html, wal.html, fts5.html and stricttables.html.
"""

import fcntl
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from trio_chat.errors import CannotOpenStore
from trio_chat.storage.private import opener, reason, warn_if_shared
from trio_chat.storage.sqlite import usage
from trio_chat.storage.sqlite.brought import unpack
from trio_chat.storage.sqlite.drafts import drafting

logger = logging.getLogger(__name__)

#: How long to wait for others who write to the file, such as a tool for backups.
BUSY = 5.0  # seconds

# Errors by which it is the file's place that is wrong, and not the file.
_OF_THE_FILE_SYSTEM = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOLFS,
)

_FULL = "the disk is full"

# How often progress is logged, after how many operations of SQLite (about a millisecond's worth)
# the clock is looked at, and how many pages are copied in between.
_SAY, _OPERATIONS, _COPIED = 10.0, 100_000, 1000

# The size that the journal keeps when all of it is in the file: as much as SQLite writes before
# that.
_JOURNAL = 4 * 1024 * 1024  # bytes

# With the last of them, what is deleted is overwritten.
_SETTINGS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")

# A change of a folder that comes so long after another has a later time (nanoseconds), where times
# are told more exactly than in seconds.
_SETTLED, _SECOND = 100_000_000, 1_000_000_000

_SERVE_ELSEWHERE = "stop it, or give this one another place by history.store"

#: Stands before the version in the name of a copy that is made of a file before it is migrated.
COPY = ".version-"

#: One script for each version of the file, in order. Those that have been released never change.
MIGRATIONS: Sequence[str] = [
    """
    -- saved: up to which id state (JSON) holds. barrier: the id of the room's last one.
    CREATE TABLE room (
        room INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        barrier INTEGER NOT NULL DEFAULT 0,
        saved INTEGER NOT NULL DEFAULT 0,
        state TEXT
    ) STRICT;

    -- kind: store.Kind. event: JSON of all that is not in text or token.
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        room INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        text TEXT NOT NULL,
        token TEXT,
        event TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entry_of_room ON entry (room, kind, id);
    CREATE UNIQUE INDEX entry_of_token ON entry (token) WHERE token IS NOT NULL;

    -- Entries of the log of people that are in the history of this room, too.
    CREATE TABLE elsewhere (
        room INTEGER NOT NULL,
        id INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
        PRIMARY KEY (room, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX elsewhere_of_entry ON elsewhere (id);

    CREATE TABLE mark (
        reader TEXT NOT NULL,
        target TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (reader, target)
    ) STRICT;

    -- By the ids of entries: the words of what was said, and whose and where it was (search.py).
    -- The texts themselves are in entry alone.
    CREATE VIRTUAL TABLE word USING fts5 (
        said, place, content = '', columnsize = 0, tokenize = 'ascii'
    );

    -- Up to which id the words of entries are in there; of how many, and how many have been taken
    -- out since it was last put together.
    CREATE TABLE indexed (
        up_to INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        removed INTEGER NOT NULL
    ) STRICT;
    INSERT INTO indexed VALUES (0, 0, 0);
    """,
    """
    -- at: the time (unix milliseconds); ahead: by how much the id is ahead of it. Before, an id was
    -- a time: what had one later than the last moment at which the file was written, when a clock
    -- was wrong, is given that moment.
    ALTER TABLE entry ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE entry ADD COLUMN at INTEGER GENERATED ALWAYS AS ((id >> 20) - ahead) VIRTUAL;
    UPDATE entry SET ahead = (id >> 20) - last_written() WHERE id >= (last_written() + 1) << 20;
    CREATE INDEX entry_by_time ON entry (room, kind, at);
    CREATE INDEX entry_ahead ON entry (ahead) WHERE ahead > 0;

    ALTER TABLE elsewhere ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE elsewhere ADD COLUMN at INTEGER GENERATED ALWAYS AS ((id >> 20) - ahead) VIRTUAL;
    UPDATE elsewhere SET ahead = (id >> 20) - last_written()
        WHERE id >= (last_written() + 1) << 20;
    CREATE INDEX elsewhere_by_time ON elsewhere (room, at);

    UPDATE mark SET at = last_written() WHERE at > last_written();

    -- The time of the house, and by which such time which ids were there (clock.py).
    CREATE TABLE house (at INTEGER NOT NULL, doubted INTEGER NOT NULL) STRICT;
    INSERT INTO house VALUES (last_written(), 0);
    CREATE TABLE calendar (at INTEGER NOT NULL, id INTEGER NOT NULL) STRICT;
    INSERT INTO calendar SELECT last_written(), max(id) FROM entry HAVING count(*);

    UPDATE room SET state = settled(state) WHERE state IS NOT NULL;

    -- What is there of a room and a source (usage.py), of the entries up to indexed.up_to: messages
    -- and their bytes, other entries, and the last id.
    CREATE TABLE usage (
        room INTEGER NOT NULL,
        source TEXT NOT NULL,
        said INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        others INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (room, source)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE mark ADD COLUMN source TEXT NOT NULL DEFAULT '';
    CREATE INDEX usage_of_source ON usage (source, bytes);
    CREATE INDEX usage_by_said ON usage (source, said, last);
    CREATE INDEX usage_by_others ON usage (others);
    INSERT INTO usage
        SELECT room, source_of(event), sum(NOT is_coming(kind, event)),
            sum(iif(is_coming(kind, event), 0, bytes_of(text, event))),
            sum(is_coming(kind, event)), max(id)
        FROM entry WHERE id <= (SELECT up_to FROM indexed) GROUP BY 1, 2;
    """,
    """
    -- What opens the accounts in the log '@', by folded name: SCRAM verifiers, and no passwords.
    CREATE TABLE secret (
        account TEXT PRIMARY KEY,
        verifier TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- The lowest id of a redacted message whose bytes may still be somewhere in the file; 0 without
    -- one (redaction.py).
    ALTER TABLE indexed ADD COLUMN redacted INTEGER NOT NULL DEFAULT 0;
    """,
    """
    -- What was done in all rooms, in order, for the audit of a person (rows.AUDITED).
    CREATE INDEX entry_audited ON entry (id) WHERE kind = 1 AND event NOT LIKE '["Joined"%';
    """,
    """
    -- The reports of messages (rows.REPORTED), few beside all else in the log of accounts.
    CREATE INDEX entry_reported ON entry (id) WHERE kind = 1 AND event LIKE '["Reported"%';
    """,
    """
    -- Messages that wait for an account (by folded name); whom they are charged to (waiting.py).
    CREATE TABLE waiting (
        id INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
        account TEXT NOT NULL,
        sender TEXT NOT NULL
    ) STRICT;
    CREATE INDEX waiting_for ON waiting (account, sender, id);
    """,
    """
    -- The rooms where accounts are, both by folded name (places.py). name: the room's, as it was
    -- written. entered: by which id the account has entered it; 0 if it was there before a login.
    CREATE TABLE place (
        account TEXT NOT NULL,
        room TEXT NOT NULL,
        name TEXT NOT NULL,
        entered INTEGER NOT NULL,
        PRIMARY KEY (account, room)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX place_by_room ON place (room);
    """,
]


@contextmanager
def locked(path: Path, advice: str = _SERVE_ELSEWHERE) -> Iterator[int]:
    """Keep all others from opening the file as long as the context lasts; gives a descriptor of it.
    Raises CannotOpenStore, with this advice if another has it.

    Use that one, and open no other: closing any descriptor of a file releases all of SQLite's locks
    on it. Somebody who then looks into the file takes themselves for the only one, and removes the
    journal when they leave. This one is closed last.
    """
    with ExitStack() as stack:
        with opening(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = stack.enter_context(open(path, "a+b", opener=opener))
            lock = stack.enter_context(open(f"{os.path.realpath(path)}.lock", "a", opener=opener))
            # The same file may have names in several folders. Only on Linux a lock on the file
            # itself means nothing to SQLite, so that others can read.
            for each in (lock, file) if sys.platform == "linux" else (lock,):
                try:
                    fcntl.flock(each, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise CannotOpenStore(
                        f"a trio-chat server keeps its history in {path} already: {advice}"
                    ) from None
        yield file.fileno()


class Whereabouts:
    """The place of the file and its journal, to notice if they are moved or removed.

    What is written to a removed file is lost, and acknowledged nevertheless. ``descriptor`` is one
    of the file.

    They are looked at only when their folder has changed: once Linux has told the times of a file,
    the next write to it has to store new ones, which costs more than the rest of a commit's system
    calls. But of a link to a file elsewhere the folder tells nothing.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path.absolute(), descriptor
        self._folder, self._is_link = str(self._path.parent), self._path.is_symlink()
        self._known: dict[str, tuple[int, int]] = {}
        self._unchanged: tuple[int, ...] | None = None  # the folder, if both are in their place
        self.check()

    def check(self) -> None:
        """Raise sqlite3.OperationalError if the file or its journal is no longer where it was."""
        folder = _stat(self._folder)
        unchanged = folder and (folder.st_dev, folder.st_ino, folder.st_mtime_ns)
        if unchanged is None or unchanged != self._unchanged:
            self._unchanged = None
            for suffix in ("", "-wal"):
                self._check_place(f"{self._path}{suffix}")
            if folder and _is_settled(folder.st_mtime_ns) and not self._is_link:
                self._unchanged = unchanged
        try:
            begin = os.pread(self._descriptor, len(_HEADER), 0)
        except OSError as error:
            raise sqlite3.OperationalError(f"{error.strerror}") from error
        if begin != _HEADER:
            raise sqlite3.OperationalError(f"{self._path.name} was overwritten")

    def _check_place(self, name: str) -> None:
        status = _stat(name)
        found = status and (status.st_dev, status.st_ino)
        if name not in self._known and found:
            self._known[name] = found
        elif found != self._known.get(name):
            raise sqlite3.OperationalError(
                f"{os.path.basename(name)} was removed, moved or replaced"
            )


def cause(error: sqlite3.Error) -> str:
    """What has gone wrong, in words; SQLite calls it an error of the disk if some are full."""
    code = getattr(error, "sqlite_errorcode", 0)
    is_full = code == sqlite3.SQLITE_IOERR_SHMSIZE or code & 0xFF == sqlite3.SQLITE_FULL
    return _FULL if is_full else str(error)


@contextmanager
def opening(path: Path, to: str = "keep") -> Iterator[None]:
    """Turn everything that goes wrong while opening the file, ``to`` do something with the history
    in it, into CannotOpenStore.
    """
    try:
        yield
    except OSError as error:
        raise CannotOpenStore(f"cannot {to} history in {path}: {reason(error, path)}") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_FILE_SYSTEM:
            why = cause(error)
            do = ": make room" if why == _FULL else ""
            raise CannotOpenStore(f"cannot {to} history in {path}: {why}{do}") from error
        raise _damaged(path, str(error)) from error
    except (ValueError, TypeError, OverflowError, SystemError) as error:
        # If the structure is damaged, SQLite or Python may be given anything.
        raise _damaged(path, type(error).__name__) from error


def open_for_writing(
    path: Path,
    *,
    cache_bytes: int,
    busy: float = BUSY,
    migrations: Sequence[str] = MIGRATIONS,
    clock: Callable[[], float] = time.time,
    files: Mapping[str, Path] = {},
) -> sqlite3.Connection:
    """Open the file: made if need be, checked if it was not closed well, and brought up to date.

    If it is a backup, those of these ``files`` that it has brought along are put in their places.
    ``clock`` gives unix time in seconds. Raises CannotOpenStore.
    """
    with opening(path), ExitStack() as unless_good:
        unclean = _size(Path(f"{path}-wal")) > 0
        written = _last_written(path, clock())
        with open(path, "a", opener=opener):  # it holds private conversations
            pass
        connection = connect(path, cache_bytes=cache_bytes, busy=busy)
        unless_good.callback(connection.close)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only heeded while it is empty
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL}")
        if unclean:
            _check(connection, path)
        for kept in unpack(connection, files):
            logger.warning(
                "the history is a backup with files of its own: what was there is now %s",
                kept,
                extra={"event": "backup-opened", "path": str(kept)},
            )
        _migrate(connection, path, migrations, written)
        warn_if_shared(path, "the history")
        unless_good.pop_all()
    return connection


def connect(
    path: Path, *, cache_bytes: int, busy: float = BUSY, mode: str = "rw"
) -> sqlite3.Connection:
    """Open a connection for one thread at a time, not always the same one."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=busy,
    )
    connection.text_factory = _text
    try:
        connection.execute(f"PRAGMA cache_size = {-cache_bytes // 1024}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str | bytes:
    """Decode a text; a damaged one stays bytes, which is no text to whoever reads it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _check(connection: sqlite3.Connection, path: Path) -> None:
    logger.info(
        "the server did not shut down cleanly the last time: checking %s",
        path,
        extra={"event": "store-checked", "path": str(path)},
    )
    found = [row[0] for row in connection.execute("PRAGMA quick_check (1)")]
    if found != ["ok"]:
        raise _damaged(path, str(found[0]))


def _damaged(path: Path, how: str) -> CannotOpenStore:
    return CannotOpenStore(
        f"{path} is damaged ({' '.join(how.split())}): put a backup in its place, or move it away "
        "and start with an empty history"
    )


def _migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[str], written: int
) -> None:
    """Bring the file up to date, wholly or not at all, however often it is stopped."""
    version = _version(connection, path, len(migrations))
    if not version and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise CannotOpenStore(f"{path} is a database of something else: choose another place")
    if 0 < version < len(migrations):
        _back_up(connection, path, version)
        logger.info(
            "bringing %s from version %d up to date",
            path,
            version,
            extra={"event": "store-updated", "path": str(path)},
        )
        connection.set_progress_handler(_Progress("still bringing it up to date"), _OPERATIONS)
    connection.create_function("last_written", 0, lambda: written)
    connection.create_function("source_of", 1, usage.source_of)
    connection.create_function("is_coming", 2, usage.is_coming)
    connection.create_function("bytes_of", 2, usage.bytes_of)
    connection.create_function("settled", 1, lambda state: _settled(state, written))
    if scripts := ";".join(migrations[version:]):
        end = f"PRAGMA user_version = {len(migrations)}"
        connection.executescript(f"BEGIN; {scripts}; {end}; COMMIT")
    connection.set_progress_handler(None, 0)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a file that is there already. Raises CannotOpenStore if it is none of ours, or
    of a newer version.
    """
    query = "SELECT count(*) FROM sqlite_schema WHERE name IN ('room', 'entry', 'word', 'indexed')"
    [tables] = connection.execute(query).fetchone()
    version = _version(connection, path, len(MIGRATIONS))
    if not version or tables < 4:
        raise CannotOpenStore(f"{path} is no history of trio-chat, or an empty one")
    return version


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file can be read as it is. Raises CannotOpenStore."""
    if (version := version_of(connection, path)) < len(MIGRATIONS):
        raise CannotOpenStore(
            f"{path} was written by an older trio-chat (version {version} of the file): start the "
            "server once, which brings it up to date"
        )


def _version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > known:
        raise CannotOpenStore(
            f"{path} was written by a newer trio-chat (version {version} of the file, this one "
            f"knows {known}): install that, or move the file away"
        )
    return version


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy the file as it is, beside it. The copy gets its name when it is whole."""
    copy = Path(f"{os.path.realpath(path)}{COPY}{version}")
    logger.info(
        "%s stays as it is in %s: copying it",
        path,
        copy,
        extra={"event": "store-copied", "path": str(copy)},
    )
    progress = _Progress("still copying it")
    with drafting(copy) as draft:
        connection.backup(draft.connection, pages=_COPIED, progress=lambda *_: progress())


class _Progress:
    """Logs now and then that something goes on."""

    def __init__(self, what: str) -> None:
        self._what, self._begun = what, time.monotonic()
        self._said = self._begun

    def __call__(self) -> int:
        now = time.monotonic()
        if now - self._said >= _SAY:
            passed = round(now - self._begun)
            logger.info(
                "%s after %d s",
                self._what,
                passed,
                extra={"event": "still-busy", "seconds": passed},
            )
            self._said = now
        return 0  # tells SQLite to go on


def _last_written(path: Path, now: float) -> int:
    """The last moment at which the file was written (unix milliseconds), as far as that is known.

    It is never later than ``now``.
    """
    files = [file for file in (path, Path(f"{path}-wal")) if _size(file)]
    moments = [file.stat().st_mtime for file in files]
    return int(min([now, *([max(moments)] if moments else [])]) * 1000)


def _settled(state: str, latest: int) -> str:
    """The state of a room (JSON) without moments later than ``latest``."""

    def settle(found: Any, key: str = "") -> Any:
        if isinstance(found, dict):
            return {name: settle(value, name) for name, value in found.items()}
        if isinstance(found, list):
            return [settle(value) for value in found]
        is_moment = key in ("at", "topic_at", "created") and isinstance(found, int)
        return min(found, latest) if is_moment else found

    try:
        return json.dumps(settle(json.loads(state)), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return state


# sqlite.org/fileformat.html, 1.3
_HEADER = b"SQLite format 3\0"


def _stat(name: str) -> os.stat_result | None:
    """What the system knows of a file; None if there is none of this name."""
    try:
        return os.stat(name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise sqlite3.OperationalError(f"{error.strerror}") from error


def _is_settled(changed: int) -> bool:
    """Whether a folder that was changed then would have another time if it were changed now."""
    return changed % _SECOND != 0 and changed < time.time_ns() - _SETTLED


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
