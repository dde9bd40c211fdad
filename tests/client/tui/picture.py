"""Draw the screen: ``python tests/client/tui/picture.py docs`` makes the pictures of the docs.

It needs rsvg-convert (Debian: librsvg2-bin) and the fonts DejaVu Sans Mono and DejaVu Sans, and
for Japanese any that has it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parents[2]))

from lively import lively_model
from rich.cells import split_graphemes
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from screens import rows_of, shown
from trio_chat.client.tui.app import ChatApp
from trio_chat.settings import ScreenSettings

_CELL, _LINE, _FONT = 9, 21, 15  # pixels
_BAR, _EDGE = 34, 10  # above the screen, and around it
_BASE = 15.5  # of the letters below the top of their row

_EMOJI = "\U0001f300"  # the first one; in black and white, as rsvg-convert has it
_SIZE = (120, 30)  # with everybody who is here


def picture(app: ChatApp) -> str:
    """SVG, with each letter where its cell is, whatever the font."""
    rows = list(rows_of(app))
    background = rows[-1]._segments[0].style.bgcolor
    width = app.size.width * _CELL + 2 * _EDGE
    height = app.size.height * _LINE + _BAR + _EDGE
    cells = [cell for y, row in enumerate(rows) for cell in _cells(row, _BAR + y * _LINE)]
    parts = [*_behind(cells), *(_drawn(cell) for cell in cells)]
    dots = "".join(
        f'<circle cx="{22 + 20 * i}" cy="17" r="6" fill="{colour}"/>'
        for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}">'
        f'<rect width="100%" height="100%" rx="9" fill="{_hex(background)}"/>{dots}'
        f'<g shape-rendering="crispEdges" xml:space="preserve" font-size="{_FONT}"'
        ' font-family="DejaVu Sans Mono">'
        f"{''.join(parts)}</g></svg>"
    )


class Cell(NamedTuple):
    letter: str
    fore: str
    back: str
    style: Style
    x: float
    top: float
    width: float


def _cells(row: Strip, top: float) -> Iterator[Cell]:
    x = float(_EDGE)
    for text, style, _ in row:
        colours = _hex(style.color), _hex(style.bgcolor)
        fore, back = reversed(colours) if style.reverse else colours
        for begin, end, cells in split_graphemes(text)[0]:
            yield Cell(text[begin:end], fore, back, style, x, top, cells * _CELL)
            x += cells * _CELL


def _behind(cells: Iterable[Cell]) -> Iterator[str]:
    """A box for all that stand side by side on the same colour."""
    for (top, back), group in groupby(cells, key=lambda cell: (cell.top, cell.back)):
        first, *_ = run = list(group)
        yield _box(first.x, top, sum(cell.width for cell in run), _LINE, back)


def _drawn(cell: Cell) -> str:
    """Lines are drawn as such, so that nothing is between them."""
    letter, x, top, width = cell.letter, cell.x, cell.top, cell.width
    match letter:
        case "│":
            return _box(x + width / 2, top, 1, _LINE, cell.fore)
        case "┃":
            return _box(x + width / 2 - 1, top, 3, _LINE, cell.fore)
        case "─":
            return _box(x, top + _LINE / 2, width, 1, cell.fore)
        case "▌":
            return _box(x, top, width / 2, _LINE, cell.fore)
    return _letter(cell) if letter.strip() else ""


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'


def _letter(cell: Cell) -> str:
    how = f'x="{cell.x}" y="{cell.top + _BASE}" fill="{cell.fore}"'
    if cell.style.bold:
        how += ' font-weight="bold"'
    if cell.style.underline:
        how += ' text-decoration="underline"'
    if cell.letter[0] >= _EMOJI:
        how += ' font-family="DejaVu Sans"'
    return f"<text {how}>{escape(cell.letter)}</text>"


def _hex(colour: Color | None) -> str:
    return colour.get_truecolor().hex if colour else "#000000"


def draw(target: Path, theme: str) -> None:
    svg = ""

    async def script(pilot, app):
        nonlocal svg
        await pilot.press(*"carol: yes, tonight")
        await pilot.pause()
        svg = picture(app)

    shown(lively_model(), script, size=_SIZE, settings=ScreenSettings(theme=theme))
    subprocess.run(
        ["rsvg-convert", "--zoom", "1.3333333", "--output", target], input=svg.encode(), check=True
    )


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    for theme, name in (("dark", "screen.png"), ("light", "screen-light.png")):
        draw(Path(sys.argv[1]) / name, theme)
