"""The thread that reads the stream and stores it, no faster than somebody takes from it."""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import trio

from trio_chat.errors import Fenced, Missed, Unavailable
from trio_chat.storage.shared.connection import Down, Engine
from trio_chat.storage.shared.healing import Memory
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.records import ZERO, Record, plain, read

#: How many entries a batch has at the most.
BATCH = 256

# Batches that are read before the first of them has been dealt with.
_AHEAD = 2

# How long it waits before it asks or connects again, and before it tries to store again (seconds).
_PAUSE, _LATER = 0.05, 0.5


class Reading:
    """Reads the entries after an id. Iterate over the batches; end it with ``close``.

    ``store`` is called with each batch before that is given, in the thread; as long as it raises
    Unavailable it is called again. ``block`` is for how many seconds the engine is asked to wait
    for news; the timeout of the ``engine`` has to be longer. ``on_fenced`` is called if the others
    think that the node is gone.
    """

    def __init__(
        self,
        engine: Engine,
        library: Library,
        node: str,
        after: str,
        store: Callable[[Sequence[Record]], None],
        *,
        block: float,
        keep: int,
        on_fenced: Callable[[], None],
    ) -> None:
        self._engine, self._log, self._node = engine, library.log, node
        self._store, self._on_fenced = store, on_fenced
        self._block, self._keep = str(int(block * 1000)), str(keep)
        #: The id up to which all has been taken, and how many entries there have been ever then.
        self.seen, self.count = after, 0
        #: The run of the engine in which it reads.
        self.epoch = ""
        self._last, self._count = after, 0  # the same of what was read; for the thread
        self._memory = Memory(after)
        self._trio = trio.lowlevel.current_trio_token()
        self._given, self._batches = trio.open_memory_channel[tuple[Sequence[Record], int]](_AHEAD)
        # There is room for one more batch; or it is to see to the engine (None), or to end (False).
        self._asked: queue.SimpleQueue[bool | None] = queue.SimpleQueue()
        self._room = 0  # batches for which there is room; for the thread
        self._ending = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="entries", daemon=True)
        for _ in range(_AHEAD):
            self._asked.put(True)
        self._thread.start()

    def __aiter__(self) -> "Reading":
        return self

    async def __anext__(self) -> Sequence[Record]:
        """The next batch, of one entry at least."""
        try:
            batch, self.count = await self._batches.receive()
        except trio.EndOfChannel:
            assert self._error  # noqa: S101 - for the type checker
            raise self._error from None
        self._asked.put(True)
        self.seen = batch[-1].id
        return batch

    def fail(self, error: Exception) -> None:
        """Let the reader have an error, after what has been read."""
        self._error = self._error or error
        self._given.close()

    def look(self) -> None:
        """Let it see to the engine, which wants back what it has lost, even if there is no room for
        a batch. For any thread.
        """
        self._asked.put(None)

    def close(self) -> None:
        """End the thread, and wait for that. Blocks."""
        self._ending.set()
        self._asked.put(False)
        self._engine.end_with(self._thread)

    def _run(self) -> None:
        try:
            while self._has_room() and (batch := self._read()) and self._has_stored(batch):
                self._tell(partial(self._give, batch, self._count))
        except Fenced:
            self._tell(self._on_fenced)
        except Exception as error:  # noqa: BLE001 - raised by the reader
            self._tell(partial(self.fail, error))

    def _tell(self, what: Callable[[], None]) -> None:
        with suppress(trio.RunFinishedError):
            self._trio.run_sync_soon(what)

    def _give(self, batch: Sequence[Record], count: int) -> None:
        if not self._error:
            self._given.send_nowait((batch, count))

    def _has_room(self) -> bool:
        """Wait until there is room for a batch. Returns whether it is to go on."""
        while not (self._room or self._ending.is_set()):
            self._wait()
        self._room -= 1
        return not self._ending.is_set()

    def _has_stored(self, batch: Sequence[Record]) -> bool:
        """Store a batch, as soon as that works. Returns whether it is to go on."""
        while not self._ending.is_set():
            try:
                self._store(batch)
            except Unavailable:
                self._wait(_LATER)
            else:
                return True
        return False

    def _wait(self, timeout: float | None = None) -> None:
        """Wait, so many seconds at most, until it is asked for something."""
        try:
            asked = self._asked.get(timeout=timeout)
        except queue.Empty:
            return
        if asked is None:
            with suppress(Down):
                self._resume()
        elif asked:
            self._room += 1

    def _read(self) -> Sequence[Record]:
        """Read a batch, as soon as that works; an empty one is the end."""
        while not self._ending.is_set():
            try:
                if not self._engine.is_open:
                    self._resume()
                if batch := self._next():
                    return batch
            except Down:
                self._ending.wait(_PAUSE)
        return []

    def _next(self) -> Sequence[Record]:
        command = ("XREAD", "COUNT", str(BATCH), "BLOCK", self._block, "STREAMS", self._log)
        found = self._engine.request(*command, plain(self._last))
        return [self._keep_one(*entry) for entry in found[self._log.encode()]] if found else []

    def _keep_one(self, id: bytes, fields: Sequence[bytes]) -> Record:
        """Note that an entry was read. Raises Missed if it is not the next one."""
        record = read(id, fields)
        self._count += 1
        if record.number != self._count:
            raise Missed
        self._last = record.id
        self._memory.add(record.id, fields)
        return record

    def _resume(self) -> None:
        """See that reading can go on after the last entry, and give back first what the engine has
        lost. Raises Fenced, Missed, and Down.
        """
        while not self._ending.is_set():
            reply = self._engine.call("resume", self._node, self._last).decode()
            word, _, value = reply.partition(" ")
            if word == "ok":
                self._count, self.epoch = int(value), self._engine.info["run_id"]
                return
            if word == "gone":
                raise Fenced
            if word == "missed":
                raise Missed
            if word == "wait" or not self._heal(value):
                self._ending.wait(_PAUSE)

    def _heal(self, last: str) -> bool:
        """Give back what is after an id. Returns whether that was possible: if not, another node
        may know what is before.
        """
        parts = [*self._memory.after(last)] or [(ZERO, [])]
        for number, (before, entries) in enumerate(parts, 1):
            words = [word for entry in entries for word in entry.words()]
            done = "1" if number == len(parts) else "0"
            reply = self._engine.call("heal", self._node, self._keep, before, done, *words)
            if reply != b"ok":
                return False
        return True
