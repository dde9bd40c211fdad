"""Text that has to fit into the lines of IRC, which are short."""

from collections.abc import Sequence

from trio_chat.core.events import Change
from trio_chat.core.letters import cut_bytes
from trio_chat.protocols.irc.info import LINE_MAX
from trio_chat.protocols.irc.message import word


def size(text: str) -> int:
    """The bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def fits(source: str, command: str, target: str, text: str) -> bool:
    """Whether a message is no longer than a line may be, with its sender's address."""
    return size(f":{source} {command} {target} :{text}") <= LINE_MAX - 2


def cut(line: str) -> str:
    """The beginning of a line that is no longer than it may be, in whole letters."""
    return line if size(line) <= LINE_MAX - 2 else cut_bytes(line, LINE_MAX - 2)


def mode_lines(start: str, changes: Sequence[Change]) -> Sequence[str]:
    """Lines of as many changes each as fit."""
    lines: list[str] = []
    some: list[Change] = []
    for change in changes:
        if some and size(" ".join([start, *written([*some, change])])) > LINE_MAX - 2:
            lines.append(" ".join([start, *written(some)]))
            some = []
        some.append(change)
    return [*lines, " ".join([start, *written(some)])] if some else lines


def written(changes: Sequence[Change]) -> Sequence[str]:
    """Changes as parameters of MODE: ``+ov-k alice bob *``."""
    letters, sign = "", ""
    for change in changes:
        if (now := "+" if change.add else "-") != sign:
            letters, sign = letters + now, now
        letters += change.mode
    return [letters, *(word(change.argument) for change in changes if change.argument)]


def wrapped(words: Sequence[str], most: int) -> Sequence[str]:
    """Words joined by blanks, in lines of at most ``most`` bytes."""
    lines: list[str] = []
    line, length = "", 0
    for text in words:
        more = size(text)
        if line and length + 1 + more > most:
            lines.append(line)
            line, length = "", 0
        line, length = (f"{line} {text}", length + 1 + more) if line else (text, more)
    return [*lines, line] if line else lines
