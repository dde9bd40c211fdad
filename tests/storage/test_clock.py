"""How old things are, whatever the clock does: nothing goes because of it, or stays for ever."""

import logging
from contextlib import closing
from pathlib import Path

import pytest
import trio

from stores import NOW, append, open_file, said, texts
from trio_chat.storage.clock import Calendar, HouseTime
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.sqlite import thread
from trio_chat.storage.sqlite.maintenance import Housekeeper, Retention
from trio_chat.storage.sqlite.rows import row_of
from trio_chat.storage.sqlite.schema import open_for_writing
from trio_chat.storage.sqlite.store import Store

DAY, YEAR = 86_400, 365 * 86_400
MONTH = Retention(30 * DAY, 1_000_000, 1_000_000_000)


class Machine:
    """A server's file on a machine whose clock is ``wrong`` by so many seconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.passed, self.wrong = 0.0, 0.0

    def clock(self) -> float:
        return NOW + self.passed + self.wrong

    def run(self, *texts: str, seconds: float = 60.0) -> list[str]:
        """Start it, say this, and stop it after so long; what is there then."""
        with closing(
            open_for_writing(self._path, cache_bytes=1_000_000, clock=self.clock)
        ) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            store = Store(connection, self.clock)
            keeper = Housekeeper(store, MONTH, self.clock, lambda: self.passed)
            for text in texts:
                with store.transaction():
                    store.append(
                        "#a", [said(text)], [row_of(said(text), barrier=False)],
                        expect="", barrier=False,
                    )  # fmt: skip
            for part in [0, *[seconds / 10] * 10]:
                self.passed += part
                while keeper.step():
                    pass
            keeper.note_the_time()
            rows = connection.execute("SELECT text FROM entry ORDER BY id").fetchall()
            return [row[0] for row in rows]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "chat.db")


@pytest.mark.parametrize("wrong", [4 * YEAR, 31 * DAY, -YEAR, -NOW])
def test_nothing_goes_because_of_a_clock_that_was_wrong(machine: Machine, wrong: float) -> None:
    assert machine.run("before") == ["before"]
    machine.wrong = wrong
    assert machine.run("wrong", seconds=0.9 * DAY) == ["before", "wrong"]
    machine.wrong = 0
    assert machine.run("after", seconds=2 * DAY) == ["before", "wrong", "after"]


@pytest.mark.parametrize("wrong", [4 * YEAR, -YEAR])
def test_all_goes_in_its_time_also_what_has_a_wrong_one(machine: Machine, wrong: float) -> None:
    machine.run("before")
    machine.wrong = wrong
    machine.run("wrong", seconds=DAY / 2)
    machine.wrong = 0
    assert machine.run("after", seconds=29 * DAY) == ["before", "wrong", "after"]
    assert machine.run("last", seconds=2 * DAY) == ["last"]


def test_who_was_off_for_long_forgets_when_the_clock_has_been_right_for_a_day(
    machine: Machine,
) -> None:
    machine.run("before")
    machine.passed += 40 * DAY
    assert machine.run("after", seconds=DAY * 0.9) == ["before", "after"]
    assert machine.run(seconds=DAY * 0.2) == ["after"]


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_jump_is_logged_once(caplog: pytest.LogCaptureFixture, jump: float) -> None:
    now = wrong = 0.0
    house = HouseTime(lambda: NOW + now + wrong, lambda: now, Calendar(0), age=0)
    for _ in range(3):
        now += 5
        house.look()
    assert not caplog.records
    wrong = jump
    for _ in range(9):
        now += 5
        house.look()
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "365.0 days" in record.getMessage()


@pytest.mark.parametrize("before", ["at", "last"])
def test_a_clock_behind_what_it_was_before_is_logged(
    caplog: pytest.LogCaptureFixture, before: str
) -> None:
    moment = {before: int((NOW + DAY * 2) * 1000)}
    HouseTime(lambda: NOW, lambda: 0, Calendar(0), age=0, **moment)
    assert [record.getMessage() for record in caplog.records] == [
        "the clock is 2.0 days behind what it was before"
    ]


def test_a_calendar_is_bounded_and_knows_what_was_there() -> None:
    calendar = Calendar(500)
    for n in range(10_000):
        calendar.note(n * 1000, f"{n:05}")
    assert len(calendar.points) <= 2000
    assert calendar.up_to(9_999_000) == "09999"
    assert calendar.up_to(0) == ""


async def test_memory_forgets_what_is_too_old_however_the_clock_goes() -> None:
    passed = 0.0
    log = MemoryLog(
        per_room=10, total_bytes=10_000, rooms=9, age=60, clock=lambda: 5.0, steady=lambda: passed
    )
    [first] = await append(log, said("1"))
    passed = 50
    await append(log, said("2"))
    assert log.too_old < first
    passed = 70
    assert log.too_old == first
    assert await texts(log, "#a") == ["2"]
    passed = 120
    assert await texts(log, "#a") == []


@pytest.mark.slow
async def test_what_is_too_old_goes_although_nobody_says_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "_REST", 0.1)
    short = Retention(1, 1000, 10_000_000)
    now = NOW
    async with open_file(tmp_path / "chat.db", retention=short, clock=lambda: now) as log:
        [id] = await append(log, said("1"))
        now += 2
        with trio.fail_after(50):
            while log.too_old < id or await texts(log, "#a"):  # noqa: ASYNC110  (by itself)
                await trio.sleep(0.1)
