"""The passes of trio's loop, and who may read or leave in which.

Trio runs every task that is ready in one pass of its loop, and nothing else meanwhile. When
thousands hang up at once, such a pass would take most of a second. So a reader in a pass that has
gone on for long waits for a turn. Each pass gives as many turns as it has time for, and all other
tasks run in between.
"""

import heapq
import itertools
import math

import trio

from trio_chat.server.garbage import look_now
from trio_chat.storage.tail import BATCH_ENTRIES

# The readers of a pass before the time is looked at. To know when a pass begins, a task has to run
# in it, which is too dear for a message or two.
_MANY = 16

# The time that further readers may take of a pass, all together.
_SHARE = 0.005  # seconds

# The turns in a pass: at first, until it is known how long they take; and at most, because what one
# pass appends is one batch of the tail.
_AT_FIRST, _AT_MOST = 32, BATCH_ENTRIES

#: The time for which those who leave let others go first. So when all leave, nobody is told of it
#: who is about to leave, too.
LEAVING = 1.0  # seconds


class Passes:
    """The turns of all connections of a server. Run ``give`` as long as it runs."""

    def __init__(self) -> None:
        self._readers = -math.inf  # those who have read since a pass was known to begin
        self._over_at = math.inf  # when this pass has gone on for long
        self._waiting: list[tuple[float, int, trio.Event]] = []  # a heap
        self._numbers = itertools.count()
        self._crowded = trio.lowlevel.ParkingLot()

    def is_full(self, now: float) -> bool:
        """Count a reader; returns whether it has to ``wait`` for another pass."""
        self._readers += 1
        if self._readers == _MANY:
            self._over_at = now + _SHARE
            self._crowded.unpark()
        return now > self._over_at or bool(self._waiting)

    async def wait(self, patience: float = 0.0) -> None:
        """Wait for a turn, if this pass is full; ``patience`` is how long others may go first."""
        now = trio.current_time()
        if self.is_full(now):
            turn = trio.Event()
            heapq.heappush(self._waiting, (now + patience, next(self._numbers), turn))
            await turn.wait()

    async def give(self) -> None:
        """Give turns, in each pass about as many as it has time for.

        Once this is cancelled, nobody waits for a turn any more.
        """
        try:
            while True:
                self._readers, self._over_at = 0, math.inf
                await self._crowded.park()
                number = _AT_FIRST
                while self._waiting:
                    began = trio.current_time()
                    self._next(number)
                    look_now()
                    # The pass in which they run, and another one to know how long it took.
                    await trio.lowlevel.checkpoint()
                    await trio.lowlevel.checkpoint()
                    took = trio.current_time() - began
                    if took > _SHARE:
                        number = max(1, number // 2)
                    elif took < _SHARE / 2:
                        number = min(_AT_MOST, 2 * number)
        finally:
            self._readers, self._over_at = -math.inf, math.inf
            self._next(len(self._waiting))

    def _next(self, number: int) -> None:
        for _ in range(min(number, len(self._waiting))):
            _, _, turn = heapq.heappop(self._waiting)
            turn.set()
