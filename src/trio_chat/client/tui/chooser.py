"""Draws a list in the place of the log."""

from textual.strip import Strip

from trio_chat.client.tui.choice import Choice, Item
from trio_chat.client.tui.look import Palette
from trio_chat.client.tui.pane import Pane, between, row, shortened

_HEAD = 2  # rows: the title and a blank one


class Chooser(Pane):
    def show(self, choice: Choice, palette: Palette) -> None:
        """The rows around the chosen one; if there is nothing to choose, those after it."""
        space = max(self.size.height - _HEAD, 1)
        above = space // 2 if choice.takes else 0
        first = max(min(choice.chosen - above, len(choice.items) - space), 0)
        seen = list(enumerate(choice.items))[first : first + space]
        rows = [self._row(item, number == choice.chosen, palette) for number, item in seen]
        count = f"{first + len(seen)} of {len(choice.items)}" if len(choice.items) > space else ""
        title = between(
            [(f" {choice.title}", palette.accent)], [(count, palette.dim)], self.size.width
        )
        self.show_rows([title, Strip([]), *(rows or [row((" nothing", palette.dim))])])

    def _row(self, item: Item, chosen: bool, palette: Palette) -> Strip:
        strip = shortened(item.row(palette), self.size.width)
        if chosen and item.take is not None:
            return strip.crop_extend(0, self.size.width, None).apply_style(palette.chosen)
        return strip
