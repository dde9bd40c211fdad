"""Local days: their bounds and their names."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

#: Seconds that local time is ahead of UTC, at a moment (unix time).
Offset = Callable[[float], float]

# Clocks change only at full quarters of an hour.
_QUARTER = 900.0  # seconds
_DAY = 86_400  # seconds

_QUARTERS_MAX = 10_000  # remembered: three months

# The moments that datetime can name, from the year 1 to 9999.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799


class Days:
    """The calendar of the person's time zone. Moments are in unix time (seconds).

    The day of each quarter of an hour is remembered, because every line asks for its day.
    """

    def __init__(self, offset: Offset) -> None:
        self._offset = offset
        self._known: dict[int, int] = {}

    def number(self, moment: float) -> int:
        """The number of the local day at a moment; the next day has the next number."""
        quarter = math.floor(moment / _QUARTER)
        if quarter not in self._known:
            if len(self._known) >= _QUARTERS_MAX:
                self._known.clear()
            self._known[quarter] = math.floor(self.local(quarter * _QUARTER) / _DAY)
        return self._known[quarter]

    def local(self, moment: float) -> float:
        """Local time, as seconds counted like unix time."""
        return moment + self._offset(moment)

    def name(self, moment: float) -> str:
        """The day's name, such as Tuesday, 31 December 2024."""
        then = self._local_time(moment)
        return f"{then:%A}, {then.day} {then:%B %Y}"

    def short(self, moment: float) -> str:
        """Day and time, such as 2024-12-31 23:59."""
        return f"{self._local_time(moment):%Y-%m-%d %H:%M}"

    def _local_time(self, moment: float) -> datetime:
        return datetime.fromtimestamp(min(max(self.local(moment), _FIRST), _LAST), UTC)
