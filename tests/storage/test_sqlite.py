"""The log in a file: what is still there when it is opened again, and when it is not opened."""

import os
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio
import trio.testing

from stores import NOW, append, mark, open_file, said, texts, texts_of
from trio_chat.core.events import TopicSet
from trio_chat.core.room_state import RoomState
from trio_chat.errors import CannotOpenStore, Conflict
from trio_chat.storage.base import START, Search
from trio_chat.storage.sqlite.maintenance import Housekeeper
from trio_chat.storage.sqlite.rows import _complain
from trio_chat.storage.sqlite.schema import MIGRATIONS

NOW_AT = len(MIGRATIONS)
NEXT = [*MIGRATIONS, "ALTER TABLE mark ADD COLUMN more TEXT"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in" / "some folder?#%" / "chat.db"


def topic(text: str) -> TopicSet:
    return TopicSet("#a", "alice", text, "1")


async def cannot_open(path: Path, **how: object) -> str:
    """Why not, in one line."""
    with pytest.raises(CannotOpenStore) as error:
        async with open_file(path, **how):  # type: ignore[arg-type]
            pass
    why = str(error.value)
    assert str(path) in why
    assert len(why.splitlines()) == 1
    return why


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


# ── housekeeping ───────────────────────────────────────────────────────────────────────────────


async def test_a_message_that_comes_alone_is_one_transaction(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done about it later is done for many, so that it does not cost another one each."""
    steps: list[float] = []
    step = Housekeeper.step

    def counted(keeper: Housekeeper) -> bool:
        steps.append(time.monotonic())
        return step(keeper)

    monkeypatch.setattr(Housekeeper, "step", counted)
    async with open_file(path) as log:
        begin = time.monotonic()
        for number in range(100):
            await log.append("#a", [said(f"text {number}")])
        seconds = time.monotonic() - begin
        assert len(steps) <= 4 * (1 + seconds)  # it has to be once a second, and was 100 times


async def test_somebody_who_looks_into_the_file_leaves_the_journal_where_it_is(path: Path) -> None:
    """As sqlite3 on the command line, or a backup: in another process, as locks are by process."""
    look = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM entry').close()"
    )
    async with open_file(path) as log:
        await append(log, said("before"))
        await trio.run_process([sys.executable, "-c", look, path])
        await append(log, said("after"))
        assert await texts(log, "#a") == ["before", "after"]


# ── opened again ───────────────────────────────────────────────────────────────────────────────


async def test_everything_is_there_after_reopening(path: Path) -> None:
    async with open_file(path) as log:
        [hello] = await log.append("#a", [said("hello tea", token="t1")])
        [tea] = await append(log, topic("tea"), barrier=True)
        await log.save("#a", tea, RoomState("#A", "tea", tea))
        [milk] = await append(log, topic("milk"), expect=tea, barrier=True)
        await log.append("al,bo", [said("psst", "")])
        await mark(log, "al", "#a", 1234)
    async with open_file(path) as log:
        assert [entry.id for entry in await log.history("#a")] == [hello.id, tea, milk]
        assert (await log.history("#a"))[0] == hello
        assert await log.snapshot("#a") == (tea, RoomState("#A", "tea", tea))
        assert [entry.id for entry in await log.barriers("#a", after=tea)] == [milk]
        assert await log.search(Search("tea", ["#a"])) == [hello]
        assert texts_of(await log.talks("bo")) == ["psst"]
        assert await log.marked("al", "#a") == 1234
        [again] = await log.append("#b", [said("hello", "#b", token="t1")], expect=milk)
        assert again == hello
        assert await texts(log, "#b") == []


async def test_what_cannot_be_read_is_passed_over_and_complained_of_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _complain.cache_clear()
    async with open_file(path) as log:
        await log.append("#a", [said("one"), said("two"), said("three")])
        [tea] = await append(log, topic("tea"), barrier=True)
        await log.save("#a", tea, RoomState("#A", "tea", tea))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE entry SET event = '[\"Nod\", {}]' WHERE text = 'two'")
        connection.execute("UPDATE room SET state = '{}' WHERE name = '#a'")
    async with open_file(path) as log:
        for _ in range(2):
            assert await texts(log, "#a") == ["one", "three", "tea"]
            assert await log.snapshot("#a") == (START, None)
        assert [entry.id for entry in await log.barriers("#a", after=START)] == [tea]
    complaints = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(complaints) == 2
    assert "KeyError" in complaints[0]
    assert "the state of room 1" in complaints[1]


async def test_a_barrier_of_before_is_still_a_conflict(path: Path) -> None:
    async with open_file(path) as log:
        [barrier] = await append(log, topic("tea"), barrier=True)
    async with open_file(path) as log:
        with pytest.raises(Conflict) as conflict:
            await append(log, said("judged without it"))
        assert conflict.value.barrier == barrier
        await append(log, said("judged with it"), expect=barrier)


async def test_ids_go_on_rising_if_the_clock_went_back(path: Path) -> None:
    ids = []
    for now in (NOW, NOW - 1000, NOW - 2000):
        async with open_file(path, clock=lambda now=now: now) as log:  # type: ignore[misc]
            ids += await append(log, said(str(now)))
            assert await texts(log, "#a", after=ids[-1]) == []
            assert [e.id for e in await log.search(Search("0", ["#a"]))] == ids
    assert ids == sorted(set(ids))


async def test_ids_come_after_that_of_a_saved_state(path: Path) -> None:
    """It may be later than all that is stored, and barriers after it would not be found."""
    saved = f"{NOW * 1000 + 5000:.0f}-000003"
    async with open_file(path) as log:
        await append(log, said("1"))
        await log.save("#a", saved, RoomState("#a"))
    async with open_file(path) as log:
        [id] = await append(log, topic("tea"), barrier=True)
        assert id > saved
        assert len(await log.barriers("#a", after=saved)) == 1


async def test_what_was_not_indexed_yet_is_found_after_reopening(path: Path) -> None:
    async with open_file(path) as log:
        await log.append("#a", [said(f"tea {n}") for n in range(600)])
    async with open_file(path) as log:
        assert len(await log.search(Search("tea", ["#a"], limit=1000))) == 600


async def test_a_clean_close_leaves_one_file_and_its_lock(path: Path) -> None:
    async with open_file(path) as log:
        await append(log, said("1"))
        assert {file.name for file in path.parent.iterdir()} == {
            f"chat.db{suffix}" for suffix in ("", "-wal", "-shm", ".lock")
        }
    assert {file.name for file in path.parent.iterdir()} == {"chat.db", "chat.db.lock"}


async def test_nobody_else_can_read_it(path: Path) -> None:
    umask = os.umask(0)
    try:
        async with open_file(path) as log:
            await append(log, said("1"))
            assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
            assert path.parent.stat().st_mode & 0o777 == 0o700
        async with open_file(path, migrations=NEXT):
            assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(umask)


# ── left ───────────────────────────────────────────────────────────────────────────────────────


def history_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "history"]


async def test_the_thread_ends_with_the_context(path: Path) -> None:
    async with open_file(path):
        assert history_threads() == ["history"]
    assert history_threads() == []


async def test_the_thread_ends_when_appends_that_wait_are_cancelled(path: Path) -> None:
    async with open_file(path) as log, trio.open_nursery() as nursery:
        for n in range(500):
            nursery.start_soon(log.append, "#a", [said(f"{n}"), said(f"{n}")])
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert history_threads() == []
    async with open_file(path) as log:
        stored = await texts(log, "#a", limit=2000)
        assert len(stored) % 2 == 0
        assert stored[::2] == stored[1::2]


async def test_what_fails_in_the_context_is_not_about_the_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with open_file(path):
            raise FileNotFoundError("something else")
    assert history_threads() == []


# ── not opened ─────────────────────────────────────────────────────────────────────────────────


async def test_only_one_can_have_it(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    async with open_file(path) as log:
        assert "a trio-chat server keeps its history" in await cannot_open(path)
        other.symlink_to(path)
        assert "a trio-chat server" in await cannot_open(other)
        await append(log, said("1"))
    async with open_file(other) as log:
        assert await texts(log, "#a") == ["1"]


async def test_a_directory_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "chat.db").mkdir()
    assert "is a directory" in await cannot_open(tmp_path / "chat.db")


async def test_a_file_in_the_place_of_its_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot keep history in " in await cannot_open(tmp_path / "file" / "chat.db")


async def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    assert "file name too long" in await cannot_open(tmp_path / ("x" * 300))


@pytest.mark.parametrize("content", [b"dear diary", b"dear diary" * 10_000])
async def test_a_file_that_is_no_database_is_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary"
    path.write_bytes(content)
    assert "not a database" in await cannot_open(path)
    assert path.read_bytes() == content


async def test_a_database_of_something_else_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "diary.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE diary (dear TEXT)")
    assert "something else" in await cannot_open(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA user_version = 1")
    assert "no such table" in await cannot_open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("diary",)]


async def test_somebody_else_who_writes_to_it(path: Path) -> None:
    async with open_file(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "locked" in await cannot_open(path, busy=0.01)


# ── stopped badly ──────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def reading(path: Path) -> AsyncIterator[None]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM room").fetchone()
        yield


async def killed(path: Path, copy: Path) -> Path:
    """A file as somebody leaves it who is killed: most of it in order, the rest in its log."""
    async with open_file(path) as log:
        for _ in range(5):
            await log.append("#a", [said("x" * 1000) for _ in range(100)])
    async with open_file(path) as log, reading(path):  # so that the journal is not emptied
        for n in range(20):
            await append(log, said(f"{n}"))
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
    return copy


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def damage(path: Path) -> None:
    with open(path, "r+b") as file:
        for page in range(20, 100):
            file.seek(page * 4096)
            file.write(b"\xff" * 100)


async def test_after_a_bad_stop_everything_is_there(path: Path, tmp_path: Path) -> None:
    copy = await killed(path, tmp_path / "copy.db")
    async with open_file(copy) as log:
        assert (await texts(log, "#a"))[-20:] == [f"{n}" for n in range(20)]


async def test_what_was_half_written_at_a_bad_stop_is_not_there(path: Path, tmp_path: Path) -> None:
    copy = await killed(path, tmp_path / "copy.db")
    cut(Path(f"{copy}-wal"))
    async with open_file(copy) as log:
        found = [text for text in await texts(log, "#a") if "x" not in text]
        assert found == [f"{n}" for n in range(len(found))]
        assert len(found) < 20
        await append(log, said("on we go"))


async def test_a_file_that_a_bad_stop_has_damaged(path: Path, tmp_path: Path) -> None:
    copy = await killed(path, tmp_path / "copy.db")
    damage(copy)
    why = await cannot_open(copy)
    assert "is damaged" in why
    assert "put a backup in its place" in why


# ── versions ───────────────────────────────────────────────────────────────────────────────────


async def test_a_file_of_a_newer_version(path: Path) -> None:
    async with open_file(path, migrations=NEXT):
        pass
    versions = f"(version {NOW_AT + 1} of the file, this one knows {NOW_AT})"
    assert f"newer trio-chat {versions}" in await cannot_open(path)


async def test_an_older_file_is_brought_up_to_date_and_a_copy_stays(path: Path) -> None:
    async with open_file(path) as log:
        await append(log, said("1"))
        await mark(log, "al", "#a", 5)
    async with open_file(path, migrations=[*NEXT, "UPDATE mark SET more = 'yes'"]) as log:
        assert await texts(log, "#a") == ["1"]
    copy = path.with_name(f"chat.db.version-{NOW_AT}")
    assert (version_of(path), version_of(copy)) == (NOW_AT + 2, NOW_AT)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM mark").fetchall() == [("al", "#a", 5, "", "yes")]
    async with open_file(copy) as log:
        assert await texts(log, "#a") == ["1"]


async def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    async with open_file(path) as log:
        await append(log, said("1"))
    broken = [*NEXT, "DELETE FROM entry; INSERT INTO nowhere VALUES (1)"]
    assert "no such table" in await cannot_open(path, migrations=broken)
    assert version_of(path) == NOW_AT
    async with open_file(path, migrations=NEXT) as log:
        assert await texts(log, "#a") == ["1"]
