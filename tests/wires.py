"""The server's end of a link for tests of what is written to it, and what its outbox reports."""

from typing import Any

import trio
import trio.testing

from trio_chat.server.counts import Counts
from trio_chat.server.outbox import Outbox
from trio_chat.server.transport import Link


class Wire(Link):
    """A link whose socket takes as much as a test allows: ``room`` bytes without waiting.

    In ``lockstep``, what is sent later waits until the far end reads it.
    """

    def __init__(self, room: int = 0, *, lockstep: bool = True) -> None:
        if lockstep:
            ours, self.far_end = trio.testing.lockstep_stream_pair()
        else:
            ours, self.far_end = trio.testing.memory_stream_pair()
        super().__init__(ours, "wire")
        self.room = room
        self.broken = False
        self.direct: list[bytes] = []
        self.arrived = bytearray()
        self.write_now = self._write_some

    def _write_some(self, data: bytes) -> int:
        if self.broken:
            raise BrokenPipeError
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.direct.append(taken)
        self.arrived += taken
        self.room -= len(taken)
        return len(taken)


class Failures:
    """Counts what an outbox reports."""

    def __init__(self) -> None:
        self.lost = self.slow = 0

    def on_lost(self) -> None:
        self.lost += 1

    def on_slow(self) -> None:
        self.slow += 1


class Kept(Outbox):
    """An outbox whose peer takes at once what is posted: ``data``, by so many ``posts``."""

    def __init__(self) -> None:
        self.data, self.posts = b"", 0
        unused: Any = None
        link = Link(unused, "wire")
        link.write_now = self._take
        super().__init__(link, unused, Failures(), Counts(), max_bytes=1)

    def _take(self, data: bytes) -> int:
        self.data += data
        self.posts += 1
        return len(data)
