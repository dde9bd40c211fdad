"""The log of messages: all that is kept of a room, a screen of it at a time."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from textual.cache import LRUCache
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from trio_chat.client.model import Buffer, Line
from trio_chat.client.tui.pane import Pane, Resized
from trio_chat.client.tui.rows import Sheet
from trio_chat.client.tui.text import with_link_ids
from trio_chat.client.tui.theme import DARK, PALETTES, Palette
from trio_chat.client.tui.viewport import Viewport

_CACHED = 1024  # lines: some screens of them

# All that may be seen of a line: whichever of it changes, the line is drawn again.
_looks = attrgetter(*(field.name for field in fields(Line)))


class MessageLog(Pane):
    """Shows one buffer, each where it was left; ``show`` it again whenever it has changed."""

    class Top(Message):
        """Somebody comes to the top of what we have, and may want to see what was before."""

    def __init__(self) -> None:
        super().__init__()
        self.selectable = True  # whether the mouse is ours
        self._buffer: Buffer | None = None
        self._views: dict[Buffer, Viewport] = {}
        self._sheet = Sheet(0, PALETTES[DARK])
        self._cache: LRUCache[tuple[object, ...], list[Strip]] = LRUCache(_CACHED)

    @property
    def follows(self) -> bool:
        """Whether the last line is seen, and the next one will be."""
        return self._view is None or self._view.follows

    def show(self, buffer: Buffer, palette: Palette) -> None:
        self._buffer = buffer
        sheet = Sheet(self.size.width, palette)
        if sheet != self._sheet:
            self._sheet = sheet
            self._cache.clear()
        self._update()

    def scroll_rows(self, rows: int) -> None:
        if view := self._view:
            view.scroll(rows)
            self._scrolled()

    def scroll_pages(self, pages: int) -> None:
        """One row less, so that the eye finds its place."""
        self.scroll_rows(pages * max(self.size.height - 1, 1))

    def to_top(self) -> None:
        if view := self._view:
            view.to_top()
            self._scrolled()

    def to_end(self) -> None:
        if view := self._view:
            view.to_end()
            self._scrolled()

    def show_line(self, line: Line) -> None:
        if view := self._view:
            view.show(line)
            self._scrolled()

    def keep(self, buffers: Sequence[Buffer]) -> None:
        """Forget where others were left: they have been closed."""
        self._views = {buffer: view for buffer, view in self._views.items() if buffer in buffers}

    @property
    def _view(self) -> Viewport | None:
        if self._buffer is None:
            return None
        if self._buffer not in self._views:
            self._views[self._buffer] = Viewport(self._buffer, self._rows)
        return self._views[self._buffer]

    def _scrolled(self) -> None:
        """The parts around it tell whether there is more below."""
        self.screen.clear_selection()  # it is of rows of the screen
        self._update()
        self.post_message(Resized())

    def _update(self) -> None:
        if (view := self._view) is None or not self.size:
            return
        view.height = self.size.height
        if view.near_top:
            self.post_message(self.Top())
        strips = view.strips()
        if missing := self.size.height - len(strips):
            strips = self._finished([Strip([])]) * missing + strips
        self.show_rows(strips)

    def _rows(self, line: Line) -> list[Strip]:
        unread = self._buffer is not None and line is self._buffer.first_unread
        key = (*_looks(line), unread)
        rows = self._cache.get(key)
        if rows is None:
            rows = self._finished(self._sheet.rows(line, unread=unread))
            self._cache[key] = rows
        return rows

    def _finished(self, rows: Sequence[Strip]) -> list[Strip]:
        """As the terminal gets them. That a row is the same one from frame to frame lets Textual
        keep what it has made of it.
        """
        style, width = self.rich_style, self.size.width
        return [with_link_ids(row.crop_extend(0, width, style).apply_style(style)) for row in rows]

    def notify_style_update(self) -> None:
        """The theme is another one."""
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
        """With the mouse: as it is seen."""
        return selection.extract("\n".join(strip.text.rstrip() for strip in self._strips)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
