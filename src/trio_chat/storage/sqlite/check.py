"""A check of the file: is it sound, what is in it, and what goes next. Nothing is written."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trio_chat.core.events import Said
from trio_chat.storage.base import AUDIT_DAYS
from trio_chat.storage.clock import Calendar, too_old
from trio_chat.storage.ids import first_of, pack, time_of, unpack
from trio_chat.storage.sqlite import search
from trio_chat.storage.sqlite.maintenance import Retention, noted
from trio_chat.storage.sqlite.reading import journal_size, reading
from trio_chat.storage.sqlite.rows import UNAUDITED, Kind, event_of
from trio_chat.storage.sqlite.schema import check_version
from trio_chat.storage.sqlite.store import BLANK
from trio_chat.storage.sqlite.usage import NOT_NEEDED, SELECT
from trio_chat.storage.sqlite.whose import chat_of

_DAY = 86_400_000  # milliseconds

# Problems of the file that are told.
_TOLD = 10

_COUNTS = f"""
    SELECT (SELECT count(*) FROM entry WHERE kind IN ({Kind.SAID:d}, {Kind.NOT_FOR_ALL:d})),
        (SELECT count(*) FROM room WHERE name LIKE '#%' AND saved <> {BLANK}),
        (SELECT count(*) FROM secret), (SELECT count(*) FROM waiting)
"""  # noqa: S608

_BEYOND = f"""
    SELECT coalesce(sum(beyond), 0) FROM (
        SELECT count(*) - ? AS beyond FROM entry WHERE kind = {Kind.SAID:d} GROUP BY room
    ) WHERE beyond > 0
"""  # noqa: S608

# Entries up to an id that are too old, if barriers are up to another one; and the next one.
_GOES = f"({UNAUDITED} OR id <= ?) AND {NOT_NEEDED}"
_AGED = f"SELECT count(*) FROM entry WHERE id <= ? AND {_GOES}"  # noqa: S608
_NEXT = f"SELECT min(id) FROM entry WHERE id > ? AND {_GOES}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Contents:
    """The numbers of messages, rooms, accounts, and private messages that wait."""

    messages: int
    rooms: int
    accounts: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Index:
    """The index of search: the messages that are still to come into it, and those that nobody can
    read; and whether it ``differs`` from the messages that should be in it.
    """

    behind: int
    unreadable: int
    differs: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What goes next. By age: how many entries go now and how many a day later, and from when on
    there are more (unix milliseconds, about; 0 if never). Of rooms that are too full: how many
    messages; and how many bytes of the file are used.
    """

    now: int
    in_a_day: int
    after: int
    of_full_rooms: int
    used: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was checked: ``damage`` is empty, or nothing else is known of it. ``chat`` is the
    id of the chat of several servers of which it is a copy; empty if it is of none.
    """

    size: int
    journal: int
    damage: tuple[str, ...]
    contents: Contents | None = None
    index: Index | None = None
    due: Due | None = None
    chat: str = ""


def check(
    path: Path,
    retention: Retention,
    *,
    clock: Callable[[], float] = time.time,
    tell: Callable[[str], None] = lambda what: None,
) -> Checked:
    """Check the file of a history, whether a server has it or not. ``tell`` is told what begins.

    Raises CannotOpenStore if it cannot be read at all.
    """
    with reading(path) as connection:
        connection.execute("BEGIN")  # all of it is of one moment
        check_version(connection, path)
        sizes = path.stat().st_size, journal_size(path)
        tell("checking the file")
        if damage := _damage(connection):
            return Checked(*sizes, damage)
        contents = Contents(*connection.execute(_COUNTS).fetchone())
        tell("checking the index of search")
        index = _index(connection)
        due = _due(connection, retention, clock())
        return Checked(*sizes, (), contents, index, due, chat_of(connection))


def _damage(connection: sqlite3.Connection) -> tuple[str, ...]:
    try:
        found = connection.execute(f"PRAGMA integrity_check ({_TOLD})").fetchall()
    except sqlite3.DatabaseError as error:
        return (str(error),)
    return tuple(" ".join(str(line).split()) for (line,) in found if line != "ok")


def _index(connection: sqlite3.Connection) -> Index:
    """Compare the index with the words of messages.

    Both are added up, word by word with its place, so that neither has to be sorted or remembered.
    """
    [up_to] = connection.execute("SELECT up_to FROM indexed").fetchone() or (0,)
    behind = unreadable = expected = 0
    for id, room, _, text, data in connection.execute(f"{SELECT} kind = {Kind.SAID:d}"):
        event = event_of(id, data, text)
        if id > up_to:
            behind += 1
        elif isinstance(event, Said):
            expected += sum(map(hash, _instances(search.row_of(id, room, event.nick, text))))
        unreadable += event is None
    connection.execute("CREATE VIRTUAL TABLE temp.instance USING fts5vocab (main, word, instance)")
    rows = connection.execute("SELECT doc, col, offset, term FROM temp.instance")
    return Index(behind, unreadable, differs=sum(map(hash, rows)) != expected)


def _instances(row: search.Indexed) -> Iterator[tuple[int, str, int, str]]:
    """The words of a message, as FTS5 tells of its own."""
    for column, text in (("said", row.said), ("place", row.place)):
        for offset, word in enumerate(text.split()):
            yield row.id, column, offset, word


def _due(connection: sqlite3.Connection, retention: Retention, now: float) -> Due:
    at = int(now * 1000)
    due = in_a_day = after = 0
    if retention.seconds:
        calendar = Calendar(retention.seconds, noted(connection))
        [last] = connection.execute("SELECT max(id) FROM entry").fetchone()
        calendar.note(at, unpack(last or 0))  # as the server does, before it looks
        up_to = too_old(calendar, at, retention.seconds)
        later = too_old(calendar, at + _DAY, retention.seconds)
        due = _aged(connection, up_to, at)
        in_a_day = _aged(connection, later, at + _DAY) - due
        after = _next(connection, up_to, retention.seconds, at)
    [of_full] = connection.execute(_BEYOND, (retention.per_room,)).fetchone()
    [pages], [free], [size] = (
        connection.execute(f"PRAGMA {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return Due(due, in_a_day, after, of_full, (pages - free) * size)


def _aged(connection: sqlite3.Connection, up_to: str, at: int) -> int:
    """The number of entries that are too old at a moment, if those up to an id are."""
    audited = min(pack(up_to), first_of(at - AUDIT_DAYS * _DAY))
    [count] = connection.execute(_AGED, (pack(up_to), audited)).fetchone()
    return int(count)


def _next(connection: sqlite3.Connection, up_to: str, seconds: float, at: int) -> int:
    """The moment from which on more is too old; 0 if there is nothing more."""
    [id] = connection.execute(_NEXT, (pack(up_to), 0)).fetchone()
    return max(time_of(unpack(id)) + int(seconds * 1000), at) if id else 0
