"""Message ids: a time that never goes back, and a count within its millisecond."""

from collections.abc import Callable, Iterator

from trio_chat.core.events import id_of

_EACH = 1_000_000  # as many as six digits tell apart

# As a number an id is its milliseconds, and its sequence in the lowest bits; both fit 63 bits until
# the year 2248.
_SEQUENCE_BITS = 20
#: What is after all of them.
LAST = (1 << 63) - 1


def pack(id: str) -> int:
    """An id as a number, in the same order; 0 for START. Milliseconds alone come before all of
    their ids, as they do among strings.
    """
    milliseconds, _, sequence = id.partition("-")
    number = int(milliseconds) << _SEQUENCE_BITS | int(sequence or 0)
    return min(number if sequence else max(number - 1, 0), LAST)


def unpack(number: int) -> str:
    return id_of(number >> _SEQUENCE_BITS, number & (1 << _SEQUENCE_BITS) - 1)


class Ids:
    """``<unix milliseconds>-<sequence>``, padded so that they compare as strings.

    They rise even if the ``clock`` (unix time in seconds) stands still or goes back. There are
    ``each`` to a millisecond at the most. All come after the id ``last``.
    """

    def __init__(self, clock: Callable[[], float], *, each: int = _EACH, last: str = "0") -> None:
        self._clock, self._each = clock, each
        millisecond, _, sequence = last.partition("-")
        self._millisecond, self._sequence = int(millisecond), int(sequence or 0) + 1

    def take(self, number: int) -> Iterator[str]:
        """The next ones: not more than there are to a millisecond."""
        full = self._sequence + number > self._each
        now = max(int(self._clock() * 1000), self._millisecond + full)
        if now > self._millisecond:
            self._millisecond, self._sequence = now, 0
        first, self._sequence = self._sequence, self._sequence + number
        return (id_of(now, count) for count in range(first, first + number))
