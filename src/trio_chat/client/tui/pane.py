"""The base of all widgets: rows of text."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from trio_chat.client.tui.text import Piece

_WHEEL = 3  # rows for each click of it, as usual

_PLAIN = Style()


def row(*pieces: Piece) -> Strip:
    return Strip([Segment(text, style) for text, style in pieces if text])


def between(left: Sequence[Piece], right: Sequence[Piece], width: int) -> Strip:
    """A row with a left and a right part; the left one is cut to fit."""
    end = row(*right)
    begin = shortened(row(*left), width - end.cell_length - 1)
    return begin.extend_cell_length(width - end.cell_length) + end


def shortened(strip: Strip, width: int) -> Strip:
    if strip.cell_length <= width:
        return strip
    return strip.crop(0, width - 1) + row(("…", _PLAIN)) if width > 0 else row()


class Resized(Message):
    """A widget must be shown again: it was resized or scrolled."""


class Pane(Widget):
    """Draws rows, and repaints only if they differ."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: Sequence[Strip] = ()

    def on_resize(self) -> None:
        self.post_message(Resized())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_rows(-_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_rows(_WHEEL)

    def scroll_rows(self, rows: int) -> None:
        """Scroll down, or up if negative; most widgets are visible as a whole."""

    def show_rows(self, strips: Sequence[Strip]) -> None:
        if strips != self._strips:
            self._strips = strips
            self.refresh()

    def render_line(self, y: int) -> Strip:
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.crop_extend(0, self.size.width, None).apply_style(self.rich_style)
