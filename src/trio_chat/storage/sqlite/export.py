"""The export of history, from oldest to newest, beside a server that goes on writing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from sqlite3 import Connection

from trio_chat.core.events import Entry
from trio_chat.core.names import fold
from trio_chat.errors import CannotOpenStore
from trio_chat.storage.ids import first_of
from trio_chat.storage.sqlite.reading import reading
from trio_chat.storage.sqlite.rows import COLUMNS, Kind, entries_of
from trio_chat.storage.sqlite.schema import check_version

# Entries that are read at a time. Between two pages no lock is held, so that the journal can be
# written into the file, and does not grow.
_PAGE = 500


def export(path: Path, *, rooms: Sequence[str], since: int) -> Iterator[Entry]:
    """The entries of ``rooms`` since a moment (unix milliseconds), in the order of ids.

    Without ``rooms``, of all but private ones. Raises CannotOpenStore, also if one of the rooms is
    not there.
    """
    with reading(path) as connection:
        check_version(connection, path)
        numbers = _numbers(connection, rooms)
        last = first_of(since) - 1
        while page := _page(connection, numbers, last, since):
            yield from entries_of(page)
            last = page[-1][1]


def _numbers(connection: Connection, rooms: Sequence[str]) -> Sequence[int]:
    known = dict(
        connection.execute("SELECT name, room FROM room WHERE name LIKE '#%' ORDER BY name")
    )
    for room in rooms:
        if fold(room) not in known:
            there = f"no room {room}; it has: {', '.join([*known][:20])}" if known else "no rooms"
            raise CannotOpenStore(f"the history has {there}")
    return [known[fold(room)] for room in rooms] or [*known.values()]


def _page(
    connection: Connection, rooms: Sequence[int], after: int, since: int
) -> Sequence[tuple[str, int, int, str, str, str]]:
    places = ", ".join("?" * len(rooms))
    return connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) "  # noqa: S608
        f"WHERE id > ? AND room IN ({places}) AND entry.at >= ? AND kind <> {Kind.REDACTED:d} "
        "UNION ALL "
        f"SELECT {COLUMNS} FROM elsewhere JOIN room USING (room) JOIN entry USING (id) "
        f"WHERE id > ? AND elsewhere.room IN ({places}) AND entry.at >= ? "
        f"ORDER BY id LIMIT {_PAGE}",
        (after, *rooms, since, after, *rooms, since),
    ).fetchall()
