"""The age of things, by a clock that may be wrong.

Entries are kept for so many days. But if the clock goes ahead by years, for want of a battery, say,
everything is too old at once. So ages are told by a time of the house, which follows a jump of the
clock only when that has lasted for a day. A calendar notes which ids were there at which of its
moments. So a clock that is ahead removes nothing at once, and an entry with a time in the future
does not stay for ever.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable

from trio_chat.storage.ids import first_of, now, unpack

logger = logging.getLogger(__name__)

# For how long the clock must differ until the time of the house follows it (milliseconds).
_DOUBT = 86_400_000
# A difference between two looks, some seconds apart, that is no jump (milliseconds).
_SLACK = 5_000
# How wrong the time of the house may be: that part of the age, or so much (milliseconds).
_TOLERATED_PART, _TOLERATED = 0.05, 3_600_000
# The number of moments into which the age is divided, how far apart they are at most and at least
# (milliseconds), and how many are remembered in all.
_PARTS, _APART, _TOGETHER, _MOST = 500, 3_600_000, 1_000, 2_000


def steady() -> float:
    """Seconds that also pass while the machine sleeps, and whatever is done to its clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class HouseTime:
    """The time of the house. ``clock`` gives unix time in seconds, ``steady`` seconds since some
    moment.

    ``at`` is what an earlier run has seen last, ``doubted`` for how long the clock had differed by
    then (milliseconds). ``age`` is for how many seconds entries are kept, 0 for ever. ``last`` is
    the time of the last entry. When the house follows a jump, so does what the ``calendar`` noted
    during the day of doubt.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        steady: Callable[[], float],
        calendar: "Calendar",
        *,
        age: float,
        at: int = 0,
        doubted: int = 0,
        last: int = 0,
    ) -> None:
        self._clock, self._steady, self._calendar = clock, steady, calendar
        self._tolerated = min(age * 1000 * _TOLERATED_PART, _TOLERATED) if age else _TOLERATED
        self._wall, self._passed = now(clock), steady()
        # A run begins after the one before has ended, however little.
        self.at, self.doubted = (at + 1, doubted + 1) if at else (self._wall, 0)
        if (behind := max(self.at, last) - self._wall) > _SLACK:
            logger.warning(
                "the clock is %s behind what it was before",
                _told(behind),
                extra={"event": "clock-behind"},
            )
        elif age and self._wall > self.at + self._tolerated:
            gap = _told(self._wall - self.at)
            logger.log(
                logging.INFO if self._wall < self.at + _DOUBT else logging.WARNING,
                "by the clock, history was last kept %s ago: what is too old because of that stays "
                "until the clock has been right for a day",
                gap,
                extra={"event": "clock-ahead"},
            )

    def look(self) -> int:
        """The time of the house now, in unix milliseconds. Call it every few seconds."""
        wall, steady = now(self._clock), self._steady()
        passed = round((steady - self._passed) * 1000)
        if abs(jump := wall - self._wall - passed) > _SLACK:
            way = "ahead" if jump > 0 else "back"
            logger.warning(
                "the clock went %s by %s; nothing is removed because of that",
                way,
                _told(jump),
                extra={"event": "clock-jumped"},
            )
        self._wall, self._passed = wall, steady
        self.at += passed
        self.doubted += passed
        if self.doubted >= _DOUBT:
            self._calendar.shift(self.at - self.doubted, wall - self.at)
        if abs(wall - self.at) <= self._tolerated or self.doubted >= _DOUBT:
            self.at, self.doubted = wall, 0
        return self.at


_NOTHING = 0, ""


class Calendar:
    """The ids that were there, by the time of the house. ``age`` is that of ``HouseTime``."""

    def __init__(self, age: float, points: Iterable[tuple[int, str]] = ()) -> None:
        self._apart = min(max(age * 1000 / _PARTS, _TOGETHER), _APART) if age else _APART
        self.points = deque(points)
        self._since = _NOTHING  # the last that was not worth noting yet

    def note(self, at: int, id: str) -> bool:
        """Note that an id is there now; returns whether that was worth noting."""
        known, noted = self.points[-1] if self.points else (-math.inf, "")
        if id <= noted:
            return False
        if at - known < self._apart:
            self._since = at, id
            return False
        # What came just after the last note is older than what comes now: note it apart.
        self.points.extend(sorted({point for point in (self._since, (at, id)) if point[1] > noted}))
        self._since = _NOTHING
        if len(self.points) > _MOST:  # keep every second one: ages are then known less exactly
            self.points = deque([*self.points][::-2][::-1])
        return True

    def shift(self, since: int, by: int) -> None:
        """Move all that was noted after a moment; the rest stays before it."""

        def shifted(at: int, id: str) -> tuple[int, str]:
            return (at + by if at > since else min(at, since + by) if by < 0 else at), id

        self.points = deque(shifted(*point) for point in self.points)
        self._since = shifted(*self._since)

    def up_to(self, at: int) -> str:
        """The last id that was there at a moment, or empty. Forgets what was before it."""
        while len(self.points) > 1 and self.points[1][0] <= at:
            self.points.popleft()
        return self.points[0][1] if self.points and self.points[0][0] <= at else ""


def too_old(calendar: Calendar, at: int, age: float) -> str:
    """The id up to which everything is older than ``age`` (seconds), by the time of the house."""
    oldest = at - int(age * 1000)
    known = calendar.up_to(oldest)
    # Entries from before anything was noted are told by their ids, which the clock gave.
    by_clock = unpack(max(first_of(oldest) - 1, 0))
    first = calendar.points[0][1] if calendar.points else by_clock
    return max(known, min(by_clock, first))


def _told(milliseconds: int) -> str:
    seconds = abs(milliseconds) / 1000
    if seconds > 86_400:
        return f"{seconds / 86_400:.1f} days"
    return f"{seconds / 3600:.1f} hours" if seconds > 3600 else f"{seconds:.0f} s"
