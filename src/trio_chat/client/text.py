"""Messages as text for people."""

import zlib
from collections.abc import Sequence
from datetime import datetime

from trio_chat.core.events import Said
from trio_chat.protocols.clean import clean
from trio_chat.protocols.client import Earlier, Message, Stamped, State
from trio_chat.protocols.irc.times import moment_of
from trio_chat.protocols.plain.wording import wording

#: Colours of the 256 that are readable on white and on black: a contrast of 3.6 or more with both
#: (WCAG 2.1 asks 3 of large text), and easy to tell apart.
COLOURS_256 = tuple(
    f"38;5;{colour}" for colour in (167, 166, 100, 64, 29, 30, 32, 67, 63, 99, 134, 164, 132, 197)
)

#: Colours of the 16, which people have chosen to be readable.
COLOURS_16 = ("31", "32", "33", "34", "35", "36")
_DIM = "\x1b[2m"
_RESET = "\x1b[0m"


def piped_text(message: Message) -> str:
    """Format as ``plain_text``, with the time before what was searched for."""
    found = isinstance(message, Earlier) and message.found
    return dated_text(message) if found else plain_text(message)


def plain_text(message: Message) -> str:
    """Format as lines without the last newline, safe to print on a terminal."""
    shown = message.said if isinstance(message, Earlier) else message
    return "" if isinstance(shown, State) else "\n".join(clean(line) for line in wording(shown))


def dated_text(message: Message) -> str:
    """Format as ``plain_text``, with the time before what was not said just now."""
    return _when(message) + plain_text(message)


def coloured_text(message: Message, colours: Sequence[str] = COLOURS_256) -> str:
    """Format with a colour for each nickname; dim if nobody says it now."""
    text = plain_text(message)
    if isinstance(message, Said):
        begin = 2 if message.action and not message.to else 0
        end = begin + len(clean(message.nick))
        colour = colours[zlib.crc32(message.nick.encode("utf-8", "replace")) % len(colours)]
        when = _dim(_when(message))
        return f"{when}{text[:begin]}\x1b[{colour}m{text[begin:end]}{_RESET}{text[end:]}"
    return _dim(dated_text(message))


def _dim(text: str) -> str:
    return f"{_DIM}{text}{_RESET}" if text else ""


def _when(message: Message) -> str:
    """Format the local time, with the day unless that is today."""
    said = message.said if isinstance(message, Earlier) else message
    if not isinstance(said, Stamped) or not (said.late or isinstance(message, Earlier)):
        return ""
    moment = moment_of(said.time)
    if moment is None:  # a server that says no time, or an odd one
        return ""
    then = datetime.fromtimestamp(moment).astimezone()
    today = then.date() == datetime.now(then.tzinfo).date()
    return f"[{then:%H:%M}] " if today else f"[{then:%Y-%m-%d %H:%M}] "
