"""How fast one client may write."""


class Pace:
    """``burst`` at once, then ``rate`` a second: a token bucket, kept as one moment.

    That moment is when the bucket will be full again (generic cell rate algorithm, ITU-T I.371).
    """

    __slots__ = ("_burst_time", "_full_at", "_interval")

    def __init__(self, *, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._burst_time = burst / rate
        self._full_at = 0.0

    def take(self, now: float) -> float:
        """Count one message at ``now`` (seconds); returns how long it should wait."""
        self._full_at = max(self._full_at, now) + self._interval
        # Rounding of the sums above must not make the last message of a burst wait.
        return max(0.0, self._full_at - now - self._burst_time - 1e-9)
