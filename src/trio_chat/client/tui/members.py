"""Who is in the room."""

from textual.strip import Strip

from trio_chat.client.model import Buffer
from trio_chat.client.tui.look import Palette
from trio_chat.client.tui.pane import Pane, row, shortened
from trio_chat.core.names import fold
from trio_chat.protocols.client import Member

_RANKS = "~&@%+"  # founders first, as IRC has them


class Members(Pane):
    def show(self, buffer: Buffer, palette: Palette) -> None:
        members = sorted(buffer.members.values(), key=_rank)
        space = self.size.height
        if len(members) > space > 0:
            more = row((f"  {len(members) - space + 1} more", palette.dim))
            self.show_rows([*(self._row(m, palette) for m in members[: space - 1]), more])
        else:
            self.show_rows([self._row(member, palette) for member in members])

    def _row(self, member: Member, palette: Palette) -> Strip:
        style = palette.dim if member.away else palette.nick(member.nick)
        bot = " bot" if member.bot else ""
        sign = member.prefixes[:1] or " "
        strip = row((f" {sign}", palette.dim), (member.nick, style), (bot, palette.dim))
        return shortened(strip, self.size.width)


def _rank(member: Member) -> tuple[int, str]:
    sign = member.prefixes[:1]
    return (_RANKS.index(sign) if sign and sign in _RANKS else len(_RANKS)), fold(member.nick)
