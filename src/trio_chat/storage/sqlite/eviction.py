"""The order in which entries go when the file is too large: nobody pushes out the words of others.

1. Comings and goings: in the room where most of them are, the oldest first.
2. Messages of the source that has most: where it has most, the oldest first. But in each room the
   last messages stay, whoever has said them.
3. If those are all that is left: messages of this source in rooms that nobody is in, even the last
   ones, where it has said least.
4. Rooms that nobody is in, in which nothing was said: those closed longest ago.
"""

import logging
from collections.abc import Callable, Sequence
from sqlite3 import Connection

from trio_chat.storage.base import FLOOR
from trio_chat.storage.sqlite import usage
from trio_chat.storage.sqlite.rows import UNAUDITED, Kind
from trio_chat.storage.sqlite.usage import NOT_NEEDED, SELECT, STEP, Stored

logger = logging.getLogger(__name__)

# A step looks at so many times the entries that may go: some are by others.
_LOOK = 4

# The part of a source's messages in a room that goes in a step; after it another may have most.
_AT_ONCE = 8

# Rooms that a step looks at.
_ROOMS = 100

# The kinds of entries that may go: the index finds them one kind at a time.
_KINDS = (Kind.SAID, Kind.REDACTED, Kind.NOT_FOR_ALL, Kind.BARRIER)


class Eviction:
    """Takes entries out when the file is too large.

    ``take_out`` takes entries out of the file, and ``forget`` rooms, by number. ``is_open(name)``
    says whether somebody is in a room, or in a conversation; ``unaudited(room)`` is the id up to
    which barriers of a room may go, by its number.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        take_out: Callable[[Sequence[Stored]], None],
        forget: Callable[[Sequence[int]], None],
        is_open: Callable[[str], bool],
        unaudited: Callable[[int], int],
    ) -> None:
        self._connection = connection
        self._take_out, self._forget, self._is_open = take_out, forget, is_open
        self._unaudited = unaudited
        connection.create_function("is_coming", 2, usage.is_coming)
        self._looking_for: tuple[int, str, int] = (0, "", 0)  # room, source, kind
        self._looked_up_to = 0
        # Rooms and sources whose comings, or words, cannot go: they are barriers after the last
        # saved state, by which others are judged.
        self._staying, self._stuck = set[tuple[int, str]](), set[tuple[int, str]]()
        self._complained = False

    def step(self, up_to: int) -> bool:
        """Take something out whose id is at most ``up_to``; returns whether there was something."""
        if self._comings() or self._of_the_largest(up_to) or self._rooms():
            return True
        self._staying.clear()
        self._stuck.clear()
        if not self._complained:
            logger.warning(
                "the history file is larger than history.total_bytes, though only the least "
                "is left of each room",
                extra={"event": "store-too-large"},
            )
            self._complained = True
        return False

    def _comings(self) -> bool:
        for room, source in usage.busiest(self._connection, _ROOMS):
            if (room, source) in self._staying:
                continue
            rows = self._connection.execute(
                f"{SELECT} room = ? AND kind IN (1, 2) AND is_coming(kind, event) "
                f"AND {NOT_NEEDED} LIMIT {STEP}",
                (room,),
            ).fetchall()
            if not rows:
                self._staying.add((room, source))
                continue
            self._take_out(rows)
            return True
        return False

    def _of_the_largest(self, up_to: int) -> bool:
        """Take out messages of the largest source; never of others."""
        if (source := usage.largest(self._connection)) is None:
            return False
        for room, theirs in usage.fullest(self._connection, source, FLOOR, _ROOMS):
            if (room, source) not in self._stuck:
                beyond_floor = usage.messages(self._connection, room) - FLOOR
                most = min(beyond_floor, theirs // _AT_ONCE + 1, STEP)
                return self._said_by(source, room, up_to, most)
        for room in usage.emptiest(self._connection, source, _ROOMS):
            if (room, source) not in self._stuck and not self._is_open(self._name(room)):
                return self._said_by(source, room, up_to, STEP)
        return False

    def _said_by(self, source: str, room: int, up_to: int, most: int) -> bool:
        """Take some of a source's messages out, or pass over some that are by others."""
        for kind in _KINDS:
            if self._looking_for != (room, source, kind):
                self._looking_for, self._looked_up_to = (room, source, kind), 0
            rows = self._connection.execute(
                f"{SELECT} room = ? AND kind = ? AND id > ? AND id <= ? AND {NOT_NEEDED} "
                f"AND (id <= ? OR {UNAUDITED}) ORDER BY id LIMIT ?",
                (room, kind, self._looked_up_to, up_to, self._unaudited(room), _LOOK * most),
            ).fetchall()
            if rows:
                theirs = [
                    row
                    for row in rows
                    if usage.source_of(row[4]) == source and not usage.is_coming(kind, row[4])
                ][:most]
                self._looked_up_to = theirs[-1][0] if theirs else rows[-1][0]
                if theirs:
                    self._take_out(theirs)
                return True
        self._stuck.add((room, source))
        return True

    def _rooms(self) -> bool:
        rows = self._connection.execute(
            "SELECT room, name FROM room WHERE name <> '' "
            "AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.room = room.room) "
            "ORDER BY saved LIMIT ?",
            (_ROOMS,),
        ).fetchall()
        unused = [room for room, name in rows if not self._is_open(name)]
        if unused:
            self._forget(unused)
        return bool(unused)

    def _name(self, room: int) -> str:
        row = self._connection.execute("SELECT name FROM room WHERE room = ?", (room,)).fetchone()
        return str(row[0]) if row else ""
