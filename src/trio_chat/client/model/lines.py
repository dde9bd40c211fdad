"""The lines of a buffer, in order.

Lines stand in the order in which they arrived, which is the server's; texts on their way stand at
the end, so that each is confirmed in place, after what the server had before it. Late lines go
where their time belongs, and earlier ones to the top. A line with the date stands before the first
line of each day but the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, overload

from trio_chat.client.model.days import Days
from trio_chat.protocols.client import Run

Kind = Literal["said", "action", "notice", "removed", "event", "day", "own note"]
State = Literal["sent", "pending", "failed"]

#: The most lines in a buffer; the oldest go.
LINES_MAX = 50_000

# Lines that go at once, because all others move up each time.
_TRIM = 500


@dataclass(slots=True, eq=False)
class Line:
    """``key`` identifies it as long as the program runs. ``time`` is unix time in seconds, the
    server's if ``stamped``. ``id`` is the server's, if it has one; ``token`` the session's, if the
    line is ours. ``why`` tells why it failed. ``runs`` are the formatted parts of the text. Only
    one that is in no buffer names the ``place`` where it was said.
    """

    key: int
    time: float
    text: str
    kind: Kind = "event"
    nick: str = ""
    prefix: str = ""
    id: str = ""
    own: bool = False
    mention: bool = False
    stamped: bool = False
    state: State = "sent"
    token: str = ""
    why: str = ""
    place: str = ""
    runs: tuple[Run, ...] = ()

    @property
    def in_a_row(self) -> str:
        """The text on one line."""
        return self.text.replace("\n", " ")


class Lines(Sequence[Line]):
    """Ids are unique: ask whether one is known (``knows``) before adding a line."""

    def __init__(self, days: Days, keys: Iterator[int]) -> None:
        self._days, self._keys = days, keys
        self._lines: list[Line] = []
        self._pending = 0  # lines at the end that are on their way
        self._ids: set[str] = set()
        self._newest = -inf  # time of the newest stamped line
        self._page = 0  # where the page of history being added goes on

    # ── to read ────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        return self._lines[index]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def knows(self, id: str) -> bool:
        return id in self._ids

    def with_id(self, id: str) -> Line | None:
        """The line with this id."""
        return next((line for line in reversed(self._lines) if line.id == id), None)

    @property
    def full(self) -> bool:
        """Whether no more fit at the top."""
        return len(self._lines) >= LINES_MAX

    @property
    def pending(self) -> Sequence[Line]:
        """The lines on their way, in order."""
        return self._lines[self._end :]

    def ends_with(self, line: Line, now: float) -> bool:
        """Whether this is the last line that has arrived, and of the same day as ``now``."""
        last = self._lines[self._end - 1] if self._end else None
        return last is line and self._same_day(line.time, now)

    @property
    def _end(self) -> int:
        """The number of lines that have arrived."""
        return len(self._lines) - self._pending

    # ── new lines ──────────────────────────────────────────────────────────────────────────

    def add(self, line: Line) -> None:
        """Add one that has just arrived."""
        self._insert(self._end, line)

    def add_pending(self, line: Line) -> None:
        """Add one that is on its way."""
        self._insert(len(self._lines), line)
        self._pending += 1

    def add_late(self, line: Line) -> None:
        """Add one that was said a while ago."""
        self._insert(self._place_of(line.time) if line.stamped else self._end, line)

    def _place_of(self, time: float) -> int:
        """The place after everything that the server had before."""
        at = self._end
        if time >= self._newest:
            return at
        for index in range(self._end - 1, -1, -1):
            line = self._lines[index]
            if line.stamped and line.time <= time:
                break
            if line.stamped:
                at = index
        return at

    def add_earlier(self, line: Line) -> None:
        """Add one of a page of history, after the one before; without a time, it gets a fitting
        one.
        """
        if not line.stamped:
            line.time = self._time_at(self._page, line.time)
        self._page = self._insert(self._place_before(line.time), line) + 1

    def _time_at(self, index: int, otherwise: float) -> float:
        if not self._lines:
            return otherwise
        return self._lines[index - 1 if index else 0].time

    def _place_before(self, time: float) -> int:
        """The place on the page being added; an older line begins a new page."""
        if self._page > self._end or (self._page and self._lines[self._page - 1].time > time):
            self._page = 0
        at = self._page
        for index in range(self._page, self._end):
            line = self._lines[index]
            if line.stamped and line.time >= time:
                break
            if line.stamped:
                at = index + 1
        return at

    def end_page(self) -> None:
        """Let the next page of history begin at the top."""
        self._page = 0

    # ── what becomes of ours ───────────────────────────────────────────────────────────────

    def settle(self, line: Line, id: str, time: float | None) -> None:
        """Confirm a line, with the server's id and time if it gives them. The oldest one on its way
        is already in place.
        """
        at = self._index(line)
        in_place = line.state == "pending" and at == self._end and self._fits(line, time)
        if not in_place:
            self._leave(at, line)
        self._pending -= in_place
        line.state, line.why, line.id = "sent", "", id
        if time is not None:
            line.time, line.stamped = time, True
        if in_place:
            self._know(line)
            self._divide(at + 1)
        else:
            self.add_late(line)

    def _fits(self, line: Line, time: float | None) -> bool:
        """Whether it can stay in place with this time."""
        return time is None or (time >= self._newest and self._same_day(time, line.time))

    def fail(self, line: Line, why: str) -> None:
        self.remove(line)
        line.state, line.why = "failed", why
        self.add(line)

    def send_again(self, line: Line) -> None:
        """Put a failed line on its way again."""
        self.remove(line)
        line.state, line.why = "pending", ""
        self.add_pending(line)

    def remove(self, line: Line) -> None:
        self._leave(self._index(line), line)

    def _index(self, line: Line) -> int:
        """The index of one of ours, which are near the end."""
        return next(i for i in range(len(self._lines) - 1, -1, -1) if self._lines[i] is line)

    def _leave(self, at: int, line: Line) -> None:
        self._pending -= line.state == "pending"
        self._page = 0
        del self._lines[at]
        self._divide(self._undivide(at))

    # ── those that go ──────────────────────────────────────────────────────────────────────

    def trim(self) -> Sequence[Line]:
        """Remove the oldest lines if there are too many; returns them."""
        if len(self._lines) <= LINES_MAX:
            return ()
        gone = self._lines[:_TRIM]
        del self._lines[:_TRIM]
        if self._lines[0].kind == "day":
            del self._lines[0]
        self._forget(gone)
        return gone

    def clear(self) -> Sequence[Line]:
        """Remove all that have arrived; returns them."""
        gone = [line for line in self._lines if line.state == "sent"]
        self._lines = [line for line in self._lines if line.state != "sent"]
        self._forget(gone)
        for at in range(len(self._lines) - 1, 0, -1):
            self._divide(at)
        return gone

    def _forget(self, gone: Sequence[Line]) -> None:
        self._ids.difference_update(line.id for line in gone)
        self._pending = min(self._pending, len(self._lines))
        self._page = 0

    # ── days ───────────────────────────────────────────────────────────────────────────────

    def _insert(self, at: int, line: Line) -> int:
        """Insert a line; returns its index."""
        at = self._undivide(at)
        self._lines.insert(at, line)
        self._divide(at + 1)
        at += self._divide(at)
        self._know(line)
        return at

    def _know(self, line: Line) -> None:
        if line.id:
            self._ids.add(line.id)
        if line.stamped and line.time > self._newest:
            self._newest = line.time

    def _undivide(self, at: int) -> int:
        """Remove a date next to this place; returns where the place is then."""
        if at < len(self._lines) and self._lines[at].kind == "day":
            del self._lines[at]
        if at and self._lines[at - 1].kind == "day":
            del self._lines[at - 1]
            at -= 1
        return at

    def _divide(self, at: int) -> bool:
        """Insert a date if a day begins here, except among lines on their way, which move."""
        if not 0 < at < len(self._lines):
            return False
        before, behind = self._lines[at - 1], self._lines[at]
        if before.state == "pending" or not self._another_day(before.time, behind.time):
            return False
        text = self._days.name(behind.time)
        self._lines.insert(at, Line(next(self._keys), behind.time, text, "day"))
        return True

    def _another_day(self, before: float, behind: float) -> bool:
        return self._days.number(behind) > self._days.number(before)

    def _same_day(self, one: float, other: float) -> bool:
        return self._days.number(one) == self._days.number(other)
