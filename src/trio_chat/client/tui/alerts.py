"""What reaches somebody who does not look: the window's title, the bell, a notification.

All of it is sequences for the terminal around text that others wrote; so the text is cleaned here
once more, is cut, and begins with a word of ours: some terminals take ``4;`` for a progress bar.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from trio_chat.protocols.clean import clean

_TITLE_MAX = 100  # characters
_TEXT_MAX = 200

Kind = Literal["auto", "osc9", "osc777", "off"]


class Alerts:
    """``write`` gets sequences; ``focused`` tells whether somebody is looking."""

    def __init__(
        self,
        write: Callable[[str], None],
        focused: Callable[[], bool],
        *,
        title: bool,
        bell: bool,
        notify: Kind,
        environment: Mapping[str, str],
    ) -> None:
        self._write, self._focused = write, focused
        self._title, self._bell = title, bell
        self._notify = _known_to(environment) if notify == "auto" else notify
        self._shown = ""

    def begin(self) -> None:
        """Keep the title that the window has."""
        if self._title:
            self._write("\x1b[22;2t")

    def end(self) -> None:
        if self._title:
            self._write("\x1b[23;2t")

    def show_title(self, room: str, unread: int, calls: int) -> None:
        """``unread`` messages are anywhere, of which so many are ``calls``."""
        news = f"@{calls}" if calls else str(unread)
        title = f"({news}) {room}" if unread or calls else room
        if self._title and title != self._shown:
            self._shown = title
            self._write(f"\x1b]2;{_safe(f'{title} - trio-chat', _TITLE_MAX)}\x1b\\")

    def call(self, who: str, text: str) -> None:
        """Somebody has called us, or says something to us alone."""
        if self._bell:
            self._write("\a")
        if self._focused() or self._notify == "off":
            return
        body = _safe(f"{who}: {text}", _TEXT_MAX)
        if self._notify == "osc9":
            self._write(f"\x1b]9;trio-chat: {body}\x1b\\")
        else:
            self._write(f"\x1b]777;notify;trio-chat;{body}\x1b\\")


def _safe(text: str, length: int) -> str:
    return clean(text.replace("\n", " "))[:length]


def _known_to(environment: Mapping[str, str]) -> Kind:
    """rxvt and what is built on VTE (GNOME's, Xfce's) know only the one; most others, the other."""
    if "VTE_VERSION" in environment or environment.get("TERM", "").startswith("rxvt"):
        return "osc777"
    return "osc9"
