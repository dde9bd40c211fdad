"""The speed at which an IRC server lets a client write."""

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
        """The time from which the next line may be sent, by the clock of ``count``."""
        return self._timer - (_AHEAD - _PENALTY)

    def count(self, now: float) -> None:
        """Count a line that is sent."""
        self._timer = max(self._timer, now) + _PENALTY
