"""Local days: where one ends and the next begins, and what they are called."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

#: How many seconds local time is ahead of UTC, at a moment (unix time).
Offset = Callable[[float], float]

# All clocks are put forward and back at a full quarter of an hour.
_QUARTER = 900.0  # seconds
_DAY = 86_400  # seconds

_QUARTERS_MAX = 10_000  # of which the day is remembered: three months

# The moments that a calendar can name, from 1 January of the year 1 to the end of 9999.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799


class Days:
    def __init__(self, offset: Offset) -> None:
        self._offset = offset
        self._known: dict[int, int] = {}

    def number(self, moment: float) -> int:
        """Of the local day in which this is; the next one has the next number."""
        quarter = math.floor(moment / _QUARTER)
        if quarter not in self._known:
            if len(self._known) >= _QUARTERS_MAX:
                self._known.clear()
            self._known[quarter] = math.floor(self.local(quarter * _QUARTER) / _DAY)
        return self._known[quarter]

    def local(self, moment: float) -> float:
        return moment + self._offset(moment)

    def name(self, moment: float) -> str:
        """Such as Tuesday, 31 December 2024."""
        then = self._local_time(moment)
        return f"{then:%A}, {then.day} {then:%B %Y}"

    def short(self, moment: float) -> str:
        """Day and time, such as 2024-12-31 23:59."""
        return f"{self._local_time(moment):%Y-%m-%d %H:%M}"

    def _local_time(self, moment: float) -> datetime:
        return datetime.fromtimestamp(min(max(self.local(moment), _FIRST), _LAST), UTC)
