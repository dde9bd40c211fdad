"""The list of buffers, with what is new in them."""

from collections.abc import Callable, Sequence

from rich.style import Style
from textual import events
from textual.strip import Strip

from trio_chat.client.model import Buffer
from trio_chat.client.tui.pane import Pane, between
from trio_chat.client.tui.text import Piece
from trio_chat.client.tui.theme import Palette

_MANY = 999  # the largest number shown


class Rooms(Pane):
    """``chosen`` gets the room that is clicked on, and whether for its menu: with another button
    than the first, or on the room that is shown.
    """

    def __init__(self, chosen: Callable[[Buffer, bool], None]) -> None:
        super().__init__()
        self._chosen = chosen
        self._seen: Sequence[tuple[int, Buffer]] = ()
        self._current: Buffer | None = None
        self._digits = 2  # of the numbers of rooms

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self._seen):
            buffer = self._seen[event.y][1]
            menu = buffer is self._current or event.button != 1
            self._chosen(buffer, menu)

    def show(self, buffers: Sequence[Buffer], current: Buffer, palette: Palette) -> None:
        self._current = current
        place = next(i for i, buffer in enumerate(buffers) if buffer is current)
        first = max(min(place - self.size.height // 2, len(buffers) - self.size.height), 0)
        self._seen = list(enumerate(buffers, 1))[first : first + self.size.height]
        self._digits = max(len(str(len(buffers))), 2)
        self.show_rows(
            [self._row(number, buffer, buffer is current, palette) for number, buffer in self._seen]
        )

    def _row(self, number: int, buffer: Buffer, chosen: bool, palette: Palette) -> Strip:
        news = badge(buffer, palette)
        place = f"{number:>{self._digits}} "
        bar = ("▌" if chosen else " ", palette.accent)
        strip = between(
            [bar, (place, palette.dim), (buffer.name, _name(buffer, palette))],
            [*news, (" ", Style())],
            self.size.width,
        )
        return strip.apply_style(palette.chosen) if chosen else strip


def _name(buffer: Buffer, palette: Palette) -> Style:
    if buffer.mentions:
        return palette.accent
    if buffer.unread:
        return Style(bold=True)
    return palette.dim if buffer.kind == "server" else Style()


def badge(buffer: Buffer, palette: Palette) -> list[Piece]:
    """The number of mentions, in bold with an @, or else of unread lines."""
    if buffer.mentions:
        return [(f"@{_count(buffer.mentions)}", palette.accent)]
    if buffer.unread:
        return [(_count(buffer.unread), palette.dim)]
    return []


def _count(number: int) -> str:
    return str(number) if number <= _MANY else f"{_MANY}+"
