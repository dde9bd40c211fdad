"""The thread that asks the engine for what must be done once, one call after the other."""

import queue
import threading
from contextlib import suppress
from typing import Protocol

import trio

from trio_chat.storage.shared.connection import Down, Engine

# How long it waits before it asks again (seconds), at first and at the most: an engine that was
# restarted is back within that, and is not hurried.
_FIRST, _MOST = 0.02, 0.5


class Call(Protocol):
    """Something to ask for. It is repeated until it is answered, or ``is_wanted`` no more."""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for it."""

    def ask(self, engine: Engine) -> None:
        """Ask, and keep the answer. Raises Down. In the thread."""

    def finish(self, down: str) -> None:
        """Do with the answer what is to be done, in trio's thread; there is none if the engine is
        ``down``, which says why.
        """


class Calls:
    """A thread that makes calls. ``start`` it, and end it with ``close``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trio = trio.lowlevel.current_trio_token()
        self._given: queue.SimpleQueue[Call | None] = queue.SimpleQueue()  # None ends it
        self._thread = threading.Thread(target=self._run, name="order", daemon=True)
        self._ending = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def make(self, call: Call) -> None:
        """Have a call made after those before it."""
        self._given.put(call)

    def close(self) -> None:
        """Give up what is not answered, end the thread, and wait for that. Blocks."""
        self._ending.set()
        self._given.put(None)
        self._engine.interrupt()
        self._thread.join()
        self._engine.close()

    def _run(self) -> None:
        while (call := self._given.get()) is not None:
            down = self._repeat(call)
            with suppress(trio.RunFinishedError):
                self._trio.run_sync_soon(call.finish, down)

    def _repeat(self, call: Call) -> str:
        """Make a call until it is answered. Returns why it was not, if it was given up."""
        wait, down = _FIRST, "nobody has asked"
        while call.is_wanted and not self._ending.is_set():
            try:
                call.ask(self._engine)
            except Down as error:
                down = str(error)
                self._ending.wait(wait)
                wait = min(2 * wait, _MOST)
            else:
                return ""
        return down
