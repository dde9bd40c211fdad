"""Alerts for a person who is not looking: the window's title, the bell, notifications.

They are terminal sequences around other people's text. So the text is cleaned once more, cut, and
begins with a word of ours: some terminals take ``4;`` for a progress bar.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from trio_chat.protocols.clean import clean

_TITLE_MAX = 100  # characters
_TEXT_MAX = 200

Kind = Literal["auto", "osc9", "osc777", "off"]


class Alerts:
    """``write`` takes sequences; ``focused`` tells whether the person is looking."""

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
        """Save the window's title."""
        if self._title:
            self._write("\x1b[22;2t")

    def end(self) -> None:
        if self._title:
            self._write("\x1b[23;2t")

    def show_title(self, room: str, unread: int, calls: int) -> None:
        """Show the room, and the number of calls or else of unread messages anywhere."""
        news = f"@{calls}" if calls else str(unread)
        title = f"({news}) {room}" if unread or calls else room
        if self._title and title != self._shown:
            self._shown = title
            self._write(f"\x1b]2;{_safe(f'{title} - trio-chat', _TITLE_MAX)}\x1b\\")

    def call(self, who: str, text: str) -> None:
        """Alert the person to a mention or a private message."""
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
    """Choose the sequence: rxvt and VTE (GNOME, Xfce) know only one, most others only the other."""
    if "VTE_VERSION" in environment or environment.get("TERM", "").startswith("rxvt"):
        return "osc777"
    return "osc9"
