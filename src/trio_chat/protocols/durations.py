"""Durations as people write them: ``10m``, ``2h``, ``7d``, ``1w``, ``1d12h``, ``forever``.

And moments as they are told them.
"""

import re
from datetime import UTC, datetime

from trio_chat.core.commands import SECONDS_MAX
from trio_chat.core.words import minute

_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,9}[wdhms])+", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"(\d+)([wdhms])", re.IGNORECASE)

FOREVER = "forever"


def read_duration(text: str) -> int | None:
    """The seconds of a duration, at most ten years; 0 is for ever. None if it is no duration."""
    if text.lower() == FOREVER:
        return 0
    if not _DURATION.fullmatch(text):
        return None
    seconds = sum(int(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(text))
    return min(seconds, SECONDS_MAX) or None


def written(seconds: int) -> str:
    """A duration as ``read_duration`` reads it; weeks are said in days, as people count them."""
    if not seconds:
        return FOREVER
    parts = []
    for unit in "dhms":
        number, seconds = divmod(seconds, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)


def moment(at: int) -> str:
    """A moment, in unix milliseconds, as it stands in a sentence."""
    return f"{stamp(at)} UTC"


def stamp(at: int) -> str:
    """A moment in UTC, for lists that say so at their beginning."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S}"


def lasting(seconds: int) -> str:
    """How long something lasts, as it stands in a sentence; nothing if it has no end."""
    return f" for {written(seconds)}" if seconds else ""


def ending(until: int) -> str:
    """Until when something lasts; 0 is for good."""
    return f"until {minute(until)}" if until else "for good"
