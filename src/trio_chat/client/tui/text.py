"""Text in cells: how wide it is, where it breaks, and what of it is a link."""

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

#: A piece of text and how it looks.
Piece = tuple[str, Style]

# What a terminal may be told to open. Only what is seen is linked, so nothing leads elsewhere;
# only ASCII, so that it looks like what it is.
_LINK = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_AFTER_LINK = ".,;:!?'\"*_"


def fitted(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells, cut with an ellipsis if it is longer."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Begin and end of each row, none wider than ``width`` cells but for blanks at its end.

    It breaks at line feeds and after blanks; a word that is longer than a row, between what people
    see as letters.
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
    """The same of pieces: the segments of each row."""
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
    """``text`` with each link in it as one that a terminal can open."""
    done = 0
    for begin, link in find_links(text):
        yield text[done:begin], style
        yield link, style + Style(underline=True, link=link)
        done = begin + len(link)
    yield text[done:], style


def dressed(pieces: Iterable[Piece], looks: Sequence[tuple[int, int, Style]]) -> Iterator[Piece]:
    """The pieces with what the looks add to theirs, each from a place to another in all the text,
    in their order.
    """
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
    """Each link and where it begins. What ends the sentence around it is no part of it."""
    for found in _LINK.finditer(text):
        link = found[0].rstrip(_AFTER_LINK)
        for opening, closing in ("()", "[]", "<>"):
            while link.endswith(closing) and link.count(closing) > link.count(opening):
                link = link[:-1].rstrip(_AFTER_LINK)
        yield found.start(), link


def with_link_ids(strip: Strip) -> Strip:
    """Give every piece of a link the same id, by which terminals know that it is one link though
    it goes on in the next row. Rich has another one for each piece, and no public name for it.
    """
    if not any(segment.style and segment.style.link for segment in strip):
        return strip
    return Strip([Segment(text, style and _with_link_id(style)) for text, style, _ in strip])


def _with_link_id(style: Style) -> Style:
    if link := style.link:
        style = style.copy()
        style._link_id = f"trio-chat-{zlib.crc32(link.encode()):08x}"
    return style
