"""Message ids: a time that never goes back, and a count within its millisecond."""

from collections.abc import Callable, Iterator

_EACH = 1_000_000  # ids to a millisecond: as many as six digits tell apart


class Ids:
    """``<unix milliseconds>-<sequence>``, padded so that they compare as strings.

    They rise even if the ``clock`` (unix time in seconds) stands still or goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._millisecond, self._sequence = 0, 0

    def take(self, number: int) -> Iterator[str]:
        """The next ones: at most a million."""
        full = self._sequence + number > _EACH
        now = max(int(self._clock() * 1000), self._millisecond + full)
        if now > self._millisecond:
            self._millisecond, self._sequence = now, 0
        first, self._sequence = self._sequence, self._sequence + number
        return (f"{now:013d}-{count:06d}" for count in range(first, first + number))
