"""Restoring a backup: all of it or nothing, and nothing of what was there is lost."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio

from stores import append, open_file, said, texts
from trio_chat.errors import CannotOpenStore
from trio_chat.storage.sqlite.backup import back_up
from trio_chat.storage.sqlite.restore import Restored, restore
from trio_chat.storage.sqlite.schema import MIGRATIONS

KEYS = {"old": "01d0" * 16, "new": "4e44" * 16}


def files_of(path: Path) -> dict[str, Path]:
    return {name: path.with_name(name) for name in ("key", "certificate.pem")}


def write(path: Path, *said_there: str) -> None:
    """Say this in a log."""

    async def say() -> None:
        async with open_file(path) as log:
            for text in said_there:
                await append(log, said(text))

    trio.run(say)


def read(path: Path) -> list[str]:
    """What was said in a log, as a server finds it that starts with it."""

    async def find() -> list[str]:
        async with open_file(path, files=files_of(path)) as log:
            return await texts(log, "#a")

    return trio.run(find)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a server elsewhere that had said "new"."""
    made = tmp_path / "elsewhere" / "chat.db"
    write(made, "new")
    made.with_name("key").write_text(KEYS["new"])
    made.with_name("certificate.pem").write_text("of the new")
    back_up(made, tmp_path / "backup", files_of(made))
    shutil.rmtree(made.parent)
    return tmp_path / "backup"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The history of a server that was killed after it had said "old"."""
    path = tmp_path / "chat" / "chat.db"
    write(path, "older")
    with closing(sqlite3.connect(path)) as living:
        living.execute("UPDATE entry SET text = 'old'")
        living.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", path.with_name(f"killed{suffix}"))
    for suffix in ("", "-wal"):
        path.with_name(f"killed{suffix}").replace(f"{path}{suffix}")
    path.with_name("key").write_text(KEYS["old"])
    return path


def test_what_was_there_is_kept_beside(backup: Path, path: Path) -> None:
    done = restore(backup, path, files_of(path))
    assert done.brought == ["key", "certificate.pem"]
    [history, key] = done.kept
    assert (history.name[:15], key.name[:11]) == ("chat.db.before-", "key.before-")
    assert key.read_text() == KEYS["old"]
    assert read(path) == ["new"]
    assert read(history) == ["old"]
    assert path.with_name("key").read_text() == KEYS["new"]
    assert path.with_name("certificate.pem").read_text() == "of the new"
    for name in ("chat.db", "key", "certificate.pem"):
        assert path.with_name(name).stat().st_mode & 0o777 == 0o600


def test_back_and_forth(backup: Path, path: Path) -> None:
    [history, _] = restore(backup, path, files_of(path)).kept
    assert restore(history, path, files_of(path)).brought == []
    assert read(path) == ["old"]


def test_in_a_place_where_nothing_was(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "fresh" / "chat.db"
    assert restore(backup, path, files_of(path)) == Restored(["key", "certificate.pem"], [])
    assert read(path) == ["new"]
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.name for file in path.parent.iterdir()} == {
        *("chat.db", "chat.db.lock", "key", "certificate.pem"),
    }


def test_a_copy_of_the_folder_of_a_server_that_ran(path: Path, tmp_path: Path) -> None:
    """Its last words are in the journal beside it."""
    other = tmp_path / "other" / "chat.db"
    assert restore(path, other, {}) == Restored([], [])
    assert read(other) == ["old"]
    (link := tmp_path / "link").symlink_to(path)
    restore(link, other, {})
    assert read(other) == ["old"]


def test_a_damaged_history_is_kept_as_it_is(backup: Path, path: Path) -> None:
    damaged = b"\xff" * 5000
    path.write_bytes(damaged)
    journal = Path(f"{path}-wal").read_bytes()
    [history, _] = restore(backup, path, files_of(path)).kept
    assert history.read_bytes() == damaged
    assert Path(f"{history}-wal").read_bytes() == journal
    assert read(path) == ["new"]


async def test_not_while_a_server_has_the_history(backup: Path, path: Path) -> None:
    async with open_file(path) as log:
        with pytest.raises(CannotOpenStore, match="already: stop it first"):
            restore(backup, path, {})
        assert await texts(log, "#a") == ["old"]


def spoil(path: Path, how: str) -> None:
    if how == "newer":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    elif how == "other":
        path.unlink()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE diary (day)")
    elif how == "text":
        path.write_text("dear diary, " * 1000)
    elif how == "torn":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "pages":
        data = bytearray(path.read_bytes())
        data[3 * 4096 : 5 * 4096] = b"\x55" * 8192
        path.write_bytes(data)
    else:
        path.unlink()
        if how == "pipe":
            os.mkfifo(path)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("newer", "was written by a newer trio-chat"),
        ("other", "is no history of trio-chat"),
        ("text", "cannot be restored: file is not a database"),
        ("torn", "database disk image is malformed|is damaged"),
        ("pages", "is damaged"),
        ("pipe", "is no regular file: save the backup in one"),
        ("gone", "cannot read the backup .*: no such file or directory"),
    ],
)
def test_what_is_no_good_changes_nothing(backup: Path, path: Path, how: str, why: str) -> None:
    spoil(backup, how)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(CannotOpenStore, match=why):
        restore(backup, path, files_of(path))
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_where_there_is_no_room_nothing_changes(backup: Path, path: Path) -> None:
    def fail(done: int, total: int) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(CannotOpenStore, match=r"chat\.db: the disk is full: make room"):
        restore(backup, path, files_of(path), progress=fail)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_link_to_the_history_stays_one(backup: Path, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link" / "chat.db"
    link.parent.mkdir()
    link.symlink_to(path)
    restore(backup, link, files_of(link))
    assert link.is_symlink()
    assert read(link) == ["new"]
    assert link.with_name("key").read_text() == KEYS["new"]
    assert [file.name[:15] for file in path.parent.glob("chat.db.*-*")] == ["chat.db.before-"]


def test_the_history_is_no_backup_of_itself(path: Path) -> None:
    with pytest.raises(CannotOpenStore, match="is the history itself"):
        restore(path, path, {})
    assert read(path) == ["old"]


KILLED = """
import os, signal, sys
from pathlib import Path
from trio_chat.storage.sqlite.restore import restore

left = int(sys.argv[3])

def kill_at(event, arguments):
    global left
    if event in ("os.link", "os.rename", "os.remove", "sqlite3.connect"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill_at)
backup, path = map(Path, sys.argv[1:3])
restore(backup, path, {name: path.with_name(name) for name in ("key", "certificate.pem")})
"""


@pytest.mark.slow
def test_who_is_killed_in_the_middle_has_restored_all_or_nothing(
    backup: Path, path: Path, tmp_path: Path
) -> None:
    found = []
    for step in range(30):
        place = tmp_path / str(step) / "chat.db"
        shutil.copytree(path.parent, place.parent)
        command = [sys.executable, "-c", KILLED, str(backup), str(place), str(step)]
        done = subprocess.run(command, check=False)
        [what] = read(place)
        assert place.with_name("key").read_text() == KEYS[what]
        assert place.with_name("certificate.pem").exists() == (what == "new")
        found.append(what)
        if done.returncode != -signal.SIGKILL:
            break
    assert done.returncode == 0
    assert found == sorted(found, reverse=True)  # from some step on it is the new one
    assert found.count("old") >= 5
    assert found.count("new") >= 4
