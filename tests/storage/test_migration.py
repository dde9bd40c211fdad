"""A file of an earlier version is taken over without loss, whatever happens on the way."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from old_files import write_old
from stores import open_file, texts, texts_of
from trio_chat.core.events import Joined, Left, ModesSet, Renamed, Said, TopicSet
from trio_chat.core.queries import Span
from trio_chat.core.room_state import RoomState
from trio_chat.storage.base import START, Search
from trio_chat.storage.sqlite.schema import MIGRATIONS, open_for_writing

# Written by the version before: alice and bob talked in #tea and #milk; then the clock was ahead by
# 1500 days in one run; and then it was right again.
FIRST_RUN, LAST_RUN = 1_795_852_374_000, 1_795_852_381_000  # unix milliseconds, about


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "chat.db"
    write_old(path, 1, LAST_RUN / 1000)
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def now() -> float:
    return LAST_RUN / 1000 + 60


EVERYTHING = "SELECT id, room, kind, text, token, event FROM entry ORDER BY id"


async def test_everything_is_there_afterwards(path: Path) -> None:
    before = rows(path, EVERYTHING)
    names = rows(path, "SELECT name FROM room ORDER BY room")
    async with open_file(path, clock=now) as log:
        said = await texts(log, "#tea", said=True)
        assert said == [
            *(f"tea {n}" for n in range(30)), "drinks", "read me", "from the future",
            "after the future",
        ]  # fmt: skip
        assert await texts(log, "#milk", said=True) == [
            "milk", "milk of the future", "read me too",
        ]  # fmt: skip
        kinds = {type(entry.event) for entry in await log.history("#tea")}
        assert kinds == {Said, Joined, TopicSet, ModesSet, Renamed}
        assert Left in {type(entry.event) for entry in await log.history("#milk")}
        assert texts_of(await log.search(Search("future", ["#tea"]))) == said[-2:]
        [token] = rows(path, "SELECT token FROM entry WHERE text = 'tea 7'")[0]
        expect = (await log.barriers("#tea", after=START))[-1].id
        again = await log.append("#tea", [Said("#tea", "x", "y", token=str(token))], expect=expect)
        assert texts_of(again) == ["tea 7"]
    assert rows(path, EVERYTHING)[: len(before)] == before
    assert rows(path, "SELECT name FROM room ORDER BY room") == names


async def test_no_time_is_later_than_the_file_was_written(path: Path) -> None:
    async with open_file(path, clock=now) as log:
        for room in ("#tea", "#milk"):
            entries = await log.history(room)
            assert all(FIRST_RUN <= entry.at <= LAST_RUN for entry in entries)
            assert sorted(entries, key=lambda entry: entry.at) == entries
            _, state = await log.snapshot(room)
            assert isinstance(state, RoomState)
            moments = [state.topic_at, state.created, *(mask.at for _, mask in state.masks)]
            assert all(moment <= LAST_RUN for moment in moments)
        [future] = await log.history("#tea", Span(LAST_RUN - 1), said=True, limit=1)
        assert future.event.text == "after the future"  # type: ignore[union-attr]
        assert await log.history("#tea", Span(LAST_RUN)) == []
    marks = dict(rows(path, "SELECT target, at FROM mark"))  # type: ignore[arg-type]
    assert marks == {"#tea": 1_795_852_374_123, "#milk": LAST_RUN}


async def test_the_file_as_it_was_stays_beside_it(path: Path) -> None:
    async with open_file(path, clock=now):
        pass
    copy = path.with_name("chat.db.version-1")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert rows(copy, "PRAGMA user_version") == [(1,)]
    write_old(path, 1, LAST_RUN / 1000)
    assert rows(copy, EVERYTHING) == rows(path, EVERYTHING)
    assert [file.name for file in path.parent.glob("*.part")] == []


OPEN = """
import os, signal, sqlite3, sys
from pathlib import Path
from trio_chat.storage.sqlite import schema

left = int(sys.argv[2])

def kill_at(_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

connect = schema.connect
def traced(*args, **how):
    connection = connect(*args, **how)
    connection.set_trace_callback(kill_at)
    return connection
schema.connect = traced
schema.open_for_writing(Path(sys.argv[1]), cache_bytes=100_000).close()
"""


@pytest.mark.slow
def test_who_is_killed_in_the_middle_of_it_begins_again(path: Path) -> None:
    """Killed before each fifth of the statements, with what it was then."""
    before, killed = rows(path, EVERYTHING), 0
    for statement in range(7, 40, 4):
        done = subprocess.run([sys.executable, "-c", OPEN, str(path), str(statement)], check=False)
        if done.returncode != -signal.SIGKILL:
            break
        killed += 1
        assert rows(path, "PRAGMA user_version") == [(1,)]
        assert rows(path, EVERYTHING) == before
    assert killed >= 3
    open_for_writing(path, cache_bytes=100_000, clock=now).close()
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert rows(path, EVERYTHING) == before
    assert rows(path.with_name("chat.db.version-1"), EVERYTHING) == before
