"""The use of the file by each source: how much it has there, and in which rooms.

A source is known by the host that others see, which stands for an address: so the file holds no
address that was not shown. Messages, topics and modes are counted in number and bytes; comings and
goings are counted separately.
"""

import ipaddress
import re
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache

from trio_chat.storage.sqlite.rows import Kind

# The bytes that an entry takes besides its text and its event, in indexes, about.
_BESIDE = 150  # bytes

_HOST = re.compile(r'"host":"([^"\\]*)"')

#: An entry as it is in the file: its id, room, kind, text and event; and the query for some.
Stored = tuple[int, int, int, str, str]
SELECT = "SELECT id, room, kind, text, event FROM entry WHERE"

#: A room's state must stay known: a barrier stays until a later state has been saved. And all that
#: is known of accounts stays.
NOT_NEEDED = (
    "(kind <> 1 OR id <= (SELECT saved FROM room WHERE room.room = entry.room AND name <> '@'))"
)

#: Entries that a step of housekeeping deals with: about two milliseconds, which a message may have
#: to wait.
STEP = 100


@lru_cache(maxsize=1024)
def source_of(event: object) -> str:
    """The source of an event, given as JSON; empty if it is damaged."""
    found = _HOST.search(event) if isinstance(event, str) else None
    host = found[1] if found else ""
    return _network(host) if ":" in host else host


def _network(host: str) -> str:
    """The source of a host: all addresses of a /64 are one."""
    try:
        return str(ipaddress.IPv6Network((host, 64), strict=False))
    except ValueError:
        return host


def is_coming(kind: int, event: object) -> bool:
    """Whether an event is a coming or going, even if it is a barrier."""
    return kind == Kind.OTHER or (isinstance(event, str) and event.startswith('["Joined"'))


def bytes_of(text: object, event: object) -> int:
    """The bytes that an entry takes in the file, about."""
    return sum(len(part) for part in (text, event) if isinstance(part, str)) + _BESIDE


def count(connection: sqlite3.Connection, rows: Iterable[Stored], sign: int = 1) -> None:
    """Count these entries; with a ``sign`` of -1, count them no more."""
    found: dict[tuple[int, str], tuple[int, int, int, int]] = {}
    kept = connection.execute("SELECT room FROM room WHERE name = '@'").fetchone()
    for id, room, kind, text, event in rows:
        if kept and room == kept[0]:  # it is nobody's, and never goes
            continue
        said, size, others, last = found.get(key := (room, source_of(event)), (0, 0, 0, 0))
        if is_coming(kind, event):
            others += sign
        else:
            said, size = said + sign, size + sign * bytes_of(text, event)
        found[key] = (said, size, others, max(last, id))
    connection.executemany(
        "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "said = said + excluded.said, bytes = bytes + excluded.bytes, "
        "others = others + excluded.others, last = max(last, excluded.last)",
        [(*key, *values) for key, values in found.items()],
    )
    if sign < 0:
        connection.executemany(
            "DELETE FROM usage WHERE room = ? AND source = ? AND said <= 0 AND others <= 0",
            found.keys(),
        )


def clear(connection: sqlite3.Connection) -> None:
    """Count nothing, as in a new file."""
    connection.execute("DELETE FROM usage")


# ── who has most of it ─────────────────────────────────────────────────────────────────────────


def busiest(connection: sqlite3.Connection, limit: int) -> Sequence[tuple[int, str]]:
    """The rooms with most comings and goings of one source, and those sources."""
    return connection.execute(
        "SELECT room, source FROM usage WHERE others > 0 ORDER BY others DESC LIMIT ?", (limit,)
    ).fetchall()


def largest(connection: sqlite3.Connection) -> str | None:
    """The source that has most messages; None if nobody has any."""
    row = connection.execute(
        "SELECT source FROM usage WHERE said > 0 GROUP BY source ORDER BY sum(bytes) DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def fullest(
    connection: sqlite3.Connection, source: str, floor: int, limit: int
) -> Sequence[tuple[int, int]]:
    """The rooms, beyond ``floor`` messages, where a source has most; and its number there."""
    return connection.execute(
        "SELECT room, said FROM usage WHERE source = ? AND said > 0 AND "
        "(SELECT sum(said) FROM usage AS all_of WHERE all_of.room = usage.room) > ? "
        "ORDER BY bytes DESC LIMIT ?",
        (source, floor, limit),
    ).fetchall()


def messages(connection: sqlite3.Connection, room: int) -> int:
    """The number of messages in a room, by everybody."""
    row = connection.execute("SELECT sum(said) FROM usage WHERE room = ?", (room,)).fetchone()
    return row[0] or 0


def emptiest(connection: sqlite3.Connection, source: str, limit: int) -> Sequence[int]:
    """The rooms where a source has said least; among those, where that was longest ago."""
    rows = connection.execute(
        "SELECT room FROM usage WHERE source = ? AND said > 0 ORDER BY said, last LIMIT ?",
        (source, limit),
    )
    return [room for (room,) in rows]
