"""The bar at the top (where we are) and the one above the input (how things are)."""

from collections.abc import Sequence

from rich.style import Style

from trio_chat.client.model import Model
from trio_chat.client.tui.pane import Pane, between
from trio_chat.client.tui.rooms import badge
from trio_chat.client.tui.text import Piece, linked
from trio_chat.client.tui.theme import Palette

_PLAIN = Style()
_WIDE = 60  # columns from which the network's name and who is typing fit
_SLOW = 1.0  # seconds of lag that are marked as an error


class TopBar(Pane):
    def show(self, model: Model, palette: Palette) -> None:
        buffer = model.current
        people = f"{len(buffer.members)} here " if buffer.kind == "room" else ""
        left = [(f" {buffer.name}", palette.accent), ("  ", _PLAIN), *linked(buffer.topic, _PLAIN)]
        self.show_rows([between(left, [("  ", _PLAIN), (people, palette.dim)], self.size.width)])


class StatusBar(Pane):
    """``hint`` takes precedence over who is typing."""

    def show(self, model: Model, palette: Palette, *, hint: str, rooms_hidden: bool) -> None:
        """Draw what matters most first, because the end is cut on narrow screens."""
        wide = self.size.width >= _WIDE
        nick = (f" {model.nick}", palette.nick(model.nick))
        news = _activity(model, palette, named=wide) if rooms_hidden else []
        network = f"  {model.network}" if wide and model.linked and model.network else ""
        left = [nick, *_away(model, palette), *_link(model, palette), *news, (network, palette.dim)]
        right = (hint, palette.accent) if hint else (_others(model) if wide else "", palette.dim)
        self.show_rows([between(left, [right, (" ", _PLAIN)], self.size.width)])


def _away(model: Model, palette: Palette) -> list[Piece]:
    return [(" away", palette.dim)] if model.away else []


def _link(model: Model, palette: Palette) -> list[Piece]:
    if not model.linked:
        return [("  ", _PLAIN), (model.status or "not connected", palette.error)]
    lag = f"{model.lag:.1f} s" if model.lag >= _SLOW else f"{model.lag * 1000:.0f} ms"
    style = palette.error if model.lag >= _SLOW else palette.dim
    return [(f"  {lag}" if model.lag else "", style)]


def _activity(model: Model, palette: Palette, *, named: bool) -> list[Piece]:
    """The buffers with something new, mentions first, for when the list of rooms is hidden."""
    news = [(b, number) for number, b in enumerate(model.buffers, 1) if b is not model.current]
    pieces: list[Piece] = []
    for buffer, number in sorted(news, key=lambda at: not at[0].mentions):
        if new := badge(buffer, palette):
            pieces += [(f"  {number}:{f'{buffer.name} ' if named else ''}", palette.dim), *new]
    return pieces


def _others(model: Model) -> str:
    """The people who are typing; if nobody is, how to get help."""
    nicks: Sequence[str] = model.current.typing
    if not nicks:
        return "F1: help"
    if len(nicks) > 2:
        return f"{len(nicks)} people are typing…"
    return f"{' and '.join(nicks)} {'are' if len(nicks) > 1 else 'is'} typing…"
