"""The log as the server sees it: it asks the thread that writes, and reads beside it."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from secrets import token_hex
from sqlite3 import Connection, Error
from typing import Any, NamedTuple, TypeVar

import trio

from trio_chat.core.events import (
    REALM,
    Entry,
    Event,
    Said,
    is_missed,
    is_persistent,
    is_promised,
)
from trio_chat.core.queries import ALL, Span
from trio_chat.core.realm import RealmState
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Unavailable
from trio_chat.storage.base import Condition, Log, Move, Search, Secret
from trio_chat.storage.codec import encode_realm
from trio_chat.storage.noted import is_noted, must_be_noted
from trio_chat.storage.sqlite import read, search, waiting
from trio_chat.storage.sqlite.jobs import Job
from trio_chat.storage.sqlite.maintenance import Housekeeper, Retention
from trio_chat.storage.sqlite.rows import complain, row_of
from trio_chat.storage.sqlite.schema import (
    BUSY,
    MIGRATIONS,
    Whereabouts,
    connect,
    locked,
    open_for_writing,
    opening,
)
from trio_chat.storage.sqlite.store import Store
from trio_chat.storage.sqlite.writer import Writer
from trio_chat.storage.tail import Intake

_T = TypeVar("_T")

# Reads at a time: a long search must not hold up somebody who scrolls back.
_READERS = 2


class Parts(NamedTuple):
    """What a log in a file is made of."""

    store: Store
    writer: Writer
    readers: Sequence[Connection]
    intake: Intake


@asynccontextmanager
async def open_sqlite(path: Path, *, refuse: bool = True, **how: Any) -> AsyncIterator["SqliteLog"]:
    """Open the log in a file as ``open_parts`` does. If the disk cannot be written, messages are
    refused with ``refuse``, else shown without being stored.
    """
    async with open_parts(path, **how) as parts:
        yield SqliteLog(parts, refuse=refuse)


@asynccontextmanager
async def open_parts(
    path: Path,
    *,
    retention: Retention,
    cache_bytes: int,
    busy: float = BUSY,
    clock: Callable[[], float] = time.time,
    migrations: Sequence[str] = MIGRATIONS,
    files: Mapping[str, Path] = {},
) -> AsyncIterator[Parts]:
    """Open a file, which is made if need be, as long as the context lasts. From a backup, these
    ``files`` come back as well.

    ``busy`` is how many seconds to wait for others who write to the file; ``clock`` gives unix time
    in seconds. Raises CannotOpenStore.
    """
    cache_bytes //= 1 + _READERS  # each connection has a cache of its own
    with ExitStack() as stack:
        descriptor = stack.enter_context(locked(path))
        connection = await trio.to_thread.run_sync(
            partial(
                open_for_writing,
                path,
                cache_bytes=cache_bytes,
                busy=busy,
                migrations=migrations,
                clock=clock,
                files=files,
            )
        )
        stack.enter_context(closing(connection))
        with opening(path):
            store = Store(connection, clock, Whereabouts(path, descriptor).check, busy)
            intake = Intake()
            keeper = Housekeeper(store, retention, clock, is_open=intake.in_use.__contains__)
            readers = [
                stack.enter_context(closing(connect(path, cache_bytes=cache_bytes, mode="ro")))
                for _ in range(_READERS)
            ]
        writer = Writer(store, keeper)
        try:
            yield Parts(store, writer, readers, intake)
        finally:
            with trio.CancelScope(shield=True):
                await writer.close()


class SqliteLog(Log):
    """The ``Log`` in a SQLite file; open it with ``open_sqlite``, which closes it again.

    Everything that writes is a job for the one ``writer`` thread: it shares a transaction with all
    others that wait, is shown once that is on the disk, and is done even if the caller is
    cancelled. Reads run in other threads, ``readers`` at a time, and do not wait for writes.
    ``refuse`` says whether messages that cannot be stored are refused (Unavailable); comings and
    goings never are. Reads raise Unavailable if the file cannot be read.
    """

    def __init__(self, parts: Parts, *, refuse: bool) -> None:
        self._store, self._writer, readers, self._intake = parts
        self._unstored, self._refuse = self._store.unstored, refuse
        self._readers = [*readers]
        self._reading = trio.CapacityLimiter(len(readers))
        self.node = token_hex(4)

    @property
    def too_old(self) -> str:
        return self._store.too_old

    @property
    def newest(self) -> str:
        return self._store.ids.last

    async def append(
        self,
        room: str,
        events: Sequence[Event],
        *,
        expect: str = "",
        barrier: bool = False,
        secret: Secret | None = None,
        redact: str = "",
        move: Move | None = None,
        by: str = "",
    ) -> Sequence[Entry]:
        rows = [
            row_of(event, barrier=barrier) if is_persistent(event) else None for event in events
        ]
        await self._intake.take_place()

        def append(store: Store) -> Sequence[Entry]:
            return store.append(
                room, events, rows, expect=expect, barrier=barrier, secret=secret, redact=redact,
                move=move, by=by,
            )  # fmt: skip

        def pass_on(store: Store) -> Sequence[Entry]:
            return store.pass_on(room, events, expect=expect, barrier=barrier, by=by)

        # Others are needed by nobody tomorrow: they only get their places.
        lasts = any(rows) or any(map(is_noted, events))
        must_last = (
            room == REALM
            or redact
            or move
            or any(map(is_promised, events))
            or any(map(must_be_noted, events))
            or (self._refuse and any(map(is_missed, events)))
        )
        job = Job(
            append if lasts else pass_on,
            writes=lasts,
            otherwise=pass_on if lasts and not must_last else None,
            then=partial(self._show, room, partial(_fresh, events), move=move),
            size=None if redact or move else len(events),
        )
        return await self._done(job, lone=self._intake.has_one)

    def _show(
        self,
        room: str,
        fresh: Callable[[Sequence[Entry]], Sequence[Entry]],
        job: Job[Sequence[Entry]],
        *,
        move: Move | None = None,
    ) -> None:
        """Show what a job has found, in the place in the intake that was taken for it."""
        if job.error is None:
            if move:
                self._store.note_move(room, job.result[-1].id)
            self._intake.show(fresh(job.result))
        else:
            self._intake.give_back()

    async def waiting(self, account: str) -> Sequence[Entry]:
        return await self._read(waiting.of, account, self.too_old)

    async def find(self, room: str, id: str, *, topics: bool = False) -> Entry | None:
        return await self._read(read.find, room, id, topics)

    async def whereabouts(self, ids: Sequence[str]) -> Mapping[str, str]:
        return await self._read(read.whereabouts, ids)

    async def history(
        self, room: str, span: Span = ALL, *, limit: int = 100, said: bool = False
    ) -> Sequence[Entry]:
        return await self._read(
            read.history, room, span, limit=limit, said=said, floor=self.too_old
        )

    async def barriers(self, room: str, *, after: str) -> Sequence[Entry]:
        stored = await self._read(read.barriers, room, after)
        unstored = (entry for entry in self._unstored.get(room, ()) if entry.id > after)
        return sorted([*stored, *unstored], key=lambda entry: entry.id)

    async def audit(self, room: str, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        return await self._read(read.audit, room, before, limit)

    async def audit_all(self, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        return await self._read(read.audit_all, before, limit)

    async def reports(self, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        return await self._read(read.reports, before, limit)

    async def talks(self, identity: str) -> Sequence[Entry]:
        return await self._read(read.talks, identity)

    async def search(self, search_for: Search) -> Sequence[Entry]:
        return await self._read(search.find, search_for)

    async def snapshot(self, room: str) -> tuple[str, RoomState | None]:
        return await self._read(read.snapshot, room)

    async def save(self, room: str, id: str, state: RoomState) -> None:
        await self._try(lambda store: store.save(room, id, state))

    async def close(self, room: str, id: str, state: RoomState) -> None:
        await self._try(lambda store: store.close(room, id, state))

    async def _try(self, question: Callable[[Store], None]) -> None:
        try:
            await self._done(Job(question))
        except Unavailable:
            if self._refuse:
                raise

    async def places(self, account: str) -> Sequence[str]:
        return await self._read(read.places, account)

    async def secret(self, account: str) -> str:
        return await self._read(read.secret, account)

    async def realm(self) -> tuple[str, RealmState]:
        return await self._read(read.realm)

    async def save_realm(self, id: str, state: RealmState) -> None:
        # Written before it is the writer's turn, for whom others wait: it may be megabytes.
        written = await trio.to_thread.run_sync(encode_realm, state)
        await self._done(Job(lambda store: store.save_realm(id, written)))

    async def knows(self, room: str) -> bool:
        return room in self._unstored or await self._read(read.knows, room)

    async def marked(self, reader: str, target: str) -> int:
        return await self._read(read.marked, reader, target)

    async def settled(self) -> None:
        # Without a size it is the thread's: if that hangs, this does. If trio's hangs, all does.
        await self._done(Job(lambda store: None, writes=False))

    @property
    def condition(self) -> Condition:
        store, writer = self._store, self._writer
        return Condition(
            store.bytes, self._intake.free, store.unindexed, writer.is_failing, writer.waited
        )

    def probe(self) -> None:
        if not self._writer.is_busy:
            is_failing = self._writer.is_failing
            run = Store.try_to_write if is_failing else lambda store: store.check()
            self._writer.do(Job(run, writes=is_failing), lone=False)

    async def _done(self, job: Job[_T], *, lone: bool = False) -> _T:
        """Have a job done, even if this is cancelled, and return its result. ``lone`` as for
        ``Writer.do``.
        """
        self._writer.do(job, lone=lone)
        await job.until_done()
        if job.error:
            raise job.error
        return job.result

    async def _read(self, function: Callable[..., _T], *args: object, **how: object) -> _T:
        """Call a function in a thread, with one of the connections for reading.

        There is one for each of those that may read at a time. Raises Unavailable.
        """

        def read() -> _T:
            connection = self._readers.pop()
            try:
                return function(connection, *args, **how)
            finally:
                self._readers.append(connection)

        try:
            return await trio.to_thread.run_sync(read, limiter=self._reading)
        except Error as error:
            complain("a part", str(error))
            raise Unavailable(f"History cannot be read now: {error}.") from error


def _fresh(events: Sequence[Event], entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of these events, without those that the log had already."""
    pairs = zip(entries, events, strict=True)
    fresh = (each for each, event in pairs if each.event is event or not isinstance(event, Said))
    return [*{entry.id: entry for entry in fresh}.values()]
