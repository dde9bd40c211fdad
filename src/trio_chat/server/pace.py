"""How fast one connection may write: at its own pace, and in its turn among those of its source."""

import trio

from trio_chat.core.words import waiting
from trio_chat.server.fair_queue import FairQueue, Flow
from trio_chat.server.token_bucket import TokenBucket
from trio_chat.settings import LimitSettings

_TOO_FAST = "You are sending too fast: from now on, {:g} messages a second."
_WHILE_MUTED = "While you may not speak, you can do that only every {}."
_TOO_MUCH = "Your address is sending a lot: its connections take turns for now."

_SLOWED = "You have been sending too fast: for another {}, only {:g} messages a second."


class Pace(Flow):
    """The pace of one connection, by the ``limits``; it takes turns with others in ``turns``.

    It is one object with its place there, since most connections are idle. ``is_slowed`` as long as
    the peer has not been slower than it may be.
    """

    __slots__ = ("_bucket", "_rate", "_turns", "is_slowed")

    def __init__(self, limits: LimitSettings, turns: FairQueue) -> None:
        super().__init__()
        self._rate, self._turns = limits.messages_per_second, turns
        self._bucket = TokenBucket(rate=self._rate, burst=limits.message_burst)
        self.is_slowed = False

    def charge(self, cost: int) -> float | None:
        """Charge so many lines. Returns the seconds to wait for the pace, before waiting for a
        turn; None if there is no need to wait for either.
        """
        wait = self._bucket.take(trio.current_time(), cost)
        if wait or not self._turns.at_once(self, cost):
            return wait
        self.is_slowed = False
        return None

    async def take_turn(self, cost: int, drains: trio.Nursery) -> None:
        """Wait for a turn, if need be, and take it."""
        if not self._turns.at_once(self, cost):
            await self._turns.wait(self, cost, drains)

    def why_slow(self, wait: float, cost: int, *, is_muted: bool) -> str:
        """Why a peer has to wait, who may not speak if it ``is_muted``."""
        if not wait:
            return _TOO_MUCH
        if cost > 1 and is_muted:
            return _WHILE_MUTED.format(waiting(cost / self._rate))
        return _TOO_FAST.format(self._rate)

    def in_force(self) -> str:
        """What holds a peer up just now that was too fast; empty if nothing does."""
        seconds = self._bucket.owes(trio.current_time())
        return _SLOWED.format(waiting(seconds), self._rate) if self.is_slowed and seconds else ""
