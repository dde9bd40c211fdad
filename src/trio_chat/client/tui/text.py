"""Text in cells: its width, its line breaks and its links."""

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

#: A piece of text and its style.
Piece = tuple[str, Style]

# Links for the terminal to open: exactly what is visible, so that none leads elsewhere, and only
# ASCII, so that none looks like another.
_LINK = re.compile(r"(?:https?|ircs?)://[!-~]+", re.IGNORECASE)
_AFTER_LINK = ".,;:!?'\"*_"


def fitted(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells, cut with an ellipsis if it is longer."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Begin and end of each row, none wider than ``width`` cells except for blanks at its end.

    Rows break at line feeds and after blanks, and inside a word longer than a row between what
    people see as letters.
    """
    if "\n" in text:
        return list(_wrap_lines(text, width))
    if cell_len(text) <= width:
        return [(0, len(text))]
    rows: list[tuple[int, int]] = []
    begin = used = word = 0
    for start, end, cells in split_graphemes(text)[0]:
        blank = text[start:end] == " "
        while used + cells > width and not blank and start > begin:
            cut = word if word > begin else start
            rows.append((begin, cut))
            begin, used = cut, cell_len(text[cut:start])
        used += cells
        if blank:
            word = end
    return [*rows, (begin, len(text))]


def _wrap_lines(text: str, width: int) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        yield from ((start + begin, start + end) for begin, end in wrap(line, width))
        start += len(line) + 1


def wrapped(pieces: Sequence[Piece], width: int) -> list[list[Segment]]:
    """Wrap pieces: the segments of each row."""
    text = "".join(piece for piece, _ in pieces)
    return [
        _row(pieces, begin, begin + len(text[begin:end].rstrip(" ")))
        for begin, end in wrap(text, max(width, 2))  # the widest letters take two cells
    ]


def _row(pieces: Sequence[Piece], begin: int, end: int) -> list[Segment]:
    row: list[Segment] = []
    offset = 0
    for text, style in pieces:
        if part := text[max(begin - offset, 0) : max(end - offset, 0)]:
            row.append(Segment(part, style))
        offset += len(text)
    return row


def linked(text: str, style: Style) -> Iterator[Piece]:
    """``text`` with its links as ones that a terminal can open."""
    done = 0
    for begin, link in find_links(text):
        yield text[done:begin], style
        yield link, style + Style(underline=True, link=link)
        done = begin + len(link)
    yield text[done:], style


def dressed(pieces: Iterable[Piece], looks: Sequence[tuple[int, int, Style]]) -> Iterator[Piece]:
    """Add styles to pieces, each from one offset of the whole text to another, in order."""
    at = 0
    for text, style in pieces:
        done = at
        for start, end, look in looks:
            start, end = max(start, done), min(end, at + len(text))
            if start < end:
                yield text[done - at : start - at], style
                yield text[start - at : end - at], style + look
                done = end
        yield text[done - at :], style
        at += len(text)


def find_links(text: str) -> Iterator[tuple[int, str]]:
    """Find links and their offsets, without the punctuation that ends a sentence around them."""
    for found in _LINK.finditer(text):
        link = found[0].rstrip(_AFTER_LINK)
        for opening, closing in ("()", "[]", "<>"):
            while link.endswith(closing) and link.count(closing) > link.count(opening):
                link = link[:-1].rstrip(_AFTER_LINK)
        yield found.start(), link


def with_link_ids(strip: Strip) -> Strip:
    """Give every piece of a link the same id, so that terminals recognise one link over several
    rows. Rich gives each piece its own, and has no public name for it.
    """
    if not any(segment.style and segment.style.link for segment in strip):
        return strip
    return Strip([Segment(text, style and _with_link_id(style)) for text, style, _ in strip])


def _with_link_id(style: Style) -> Style:
    if link := style.link:
        style = style.copy()
        style._link_id = f"trio-chat-{zlib.crc32(link.encode()):08x}"
    return style
