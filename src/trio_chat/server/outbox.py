"""What waits to be sent to one connection, and what happens if it reads too slowly.

While nothing waits, ``post`` writes to the socket itself: that is one system call, where waking a
task to make the same call costs about six times as much. What the socket does not take goes into
a memory channel, and only then is there a task to drain it.

The channel is bounded in bytes. A post that would go beyond the bound fails the connection; nobody
ever waits for a slow reader.
"""

from collections.abc import Callable
from contextlib import suppress

import trio

from trio_chat.server.links import Link

# What a drain hands to the kernel at a time: enough to share a system call among many messages,
# little enough that a slow reader is seen to make progress.
_CHUNK = 32 * 1024  # bytes

# Once the outbox is closed, a peer that takes nothing for this long is not reading.
_PATIENCE = 1.0  # seconds


class Outbox:
    """Drains run in ``nursery``. ``on_lost`` and ``on_slow`` are called, perhaps more than once,
    when the peer has gone or reads too slowly; they should see to it that the outbox is closed.
    """

    def __init__(
        self,
        link: Link,
        nursery: trio.Nursery,
        *,
        max_bytes: int,
        on_lost: Callable[[], None],
        on_slow: Callable[[], None],
    ) -> None:
        self._link, self._nursery = link, nursery
        self._max_bytes = max_bytes
        self._on_lost, self._on_slow = on_lost, on_slow
        self._waiting = 0  # bytes in the channel and in the drain's hands
        self._closed = False
        self._backlog: trio.MemorySendChannel[bytes] | None = None
        self._drain_scope: trio.CancelScope | None = None

    def post(self, data: bytes) -> None:
        """Send, at once or as soon as the peer reads. Never waits; does nothing after ``close``."""
        if self._closed or not data:
            return
        if self._backlog is None:
            try:
                sent = self._link.write_now(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._lose()
                return
            if sent < len(data):
                self._queue(data[sent:])
        elif self._waiting + len(data) <= self._max_bytes:
            self._queue(data)
        else:
            self._on_slow()

    def close(self, last_words: bytes = b"") -> None:
        """No posts after this: what waits is sent, then ``last_words``, and the drain ends."""
        if self._closed:
            return
        if self._backlog is None:
            self.post(last_words)
        elif last_words:
            self._queue(last_words)  # beyond the bound, this once
        self._closed = True
        self._be_patient()

    def _queue(self, data: bytes) -> None:
        if self._backlog is None:
            # Each item is a byte at least, so there never are more of them than bytes.
            self._backlog, receive = trio.open_memory_channel[bytes](self._max_bytes + 1)
            self._nursery.start_soon(self._drain, receive)
        self._waiting += len(data)
        self._backlog.send_nowait(data)

    async def _drain(self, receive: trio.MemoryReceiveChannel[bytes]) -> None:
        with receive, trio.CancelScope() as self._drain_scope:
            try:
                self._be_patient()
                while chunk := _take(receive):
                    await self._link.send_all(chunk)
                    self._waiting -= len(chunk)
                    self._be_patient()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._lose()
            finally:
                if self._waiting:  # cut off in the middle of something: nothing can follow that
                    self._closed = True
                self._backlog = self._drain_scope = None

    def _be_patient(self) -> None:
        if self._closed and self._drain_scope is not None:
            self._drain_scope.deadline = trio.current_time() + _PATIENCE

    def _lose(self) -> None:
        self._closed = True
        self._on_lost()


def _take(receive: trio.MemoryReceiveChannel[bytes]) -> bytes:
    """What waits, up to a chunk, joined."""
    pieces, size = [], 0
    with suppress(trio.WouldBlock):
        while size < _CHUNK:
            pieces.append(receive.receive_nowait())
            size += len(pieces[-1])
    return b"".join(pieces)
