"""How SQLite looks things up: by an index, however much is in the file."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stores import NOW, said
from trio_chat.core.events import TopicSet
from trio_chat.core.queries import Span
from trio_chat.storage.base import START, Search
from trio_chat.storage.sqlite import read, search
from trio_chat.storage.sqlite.rows import row_of
from trio_chat.storage.sqlite.schema import open_for_writing
from trio_chat.storage.sqlite.store import Store

ID = f"{NOW * 1000:.0f}-000001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_for_writing(tmp_path / "chat.db", cache_bytes=100_000)) as connection:
        store = Store(connection, lambda: NOW)
        say(store, "hello")
        yield store


def say(store: Store, text: str) -> None:
    events = [said(text, token=text), TopicSet("#a", "al", "tea")]
    with store.transaction():
        rows = [row_of(event, barrier=True) for event in events]
        store.append("#a", events, rows, expect="", barrier=False)


def history(
    connection: sqlite3.Connection, after: str | int, before: str | int, *, first: bool, said: bool
) -> None:
    read.history(connection, "#a", Span(after, before, first), limit=9, said=said)


def plan_of(connection: sqlite3.Connection, do: Callable[[], object]) -> list[str]:
    """What is done for each statement that this makes."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    do()
    connection.set_trace_callback(None)
    assert statements
    return [
        row[3]
        for statement in statements
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]


def scans(plan: list[str]) -> list[str]:
    """Where all of a table is read; the index of words, which looks itself up, apart."""
    small = "(subquery", "SCAN indexed"  # of one row
    return [line for line in plan if line.startswith("SCAN") and not any(s in line for s in small)]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("said", [True, False])
def test_history_is_neither_sorted_nor_searched_through(
    store: Store, first: bool, said: bool
) -> None:
    connection = store.connection
    for after, before, index in (
        (START, ID, "entry_of_room (room=? AND kind=? AND id>? AND id<?)"),
        (5, 7, "entry_by_time (room=? AND kind=? AND at>? AND at<?)"),
        (5, ID, "entry_by_time (room=? AND kind=? AND at>? AND at<?)"),
    ):
        plan = plan_of(
            connection,
            lambda: history(connection, after, before, first=first, said=said),  # noqa: B023
        )
        assert scans(plan) == []
        assert not any("TEMP B-TREE" in line for line in plan)
        assert any(index in line for line in plan)


def test_to_open_a_room_only_what_is_new_is_looked_at(store: Store) -> None:
    connection = store.connection
    plan = plan_of(connection, lambda: read.barriers(connection, "#a", ID))
    plan += plan_of(connection, lambda: read.snapshot(connection, "#a"))
    assert scans(plan) == []
    looked_up = [line for line in plan if "entry_of_room" in line]
    assert looked_up
    assert all("(room=? AND kind=? AND id>?)" in line for line in looked_up)


def test_nothing_is_searched_through_to_append(store: Store) -> None:
    plan = plan_of(store.connection, lambda: say(store, "hello again"))
    assert any("entry_of_token (token=?)" in line for line in plan)
    assert scans(plan) == []


def test_what_is_found_is_not_sorted(store: Store) -> None:
    sought = Search("hello", ["#a"])
    search.find(store.connection, sought)  # the index looks up how it is configured
    plan = plan_of(store.connection, lambda: search.find(store.connection, sought))
    assert [line.split(" VIRTUAL")[0] for line in scans(plan)] == ["SCAN word"]
    assert not any("TEMP B-TREE" in line for line in plan)


def test_what_was_done_is_read_in_order_beside_all_else(store: Store) -> None:
    plan = plan_of(store.connection, lambda: read.audit_all(store.connection, ID, 9))
    assert "SEARCH entry USING INDEX entry_audited (id<?)" in plan
    plan += plan_of(store.connection, lambda: read.reports(store.connection, ID, 9))
    assert "SEARCH entry USING INDEX entry_reported (id<?)" in plan
    plan += plan_of(store.connection, lambda: read.audit(store.connection, "#a", ID, 9))
    assert any("entry_of_room (room=? AND kind=? AND id<?)" in line for line in plan)
    assert scans(plan) == []
    assert not any("TEMP B-TREE" in line for line in plan)


def test_how_far_ids_are_ahead_of_times_is_looked_up(store: Store) -> None:
    connection = store.connection
    sought = Search("hello", ["#a"], after=5, before=7)
    search.find(connection, sought)
    plan = plan_of(connection, lambda: search.find(connection, sought))
    assert "SEARCH entry USING COVERING INDEX entry_ahead (ahead>?)" in plan
    assert [line.split(" VIRTUAL")[0] for line in scans(plan)] == ["SCAN word"]
