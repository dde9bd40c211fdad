"""How long to wait before each next attempt to connect."""

import random
from collections.abc import Iterator

_FIRST = 1.0  # seconds
_LAST = 30.0  # seconds: at most this between two attempts, but for the jitter

#: A connection that has lasted so many seconds was a good one: the next is tried soon again.
STEADY = 60.0


def backoff() -> Iterator[float]:
    """Seconds: ever longer, and never in step with others."""
    wait = _FIRST
    while True:
        yield wait * random.uniform(0.5, 1.5)  # noqa: S311 - nobody gains by guessing it
        wait = min(2 * wait, _LAST)
