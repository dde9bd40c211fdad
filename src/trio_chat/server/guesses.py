"""The checks of passwords. Hashing is slow on purpose, so those who guess must not keep others
waiting:

- Few passwords are hashed at a time, and of each source only one: so sources take turns, however
  many guesses come from one of them. Where many sources wait, more are refused.
- Of several guesses from one source, the last to come is next; so a flood of wrong passwords keeps
  out nobody who comes after it. No more of them wait than there may be connections from there.
- A source that was wrong too often is refused before anything is hashed. A guess is charged when
  its turn comes, and if it is right, the charge is given back before the next turn. So of many
  right ones at once none is refused because others are not judged yet; and of many wrong ones no
  more are looked at than may be wrong.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from trio_chat.core.accounts import wrong_password
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.core.words import waiting
from trio_chat.server.passwords import is_password
from trio_chat.server.token_bucket import TokenBucket

_T = TypeVar("_T")

WRONG = wrong_password()
NONE_GIVEN = Refused(
    "This chat has a password. Set it in your client as the server's password (PASS).",
    Code.WRONG_PASSWORD,
)


_BUSY = Refused("Many are logging in just now. Try again in a moment.", Code.WRONG_PASSWORD)


class Guesses:
    """The guesses from one source; ``bucket`` limits how often they may be wrong."""

    __slots__ = ("_turn", "bucket")

    def __init__(self) -> None:
        self.bucket: TokenBucket | None = None
        self._turn = _Turn()

    async def check(self, text: str, hashed: str, hashing: trio.CapacityLimiter) -> Refused | None:
        """Why a password is refused; None if ``hashed`` was made of it.

        ``hashing`` bounds how many are hashed at a time.
        """
        verdict = await self.guess(partial(is_password, text, hashed), hashing)
        return verdict if isinstance(verdict, Refused) else None

    async def guess(
        self, judge: Callable[[], _T], hashing: trio.CapacityLimiter, *, most: float = math.inf
    ) -> _T | Refused:
        """Judge a guess in a thread: the verdict, if that is true, or why the guess is refused.

        If ``most`` sources wait for a thread already, it is refused at once.
        """
        async with self._turn:
            if refused := _crowded(hashing, most) or self._charge():
                return refused
            is_wrong = False
            try:
                verdict = await trio.to_thread.run_sync(judge, limiter=hashing)
                is_wrong = not verdict
            finally:
                if not is_wrong:
                    self._give_back()
            return verdict or WRONG

    async def guess_quickly(self, is_right: Callable[[], bool]) -> Refused | None:
        """Why a guess is refused that takes no thread to judge; None if it is right.

        It has a turn only if what it would be charged may be given back to others.
        """
        if not self._wait():
            return self._judge(is_right)
        async with self._turn:
            return self._judge(is_right)

    def _judge(self, is_right: Callable[[], bool]) -> Refused | None:
        if refused := self._charge():
            return refused
        if not is_right():
            return WRONG
        self._give_back()
        return None

    def _wait(self) -> float:
        return self.bucket.wait(trio.current_time()) if self.bucket else 0.0

    def _charge(self) -> Refused | None:
        if wait := self.bucket.try_take(trio.current_time()) if self.bucket else 0.0:
            why = "Too many login attempts from your address. Try again in {}."
            return Refused(why.format(waiting(wait)), Code.WRONG_PASSWORD)
        return None

    def _give_back(self) -> None:
        if self.bucket:
            self.bucket.give_back()

    async def hash(
        self,
        make: Callable[[], _T],
        hashing: trio.CapacityLimiter,
        charge: Callable[[], Refused | None],
        *,
        most: float = math.inf,
    ) -> _T | Refused:
        """Make something slow in a thread, which is charged when its turn has come; or say why it
        is refused, by ``charge`` or because ``most`` sources wait.
        """
        async with self._turn:
            if refused := _crowded(hashing, most) or charge():
                return refused
            return await trio.to_thread.run_sync(make, limiter=hashing)


def _crowded(hashing: trio.CapacityLimiter, most: float) -> Refused | None:
    return _BUSY if hashing.statistics().tasks_waiting >= most else None


class _Turn:
    """A lock that is passed on to the last who has come."""

    __slots__ = ("_is_held", "_waiting")

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: list[trio.Event] = []

    async def __aenter__(self) -> None:
        if not self._is_held:
            self._is_held = True
            return
        self._waiting.append(turn := trio.Event())
        try:
            await turn.wait()
        except trio.Cancelled:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:  # it has come in the same pass of trio's loop
                self._pass_on()
            raise

    async def __aexit__(self, *error: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.pop().set()
        else:
            self._is_held = False
