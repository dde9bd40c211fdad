"""The input line, which grows with what is pasted into it.

It always has the keyboard, and hands on each key at once, in order. Textual's own way is to handle
letters here, and Enter, arrows and all bindings a few messages later. In a burst of keys, as over a
slow link or from a paste that the terminal does not mark, ``ab⏎cd⏎`` would then say something else,
or say it in another room.
"""

from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.strip import Strip

from trio_chat.client.tui.editing import Editor
from trio_chat.client.tui.pane import Pane
from trio_chat.client.tui.text import fitted, wrap
from trio_chat.client.tui.theme import Palette

_ROWS = 8  # visible at a time

_CURSOR = Style(reverse=True)


class Prompt(Pane, can_focus=True, inherit_bindings=False):
    """``press`` takes each key and its character, if it has one; ``paste`` takes a text."""

    def __init__(self, press: Callable[[str, str], None], paste: Callable[[str], None]) -> None:
        super().__init__()
        self._press, self._paste = press, paste

    async def _on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self._press(event.key, (event.character or "") if event.is_printable else "")

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._paste(event.text)

    def show(self, editor: Editor, label: str, ghost: str, palette: Palette) -> None:
        """Draw the rows around the cursor; ``ghost`` shows while the line is empty."""
        indent = cell_len(label)
        space = max(self.size.width - indent - 1, 0)
        rows, place = _laid_out(editor, space)
        first = max(min(place.row - _ROWS // 2, len(rows) - _ROWS), 0)
        strips = [
            Strip(
                [
                    Segment(" " * indent) if number else Segment(label, palette.accent),
                    *_with_cursor(text, place.offset if number == place.row else None),
                    *([] if editor.text else [Segment(fitted(ghost, space).rstrip(), palette.dim)]),
                ]
            )
            for number, text in list(enumerate(rows))[first : first + _ROWS]
        ]
        if len(strips) != len(self._strips):
            self.styles.height = len(strips)
        self.show_rows(strips)
        self._put_cursor(rows, place, indent, first)

    def _put_cursor(self, rows: list[str], place: "_Place", indent: int, first: int) -> None:
        """Place the terminal's own, invisible cursor, where input methods open their windows."""
        cells = cell_len(rows[place.row][: place.offset])
        self.app.cursor_position = self.region.offset + Offset(indent + cells, place.row - first)


class _Place(NamedTuple):
    row: int
    offset: int  # in the row's text


def _laid_out(editor: Editor, width: int) -> tuple[list[str], _Place]:
    """The rows, and the place of the cursor in them."""
    rows: list[str] = []
    place = _Place(0, 0)
    for begin, end in wrap(editor.text, max(width, 2)):  # the widest letters take two cells
        if begin <= editor.cursor <= end:
            place = _Place(len(rows), editor.cursor - begin)
        rows.append(editor.text[begin:end])
    return rows, place


def _with_cursor(text: str, cursor: int | None) -> list[Segment]:
    if cursor is None:
        return [Segment(text)]
    letters = split_graphemes(text[cursor:])[0]
    end = cursor + letters[0][1] if letters else cursor + 1
    under = text[cursor:end] or " "
    return [Segment(text[:cursor]), Segment(under, _CURSOR), Segment(text[end:])]
