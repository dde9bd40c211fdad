"""A list to read or to choose from: help, what was found, who has called us, what to copy."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from trio_chat.client.model import Candidate, Line
from trio_chat.client.tui.keys import ALWAYS, ROOMS, WRITING
from trio_chat.client.tui.look import Palette
from trio_chat.client.tui.pane import row
from trio_chat.client.tui.rows import clock
from trio_chat.client.tui.text import fitted

_PLAIN = Style()
_KEYS = 22  # cells for the names of keys


@dataclass(frozen=True)
class Item:
    """``take`` is what Enter does with it; none if it is only to be read."""

    row: Callable[[Palette], Strip]
    take: Callable[[], None] | None = None


@dataclass
class Choice:
    """``find`` gives the items for what is being written, if one looks for something."""

    title: str
    items: Sequence[Item]
    find: Callable[[str], Sequence[Item]] | None = None
    chosen: int = 0

    @property
    def takes(self) -> bool:
        """Whether there is something to be chosen."""
        return any(item.take for item in self.items[:1])

    def move(self, rows: int) -> None:
        self.chosen = max(min(self.chosen + rows, len(self.items) - 1), 0)

    def look_for(self, words: str) -> None:
        if self.find is not None:
            self.items = self.find(words)
            self.chosen = max(len(self.items) - 1, 0)  # the newest

    def take(self) -> None:
        if self.items and (take := self.items[self.chosen].take):
            take()


def latest(title: str, items: Sequence[Item]) -> Choice:
    return Choice(title, items, chosen=max(len(items) - 1, 0))


def help_items(commands: Iterable[Candidate]) -> list[Item]:
    keys = [(keys.shown, keys.does) for keys in (*ROOMS, *WRITING, *ALWAYS)]
    return [_text_item(*pair) for pair in (*keys, ("", ""), *((c, c.note) for c in commands))]


def _text_item(name: str, does: str) -> Item:
    return Item(lambda palette: row((f" {fitted(name, _KEYS)} ", palette.accent), (does, _PLAIN)))


def line_item(line: Line, take: Callable[[Line], None]) -> Item:
    def strip(palette: Palette) -> Strip:
        return row(
            (f" {clock(line.time)} ", palette.dim),
            (f"{line.nick} " if line.nick else "", palette.nick(line.nick)),
            (line.text, _PLAIN),
        )

    return Item(strip, lambda: take(line))


def link_item(link: str, take: Callable[[str], None]) -> Item:
    return Item(lambda palette: row((f" {link}", palette.accent)), lambda: take(link))
