"""What is done to the file, in whichever thread: no method waits for anything but the disk."""

import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from trio_chat.core.events import Entry, Event
from trio_chat.core.room import RoomState
from trio_chat.errors import Conflict
from trio_chat.storage.base import MARKS
from trio_chat.storage.codec import encode_state
from trio_chat.storage.ids import Ids, pack, unpack
from trio_chat.storage.sqlite.rows import COLUMNS, Row, entries_of

# Rooms of which the number and the last barrier are remembered. Some hundred bytes each.
_ROOMS_REMEMBERED = 10_000


@dataclass(slots=True)
class _Room:
    number: int
    barrier: str


class Store:
    """Writes to the file. Only within ``transaction``; what is remembered of rooms is dropped when
    that fails, as it may be of what did not happen.

    ``clock`` gives unix time in seconds.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self.connection = connection
        last = connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()[0]
        self.ids = Ids(clock, last=unpack(last))
        self._rooms: dict[str, _Room] = {}
        self.touched: dict[int, float] = {}  # by number, entries since somebody last looked
        self.unindexed = 0  # entries, about, whose words are not in the index
        self._unstored_barriers: dict[str, str] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens in it is on the disk after it, or nothing. Raises sqlite3.Error."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self._rooms.clear()
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def append(
        self,
        name: str,
        events: Sequence[Event],
        rows: Sequence[Row],
        *,
        expect: str,
        barrier: bool,
    ) -> Sequence[Entry]:
        """As ``Log.append``, with the rows of the events."""
        room = self._room(name)
        if room.barrier not in ("", expect):
            raise Conflict(room.barrier)
        entries, fresh = [], []
        for event, row, id in zip(events, rows, self.ids.take(len(events)), strict=True):
            if row.token and (found := self._with_token(row.token)):
                entries.append(found)
            else:
                entries.append(Entry(name, id, event))
                fresh.append((pack(id), room.number, *row))
        self.connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", fresh)
        self.touched[room.number] = self.touched.get(room.number, math.inf) + len(fresh)
        self.unindexed += len(fresh)
        if barrier:
            room.barrier = entries[-1].id
            self.connection.execute(
                "UPDATE room SET barrier = ? WHERE room = ?", (pack(room.barrier), room.number)
            )
        return entries

    def pass_on(
        self, name: str, events: Sequence[Event], *, barrier: bool = False
    ) -> Sequence[Entry]:
        """Give events their places without storing them."""
        entries = [
            Entry(name, id, event)
            for id, event in zip(self.ids.take(len(events)), events, strict=True)
        ]
        if barrier:
            self._unstored_barriers[name] = entries[-1].id
            self._rooms.pop(name, None)
        return entries

    def save(self, name: str, id: str, state: RoomState) -> None:
        self.connection.execute(
            "UPDATE room SET saved = ?, state = ? WHERE room = ?",
            (pack(id), encode_state(state), self._room(name).number),
        )

    def mark(self, reader: str, target: str, at: int) -> int:
        found: int = self.connection.execute(
            "INSERT INTO mark VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET at = max(at, excluded.at) RETURNING at",
            (reader, target, at),
        ).fetchone()[0]
        self.connection.execute(
            "DELETE FROM mark WHERE rowid <= (SELECT max(rowid) FROM mark) - ?", (MARKS,)
        )
        return found

    def after(self, name: str, id: str) -> Sequence[Entry]:
        """All entries of a room after an id."""
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM entry JOIN room USING (room) "  # noqa: S608
            "WHERE room.name = ? AND id > ? AND kind <= 3 ORDER BY id",
            (name, pack(id)),
        )
        return list(entries_of(rows))

    def forget(self, names: Sequence[str]) -> None:
        """These rooms are not in the file any more."""
        for name in names:
            self._rooms.pop(name, None)

    def _room(self, name: str) -> _Room:
        """Found, or made."""
        if name not in self._rooms:
            if len(self._rooms) >= _ROOMS_REMEMBERED:
                self._rooms.clear()
            number, barrier = self.connection.execute(
                "INSERT INTO room (name) VALUES (?) "
                "ON CONFLICT DO UPDATE SET name = name RETURNING room, barrier",
                (name,),
            ).fetchone()
            stored = unpack(barrier) if barrier else ""
            self._rooms[name] = _Room(number, max(stored, self._unstored_barriers.get(name, "")))
        return self._rooms[name]

    def _with_token(self, token: str) -> Entry | None:
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM entry JOIN room USING (room) WHERE token = ?",  # noqa: S608
            (token,),
        )
        return next(entries_of(rows), None)
