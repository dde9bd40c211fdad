"""The checks of passwords. Hashing is slow on purpose, so those who guess must not keep others
waiting:

- Few passwords are hashed at a time, and of each source only one waits for that; so sources take
  turns, however many guesses come from one of them. Where many sources wait, more are refused.
- Of several guesses from one source, the last to come is next, and if too many wait, the first to
  have come is refused; so a flood of wrong passwords keeps out nobody who comes after it.
- A source that was wrong too often is refused before anything is hashed.
"""

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from trio_chat.core.accounts import wrong_password
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.server.passwords import is_password
from trio_chat.server.token_bucket import TokenBucket

_T = TypeVar("_T")

# Guesses from one source that wait for another one from there. There can be more of them than
# ``limits.guess_burst`` only behind an address that is exempt: those who come at the same moment as
# a flood must find a place.
_WAITING = 100

WRONG = wrong_password()
NONE_GIVEN = Refused(
    "This chat has a password. Set it in your client as the server's password (PASS).",
    Code.WRONG_PASSWORD,
)


_BUSY = Refused("Many are logging in just now. Try again in a moment.", Code.WRONG_PASSWORD)


class Guesses:
    """The guesses from one source; ``bucket`` limits how often they may be wrong."""

    def __init__(self) -> None:
        self.bucket: TokenBucket | None = None
        self._is_busy = False
        self._waiting: deque[_Turn] = deque()

    async def check(self, text: str, hashed: str, hashing: trio.CapacityLimiter) -> Refused | None:
        """Why a password is refused; None if ``hashed`` was made of it.

        ``hashing`` bounds how many are hashed at a time.
        """
        return await self.guess(partial(is_password, text, hashed), hashing)

    async def guess(
        self, is_right: Callable[[], bool], hashing: trio.CapacityLimiter, *, most: float = math.inf
    ) -> Refused | None:
        """Why a guess is refused, as ``is_right`` says in a thread; None if it is right.

        If ``most`` sources wait for a thread already, it is refused at once.
        """
        refused = None
        if too_soon := self._charge():
            return too_soon
        try:
            refused = await self._guess(is_right, hashing, most)
        finally:
            if refused is not WRONG:
                self.give_back()
        return refused

    def guess_now(self, is_right: Callable[[], bool]) -> Refused | None:
        """Why a guess is refused that is checked at once; None if it is right."""
        if too_soon := self._charge():
            return too_soon
        if not is_right():
            return WRONG
        self.give_back()
        return None

    def _charge(self) -> Refused | None:
        """Charge a guess before its result is known: others may guess meanwhile."""
        if self.bucket is None:
            return None
        now = trio.current_time()
        if wait := self.bucket.wait(now):
            return later(f"in {math.ceil(wait)} seconds")
        self.bucket.take(now)
        return None

    def give_back(self) -> None:
        """Take back the charge of a guess that was wrong about one thing, but right otherwise."""
        if self.bucket is not None:
            self.bucket.give_back()

    async def _guess(
        self, is_right: Callable[[], bool], hashing: trio.CapacityLimiter, most: float
    ) -> Refused | None:
        right = await self.hash(is_right, hashing, most=most)
        return right if isinstance(right, Refused) else None if right else WRONG

    async def hash(
        self, make: Callable[[], _T], hashing: trio.CapacityLimiter, *, most: float = math.inf
    ) -> _T | Refused:
        """Call something slow in a thread when it is its turn; Refused if too many wait."""
        if not await self._has_turn():
            return later("in a moment")
        try:
            if hashing.statistics().tasks_waiting >= most:
                return _BUSY
            return await trio.to_thread.run_sync(make, limiter=hashing)
        finally:
            self._pass_on()

    async def _has_turn(self) -> bool:
        """Wait for a turn, to be passed on afterwards; False if too many came after this one."""
        if not self._is_busy:
            self._is_busy = True
            return True
        self._waiting.append(turn := _Turn())
        if len(self._waiting) > _WAITING:
            self._waiting.popleft().end(had=False)
        try:
            await turn.ended.wait()
        except trio.Cancelled:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.had:
                self._pass_on()
            raise
        return turn.had

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.pop().end(had=True)
        else:
            self._is_busy = False


class _Turn:
    """A place in the row of those who wait."""

    def __init__(self) -> None:
        self.ended, self.had = trio.Event(), False

    def end(self, *, had: bool) -> None:
        """End the wait, with the turn or without it."""
        self.had = had
        self.ended.set()


def later(when: str) -> Refused:
    """The refusal of a password that comes too soon after others."""
    why = f"Too many login attempts from your address. Try again {when}."
    return Refused(why, Code.WRONG_PASSWORD)
