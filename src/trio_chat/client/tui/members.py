"""The list of people in the room."""

from collections.abc import Callable, Iterable, Sequence

from textual import events
from textual.strip import Strip

from trio_chat.client.model import Buffer
from trio_chat.client.tui.pane import Pane, Resized, row, shortened
from trio_chat.client.tui.theme import Palette
from trio_chat.core.names import fold
from trio_chat.protocols.client import Member

_RANKS = "~&@%+"  # founders first, as IRC has them


class Members(Pane):
    """``chosen`` gets the nickname that is clicked on."""

    def __init__(self, chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._chosen = chosen
        self._buffer: Buffer | None = None
        self._first = 0  # the number of those above the visible ones
        self._seen: Sequence[Member] = ()

    def show(self, buffer: Buffer, palette: Palette) -> None:
        if buffer is not self._buffer:
            self._buffer, self._first = buffer, 0
        members = ranked(buffer.members.values())
        space = max(self.size.height, 1)
        self._first = max(min(self._first, len(members) - space + 1), 0)
        self._seen = members[self._first : self._first + space]
        more = len(members) - self._first - len(self._seen)
        if more:
            self._seen, more = self._seen[:-1], more + 1
        rows = [self._row(member, palette) for member in self._seen]
        self.show_rows([*rows, row((f"  {more} more ↓", palette.dim))] if more else rows)

    def _row(self, member: Member, palette: Palette) -> Strip:
        style = palette.dim if member.away else palette.nick(member.nick)
        bot = " bot" if member.bot else ""
        sign = member.prefixes[:1] or " "
        strip = row((f" {sign}", palette.dim), (member.nick, style), (bot, palette.dim))
        return shortened(strip, self.size.width)

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self._seen):
            self._chosen(self._seen[event.y].nick)

    def scroll_rows(self, rows: int) -> None:
        self._first = max(self._first + rows, 0)
        self.post_message(Resized())


def ranked(members: Iterable[Member]) -> list[Member]:
    """Sort by rank, the highest first, and then alphabetically."""
    return sorted(members, key=_rank)


def _rank(member: Member) -> tuple[int, str]:
    sign = member.prefixes[:1]
    return (_RANKS.index(sign) if sign and sign in _RANKS else len(_RANKS)), fold(member.nick)
