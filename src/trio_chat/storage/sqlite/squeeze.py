"""When the file is too large: what goes first, so that nobody pushes out what others have said.

1. Comings and goings: of the room where most of them are, the oldest first.
2. Of what was said, that of the source which has most: where it has most, the oldest first. But in
   each room the last messages stay, whoever has said them.
3. If that is all there is: what this source has said in rooms that nobody is in, even the last of
   it, where it has said least.
4. Rooms that nobody is in, in which nothing was said: those closed longest ago.
"""

import logging
from collections.abc import Callable, Sequence
from sqlite3 import Connection

from trio_chat.storage.base import FLOOR
from trio_chat.storage.sqlite import usage
from trio_chat.storage.sqlite.rows import Kind
from trio_chat.storage.sqlite.usage import Stored

logger = logging.getLogger(__name__)

# So many times as many entries are looked at in a step as may go: some are by others.
_LOOK = 4

# The part of what a source has in a room that goes in a step: then somebody else may have more.
_AT_ONCE = 8

# Rooms that are looked at in a step.
_ROOMS = 100

# What can only be found in this order, and what may go.
_KINDS = (Kind.SAID, Kind.NOT_FOR_ALL, Kind.BARRIER)


class Squeeze:
    """``take_out`` takes entries out of the file, and ``forget`` rooms, by number. ``is_open`` is
    whether somebody is in a room, or a conversation.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        take_out: Callable[[Sequence[Stored]], None],
        forget: Callable[[Sequence[int]], None],
        is_open: Callable[[str], bool],
        entries: int,
    ) -> None:
        self._connection = connection
        self._take_out, self._forget, self._is_open = take_out, forget, is_open
        self._entries = entries
        connection.create_function("is_coming", 2, usage.is_coming)
        self._looking_for: tuple[int, str, int] = (0, "", 0)  # room, source, kind
        self._looked_up_to = 0
        # What is there of a room and a source, comings or words, and cannot go: by the state after
        # it others are judged, and it has not been saved since.
        self._staying, self._stuck = set[tuple[int, str]](), set[tuple[int, str]]()
        self._complained = False

    def step(self, up_to: int) -> bool:
        """Take something out that has an id up to this; whether there was something."""
        if self._comings() or self._of_the_largest(up_to) or self._rooms():
            return True
        self._staying.clear()
        self._stuck.clear()
        if not self._complained:
            logger.warning(
                "the file of history is larger than history.total_bytes, with the least "
                "that is kept of each room"
            )
            self._complained = True
        return False

    def _comings(self) -> bool:
        for room, source in usage.busiest(self._connection, _ROOMS):
            if (room, source) in self._staying:
                continue
            rows = self._connection.execute(
                "SELECT id, room, kind, text, event FROM entry WHERE room = ? AND kind IN (1, 2) "
                "AND is_coming(kind, event) "
                "AND (kind <> 1 OR id <= (SELECT saved FROM room WHERE room.room = entry.room)) "
                "LIMIT ?",
                (room, self._entries),
            ).fetchall()
            if not rows:
                self._staying.add((room, source))
                continue
            self._take_out(rows)
            return True
        return False

    def _of_the_largest(self, up_to: int) -> bool:
        """Not of others, whatever becomes of the file: they have less."""
        if (source := usage.largest(self._connection)) is None:
            return False
        for room, theirs in usage.fullest(self._connection, source, FLOOR, _ROOMS):
            if (room, source) not in self._stuck:
                beyond_floor = usage.messages(self._connection, room) - FLOOR
                most = min(beyond_floor, theirs // _AT_ONCE + 1, self._entries)
                return self._said_by(source, room, up_to, most)
        for room in usage.emptiest(self._connection, source, _ROOMS):
            if (room, source) not in self._stuck and not self._is_open(self._name(room)):
                return self._said_by(source, room, up_to, self._entries)
        return False

    def _said_by(self, source: str, room: int, up_to: int, most: int) -> bool:
        """Takes some of it out, or looks at some that is by others."""
        for kind in _KINDS:
            if self._looking_for != (room, source, kind):
                self._looking_for, self._looked_up_to = (room, source, kind), 0
            rows = self._connection.execute(
                "SELECT id, room, kind, text, event FROM entry WHERE room = ? AND kind = ? "
                "AND id > ? AND id <= ? "
                "AND (kind <> 1 OR id <= (SELECT saved FROM room WHERE room.room = entry.room)) "
                "ORDER BY id LIMIT ?",
                (room, kind, self._looked_up_to, up_to, _LOOK * most),
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
