"""The turns by which all connections from one source write at one pace.

While there is enough for all, nobody waits. When there is not, virtual time tells whose turn it is
(start-time fair queueing: P. Goyal, H. M. Vin, H. Cheng, 1996). It stands where the connection
stood that had its turn last. Each connection stands where the costs of all its turns have brought
it, but no farther behind than its credit. Of those that wait, the one farthest behind is next. So
each of them gets as much as any other, and somebody who speaks now and then does not wait for those
who never cease.
"""

import heapq

import trio

from trio_chat.server.token_bucket import TokenBucket

# How far a connection may stay behind, in messages: as many as a client sends when it comes in.
_CREDIT = 10.0


class Flow:
    """The place of a connection in the virtual time of its source."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = 0.0


class FairQueue:
    """The turns of one source's connections. Without a ``bucket`` nobody waits.

    Those who wait are served by a task in their nursery.
    """

    __slots__ = ("_is_serving", "_number", "_time", "_waiting", "bucket")

    def __init__(self) -> None:
        self.bucket: TokenBucket | None = None
        self._time = 0.0
        self._waiting: list[tuple[float, int, trio.Event, Flow, float]] = []  # a heap
        self._number = 0  # of the last that came
        self._is_serving = False

    def at_once(self, flow: Flow, cost: float) -> bool:
        """Take a turn if there is one without waiting for it; returns whether there was."""
        if self.bucket is None:
            return True
        if self._waiting or self.bucket.wait(trio.current_time()):
            return False
        self._take(flow, cost)
        return True

    async def wait(self, flow: Flow, cost: float, nursery: trio.Nursery) -> None:
        """Wait for the connection's turn, of one at a time, and take it."""
        had = trio.Event()
        self._number += 1
        place = (self._start(flow), self._number, had, flow, cost)
        heapq.heappush(self._waiting, place)
        if not self._is_serving:
            self._is_serving = True
            nursery.start_soon(self._serve)
        try:
            await had.wait()
        finally:
            if not had.is_set():
                self._waiting.remove(place)
                heapq.heapify(self._waiting)

    async def _serve(self) -> None:
        try:
            while self._waiting:
                if self.bucket and (wait := self.bucket.wait(trio.current_time())):
                    await trio.sleep(wait)
                    continue
                _, _, had, flow, cost = heapq.heappop(self._waiting)
                self._take(flow, cost)
                had.set()
        finally:
            self._is_serving = False

    def _start(self, flow: Flow) -> float:
        return max(flow.at, self._time - _CREDIT)

    def _take(self, flow: Flow, cost: float) -> None:
        start = self._start(flow)
        self._time = max(self._time, start)
        flow.at = start + cost
        if self.bucket:
            self.bucket.take(trio.current_time(), cost)
