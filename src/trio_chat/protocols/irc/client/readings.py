"""Reading parts of a server's lines."""

from functools import partial

from trio_chat.core.events import Origin, Said
from trio_chat.protocols.client import Stamped
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import formatted, is_room, read_action, shown


def origin_of(line: Line) -> Origin:
    user, _, host = line.source.partition("!")[2].partition("@")
    return Origin(user, host, account=line.tags.get("account", ""), bot="bot" in line.tags)


def said_in(line: Line) -> Said:
    """Read a message; it is Stamped if it has an id, a time or formatting."""
    target, (raw, action) = shown(line.params[0]), read_action(line.params[1])
    text, runs = formatted(raw)
    room = room_of(target)
    status = target.removesuffix(room) if room else ""
    msgid, time = line.tags.get("msgid", ""), line.tags.get("time", "")
    stamped = msgid or time or runs
    kind = partial(Stamped, msgid=msgid, time=time, runs=runs) if stamped else Said
    return kind(
        room, line.nick, text, action=action, to="" if room else target, status=status,
        notice=line.command == "NOTICE", origin=origin_of(line),
    )  # fmt: skip


def room_of(target: str) -> str:
    """Return the room; empty for a person. A message to those who lead a room has a prefix."""
    name = target.lstrip("@+%~")
    return name if is_room(name) else ""
