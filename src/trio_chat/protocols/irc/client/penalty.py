"""How fast a client may write to a server that closes the connection if it writes faster."""

_PENALTY = 2.0  # seconds for each line
_AHEAD = 10.0  # seconds that the penalties may be ahead of the clock


class Penalty:
    """Five lines at once, then one every two seconds (RFC 2812, section 5.8).

    "while the timer is less than ten seconds ahead of the current time, parse any present messages
    and penalize the client by two (2) seconds for each message".
    """

    def __init__(self) -> None:
        self._timer = 0.0

    @property
    def over_at(self) -> float:
        """From when on the next line does no harm, in seconds; of a clock as for ``count``."""
        return self._timer - (_AHEAD - _PENALTY)

    def count(self, now: float) -> None:
        """A line is sent."""
        self._timer = max(self._timer, now) + _PENALTY
