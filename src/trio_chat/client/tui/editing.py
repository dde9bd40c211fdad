"""The line being written: its text, its cursor and what was cut."""

from bisect import bisect_left
from collections.abc import Callable

from rich.cells import split_graphemes


class Editor:
    """``text`` may have several lines. Nothing is drawn here."""

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        self._cut = ""
        self._before_paste: tuple[str, int] | None = None

    def set(self, text: str, cursor: int | None = None) -> None:
        self.text = text
        self.cursor = len(text) if cursor is None else cursor
        self._before_paste = None

    # ── writing ────────────────────────────────────────────────────────────────────────────

    def insert(self, text: str) -> None:
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def paste(self, text: str) -> None:
        before = self._before_paste or (self.text, self.cursor)
        self.insert(text)
        self._before_paste = before

    def drop_paste(self) -> bool:
        """Go back to what was there before a paste; returns whether there was one. Several lines
        that came in another way, such as a draft, count as one.
        """
        if self._before_paste is None and "\n" not in self.text:
            return False
        self.set(*(self._before_paste or ("", 0)))
        return True

    def new_line(self) -> None:
        self.insert("\n")

    def backspace(self) -> None:
        self._delete(self._left(), self.cursor)

    def delete(self) -> None:
        self._delete(self.cursor, self._right())

    def cut_to_start(self) -> None:
        self._cut_out(self._line_start(), self.cursor)

    def cut_to_end(self) -> None:
        self._cut_out(self.cursor, self._line_end())

    def cut_word(self) -> None:
        self._cut_out(self._word_left(), self.cursor)

    def cut_next_word(self) -> None:
        self._cut_out(self.cursor, self._word_right())

    def yank(self) -> None:
        self.insert(self._cut)

    def _cut_out(self, begin: int, end: int) -> None:
        if begin < end:
            self._cut = self.text[begin:end]
            self._delete(begin, end)

    def _delete(self, begin: int, end: int) -> None:
        self.text = self.text[:begin] + self.text[end:]
        self.cursor = begin

    def replace(self, begin: int, end: int, text: str) -> None:
        self._delete(begin, end)
        self.insert(text)

    # ── moving ─────────────────────────────────────────────────────────────────────────────

    def left(self) -> None:
        self.cursor = self._left()

    def right(self) -> None:
        self.cursor = self._right()

    def word_left(self) -> None:
        self.cursor = self._word_left()

    def word_right(self) -> None:
        self.cursor = self._word_right()

    def home(self) -> None:
        self.cursor = self._line_start()

    def end(self) -> None:
        self.cursor = self._line_end()

    def up(self) -> bool:
        """Move a line up; returns whether there is one."""
        if self._line_start() == 0:
            return False
        self._move_line(self._line_start() - 1)
        return True

    def down(self) -> bool:
        if self._line_end() == len(self.text):
            return False
        self._move_line(self._line_end() + 1)
        return True

    def _move_line(self, target: int) -> None:
        """Move to the same column of the line at ``target``."""
        column = self.cursor - self._line_start()
        self.cursor = target
        self.cursor = min(self._line_start() + column, self._line_end())

    def _left(self) -> int:
        stops = self._stops()
        return stops[max(bisect_left(stops, self.cursor) - 1, 0)]

    def _right(self) -> int:
        stops = self._stops()
        return stops[min(bisect_left(stops, self.cursor + 1), len(stops) - 1)]

    def _stops(self) -> list[int]:
        """The places where the cursor may be: never inside what people see as one letter."""
        stops: list[int] = []
        offset = 0
        for line in self.text.split("\n"):
            stops.extend(offset + begin for begin, _, _ in split_graphemes(line)[0])
            offset += len(line) + 1
            stops.append(offset - 1)
        return stops

    def _word_left(self) -> int:
        before = self.text[: self.cursor].rstrip()
        return len(before) - len(before.split()[-1]) if before else 0

    def _word_right(self) -> int:
        after = self.text[self.cursor :]
        blank = len(after) - len(after.lstrip())
        return self.cursor + blank + len((after.split() or [""])[0])

    def _line_start(self) -> int:
        return self.text.rfind("\n", 0, self.cursor) + 1

    def _line_end(self) -> int:
        end = self.text.find("\n", self.cursor)
        return len(self.text) if end < 0 else end


#: The same keys as in shells.
EDITING: dict[str, Callable[[Editor], None]] = {
    "backspace": Editor.backspace,
    "ctrl+h": Editor.backspace,
    "delete": Editor.delete,
    "left": Editor.left,
    "ctrl+b": Editor.left,
    "right": Editor.right,
    "ctrl+left": Editor.word_left,
    "ctrl+right": Editor.word_right,
    "home": Editor.home,
    "ctrl+a": Editor.home,
    "end": Editor.end,
    "ctrl+e": Editor.end,
    "ctrl+u": Editor.cut_to_start,
    "ctrl+k": Editor.cut_to_end,
    "ctrl+w": Editor.cut_word,
    "alt+d": Editor.cut_next_word,
    "ctrl+y": Editor.yank,
    "alt+enter": Editor.new_line,
    "ctrl+j": Editor.new_line,
}
