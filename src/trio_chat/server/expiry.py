"""The end of bans, the chat's and those of open rooms, and of the lock.

It is an event like any other, which one task submits when it is due. The log and what is told know
only the clock on the wall, which may be set, or go on while the machine sleeps. So the task looks
at it every second while anything has an end, and at once when the server starts.
"""

import logging
import math
from collections.abc import Callable
from contextlib import suppress

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.events import Event
from trio_chat.core.moderation import has_end, over
from trio_chat.core.room_bans import over_in
from trio_chat.errors import Unavailable
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.ring import Ring

logger = logging.getLogger(__name__)

# The seconds between two looks at the clock: nobody notices that a ban lasts for so long more.
_BETWEEN = 1.0


class Expiry:
    """Ends bans and the lock once their time is up; ``now`` gives unix milliseconds."""

    def __init__(self, chat: Chat, ring: Ring, logs: OpenLogs, now: Callable[[], int]) -> None:
        self._chat, self._ring, self._logs, self._now = chat, ring, logs, now
        self._changed = trio.Event()  # set, and another one, when there may be another end

    def look(self) -> None:
        """Let the task look again: there may be another end to wait for."""
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """End what has to end, until cancelled.

        It counts as started when all has ended whose time was up by then.
        """
        await self._end_all()
        task_status.started()
        while True:
            with trio.move_on_after(_BETWEEN if self._has_end() else math.inf):
                await self._changed.wait()
            await self._end_all()

    async def opened(self, log: str) -> None:
        """End those bans of a room (folded) whose time was up while it was closed."""
        if self._chat.rooms[log].lists.end:
            await self._end_in(log, self._now())
            self.look()

    def _has_end(self) -> bool:
        """Whether the lock, or any ban, is for some time."""
        rooms = self._chat.rooms.values()
        return has_end(self._chat.realm) or any(room.lists.end for room in rooms)

    async def _end_all(self) -> None:
        now = self._now()
        async with self._ring.request():
            with suppress(trio.BrokenResourceError):
                await self._end(lambda: over(self._chat.realm, now), "a ban or the lock")
                await self._end_in_rooms(now)

    async def _end_in_rooms(self, now: int) -> None:
        due = [(log, room) for log, room in self._chat.rooms.items() if over_in(room, now)]
        for log, room in due:
            with suppress(Unavailable):  # it was closed meanwhile, and cannot be read
                async with self._logs.in_use(log, room.state.name):
                    await self._end_in(log, now)

    async def _end_in(self, log: str, now: int) -> None:
        def due() -> Event | None:
            room = self._chat.rooms.get(log)
            return over_in(room, now) if room else None

        await self._end(due, "a ban of a room")

    async def _end(self, due: Callable[[], Event | None], what: str) -> None:
        try:
            while event := due():
                await self._ring.has_happened(event)
        except Unavailable as error:
            logger.warning(
                "%s could not end: %s",
                what,
                error,
                extra={"event": "not-stored", "reason": str(error)},
            )
