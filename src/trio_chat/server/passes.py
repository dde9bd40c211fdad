"""The passes of trio's loop, and who may read or leave in which.

Trio runs every task that is ready in one pass of its loop, and nothing else meanwhile. When
thousands hang up at once, that would take most of a second. So whoever finds that a pass has gone
on for long waits for a turn; as many get one in each pass as it has time for, and all other tasks
run in between.
"""

import heapq
import itertools
import math

import trio

# The time that all readers together take of a pass before others have to wait for the next.
_SHARE = 0.005  # seconds

# So many get a turn in a pass at first, until it is known how long they take, and at most: what one
# pass appends is one batch of the tail.
_AT_FIRST, _AT_MOST = 32, 256

#: For so long those who leave let others go first. So when all leave, nobody is told of it who is
#: about to leave.
LEAVING = 1.0  # seconds


class Passes(trio.abc.Instrument):
    """The turns of all connections of a server. Run ``give`` as long as it runs.

    As an instrument of trio's it is told when a pass begins.
    """

    def __init__(self) -> None:
        self._began = self._took = 0.0  # when this pass began, and how long the last one took
        self._over_at = math.inf  # when this pass has gone on for long
        self._waiting: list[tuple[float, int, trio.Event]] = []  # a heap
        self._numbers = itertools.count()
        self._idle = trio.lowlevel.ParkingLot()

    def after_io_wait(self, timeout: float) -> None:
        """Note that a pass begins."""
        now = trio.current_time()
        self._began, self._took = now, now - self._began
        self._over_at = now + _SHARE

    def is_full(self, now: float) -> bool:
        """Whether somebody who wants a turn has to wait for another pass."""
        return now > self._over_at or bool(self._waiting)

    async def take(self, patience: float = 0.0) -> None:
        """Wait for a turn, if this pass is full; ``patience`` is how long others may go first."""
        now = trio.current_time()
        if self.is_full(now):
            turn = trio.Event()
            heapq.heappush(self._waiting, (now + patience, next(self._numbers), turn))
            self._idle.unpark()
            await turn.wait()

    async def give(self) -> None:
        """Give turns, in each pass about as many as it has time for.

        Once this is cancelled, nobody waits for a turn any more.
        """
        trio.lowlevel.add_instrument(self)
        number = _AT_FIRST
        try:
            while True:
                if not self._waiting:
                    number = _AT_FIRST
                    await self._idle.park()
                self._next(number)
                for _ in range(2):  # the pass in which they run, and one to know how long it took
                    await trio.lowlevel.checkpoint()
                if self._took > _SHARE:
                    number = max(1, number // 2)
                elif self._took < _SHARE / 2:
                    number = min(_AT_MOST, 2 * number)
        finally:
            trio.lowlevel.remove_instrument(self)
            self._over_at = math.inf
            self._next(len(self._waiting))

    def _next(self, number: int) -> None:
        for _ in range(min(number, len(self._waiting))):
            _, _, turn = heapq.heappop(self._waiting)
            turn.set()
