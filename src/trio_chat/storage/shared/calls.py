"""The thread that asks the engine for what must be done once, one call after the other."""

import logging
import math
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import trio

from trio_chat.storage.shared.connection import Down, Engine, Refused

logger = logging.getLogger(__name__)

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


class Question:
    """A call of one of the engine's functions, whose ``reply`` somebody waits for."""

    def __init__(self, function: str, *words: str | bytes) -> None:
        self._function, self._words = function, words
        self.is_wanted = True
        self.reply: Any = None
        self.is_answered = False
        self.done = trio.Event()

    def ask(self, engine: Engine) -> None:
        """Ask, and keep the reply."""
        self.reply = engine.call(self._function, *self._words)

    def finish(self, down: str) -> None:
        """Let whoever waits know."""
        self.is_answered = not down
        self.done.set()


class Calls:
    """A thread that makes calls, and ``beat`` every so many seconds. ``start`` it, and end it with
    ``close``.
    """

    def __init__(self, engine: Engine, beat: Call, *, every: float) -> None:
        self._engine, self._beat, self._every = engine, beat, every
        self._trio = trio.lowlevel.current_trio_token()
        self._given: queue.SimpleQueue[Call | None] = queue.SimpleQueue()  # None ends it
        self._ending = threading.Event()
        self._due = math.inf  # when the next beat is, as monotonic time
        #: Why the last call was not answered, if it was not.
        self.down = ""
        #: Why the first call was given up, if waiting would not have helped.
        self.refused: Refused | None = None

    @property
    def info(self) -> Mapping[str, str]:
        """What the engine says of itself."""
        return self._engine.info

    def start(self, first: Call) -> None:
        """Start the thread, with a call that must have an answer before the first beat. It is given
        up if the engine refuses it.
        """
        self._thread = threading.Thread(target=self._run, args=[first], name="order", daemon=True)
        self._thread.start()

    def make(self, call: Call) -> None:
        """Have a call made after those before it."""
        self._given.put(call)

    def close(self) -> None:
        """Give up what is not answered, end the thread, and wait for that. Blocks."""
        self._ending.set()
        self._given.put(None)
        self._engine.end_with(self._thread)

    def _run(self, first: Call) -> None:
        self._make(first, is_first=True)
        self._due = time.monotonic() + self._every
        while (call := self._next()) is not None:
            self._make(call)

    def _next(self) -> Call | None:
        """The next call; while there is none, it beats. None is the end."""
        while True:
            with suppress(queue.Empty):
                return self._given.get(timeout=max(self._due - time.monotonic(), 0))
            if (down := self._beat_if_due()) is not None:
                self._note(down)

    def _make(self, call: Call, *, is_first: bool = False) -> None:
        down = self._repeat(call, is_first=is_first)
        with suppress(trio.RunFinishedError):
            self._trio.run_sync_soon(call.finish, down)

    def _repeat(self, call: Call, *, is_first: bool) -> str:
        """Make a call until it is answered. Returns why it was not, if it was given up."""
        wait, down = _FIRST, "it was not asked"
        while call.is_wanted and not self._ending.is_set():
            down = self._try(call, is_first=is_first)
            if self.refused:
                break
            self._note(down)
            self._beat_if_due()  # it may be only this call that the engine does not do
            if not down:
                break
            self._ending.wait(wait)
            wait = min(2 * wait, _MOST, self._every)
        return down

    def _beat_if_due(self) -> str | None:
        """Beat if it is time; returns why there was no answer, or None if it was not asked."""
        now = time.monotonic()
        if now < self._due:
            return None
        self._due = now + self._every
        down = self._try(self._beat)
        with suppress(trio.RunFinishedError):
            self._trio.run_sync_soon(self._beat.finish, down)
        return down

    def _try(self, call: Call, *, is_first: bool = False) -> str:
        """Ask once. Returns why there is no answer."""
        try:
            call.ask(self._engine)
        except Down as error:
            # Later it may be that somebody changes the password, here and there.
            if is_first and isinstance(error, Refused):
                self.refused = error
            return str(error) or "no answer"
        return ""

    def _note(self, down: str) -> None:
        if down and not self.down:
            logger.warning(
                "The engine that the servers share does not answer: %s",
                down,
                extra={"event": "engine-lost", "reason": down},
            )
        elif self.down and not down:
            logger.warning(
                "The engine that the servers share answers again.", extra={"event": "engine-back"}
            )
        self.down = down
