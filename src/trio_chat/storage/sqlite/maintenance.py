"""Housekeeping in steps of some milliseconds: the index of words, and what is not kept longer.

The thread that writes does a step now and then, between two messages.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from trio_chat.core.events import Said
from trio_chat.storage.base import AUDIT_DAYS, AUDIT_MAX, MARKS
from trio_chat.storage.clock import Calendar, HouseTime, steady, too_old
from trio_chat.storage.ids import LAST_SOUND, LATEST, first_of, pack, unpack
from trio_chat.storage.sqlite import search, usage
from trio_chat.storage.sqlite.eviction import Eviction
from trio_chat.storage.sqlite.purge import Purge
from trio_chat.storage.sqlite.rows import UNAUDITED, Kind, event_of
from trio_chat.storage.sqlite.store import BLANK, ROOMS_REMEMBERED, Store
from trio_chat.storage.sqlite.usage import NOT_NEEDED, SELECT, STEP, Stored

# Entries that may wait for housekeeping while messages come without a pause: their words are not
# yet in the index, and as many too many may be in the file.
_BACKLOG = 20_000

# Entries of which the words are put into the index in a step: about two milliseconds.
_INDEXED = 200

# Words taken out of the index take up space in it until it is merged. That is done when so many
# entries, and this part of those that are left, have been taken out.
_REMOVED, _REMOVED_PART = 1000, 0.1
# So many are enough when the file is too large.
_FEW_REMOVED = 50

# Free pages of the file (of 4 KiB) that are kept for new entries: at most, and as a part of what
# the file may have; and those given back in a step.
_SPARE_PAGES, _SPARE_PART, _PAGES = 4096, 1 / 16, 256

_DAY = 86_400_000  # milliseconds

# Rooms that a step looks up, whether they are still needed.
_ROOMS = 1000

# A room is looked at again when it may exceed what is kept of it by this part.
_SLACK = 0.01

# Rooms (of those between two numbers) that were closed and where nothing was ever said or changed.
_BLANK = f"SELECT room FROM room WHERE room > ? AND room <= ? AND saved = {BLANK}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Retention:
    """The limits of what is kept.

    In all, entries younger than ``seconds`` (0: of any age), as many as fit ``total_bytes`` of the
    file; of each room ``per_room`` messages, and as many other events.
    """

    seconds: float
    per_room: int
    total_bytes: int


class Housekeeper:
    """The housekeeper of one file. ``is_open(room)`` says whether somebody is in a room.

    Raises nothing but sqlite3.Error. Only for the thread that writes.
    """

    def __init__(
        self,
        store: Store,
        retention: Retention,
        clock: Callable[[], float],
        steady: Callable[[], float] = steady,
        *,
        is_open: Callable[[str], bool] = lambda room: False,
    ) -> None:
        self._store, self._retention = store, retention
        self._connection = store.connection
        self._calendar = Calendar(retention.seconds, noted(store.connection))
        at, doubted = self._house_time()
        self._house = HouseTime(
            clock,
            steady,
            self._calendar,
            age=retention.seconds,
            at=at,
            doubted=doubted,
            last=self._last_time(),
        )
        self._up_to = self._indexed_up_to()
        self._putting_together = self._gave_back = False
        self._last_room = 0  # the last one that was looked at
        purge = Purge(store, steady, lambda: self._house.at)
        self._turns = deque([self.index, self._forget_some, self._give_pages_back, purge.step])
        self._audited_from = self._aged_up_to = 0
        self._eviction = Eviction(
            store.connection,
            take_out=self._take_out,
            forget=self._forget_unused,
            is_open=is_open,
            unaudited=self._unaudited,
        )

    def is_behind(self) -> bool:
        """Whether a step should be done although messages wait."""
        return max(self._store.unindexed, self._store.unlooked) > _BACKLOG

    def step(self) -> bool:
        """Do a step of work, each kind in turn; returns whether there was any."""
        for _ in range(len(self._turns)):
            self._turns.rotate(-1)
            if self._turns[-1]():
                return True
        return False

    # ── words ──────────────────────────────────────────────────────────────────────────────

    def _indexed_up_to(self) -> int:
        """The id up to which words are indexed. If that cannot be read, the index begins anew."""
        row = self._connection.execute("SELECT up_to, entries, removed FROM indexed").fetchone()
        if row and all(isinstance(number, int) and 0 <= number <= LAST_SOUND for number in row):
            return int(row[0])
        with self._store.transaction():
            search.clear(self._connection)
            usage.clear(self._connection)
            self._connection.execute("DELETE FROM indexed")
            # Perhaps something was redacted whose bytes are still there.
            self._connection.execute("INSERT INTO indexed VALUES (0, 0, 0, 1)")
        return 0

    def index(self) -> bool:
        """Put the words of the next entries into the index."""
        rows = self._connection.execute(
            f"{SELECT} id > ? ORDER BY id LIMIT {_INDEXED}", (self._up_to,)
        ).fetchall()
        if rows:
            up_to = rows[-1][0]
            with self._store.transaction():
                found = _words_of(rows)
                search.insert(self._connection, found)
                usage.count(self._connection, rows)
                self._connection.execute(
                    "UPDATE indexed SET up_to = ?, entries = entries + ?", (up_to, len(found))
                )
            self._up_to = up_to
        self._store.unindexed = max(self._store.unindexed - len(rows), 0) if rows else 0
        return bool(rows)

    def _put_together(self, least: int = _REMOVED) -> bool:
        """Do a part of merging the index, if much has been taken out of it."""
        removed, entries = self._connection.execute(
            "SELECT removed, entries FROM indexed"
        ).fetchone()
        begins = removed > max(least, entries * _REMOVED_PART)
        if begins or self._putting_together:
            with self._store.transaction():
                self._putting_together = search.merge(self._connection, begins=begins)
                if begins:
                    self._connection.execute("UPDATE indexed SET removed = 0")
        return self._putting_together

    # ── retention ──────────────────────────────────────────────────────────────────────────

    def _forget_some(self) -> bool:
        self._look_at_the_clock()
        self._forget_marks()
        if (
            self._put_together()
            or self._forget_old()
            or self._forget_of_full_rooms()
            or self._forget_beyond_size()
        ):
            return True
        self._store.unlooked = 0
        return False

    def _forget_old(self) -> bool:
        up_to = pack(self._store.too_old)
        audited_from = min(up_to, self._audited_from)
        aged = max(self._aged_up_to, audited_from)
        if self._forget("id <= ?", audited_from) or self._forget(
            f"id > ? AND id <= ? AND {UNAUDITED}", aged, up_to
        ):
            return True
        self._aged_up_to = up_to
        return self._forget_rooms(up_to)

    def _unaudited(self, room: int) -> int:
        """The id up to which barriers of a room are too old for the audit, or too many."""
        beyond = self._one(
            "SELECT id FROM entry WHERE room = ? AND kind = 1 ORDER BY id DESC LIMIT 1 OFFSET ?",
            (room, AUDIT_MAX),
        )
        return max(self._audited_from, beyond or 0)

    def _look_at_the_clock(self) -> None:
        """Note what is there now, and find out what has become too old."""
        at, last = self._house.look(), self._store.ids.last
        if self._calendar.note(at, last):
            self.note_the_time()
        # By the ids, which never go back: so an entry looks rather younger than it is.
        self._audited_from = max(first_of(at - AUDIT_DAYS * _DAY) - 1, 0)
        if not self._retention.seconds:
            return
        found = too_old(self._calendar, at, self._retention.seconds)
        self._store.too_old = max(self._store.too_old, found)

    def note_the_time(self) -> None:
        """Store the time of the house, for the next run."""
        with self._store.transaction():
            self._connection.execute("DELETE FROM house")
            self._connection.execute(
                "INSERT INTO house VALUES (?, ?)", (self._house.at, self._house.doubted)
            )
            self._connection.execute("DELETE FROM calendar")
            self._connection.executemany(
                "INSERT INTO calendar VALUES (?, ?)",
                [(at, pack(id)) for at, id in self._calendar.points],
            )

    def _last_time(self) -> int:
        last = self._one("SELECT at FROM entry ORDER BY id DESC LIMIT 1")
        return int(last) if _is_sound(last) else 0

    def _house_time(self) -> tuple[int, int]:
        row = self._connection.execute("SELECT at, doubted FROM house").fetchone()
        return row if row and all(map(_is_sound, row)) else (0, 0)

    def _forget_of_full_rooms(self) -> bool:
        per_room = self._retention.per_room
        for room, count in [*self._store.touched.items()]:
            if count <= per_room * _SLACK:
                continue
            for kind in Kind:
                beyond = self._one(
                    "SELECT id FROM entry WHERE room = ? AND kind = ? ORDER BY id DESC "
                    "LIMIT 1 OFFSET ?",
                    (room, kind, per_room),
                )
                where = f"room = ? AND kind = ? AND id <= ? AND (id <= ? OR {UNAUDITED})"
                values = (room, kind, beyond, self._unaudited(room))
                if beyond is not None and self._forget(where, *values):
                    return True
            self._store.touched[room] = 0
        if len(self._store.touched) > ROOMS_REMEMBERED:
            self._store.touched.clear()
        return False

    def _forget_beyond_size(self) -> bool:
        used = self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")
        is_too_large = used + self._spare_pages() > self._pages()
        return is_too_large and (
            self._put_together(_FEW_REMOVED) or self._eviction.step(self._up_to)
        )

    def _pages(self) -> int:
        """The pages that the file may have."""
        return self._retention.total_bytes // int(self._one("PRAGMA page_size"))

    def _spare_pages(self) -> int:
        return min(_SPARE_PAGES, int(self._pages() * _SPARE_PART))

    def _forget(self, where: str, *values: Any) -> bool:
        """Take out the oldest entries for which a condition of SQL is true."""
        rows = self._connection.execute(
            f"{SELECT} {where} AND {NOT_NEEDED} ORDER BY id LIMIT {STEP}", values
        ).fetchall()
        if rows:
            self._take_out(rows)
        return bool(rows)

    def _take_out(self, rows: Sequence[Stored]) -> None:
        """Take out entries, with their words."""
        counted = [row for row in rows if row[0] <= self._up_to]
        with self._store.transaction():
            found = _words_of(counted)
            search.delete(self._connection, found)
            usage.count(self._connection, counted, -1)
            self._connection.execute(
                "UPDATE indexed SET entries = entries - :gone, removed = removed + :gone",
                {"gone": len(found)},
            )
            self._connection.executemany(
                "DELETE FROM entry WHERE id = ?", [(row[0],) for row in rows]
            )

    def _forget_rooms(self, oldest: int) -> bool:
        """Forget rooms that are no longer needed, among the next ones.

        Those are rooms in which nothing is left and that have no state, as conversations do, or
        that nobody has entered since. If nobody ever said or changed anything there, comings and
        goings are nothing.
        """
        found = self._connection.execute(
            "SELECT room FROM room WHERE room > ? ORDER BY room LIMIT ?", (self._last_room, _ROOMS)
        ).fetchall()
        if not found:
            self._last_room = 0
            return False
        some = (self._last_room, found[-1][0])
        rows = self._connection.execute(
            f"{SELECT} room IN ({_BLANK}) AND kind IN (1, 2) LIMIT {STEP}", some
        ).fetchall()
        if rows:
            self._take_out(rows)
            return True
        self._last_room = some[1]
        unused = self._connection.execute(
            "SELECT room FROM room WHERE room > ? AND room <= ? "
            "AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.room = room.room) AND (saved = ? "
            "OR (state IS NULL AND barrier = 0 OR 0 < saved AND saved < ?) "
            "AND NOT EXISTS (SELECT 1 FROM elsewhere WHERE elsewhere.room = room.room))",
            (*some, BLANK, oldest),
        ).fetchall()
        if unused:
            self._forget_unused([room for (room,) in unused])
        return False

    def _forget_unused(self, rooms: Sequence[int]) -> None:
        """Forget rooms in which nothing is left, except perhaps who has gone from all rooms."""
        numbers = [(room,) for room in rooms]
        with self._store.transaction():
            self._connection.executemany("DELETE FROM elsewhere WHERE room = ?", numbers)
            for number in numbers:
                self._store.forget(
                    self._one("DELETE FROM room WHERE room = ? RETURNING name", number)
                )

    def _forget_marks(self) -> None:
        """Forget marks of the largest source: of its busiest readers, the oldest first.

        Those have the lowest numbers.
        """
        if self._store.marks <= MARKS * _SLACK:
            return
        beyond = self._one("SELECT count(*) FROM mark") - MARKS
        if beyond > 0:
            with self._store.transaction():
                self._connection.execute(
                    "DELETE FROM mark WHERE rowid IN (SELECT rowid FROM mark WHERE source = "
                    "(SELECT source FROM mark GROUP BY source ORDER BY count(*) DESC LIMIT 1) "
                    "ORDER BY row_number() OVER (PARTITION BY reader ORDER BY rowid DESC) DESC, "
                    "rowid LIMIT ?)",
                    (beyond,),
                )
        self._store.marks = 0

    def _give_pages_back(self) -> bool:
        """Give free pages back to the file system, once the journal is in the file."""
        if self._one("PRAGMA freelist_count") > self._spare_pages():
            self._connection.execute(f"PRAGMA incremental_vacuum ({_PAGES})").fetchall()
            self._gave_back = True
        elif self._gave_back:
            self._connection.execute("PRAGMA wal_checkpoint (PASSIVE)").fetchall()
            self._gave_back = False
        return self._gave_back

    def _one(self, query: str, values: Sequence[Any] = ()) -> Any:
        row = self._connection.execute(query, values).fetchone()
        return row[0] if row else None


def noted(connection: Connection) -> Sequence[tuple[int, str]]:
    """The ids that were noted, each with the time of the house."""
    rows = connection.execute("SELECT at, id FROM calendar ORDER BY rowid").fetchall()
    return [
        (at, unpack(id))
        for at, id in rows
        if _is_sound(at) and isinstance(id, int) and 0 <= id <= LAST_SOUND
    ]


def _is_sound(moment: Any) -> bool:
    return isinstance(moment, int) and 0 <= moment <= LATEST


def _words_of(rows: Sequence[Stored]) -> list[search.Indexed]:
    """Rows of the index for those entries that have a text which all members could see."""
    return [
        search.row_of(id, room, event.nick, text)
        for id, room, kind, text, data in rows
        if kind == Kind.SAID and isinstance(event := event_of(id, data, text), Said)
    ]
