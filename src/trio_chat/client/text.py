"""Messages as text for people, and as JSON for programs."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from trio_chat.core.events import Said
from trio_chat.protocols.clean import clean
from trio_chat.protocols.client import Earlier, Message, Stamped, State
from trio_chat.protocols.plain.wording import wording

#: Those of the 256 colours that are readable on white and on black alike, as a terminal is told
#: them: a contrast of 3.6 or more with both (WCAG 2.1 asks 3 of large text), and far enough from
#: each other.
COLOURS_256 = tuple(
    f"38;5;{colour}" for colour in (167, 166, 100, 64, 29, 30, 32, 67, 63, 99, 134, 164, 132, 197)
)

#: Where there are only 16, those that the person's own choice of colours makes readable.
COLOURS_16 = ("31", "32", "33", "34", "35", "36")
_DIM = "\x1b[2m"
_RESET = "\x1b[0m"


def plain_text(message: Message) -> str:
    """One line or several, without the last newline; safe to print on a terminal."""
    shown = message.said if isinstance(message, Earlier) else message
    return "" if isinstance(shown, State) else "\n".join(clean(line) for line in wording(shown))


def dated_text(message: Message) -> str:
    """The same, and before what was not said just now when that was."""
    return _when(message) + plain_text(message)


def coloured_text(message: Message, colours: Sequence[str] = COLOURS_256) -> str:
    """The same, with one of the ``colours`` for each nickname, and dim what nobody says now."""
    text = plain_text(message)
    if isinstance(message, Said):
        begin = 2 if message.action else 0
        end = begin + len(clean(message.nick))
        colour = colours[zlib.crc32(message.nick.encode()) % len(colours)]
        when = _dim(_when(message))
        return f"{when}{text[:begin]}\x1b[{colour}m{text[begin:end]}{_RESET}{text[end:]}"
    return _dim(dated_text(message))


def _dim(text: str) -> str:
    return f"{_DIM}{text}{_RESET}" if text else ""


def _when(message: Message) -> str:
    """In the time of this place; with the day, unless that is today."""
    said = message.said if isinstance(message, Earlier) else message
    if not isinstance(said, Stamped) or not (said.late or isinstance(message, Earlier)):
        return ""
    try:
        then = datetime.fromisoformat(said.time).astimezone()
    except (ValueError, OverflowError):  # a server that says no time, or an odd one
        return ""
    today = then.date() == datetime.now(then.tzinfo).date()
    return f"[{then:%H:%M}] " if today else f"[{then:%Y-%m-%d %H:%M}] "


def json_line(message: Message) -> str:
    """One JSON object: its ``type``, and which of nick, text, room, to, action, earlier, and with
    IRC also user, host, why, notice, status, msgid, time, late and found it has.

    Of a client with many rooms there are also the messages that ``protocols.client`` has for it,
    with all that they tell.
    """
    shown = message.said if isinstance(message, Earlier) else message
    found = asdict(shown)
    fields = found if isinstance(shown, State) else {n: v for n, v in found.items() if v}
    origin = fields.pop("origin", {})
    fields |= {name: origin[name] for name in ("user", "host") if origin.get(name)}
    if isinstance(message, Earlier):
        fields |= {"earlier": True} | ({"time": message.time} if message.time else {})
        fields |= {"found": True} if message.found else {}
    kind = _TYPES.get(type(shown).__name__, type(shown).__name__.lower())
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, default=sorted)


# The others are called by their own names.
_TYPES = {
    "Stamped": "said",
    "TopicSet": "topic",
    "ModesSet": "modes",
    "AwaySet": "away",
}
