"""The index of words: an FTS5 table without the texts, which stay where they are.

Each row has two columns. ``said`` holds the words of a text. ``place`` holds a word for the room
and one for the nickname, so that "in these rooms, by this person" is found by the index as well,
however common the words are elsewhere; and no search touches what its asker may not see.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from trio_chat.core.events import Entry
from trio_chat.core.names import fold
from trio_chat.storage.base import ENDLESS, NEVER, START, Search
from trio_chat.storage.ids import LAST, first_of, pack
from trio_chat.storage.sqlite.rows import COLUMNS, Kind, entries_of
from trio_chat.storage.words import is_sought, phrases, seeks_nothing, words

# Pages of the index (of 4 KB) that are written in one part of merging it.
_MERGED = 100


class Indexed(NamedTuple):
    """A row of the index. To take it out, exactly the same row must be given again."""

    id: int
    said: str
    place: str


def row_of(id: int, room: int, nick: str, text: str) -> Indexed:
    """The row of a message."""
    return Indexed(id, " ".join(words(text)), f"{_room_word(room)} {_nick_word(nick)}")


def insert(connection: sqlite3.Connection, rows: Iterable[Indexed]) -> None:
    """Put rows into the index."""
    connection.executemany("INSERT INTO word (rowid, said, place) VALUES (?, ?, ?)", rows)


def delete(connection: sqlite3.Connection, rows: Iterable[Indexed]) -> None:
    """Take rows out of the index."""
    connection.executemany(
        "INSERT INTO word (word, rowid, said, place) VALUES ('delete', ?, ?, ?)", rows
    )


def clear(connection: sqlite3.Connection) -> None:
    """Empty the index."""
    connection.execute("INSERT INTO word (word) VALUES ('delete-all')")


def merge(connection: sqlite3.Connection, *, begins: bool) -> bool:
    """Do a part of merging the index, so that deleted rows take up no more space.

    ``begins`` says that this is the first part. Returns whether there is more to do.
    """
    before = connection.total_changes
    connection.execute(
        "INSERT INTO word (word, rank) VALUES ('merge', ?)", (-_MERGED if begins else _MERGED,)
    )
    # As https://www.sqlite.org/fts5.html has it (6.8): one change is the command itself.
    return begins or connection.total_changes - before >= 2


def find(connection: sqlite3.Connection, search: Search) -> Sequence[Entry]:
    """The last ``limit`` entries that are found, oldest first. Raises sqlite3.Error."""
    sought = phrases(search.words)
    connection.execute("BEGIN")  # so that entries which are indexed meanwhile are not missed
    try:
        rooms = _numbers(connection, search.rooms)
        if not rooms or seeks_nothing(search.words, search.nick):
            return []
        [up_to] = connection.execute("SELECT up_to FROM indexed").fetchone() or (0,)
        fresh = _not_indexed(connection, search, sought, rooms, up_to)
        left = replace(search, limit=search.limit - len(fresh))
        return [*_indexed(connection, left, sought, rooms), *fresh]
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")  # nothing was written


def _not_indexed(
    connection: sqlite3.Connection,
    search: Search,
    sought: Sequence[Sequence[str]],
    rooms: Sequence[int],
    up_to: Any,
) -> Sequence[Entry]:
    """Search what is not indexed yet, newest first. SQLite passes over most of it."""
    begin, end = _times(search)
    after, before = _ids(connection, search)
    plain = [word for phrase in sought for word in phrase if word.isascii()]
    has_words = " AND ".join("text LIKE ?" for _ in plain) or "1"
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) "  # noqa: S608
        f"WHERE entry.id > ? AND entry.id < ? AND entry.at > ? AND entry.at < ? AND kind = ? "
        f"AND +entry.room IN ({', '.join('?' * len(rooms))}) "
        # Letters beyond ASCII may be the same with accents or in other shapes: SQLite cannot tell.
        f"AND (length(text) <> length(CAST(text AS BLOB)) OR {has_words}) ORDER BY entry.id DESC",
        (
            max(after, up_to if isinstance(up_to, int) else 0),
            before,
            begin,
            end,
            Kind.SAID,
            *rooms,
            *(f"%{word}%" for word in plain),
        ),
    )
    found = (entry for entry in entries_of(rows) if is_sought(entry.event, sought, search.nick))
    return [*islice(found, search.limit)][::-1]


def _indexed(
    connection: sqlite3.Connection,
    search: Search,
    sought: Sequence[Sequence[str]],
    rooms: Sequence[int],
) -> Sequence[Entry]:
    begin, end = _times(search)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM word JOIN entry ON entry.id = word.rowid "  # noqa: S608
        "JOIN room USING (room) WHERE word MATCH ? AND word.rowid > ? AND word.rowid < ? "
        "AND entry.at > ? AND entry.at < ? ORDER BY word.rowid DESC LIMIT ?",
        (_match(sought, rooms, search.nick), *_ids(connection, search), begin, end, search.limit),
    )
    return list(entries_of(reversed(rows.fetchall())))


def _times(search: Search) -> tuple[int, int]:
    """The moments between which it must be, both exclusive, if the bounds are moments."""
    after, before = search.after, search.before
    return (
        after if isinstance(after, int) else NEVER,
        before if isinstance(before, int) else ENDLESS,
    )


def _ids(connection: sqlite3.Connection, search: Search) -> tuple[int, int]:
    """The numbers of the ids between which it can be, both exclusive.

    An id is never behind its time, and never further ahead of it than the one that is farthest
    ahead.
    """
    after, before = search.after, search.before
    if isinstance(before, int):
        ahead = connection.execute("SELECT max(ahead) FROM entry WHERE ahead > 0").fetchone()[0]
        end = first_of(before + (ahead or 0)) if isinstance(ahead or 0, int) else LAST
    else:
        end = pack(before) if before else LAST
    return first_of(after) if isinstance(after, int) else pack(after or START), end


def _match(sought: Sequence[Sequence[str]], rooms: Iterable[int], nick: str) -> str:
    """The query for FTS5. Nothing in it can be taken for syntax: words are letters and digits."""
    said = " AND ".join(f'"{" ".join(phrase)}"' for phrase in sought)
    where = " OR ".join(map(_room_word, rooms))
    parts = (
        said and f"said : ({said})",
        f"place : ({where})",
        nick and f"place : {_nick_word(nick)}",
    )
    return " AND ".join(filter(None, parts))


def _numbers(connection: sqlite3.Connection, names: Iterable[str]) -> Sequence[int]:
    found = (
        connection.execute("SELECT room FROM room WHERE name = ?", (name,)).fetchone()
        for name in names
    )
    return [row[0] for row in found if row]


def _room_word(room: int) -> str:
    return f"r{room}"


@lru_cache(maxsize=1024)
def _nick_word(nick: str) -> str:
    """The word for a nickname: only letters and digits, whatever it is made of."""
    return f"n{fold(nick).encode().hex()}"
