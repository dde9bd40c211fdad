"""The JSON Schema of both directions, made of the types (json-schema.org, draft 2020-12).

``python -m trio_chat.client.objects.schema >docs/client.schema.json`` writes it down.
"""

import json
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from trio_chat.client.objects.json_messages import AnyObject
from trio_chat.client.objects.json_requests import REQUESTS

TOLD: TypeAdapter[AnyObject] = TypeAdapter(Annotated[AnyObject, Field(discriminator="type")])


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
    parts, shared = TypeAdapter.json_schemas(
        [("Input", "validation", REQUESTS), ("Output", "validation", TOLD)],
        schema_generator=_Generator,
    )
    lines = {name: part for (name, _), part in parts.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What 'trio-chat client --json' reads and prints, one object a line",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in lines],
        "$defs": {**lines, **shared["$defs"]},
    }


def main() -> None:
    print(json.dumps(schema(), indent=2))


if __name__ == "__main__":
    main()
