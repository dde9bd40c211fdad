"""Moments as IRCv3 writes them (ircv3.net, "server-time"): ``YYYY-MM-DDThh:mm:ss.sssZ``."""

import re
from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=16)
def timestamp(milliseconds: int) -> str:
    """Write a moment in unix milliseconds."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def read_timestamp(text: str) -> int | None:
    """Read a moment, in unix milliseconds; None if it is none.

    A minute may have a second 60: "2012-06-30T23:59:60.419Z" is one of that page's examples.
    """
    if not (found := _TIMESTAMP.fullmatch(text)) or int(found[2]) > 60:
        return None
    try:
        minute = datetime.fromisoformat(f"{found[1]}:00+00:00")
    except ValueError:
        return None
    seconds = int((minute - _EPOCH).total_seconds()) + int(found[2])
    return seconds * 1000 + int(found[3])


def moment_of(text: str) -> float | None:
    """Read a moment in any form of ISO 8601, as unix time in seconds; in UTC, if it names no other
    zone.

    None if it is none, or none that every local calendar has.
    """
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    moment = (then - _EPOCH).total_seconds()
    return moment if 0 <= moment < _LAST else None


# A day before the end of the year 9999. Nobody chatted before unix time, so it begins at 0.
_LAST = 253_402_214_400.0

_TIMESTAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-9]{2})\.([0-9]{3})Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
