"""The keys and what they do: one table, for the keyboard and for the help page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """``action`` is a method of the key controller, or of its log or screen, called with ``step``
    if that is not 0. It is empty if the line that is being written does it.
    """

    keys: tuple[str, ...]
    shown: str
    does: str
    action: str = ""
    step: int = 0


#: Whatever is on the screen.
ALWAYS = (
    Keys(("ctrl+c",), "Ctrl+C", "clear the line; twice: quit", "interrupt"),
    Keys(("escape",), "Esc", "close what is open, discard what was pasted", "close"),
)

#: While the log is shown. The most useful come first.
ROOMS = (
    Keys(("enter",), "Enter", "send", "send"),
    Keys(("up",), "↑", "the message that you sent before", "before"),
    Keys(("down",), "↓", "the message that you sent after it", "after"),
    Keys(("tab",), "Tab", "complete a word; again: the next candidate", "complete", 1),
    Keys(("shift+tab",), "Shift+Tab", "the previous candidate", "complete", -1),
    Keys((), "Alt+1 … Alt+0", "the first ten rooms"),
    Keys(("ctrl+n", "alt+down", "alt+right"), "Ctrl+N, Alt+→ ↓", "the next room", "go_by", 1),
    Keys(("ctrl+p", "alt+up", "alt+left"), "Ctrl+P, Alt+← ↑", "the previous room", "go_by", -1),
    Keys(("alt+a",), "Alt+A", "the next room with something new", "next_news"),
    Keys(("ctrl+g",), "Ctrl+G", "go to a room by part of its name", "go_by_name"),
    Keys(("pageup",), "PageUp", "scroll back", "log.scroll_pages", -1),
    Keys(("pagedown",), "PageDown", "scroll forward", "log.scroll_pages", 1),
    Keys(("home",), "Home", "start of the line, or top of the log", "to_top"),
    Keys(("end",), "End", "end of the line, or of the log", "to_end"),
    Keys(("ctrl+f",), "Ctrl+F", "search this room", "search"),
    Keys(("f1",), "F1, /help", "this page; type to filter it", "help"),
    Keys(("f2",), "F2", "show or hide the rooms", "screen.toggle_rooms"),
    Keys(("f3",), "F3", "show or hide the people here", "screen.toggle_members"),
    Keys(("f4",), "F4", "messages that mention you", "mentions"),
    Keys(("f5",), "F5", "copy a message", "copy_message"),
    Keys(("f6",), "F6", "copy a link", "copy_link"),
    Keys(("f7",), "F7", "people here: message in private, see who it is, ignore", "people"),
    Keys(("f8",), "F8", "this room: close it, clear it, set its topic", "show_room_menu"),
    Keys(("f9",), "F9", "remove a message, or report it", "remove_message"),
    Keys(("ctrl+r",), "Ctrl+R", "send the last failed message again", "resend"),
    Keys(("ctrl+t",), "Ctrl+T", "dark, light or the terminal's colours", "screen.next_theme"),
    Keys(("alt+m",), "Alt+M", "let the mouse click here, or select text", "screen.toggle_mouse"),
    Keys(("ctrl+l",), "Ctrl+L", "redraw the screen", "screen.redraw"),
    Keys(("ctrl+d",), "Ctrl+D", "quit, if the line is empty", "end_of_input"),
)

#: Done by the line itself (``editing.EDITING``).
WRITING = (
    Keys((), "Alt+Enter", "a new line in the same message"),
    Keys((), "Ctrl+A  Ctrl+E", "to the start, to the end of the line"),
    Keys((), "Ctrl+← →", "back a word, forward a word"),
    Keys((), "Ctrl+U  Ctrl+K  Ctrl+W", "cut to the start, to the end, the word before"),
    Keys((), "Ctrl+Y", "paste what was cut"),
)

_PAGE = 10  # rows

#: While there is a list to choose from.
CHOOSING = {
    "up": ("move_choice", -1),
    "ctrl+p": ("move_choice", -1),
    "down": ("move_choice", 1),
    "ctrl+n": ("move_choice", 1),
    "pageup": ("move_choice", -_PAGE),
    "pagedown": ("move_choice", _PAGE),
    "enter": ("take_chosen", 0),
    **dict.fromkeys(("f1", "f4", "f5", "f6", "f7", "f8", "f9", "ctrl+f", "ctrl+g"), ("close", 0)),
}

EVER = {key: (row.action, row.step) for row in ALWAYS for key in row.keys}
BOUND = EVER | {key: (row.action, row.step) for row in ROOMS for key in row.keys}

#: Alt+1 is the first room, and Alt+0 the tenth.
NUMBERS = {f"alt+{number % 10}": number for number in range(1, 11)}
