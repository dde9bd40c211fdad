"""Message ids: a time that never goes back, and a count within its millisecond."""

from collections.abc import Callable, Iterator

_EACH = 1_000_000  # as many as six digits tell apart


class Ids:
    """``<unix milliseconds>-<sequence>``, padded so that they compare as strings.

    They rise even if the ``clock`` (unix time in seconds) stands still or goes back. There are
    ``each`` to a millisecond at the most.
    """

    def __init__(self, clock: Callable[[], float], *, each: int = _EACH) -> None:
        self._clock, self._each = clock, each
        self._millisecond, self._sequence = 0, 0

    def take(self, number: int) -> Iterator[str]:
        """The next ones: not more than there are to a millisecond."""
        full = self._sequence + number > self._each
        now = max(int(self._clock() * 1000), self._millisecond + full)
        if now > self._millisecond:
            self._millisecond, self._sequence = now, 0
        first, self._sequence = self._sequence, self._sequence + number
        return (f"{now:013d}-{count:06d}" for count in range(first, first + number))
