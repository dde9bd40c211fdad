"""What each key does: one table, for the keyboard and for the page that teaches it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """``action`` is the name of a method of the app; none if the line being written does it."""

    keys: tuple[str, ...]
    shown: str
    does: str
    action: str = ""


#: Whatever is on the screen.
ALWAYS = (
    Keys(("ctrl+c",), "Ctrl+C", "clear the line; twice: quit", "interrupt"),
    Keys(("escape",), "Esc", "close what is open, drop what was pasted", "close"),
)

#: While the log is shown. The most needed come first.
ROOMS = (
    Keys(("enter",), "Enter", "send", "send"),
    Keys(("up",), "↑", "what you have sent before", "before"),
    Keys(("down",), "↓", "what you have sent after that", "after"),
    Keys(("tab",), "Tab", "complete; again: the next one", "complete"),
    Keys(("shift+tab",), "Shift+Tab", "the one before", "complete_back"),
    Keys((), "Alt+1 … Alt+0", "the first ten rooms"),
    Keys(("ctrl+n", "alt+down", "alt+right"), "Ctrl+N, Alt+→ ↓", "the next room", "next_room"),
    Keys(("ctrl+p", "alt+up", "alt+left"), "Ctrl+P, Alt+← ↑", "the one before", "previous_room"),
    Keys(("alt+a",), "Alt+A", "the next room with something new", "next_news"),
    Keys(("ctrl+g",), "Ctrl+G", "go to a room by a part of its name", "go_by_name"),
    Keys(("pageup",), "PageUp", "back in the log", "page_up"),
    Keys(("pagedown",), "PageDown", "on in the log", "page_down"),
    Keys(("home",), "Home", "the beginning of the line or log", "to_top"),
    Keys(("end",), "End", "the end of the line or log", "to_end"),
    Keys(("ctrl+f",), "Ctrl+F", "search what was said here", "search"),
    Keys(("f1",), "F1, /help", "this page; what you write then narrows it", "help"),
    Keys(("f2",), "F2", "show or hide the rooms", "toggle_rooms"),
    Keys(("f3",), "F3", "show or hide who is here", "toggle_members"),
    Keys(("f4",), "F4", "who has called you", "mentions"),
    Keys(("f5",), "F5", "copy a message", "copy_message"),
    Keys(("f6",), "F6", "copy a link", "copy_link"),
    Keys(("f7",), "F7", "who is here: talk in private, ask who it is, ignore", "people"),
    Keys(("f8",), "F8", "this room: close it, empty it, set its topic", "room_menu"),
    Keys(("ctrl+r",), "Ctrl+R", "send again what has failed", "resend"),
    Keys(("ctrl+t",), "Ctrl+T", "dark, light, the terminal's colours", "next_theme"),
    Keys(("alt+m",), "Alt+M", "whether the mouse scrolls and clicks here", "toggle_mouse"),
    Keys(("ctrl+l",), "Ctrl+L", "draw all again", "redraw"),
    Keys(("ctrl+d",), "Ctrl+D", "quit, if nothing is written", "end_of_input"),
)

#: Done by the line itself (``editing.EDITING``).
WRITING = (
    Keys((), "Alt+Enter", "a new line in the same message"),
    Keys((), "Ctrl+A  Ctrl+E", "to the beginning, to the end of the line"),
    Keys((), "Ctrl+← →", "a word back, a word on"),
    Keys((), "Ctrl+U  Ctrl+K  Ctrl+W", "cut to the beginning, to the end, a word"),
    Keys((), "Ctrl+Y", "put in what was cut"),
)

#: While there is a list to choose from.
CHOOSING = {
    "up": "choose_up",
    "ctrl+p": "choose_up",
    "down": "choose_down",
    "ctrl+n": "choose_down",
    "pageup": "choose_page_up",
    "pagedown": "choose_page_down",
    "enter": "take_chosen",
    "f1": "close",
    "f4": "close",
    "f5": "close",
    "f6": "close",
    "f7": "close",
    "f8": "close",
    "ctrl+f": "close",
    "ctrl+g": "close",
}

BOUND = {key: row.action for row in (*ALWAYS, *ROOMS) for key in row.keys}
EVER = {key: row.action for row in ALWAYS for key in row.keys}

#: Alt+1 is the first room, and Alt+0 the tenth.
NUMBERS = {f"alt+{number % 10}": number for number in range(1, 11)}
