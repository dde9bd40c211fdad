"""The log of messages: a room's lines, a screen at a time."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter

from textual.cache import LRUCache
from textual.selection import Selection
from textual.strip import Strip

from trio_chat.client.model import Buffer, Line
from trio_chat.client.tui.pane import Pane, Resized
from trio_chat.client.tui.rows import Sheet
from trio_chat.client.tui.text import with_link_ids
from trio_chat.client.tui.theme import DARK, PALETTES, Palette
from trio_chat.client.tui.viewport import Viewport

_CACHED = 1024  # lines: several screens

# Everything that shows in a line: if any of it changes, the line is drawn again.
_looks = attrgetter(*(field.name for field in fields(Line)))


class MessageLog(Pane):
    """Shows one buffer, each where it was left; ``show`` it again whenever it has changed.

    ``near_top`` is called when the top of what we have comes near: older lines may be wanted.
    """

    def __init__(self, buffer: Buffer, near_top: Callable[[], object]) -> None:
        super().__init__()
        self.selectable = True  # whether the mouse is ours
        self._buffer, self._near_top = buffer, near_top
        self._views: dict[Buffer, Viewport] = {}
        self._sheet = Sheet(0, PALETTES[DARK])
        self._cache: LRUCache[tuple[object, ...], list[Strip]] = LRUCache(_CACHED)

    @property
    def follows(self) -> bool:
        """Whether the last line is visible, and the next one will be."""
        return self._view.follows

    def show(self, buffer: Buffer, palette: Palette) -> None:
        self._buffer = buffer
        sheet = Sheet(self.size.width, palette)
        if sheet != self._sheet:
            self._sheet = sheet
            self._cache.clear()
        self._update()

    def scroll_rows(self, rows: int) -> None:
        self._view.scroll(rows)
        self._scrolled()

    def scroll_pages(self, pages: int) -> None:
        """Scroll a page less one row, so that the eye finds its place."""
        self.scroll_rows(pages * max(self.size.height - 1, 1))

    def to_top(self) -> None:
        self._view.to_top()
        self._scrolled()

    def to_end(self) -> None:
        self._view.to_end()
        self._scrolled()

    def show_line(self, line: Line) -> None:
        self._view.show(line)
        self._scrolled()

    def keep(self, buffers: Sequence[Buffer]) -> None:
        """Forget where all others were left: they have been closed."""
        self._views = {buffer: view for buffer, view in self._views.items() if buffer in buffers}

    @property
    def _view(self) -> Viewport:
        if self._buffer not in self._views:
            self._views[self._buffer] = Viewport(self._buffer, self._rows)
        return self._views[self._buffer]

    def _scrolled(self) -> None:
        """Draw, and let the app draw the rest, which tells whether there is more below."""
        self.screen.clear_selection()  # it consists of rows of the screen
        self._update()
        self.post_message(Resized())

    def _update(self) -> None:
        if not self.size:
            return
        view = self._view
        view.height = self.size.height
        if view.near_top:
            self._near_top()
        strips = view.strips()
        if missing := self.size.height - len(strips):
            strips = self._finished([Strip([])]) * missing + strips
        self.show_rows(strips)

    def _rows(self, line: Line) -> list[Strip]:
        unread = line is self._buffer.first_unread
        key = (*_looks(line), unread)
        rows = self._cache.get(key)
        if rows is None:
            rows = self._finished(self._sheet.rows(line, unread=unread))
            self._cache[key] = rows
        return rows

    def _finished(self, rows: Sequence[Strip]) -> list[Strip]:
        """The rows as the terminal gets them. The same object from frame to frame lets Textual
        reuse what it has rendered.
        """
        style, width = self.rich_style, self.size.width
        return [with_link_ids(row.crop_extend(0, width, style).apply_style(style)) for row in rows]

    def notify_style_update(self) -> None:
        """Draw in the new theme."""
        super().notify_style_update()
        self._cache.clear()
        self._update()

    def render_line(self, y: int) -> Strip:
        if y >= len(self._strips):
            return Strip.blank(self.size.width, self.rich_style)
        strip = self._strips[y]
        if (selection := self.text_selection) and (span := selection.get_span(y)):
            strip = self._selected(strip, *span)
        return strip.apply_offsets(0, y) if self.selectable else strip

    def _selected(self, strip: Strip, begin: int, end: int) -> Strip:
        end = strip.cell_length if end == -1 else end
        parts = strip.divide([begin, end, max(strip.cell_length, end)])
        style = self._sheet.palette.selected
        return Strip.join(
            [*parts[:1], *(part.apply_style(style) for part in parts[1:2]), *parts[2:]]
        )

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that the mouse has selected, as it is visible."""
        return selection.extract("\n".join(strip.text.rstrip() for strip in self._strips)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
