"""A file that is damaged anywhere: what can be read is read, and nothing else stops the server."""

import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from seeds import seeds
from stores import mark, open_file, said, texts
from trio_chat.core.events import PEOPLE, Change, Departed, Kicked, ModesSet, Origin, TopicSet
from trio_chat.core.logs import after
from trio_chat.core.queries import Span
from trio_chat.core.room_state import Mask, RoomState
from trio_chat.errors import CannotOpenStore, Unavailable
from trio_chat.storage.base import START, Log, Search
from trio_chat.storage.sqlite.rows import _complain

# Stands in all that was said and set, and shall stand in no log and no error.
SECRET = "sesame"

CELLS = [
    *(("entry", column) for column in ("room", "kind", "text", "token", "event", "ahead")),
    *(("room", column) for column in ("name", "barrier", "saved", "state")),
    *(("mark", column) for column in ("reader", "target", "at")),
    *(("elsewhere", column) for column in ("room", "ahead")),
    *(("indexed", column) for column in ("up_to", "entries", "removed")),
]
VALUES = st.one_of(
    st.binary(max_size=8).map(lambda data: f"CAST(x'{data.hex()}' AS TEXT)"),
    st.binary(max_size=8).map(lambda data: f"x'{data.hex()}'"),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.sampled_from(
        ["NULL", "1e300", "''", "'[]'", "'sesame'", "'[\"sesame\", {}]'", "'[[\"sesame\"], 1]'"]
    ),
    st.sampled_from(
        [
            '["Said",{"room":"#a","nick":"sesame\\ud800"}]',
            '["Said",{"room":"#a","nick":5,"seams":"x"}]',
            '["Said",{"room":"#a","nick":"al","origin":[]}]',
            '["Said",{"room":"#a","nick":"al","origin":{"host":[1]},"seams":[{}]}]',
            '["ModesSet",{"room":"#a","nick":"al","changes":[{"add":true,"mode":"l","argument":"sesame"}]}]',
            '["ModesSet",{"room":"#a","nick":"al","changes":[[]]}]',
            '["Nod",{"sesame":1}]',
            "[" * 5000,
            '{"name":"#a","flags":5,"masks":[]}',
            '{"name":"#a","flags":["m"],"masks":[["b",{"mask":5,"by":"al","at":1}]]}',
            '{"name":"#sesame","flags":[],"masks":[]}',
        ]
    ).map(lambda text: f"'{text}'"),
)


async def fill(path: Path) -> None:
    """Something in each table."""
    async with open_file(path) as log:
        await log.save("#a", START, RoomState("#a", masks=(("b", Mask("*!*@x", "al", 1)),)))
        one = [said(f"{SECRET} {n}", token=f"{SECRET}{n}", origin=Origin("u")) for n in range(5)]
        await log.append("#a", one)
        topic = await log.append("#a", [TopicSet("#a", "al", SECRET)], barrier=True)
        modes = (Change(True, "l", "5"), Change(True, "b", f"{SECRET}!*@*"))
        await log.append("#a", [ModesSet("#a", "al", modes)], expect=topic[-1].id, barrier=True)
        await log.append("x,y", [said(SECRET, "x,y")])
        await log.append(PEOPLE, [Departed("al", rooms=("#a",), why=SECRET)])
        await mark(log, "al", "#a", 5)
        await log.search(Search(SECRET, ["#a"]))


@cache
def whole() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "chat.db")
        trio.run(fill, path)
        return path.read_bytes()


async def use(log: Log) -> None:
    """As the server does. What it is told is that something is not to be had now, or nothing."""
    for room in ("#a", "x,y", PEOPLE):
        await told(lambda room=room: log.history(room))
        await told(lambda room=room: log.history(room, Span(1), said=True))
        await told(lambda room=room: log.barriers(room, after=START))
    await told(lambda: log.history("#a", Span(1, "1700000000000-000003", first=True)))
    await told(lambda: log.search(Search(SECRET, ["#a"])))
    await told(lambda: log.search(Search(SECRET, ["#a"], before=2**50)))
    await told(lambda: log.talks("x"))
    await told(lambda: log.marked("al", "#a"))
    await told(lambda: mark(log, "al", "#a", 7))
    await told(lambda: speak(log))


async def speak(log: Log) -> None:
    """Open the room, and say something there: judged by what is known, that is never too early."""
    saved, state = await log.snapshot("#a")
    for entry in await log.barriers("#a", after=saved):
        state = after(state or RoomState("#a"), entry)
    expect = state.barrier if state else ""
    await log.append("#a", [said("again", token=f"{SECRET}1")], expect=expect)
    await log.append("#a", [said("hello")], expect=expect)
    kicked = Kicked("#a", "al", "bo")
    await log.append("#a", [kicked], expect=expect, barrier=True)
    await log.save("#a", START, state or RoomState("#a"))
    assert (await texts(log, "#a", said=True, limit=1))[-1:] == ["hello"]


async def told(do: Callable[[], Awaitable[Any]]) -> None:
    why = ""
    try:
        await do()
    except Unavailable as error:
        why = str(error)
    assert SECRET not in why


def damage(path: Path, table: str, column: str, row: int, value: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '') "
            "WHERE type = 'table' AND name NOT LIKE 'word%'"
        )
        connection.execute("PRAGMA writable_schema = RESET")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        key = "(room, id)" if table == "elsewhere" else "rowid"
        with suppress(sqlite3.Error):  # it cannot be that
            connection.execute(
                f"UPDATE {table} SET {column} = {value} WHERE {key} IN "  # noqa: S608
                f"(SELECT {key.strip('()')} FROM {table} ORDER BY {key.strip('()')} LIMIT 1 OFFSET "
                f"{row} % (SELECT count(*) FROM {table}))"
            )


@given(cell=st.sampled_from(CELLS), row=st.integers(0, 9), value=VALUES)
def test_whatever_is_in_a_cell(cell: tuple[str, str], row: int, value: str) -> None:
    async def run() -> None:
        async with open_file(path) as log:
            await use(log)

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(  # type: ignore[method-assign]
        record.getMessage() + logging.Formatter().format(record)
    )
    _complain.cache_clear()
    with TemporaryDirectory() as folder:
        path = Path(folder, "chat.db")
        path.write_bytes(whole())
        damage(path, *cell, row, value)
        logging.getLogger().addHandler(handler)
        try:
            trio.run(run)
        finally:
            logging.getLogger().removeHandler(handler)
    assert not any(SECRET in line or "should not have" in line for line in lines)


@pytest.mark.parametrize("seed", seeds(always=8, of=40))
def test_whatever_became_of_its_bytes(tmp_path: Path, seed: int) -> None:
    """It cannot be opened, with a sentence; or is used, and what cannot be had is told so."""

    async def run() -> None:
        async with open_file(path) as log:
            await use(log)

    random_ = random.Random(seed)
    data = bytearray(whole())
    for _ in range(random_.choice([1, 3, 30])):
        at = random_.choice([random_.randrange(len(data)), random_.randrange(200)])
        data[at] = random_.randrange(256)
    if seed % 4 == 0:
        del data[random_.randrange(len(data)) :]
    path = tmp_path / "chat.db"
    path.write_bytes(data)
    why = f"{path} is damaged (…): put a backup in its place, or move it away and start …"
    try:
        trio.run(run)
    except CannotOpenStore as error:
        why = str(error)
    assert f"{path} is damaged" in why or "newer" in why or "database of something else" in why
    assert "\n" not in why
