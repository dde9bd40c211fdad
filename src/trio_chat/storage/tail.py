"""The way from a log to its reader: entries wait here until they are shown."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import trio

from trio_chat.core.events import (
    PEOPLE,
    REALM,
    Entry,
    RoomClosed,
    RoomOpened,
    RoomRenamed,
    Said,
)
from trio_chat.core.names import fold

# Appends that wait for the tail's reader. Each is one read of one connection, so this bounds
# memory; when it is full, the readers of connections wait, and TCP holds the senders back.
INTAKE = 1024

# A batch reaches every member as one piece of bytes: much smaller than an outbox, so that one
# batch never makes a slow peer of somebody who reads. Those who wait for its entries go on in one
# pass of the loop: so many take 15 ms at the most.
BATCH_ENTRIES = 128
BATCH_BYTES = 64 * 1024


class Intake:
    """The bounded channel to the tail.

    ``in_use`` are the logs of rooms that are open, and those that belong to none.

    Take a place before appending, then either ``show`` what was appended or ``give_back`` the
    place.
    """

    def __init__(self) -> None:
        self.in_use = {PEOPLE, REALM}
        self._places = trio.Semaphore(INTAKE)
        self._send, self._receive = trio.open_memory_channel[Sequence[Entry]](INTAKE)

    async def take_place(self) -> None:
        """Wait for a place: this is where senders are held back. If there is one, others do not
        run meanwhile.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            self._places.acquire_nowait()
        except trio.WouldBlock:
            await self._places.acquire()

    @property
    def free(self) -> int:
        """The places that nobody has taken."""
        return self._places.value

    @property
    def has_one(self) -> bool:
        """Whether one place is taken, and no other."""
        return self._places.value == INTAKE - 1

    def give_back(self) -> None:
        """Give a place back because nothing will be shown in it."""
        self._places.release()

    def show(self, entries: Sequence[Entry]) -> None:
        """Hand entries of one log to the tail, in the place that was taken for them.

        Raises trio.BrokenResourceError if nobody reads it any more.
        """
        if not entries:
            self.give_back()
            return
        self._note_use(entries[0])
        try:
            self._send.send_nowait(entries)
        except trio.BrokenResourceError:
            self.give_back()
            raise

    def _note_use(self, entry: Entry) -> None:
        match entry.event:
            case RoomOpened():
                self.in_use.add(entry.room)
            case RoomClosed():
                self.in_use.discard(entry.room)
            case RoomRenamed(to=to):
                self.in_use.discard(entry.room)
                self.in_use.add(fold(to))

    @asynccontextmanager
    async def tail(self) -> AsyncIterator["Tail"]:
        """Read what is shown, as long as the context lasts; afterwards ``show`` raises."""
        try:
            with self._receive:
                yield Tail(self._receive, self._places)
        finally:
            for _ in range(self._places.statistics().tasks_waiting):
                self._places.release()  # they will find the channel broken


class Tail(AsyncIterator[Sequence[Entry]]):
    """Batches of entries, as they come: all that waits in the channel is one, up to a bound."""

    def __init__(
        self, fresh: trio.MemoryReceiveChannel[Sequence[Entry]], places: trio.Semaphore
    ) -> None:
        self._fresh, self._places = fresh, places

    async def __anext__(self) -> Sequence[Entry]:
        return self._gather(await self._fresh.receive())

    def waiting(self) -> Sequence[Entry]:
        """The next batch, if it is there already; otherwise empty."""
        try:
            return self._gather(self._fresh.receive_nowait())
        except trio.WouldBlock:
            return ()

    def _gather(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        batch: list[Entry] = []
        size = 0
        with suppress(trio.WouldBlock):
            while True:
                self._places.release()
                batch += entries
                size += sum(text_size(entry) for entry in entries)
                if len(batch) >= BATCH_ENTRIES or size >= BATCH_BYTES:
                    break
                entries = self._fresh.receive_nowait()
        return batch


def text_size(entry: Entry) -> int:
    """The characters of a message; 0 for other events."""
    return len(entry.event.text) if isinstance(entry.event, Said) else 0
