"""Message ids: numbers that rise, whatever the clock does."""

from collections.abc import Callable, Iterator

_EACH = 1_000_000  # as many as six digits tell apart

# As a number an id is its milliseconds, and its sequence in the lowest bits; both fit 63 bits until
# the year 2248.
_SEQUENCE_BITS = 20
#: What is after all of them.
LAST = (1 << 63) - 1

#: What a clock is believed at the most, in unix milliseconds: the year 2200.
LATEST = 7_258_118_400_000
#: The last one that can have been given: what is later is not by us.
LAST_SOUND = (LATEST + 1_000_000_000) << _SEQUENCE_BITS


def pack(id: str) -> int:
    """An id as a number, in the same order; 0 for START."""
    milliseconds, _, sequence = id.partition("-")
    return min(int(milliseconds) << _SEQUENCE_BITS | int(sequence or 0), LAST)


def unpack(number: int) -> str:
    return _id_of(number >> _SEQUENCE_BITS, number & (1 << _SEQUENCE_BITS) - 1)


def first_of(moment: int) -> int:
    """The lowest number of an id that something can have that happens at a moment (unix
    milliseconds): its id may be ahead of its time, but never behind it.
    """
    return min(max(moment, 0) << _SEQUENCE_BITS, LAST)


def ahead_of(id: int, moment: int) -> int:
    """By how many milliseconds the number of an id is ahead of the time."""
    return (id >> _SEQUENCE_BITS) - moment


def time_of(id: str) -> int:
    """The time (unix milliseconds) of an entry of which nothing is known but its id."""
    return pack(id) >> _SEQUENCE_BITS


def _id_of(millisecond: int, sequence: int) -> str:
    return f"{millisecond:013d}-{sequence:06d}"


class Ids:
    """``<milliseconds>-<sequence>``, padded so that they compare as strings.

    The milliseconds are those of the ``clock`` (which gives unix time in seconds) as long as it
    goes forward. The ids rise even if it stands still or goes back. There are ``each`` to a
    millisecond at the most. All come after the id ``last``.
    """

    def __init__(self, clock: Callable[[], float], *, each: int = _EACH, last: str = "0") -> None:
        self._clock, self._each = clock, each
        millisecond, _, sequence = last.partition("-")
        self._millisecond, self._sequence = int(millisecond), int(sequence or 0) + 1

    @property
    def last(self) -> str:
        """The last one that was taken."""
        return _id_of(self._millisecond, self._sequence - 1)

    def take(self, number: int) -> Iterator[tuple[str, int]]:
        """The next ones, with the time: not more than there are to a millisecond."""
        full = self._sequence + number > self._each
        at = now(self._clock)
        millisecond = max(at, self._millisecond + full)
        if millisecond > self._millisecond:
            self._millisecond, self._sequence = millisecond, 0
        first, self._sequence = self._sequence, self._sequence + number
        return ((_id_of(millisecond, count), at) for count in range(first, first + number))


def now(clock: Callable[[], float]) -> int:
    """What a clock (unix seconds) says, in milliseconds; no year is written with five digits."""
    return min(max(int(clock() * 1000), 0), LATEST)
