"""The JSON Schema of requests and messages (json-schema.org, draft 2020-12).

``python -m trio_chat.client.objects.schema >docs/client.schema.json`` writes it.
"""

import json
from collections.abc import Sequence
from typing import Any

from trio_chat.client.objects.json_messages import ADDRESS, KINDS, PARTS, Kind
from trio_chat.client.objects.json_requests import READERS

_KINDS = {
    "said": "Somebody has said something, in a room or in private.",
    "redacted": "A message has been removed, in a room or in private.",
    "joined": "Somebody else has entered a room.",
    "left": "Somebody else has left a room.",
    "departed": "Somebody has left the server, and with it every room.",
    "kicked": "Somebody has been removed from a room.",
    "renamed": "Somebody, possibly we ourselves, has changed their nickname.",
    "room_renamed": "A room has another name from now on; everything else stays as it is.",
    "topic": "A room's topic has been set, or is shown as it was set earlier.",
    "modes": "The modes of a room or of its members have changed.",
    "bans": "Those who may not enter, or not speak: the answer to /bans and /uban list.",
    "away": "Somebody, possibly we ourselves, is away or back.",
    "notice": "A sentence for people, such as the answer to a command, or a refusal.",
    "roster": "Everybody in a room. It replaces what was known before.",
    "in_room": "We have entered a room, or re-entered it after a lost connection.",
    "out_of_room": "We are no longer in a room: we left, were removed, or were not let back in.",
    "typing": "Somebody is typing, or has stopped, in a room or to us in private.",
    "sent": "A text of ours is on its way. Acknowledged or failed follows, with the same token.",
    "acknowledged": "A text of ours has arrived. This is its place among the other messages.",
    "failed": "A text of ours was refused, or may not have arrived. Resend sends it again.",
    "page_end": "Everything that a history request asked for has come.",
    "marked_read": "How far we have read, on any device.",
    "linked": "The server has let us in.",
    "unlinked": "The connection is lost.",
    "operator": "Whether we are an operator of the server from now on; at first we are none.",
    "lag": "How long the server takes to answer.",
    "error": "A line of input was not a valid request and was ignored.",
    "Member": "Somebody in a room.",
    "Ban": "Somebody who may not enter, or not speak.",
    "Change": "One mode that was set or removed.",
}

# By the name of the field; with its kind before it where it means something else.
_FIELDS = {
    "nick": "A nickname.",
    "room": "A room.",
    "target": "A room or a person.",
    "token": "The token of the say request; that of a second message ends in -2, and so on.",
    "why": "The reason, for people to read.",
    "time": "ISO 8601, in UTC: 2026-01-31T09:30:00.000Z.",
    "notice": "Not to be answered automatically.",
    "user": "Their address before the @.",
    "host": "Their address after the @.",
    "account": "The account they are logged in to, if any.",
    "bot": "Whether they say that they are a bot.",
    "status": "Only for members who have this prefix, @ or +, or a higher one.",
    "late": "Said while the connection was lost.",
    "found": "Found by /search.",
    "name": 'Their "real name".',
    "changes": "The changes, in order.",
    "members": "The members, including us.",
    "bans": "The bans, the oldest first.",
    "mask": "An address with wildcards, a network, or a: and an account; m: first if muted.",
    "number": "Names it for /unban and /uban del; 0 if the server does not number its bans.",
    "until": "When it ends: ISO 8601, in UTC; empty if it does not, or that is not known.",
    "active": "Whether they are typing now.",
    "on": "Whether it is so from now on.",
    "count": "How many messages have come.",
    "complete": "Whether there is nothing older.",
    "network": "The server's name for the chat network.",
    "caps": "What the server can do: the names of IRCv3 capabilities.",
    "casemapping": "How the server compares names, if not as trio-chat does.",
    "retry": "Seconds until the next attempt, if there is one.",
    "seconds": "The delay, in seconds.",
    "line": "Its number in the input; the first is 1.",
    "prefixes": "@ for those who lead the room, + for those who may speak; the highest first.",
    "away": "Whether they are away.",
    "add": "True if the mode was set, false if it was removed.",
    "mode": "The letter of the mode.",
    "argument": "Whom or what it is about; empty if it has none.",
    "said.text": "What was said.",
    "said.to": "To whom it was said, if in private.",
    "said.action": "Said with /me: * alice waves.",
    "said.msgid": "The server's id for the message.",
    "said.earlier": "Said before we came; not to be answered.",
    "said.token": "The token of the say request, if the message is ours.",
    "redacted.nick": "Who removed it.",
    "redacted.msgid": "The id of the message that was removed.",
    "redacted.author": "Who had said it, if that is known.",
    "redacted.to": "Whom they were talking to, if in private.",
    "Ban.nick": "Who set it; empty if that is not known.",
    "Ban.time": "When it was set: ISO 8601, in UTC; empty if that is not known.",
    "Ban.why": "The reason, for people to read; empty if there is none.",
    "bans.room": "The room; empty if they are bans of the server.",
    "modes.nick": "Who changed them; empty if the time of bans is up.",
    "kicked.nick": "The nickname of whoever removed them.",
    "kicked.target": "The nickname of whoever was removed.",
    "renamed.nick": "Their old nickname.",
    "renamed.to": "Their new nickname.",
    "room_renamed.room": "The name that it had.",
    "room_renamed.nick": "Who renamed it.",
    "room_renamed.to": "The name that it has now.",
    "topic.nick": "Who set it, if that is known.",
    "topic.text": "The topic; empty if there is none.",
    "topic.earlier": "It was not set just now.",
    "away.text": "Their away message; empty if they are back.",
    "notice.text": "The sentence.",
    "notice.room": "The room or person it is about.",
    "typing.room": "The room; empty if in private.",
    "typing.to": "To whom, if in private; empty if in a room.",
    "sent.text": "What we said.",
    "sent.action": "Said with /me: * alice waves.",
    "acknowledged.msgid": "The server's id for it; empty if the server gives none.",
    "acknowledged.time": "ISO 8601, in UTC; empty if the server does not give it.",
    "marked_read.time": "ISO 8601, in UTC; empty if the server does not know.",
    "error.text": "What is wrong with it, for people to read.",
}

_BOOLEAN = "action active add away bot complete earlier found late notice on"

# Of fields that are not strings.
_TYPES: dict[str, dict[str, Any]] = {
    **{name: {"type": "boolean"} for name in _BOOLEAN.split()},
    "caps": {"items": {"type": "string"}, "type": "array"},
    "changes": {"items": {"$ref": "#/$defs/Change"}, "type": "array"},
    "bans": {"items": {"$ref": "#/$defs/Ban"}, "type": "array"},
    "members": {"items": {"$ref": "#/$defs/Member"}, "type": "array"},
    "count": {"type": "integer"},
    "number": {"type": "integer"},
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
    means = _FIELDS.get(f"{kind}.{name}") or _FIELDS[name]
    return {"description": means, **_TYPES.get(name, {"type": "string"})}


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
