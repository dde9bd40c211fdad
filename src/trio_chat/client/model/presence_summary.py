"""One line for all who come and go, without a word, between two other lines.

Each is named once, with what their comings and goings amount to.
"""

from collections.abc import Collection
from itertools import islice

from trio_chat.client.model.lines import Line

_NAMED_MAX = 10  # names for each thing that happened; the others are counted

# The sum of what somebody did before on the line, and does now.
_AMOUNTS = {
    ("joined", "left"): "came and went",
    ("left", "joined"): "left and came back",
    ("came and went", "joined"): "joined",
    ("left and came back", "left"): "left",
    ("lost in a split", "joined"): "lost in a split and came back",
    ("lost in a split and came back", "left"): "left",
    ("joined", "lost in a split"): "came and went",
}


class PresenceSummary:
    """``line`` shows it."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._did: dict[str, str] = {}
        self._groups: dict[str, dict[str, None]] = {}

    def add(self, nick: str, did: str) -> None:
        """``did`` is "joined", "left" or "lost in a split"."""
        before = self._did.get(nick, "")
        self._groups.get(before, {}).pop(nick, None)
        self._did[nick] = _AMOUNTS.get((before, did), did)
        self._groups.setdefault(self._did[nick], {})[nick] = None
        parts = [f"{_names(nicks)} {what}" for what, nicks in self._groups.items() if nicks]
        self.line.text = "; ".join(parts)


def _names(nicks: Collection[str]) -> str:
    named = ", ".join(islice(nicks, _NAMED_MAX))
    more = len(nicks) - _NAMED_MAX
    return f"{named} and {more} more" if more > 0 else named
