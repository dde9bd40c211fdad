"""What is read beside the thread that writes. All functions raise sqlite3.Error."""

from collections.abc import Sequence
from sqlite3 import Connection

from trio_chat.core.events import Entry
from trio_chat.core.room import RoomState
from trio_chat.storage.base import START
from trio_chat.storage.codec import Unreadable, decode_state
from trio_chat.storage.ids import LAST, pack, unpack
from trio_chat.storage.sqlite.rows import COLUMNS, Kind, complain, entries_of

_NUMBER = "(SELECT room FROM room WHERE name = :room)"


def history(
    connection: Connection,
    room: str,
    *,
    after: str,
    before: str,
    limit: int,
    first: bool,
    said: bool,
) -> Sequence[Entry]:
    """As ``Log.history``. SQLite merges the kinds as it goes: each is in order by itself."""
    kinds = (Kind.SAID,) if said else (Kind.SAID, Kind.BARRIER, Kind.OTHER)
    order = "ASC" if first else "DESC"
    queries = [
        f"SELECT id, kind, text, token, event FROM entry WHERE room = {_NUMBER} "  # noqa: S608
        f"AND kind = {kind:d} AND id > :after AND id < :before"
        for kind in kinds
    ]
    if not said:
        queries.append(
            "SELECT id, kind, text, token, event FROM elsewhere JOIN entry USING (id) "  # noqa: S608
            f"WHERE elsewhere.room = {_NUMBER} AND id > :after AND id < :before"
        )
    each = " UNION ALL ".join(queries)
    rows = connection.execute(
        f"SELECT :room, * FROM ({each} ORDER BY id {order} LIMIT :limit)",  # noqa: S608
        {
            "room": room,
            "after": pack(after),
            "before": pack(before) if before else LAST,
            "limit": limit,
        },
    ).fetchall()
    return list(entries_of(rows if first else reversed(rows)))


def barriers(connection: Connection, room: str, after: str) -> Sequence[Entry]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) WHERE room.name = ? "  # noqa: S608
        "AND kind = ? AND id > ? ORDER BY id",
        (room, Kind.BARRIER, pack(after)),
    )
    return list(entries_of(rows))


def talks(connection: Connection, identity: str) -> Sequence[Entry]:
    """No index can help to find one name of two, but there are far fewer rooms than messages."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM room JOIN entry ON entry.id = "  # noqa: S608
        "(SELECT max(id) FROM entry WHERE entry.room = room.room AND kind = ?) "
        "WHERE room.name LIKE '%,%' AND instr(',' || room.name || ',', ?)",
        (Kind.SAID, f",{identity},"),
    )
    return list(entries_of(rows))


def snapshot(connection: Connection, room: str) -> tuple[str, RoomState | None]:
    row = connection.execute("SELECT saved, state FROM room WHERE name = ?", (room,)).fetchone()
    if row is None or row[1] is None:
        return START, None
    saved, state = row
    try:
        return unpack(saved) if saved else START, decode_state(state)
    except Unreadable as error:
        complain(f"the state of {room}", str(error))
        return START, None


def knows(connection: Connection, room: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM room WHERE name = ? AND (barrier > 0 OR EXISTS "
        "(SELECT 1 FROM entry WHERE entry.room = room.room AND kind IN (?, ?)))",
        (room, Kind.SAID, Kind.NOT_FOR_ALL),
    ).fetchone()
    return row is not None


def marked(connection: Connection, reader: str, target: str) -> int:
    row = connection.execute(
        "SELECT at FROM mark WHERE reader = ? AND target = ?", (reader, target)
    ).fetchone()
    return row[0] if row else 0
