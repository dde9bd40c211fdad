"""The thread that reads the stream, no faster than somebody takes what it has read."""

import queue
import threading
from collections.abc import Sequence
from contextlib import suppress

import trio

from trio_chat.storage.shared.connection import Down, Engine
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.records import Record, plain, read

#: How many entries a batch has at the most.
BATCH = 256

# Batches that are read before the first of them has been dealt with.
_AHEAD = 2

# How long it waits before it connects again (seconds).
_PAUSE = 0.1


class Reading:
    """Reads the entries after an id. Iterate over the batches; end it with ``close``.

    ``block`` is for how many seconds the engine is asked to wait for news; the timeout of the
    ``engine`` has to be longer.
    """

    def __init__(self, engine: Engine, library: Library, after: str, *, block: float) -> None:
        self._engine, self._log = engine, library.log
        self._last, self._block = after, str(int(block * 1000))
        #: The id up to which all batches have been taken.
        self.seen = after
        self._trio = trio.lowlevel.current_trio_token()
        self._given, self._batches = trio.open_memory_channel[Sequence[Record]](_AHEAD)
        self._free: queue.SimpleQueue[bool] = queue.SimpleQueue()  # a place for a batch, or the end
        self._ending = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="entries", daemon=True)
        for _ in range(_AHEAD):
            self._free.put(True)
        self._thread.start()

    def __aiter__(self) -> "Reading":
        return self

    async def __anext__(self) -> Sequence[Record]:
        """The next batch, of one entry at least."""
        try:
            batch = await self._batches.receive()
        except trio.EndOfChannel:
            assert self._error  # noqa: S101 - for the type checker
            raise self._error from None
        self._free.put(True)
        self.seen = batch[-1].id
        return batch

    def fail(self, error: Exception) -> None:
        """Let the reader have an error, after what has been read."""
        self._error = self._error or error
        self._given.close()

    def close(self) -> None:
        """End the thread, and wait for that. Blocks."""
        self._ending.set()
        self._free.put(False)
        self._engine.end_with(self._thread)

    def _run(self) -> None:
        while self._free.get() and (batch := self._repeat()):
            self._last = batch[-1].id
            with suppress(trio.RunFinishedError):
                self._trio.run_sync_soon(self._give, batch)

    def _give(self, batch: Sequence[Record]) -> None:
        if not self._error:
            self._given.send_nowait(batch)

    def _repeat(self) -> Sequence[Record]:
        """Read a batch, until that works; an empty one is the end."""
        while not self._ending.is_set():
            try:
                if batch := self._read():
                    return batch
            except Down:
                self._ending.wait(_PAUSE)
        return []

    def _read(self) -> Sequence[Record]:
        command = ("XREAD", "COUNT", str(BATCH), "BLOCK", self._block, "STREAMS", self._log)
        found = self._engine.request(*command, plain(self._last))
        return read(found[self._log.encode()]) if found else []
