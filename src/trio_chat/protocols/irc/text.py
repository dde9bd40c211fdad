"""Text as it is shown to a person, and as it fits into lines."""

import re
from collections.abc import Iterator, Sequence

from trio_chat.core.letters import is_between, last_cut
from trio_chat.protocols.clean import clean, is_seam
from trio_chat.protocols.client import Look, Run

CTCP = "\x01"

#: The frame around a text, by whether it is an action.
FRAMES = {True: (f"{CTCP}ACTION ", CTCP), False: ("", "")}

#: The refusal of a text of nothing but control characters.
INVISIBLE = "That has nothing visible in it, so it was not sent."

# Bold, colours by number and by hexadecimal code, off, monospace, reverse, italics, strikethrough,
# underline (modern.ircdocs.horse, "Formatting").
_FORMATTING = re.compile(
    r"\x03(?:(?P<colour>[0-9]{1,2})(?:,[0-9]{1,2})?)?"
    r"|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?"
    r"|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)

# The codes that turn a look on, and off again.
_SWITCHES = {"\x02": "bold", "\x1d": "italic", "\x1f": "underline", "\x1e": "strike"}

# Two servers have lost each other: so all words of QUIT read then, and nobody else may say them.
_SPLIT = re.compile(r"[\w*][\w.*-]*\.[\w*]+ [\w*][\w.*-]*\.[\w*]+", re.ASCII)

# Of the colours 16 to 87, which are twelve hues from dark to pale, to the like among the first 16.
_HUES = (4, 7, 8, 9, 3, 10, 11, 12, 12, 6, 13, 13)

# Each letter of a line in a colour of its own is as much as people send. Runs take more memory than
# their text.
_RUNS_MAX = 100

# Twice as long as a message may be with us. To look for the formatting of more takes too long.
_FORMATTED_MAX = 8192  # characters

_PLAIN = Look()


def shown(text: str) -> str:
    """A text without formatting, and without anything that steers a terminal."""
    return clean(text if text.isprintable() else _FORMATTING.sub("", text))


def shown_lines(text: str) -> str:
    """The same for a text that may have several lines."""
    return "\n".join(map(shown, text.split("\n"))) if "\n" in text else shown(text)


def formatted(text: str) -> tuple[str, tuple[Run, ...]]:
    """The text of ``shown_lines``, and its formatting, which ends with each line."""
    if text.isprintable() or len(text) > _FORMATTED_MAX:
        return shown_lines(text), ()
    lines: list[str] = []
    runs: list[Run] = []
    place = 0
    for line in text.split("\n"):
        pieces = list(_pieces(line, _RUNS_MAX - len(runs)))
        lines.append("".join(piece for piece, _ in pieces))
        for piece, look in pieces:
            if piece and look != _PLAIN:
                runs.append(Run(place, place + len(piece), look))
            place += len(piece)
        place += 1
    return "\n".join(lines), tuple(runs)


def _pieces(line: str, most: int) -> Iterator[tuple[str, Look]]:
    """The shown pieces of a line, each with its look.

    The look changes only between letters, and only so often that at most ``most`` pieces have
    formatting.
    """
    bare = _FORMATTING.sub("", line)
    begin, now = 0, _PLAIN
    for place, look in _changes(line):
        end = max(begin, place)
        if look == now or not most:
            continue
        while not is_seam(bare, end):
            end += 1
        if end > begin:
            yield clean(bare[begin:end]), now
            most -= now != _PLAIN
        begin, now = end, look
    yield clean(bare[begin:]), now if most else _PLAIN


def _changes(line: str) -> Sequence[tuple[int, Look]]:
    """The places in the bare text where the look changes, each with the look from there on."""
    changes: dict[int, Look] = {}
    look, codes = _PLAIN, 0
    for found in _FORMATTING.finditer(line):
        look = _changed(look, found)
        changes[found.start() - codes] = look
        codes += len(found[0])
    return tuple(changes.items())


def _changed(look: Look, found: re.Match[str]) -> Look:
    """A look after a formatting code. Backgrounds and reverse are the reader's own."""
    match found[0][0]:
        case "\x0f":
            return _PLAIN
        case "\x03":
            return look._replace(colour=_nearest(int(found["colour"] or 99)))
        case "\x04":
            return look._replace(colour=None)
        case "\x11" | "\x16":
            return look
        case code:
            switch = _SWITCHES[code]
            return look._replace(**{switch: not getattr(look, switch)})


def _nearest(colour: int) -> int | None:
    """The nearest of the first 16 colours; None for a grey, and for 99, which turns colour off."""
    if colour < 16:
        return colour
    return _HUES[(colour - 16) % 12] if colour < 88 else None


def is_cut(text: str, came_back: str) -> bool:
    """Whether a server has let through only the beginning of a text.

    Formatting, blanks at the end and invisible characters do not count: a server may take them
    away.
    """
    ours, theirs = _seen(text), _seen(came_back)
    return len(theirs) < len(ours) and ours.startswith(theirs)


def _seen(text: str) -> str:
    return "".join(filter(str.isprintable, _FORMATTING.sub("", text))).rstrip()


def is_invisible(text: str) -> bool:
    """Whether nothing of a text can be seen, though it is not blank."""
    if text.isascii() and text.isprintable():
        return False
    seen = shown_lines(text.replace(CTCP, "").replace("\0", ""))
    return bool(text.strip()) and not seen.strip()


def is_room(target: str) -> bool:
    """Whether a target is a room, on any server: ``&`` begins one of a single server."""
    return target.startswith(("#", "&"))


def room_name(name: str) -> str:
    """A room's name, with a ``#`` before it if neither that nor ``&`` is there."""
    return name if is_room(name) else f"#{name}"


def read_action(text: str) -> tuple[str, bool]:
    """A text without the frame of an action (CTCP ACTION), and whether it had one."""
    start, end = FRAMES[True]
    if not text.startswith(start):
        return text, False
    return text.removeprefix(start).removesuffix(end), True


def pieces(text: str, most: int) -> Sequence[str]:
    """Cut a text into pieces of at most ``most`` bytes, between words if possible."""
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
    """A reason, after the names of what it is about, unless it mentions them."""
    missing = " ".join(word for word in about if not _mentions(why, word))
    return f"{missing}: {why}" if missing else why


def _mentions(why: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", why) is not None


def is_split(why: str) -> bool:
    """Whether somebody has gone with this reason because two servers have lost each other."""
    one, _, other = why.partition(" ")
    return one != other and _SPLIT.fullmatch(why) is not None
