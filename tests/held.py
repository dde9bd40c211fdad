"""A log for tests whose entries have their place already, and are shown only later."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from peers import PATIENCE
from trio_chat.core.events import Entry, Event
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.tail import Tail


class HeldLog(MemoryLog):
    """After ``hold`` nothing is shown until ``go_on``."""

    def __init__(self) -> None:
        super().__init__(per_room=100, total_bytes=100_000, rooms=10)
        self._may_go_on = trio.Event()
        self.go_on()

    def hold(self) -> None:
        self._may_go_on, self._appends = trio.Event(), trio.Semaphore(0)

    def go_on(self) -> None:
        self._may_go_on.set()

    async def until_appended(self) -> None:
        """Wait until one thing more has been appended since ``hold``."""
        with trio.fail_after(PATIENCE):
            await self._appends.acquire()

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        entries = await super().append(room, events, **how)
        if not self._may_go_on.is_set():
            self._appends.release()
        return entries

    @asynccontextmanager
    async def tail(self) -> AsyncIterator[Tail]:
        async with super().tail() as tail:
            yield _HeldTail(self, tail)

    async def may_go_on(self) -> None:
        await self._may_go_on.wait()


class _HeldTail(Tail):
    def __init__(self, log: HeldLog, tail: Tail) -> None:
        super().__init__(tail._fresh, tail._places)
        self._log = log

    async def __anext__(self) -> Sequence[Entry]:
        batch = await super().__anext__()
        await self._log.may_go_on()
        return batch
