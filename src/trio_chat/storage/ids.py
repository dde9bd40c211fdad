"""The ids of entries: they rise whatever the clock does."""

from collections.abc import Callable, Iterator

_EACH = 1_000_000  # ids per millisecond: as many as six digits tell apart

# As a number, an id is its milliseconds, with its sequence in the lowest bits. Both fit 63 bits
# until the year 2248.
_SEQUENCE_BITS = 20
#: A text after all ids.
LAST = (1 << 63) - 1

#: The latest moment that a clock is believed, in unix milliseconds: the year 2200.
LATEST = 7_258_118_400_000
#: The last number that can have been given: a later one is not by us.
LAST_SOUND = (LATEST + 1_000_000_000) << _SEQUENCE_BITS


def pack(id: str) -> int:
    """An id as a number, in the same order; 0 for START."""
    milliseconds, _, sequence = id.partition("-")
    return min(int(milliseconds) << _SEQUENCE_BITS | int(sequence or 0), LAST)


def unpack(number: int) -> str:
    """The id of a number."""
    return _id_of(number >> _SEQUENCE_BITS, number & (1 << _SEQUENCE_BITS) - 1)


def first_of(moment: int) -> int:
    """The lowest number of an id that something can have at a moment (unix milliseconds).

    Its id may be ahead of its time, but never behind it.
    """
    return min(max(moment, 0) << _SEQUENCE_BITS, LAST)


def ahead_of(id: int, moment: int) -> int:
    """The milliseconds by which the number of an id is ahead of its entry's moment."""
    return (id >> _SEQUENCE_BITS) - moment


def time_of(id: str) -> int:
    """The moment (unix milliseconds) of an entry of which only the id is known."""
    return pack(id) >> _SEQUENCE_BITS


def _id_of(millisecond: int, sequence: int) -> str:
    return f"{millisecond:013d}-{sequence:06d}"


class Ids:
    """A source of ids ``<milliseconds>-<sequence>``, padded so that they compare as strings.

    The milliseconds are those of ``clock`` (unix time in seconds) as long as it goes forward; ids
    rise even if it stands still or goes back. There are at most ``each`` per millisecond. All come
    after the id ``last``.
    """

    def __init__(self, clock: Callable[[], float], *, each: int = _EACH, last: str = "0") -> None:
        self._clock, self._each = clock, each
        millisecond, _, sequence = last.partition("-")
        self._millisecond, self._sequence = int(millisecond), int(sequence or 0) + 1

    @property
    def last(self) -> str:
        """The last id that was taken."""
        return _id_of(self._millisecond, self._sequence - 1)

    def reach(self, id: str) -> None:
        """Let all ids to come be later than this one."""
        millisecond, _, sequence = id.partition("-")
        place = int(millisecond), int(sequence or 0) + 1
        self._millisecond, self._sequence = max(place, (self._millisecond, self._sequence))

    def take(self, number: int) -> Iterator[tuple[str, int]]:
        """Take the next ids, with the moment; no more at once than there are per millisecond."""
        full = self._sequence + number > self._each
        at = now(self._clock)
        millisecond = max(at, self._millisecond + full)
        if millisecond > self._millisecond:
            self._millisecond, self._sequence = millisecond, 0
        first, self._sequence = self._sequence, self._sequence + number
        return ((_id_of(millisecond, count), at) for count in range(first, first + number))


def now(clock: Callable[[], float]) -> int:
    """The time of a clock (unix seconds) in milliseconds, within what an id can hold."""
    return min(max(int(clock() * 1000), 0), LATEST)
