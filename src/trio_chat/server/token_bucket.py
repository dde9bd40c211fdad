"""The pace at which one may do something: write, come in, guess."""

from functools import cache
from typing import NamedTuple

_LEAST = 1e-6  # seconds


class _Pace(NamedTuple):
    interval: float  # seconds between tokens
    burst_time: float  # seconds until an empty bucket is full


@cache
def _pace(rate: float, burst: float) -> _Pace:
    """The pace of all buckets of this kind: each connection and each source has some."""
    return _Pace(1 / rate, burst / rate)


class TokenBucket:
    """A token bucket: ``burst`` at once, then ``rate`` a second; kept as a single moment.

    That moment is when the bucket will be full again (generic cell rate algorithm, ITU-T I.371).
    """

    __slots__ = ("_full_at", "_pace")

    def __init__(self, *, rate: float, burst: float) -> None:
        self._pace = _pace(rate, burst)
        self._full_at = 0.0

    def take(self, now: float, cost: float = 1) -> float:
        """Take ``cost`` tokens at ``now`` (seconds); returns how long to wait for them."""
        self._full_at = max(self._full_at, now) + cost * self._pace.interval
        return self._beyond_burst(self._full_at, now)

    def try_take(self, now: float) -> float:
        """Take a token only if there is one; returns how long to wait for it otherwise."""
        return self.wait(now) or self.take(now)

    def wait(self, now: float) -> float:
        """How long something would have to wait that came ``now``, without counting it."""
        return self._beyond_burst(max(self._full_at, now) + self._pace.interval, now)

    def _beyond_burst(self, full_at: float, now: float) -> float:
        """How long to wait, without what comes of rounding or is less than a clock can tell."""
        wait = full_at - now - self._pace.burst_time
        return wait if wait > _LEAST else 0.0

    def give_back(self) -> None:
        """Undo a ``take``: one token does not count after all."""
        self._full_at -= self._pace.interval

    def owes(self, now: float) -> float:
        """The seconds until the whole burst is there again."""
        return max(0.0, self._full_at - now)
