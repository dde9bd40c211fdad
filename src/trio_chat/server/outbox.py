"""The outbox: what waits to be sent to one connection, and what happens if it reads too slowly.

While nothing waits, ``post`` writes to the socket itself: that is one system call, where waking a
task to make the same call costs about six times as much. What the socket does not take goes into a
memory channel, and only then is there a task to drain it.

The channel is bounded in bytes. A post that would exceed the bound fails the connection; nobody
ever waits for a slow reader.

Where the link seals what is sent (TLS), that happens once, before the first attempt to send: what
waits is sealed already. So a record of which a part was sent goes on where it stopped, and what is
not to be sent is never sealed, because the peer would miss it.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import trio

from trio_chat.server.counts import Counts
from trio_chat.server.transport import Link

# The bytes that a drain hands to the kernel at a time: enough to share a system call among many
# messages, few enough that a slow reader is seen to make progress.
_CHUNK = 32 * 1024  # bytes

# Once the outbox is closed, a peer that takes nothing for this long is not reading.
_PATIENCE = 1.0  # seconds


class Owner(Protocol):
    """The connection, which must know how things stand with its peer."""

    def on_lost(self) -> None:
        """The peer has gone."""

    def on_slow(self) -> None:
        """More waits for the peer than is allowed."""


class Outbox:
    """Sends bytes to a peer in order, and never lets its callers wait.

    At most ``max_bytes`` wait. Drains run in ``nursery``, which must outlive the outbox. ``owner``
    is told, perhaps more than once, when the peer has gone or reads too slowly; it should then
    finish the outbox. What waits is counted in ``counts``; what is posted, by whoever posts it.
    """

    __slots__ = (
        "_backlog", "_closed", "_counts", "_drain_scope", "_drained", "_link", "_max_bytes",
        "_nursery", "_owner", "_seal", "_waiting", "_write_now",
    )  # fmt: skip

    def __init__(
        self, link: Link, nursery: trio.Nursery, owner: Owner, counts: Counts, *, max_bytes: int
    ) -> None:
        self._link, self._nursery, self._owner = link, nursery, owner
        self._seal = link.seal
        self._max_bytes, self._counts = max_bytes, counts
        self._waiting = 0  # bytes in the channel and in the drain's hands
        self._closed = False
        # What posts are written by; None if they are sealed or queued first, or come too late.
        self._write_now: Callable[[bytes], int] | None = None if self._seal else link.write_now
        self._backlog: trio.MemorySendChannel[bytes] | None = None
        self._drain_scope: trio.CancelScope | None = None
        self._drained: trio.Event | None = None

    def post(self, data: bytes) -> None:
        """Send at once, or as soon as the peer reads. Never waits; does nothing once finished."""
        post_to((self,), data)

    def answer(self, data: bytes) -> None:
        """Post something that is for this connection alone, and count it."""
        self._counts.sent += len(data)
        self.post(data)

    @property
    def waits(self) -> bool:
        """Whether something waits for the peer, or has waited in vain."""
        return self._waiting > 0

    @property
    def size(self) -> int:
        """The bytes that wait for the peer."""
        return self._waiting

    async def until_sent(self) -> None:
        """Wait until nothing waits any more. Anything posted meanwhile prolongs it."""
        if self._drained is not None:
            await self._drained.wait()

    async def finish(self, last_words: bytes = b"") -> None:
        """Take no more posts, and return when what waits, and then ``last_words``, has been sent.

        A peer that takes nothing for a second is given up. If this is cancelled, nothing more is
        sent.
        """
        self._max_bytes = self._waiting + len(last_words)  # beyond the bound, this once
        self.answer(last_words)
        self._close()
        scope = self._drain_scope  # the drain may be done with by the time that this is cancelled
        if scope is not None and self._drained is not None:
            self._be_patient()
            try:
                await self._drained.wait()
            except trio.Cancelled:
                scope.cancel("the connection is cut off")
                raise

    def _post_otherwise(self, data: bytes) -> None:
        """Post what cannot be written as it is."""
        if self._closed:
            return
        if self._backlog is not None and self._waiting + len(data) > self._max_bytes:
            self._owner.on_slow()
            return
        sent = 0
        try:
            if self._seal is not None:
                data = self._seal(data)
            if self._backlog is None:
                sent = self._link.write_now(data)
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
            return
        if sent < len(data):
            self._queue(data[sent:])

    def _queue(self, data: bytes) -> None:
        self._write_now = None
        if self._backlog is None:
            # Each item has a byte at least, so there are never more items than bytes.
            self._backlog, receive = trio.open_memory_channel[bytes](self._max_bytes + 1)
            self._drain_scope, self._drained = trio.CancelScope(), trio.Event()
            self._nursery.start_soon(self._drain, receive, self._drain_scope, self._drained)
            self._counts.outboxes += 1
        self._waiting += len(data)
        self._counts.waiting += len(data)
        self._backlog.send_nowait(data)

    async def _drain(
        self,
        receive: trio.MemoryReceiveChannel[bytes],
        scope: trio.CancelScope,
        drained: trio.Event,
    ) -> None:
        try:
            with receive, scope:
                while chunk := _take(receive):
                    await self._link.send_all(chunk)
                    self._waiting -= len(chunk)
                    self._counts.waiting -= len(chunk)
                    self._be_patient()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._lose()
        finally:
            self._counts.outboxes -= 1
            self._counts.waiting -= self._waiting
            if self._waiting:  # cut off in the middle of an item: nothing can follow that
                self._closed = True
            if not (self._closed or self._seal):
                self._write_now = self._link.write_now
            self._backlog = self._drain_scope = self._drained = None
            drained.set()

    def _be_patient(self) -> None:
        if self._closed and self._drain_scope is not None:
            self._drain_scope.deadline = trio.current_time() + _PATIENCE

    def _lose(self) -> None:
        self._close()
        self._owner.on_lost()

    def _close(self) -> None:
        self._closed, self._write_now = True, None


def post_to(outboxes: Iterable[Outbox], data: bytes) -> None:
    """Post the same to many. All but a few can be written to as it is, and take all of it: this is
    what a delivery costs besides the system call.
    """
    size = len(data)
    if not size:
        return
    for outbox in outboxes:
        if (write_now := outbox._write_now) is None:
            outbox._post_otherwise(data)
            continue
        try:
            sent = write_now(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            outbox._lose()
            continue
        if sent < size:
            outbox._queue(data[sent:])


def _take(receive: trio.MemoryReceiveChannel[bytes]) -> bytes:
    """The bytes that wait, up to a chunk, joined."""
    pieces, size = [], 0
    with suppress(trio.WouldBlock):
        while size < _CHUNK:
            pieces.append(receive.receive_nowait())
            size += len(pieces[-1])
    return b"".join(pieces)
