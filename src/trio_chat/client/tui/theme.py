"""Colours: three themes, and a colour for each nickname.

Each colour has a contrast of at least 4.5 with its background, as WCAG 2.1 requires for text. The
colours of nicknames are, within that, as far from each other as possible (in OKLab, hue before
lightness), and none is grey. With 256 colours in the terminal, the greys are nearly the same. The
terminal's own theme uses its six named colours.

The colours in people's texts have IRC's hues, as dark or as light as that contrast needs, also when
selected by the mouse. Greys are ignored: they would look like the program's own text, or be
invisible.
"""

import zlib
from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme

from trio_chat.core.names import fold
from trio_chat.protocols.client import Look


@dataclass(frozen=True)
class Palette:
    """The styles of one theme."""

    dim: Style
    rule: Style  # decoration
    accent: Style
    error: Style
    mention: Style  # a line that mentions us
    call: Style  # the rule beside it
    chosen: Style  # the current room, the row that Enter takes
    selected: Style  # by the mouse
    nicks: tuple[Style, ...]
    colours: tuple[str | None, ...] = (None,) * 16  # of IRC, by number

    def nick(self, nick: str) -> Style:
        """The colour of a nickname, the same for all spellings of it."""
        return self.nicks[zlib.crc32(fold(nick).encode("utf-8", "replace")) % len(self.nicks)]

    def look(self, look: Look) -> Style:
        """The style that formatting adds to a text, so that links in it stay links."""
        return Style(
            bold=look.bold or None,
            italic=look.italic or None,
            underline=look.underline or None,
            strike=look.strike or None,
            color=None if look.colour is None else self.colours[look.colour],
        )


def _bold(*colours: str) -> tuple[Style, ...]:
    return tuple(Style(color=colour, bold=True) for colour in colours)


DARK, LIGHT, TERMINAL = "trio-dark", "trio-light", "ansi-dark"

#: The theme for each value of the setting.
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
        panel="#22252a",
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
        rule=Style(color="#3b4252"),
        accent=Style(color="#7aa2f7", bold=True),
        error=Style(color="#f7768e"),
        mention=Style(bgcolor="#2c2921"),
        call=Style(color="#f3ba25", bold=True),
        chosen=Style(bgcolor="#2f343d", bold=True),
        selected=Style(bgcolor="#26334d"),
        nicks=_bold(
            "#f77f9e", "#f8b09d", "#fd8537", "#c3955e", "#f7c97b", "#cfa508", "#d8da3c", "#96a856",
            "#66b725", "#98ec62", "#b2e0a8", "#20f6a5", "#60b196", "#49eaf2", "#30b1c4", "#22b8fb",
            "#89cef6", "#769cef", "#bdbcfd", "#b296ff", "#d780fc", "#ce92d1", "#f674d0", "#fdbadf",
        ),
        colours=(
            None, None, "#85a4e4", "#05c704", "#ff705e", "#dc8c80", "#c78ec4", "#ff9b56",
            "#e8e802", "#2cff27", "#03c3c3", "#03f6f6", "#76a2fe", "#ff6bfc", None, None,
        ),
    ),
    LIGHT: Palette(
        dim=Style(color="#565c67"),
        rule=Style(color="#cfd3d9"),
        accent=Style(color="#2456c4", bold=True),
        error=Style(color="#b3203c"),
        mention=Style(bgcolor="#fff6d6"),
        call=Style(color="#9a5b00", bold=True),
        chosen=Style(bgcolor="#e2eafc", bold=True),
        selected=Style(bgcolor="#c4d5f7"),
        nicks=_bold(
            "#8e0049", "#ca0f52", "#940015", "#76382e", "#cc1a0a", "#9f4b0b", "#615608", "#02721c",
            "#026e5b", "#126686", "#2559b0", "#2252e7", "#576199", "#574fce", "#4c16c1", "#4e3c8e",
            "#873bdd", "#6c1998", "#824c98", "#ab22b5", "#653a68", "#801571", "#bb208a", "#8e4f69",
        ),
        colours=(
            None, None, "#000086", "#015f01", "#b90301", "#820000", "#770077", "#904603",
            "#595900", "#026a01", "#055959", "#026565", "#0036f8", "#a204a2", None, None,
        ),
    ),
    TERMINAL: Palette(
        dim=Style(dim=True),
        rule=Style(dim=True),
        accent=Style(color="cyan", bold=True),
        error=Style(color="red"),
        mention=Style(bold=True),
        call=Style(color="yellow", bold=True),
        chosen=Style(reverse=True),
        selected=Style(reverse=True),
        nicks=_bold("red", "green", "yellow", "blue", "magenta", "cyan"),
    ),
}  # fmt: skip
