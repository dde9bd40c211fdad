"""When there is too much, nobody pushes out what others have said: in every store."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio

from stores import NOW, mark, open_file, texts
from trio_chat.core.events import Event, Joined, Left, Origin, ReadUpTo, Said, TopicSet
from trio_chat.core.logs import is_barrier
from trio_chat.core.room_state import RoomState
from trio_chat.storage.base import FLOOR, START, Log
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.sqlite import usage
from trio_chat.storage.sqlite.maintenance import Housekeeper, Retention
from trio_chat.storage.sqlite.rows import row_of
from trio_chat.storage.sqlite.schema import open_for_writing
from trio_chat.storage.sqlite.store import Store

SIZE = 1_048_576  # bytes: the least that the settings allow
ALICE, MALLORY = Origin("a", "a.net.ip", "A"), Origin("m", "m.net.ip", "M")


def said(text: str, room: str = "#a", origin: Origin = ALICE) -> Said:
    return Said(room, "nick", text, origin=origin)


class Small:
    """A store that may hold little, with its housekeeping done after each step."""

    async def put(self, *events: Event, room: str = "#a") -> None:
        raise NotImplementedError

    async def texts(self, room: str = "#a") -> list[str]:
        raise NotImplementedError

    async def close(self, room: str, state: RoomState | None = None) -> None:
        raise NotImplementedError

    def open(self, room: str) -> None:
        raise NotImplementedError

    def size(self) -> int:
        raise NotImplementedError

    def rooms(self) -> int:
        raise NotImplementedError


class SmallMemory(Small):
    def __init__(self) -> None:
        self.log = MemoryLog(per_room=100_000, total_bytes=SIZE, rooms=10_000, clock=lambda: NOW)

    async def put(self, *events: Event, room: str = "#a") -> None:
        await self.log.append(room, events)

    async def texts(self, room: str = "#a") -> list[str]:
        return await texts(self.log, room, said=True, limit=100_000)

    async def close(self, room: str, state: RoomState | None = None) -> None:
        await self.log.close(room, START, state or RoomState(room))

    def open(self, room: str) -> None:
        self.log._intake.in_use.add(room)

    def size(self) -> int:
        return self.log._bytes

    def rooms(self) -> int:
        return len(self.log._rooms)


class SmallFile(Small):
    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self.connection = path, connection
        self.opened: set[str] = set()
        self.store = Store(connection, lambda: NOW)
        retention = Retention(0, 1_000_000, SIZE)
        self.keeper = Housekeeper(
            self.store, retention, lambda: NOW, is_open=self.opened.__contains__
        )

    def keep(self) -> None:
        for _ in range(3):  # rooms are looked at in turns
            while self.keeper.step():
                pass

    async def put(self, *events: Event, room: str = "#a") -> None:
        rows = [row_of(event, barrier=is_barrier(event)) for event in events]
        with self.store.transaction():
            self.store.append(room, events, rows, expect="", barrier=False)
        self.keep()

    async def texts(self, room: str = "#a") -> list[str]:
        found = self.connection.execute(
            "SELECT text FROM entry JOIN room USING (room) WHERE name = ? AND kind = 0 ORDER BY id",
            (room,),
        )
        return [text for (text,) in found]

    async def close(self, room: str, state: RoomState | None = None) -> None:
        id = self.connection.execute("SELECT max(id) FROM entry").fetchone()[0]
        with self.store.transaction():
            self.store.close(room, f"{id >> 20}-{id & 0xFFFFF}", state or RoomState(room))
        self.keep()

    def open(self, room: str) -> None:
        self.opened.add(room)
        with self.store.transaction():
            self.store.save(room, START, RoomState(room))

    def size(self) -> int:
        self.connection.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchall()
        return self.path.stat().st_size

    def rooms(self) -> int:
        found: int = self.connection.execute("SELECT count(*) FROM room").fetchone()[0]
        return found


@pytest.fixture(params=["memory", "file"])
async def small(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Small]:
    if request.param == "memory":
        yield SmallMemory()
        return
    path = tmp_path / "chat.db"
    with closing(open_for_writing(path, cache_bytes=1_000_000, clock=lambda: NOW)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield SmallFile(path, connection)


def many(count: int, room: str, origin: Origin, size: int = 400) -> list[Said]:
    return [said(f"{n}".ljust(size, "x"), room, origin) for n in range(count)]


async def test_a_flood_elsewhere_takes_away_nothing(small: Small) -> None:
    await small.put(*[said(f"tea {n}") for n in range(200)])
    for n in range(8):
        await small.put(*many(500, f"#m{n % 4}", MALLORY), room=f"#m{n % 4}")
    assert await small.texts() == [f"tea {n}" for n in range(200)]
    assert small.size() <= SIZE
    assert all([len(await small.texts(f"#m{n}")) >= FLOOR for n in range(4)])


async def test_what_has_to_stay_of_comings_keeps_nothing_else_there(small: Small) -> None:
    for room in ("#a", "#m"):
        small.open(room)
        await small.put(Joined(room, "m", origin=MALLORY, guarded=True), room=room)
    await small.put(*[said(f"tea {n}") for n in range(60)])
    for _ in range(8):
        await small.put(*many(500, "#m", MALLORY), room="#m")
    assert small.size() <= SIZE
    assert len(await small.texts()) == 60
    assert len(await small.texts("#m")) > FLOOR


async def test_a_flood_in_the_same_room_takes_away_nothing_of_others(small: Small) -> None:
    await small.put(*[said(f"tea {n}") for n in range(200)])
    for _ in range(8):
        await small.put(*many(500, "#a", MALLORY))
    left = await small.texts()
    assert left[:200] == [f"tea {n}" for n in range(200)]
    assert len(left) > 300
    assert small.size() <= SIZE


async def test_when_all_come_from_one_source_the_last_of_each_room_stay(small: Small) -> None:
    await small.put(*[said(f"tea {n}") for n in range(60)])
    for n in range(8):
        await small.put(*many(500, f"#m{n % 4}", ALICE), room=f"#m{n % 4}")
    assert (await small.texts())[-FLOOR:] == [f"tea {n}" for n in range(60)][-FLOOR:]
    assert small.size() <= SIZE


async def test_comings_and_goings_go_before_what_was_said(small: Small) -> None:
    small.open("#a")
    await small.put(*[said(f"tea {n}") for n in range(100)])
    for _ in range(8):
        moves: list[Event] = [
            move
            for _ in range(500)
            for move in (Joined("#a", "m", origin=MALLORY), Left("#a", "m", origin=MALLORY))
        ]
        await small.put(*moves)
    assert await small.texts() == [f"tea {n}" for n in range(100)]
    await small.put(said("new"))
    assert (await small.texts())[-1] == "new"
    assert small.size() <= SIZE


async def test_rooms_that_somebody_only_enters_and_leaves_leave_nothing(small: Small) -> None:
    await small.put(said("tea"))
    before = small.rooms()
    for n in range(100):
        room = f"#m{n}"
        await small.put(Joined(room, "m", origin=MALLORY, guarded=True, status="o"), room=room)
        await small.put(Left(room, "m", origin=MALLORY), room=room)
        await small.close(room, RoomState(room, barrier="1800000000000-000000"))
    assert small.rooms() == before
    assert await small.texts() == ["tea"]


async def test_a_room_where_something_was_said_or_set_stays(small: Small) -> None:
    await small.put(Joined("#said", "al"), said("tea", "#said"), room="#said")
    small.open("#set")
    await small.put(Joined("#set", "al"), room="#set")
    before = small.rooms()
    await small.close("#said")
    await small.close("#set", RoomState("#set", barrier="1700000000000-000001", topic="tea"))
    assert small.rooms() == before


@pytest.mark.slow
async def test_many_rooms_of_one_source_push_out_nothing_of_another(small: Small) -> None:
    small.open("#a")
    await small.put(*[said(f"tea {n}") for n in range(100)])
    for n in range(250):
        await small.put(*many(FLOOR // 5, f"#m{n}", MALLORY), room=f"#m{n}")
        await small.close(f"#m{n}")
    assert await small.texts() == [f"tea {n}" for n in range(100)]
    assert small.size() <= SIZE * 1.05
    assert len(await small.texts("#m249")) == FLOOR // 5


async def test_topics_go_as_what_was_said(small: Small) -> None:
    await small.put(*[said(f"tea {n}") for n in range(100)])
    for n in range(8):
        topics = [TopicSet(f"#m{n}", "m", "x" * 390, origin=MALLORY) for _ in range(500)]
        await small.put(*topics, room=f"#m{n}")
        state = RoomState(f"#m{n}", barrier="1800000000000-000000", topic="x")
        await small.close(f"#m{n}", state)
    assert await small.texts() == [f"tea {n}" for n in range(100)]
    assert small.size() <= SIZE


# ── the counts ─────────────────────────────────────────────────────────────────────────────────


def test_what_is_counted_is_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with closing(open_for_writing(path, cache_bytes=1_000_000)) as connection:
        file = SmallFile(path, connection)
        trio.run(file.put, *many(200, "#a", ALICE), Joined("#a", "m", origin=MALLORY))
        trio.run(file.put, *many(100, "#a", MALLORY, size=4000))
        counted = connection.execute("SELECT * FROM usage ORDER BY room, source").fetchall()
        connection.execute("DELETE FROM usage")
        usage.count(connection, connection.execute("SELECT id, room, kind, text, event FROM entry"))
        assert counted == connection.execute("SELECT * FROM usage ORDER BY room, source").fetchall()
        assert connection.execute("SELECT count(*) FROM entry").fetchone()[0] < 301  # some are gone
        assert [row[1] for row in counted] == ["a.net.ip", "m.net.ip"]


@pytest.mark.parametrize(
    ("event", "source"),
    [
        ('["Said",{"room":"#a","origin":{"user":"a","host":"x.y.ip"}}]', "x.y.ip"),
        ('["Said",{"origin":{"host":"2001:db8::1"}}]', "2001:db8::/64"),
        ('["Said",{"origin":{"host":"0::1"}}]', "::/64"),
        ('["Said",{"origin":{"host":"not:one"}}]', "not:one"),
        ('["Said",{"room":"#a","tags":"+x=\\"host\\":\\"evil\\""}]', ""),
        ('["Said",{"room":"#a"}]', ""),
        ("", ""),
        (b"\xff", ""),
        (None, ""),
    ],
)
def test_the_source_of_an_event(event: object, source: str) -> None:
    assert usage.source_of(event) == source


# ── marks ──────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def file_log(path: Path) -> AsyncIterator[Log]:
    async with open_file(path / "chat.db") as log:
        yield log


async def test_marks_of_one_source_push_out_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trio_chat.storage.memory.MARKS", 200)
    log = MemoryLog(per_room=10, total_bytes=SIZE, rooms=10, clock=lambda: NOW)
    await mark(log, "alice", "#a", 5, source="a")
    await mark(log, "bob", "#a", 7, source="m")
    for n in range(600):
        await mark(log, "mallory", f"#{n}", 9, source="m")
    assert len(log._marks) <= 200
    assert (await log.marked("alice", "#a"), await log.marked("bob", "#a")) == (5, 7)
    assert await log.marked("mallory", "#599") == 9


def test_marks_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_chat.storage.sqlite.maintenance.MARKS", 200)
    path = tmp_path / "chat.db"
    with closing(open_for_writing(path, cache_bytes=1_000_000)) as connection:
        file = SmallFile(path, connection)
        file.store.mark(ReadUpTo("#a", 5, "id", "alice", "a"), 10)
        file.store.mark(ReadUpTo("#a", 7, "id", "bob", "m"), 10)
        for n in range(600):
            file.store.mark(ReadUpTo(f"#{n}", 9, "id", "mallory", "m"), 10)
            if n % 50 == 0:
                file.keep()
        file.store.marks = 1000
        file.keep()
        found = dict(connection.execute("SELECT reader, count(*) FROM mark GROUP BY reader"))
        assert (found["alice"], found["bob"]) == (1, 1)
        assert 190 <= found["mallory"] <= 200
        assert connection.execute("SELECT count(*) FROM mark WHERE target = '#599'").fetchone() == (
            1,
        )
