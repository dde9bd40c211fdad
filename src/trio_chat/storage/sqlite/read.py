"""The reads beside the thread that writes. All functions raise sqlite3.Error."""

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from trio_chat.core.events import REALM, Entry, Said, is_redactable
from trio_chat.core.names import fold
from trio_chat.core.queries import Bound, Span
from trio_chat.core.realm import RealmState
from trio_chat.core.room_state import RoomState
from trio_chat.storage.base import ENDLESS, NEVER, START, is_as_new
from trio_chat.storage.codec import Unreadable, decode_realm, decode_state
from trio_chat.storage.ids import LAST, pack, time_of, unpack
from trio_chat.storage.sqlite.rows import (
    AUDITED,
    COLUMNS,
    IS_JOIN,
    REPORTED,
    WITH_WORDS,
    Kind,
    complain,
    entries_of,
)

_NUMBER = "(SELECT room FROM room WHERE name = :room)"


def history(
    connection: Connection, room: str, span: Span, *, limit: int, said: bool, floor: str = START
) -> Sequence[Entry]:
    """Read as ``Log.history``. SQLite merges the kinds, each in order by itself.

    What is not after the ``floor`` is too old, and kept for the audit alone.
    """
    after, before, first = span.after, span.before, span.first
    kinds = (Kind.SAID,) if said else (Kind.SAID, Kind.BARRIER, Kind.OTHER)
    values: dict[str, str | int] = {"room": room, "limit": limit, "floor": pack(floor)}
    if isinstance(after, str) and isinstance(before, str):
        where, order = "{0}.id > :after AND {0}.id < :before", "id {0}"
        values |= {"after": pack(after or START), "before": pack(before) if before else LAST}
    else:
        place, order = "({0}.at, {0}.id)", "at {0}, id {0}"
        where = f"{place} > (:after_at, :after) AND {place} < (:before_at, :before)"
        values["after_at"], values["after"] = _place(connection, after, LAST, NEVER)
        values["before_at"], values["before"] = _place(connection, before, 0, ENDLESS)
    queries = [
        "SELECT id, at, text, token, event FROM entry "  # noqa: S608
        f"WHERE room = {_NUMBER} AND kind = {kind:d} AND id > :floor AND {where.format('entry')}"
        for kind in kinds
    ]
    if not said:
        queries.append(
            "SELECT elsewhere.id, elsewhere.at, text, token, event "  # noqa: S608
            "FROM elsewhere JOIN entry USING (id) "
            f"WHERE elsewhere.room = {_NUMBER} AND {where.format('elsewhere')}"
        )
    each = " UNION ALL ".join(queries)
    order = order.format("ASC" if first else "DESC")
    rows = connection.execute(
        f"SELECT :room, * FROM ({each} ORDER BY {order} LIMIT :limit)",  # noqa: S608
        values,
    ).fetchall()
    return list(entries_of(rows if first else reversed(rows)))


def _place(connection: Connection, bound: Bound, end: int, missing: int) -> tuple[int, int]:
    """The place of a bound in the order of times; a moment is at the ``end`` of its ids."""
    if isinstance(bound, int):
        return bound, end
    if not bound:
        return missing, end
    row = connection.execute("SELECT at FROM entry WHERE id = ?", (pack(bound),)).fetchone()
    return row[0] if row else time_of(bound), pack(bound)


def find(connection: Connection, room: str, id: str, topics: bool) -> Entry | None:
    """The message or topic with this id in a log, as ``Log.find``."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) "  # noqa: S608
        f"WHERE entry.id = ? AND room.name = ? AND {WITH_WORDS}",
        (pack(id), room),
    )
    found = (entry for entry in entries_of(rows) if is_redactable(entry.event))
    return next((entry for entry in found if topics or isinstance(entry.event, Said)), None)


def entry(connection: Connection, id: str) -> Entry | None:
    """The entry with this id, in whichever log."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) WHERE entry.id = ?",  # noqa: S608
        (pack(id),),
    )
    return next(entries_of(rows), None)


def whereabouts(connection: Connection, ids: Sequence[str]) -> Mapping[str, str]:
    """The logs that hold these messages now, as ``Log.whereabouts``."""
    rows = connection.execute(
        "SELECT entry.id, room.name FROM entry JOIN room USING (room) "  # noqa: S608
        f"WHERE entry.id IN ({', '.join('?' * len(ids))})",
        [pack(id) for id in ids],
    )
    return {unpack(id): name for id, name in rows}


def barriers(connection: Connection, room: str, after: str) -> Sequence[Entry]:
    """The barriers of a room after an id."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) WHERE room.name = ? "  # noqa: S608
        "AND kind = ? AND id > ? ORDER BY id",
        (room, Kind.BARRIER, pack(after)),
    )
    return list(entries_of(rows))


def audit(connection: Connection, room: str, before: str, limit: int) -> Sequence[Entry]:
    """The last barriers of a log before an id, as ``Log.audit``."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry JOIN room USING (room) WHERE room.name = ? "  # noqa: S608
        f"AND {AUDITED} AND id < ? ORDER BY id DESC LIMIT ?",
        (room, pack(before) if before else LAST, limit),
    ).fetchall()
    return list(entries_of(reversed(rows)))


def audit_all(connection: Connection, before: str, limit: int) -> Sequence[Entry]:
    """The last barriers of all logs before an id, as ``Log.audit_all``."""
    return _indexed(connection, "entry_audited", AUDITED, before, limit)


def reports(connection: Connection, before: str, limit: int) -> Sequence[Entry]:
    """The last reports before an id, as ``Log.reports``."""
    return _indexed(connection, "entry_reported", REPORTED, before, limit)


def _indexed(
    connection: Connection, index: str, where: str, before: str, limit: int
) -> Sequence[Entry]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM entry INDEXED BY {index} "  # noqa: S608
        f"CROSS JOIN room USING (room) WHERE {where} AND id < ? ORDER BY id DESC LIMIT ?",
        (pack(before) if before else LAST, limit),
    ).fetchall()
    return list(entries_of(reversed(rows)))


def talks(connection: Connection, identity: str) -> Sequence[Entry]:
    """The last message of each conversation of an identity.

    No index helps to find one name of two, but there are far fewer rooms than messages.
    """
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM room JOIN entry ON entry.id = "  # noqa: S608
        "(SELECT max(id) FROM entry WHERE entry.room = room.room AND kind = ?) "
        "WHERE room.name LIKE '%,%' AND instr(',' || room.name || ',', ?)",
        (Kind.SAID, f",{identity},"),
    )
    return list(entries_of(rows))


def snapshot(connection: Connection, room: str) -> tuple[str, RoomState | None]:
    """The saved state of a room; none if it cannot be read, for there is still the log."""
    row = connection.execute(
        "SELECT room, saved, state FROM room WHERE name = ?", (room,)
    ).fetchone()
    if row is None or row[2] is None:
        return START, None
    number, saved, written = row
    try:
        state = decode_state(written)
    except Unreadable as error:
        complain(f"the state of room {number}", str(error))
        return START, None
    if fold(state.name) == room and isinstance(saved, int) and 0 <= saved <= LAST:
        return unpack(saved) if saved else START, state
    complain(f"the state of room {number}", "it is that of another room")
    return START, None


def realm(connection: Connection) -> tuple[str, RealmState]:
    """The saved state of the realm; if it cannot be read, there is all of its log."""
    row = connection.execute("SELECT saved, state FROM room WHERE name = ?", (REALM,)).fetchone()
    if row is None or row[1] is None:
        return START, RealmState()
    try:
        state = decode_realm(row[1])
    except Unreadable as error:
        complain("the state of the realm", str(error))
        return START, RealmState()
    return (unpack(row[0]), state) if isinstance(row[0], int) else (START, RealmState())


def secret(connection: Connection, account: str) -> str:
    """The verifier that opens an account; empty if none does."""
    row = connection.execute("SELECT verifier FROM secret WHERE account = ?", (account,)).fetchone()
    return row[0] if row and isinstance(row[0], str) else ""


def places(connection: Connection, account: str) -> Sequence[str]:
    """The names of the rooms where an account is, as ``Log.places``."""
    rows = connection.execute(
        "SELECT name FROM place WHERE account = ? ORDER BY entered, room", (account,)
    )
    return [name for (name,) in rows if isinstance(name, str)]


def barrier(connection: Connection, room: str) -> str:
    """The id of a room's last barrier that can be read; empty without one."""
    saved, state = realm(connection) if room == REALM else snapshot(connection, room)
    later = barriers(connection, room, saved)
    return later[-1].id if later else state.barrier if state else ""


def knows(connection: Connection, room: str) -> bool:
    """Whether something that was said or changed in a room is still there."""
    _, state = snapshot(connection, room)
    row = connection.execute("SELECT room FROM room WHERE name = ?", (room,)).fetchone()
    return row is not None and (
        has_words(connection, row[0]) or (state is not None and not is_as_new(state))
    )


def has_words(connection: Connection, number: int) -> bool:
    """Whether something that was said in a room, or changed by somebody, is still there."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM entry WHERE room = :room AND kind IN (0, 3)) "  # noqa: S608
        f"OR EXISTS (SELECT 1 FROM entry WHERE room = :room AND kind = 1 AND NOT {IS_JOIN})",
        {"room": number},
    ).fetchone()
    return bool(row[0])


def marked(connection: Connection, reader: str, target: str) -> int:
    """The moment up to which a reader has read; 0 if nothing is known."""
    row = connection.execute(
        "SELECT at FROM mark WHERE reader = ? AND target = ?", (reader, target)
    ).fetchone()
    return row[0] if row and isinstance(row[0], int) else 0
