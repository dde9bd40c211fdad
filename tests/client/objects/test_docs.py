"""docs/json.md and docs/client.schema.json tell what there is."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

import trio_chat
from trio_chat.client.objects.schema import schema

TOP = Path(__file__).parents[3]
PAGE = (TOP / "docs" / "json.md").read_text()
DEFS = schema()["$defs"]
ADDRESS = ("user", "host", "account", "bot")


OBJECTS = [
    DEFS[reference.rpartition("/")[2]]
    for lines in ("Input", "Output")
    for reference in DEFS[lines]["discriminator"]["mapping"].values()
]


def row(described: dict[str, Any]) -> str:
    """What the page has for it."""
    type_, *fields = described["properties"]
    name = described["properties"][type_]["const"]
    words = [f"**{n}**" if n in described["required"] else n for n in fields if n not in ADDRESS]
    words += ["*address*"] if ADDRESS[0] in fields else []
    return f"| `{name}` | {', '.join(words)} | {described['description']} |\n"


@pytest.mark.parametrize("described", OBJECTS, ids=lambda described: described["title"])
def test_the_page_has_a_row_for_each_object(described: dict[str, Any]) -> None:
    assert row(described) in PAGE


def test_the_schema_is_what_the_types_say() -> None:
    written = json.loads((TOP / "docs" / "client.schema.json").read_text())
    assert written == schema(), "python -m trio_chat.client.objects.schema writes it"


@pytest.mark.parametrize("name", ["json_bot.py", "rooms_bot.py"])
def test_the_page_shows_the_examples(name: str) -> None:
    assert f"```python\n{(TOP / 'examples' / name).read_text()}```" in PAGE


def test_the_library_has_all_that_a_client_is_told() -> None:
    parts = {trio_chat.Member, trio_chat.Change, trio_chat.Run, trio_chat.Look}
    kinds = {*get_args(trio_chat.Message), trio_chat.Stamped, *parts}
    assert {kind.__name__ for kind in kinds} <= set(trio_chat.__all__)


@pytest.mark.parametrize("name", [name for name in trio_chat.__all__ if name != "Message"])
def test_each_public_name_says_what_it_is(name: str) -> None:
    described = getattr(trio_chat, name)
    assert described.__doc__
    assert not described.__doc__.startswith(f"{name}(")  # what dataclasses say of themselves
