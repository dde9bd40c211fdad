"""Draws a list in place of the log."""

from collections.abc import Callable, Sequence

from rich.style import Style
from textual import events
from textual.strip import Strip

from trio_chat.client.tui.choice import Choice, Item
from trio_chat.client.tui.pane import Pane, between, row, shortened
from trio_chat.client.tui.theme import Palette

_HEAD = 2  # rows: the title and a blank one


class Chooser(Pane):
    """``moved`` gets the rows that the wheel scrolls; ``taken`` gets the number of the item that is
    clicked on.
    """

    def __init__(self, moved: Callable[[int], None], taken: Callable[[int], None]) -> None:
        super().__init__()
        self._moved, self._taken = moved, taken
        self._numbers: Sequence[int] = ()  # of the visible items

    def show(self, choice: Choice, palette: Palette) -> None:
        space = max(self.size.height - _HEAD, 1)
        if choice.takes:
            rows, first, count = self._around_chosen(choice, palette, space)
        else:
            rows, first, count = self._from_chosen(choice, palette, space)
        nothing = "searching…" if choice.looks_further else "nothing found"
        place = f"{first + len(rows)} of {count} " if count > space else ""
        title = between(
            [(f" {choice.title}", palette.accent)], [(place, palette.dim)], self.size.width
        )
        self.show_rows([title, Strip([]), *(rows or [row((f" {nothing}", palette.dim))])])

    def _around_chosen(
        self, choice: Choice, palette: Palette, space: int
    ) -> tuple[list[Strip], int, int]:
        """The rows around the chosen item, the number of rows above them, and of all."""
        first = max(min(choice.chosen - space // 2, len(choice.items) - space), 0)
        self._numbers = range(first, min(first + space, len(choice.items)))
        rows = [self._row(choice.items[n], n == choice.chosen, palette) for n in self._numbers]
        return rows, first, len(choice.items)

    def _from_chosen(
        self, choice: Choice, palette: Palette, space: int
    ) -> tuple[list[Strip], int, int]:
        """The same for a text to read, in which the chosen row is the first."""
        self._numbers = ()
        rows = [strip for item in choice.items for strip in item.rows(palette, self.size.width)]
        choice.chosen = first = max(min(choice.chosen, len(rows) - space), 0)
        return rows[first : first + space], first, len(rows)

    def _row(self, item: Item, chosen: bool, palette: Palette) -> Strip:
        width = self.size.width
        strip = shortened(item.rows(palette, width)[0], width)
        if not chosen:
            return strip
        return strip.crop_extend(0, width, Style()).apply_style(palette.chosen)

    def on_click(self, event: events.Click) -> None:
        row = event.get_content_offset(self)
        if row is not None and _HEAD <= row.y < _HEAD + len(self._numbers):
            self._taken(self._numbers[row.y - _HEAD])

    def scroll_rows(self, rows: int) -> None:
        self._moved(rows)
