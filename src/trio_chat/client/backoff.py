"""The waits between attempts to connect."""

import random
from collections.abc import Iterator

_FIRST = 1.0  # seconds
_LAST = 30.0  # seconds, plus jitter

#: A connection that lasted this many seconds was a good one: the waits begin again. A server that
#: fails a few times in a minute is soon joined again, and one that ends each connection at once is
#: left alone.
STEADY = 10.0


def backoff() -> Iterator[float]:
    """Yield seconds: ever longer, and never in step with other clients."""
    wait = _FIRST
    while True:
        yield wait * random.uniform(0.5, 1.5)  # noqa: S311 - nobody gains by guessing it
        wait = min(2 * wait, _LAST)
