"""The help page: how to start, symbols, keys and commands."""

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
_COLUMNS = 56  # cells from which names and explanations fit side by side

_Rows = Sequence[tuple[str, str]]

_BEGIN: _Rows = (
    ("", "Type something and press Enter: everybody in this room reads it."),
    ("/join #python", "go to another room, or create it"),
    ("/query alice", "talk to alice in private; F7 lists who is here"),
    ("Tab", "complete a name, #room, /command or :emoji:"),
    ("PageUp", "scroll back, as far as the server keeps history"),
    ("/quit", "leave"),
)

_SIGNS: _Rows = (
    ("3", "beside a room: the number of unread messages"),
    ("@3", "how many of them name you, are private or urgent"),
    ("── new ──", "unread messages begin here"),
    ("⋯", "being sent: the server has not confirmed it yet"),
    ("✗", "not sent, and why"),
    ("@alice, +bob", "alice is an operator here, bob may always speak"),
    ("·", "an event, or a note from this program"),
)


def find_help(words: str, commands: Iterable[Candidate]) -> Iterator[Sequence[Item]]:
    """Find the entries with all these words, in one piece; all entries if there are no words."""
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
    yield "Getting started", _BEGIN
    yield "Symbols", _SIGNS
    yield "Keys", _keys((*ROOMS, *ALWAYS))
    yield "Keys while typing", _keys(WRITING)
    yield "Commands", [(command.rstrip(), command.note) for command in commands]


def _keys(rows: Iterable[Keys]) -> _Rows:
    return [(keys.shown, keys.does) for keys in rows]


def _title(title: str) -> Item:
    return Item(lambda palette, width: [row((f" {title}", palette.accent))])


def _entry(name: str, does: str) -> Item:
    """An entry in two columns, or one below the other on narrow screens."""

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
