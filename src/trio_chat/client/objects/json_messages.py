"""Printing messages for programs, each one as a JSON object.

The table is the contract: the output and docs/client.schema.json are made from it, so a field that
is added to a message is not printed by accident.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import trio_chat.core.events as events
import trio_chat.core.views as views
from trio_chat.core.fact import fact
from trio_chat.core.room_state import Mask
from trio_chat.protocols import client
from trio_chat.protocols.irc.times import timestamp


@fact
class Error:
    """A line of input that is not a valid request: why not, and its number."""

    text: str
    line: int


class Kind(NamedTuple):
    """An object's name in the schema, its fields, and the messages it is printed for. A field with
    a ``?`` is left out when it is empty or false.
    """

    title: str
    fields: str
    messages: tuple[type, ...] = ()


#: By their types. ``address`` stands for four fields.
KINDS = {
    "said": Kind(
        "Said",
        "room? nick text to? action? notice? status? msgid? time? late? earlier? found? token? "
        "address?",
        (events.Said, client.Stamped),
    ),
    "redacted": Kind(
        "Redacted",
        "room? nick msgid author? why? to? address?",
        (events.Redacted, client.RemovedMeanwhile),
    ),
    "joined": Kind("Joined", "room? nick name? address?", (events.Joined,)),
    "left": Kind("Left", "room nick why? address?", (events.Left,)),
    "departed": Kind("Departed", "nick why? address?", (events.Departed,)),
    "kicked": Kind("Kicked", "room nick target why? address?", (events.Kicked,)),
    "renamed": Kind("Renamed", "nick to address?", (events.Renamed,)),
    "room_renamed": Kind("RoomRenamed", "room nick to why? address?", (events.RoomRenamed,)),
    "topic": Kind(
        "TopicIs", "room nick? text time? earlier? address?", (events.TopicSet, views.Topic)
    ),
    "modes": Kind("Modes", "room nick changes address?", (events.ModesSet,)),
    "bans": Kind("Bans", "room bans", (views.Masks,)),
    "away": Kind("Away", "nick text address?", (events.AwaySet,)),
    "notice": Kind("Notice", "text room?", (views.Notice,)),
    "roster": Kind("Roster", "room members", (client.Roster,)),
    "in_room": Kind("InRoom", "room", (client.InRoom,)),
    "out_of_room": Kind("OutOfRoom", "room why", (client.OutOfRoom,)),
    "typing": Kind("Typing", "room nick active to", (client.Typing,)),
    "sent": Kind("Sent", "token target text action notice?", (client.Sent,)),
    "acknowledged": Kind("Acknowledged", "token msgid time", (client.Acknowledged,)),
    "failed": Kind("Failed", "token why", (client.Failed,)),
    "page_end": Kind("PageEnd", "target count complete", (client.PageEnd,)),
    "marked_read": Kind("MarkedRead", "target time", (client.MarkedRead,)),
    "linked": Kind("Linked", "nick network caps casemapping?", (client.Linked,)),
    "unlinked": Kind("Unlinked", "why retry?", (client.Unlinked,)),
    "operator": Kind("Operator", "on", (client.Operator,)),
    "lag": Kind("Lag", "seconds", (client.Lag,)),
    "error": Kind("Error", "text line", (Error,)),
}

#: Objects in a list, by the field that holds it.
PARTS = {
    "members": Kind("Member", "nick prefixes away bot"),
    "changes": Kind("Change", "add mode argument"),
    "bans": Kind("Ban", "mask nick time number until why"),
}

#: Printed last, as it is rarely what one looks for.
ADDRESS = ("user", "host", "account", "bot")

#: The type of each message; Earlier has that of the message in it.
TYPES = {message: name for name, kind in KINDS.items() for message in kind.messages}

_FIELDS = {
    name: [(field.rstrip("?"), "?" not in field) for field in kind.fields.split()]
    for name, kind in KINDS.items()
}


def json_line(message: client.Message | Error) -> str:
    """Format a message as one line, without its end, that is safe to print on a terminal, too."""
    return _STEERING.sub(_escaped, _encode(_object_of(message)))


def _object_of(message: client.Message | Error) -> dict[str, Any]:
    other: dict[str, Any] = {}  # than its attributes, or beside them
    match message:
        case client.Earlier(said, time, found):
            message = said
            time = time or getattr(said, "time", "")
            other = {"time": time, "earlier": True, "found": found}
        case events.Joined(origin=origin):
            other = {"name": origin.name}
        case views.Topic(by=nick, at=at):
            other = {"nick": nick, "time": _iso(at), "earlier": True}
        case client.Linked(caps=caps):
            other = {"caps": sorted(caps)}
        case client.Roster(members=members):
            other = {"members": _parts("members", members)}
        case views.Masks(masks=masks):
            other = {"bans": [_ban(mask) for mask in masks]}
        case events.ModesSet(changes=changes):
            other = {"changes": _parts("changes", changes)}
    name = TYPES[type(message)]
    told: dict[str, Any] = {"type": name}
    for field, required in _FIELDS[name]:
        value = other[field] if field in other else getattr(message, field, "")
        if value or required:
            told[field] = value
    origin = getattr(message, "origin", events.NOWHERE)
    return told | {field: value for field in ADDRESS if (value := getattr(origin, field))}


def _parts(field: str, values: Iterable[object]) -> list[dict[str, Any]]:
    names = PARTS[field].fields.split()
    return [{name: getattr(value, name) for name in names} for value in values]


def _ban(mask: Mask) -> dict[str, Any]:
    time, until = _iso(mask.at), _iso(mask.until)
    values = (mask.mask, mask.by, time, mask.number, until, mask.why)
    return dict(zip(PARTS["bans"].fields.split(), values, strict=True))


def _iso(milliseconds: int) -> str:
    """Format a time; empty if it is unknown, or impossible: a server may have an odd clock."""
    try:
        return timestamp(milliseconds) if milliseconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


_encode = json.JSONEncoder(ensure_ascii=False).encode

# JSON leaves these alone, but a terminal may obey them, or a reader take them for a line's end.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
