"""The JSON Schema of both directions, made of the types (json-schema.org, draft 2020-12).

``python -m trio_chat.client.objects.schema >docs/client.schema.json`` writes it down.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from trio_chat.client.objects.json_messages import CHANGE, KINDS, MEMBER, Kind
from trio_chat.client.objects.json_requests import READERS

_BOOLEAN = "action active add away bot complete earlier found late notice"

#: Of the fields that are no strings.
_TYPES: dict[str, dict[str, Any]] = {
    **{name: {"type": "boolean"} for name in _BOOLEAN.split()},
    "count": {"type": "integer"},
    "line": {"type": "integer"},
    "retry": {"type": "number"},
    "seconds": {"type": "number"},
    "caps": {"items": {"type": "string"}, "type": "array"},
    "changes": {"items": {"$ref": "#/$defs/Change"}, "type": "array"},
    "members": {"items": {"$ref": "#/$defs/Member"}, "type": "array"},
}


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """A title would say the field's name once more."""
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """A default that is empty means that the field is missing, and may be no value for it."""
        made = super().default_schema(schema)
        return {k: v for k, v in made.items() if k != "default" or v}


def schema() -> dict[str, Any]:
    """``#/$defs/Input`` is a line that the client reads, ``#/$defs/Output`` one that it prints."""
    read = [
        _typed(name, reader.json_schema(schema_generator=_Generator))
        for name, reader in READERS.items()
    ]
    printed = [_typed(name, _object(kind)) for name, kind in KINDS.items()]
    parts = [_object(MEMBER), _object(CHANGE)]
    shared = {each["title"]: each for each in [*read, *printed, *parts]}
    lines = {"Input": _any_of(read), "Output": _any_of(printed)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What 'trio-chat client --json' reads and prints, one object a line",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in lines],
        "$defs": {**lines, **dict(sorted(shared.items()))},
    }


def _object(kind: Kind) -> dict[str, Any]:
    return {
        "description": kind.means,
        "properties": {f.rstrip("?"): _field(f.rstrip("?"), kind.fields[f]) for f in kind.fields},
        "required": [field for field in kind.fields if not field.endswith("?")],
        "title": kind.title,
        "type": "object",
    }


def _field(name: str, means: str) -> dict[str, Any]:
    described = {"description": means} if means else {}
    return described | _TYPES.get(name, {"type": "string"})


def _typed(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """With ``type``, the first of its fields."""
    constant = {"type": {"const": name, "type": "string"}}
    made = {
        **described,
        "properties": constant | described.get("properties", {}),
        "required": ["type", *described.get("required", ())],
    }
    return dict(sorted(made.items()))


def _any_of(objects: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    named = {each["properties"]["type"]["const"]: f"#/$defs/{each['title']}" for each in objects}
    return {
        "oneOf": [{"$ref": reference} for reference in named.values()],
        "discriminator": {"propertyName": "type", "mapping": named},
    }


def main() -> None:
    print(json.dumps(schema(), indent=2))


if __name__ == "__main__":
    main()
