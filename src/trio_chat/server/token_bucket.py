"""The pace at which one may do something: write, come in, guess."""

_LEAST = 1e-6  # seconds


class TokenBucket:
    """A token bucket: ``burst`` at once, then ``rate`` a second; kept as a single moment.

    That moment is when the bucket will be full again (generic cell rate algorithm, ITU-T I.371).
    """

    __slots__ = ("_burst_time", "_full_at", "_interval")

    def __init__(self, *, rate: float, burst: float) -> None:
        self._interval = 1 / rate
        self._burst_time = burst / rate
        self._full_at = 0.0

    def take(self, now: float, cost: float = 1) -> float:
        """Take ``cost`` tokens at ``now`` (seconds); returns how long to wait for them."""
        self._full_at = max(self._full_at, now) + cost * self._interval
        return self._beyond_burst(self._full_at, now)

    def try_take(self, now: float) -> float:
        """Take a token only if there is one; returns how long to wait for it otherwise."""
        return self.wait(now) or self.take(now)

    def wait(self, now: float) -> float:
        """How long something would have to wait that came ``now``, without counting it."""
        return self._beyond_burst(max(self._full_at, now) + self._interval, now)

    def _beyond_burst(self, full_at: float, now: float) -> float:
        """How long to wait, without what comes of rounding or is less than a clock can tell."""
        wait = full_at - now - self._burst_time
        return wait if wait > _LEAST else 0.0

    def give_back(self) -> None:
        """Undo a ``take``: one token does not count after all."""
        self._full_at -= self._interval

    def owes(self, now: float) -> float:
        """The seconds until the whole burst is there again."""
        return max(0.0, self._full_at - now)
