"""The JSON Schema of requests and messages (json-schema.org, draft 2020-12).

``python -m trio_chat.client.objects.schema >docs/client.schema.json`` writes it.
"""

import json
from collections.abc import Sequence
from typing import Any

from trio_chat.client.objects.json_messages import ADDRESS, KINDS, PARTS, Kind
from trio_chat.client.objects.json_requests import READERS

_KINDS = {
    "said": "Somebody has said something, in a room or to one person.",
    "joined": "Somebody else has entered a room.",
    "left": "Somebody else has left a room.",
    "departed": "Somebody has left the server, and so every room.",
    "kicked": "Somebody was sent out of a room.",
    "renamed": "Somebody, maybe we ourselves, has another nickname.",
    "topic": "A room's topic was set; or it is told, as it was set earlier.",
    "modes": "The modes of a room or its members have changed.",
    "away": "Somebody, maybe we ourselves, is away or back.",
    "notice": "A sentence for people: what has no object of its own, as answers to commands and "
    "refusals.",
    "roster": "Everybody who is in a room: it replaces what was known.",
    "in_room": "We have entered a room; also when we come back to it after a cut.",
    "out_of_room": "We are not in a room any more: we have left it, were sent out, or not let in "
    "again.",
    "typing": "Somebody is typing, or has stopped: in a room, or to us alone.",
    "sent": "A text of ours is on its way. Acknowledged or failed, with the same token, follows.",
    "acknowledged": "A text of ours has arrived: this is its place among what others say.",
    "failed": "A text of ours was refused, or may not have arrived. Resend sends it again.",
    "page_end": "All that a request history has asked for has come.",
    "marked_read": "Up to when we have read, on any device.",
    "linked": "The server has let us in.",
    "unlinked": "We are cut off.",
    "lag": "How long the server takes to answer.",
    "error": "A line of the input was no request, and nothing has come of it.",
    "Member": "Somebody in a room.",
    "Change": "One mode is set or removed.",
}

# By the name of the field; with its kind before it where it means something else.
_FIELDS = {
    "nick": "A nickname.",
    "room": "A room.",
    "target": "A room or a person.",
    "token": "That of the request say, or one of its pieces.",
    "why": "Why; for people.",
    "time": "ISO 8601, in UTC: 2026-01-31T09:30:00.000Z.",
    "notice": "Not to be answered automatically.",
    "user": "The first part of their address.",
    "host": "The second part of their address.",
    "account": "Where they have logged in, if they have.",
    "bot": "Whether they say that they are a bot.",
    "status": "For those only who have @ or + in the room.",
    "late": "Said while we were cut off.",
    "found": "Found by /search.",
    "name": 'Their "real name".',
    "count": "How many messages have come.",
    "complete": "Whether nothing older is kept.",
    "network": "What the server calls the chat.",
    "caps": "What it can do, by the names of IRCv3.",
    "casemapping": "How it compares names, if that is not as trio-chat does.",
    "retry": "Seconds to the next attempt, if there is one.",
    "line": "Its number in the input; the first is 1.",
    "prefixes": "@ of who leads it, + of who may speak; the highest first.",
    "add": "Whether it is set.",
    "mode": "Its letter.",
    "argument": "Whom or what it is about; empty, if it has none.",
    "said.text": "What was said.",
    "said.to": "To whom it was said, if in private.",
    "said.action": "Said by /me: * alice waves.",
    "said.msgid": "The server's id of the message.",
    "said.earlier": "Said before we came: not to be answered.",
    "said.token": "That of the request say, if we have said it.",
    "kicked.target": "Who was sent out, by nick.",
    "renamed.to": "Their nickname now.",
    "topic.nick": "Who has set it, if that is known.",
    "topic.text": "Empty, if there is none.",
    "topic.earlier": "It was not set just now.",
    "away.text": "Their message; empty, if they are back.",
    "notice.room": "The room or person that it is about.",
    "typing.room": "The room; empty, if it is to one person.",
    "typing.to": "That person; empty, if it is in a room.",
    "acknowledged.msgid": "The server's id of it; empty, if the server has none.",
    "acknowledged.time": "ISO 8601, in UTC; empty, if the server does not say it.",
    "marked_read.time": "ISO 8601, in UTC; empty, if the server does not know.",
    "error.text": "What is wrong with it; for people.",
    "Member.bot": "",
}

_BOOLEAN = "action active add away bot complete earlier found late notice"

# Of fields that are not strings.
_TYPES: dict[str, dict[str, Any]] = {
    **{name: {"type": "boolean"} for name in _BOOLEAN.split()},
    "caps": {"items": {"type": "string"}, "type": "array"},
    "changes": {"items": {"$ref": "#/$defs/Change"}, "type": "array"},
    "members": {"items": {"$ref": "#/$defs/Member"}, "type": "array"},
    "count": {"type": "integer"},
    "line": {"type": "integer"},
    "retry": {"type": "number"},
    "seconds": {"type": "number"},
}


def schema() -> dict[str, Any]:
    """Describe the lines that the client reads (``Input``) and prints (``Output``)."""
    read = [_typed(name, reader.json_schema()) for name, reader in READERS.items()]
    printed = [_typed(name, _object(name, kind)) for name, kind in KINDS.items()]
    parts = [_object(kind.title, kind) for kind in PARTS.values()]
    shared = {each["title"]: each for each in [*read, *printed, *parts]}
    lines = {"Input": _any_of(read), "Output": _any_of(printed)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What 'trio-chat client --json' reads and prints, one object a line",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in lines],
        "$defs": {**lines, **dict(sorted(shared.items()))},
    }


def _object(name: str, kind: Kind) -> dict[str, Any]:
    fields = kind.fields.split()
    if "address?" in fields:
        fields = [*(f"{field}?" for field in ADDRESS), *fields[:-1]]
    return {
        "description": _KINDS[name],
        "properties": {field.rstrip("?"): _field(name, field.rstrip("?")) for field in fields},
        "required": [field for field in fields if not field.endswith("?")],
        "title": kind.title,
        "type": "object",
    }


def _field(kind: str, name: str) -> dict[str, Any]:
    means = _FIELDS.get(f"{kind}.{name}", _FIELDS.get(name))
    described = {"description": means} if means else {}
    return described | _TYPES.get(name, {"type": "string"})


def _typed(name: str, made: dict[str, Any]) -> dict[str, Any]:
    """Add ``type`` as the first field."""
    properties = {"type": {"const": name, "type": "string"}}
    properties |= {name: _bare(field) for name, field in made.get("properties", {}).items()}
    required = ["type", *made.get("required", ())]
    return dict(sorted({**made, "properties": properties, "required": required}.items()))


def _bare(field: dict[str, Any]) -> dict[str, Any]:
    """Drop a title, which only repeats the name, and an empty default: it stands for a missing
    field, and may not be a valid value.
    """
    return {
        key: value for key, value in field.items() if key != "title" and (key != "default" or value)
    }


def _any_of(objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    named = {each["properties"]["type"]["const"]: f"#/$defs/{each['title']}" for each in objects}
    return {
        "oneOf": [{"$ref": path} for path in named.values()],
        "discriminator": {"propertyName": "type", "mapping": named},
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
