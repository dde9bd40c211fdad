"""How a server is, as its operators are told on their socket: an object, whose text has a line for
each fact.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from trio_chat.core.views import Stats
from trio_chat.protocols.durations import moment, written
from trio_chat.protocols.irc.times import timestamp

# The kinds that are named of what there may be many of.
_NAMED = 4


def stats(told: Stats) -> dict[str, Any]:
    """The object that tells it."""
    return {
        "type": "stats",
        "text": "\n".join(f"{name:<12}  {fact}" for name, fact in _facts(told)),
        "version": told.version,
        "since": timestamp(told.began),
        "node": told.node,
        "state": told.state,
        "locked": told.locked,
        "people": told.people,
        "rooms": told.rooms,
        "connections": dict(told.connections),
        "messages": dict(zip(("rooms", "private"), told.said, strict=True)),
        "refused": dict(told.refused),
        "waiting": told.waiting,
        "memory": told.memory,
        "stored": told.stored,
        "failing": told.failing,
        "late": round(told.late, 4),
        "level": told.level,
    }


def _facts(told: Stats) -> Iterator[tuple[str, str]]:
    in_rooms, private = told.said
    yield "version", told.version
    yield "up since", f"{moment(told.began)} ({_span(told.now - told.began)})"
    yield "state", f"{told.state}, and locked" if told.locked else told.state
    if told.node:
        yield "node", told.node
    yield "people", f"{told.people:,}"
    yield "rooms", f"{told.rooms:,}"
    yield "connections", _each(told.connections)
    yield "messages", f"{in_rooms:,} in rooms, {private:,} in private"
    yield "refused", _each(told.refused)
    yield "waiting", f"{_size(told.waiting)} for those who read slowly"
    yield "memory", _size(told.memory) if told.memory else "unknown"
    yield "history", _size(told.stored) + (", and cannot be written" if told.failing else "")
    yield "loop", f"{1000 * told.late:.1f} ms late"
    yield "log", told.level


def _each(numbers: Sequence[tuple[str, int]]) -> str:
    """``4: 3 irc, 1 plain``; of many kinds the first ones."""
    total = sum(number for _, number in numbers)
    each = [f"{number:,} {name}" for name, number in numbers if number]
    more = ", …" if len(each) > _NAMED else ""
    return f"{total:,}: {', '.join(each[:_NAMED])}{more}" if each else "0"


def _span(milliseconds: int) -> str:
    """A time, to the minute once it is more than one."""
    seconds = milliseconds // 1000
    return written(seconds if seconds < 60 else seconds // 60 * 60) if seconds else "0s"


def _size(number: int) -> str:
    """Bytes in the unit in which they are read at a glance."""
    size = float(number)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
