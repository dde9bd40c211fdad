"""The writes to the file, in whichever thread: no method waits for anything but the disk."""

import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from trio_chat.core.events import (
    REALM,
    AccountDropped,
    Entry,
    Event,
    Got,
    ReadUpTo,
    Redacted,
    elsewhere,
    is_persistent,
    waits_for,
)
from trio_chat.core.names import fold
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Conflict, Gone, Taken, Unavailable
from trio_chat.storage.base import START, Move, Secret, is_as_new
from trio_chat.storage.codec import encode_state
from trio_chat.storage.ids import LAST_SOUND, Ids, ahead_of, now, pack, unpack
from trio_chat.storage.places import PLACES_MAX, Moved, moved
from trio_chat.storage.sqlite import read, redaction, waiting
from trio_chat.storage.sqlite.rows import COLUMNS, Row, complain, entries_of

# Rooms whose number and last barrier are remembered, some hundred bytes each.
ROOMS_REMEMBERED = 10_000

#: In place of the id up to which a state is saved: the room may be taken out.
BLANK = -1

# The last id in any table: new ids must be later, even if the entries themselves are not kept.
_LAST_ID = """
    SELECT coalesce(max(id), 0) FROM (
        SELECT id FROM (SELECT id FROM entry WHERE id <= :last ORDER BY id DESC LIMIT 1)
        UNION ALL SELECT up_to FROM indexed
        UNION ALL SELECT max(saved) FROM room WHERE saved <= :last
        UNION ALL SELECT max(barrier) FROM room WHERE barrier <= :last
    ) WHERE typeof(id) = 'integer' AND id BETWEEN 0 AND :last
"""


# Pages after which a commit copies the journal into the file, as SQLite does by itself.
_JOURNAL_PAGES = 1000

# What a long message takes; it is overwritten when it is deleted, and so in the journal.
_LONG = 64 * 1024  # bytes

_INSERT = (
    "INSERT INTO entry (id, room, kind, text, token, event, ahead) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Replica:
    """An entry that has its place by an order that several servers share, with its row if it is
    kept, and what goes with it (``Log.append``).
    """

    entry: Entry
    row: Row | None
    barrier: bool = False
    secret: Secret | None = None
    redact: str = ""
    move: Move | None = None


class Store:
    """Writes to the file, only within ``transaction``.

    What it remembers of rooms is dropped when a transaction fails, because it may be of things that
    did not happen. ``clock`` gives unix time in seconds. ``check`` raises sqlite3.Error if anything
    written now would be lost. ``busy`` is how many seconds commits wait for others who write.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Callable[[], float],
        check: Callable[[], None] = lambda: None,
        busy: float = 0,
    ) -> None:
        self.connection, self._clock, self.check = connection, clock, check
        self._busy, self._may_wait = busy, True
        self.took = 0.0  # the last commit (seconds)
        self.ids = Ids(
            clock, last=unpack(connection.execute(_LAST_ID, {"last": LAST_SOUND}).fetchone()[0])
        )
        self._numbers: dict[str, int] = {}  # of rooms in the file
        self._barriers: dict[str, str] = {}  # the ids of their last barriers; empty without one
        self.touched: dict[int, float] = {}  # by room, new entries since housekeeping last looked
        self.too_old = unpack(0)  # the id up to which everything is too old to be kept
        self.unindexed = 0  # about how many entries are not in the index of words
        self.unlooked = 0  # new entries since housekeeping last looked for some to take out
        self.bytes = 0  # of the file, without its journal
        self.measure()
        self.marks: float = math.inf  # new marks since then
        self.redactions = 0  # in this run; also those that could not be committed
        self.unstored: dict[str, list[Entry]] = {}  # barriers that could not be stored, by room
        self.moved: dict[str, str] = {}  # by the old name, when a log moved away
        self._topic_out: dict[str, str] = {}  # by room, when a topic was redacted last

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all of it lasts, or nothing. Raises sqlite3.Error."""
        self.check()
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._commit()
        except BaseException:
            self._numbers.clear()
            self._barriers.clear()
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        begin = time.perf_counter()
        self.connection.execute("COMMIT")
        self.took = time.perf_counter() - begin

    def let_commits_wait(self, may: bool) -> None:
        """Let commits wait for others who write, and copy the journal into the file; or not."""
        if may is not self._may_wait:
            self.connection.execute(f"PRAGMA busy_timeout = {int(self._busy * 1000) if may else 0}")
            self.connection.execute(f"PRAGMA wal_autocheckpoint = {_JOURNAL_PAGES if may else 0}")
            self._may_wait = may

    def empty_journal(self) -> None:
        """Copy the journal into the file, as far as nobody reads from it."""
        self.check()
        self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def measure(self) -> None:
        """Find out how large the file is."""
        pages, size = (
            self.connection.execute(f"PRAGMA {what}").fetchone()[0]
            for what in ("page_count", "page_size")
        )
        self.bytes = pages * size

    def try_to_write(self) -> None:
        """Write something that leaves nothing, to find out whether that is possible: as much as a
        long message takes. On a full disk there may be room for less.
        """
        written = "INSERT OR REPLACE INTO mark VALUES ('', '', 0, ?)"
        self.connection.execute(written, [_LONG * "x"])
        self.connection.execute("DELETE FROM mark WHERE reader = ''")

    def append(
        self,
        name: str,
        events: Sequence[Event],
        rows: Sequence[Row | None],
        *,
        expect: str,
        barrier: bool,
        secret: Secret | None = None,
        redact: str = "",
        move: Move | None = None,
        by: str = "",
    ) -> Sequence[Entry]:
        """Append as ``Log.append``; ``rows`` has None for events that are not stored."""
        _check(self._barrier(name), expect)
        if move:
            _check(self._barrier(move.to), move.expect)
        if move and read.knows(self.connection, move.to):
            raise Taken(f"there is {move.to} already")
        waiting.check_unknown(self.connection, events)
        if redact:
            redaction.take_words_out(self.connection, name, redact)
            self.redactions += 1
        if secret:
            self._keep(secret)
        entries: list[Entry] = []
        fresh: list[tuple[Entry, Row | None]] = []
        tokens: dict[str, Entry] = {}  # the tokens of those in fresh
        places = self.ids.take(len(events))
        for event, row, (id, at) in zip(events, rows, places, strict=True):
            token = row.token if row else None
            if token and (found := tokens.get(token) or self._with_token(token)):
                entries.append(found)
                continue
            entries.append(entry := Entry(name, id, self._noted(event, at), at, by))
            fresh.append((entry, row))
            if token:
                tokens[token] = entry
        self._put(name, fresh)
        if barrier:
            self._note_barrier(name, entries[-1].id)
        if move:
            self._move(name, move, entries[-1].id)
        return entries

    def replicate(self, replicas: Sequence[Replica]) -> Sequence[Entry]:
        """Put entries that have their places into the file; returns them as they are shown."""
        return [self._replicated(replica) for replica in replicas]

    def _replicated(self, replica: Replica) -> Entry:
        entry = replica.entry
        entry = entry._replace(event=self._noted(entry.event, entry.at))
        name, id = entry.room, entry.id
        if replica.redact:
            with suppress(Gone):  # this file keeps less than others
                redaction.take_words_out(self.connection, name, replica.redact)
                self.redactions += 1
        if replica.secret:
            self._keep(replace(replica.secret, new=False))
        try:
            self._put(name, [(entry, self._unless_known(replica.row))])
        except sqlite3.IntegrityError as error:  # if it were tried for ever, nothing would follow
            complain(f"entry {id}", str(error))
        if replica.barrier:
            self._note_barrier(name, id)
        if replica.move:
            self._move(name, replica.move, id)
        return entry

    def _noted(self, event: Event, at: int) -> Event:
        """Note what an event is for, at a moment; returns it as it is shown."""
        if isinstance(event, Got):
            waiting.remove(self.connection, event.ids)
        if isinstance(event, ReadUpTo) and event.identity:
            return replace(event, at=self.mark(event, at))
        return event

    def _unless_known(self, row: Row | None) -> Row | None:
        """A row, unless its token is in the file: it is known here for longer than by the order."""
        return None if row and row.token and self._with_token(row.token) else row

    def _put(self, name: str, fresh: Sequence[tuple[Entry, Row | None]]) -> None:
        """Put entries of one log into the file, those that have a row, and note what hangs on
        them.
        """
        room, written = self._number(name), list[tuple[Any, ...]]()
        for entry, row in fresh:
            if row:
                number = pack(entry.id)
                written.append((number, room, *row, ahead_of(number, entry.at)))
        self.connection.executemany(_INSERT, written)
        copies = []
        for entry, row in fresh:
            if row and waits_for(entry.event):
                waiting.add(self.connection, entry)
            for other in elsewhere(entry.event):
                number = pack(entry.id)
                copies.append((self._number(other), number, ahead_of(number, entry.at)))
            self._note_places(entry)
            if isinstance(entry.event, Redacted) and entry.event.topic:
                _make_place(self._topic_out)
                self._topic_out[name] = entry.id
        if copies:
            self.connection.executemany(
                "INSERT INTO elsewhere (room, id, ahead) VALUES (?, ?, ?)", copies
            )
        self.touched[room] = self.touched.get(room, math.inf) + len(written)
        self.unindexed += len(written)
        self.unlooked += len(written)

    def _note_barrier(self, name: str, id: str) -> None:
        """Note a log's last barrier."""
        self._barriers[name] = id
        self.connection.execute(
            "UPDATE room SET barrier = ? WHERE room = ?", (pack(id), self._number(name))
        )

    def _move(self, name: str, move: Move, id: str) -> None:
        """Call a log by another name. What has that name is of no use: it is taken out later."""
        room = self._numbers.pop(name)
        self.connection.execute(
            "UPDATE room SET name = name || ' ' || room, saved = ?, state = NULL, barrier = 0 "
            "WHERE name = ?",
            (BLANK, move.to),
        )
        self.connection.execute("UPDATE room SET name = ? WHERE room = ?", (move.to, room))
        self.connection.execute(
            "UPDATE OR REPLACE mark SET target = ? WHERE target = ?", (move.to, name)
        )
        self.connection.execute("DELETE FROM place WHERE room = ?", (move.to,))
        self.connection.execute(
            "UPDATE place SET room = ?, name = ? WHERE room = ?", (move.to, move.state.name, name)
        )
        self._numbers[move.to], self._barriers[move.to] = room, id
        self.save(move.to, id, replace(move.state, barrier=id))

    def _note_places(self, entry: Entry) -> None:
        """Keep where accounts are after an entry."""
        if isinstance(dropped := entry.event, AccountDropped):
            self.connection.execute("DELETE FROM place WHERE account = ?", (fold(dropped.name),))
        elif (found := moved(entry.event)) is None:
            return
        elif found.gone:
            self.connection.execute(
                "DELETE FROM place WHERE account = ? AND room = ?", (found.account, entry.room)
            )
        else:
            self._place(found, entry)

    def _place(self, found: Moved, entry: Entry) -> None:
        self.connection.execute(
            "INSERT INTO place VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET name = excluded.name, entered = max(entered, excluded.entered)",
            (found.account, entry.room, found.room, pack(entry.id) if found.entered else 0),
        )
        self.connection.execute(
            "DELETE FROM place WHERE account = :account AND room IN (SELECT room FROM place "
            "WHERE account = :account ORDER BY entered DESC, room DESC LIMIT -1 OFFSET :most)",
            {"account": found.account, "most": PLACES_MAX},
        )

    def note_move(self, name: str, id: str) -> None:
        """Note that a log has moved away, and this has been committed."""
        self.unstored.pop(name, None)
        if len(self.moved) >= ROOMS_REMEMBERED:
            del self.moved[next(iter(self.moved))]
        self.moved[name] = id

    def _keep(self, secret: Secret) -> None:
        """Keep a secret. One that is there already is of an account that must have been damaged."""
        if secret.new and read.secret(self.connection, secret.account):
            raise Unavailable("That account's entry is damaged: restore it from a backup.")
        self.connection.execute("DELETE FROM secret WHERE account = ?", (secret.account,))
        if secret.verifier:
            self.connection.execute(
                "INSERT INTO secret VALUES (?, ?, ?)",
                (secret.account, secret.verifier, now(self._clock)),
            )
        else:
            waiting.empty(self.connection, secret.account)

    def save_realm(self, id: str, state: str) -> None:
        """Save the state of the realm, as ``codec.encode_realm`` has written it."""
        self.connection.execute(
            "UPDATE room SET saved = ?, state = ? WHERE room = ?",
            (pack(id), state, self._number(REALM)),
        )

    def pass_on(
        self, name: str, events: Sequence[Event], *, expect: str, barrier: bool, by: str = ""
    ) -> Sequence[Entry]:
        """Append without storing: it works even where nothing can be read or written."""
        _check(self._readable_barrier(name), expect)
        entries = [
            Entry(name, id, event, at, by)
            for event, (id, at) in zip(events, self.ids.take(len(events)), strict=True)
        ]
        if barrier:
            lasting = [entry for entry in entries if is_persistent(entry.event)]
            if lasting:
                self.unstored.setdefault(name, []).extend(lasting)
            self._barriers[name] = entries[-1].id
        return entries

    def save(self, name: str, id: str, state: RoomState) -> None:
        """Save a room's state, which may be the one after a barrier that could not be stored."""
        if state.barrier < self.moved.get(name, ""):  # it has moved away meanwhile
            return
        if state.barrier < self._topic_out.get(name, ""):  # it still has the words
            return
        self.connection.execute(
            "UPDATE room SET saved = ?, state = ?, barrier = max(barrier, ?) WHERE room = ?",
            (pack(id), encode_state(state), pack(state.barrier or START), self._number(name)),
        )

    def close(self, name: str, id: str, state: RoomState) -> None:
        """Close a room as ``Log.close``: a room without anything is taken out later."""
        if state.barrier < self.moved.get(name, ""):
            return
        number = self._number(name)
        if not is_as_new(state) or read.has_words(self.connection, number):
            self.save(name, id, state)
            return
        self.connection.execute(
            "UPDATE room SET saved = ?, state = NULL, barrier = 0 WHERE room = ?", (BLANK, number)
        )
        self.forget(name)

    def mark(self, event: ReadUpTo, now: int) -> int:
        """Note a read marker, as ``Log.append``, and return the latest."""
        found: int = self.connection.execute(
            "INSERT OR REPLACE INTO mark SELECT :reader, :target, max(:at, coalesce((SELECT at "
            "FROM mark WHERE reader = :reader AND target = :target AND at <= :now), 0)), :source "
            "RETURNING at",
            {
                "now": now,
                "reader": event.identity,
                "target": fold(event.target),
                "at": event.at,
                "source": event.source,
            },
        ).fetchone()[0]
        self.marks += 1
        return found

    def forget(self, name: str) -> None:
        """Forget what is remembered of a room that is not in the file any more."""
        self._numbers.pop(name, None)
        self._barriers.pop(name, None)

    def _number(self, name: str) -> int:
        """The number of the room of this name, found or made."""
        if name not in self._numbers:
            _make_place(self._numbers)
            self._numbers[name] = self.connection.execute(
                "INSERT INTO room (name) VALUES (?) "
                "ON CONFLICT DO UPDATE SET name = name RETURNING room",
                (name,),
            ).fetchone()[0]
        return self._numbers[name]

    def _barrier(self, name: str) -> str:
        """The id of a room's last barrier; empty without one."""
        if name not in self._barriers:
            _make_place(self._barriers)
            unstored = self.unstored[name][-1].id if name in self.unstored else ""
            moved = self.moved.get(name, "")
            self._barriers[name] = max(read.barrier(self.connection, name), unstored, moved)
        return self._barriers[name]

    def _readable_barrier(self, name: str) -> str:
        """The same; empty if it cannot be read: then whoever judged an event knows best."""
        try:
            return self._barrier(name)
        except sqlite3.Error as error:
            complain("the last barrier of a room", str(error))
            return self.unstored[name][-1].id if name in self.unstored else ""

    def _with_token(self, token: str) -> Entry | None:
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM entry JOIN room USING (room) WHERE token = ?",  # noqa: S608
            (token,),
        )
        return next(entries_of(rows), None)


def _check(barrier: str, expect: str) -> None:
    """Raise Conflict if a log's last barrier is later than the one that is known."""
    if barrier > expect:
        raise Conflict(barrier)


def _make_place(remembered: dict[str, Any]) -> None:
    """Make place for one more room."""
    if len(remembered) >= ROOMS_REMEMBERED:
        remembered.clear()
