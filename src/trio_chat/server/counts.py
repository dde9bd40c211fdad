"""What a server counts: plain numbers, each kept where it is known, and read when somebody asks.

Nothing is counted for a delivery: what goes out to many is counted once for all of them. So to read
the numbers costs the same however many are here.
"""

from bisect import bisect_left
from collections import Counter
from enum import Enum

from trio_chat.core.refusals import Code
from trio_chat.protocols.metrics import Buckets


class Ending(Enum):
    """Why a connection has ended."""

    PEER = "peer"  # it has hung up, said goodbye, or was lost
    PING = "ping"  # it did not answer
    SLOW = "slow"  # too much waited for it
    SILENT = "silent"  # it gave no nickname
    REFUSED = "refused"  # it was not let in
    ACCOUNT = "account"  # its owner has ended it, is back on another one, or has left the account
    KILLED = "killed"  # by an operator
    BANNED = "banned"
    STOPPED = "stopped"  # the server stops
    ERROR = "error"  # of ours


class Histogram:
    """How many durations are up to each of these bounds in seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)  # and beyond
        self._sum = 0.0

    def note(self, seconds: float) -> None:
        """Count a duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    @property
    def buckets(self) -> Buckets:
        """What has been counted."""
        return Buckets(self._bounds, self._counts, self._sum)


class Counts:
    """What a server has counted since it started, and counts now.

    ``connections`` are those whose protocol is known, by its name. ``deliveries`` counts each event
    for each connection that it was shown to, ``sent`` the bytes for connections, before TLS.
    ``outboxes`` are those in which something waits, ``waiting`` the bytes in all of them.
    """

    def __init__(self) -> None:
        self.connections = Counter[str]()
        self.said = {"room": 0, "private": 0}
        self.deliveries = self.sent = 0
        self.refused = Counter[Code]()
        self.endings = Counter[Ending]()
        self.outboxes = self.waiting = 0
        # A disk that is written to on trio's thread takes less than half a millisecond.
        self.appends = Histogram((0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0))

    def posted(self, connections: int, events: int, size: int) -> None:
        """Count that so many connections were each shown so many events, in so many bytes."""
        self.deliveries += connections * events
        self.sent += connections * size
