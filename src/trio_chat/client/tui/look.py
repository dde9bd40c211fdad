"""Colours: three themes, and a colour of its own for each nickname.

Each colour has a contrast of 4.5 or more with what is behind it, which is what WCAG 2.1 asks of
text; those of nicknames are as light as each other, so that nobody stands out by chance. The
theme of the terminal's own colours knows nothing of them, and takes the six that have names.
"""

import zlib
from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme

from trio_chat.core.names import fold


@dataclass(frozen=True)
class Palette:
    """How things look in one theme."""

    dim: Style
    accent: Style
    error: Style
    mention: Style  # a line in which somebody calls us
    chosen: Style  # the room that is shown, the row that Enter means
    selected: Style  # by the mouse
    nicks: tuple[Style, ...]

    def nick(self, nick: str) -> Style:
        """The same for everybody who could be taken for the same."""
        return self.nicks[zlib.crc32(fold(nick).encode()) % len(self.nicks)]


def _bold(*colours: str) -> tuple[Style, ...]:
    return tuple(Style(color=colour, bold=True) for colour in colours)


DARK, LIGHT, TERMINAL = "trio-dark", "trio-light", "ansi-dark"

#: The theme of each name that may be set.
THEME_OF = {"dark": DARK, "light": LIGHT, "terminal": TERMINAL}

THEMES = (
    Theme(
        name=DARK,
        primary="#7aa2f7",
        accent="#7aa2f7",
        error="#f7768e",
        foreground="#d7dae0",
        background="#16181d",
        surface="#16181d",
        panel="#22262e",
        dark=True,
    ),
    Theme(
        name=LIGHT,
        primary="#2456c4",
        accent="#2456c4",
        error="#b3203c",
        foreground="#24272d",
        background="#fbfbfa",
        surface="#fbfbfa",
        panel="#ececea",
        dark=False,
    ),
)

PALETTES = {
    DARK: Palette(
        dim=Style(color="#979fac"),
        accent=Style(color="#7aa2f7", bold=True),
        error=Style(color="#f7768e"),
        mention=Style(bgcolor="#2a2618"),
        chosen=Style(bgcolor="#26334d", bold=True),
        selected=Style(bgcolor="#26334d"),
        nicks=_bold(
            "#e28d85", "#da9360", "#c49f2e", "#8eb029", "#43ba2c", "#2cba67", "#2bb69f",
            "#30b2cc", "#73a8de", "#989ee7", "#b694e6", "#d487e3", "#e285c3", "#e389a0",
        ),
    ),
    LIGHT: Palette(
        dim=Style(color="#565c67"),
        accent=Style(color="#2456c4", bold=True),
        error=Style(color="#b3203c"),
        mention=Style(bgcolor="#fff6d6"),
        chosen=Style(bgcolor="#e2eafc", bold=True),
        selected=Style(bgcolor="#c4d5f7"),
        nicks=_bold(
            "#c0291b", "#9e4f17", "#7b6012", "#566d10", "#217411", "#11743a", "#107262",
            "#126f81", "#1966b3", "#4451e4", "#7f38e3", "#a61cc2", "#bb1b86", "#c41c46",
        ),
    ),
    TERMINAL: Palette(
        dim=Style(dim=True),
        accent=Style(color="cyan", bold=True),
        error=Style(color="red"),
        mention=Style(bold=True),
        chosen=Style(reverse=True),
        selected=Style(reverse=True),
        nicks=_bold("red", "green", "yellow", "blue", "magenta", "cyan"),
    ),
}  # fmt: skip
