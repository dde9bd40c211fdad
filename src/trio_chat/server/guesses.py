"""Passwords are hashed at a price, by intention: so whoever guesses must not keep others waiting.

- One is hashed at a time, and of each source only one waits for that: so sources take turns,
  however many guesses come from one of them.
- The others from there wait for it in a short row. If that is full, who has waited longest in it is
  refused: so many wrong passwords at once keep out nobody who comes after them.
- A source that was wrong too often is refused before anything is hashed.
"""

import math
from collections import deque

import trio

from trio_chat.core.events import Refused
from trio_chat.core.refusals import Code
from trio_chat.server.pace import Pace
from trio_chat.server.passwords import is_password

# Guesses from one source that wait for another one from there: a quarter of a second, about.
_WAITING = 4

WRONG = Refused("That is not the password.", Code.WRONG_PASSWORD)


class Guesses:
    """Those from one source. ``pace`` is how often they may be wrong; without one it is as often as
    they like.
    """

    def __init__(self) -> None:
        self.pace: Pace | None = None
        self._one = trio.Lock()
        self._waiting: deque[trio.CancelScope] = deque()

    async def check(self, text: str, hashed: str, hashing: trio.CapacityLimiter) -> Refused | None:
        """Why this is not to be believed; None if ``hashed`` was made of it. ``hashing`` bounds how
        many are hashed at a time.
        """
        if self.pace is None:
            return await self._check(text, hashed, hashing)
        now, refused = trio.current_time(), None
        if wait := self.pace.wait(now):
            return _later(f"in {math.ceil(wait)} seconds")
        self.pace.take(now)  # already, for others may come before it is known
        try:
            refused = await self._check(text, hashed, hashing)
        finally:
            if refused is not WRONG:
                self.pace.give_back()
        return refused

    async def _check(self, text: str, hashed: str, hashing: trio.CapacityLimiter) -> Refused | None:
        if not await self._has_turn():
            return _later("in a moment")
        try:
            right = await trio.to_thread.run_sync(is_password, text, hashed, limiter=hashing)
        finally:
            self._one.release()
        return None if right else WRONG

    async def _has_turn(self) -> bool:
        """Wait for it; False if too many more have come meanwhile."""
        with trio.CancelScope() as waiting:
            self._waiting.append(waiting)
            if len(self._waiting) > _WAITING:
                self._waiting.popleft().cancel("too many more have come")
            try:
                await self._one.acquire()
            finally:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)
        return not waiting.cancelled_caught


def _later(when: str) -> Refused:
    why = f"Too many passwords come from your address. Try again {when}."
    return Refused(why, Code.WRONG_PASSWORD)
