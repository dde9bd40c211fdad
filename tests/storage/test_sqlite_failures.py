"""The log in a file that cannot be written: a full disk, somebody else who holds it, a bad text."""

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
import trio
import trio.testing

from disks import disk_full, held
from stores import append, mark, open_file, said, take, texts, texts_of
from trio_chat.core.events import Event, Joined, Left, ModesSet, TopicSet
from trio_chat.core.room_state import RoomState
from trio_chat.errors import CannotOpenStore, Conflict, Unavailable
from trio_chat.storage.base import START, Log, Search
from trio_chat.storage.sqlite.schema import MIGRATIONS

POISON = "\ud800"  # half of a character: there are no bytes for it


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def topic(text: str) -> TopicSet:
    return TopicSet("#a", "alice", text, "1")


async def refused(log: Log, *events: Event, **how: object) -> str:
    with pytest.raises(Unavailable) as error:
        await log.append("#a", events, **how)  # type: ignore[arg-type]
    return str(error.value)


def complaints(caplog: pytest.LogCaptureFixture) -> Sequence[tuple[str, str]]:
    return [
        (record.levelname, record.message)
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


# ── a full disk ────────────────────────────────────────────────────────────────────────────────


async def test_messages_are_refused_while_the_disk_is_full(path: Path) -> None:
    async with open_file(path) as log:
        await append(log, said("before"))
        with disk_full():
            why = await refused(log, said("lost"))
            assert why.startswith("This cannot be stored now: ")
            assert len(why.splitlines()) == 1
            assert await refused(log, topic("lost"), barrier=True) == why
            assert await texts(log, "#a") == ["before"]
        await append(log, said("after"))
        assert texts_of(await take(log, 2)) == ["before", "after"]
    async with open_file(path) as log:
        assert await texts(log, "#a") == ["before", "after"]


async def test_people_come_and_go_while_the_disk_is_full(path: Path) -> None:
    """That is shown and, as nobody will miss it, not stored."""
    async with open_file(path) as log:
        with disk_full():
            ids = await append(log, Joined("#a", "bob", "2"))
            ids += await append(log, Left("#a", "bob", "2"))
        ids += await append(log, said("after"))
        assert [entry.id for entry in await take(log, 3)] == ids == sorted(set(ids))
        assert await texts(log, "#a") == ["after"]


async def test_what_is_read_is_there_while_the_disk_is_full(path: Path) -> None:
    async with open_file(path) as log:
        await append(log, said("tea"))
        await log.save("#a", START, RoomState("#a"))
        with disk_full():
            await refused(log, said("lost"))
            assert await texts(log, "#a") == ["tea"]
            assert await log.snapshot("#a") == (START, RoomState("#a"))
            await log.search(Search("tea", ["#a"]))
            for call in (log.save("#a", START, RoomState("#A")), mark(log, "al", "#a", 1)):
                with pytest.raises(Unavailable):
                    await call
        assert texts_of(await log.search(Search("tea", ["#a"]))) == ["tea"]


async def test_a_full_disk_is_reported_once_and_its_end_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_file(path) as log:
        with disk_full():
            for n in range(20):
                await refused(log, said(f"{n}"))
                await append(log, Joined("#a", "bob", "2"))
        for n in range(20):
            await append(log, said(f"{n}"))
    [(began, what), ended] = complaints(caplog)
    assert began == "ERROR"
    assert what.startswith("cannot write history: ")
    assert ended == ("WARNING", "history can be written again")


async def test_nothing_that_was_acknowledged_is_lost_when_the_disk_fills_up(path: Path) -> None:
    stored: list[str] = []
    lost: list[str] = []

    async def speak(log: Log, number: int) -> None:
        for n in range(20):
            text = f"{number}:{n}"
            try:
                await log.append("#a", [said(text)])
                stored.append(text)
            except Unavailable:
                lost.append(text)

    async with open_file(path) as log:
        for _ in range(3):
            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(speak, log, number)
                with disk_full():
                    while not lost:
                        await trio.lowlevel.checkpoint()
            lost.clear()
        assert sorted(await texts(log, "#a", limit=1000)) == sorted(stored)
    async with open_file(path) as log:
        assert sorted(await texts(log, "#a", limit=1000)) == sorted(stored)


async def test_messages_may_go_on_without_being_stored(path: Path) -> None:
    async with open_file(path, refuse=False) as log:
        with disk_full():
            await append(log, said("1"))
            [barrier] = await append(log, topic("tea"), barrier=True)
            with pytest.raises(Conflict) as conflict:
                await append(log, said("judged before"))
            assert conflict.value.barrier == barrier
            with pytest.raises(Conflict):
                await append(log, topic("judged before"), barrier=True)
            await append(log, said("2"), expect=barrier)
        with pytest.raises(Conflict):
            await append(log, said("judged before"))
        await append(log, said("3"), expect=barrier)
        assert len(await take(log, 4)) == 4
        assert await texts(log, "#a") == ["3"]


@pytest.mark.parametrize("refuse", [True, False])
async def test_a_state_that_cannot_be_saved_is_told_unless_all_goes_on(
    path: Path, refuse: bool
) -> None:
    async with open_file(path, refuse=refuse) as log:
        with disk_full(), pytest.raises(Unavailable) if refuse else nullcontext():
            await log.save("#a", START, RoomState("#a"))
        assert await log.snapshot("#a") == (START, None)


@pytest.mark.parametrize("saved", [True, False])
async def test_a_barrier_that_was_not_stored_is_known_to_who_opens_the_room_again(
    path: Path, saved: bool
) -> None:
    """Or nothing could ever be said there again."""
    async with open_file(path, refuse=False) as log:
        [stored] = await append(log, topic("tea"), barrier=True)
        with disk_full():
            [barrier] = await append(log, topic("milk"), expect=stored, barrier=True)
        if saved:
            await log.save("#a", barrier, RoomState("#a", "milk", barrier))
        else:
            assert [e.id for e in await log.barriers("#a", after=START)] == [stored, barrier]
        id, state = await log.snapshot("#a")
        known = [e.id for e in await log.barriers("#a", after=id)]
        last = known[-1] if known else state.barrier if state else ""
        await append(log, said("hello"), expect=last)
    async with open_file(path) as log:
        last = barrier if saved else stored
        with pytest.raises(Conflict):
            await append(log, ModesSet("#a", "alice", ()), barrier=True)
        await append(log, said("hello again"), expect=last)


async def test_a_disk_without_room_is_called_so(path: Path) -> None:
    """Where it is SQLite that finds no room; and each is tried by itself, as small ones may fit."""
    no_room = [*MIGRATIONS, "PRAGMA max_page_count = 40"]
    async with open_file(path, migrations=no_room) as log:
        why, stored = "", 0
        while not why:
            try:
                await log.append("#a", [said("x" * 1000)])
                stored += 1
            except Unavailable as error:
                why = str(error)
        assert why == "This cannot be stored now: database or disk is full."
        await append(log, Joined("#a", "bob", "2"))
        assert len(await texts(log, "#a", said=True)) == stored


# ── somebody else who holds it ─────────────────────────────────────────────────────────────────


async def test_messages_wait_for_somebody_else_who_writes(path: Path) -> None:
    async with open_file(path) as log, trio.open_nursery() as nursery:
        with held(path):
            nursery.start_soon(log.append, "#a", [said("1")])
            assert await texts(log, "#a") == []
        while not await texts(log, "#a"):
            pass


async def test_messages_are_refused_while_somebody_else_writes_for_long(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All that wait are, together: the next one does not wait once more for as long."""
    told: list[str] = []

    async def speak(log: Log, number: int) -> None:
        told.append(await refused(log, said(f"{number}")))

    async with open_file(path, busy=0.5) as log:
        with held(path):
            async with trio.open_nursery() as nursery:
                for number in range(500):
                    nursery.start_soon(speak, log, number)
                await append(log, Joined("#a", "bob", "2"))
        assert {*told} == {"This cannot be stored now: database is locked."}
        assert len(told) == 500
        await append(log, said("after"))
        assert await texts(log, "#a") == ["after"]
    assert [level for level, _ in complaints(caplog)] == ["ERROR", "WARNING"]


# ── a bad text ─────────────────────────────────────────────────────────────────────────────────


async def test_what_cannot_be_written_does_not_hurt_what_it_comes_with(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_file(path) as log:
        async with trio.open_nursery() as nursery:
            with held(path):  # so that they gather
                for n in range(20):
                    nursery.start_soon(log.append, "#a", [said(f"{n}")])
                nursery.start_soon(refused, log, said("whole"), said(POISON))
                nursery.start_soon(refused, log, said("", nick=POISON))
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(append, log, said("last"))
        stored = await texts(log, "#a")
        assert {*stored} == {*map(str, range(20)), "last"}
        assert texts_of(await take(log, 21)) == stored
        assert await log.search(Search("whole", ["#a"])) == []
    assert {level for level, _ in complaints(caplog)} == {"ERROR"}


@pytest.mark.slow
async def test_an_entry_that_cannot_be_read_does_not_stop_what_is_written(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_file(path) as log:
        [first] = await append(log, said("1"))
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE entry SET event = 'nothing'")
        other.execute("UPDATE indexed SET up_to = 0")
    async with open_file(path) as log:
        with trio.fail_after(60):
            while not complaints(caplog):  # until it has been come across
                await log.marked("al", "#a")
        for n in range(20):
            await append(log, said(f"{n}"))
        assert await texts(log, "#a", after=first) == [f"{n}" for n in range(20)]
    assert len(complaints(caplog)) == 1


# ── the file is not there any more ─────────────────────────────────────────────────────────────


def remove(path: Path) -> None:
    path.unlink()


def move(path: Path) -> None:
    path.rename(f"{path}.moved")


def move_back(path: Path) -> None:
    Path(f"{path}.moved").rename(path)


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def replace(path: Path) -> None:
    copy = Path(f"{path}.copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


def settle(folder: Path, *, second: int = 1_000_000_000, rest: int = 1) -> None:
    """Let a folder be as one in which nothing has changed since that moment (in nanoseconds)."""
    os.utime(folder, ns=(second + rest, second + rest))


@pytest.mark.parametrize("is_settled", [True, False])
@pytest.mark.parametrize("do", [remove, move, replace])
@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_what_would_be_lost_is_refused_and_that_logged_once(
    path: Path,
    caplog: pytest.LogCaptureFixture,
    do: Callable[[Path], None],
    suffix: str,
    is_settled: bool,
) -> None:
    async with open_file(path) as log:
        if is_settled:
            settle(path.parent)
        await append(log, said("1"))
        do(Path(f"{path}{suffix}"))
        for _ in range(3):
            assert "was removed, moved or replaced" in await refused(log, said("2"))
        await log.append("#a", [Joined("#a", "bob", "2")])  # who comes is never refused
        [(level, why)] = complaints(caplog)
        assert level == "ERROR"
        assert f"chat.db{suffix} was removed" in why


@pytest.mark.parametrize("content", [b"", b"x" * 10_000])
async def test_a_file_that_is_overwritten_in_its_place_is_noticed(
    path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    async with open_file(path) as log:
        await append(log, said("1"))
    async with open_file(path) as log:
        overwrite(path, content)
        assert "chat.db was overwritten" in await refused(log, said("2"))
        assert "chat.db was overwritten" in await refused(log, said("3"))


async def test_what_was_moved_away_and_back_is_written_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_file(path) as log:
        await append(log, said("1"))
        move(path)
        await refused(log, said("2"))
        move_back(path)
        await append(log, said("3"))
    assert [level for level, _ in complaints(caplog)] == ["ERROR", "WARNING"]
    async with open_file(path) as log:
        assert await texts(log, "#a") == ["1", "3"]


async def test_the_journal_is_noticed_also_in_another_folder_of_the_same_time(path: Path) -> None:
    folder = path.parent / "folder"
    folder.mkdir()
    async with open_file(folder / "chat.db") as log:
        settle(folder)
        await append(log, said("1"))
        folder.rename(f"{folder}.moved")
        folder.mkdir()
        os.link(f"{folder}.moved/chat.db", folder / "chat.db")
        settle(folder)
        assert "chat.db-wal was removed" in await refused(log, said("2"))


async def test_the_file_is_noticed_where_a_link_to_it_is_opened(path: Path) -> None:
    folder = path.parent / "links"
    folder.mkdir()
    link = folder / "link.db"
    link.symlink_to(path)
    async with open_file(link) as log:
        settle(folder)
        await append(log, said("1"))
        remove(path)
        assert "link.db was removed" in await refused(log, said("2"))


@pytest.mark.parametrize(("rest", "is_looked_at"), [(1, False), (0, True)])
async def test_the_journal_is_looked_at_when_its_folder_may_have_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch, rest: int, is_looked_at: bool
) -> None:
    """Where times are only told in seconds it always may."""
    seen: list[object] = []
    stat = os.stat

    def noted(name: object, **how: object) -> os.stat_result:
        seen.append(name)
        return stat(name, **how)  # type: ignore[call-overload, no-any-return]

    async with open_file(path) as log:
        await append(log, said("1"))
        settle(path.parent, rest=rest)
        monkeypatch.setattr(os, "stat", noted)
        for text in "234":
            await append(log, said(text))
        monkeypatch.undo()
        assert (seen.count(f"{path}-wal") >= 3) == is_looked_at
        assert await texts(log, "#a") == ["1", "2", "3", "4"]


async def test_it_is_noticed_although_nobody_says_anything(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_file(path) as log:
        await append(log, said("1"))
        remove(path)
        with trio.fail_after(20):
            while not complaints(caplog):  # noqa: ASYNC110  (by itself)
                await trio.sleep(0.1)


async def test_without_refusing_it_goes_on_unstored(path: Path) -> None:
    async with open_file(path, refuse=False) as log:
        remove(path)
        await append(log, said("1"))
        assert await texts(log, "#a") == []


@pytest.mark.parametrize("link", [os.link, os.symlink])
async def test_a_file_with_two_names_is_one_file(
    path: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "other.db"
    async with open_file(path) as log:
        await append(log, said("1"))
        link(path, other)
        with pytest.raises(CannotOpenStore, match="a trio-chat server"):
            async with open_file(other):
                pass
        await append(log, said("2"))
