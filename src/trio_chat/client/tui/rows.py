"""A line of the log as rows of the screen.

    12:05    alice │ a text that goes on
                   │ in a second row

On narrow screens the nickname stands before the text, and all rows but the first are indented; on
the narrowest there is no time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from trio_chat.client.model import Line
from trio_chat.client.tui.text import Piece, dressed, fitted, linked, wrapped
from trio_chat.client.tui.theme import Palette

_TIME = len("12:05 ")
_NICK = 12  # cells, with the prefix; most nicknames are shorter
_NICK_WIDE = 18  # on wide screens
_RULE = " │ "
_CALL = " ┃ "  # beside a mention; not everybody sees colours
_INDENT = 2

# Below these widths the column of nicknames goes, and then the time: a text needs 25 cells or so.
_COLUMNS = 48
_WIDE = 100
_TIMES = 30

_PLAIN = Style()


@dataclass(frozen=True)
class Sheet:
    """The width in cells and the palette for drawing lines."""

    width: int
    palette: Palette

    def rows(self, line: Line, *, unread: bool) -> list[Strip]:
        """Draw a line, with a rule above it if it is the first ``unread`` one."""
        palette = self.palette
        rule = [self._rule("new", palette.accent, palette.accent)] if unread else []
        if line.kind == "day":
            return [*rule, self._rule(line.text, palette.dim, palette.rule)]
        rows = self._in_columns(line) if self.width >= _COLUMNS else self._in_line(line)
        return [*rule, *(self._finish(row, line) for row in rows)]

    def _finish(self, row: list[Segment], line: Line) -> Strip:
        strip = Strip(row)
        if not line.mention:
            return strip
        style = self.palette.mention
        return strip.extend_cell_length(self.width).apply_style(style)

    def _in_columns(self, line: Line) -> Iterable[list[Segment]]:
        head, style = _speaker(line, self.palette)
        space = _NICK if self.width < _WIDE else _NICK_WIDE
        blank = space - cell_len(head)
        rule = _CALL if line.mention else _RULE
        rule_style = self.palette.call if line.mention else self.palette.rule
        first = [
            Segment(f"{clock(line.time)} ", self.palette.dim),
            Segment(" " * blank + fitted(head, space - max(blank, 0)), style),
            Segment(rule, rule_style),
        ]
        next_ones = [
            Segment(" " * (_TIME + space), _PLAIN),
            Segment(rule, rule_style),
        ]
        rows = wrapped(self._body(line), self.width - _TIME - space - len(_RULE))
        return [[*(next_ones if index else first), *row] for index, row in enumerate(rows)]

    def _in_line(self, line: Line) -> Iterable[list[Segment]]:
        head, style = _speaker(line, self.palette)
        time = [(f"{clock(line.time)} ", self.palette.dim)] if self.width >= _TIMES else []
        pieces = [*time, (head, style), (" ", _PLAIN), *self._body(line)]
        rows = wrapped(pieces, self.width - _INDENT)
        return [[Segment(" " * _INDENT), *row] if index else row for index, row in enumerate(rows)]

    def _body(self, line: Line) -> list[Piece]:
        palette = self.palette
        match line.kind:
            case "action":
                return [(line.nick, palette.nick(line.nick)), (" ", _PLAIN), *self._text(line)]
            case "event" | "own note" | "removed":
                return list(linked(line.text, palette.dim))
        if line.state == "pending":
            return [*linked(line.text, palette.dim), (" ⋯", palette.dim)]
        if line.state == "failed":
            why = f" ✗ {line.why or 'not sent'}"
            again = (" (Ctrl+R to retry)", palette.dim)
            return [*linked(line.text, palette.dim), (why, palette.error), again]
        return self._text(line)

    def _text(self, line: Line) -> list[Piece]:
        """The text with its author's formatting."""
        looks = [(run.start, run.end, self.palette.look(run.look)) for run in line.runs]
        return list(dressed(linked(line.text, _PLAIN), looks))

    def _rule(self, text: str, style: Style, rule: Style) -> Strip:
        text = f" {fitted(text, self.width - 4).rstrip()} " if text else ""
        left = (self.width - cell_len(text)) // 2
        right = self.width - cell_len(text) - left
        return Strip([Segment("─" * left, rule), Segment(text, style), Segment("─" * right, rule)])


def _speaker(line: Line, palette: Palette) -> tuple[str, Style]:
    match line.kind:
        case "said" | "removed":
            return line.prefix + line.nick, palette.nick(line.nick)
        case "action":
            return "*", palette.nick(line.nick)
        case "notice" if line.nick:
            return f"-{line.nick}-", palette.nick(line.nick)
    return ("·", palette.dim)


def clock(time: float) -> str:
    """The local time; dashes for a time that no calendar has."""
    return _local(time, "%H:%M") or "--:--"


def day_and_clock(time: float) -> str:
    """The local day and time, as 2024-12-31 23:59; a dash for one that no calendar has."""
    return _local(time, "%Y-%m-%d %H:%M") or "-"


def _local(time: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(time).astimezone().strftime(form)
    except (ValueError, OverflowError, OSError):
        return ""
