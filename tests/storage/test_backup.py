"""Backups: of one moment, whole or not there, while the log is written."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio

from disks import disk_full
from stores import append, open_file, said, texts
from trio_chat.errors import CannotOpenStore
from trio_chat.storage.sqlite.backup import back_up
from trio_chat.storage.sqlite.log import SqliteLog
from trio_chat.storage.sqlite.schema import locked

KEY = "5eed" * 16 + "\n"


async def fill(log: SqliteLog, number: int) -> list[str]:
    """Let a log become so large that its backup takes several steps."""
    told = [f"{n} {'x' * 100_000}" for n in range(number)]
    for text in told:
        await append(log, said(text))
    return told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a log that is closed, with 4 MB and a key."""
    path = tmp_path / "chat.db"

    async def write() -> None:
        async with open_file(path) as log:
            await fill(log, 40)

    trio.run(write)
    path.with_name("key").write_text(KEY)
    return path


def files_of(path: Path) -> dict[str, Path]:
    return {name: path.with_name(name) for name in ("key", "certificate.pem")}


def names(folder: Path) -> set[str]:
    """The files there, but for those by which SQLite reads beside others."""
    found = {file.name for file in folder.iterdir()}
    return found - {"chat.db-wal", "chat.db-shm"}


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(sql).fetchall()


async def test_a_backup_is_of_the_moment_when_it_began_whatever_is_written_meanwhile(
    tmp_path: Path,
) -> None:
    steps: list[int] = []
    async with open_file(tmp_path / "chat.db") as log:
        before = await fill(log, 40)

        def write_on(done: int, total: int) -> None:
            steps.append(done)
            trio.from_thread.run(append, log, said(f"meanwhile {len(steps)}"))

        def backup() -> None:
            back_up(tmp_path / "chat.db", tmp_path / "backup", {}, progress=write_on)

        await trio.to_thread.run_sync(backup)
        assert len(await texts(log, "#a")) == 40 + len(steps)
    assert len(steps) > 3
    assert steps == sorted(set(steps))
    async with open_file(tmp_path / "backup") as log:
        assert await texts(log, "#a") == before


async def test_a_backup_is_one_private_file_that_needs_nothing_beside_it(path: Path) -> None:
    folder = path.parent / "backups"
    folder.mkdir()
    umask = os.umask(0)
    try:
        packed = back_up(path, folder / "today", files_of(path))
    finally:
        os.umask(umask)
    assert packed == ["key"]
    assert names(folder) == {"today"}
    assert (folder / "today").stat().st_mode & 0o777 == 0o600
    assert query(folder / "today", "PRAGMA integrity_check") == [("ok",)]
    assert query(folder / "today", "PRAGMA journal_mode") == [("delete",)]


async def test_a_backup_in_the_place_of_the_history_brings_its_key_along(path: Path) -> None:
    back_up(path, other := path.parent / "other.db", files_of(path))
    new = path.parent / "new" / "chat.db"
    new.parent.mkdir()
    other.rename(new)
    async with open_file(new, files=files_of(new)) as log:
        assert len(await texts(log, "#a")) == 40
    assert new.with_name("key").read_text() == KEY
    assert new.with_name("key").stat().st_mode & 0o777 == 0o600
    assert names(new.parent) == {"chat.db", "chat.db.lock", "key"}
    assert KEY.encode().strip() not in new.read_bytes()


async def test_another_key_that_is_there_is_kept_beside(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    back_up(path, path.with_name("backup"), files_of(path))
    path.with_name("key").write_text("another")
    path.with_name("backup").rename(path)
    for _ in range(2):
        async with open_file(path, files=files_of(path)):
            pass
    assert path.with_name("key").read_text() == KEY
    [kept] = path.parent.glob("key.before-*")
    assert kept.read_text() == "another"
    assert str(kept) in caplog.text


KILLED = """
import os, signal, sys
from pathlib import Path
from trio_chat.storage.sqlite.backup import back_up

def progress(done, total):
    if done > total / 2:
        os.kill(os.getpid(), signal.SIGKILL)

back_up(Path(sys.argv[1]), Path(sys.argv[2]), {}, replace=True, progress=progress)
"""


def test_a_backup_that_is_killed_leaves_the_one_before(path: Path) -> None:
    to = path.with_name("backup")
    for before in (None, b"the one before"):
        if before:
            to.write_bytes(before)
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(to)], check=False)
        assert done.returncode == -signal.SIGKILL
        assert (to.read_bytes() if to.exists() else None) == before
    back_up(path, to, {}, replace=True)
    assert query(to, "PRAGMA integrity_check") == [("ok",)]
    assert names(path.parent) == {"chat.db", "chat.db.lock", "key", "backup"}


LIMITED = """
import resource, sys
from pathlib import Path
from trio_chat.storage.sqlite.backup import back_up

resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
try:
    back_up(Path(sys.argv[1]), Path(sys.argv[2]), {})
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_backup_that_finds_no_room_leaves_nothing(path: Path) -> None:
    to = path.with_name("backup")
    command = [sys.executable, "-c", LIMITED, str(path), str(to)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == (
        f"CannotOpenStore cannot make a backup: {to}: disk I/O error: make room, or name another "
        "place\n"
    )
    assert names(path.parent) == {"chat.db", "chat.db.lock", "key"}


def test_an_error_of_the_system_in_the_middle_leaves_nothing(path: Path) -> None:
    def fail(done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with pytest.raises(CannotOpenStore, match="no space left on device"):
        back_up(path, path.with_name("backup"), {}, progress=fail)
    assert names(path.parent) == {"chat.db", "chat.db.lock", "key"}


def test_of_two_backups_at_once_one_is_refused(path: Path) -> None:
    to = path.with_name("backup")
    refused = []

    def another(done: int, total: int) -> None:
        with pytest.raises(CannotOpenStore, match="somebody else is writing") as error:
            back_up(path, to, {})
        refused.append(error)

    back_up(path, to, {}, progress=another)
    assert refused
    assert query(to, "PRAGMA integrity_check") == [("ok",)]


def test_a_backup_does_not_follow_links_that_somebody_has_laid(path: Path) -> None:
    mine = path.with_name("mine")
    mine.write_text("mine")
    path.with_name("backup.part").symlink_to(mine)
    with pytest.raises(CannotOpenStore, match=r"backup\.part"):
        back_up(path, path.with_name("backup"), {})
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["chat.db", "chat.db-wal", "chat.db.lock", "key", "link"])
def test_a_backup_replaces_nothing_that_the_server_needs(path: Path, name: str) -> None:
    path.with_name("link").symlink_to(path)
    before = path.read_bytes()
    with pytest.raises(CannotOpenStore, match=f"{name} belongs to the server"):
        back_up(path, path.with_name(name), files_of(path), replace=True)
    assert path.read_bytes() == before
    assert path.with_name("key").read_text() == KEY


def test_a_backup_can_be_made_where_the_system_has_no_fdatasync(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fdatasync", raising=False)  # as on macOS
    back_up(path, path.with_name("backup"), files_of(path))
    assert query(path.with_name("backup"), "PRAGMA integrity_check") == [("ok",)]


def test_a_damaged_history_is_not_backed_up(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * 3996
    path.write_bytes(data)
    with pytest.raises(CannotOpenStore, match="is damaged"):
        back_up(path, path.with_name("backup"), {})
    assert not path.with_name("backup").exists()


@pytest.mark.parametrize("sql", ["PRAGMA user_version = 0", "DROP TABLE mark; DROP TABLE entry"])
def test_a_database_of_something_else_is_not_backed_up(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
    with pytest.raises(CannotOpenStore, match=r"chat\.db is no history of trio-chat"):
        back_up(path, path.with_name("backup"), {})


@pytest.mark.parametrize("replace", [True, False])
def test_what_is_no_regular_file_stays_as_it_is(path: Path, tmp_path: Path, replace: bool) -> None:
    """/dev/null, /dev/stdout or a pipe."""
    os.mkfifo(pipe := tmp_path / "pipe")
    with pytest.raises(CannotOpenStore, match="pipe is no regular file: name one"):
        back_up(path, pipe, {}, replace=replace)
    assert pipe.is_fifo()
    assert not (tmp_path / "pipe.part").exists()


# ── where nothing can be written ───────────────────────────────────────────────────────────────


def close_off(path: Path) -> None:
    """Let nobody share the file, as where the disk is full or read-only."""
    Path(f"{path}-shm").symlink_to("nowhere")  # SQLite follows none


def test_a_history_on_a_disk_that_cannot_be_written_is_backed_up_elsewhere(
    path: Path, tmp_path: Path
) -> None:
    close_off(path)
    assert back_up(path, tmp_path / "backup", files_of(path)) == ["key"]
    assert query(tmp_path / "backup", "SELECT count(*) FROM entry WHERE kind = 0") == [(40,)]


def test_what_is_in_the_journal_there_is_not_left_out(path: Path, tmp_path: Path) -> None:
    close_off(path)
    path.with_name("chat.db-wal").write_bytes(b"something")
    with pytest.raises(CannotOpenStore, match=r"copy it and chat\.db-wal to another disk"):
        back_up(path, tmp_path / "backup", {})
    assert not (tmp_path / "backup").exists()


def test_a_full_disk_is_called_so_where_sqlite_calls_it_an_error_of_the_disk(
    path: Path, tmp_path: Path
) -> None:
    path.with_name("chat.db-wal").write_bytes(b"something")
    with disk_full(100), pytest.raises(CannotOpenStore, match=r"\(the disk is full\)"):
        back_up(path, tmp_path / "backup", {})


def test_a_file_that_cannot_be_shared_is_not_read_beside_a_server(
    path: Path, tmp_path: Path
) -> None:
    close_off(path)
    with locked(path), pytest.raises(CannotOpenStore, match="cannot read history in"):
        back_up(path, tmp_path / "backup", {})


def test_no_server_opens_a_file_that_is_read_alone(path: Path, tmp_path: Path) -> None:
    def serve(done: int, total: int) -> None:
        with pytest.raises(CannotOpenStore, match="already"), locked(path):
            pass

    close_off(path)
    back_up(path, tmp_path / "backup", {}, progress=serve)
