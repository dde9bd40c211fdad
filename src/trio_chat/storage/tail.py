"""The way from a log to its reader: entries wait here until they are shown."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import trio

from trio_chat.core.events import Entry, Said

# Appends that wait for the tail's reader. Each is one read of one connection, so this bounds
# memory; when it is full, the readers of connections wait, and TCP holds the senders back.
INTAKE = 1024

# A batch reaches every member as one piece of bytes: much smaller than an outbox, so that one
# batch never makes a slow peer of somebody who reads. Those who wait for its entries go on in one
# pass of the loop: so many take 15 ms at the most.
BATCH_ENTRIES = 128
BATCH_BYTES = 64 * 1024


class Intake:
    """The bounded channel to the tail. ``followed`` are the logs that its reader wants to see.

    Take a place before appending, then either ``show`` what was appended or ``give_back`` the
    place.
    """

    def __init__(self) -> None:
        self.followed: set[str] = set()
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

    def show(self, room: str, entries: Sequence[Entry]) -> None:
        """Hand entries of one room to the tail, in the place that was taken for them.

        Raises trio.BrokenResourceError if nobody reads it any more.
        """
        if not entries or room not in self.followed:
            self.give_back()
            return
        try:
            self._send.send_nowait(entries)
        except trio.BrokenResourceError:
            self.give_back()
            raise

    def move(self, room: str, to: str, entries: Sequence[Entry]) -> None:
        """Do as ``show`` does, the last time by this name: what follows has another one."""
        try:
            self.show(room, entries)
        finally:
            if room in self.followed:
                self.followed.remove(room)
                self.followed.add(to)

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
