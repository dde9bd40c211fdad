"""Messages as objects of JSON, as programs are told of them.

The table is the contract: the printed objects, docs/client.schema.json and the tables of
docs/json.md are made of it. So a field that our own messages gain is not told by accident.
"""

import json
import re
from typing import Any, NamedTuple

import trio_chat.core.events as events
import trio_chat.core.views as views
from trio_chat.core.fact import fact
from trio_chat.protocols import client
from trio_chat.protocols.irc.times import timestamp


@fact
class Error:
    """A ``line`` of the input, by its number, that was no request; ``text`` says why."""

    text: str
    line: int


class Kind(NamedTuple):
    """An object: its name in the schema, what it means, its fields with a description each, and
    the messages that it tells. A field with a ``?`` is left out where it is empty or false.
    """

    title: str
    means: str
    fields: dict[str, str]
    messages: tuple[type, ...] = ()


_ADDRESS = {
    "user?": "The first part of their address.",
    "host?": "The second part of their address.",
    "account?": "Where they have logged in, if they have.",
    "bot?": "Whether they say that they are a bot.",
}
_NICK = "A nickname."
_ROOM = "A room."
_TARGET = "A room or a person."
_TIME = "ISO 8601, in UTC: 2026-01-31T09:30:00.000Z."
_OF_SAY = "That of the request say, or one of its pieces."
_WHY = "Why; for people."
_NO_ANSWER = "Not to be answered automatically."

#: By their types.
KINDS = {
    "said": Kind(
        "Said",
        "Somebody has said something, in a room or to one person.",
        {
            **_ADDRESS,
            "room?": _ROOM,
            "nick": _NICK,
            "text": "What was said.",
            "to?": "To whom it was said, if in private.",
            "action?": "Said by /me: * alice waves.",
            "notice?": _NO_ANSWER,
            "status?": "For those only who have @ or + in the room.",
            "msgid?": "The server's id of the message.",
            "time?": _TIME,
            "late?": "Said while we were cut off.",
            "earlier?": "Said before we came: not to be answered.",
            "found?": "Found by /search.",
            "token?": "That of the request say, if we have said it.",
        },
        (events.Said, client.Stamped),
    ),
    "joined": Kind(
        "Joined",
        "Somebody else has entered a room.",
        {**_ADDRESS, "room?": _ROOM, "nick": _NICK, "name?": 'Their "real name".'},
        (events.Joined,),
    ),
    "left": Kind(
        "Left",
        "Somebody else has left a room.",
        {**_ADDRESS, "room": _ROOM, "nick": _NICK, "why?": _WHY},
        (events.Left,),
    ),
    "departed": Kind(
        "Departed",
        "Somebody has left the server, and so every room.",
        {**_ADDRESS, "nick": _NICK, "why?": _WHY},
        (events.Departed,),
    ),
    "kicked": Kind(
        "Kicked",
        "Somebody was sent out of a room.",
        {
            **_ADDRESS,
            "room": _ROOM,
            "nick": _NICK,
            "target": "Who was sent out, by nick.",
            "why?": _WHY,
        },
        (events.Kicked,),
    ),
    "renamed": Kind(
        "Renamed",
        "Somebody, maybe we ourselves, has another nickname.",
        {**_ADDRESS, "nick": _NICK, "to": "Their nickname now."},
        (events.Renamed,),
    ),
    "topic": Kind(
        "TopicIs",
        "A room's topic was set; or it is told, as it was set earlier.",
        {
            **_ADDRESS,
            "room": _ROOM,
            "nick?": "Who has set it, if that is known.",
            "text": "Empty, if there is none.",
            "time?": _TIME,
            "earlier?": "It was not set just now.",
        },
        (events.TopicSet, views.Topic),
    ),
    "modes": Kind(
        "Modes",
        "The modes of a room or its members have changed.",
        {**_ADDRESS, "room": _ROOM, "nick": _NICK, "changes": ""},
        (events.ModesSet,),
    ),
    "away": Kind(
        "Away",
        "Somebody, maybe we ourselves, is away or back.",
        {**_ADDRESS, "nick": _NICK, "text": "Their message; empty, if they are back."},
        (events.AwaySet,),
    ),
    "notice": Kind(
        "Notice",
        "A sentence for people: what has no object of its own, as answers to commands and "
        "refusals.",
        {"text": "", "room?": "The room or person that it is about."},
        (views.Notice,),
    ),
    "roster": Kind(
        "Roster",
        "Everybody who is in a room: it replaces what was known.",
        {"room": _ROOM, "members": ""},
        (client.Roster,),
    ),
    "in_room": Kind(
        "InRoom",
        "We have entered a room; also when we come back to it after a cut.",
        {"room": _ROOM},
        (client.InRoom,),
    ),
    "out_of_room": Kind(
        "OutOfRoom",
        "We are not in a room any more: we have left it, were sent out, or not let in again.",
        {"room": _ROOM, "why": _WHY},
        (client.OutOfRoom,),
    ),
    "typing": Kind(
        "Typing",
        "Somebody is typing, or has stopped: in a room, or to us alone.",
        {
            "room": "The room; empty, if it is to one person.",
            "nick": _NICK,
            "active": "",
            "to": "That person; empty, if it is in a room.",
        },
        (client.Typing,),
    ),
    "sent": Kind(
        "Sent",
        "A text of ours is on its way. Acknowledged or failed, with the same token, follows.",
        {"token": _OF_SAY, "target": _TARGET, "text": "", "action": "", "notice?": _NO_ANSWER},
        (client.Sent,),
    ),
    "acknowledged": Kind(
        "Acknowledged",
        "A text of ours has arrived: this is its place among what others say.",
        {
            "token": _OF_SAY,
            "msgid": "The server's id of it; empty, if the server has none.",
            "time": "ISO 8601, in UTC; empty, if the server does not say it.",
        },
        (client.Acknowledged,),
    ),
    "failed": Kind(
        "Failed",
        "A text of ours was refused, or may not have arrived. Resend sends it again.",
        {"token": _OF_SAY, "why": _WHY},
        (client.Failed,),
    ),
    "page_end": Kind(
        "PageEnd",
        "All that a request history has asked for has come.",
        {
            "target": _TARGET,
            "count": "How many messages have come.",
            "complete": "Whether nothing older is kept.",
        },
        (client.PageEnd,),
    ),
    "marked_read": Kind(
        "MarkedRead",
        "Up to when we have read, on any device.",
        {"target": _TARGET, "time": "ISO 8601, in UTC; empty, if the server does not know."},
        (client.MarkedRead,),
    ),
    "linked": Kind(
        "Linked",
        "The server has let us in.",
        {
            "nick": _NICK,
            "network": "What the server calls the chat.",
            "caps": "What it can do, by the names of IRCv3.",
            "casemapping?": "How it compares names, if that is not as trio-chat does.",
        },
        (client.Linked,),
    ),
    "unlinked": Kind(
        "Unlinked",
        "We are cut off.",
        {"why": _WHY, "retry?": "Seconds to the next attempt, if there is one."},
        (client.Unlinked,),
    ),
    "lag": Kind("Lag", "How long the server takes to answer.", {"seconds": ""}, (client.Lag,)),
    "error": Kind(
        "Error",
        "A line of the input was no request, and nothing has come of it.",
        {
            "text": "What is wrong with it; for people.",
            "line": "Its number in the input; the first is 1.",
        },
        (Error,),
    ),
}

MEMBER = Kind(
    "Member",
    "Somebody in a room.",
    {
        "nick": _NICK,
        "prefixes": "@ of who leads it, + of who may speak; the highest first.",
        "away": "",
        "bot": "",
    },
)
CHANGE = Kind(
    "Change",
    "One mode is set or removed.",
    {
        "add": "Whether it is set.",
        "mode": "Its letter.",
        "argument": "Whom or what it is about; empty, if it has none.",
    },
)

#: The type of each message; Earlier has that of what is in it.
TYPES = {message: name for name, kind in KINDS.items() for message in kind.messages}

# What stands in an event's origin; told last, as it is not what one looks for.
_ORIGIN = ("name", "user", "host", "account", "bot")

_OF_ORIGIN = {name: [f for f in _ORIGIN if f"{f}?" in kind.fields] for name, kind in KINDS.items()}
_OWN = {
    name: [(f.rstrip("?"), "?" not in f) for f in kind.fields if f.rstrip("?") not in _ORIGIN]
    for name, kind in KINDS.items()
}


def json_line(message: client.Message | Error) -> str:
    """One line, without its ending, that is safe to print on a terminal, too."""
    return _STEERING.sub(_escaped, _encode(_object_of(message)))


def _object_of(message: client.Message | Error) -> dict[str, Any]:
    other: dict[str, Any] = {}  # than its fields say, or not there
    match message:
        case client.Earlier(said, time, found):
            message = said
            time = time or getattr(said, "time", "")
            other = {"time": time, "earlier": True, "found": found}
        case views.Topic(by=nick, at=at):
            other = {"nick": nick, "time": _iso(at), "earlier": True}
        case client.Linked(caps=caps):
            other = {"caps": sorted(caps)}
        case client.Roster(members=members):
            other = {"members": [_part(MEMBER, member) for member in members]}
        case events.ModesSet(changes=changes):
            other = {"changes": [_part(CHANGE, change) for change in changes]}
    name = TYPES[type(message)]
    told: dict[str, Any] = {"type": name}
    for field, required in _OWN[name]:
        value = other[field] if field in other else getattr(message, field, "")
        if value or required:
            told[field] = value
    origin = getattr(message, "origin", events.NOWHERE)
    return told | {field: value for field in _OF_ORIGIN[name] if (value := getattr(origin, field))}


def _part(kind: Kind, value: object) -> dict[str, Any]:
    return {field: getattr(value, field) for field in kind.fields}


def _iso(milliseconds: int) -> str:
    """Empty if it is not known; or no moment, as a server may have an odd clock."""
    try:
        return timestamp(milliseconds) if milliseconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


_encode = json.JSONEncoder(ensure_ascii=False).encode

# What JSON lets stand as it is, though a terminal may obey it, or somebody see a line's end in it.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
