"""What a check foretells of retention."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from stores import append, open_file, said
from trio_chat.core.events import TopicSet
from trio_chat.storage.sqlite.check import Due, check
from trio_chat.storage.sqlite.maintenance import Retention

DAY = 86_400
BEGIN = 1_700_000_000


# As a server notes it that runs all the time.
_NOTED = f"""
    DELETE FROM calendar;
    INSERT INTO calendar SELECT {BEGIN * 1000}, max(id) FROM entry WHERE text IN ('c', '');
    INSERT INTO calendar SELECT {(BEGIN + 5 * DAY) * 1000}, max(id) FROM entry;
"""  # noqa: S608


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three messages and a topic of the first day, and four messages of the sixth."""
    path = tmp_path / "chat.db"

    async def write() -> None:
        async with open_file(path, clock=lambda: BEGIN) as log:
            topic = TopicSet("#a", "alice", "tea", "1")
            await append(log, *map(said, "abc"))
            await append(log, topic, barrier=True)
        async with open_file(path, clock=lambda: BEGIN + 5 * DAY) as log:
            [barrier] = await log.barriers("#a", after="0")
            await append(log, *map(said, "defg"), expect=barrier.id)

    trio.run(write)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_NOTED)
    return path


def due(path: Path, day: float, *, age: float = 10, per_room: int = 100) -> Due:
    retention = Retention(age * DAY, per_room, 10_000_000)
    found = check(path, retention, clock=lambda: BEGIN + day * DAY).due
    assert found
    return found


def at(day: float) -> int:
    return int((BEGIN + day * DAY) * 1000)


@pytest.mark.parametrize(
    ("day", "now", "in_a_day", "after"),
    [
        (6, 0, 0, 10),  # nothing yet
        (9.5, 0, 3, 10),  # the topic stays until the state of its room has been saved
        (12, 3, 0, 15),
        (14.5, 3, 4, 15),
        (16, 7, 0, None),
    ],
)
def test_what_goes_by_its_age(
    path: Path, day: float, now: int, in_a_day: int, after: int | None
) -> None:
    found = due(path, day)
    assert (found.now, found.in_a_day) == (now, in_a_day)
    assert found.after == (0 if after is None else at(after))


def test_for_ever(path: Path) -> None:
    found = due(path, 10_000, age=0)
    assert (found.now, found.in_a_day, found.after) == (0, 0, 0)


@pytest.mark.parametrize(("per_room", "beyond"), [(7, 0), (6, 1), (1, 6)])
def test_what_goes_of_a_full_room(path: Path, per_room: int, beyond: int) -> None:
    assert due(path, 6, per_room=per_room).of_full_rooms == beyond
