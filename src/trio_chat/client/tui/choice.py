"""Lists to read or to choose from: help, search results, people, things to copy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from trio_chat.client.model import Buffer, Line
from trio_chat.client.tui.pane import between, row
from trio_chat.client.tui.rooms import badge
from trio_chat.client.tui.rows import clock
from trio_chat.client.tui.theme import Palette
from trio_chat.protocols.client import Member

_PLAIN = Style()


@dataclass(frozen=True)
class Item:
    """``rows`` draws it in a width of cells. ``take`` is what Enter does, None if it is only to be
    read; an item that can be taken has one row.
    """

    rows: Callable[[Palette, int], Sequence[Strip]]
    take: Callable[[], None] | None = None


#: Finds the items for some words, in pieces: each belongs above the ones before it.
Find = Callable[[str], Iterator[Sequence[Item]]]


@dataclass
class Choice:
    """``find`` gives the items for what is being typed behind the ``label``, if the list can be
    searched. The last item is ``chosen`` at first if that is the newest.
    """

    title: str
    items: Sequence[Item] = ()
    find: Find | None = None
    label: str = "find"
    newest_last: bool = False
    chosen: int = 0
    _pieces: Iterator[Sequence[Item]] | None = None

    def __post_init__(self) -> None:
        self._choose_first()
        self.look_for("")

    def _choose_first(self) -> None:
        self.chosen = max(len(self.items) - 1, 0) if self.newest_last else 0

    @property
    def takes(self) -> bool:
        """Whether there is anything to choose."""
        return any(item.take for item in self.items[:1])

    def move(self, rows: int) -> None:
        """Move the choice. Texts to read have more rows than items; the chooser knows their end."""
        self.chosen = max(self.chosen + rows, 0)
        if self.takes:
            self.chosen = min(self.chosen, len(self.items) - 1)

    def look_for(self, words: str) -> None:
        if self.find is not None:
            self._pieces, self.items = self.find(words), ()
            self.look_further()
            self._choose_first()

    @property
    def looks_further(self) -> bool:
        """Whether the search is not finished."""
        return self._pieces is not None

    def look_further(self) -> None:
        """Add the next piece, keeping the chosen item."""
        piece = next(self._pieces, None) if self._pieces else None
        if piece is None:
            self._pieces = None
        elif self.items:
            self.items = [*piece, *self.items]
            self.chosen += len(piece)
        else:
            self.items = piece
            self._choose_first()

    def take(self) -> None:
        """Take the chosen item; if nothing has been found yet, the first that is."""
        while not self.items and self.looks_further:
            self.look_further()
        if self.items and (take := self.items[self.chosen].take):
            take()


def line_item(line: Line, take: Callable[[Line], None]) -> Item:
    def rows(palette: Palette, width: int) -> Sequence[Strip]:
        time = (f" {clock(line.time)} ", palette.dim)
        place = (f"{line.place} " if line.place else "", palette.dim)
        nick = (f"{line.nick} " if line.nick else "", palette.nick(line.nick))
        return [row(time, place, nick, (line.in_a_row, _PLAIN))]

    return Item(rows, lambda: take(line))


def text_item(text: str, take: Callable[[], None]) -> Item:
    return Item(lambda palette, width: [row((f" {text}", _PLAIN))], take)


def link_item(link: str, take: Callable[[str], None]) -> Item:
    return Item(lambda palette, width: [row((f" {link}", palette.accent))], lambda: take(link))


def member_item(member: Member, take: Callable[[str], None]) -> Item:
    def rows(palette: Palette, width: int) -> Sequence[Strip]:
        more = [word for word, on in (("away", member.away), ("bot", member.bot)) if on]
        sign = (f" {member.prefixes[:1] or ' '}", palette.dim)
        nick = (member.nick, palette.nick(member.nick))
        return [row(sign, nick, (f"  {', '.join(more)}", palette.dim))]

    return Item(rows, lambda: take(member.nick))


def buffer_item(number: int, buffer: Buffer, take: Callable[[Buffer], None]) -> Item:
    def rows(palette: Palette, width: int) -> Sequence[Strip]:
        left = [(f"{number:>3} ", palette.dim), (buffer.name, _PLAIN)]
        topic = (f"  {buffer.topic}", palette.dim)
        return [between([*left, topic], [*badge(buffer, palette), (" ", _PLAIN)], width)]

    return Item(rows, lambda: take(buffer))
