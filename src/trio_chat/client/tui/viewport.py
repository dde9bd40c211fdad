"""The visible rows of a log.

A place in the log is a line and a row of it, never a number of rows from the top. So nothing moves
when lines are added before or after, or when all rows change with the width of the screen; and only
what is visible is ever wrapped.

Following the end is a state, which only scrolling changes.
"""

from collections.abc import Callable, Sequence

from textual.strip import Strip

from trio_chat.client.model import Buffer, Line


class Viewport:
    """``rows`` draws a line of ``buffer`` as one or more rows."""

    def __init__(self, buffer: Buffer, rows: Callable[[Line], Sequence[Strip]]) -> None:
        self._buffer, self._rows = buffer, rows
        self._top: tuple[Line, int] | None = None  # a line and its row; None follows the end
        self._was_at = 0  # the index of that line last time
        self.height = 1

    @property
    def _lines(self) -> Sequence[Line]:
        return self._buffer.lines

    @property
    def follows(self) -> bool:
        return self._top is None

    @property
    def near_top(self) -> bool:
        """Whether less than a page is above what is visible."""
        return self._moved(*self._place(), -self.height) == (0, 0)

    def strips(self) -> list[Strip]:
        """The visible rows; fewer than ``height`` only if there are no more."""
        index, row = self._place()
        strips: list[Strip] = []
        while index < len(self._lines) and len(strips) < self.height + row:
            strips.extend(self._rows(self._lines[index]))
            index += 1
        return strips[row : row + self.height]

    def scroll(self, rows: int) -> None:
        """Scroll down, or up if negative; at the end it follows."""
        if self._lines:
            self._go_to(*self._moved(*self._place(), rows))

    def to_top(self) -> None:
        if self._lines:
            self._go_to(0, 0)

    def to_end(self) -> None:
        self._top = None

    def show(self, line: Line) -> None:
        """Show a line, with some of what comes before it."""
        if (index := self._index(line)) is not None:
            self._go_to(*self._moved(index, 0, -(self.height // 3)))

    def _place(self) -> tuple[int, int]:
        """The index of the first visible line, and its first visible row."""
        if self._top is None:
            return self._last_place()
        line, row = self._top
        index = self._index(line)
        if index is None:
            return 0, 0  # it was among the oldest, which go
        return index, min(row, len(self._rows(line)) - 1)

    def _index(self, line: Line) -> int | None:
        """The index of a line, found from its last one outwards."""
        lines, last = self._lines, self._was_at
        for away in range(max(last + 1, len(lines) - last)):
            for index in (last + away, last - away):
                if 0 <= index < len(lines) and lines[index] is line:
                    self._was_at = index
                    return index
        return None

    def _last_place(self) -> tuple[int, int]:
        return self._moved(len(self._lines), 0, -self.height)

    def _go_to(self, index: int, row: int) -> None:
        if (index, row) >= self._last_place():
            self._top = None
        else:
            self._top, self._was_at = (self._lines[index], row), index

    def _moved(self, index: int, row: int, rows: int) -> tuple[int, int]:
        """The place some rows after or before another, within the log."""
        row += rows
        while row < 0 and index > 0:
            index -= 1
            row += len(self._rows(self._lines[index]))
        while index < len(self._lines) and row >= (count := len(self._rows(self._lines[index]))):
            index += 1
            row -= count
        return index, max(row, 0)
