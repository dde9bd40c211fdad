"""Logs for tests: every kind of store, and what is put in and taken out."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pytest
import trio

from trio_chat.core.events import PEOPLE, Entry, Event, Got, ReadUpTo, Said
from trio_chat.core.names import fold
from trio_chat.core.queries import Span
from trio_chat.storage.base import Log
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.sqlite.log import SqliteLog, open_sqlite
from trio_chat.storage.sqlite.maintenance import Retention

NOW = 1_700_000_000.0

Clock = Callable[[], float]
OpenLog = Callable[[Clock], AbstractAsyncContextManager[Log]]


@asynccontextmanager
async def memory_log(clock: Clock, path: Path) -> AsyncIterator[Log]:
    yield MemoryLog(per_room=1000, total_bytes=10_000_000, rooms=100, clock=clock)


@asynccontextmanager
async def sqlite_log(clock: Clock, path: Path) -> AsyncIterator[Log]:
    async with open_file(path, clock=clock) as log:
        yield log


@asynccontextmanager
async def shared_log(clock: Clock, path: Path) -> AsyncIterator[Log]:
    """One node of a chat of its own, whose moments are those of the clock."""
    from engines import fresh, the_engine
    from trio_chat.storage.shared.log import SharedLog, open_shared

    def at(self: SharedLog, moment: int) -> int:
        return int(clock() * 1000)

    with mock.patch.object(SharedLog, "_at", at):
        async with open_shared(
            path,
            fresh(the_engine()),
            "",
            lambda: bytes(32),
            name="",
            retention=Retention(seconds=0, per_room=1000, total_bytes=10_000_000),
            cache_bytes=100_000,
            clock=clock,
        ) as log:
            yield log


STORES = [memory_log, sqlite_log, pytest.param(shared_log, marks=pytest.mark.programs)]


def open_file(
    path: Path, *, retention: Retention | None = None, clock: Clock = lambda: NOW, **how: Any
) -> AbstractAsyncContextManager[SqliteLog]:
    retention = retention or Retention(seconds=0, per_room=1000, total_bytes=10_000_000)
    return open_sqlite(path, retention=retention, cache_bytes=100_000, clock=clock, **how)


@asynccontextmanager
async def temporary(store: Any) -> AsyncIterator[Log]:
    """One that is gone afterwards; for tests that need many."""
    with TemporaryDirectory() as folder:
        async with store(lambda: NOW, Path(folder, "chat.db")) as log:
            yield log


def said(text: str, room: str = "#a", nick: str = "alice", **more: Any) -> Said:
    return Said(room, nick, text, "1", **more)


async def append(log: Log, *events: Event, **how: Any) -> list[str]:
    """The ids of the entries that have been made of events of one room."""
    entries = await log.append(fold(events[0].room), events, **how)  # type: ignore[union-attr]
    assert [entry.event for entry in entries] == [*events]
    return [entry.id for entry in entries]


async def mark(log: Log, reader: str, target: str, at: int, *, source: str = "") -> int:
    """Note up to which moment somebody has read; the latest one that is noted."""
    await log.append(PEOPLE, [ReadUpTo(target, at, "id", reader, source)])
    return await log.marked(reader, target)


async def got(log: Log, *ids: str) -> None:
    """Let these messages wait no more."""
    await log.append(PEOPLE, [Got(ids)])


def texts_of(entries: Sequence[Entry]) -> list[str]:
    return [entry.event.text for entry in entries]  # type: ignore[union-attr]


async def texts(
    log: Log, room: str, *, limit: int = 100, said: bool = False, **span: Any
) -> list[str]:
    return texts_of(await log.history(room, Span(**span), limit=limit, said=said))


async def take(log: Log, count: int) -> list[Entry]:
    """The next ``count`` entries of the tail: not one more has come with them."""
    entries: list[Entry] = []
    with trio.fail_after(20):
        async with log.tail() as tail:
            async for batch in tail:
                entries += batch
                if len(entries) >= count:
                    break
    assert len(entries) == count
    return entries
