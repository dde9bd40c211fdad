"""The log as the server sees it: asks the thread that writes, and reads beside it."""

import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from sqlite3 import Connection, Error
from typing import Generic, TypeVar

import trio

from trio_chat.core.commands import Bound
from trio_chat.core.events import Entry, Event, is_lasting, is_missed
from trio_chat.core.room import RoomState
from trio_chat.errors import Unavailable
from trio_chat.storage.base import Log, Search, Tail
from trio_chat.storage.sqlite import read, search
from trio_chat.storage.sqlite.keep import Keeper, Retention
from trio_chat.storage.sqlite.rows import Row, complain, row_of
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
from trio_chat.storage.sqlite.writer import Job, Writer
from trio_chat.storage.tail import Intake

_T = TypeVar("_T")

# Reads at a time: a long search does not hold up somebody who scrolls back.
_READERS = 2


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    retention: Retention,
    cache_bytes: int,
    refuse: bool = True,
    busy: float = BUSY,
    clock: Callable[[], float] = time.time,
    migrations: Sequence[str] = MIGRATIONS,
) -> AsyncIterator["SqliteLog"]:
    """The log in this file, made if need be, until the context is left.

    If the disk cannot be written, messages are refused, or go on without being stored unless
    ``refuse``. ``busy`` is how many seconds to wait for others who write to the file; ``clock``
    gives unix time in seconds. Raises CannotOpenStore.
    """
    cache_bytes //= 1 + _READERS  # each connection has one
    with ExitStack() as stack:
        stack.enter_context(locked(path))
        connection = await trio.to_thread.run_sync(
            partial(
                open_for_writing,
                path,
                cache_bytes=cache_bytes,
                busy=busy,
                migrations=migrations,
                clock=clock,
            )
        )
        stack.enter_context(closing(connection))
        with opening(path):
            store = Store(connection, clock, Whereabouts(path).check)
            intake = Intake()
            keeper = Keeper(store, retention, clock, is_open=intake.followed.__contains__)
            readers = [
                stack.enter_context(closing(connect(path, cache_bytes=cache_bytes, mode="ro")))
                for _ in range(_READERS)
            ]
        writer = Writer(store, keeper, trio.lowlevel.current_trio_token())
        writer.start()
        try:
            node = f"{int(clock() * 1000):x}"
            yield SqliteLog(store, writer, readers, intake, refuse=refuse, node=node)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(writer.close)


class SqliteLog(Log):
    def __init__(
        self,
        store: Store,
        writer: Writer,
        readers: Sequence[Connection],
        intake: Intake,
        *,
        refuse: bool,
        node: str,
    ) -> None:
        self._store, self._unstored = store, store.unstored
        self._writer, self._refuse = writer, refuse
        self._readers = [*readers]
        self._reading = trio.CapacityLimiter(len(readers))
        self._intake = intake
        self._node = node

    @property
    def node(self) -> str:
        return self._node

    @property
    def too_old(self) -> str:
        return self._store.too_old

    async def append(
        self, room: str, events: Sequence[Event], *, expect: str = "", barrier: bool = False
    ) -> Sequence[Entry]:
        rows = [
            row_of(event, barrier=barrier and event is events[-1]) if is_lasting(event) else None
            for event in events
        ]
        await self._intake.take_place()
        how = _Append if any(rows) else _Pass
        job = how(self._intake, room, events, rows, expect, barrier, self._refuse)
        return await self._done(job)

    async def history(
        self,
        room: str,
        *,
        after: Bound = "",
        before: Bound = "",
        limit: int = 100,
        first: bool = False,
        said: bool = False,
    ) -> Sequence[Entry]:
        return await self._read(
            read.history, room, after=after, before=before, limit=limit, first=first, said=said
        )

    async def end(self, room: str) -> str:
        return await self._read(read.end, room)

    async def barriers(self, room: str, *, after: str) -> Sequence[Entry]:
        stored = await self._read(read.barriers, room, after)
        unstored = (entry for entry in self._unstored.get(room, ()) if entry.id > after)
        return sorted([*stored, *unstored], key=lambda entry: entry.id)

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
            await self._done(_Ask(question))
        except Unavailable:
            if self._refuse:
                raise

    async def knows(self, room: str) -> bool:
        return room in self._unstored or await self._read(read.knows, room)

    async def mark(self, reader: str, target: str, at: int, *, source: str = "") -> int:
        return await self._done(_Ask(lambda store: store.mark(reader, target, at, source)))

    async def marked(self, reader: str, target: str) -> int:
        return await self._read(read.marked, reader, target)

    async def follow(self, room: str, after: str) -> None:
        await self._intake.take_place()
        await self._done(_Follow(self._intake, room, after))

    async def unfollow(self, room: str) -> None:
        await trio.lowlevel.checkpoint()
        self._intake.followed.discard(room)

    def tail(self) -> AbstractAsyncContextManager[Tail]:
        return self._intake.tail()

    async def claim(self, name: str) -> str:
        await trio.lowlevel.checkpoint()
        return self.node  # nobody else can have the file

    async def release(self, name: str) -> None:
        await trio.lowlevel.checkpoint()

    async def _done(self, job: "_Awaited[_T]") -> _T:
        """Have it done. If this is cancelled, it is done nevertheless."""
        self._writer.do(job)
        await job.done.wait()
        if job.error:
            raise job.error
        return job.result

    async def _read(self, function: Callable[..., _T], *args: object, **how: object) -> _T:
        """In a thread, with one of the connections: there is one for each that may read at a time.

        Raises Unavailable.
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


# ── what the thread that writes is asked ───────────────────────────────────────────────────────


class _Awaited(Job, Generic[_T]):
    """A job that somebody waits for, if they have not been cancelled."""

    result: _T

    def __init__(self) -> None:
        self.done = trio.Event()

    def finished(self) -> None:
        self.done.set()


class _Ask(_Awaited[_T]):
    def __init__(self, question: Callable[[Store], _T]) -> None:
        super().__init__()
        self._question = question

    def run(self, store: Store) -> None:
        self.result = self._question(store)


class _Showing(_Awaited[_T]):
    """A job that has a place in the intake, and at its end shows entries there."""

    def __init__(self, intake: Intake, room: str) -> None:
        super().__init__()
        self._intake, self._room = intake, room

    @abstractmethod
    def _fresh(self) -> Sequence[Entry]: ...

    def finished(self) -> None:
        try:
            if self.error is None:
                self._intake.show(self._room, self._fresh())
            else:
                self._intake.give_back()
        except trio.BrokenResourceError as error:
            self.error = error
        super().finished()


class _Append(_Showing[Sequence[Entry]]):
    """Events into a room's log, and then to the tail."""

    def __init__(
        self,
        intake: Intake,
        room: str,
        events: Sequence[Event],
        rows: Sequence[Row | None],
        expect: str,
        barrier: bool,
        refuse: bool,
    ) -> None:
        super().__init__(intake, room)
        self._events, self._rows = events, rows
        self._expect, self._barrier, self._refuse = expect, barrier, refuse

    def run(self, store: Store) -> None:
        self.result = store.append(
            self._room, self._events, self._rows, expect=self._expect, barrier=self._barrier
        )

    def fail(self, store: Store, error: Unavailable) -> None:
        if self._refuse and any(is_missed(event) for event in self._events):
            super().fail(store, error)
        else:
            self._pass_on(store)

    def _pass_on(self, store: Store) -> None:
        self.result = store.pass_on(
            self._room, self._events, expect=self._expect, barrier=self._barrier
        )

    def _fresh(self) -> Sequence[Entry]:
        pairs = zip(self.result, self._events, strict=True)
        fresh = {entry.id: entry for entry, event in pairs if entry.event is event}
        return [*fresh.values()]


class _Pass(_Append):
    """Events that nobody needs tomorrow: they only need their places among the others."""

    writes = False

    def run(self, store: Store) -> None:
        self._pass_on(store)


class _Follow(_Showing[Sequence[Entry]]):
    """In its turn, so that what is committed before it is found, and what comes after it shown."""

    writes = False

    def __init__(self, intake: Intake, room: str, after: str) -> None:
        super().__init__(intake, room)
        self._after = after

    def run(self, store: Store) -> None:
        self.result = store.after(self._room, self._after)

    def _fresh(self) -> Sequence[Entry]:
        self._intake.followed.add(self._room)
        return self.result
