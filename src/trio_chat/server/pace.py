"""How fast one may do something: write, come in, guess."""


class Pace:
    """``burst`` at once, then ``rate`` a second: a token bucket, kept as one moment.

    That moment is when the bucket will be full again (generic cell rate algorithm, ITU-T I.371).
    """

    __slots__ = ("_burst_time", "_full_at", "_interval")

    def __init__(self, *, rate: float, burst: float) -> None:
        self._interval = 1 / rate
        self._burst_time = burst / rate
        self._full_at = 0.0

    def take(self, now: float, cost: float = 1) -> float:
        """Count one message at ``now`` (seconds), or one that costs as much as so many; returns how
        long it should wait.
        """
        self._full_at = max(self._full_at, now) + cost * self._interval
        # Rounding of the sums above must not make the last message of a burst wait.
        return max(0.0, self._full_at - now - self._burst_time - 1e-9)

    def wait(self, now: float) -> float:
        """How long one should wait that came now, without counting it."""
        full_at = max(self._full_at, now) + self._interval
        return max(0.0, full_at - now - self._burst_time - 1e-9)

    def give_back(self) -> None:
        """What was counted does not count after all."""
        self._full_at -= self._interval

    def owes(self, now: float) -> float:
        """How long it takes until the whole burst is there again (seconds)."""
        return max(0.0, self._full_at - now)
