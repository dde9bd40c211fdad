"""The page that teaches: how to begin, what the signs mean, which keys and commands there are."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from trio_chat.client.model import Candidate
from trio_chat.client.tui.choice import Item
from trio_chat.client.tui.keys import ALWAYS, ROOMS, WRITING, Keys
from trio_chat.client.tui.pane import row
from trio_chat.client.tui.text import fitted, wrapped
from trio_chat.client.tui.theme import Palette

_PLAIN = Style()
_NAMES = 22  # cells for the names of keys and the like
_COLUMNS = 56  # cells from which there is place for them beside what they do

_Rows = Sequence[tuple[str, str]]

_BEGIN: _Rows = (
    ("", "Write something and press Enter: everybody in this room reads it."),
    ("/join #python", "go to another room; a new one is made"),
    ("/query alice", "talk with one person only; F7 lists who is here"),
    ("Tab", "after a few letters: names, #rooms, /commands, :emoji: are completed"),
    ("PageUp", "what was said before, as far back as the server keeps it"),
    ("/quit", "leave"),
)

_SIGNS: _Rows = (
    ("3", "beside a room: so many messages are new"),
    ("@3", "so many of them name you, or are for you alone"),
    ("── new ──", "what is below it you have not read yet"),
    ("⋯", "on its way: the server has not confirmed it yet"),
    ("✗", "not sent, and why"),
    ("@alice, +bob", "alice leads the room, bob may always speak"),
    ("·", "something that happened, or a word of this program"),
)


def find_help(words: str, commands: Iterable[Candidate]) -> Iterator[Sequence[Item]]:
    """All of the page; if there are words, what has them. In one piece."""
    items: list[Item] = []
    for title, rows in _sections(commands):
        found = [pair for pair in rows if _has(pair, words)]
        if found:
            blank = [Item(lambda palette, width: [Strip([])])] if items else []
            items += [*blank, _title(title), *(_entry(*pair) for pair in found)]
    yield items


def _has(pair: tuple[str, str], words: str) -> bool:
    text = " ".join(pair).casefold()
    return all(word in text for word in words.casefold().split())


def _sections(commands: Iterable[Candidate]) -> Iterator[tuple[str, _Rows]]:
    yield "To begin with", _BEGIN
    yield "Signs", _SIGNS
    yield "Keys", _keys((*ROOMS, *ALWAYS))
    yield "Keys while you write", _keys(WRITING)
    yield "Commands", [(command.rstrip(), command.note) for command in commands]


def _keys(rows: Iterable[Keys]) -> _Rows:
    return [(keys.shown, keys.does) for keys in rows]


def _title(title: str) -> Item:
    return Item(lambda palette, width: [row((f" {title}", palette.accent))])


def _entry(name: str, does: str) -> Item:
    """In two columns; where it is narrow, one below the other."""

    def rows(palette: Palette, width: int) -> Sequence[Strip]:
        if not name:
            return _indented([(does, _PLAIN)], 3, width)
        if width < _COLUMNS:
            below = _indented([(does, palette.dim)], 5, width)
            return [*_indented([(name, _BOLD)], 3, width), *below]
        indent = max(_NAMES, cell_len(name)) + 5
        first, *more = _indented([(does, _PLAIN)], indent, width)
        name_cell = Segment(f"   {fitted(name, indent - 5)}  ", _BOLD)
        return [Strip([name_cell, *list(first)[1:]]), *more]

    return Item(rows)


_BOLD = Style(bold=True)


def _indented(pieces: Sequence[tuple[str, Style]], indent: int, width: int) -> list[Strip]:
    rows = wrapped(pieces, width - indent - 1)
    return [Strip([Segment(" " * indent), *segments]) for segments in rows]
