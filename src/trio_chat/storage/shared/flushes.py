"""Appends on their way to the engine: one flush is under way, and the next one gathers meanwhile.

So one that comes alone goes at once, those that come together share a call, and there is no timer.
"""

from collections import deque
from collections.abc import Callable, Sequence

import trio

from trio_chat.errors import Conflict, Fenced, Unavailable
from trio_chat.storage.shared.calls import Calls
from trio_chat.storage.shared.connection import Down, Engine
from trio_chat.storage.shared.records import Append, Place, places_of

#: What one flush holds at the most; the engine refuses more.
APPENDS, BYTES = 256, 1024 * 1024

#: What may wait here while the engine does not answer. What is beyond is refused at once: it bounds
#: memory, and who is told so can send it again.
WAITING_APPENDS, WAITING_BYTES = 16 * 1024, 32 * 1024 * 1024

_NOT_SENT = "This cannot be stored now: the engine that the servers share does not answer."
_IN_DOUBT = (
    "The engine that the servers share does not answer: whether this was stored, nobody knows."
)
_FULL = "This cannot be stored now: too much waits for the engine that the servers share."


class Placing:
    """An append that somebody waits for."""

    def __init__(self, append: Append) -> None:
        self.append, self.size = append, append.size
        self.done = trio.Event()
        self.is_taken, self.is_wanted = False, True  # by a flush; by whoever waits
        self.is_in_doubt = False  # whether the engine may have been asked
        self.places: Sequence[Place] = ()
        self.error: Exception | None = None

    def unanswered(self) -> Unavailable:
        """What is told if the engine does not answer in time."""
        return Unavailable(_IN_DOUBT if self.is_in_doubt else _NOT_SENT)

    def fail(self, error: Exception) -> None:
        """Let whoever waits have an error."""
        self.error = error
        self.done.set()


class Flush:
    """A call with several appends, known by its number."""

    def __init__(self, queue: "Flushes", number: int, placings: Sequence[Placing]) -> None:
        self._queue, self._number, self._placings = queue, number, placings
        self._reply = b""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for it."""
        return any(placing.is_wanted for placing in self._placings)

    def ask(self, engine: Engine) -> None:
        """Ask for places."""
        engine.open()
        for placing in self._placings:
            placing.is_in_doubt = True
        words = [word for placing in self._placings for word in placing.append.words()]
        self._reply = engine.call(
            "append", self._queue.node, str(self._number), str(self._queue.keep), *words
        )
        if self._reply == b"wait":
            self._queue.on_healing()
            raise Down("it gathers what it has lost")

    def finish(self, down: str) -> None:
        """Tell everybody, and let the next flush go."""
        if down:
            for placing in self._placings:
                placing.fail(placing.unanswered())
        elif self._reply == b"gone":
            self._queue.on_fenced()
            self._fail(Fenced())
        else:
            self._place(self._reply.decode())
        self._queue.go_on()

    def _fail(self, error: Exception) -> None:
        for placing in self._placings:
            placing.fail(error)

    def _place(self, reply: str) -> None:
        at, *lines = reply.split("\n")
        for placing, line in zip(self._placings, lines, strict=True):
            if line.startswith("!"):
                placing.fail(Conflict(line[1:]))
            else:
                placing.places = places_of(line, int(at))
                placing.done.set()


class Flushes:
    """The queue of appends of a node. For trio's thread.

    ``on_fenced`` is called if the others think that the node is gone; ``on_healing``, in another
    thread, if the engine wants back what it has lost.
    """

    def __init__(
        self,
        calls: Calls,
        node: str,
        *,
        keep: int,
        patience: float,
        on_fenced: Callable[[], None],
        on_healing: Callable[[], None],
    ) -> None:
        self.node, self.keep, self._patience = node, keep, patience
        self._calls = calls
        self.on_fenced, self.on_healing = on_fenced, on_healing
        self._waiting: deque[Placing] = deque()
        self._bytes = 0  # of those that wait
        self._number = 0  # of the last flush
        self._is_under_way = self._is_fenced = False

    async def place(self, append: Append) -> Sequence[Place]:
        """Do as ``Order.place`` does."""
        await trio.lowlevel.checkpoint_if_cancelled()
        placing = self._enter(append)
        try:
            with trio.move_on_after(self._patience):
                await placing.done.wait()
        finally:
            self._leave(placing)
        if not placing.done.is_set():
            raise placing.unanswered()
        if placing.error:
            raise placing.error
        return placing.places

    def fence(self) -> None:
        """Refuse everything from now on."""
        self._is_fenced = True
        for placing in self._waiting:
            placing.fail(Fenced())

    def go_on(self) -> None:
        """Let the next flush go, now that one has been answered."""
        self._is_under_way = False
        if self._waiting and not self._is_fenced:
            self._begin()

    def _enter(self, append: Append) -> Placing:
        placing = Placing(append)
        if placing.size > BYTES:
            raise ValueError(f"{placing.size:,} bytes are too many for one append")
        if self._is_fenced:
            raise Fenced
        if len(self._waiting) >= WAITING_APPENDS or self._bytes + placing.size > WAITING_BYTES:
            raise Unavailable(_FULL)
        self._waiting.append(placing)
        self._bytes += placing.size
        if not self._is_under_way:
            self._begin()
        return placing

    def _leave(self, placing: Placing) -> None:
        placing.is_wanted = False
        if not placing.is_taken:  # the longest wait ends first, so it is not looked for
            self._waiting.remove(placing)
            self._bytes -= placing.size

    def _begin(self) -> None:
        self._is_under_way = True
        self._number += 1
        self._calls.make(Flush(self, self._number, self._take()))

    def _take(self) -> Sequence[Placing]:
        """As many as one flush holds."""
        taken: list[Placing] = []
        size = 0
        while self._waiting and len(taken) < APPENDS:
            size += self._waiting[0].size
            if size > BYTES:
                break
            taken.append(self._waiting.popleft())
            taken[-1].is_taken = True
        self._bytes -= sum(placing.size for placing in taken)
        return taken
