"""Text as it is shown to a person, and as it fits into lines."""

import re
from collections.abc import Sequence

from trio_chat.core.letters import is_between, last_cut
from trio_chat.protocols.clean import clean

CTCP = "\x01"

#: What stands before and after a text, if it is an action and if not.
FRAMES = {True: (f"{CTCP}ACTION ", CTCP), False: ("", "")}

# Bold, colours by number and by hexadecimal code, off, monospace, reverse, italics, strikethrough,
# underline (modern.ircdocs.horse, "Formatting").
_FORMATTING = re.compile(
    r"\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?"
    r"|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?"
    r"|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)


def shown(text: str) -> str:
    """Without formatting, and without anything that steers a terminal."""
    return clean(text if text.isprintable() else _FORMATTING.sub("", text))


def shown_lines(text: str) -> str:
    """The same of a text that may have several lines."""
    return "\n".join(map(shown, text.split("\n"))) if "\n" in text else shown(text)


def is_cut(text: str, came_back: str) -> bool:
    """Whether a server has let through only the beginning of a text. Formatting, blanks at the end
    and what nobody sees do not count: a server may take them away.
    """
    ours, theirs = _seen(text), _seen(came_back)
    return len(theirs) < len(ours) and ours.startswith(theirs)


def _seen(text: str) -> str:
    return "".join(filter(str.isprintable, _FORMATTING.sub("", text))).rstrip()


def is_room(target: str) -> bool:
    """Whether this names a room, on any server: ``&`` begins one that only its own server knows."""
    return target.startswith(("#", "&"))


def read_action(text: str) -> tuple[str, bool]:
    """A text without what makes it an action (CTCP ACTION), and whether it is one."""
    start, end = FRAMES[True]
    if not text.startswith(start):
        return text, False
    return text.removeprefix(start).removesuffix(end), True


def pieces(text: str, most: int) -> Sequence[str]:
    """A text in pieces of at most so many bytes of UTF-8: cut between words if that can be, else
    between letters.
    """
    if len(text) <= most and text.isascii():
        return [text]
    found = []
    text = text.encode("utf-8", "replace").decode()
    while len(text.encode()) > most:
        fitting = len(text.encode()[:most].decode(errors="ignore"))
        word = text.rfind(" ", fitting // 2, fitting) + 1
        end = word if word and is_between(text, word) else last_cut(text, fitting)
        found.append(text[:end])
        text = text[end:]
    return [*found, text]


def sentence(about: Sequence[str], why: str) -> str:
    """Why something is not so, and before it what it is about, if that is not said in it."""
    missing = " ".join(word for word in about if word not in why)
    return f"{missing}: {why}" if missing else why
