"""The log's events: docs/logs.md lists all of them as the code has them."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import trio_chat
from trio_chat.cli.logs import FIELDS

SOURCE = Path(trio_chat.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "logs.md"

LEVELS = {"exception": "error"}


class Logged(NamedTuple):
    """What is known of an event: its levels, and the fields that it may have."""

    levels: frozenset[str]
    fields: frozenset[str]


def calls() -> Iterator[tuple[str, ast.Call]]:
    """All that is logged, each with where that is."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("logger"), attr=method)) if (
                    method != "setLevel"
                ):
                    yield f"{file.relative_to(SOURCE)}:{node.lineno}", node


def extra_of(where: str, call: ast.Call) -> dict[str, ast.expr]:
    """What is logged beside the sentence."""
    given = next((word.value for word in call.keywords if word.arg == "extra"), None)
    assert isinstance(given, ast.Dict), f"{where}: extra= has to be a dict that is written there"
    keys = [ast.literal_eval(key) for key in given.keys if key]
    assert {*keys} <= {*FIELDS}, f"{where}: {keys}"
    return dict(zip(keys, given.values, strict=True))


def levels_of(call: ast.Call) -> set[str]:
    method = call.func.attr  # type: ignore[attr-defined]
    if method != "log":
        return {LEVELS.get(method, method)}
    names = (node.attr for node in ast.walk(call.args[0]) if isinstance(node, ast.Attribute))
    return {name.lower() for name in names if name.isupper()}


@cache
def in_code() -> dict[str, Logged]:
    levels: dict[str, set[str]] = defaultdict(set)
    fields: dict[str, set[str]] = defaultdict(set)
    for where, call in calls():
        extra = extra_of(where, call)
        event = ast.literal_eval(extra.pop("event"))
        levels[event] |= levels_of(call)
        fields[event] |= extra.keys()
    levels["lines-dropped"], fields["lines-dropped"] = {"warning"}, {"number"}  # no logger's
    return {event: Logged(frozenset(levels[event]), frozenset(fields[event])) for event in levels}


def rows() -> list[list[str]]:
    """The rows of the page's tables of events: event, levels, fields, meaning, what to do."""
    lines = re.findall(r"^\| `[a-z-]+` \|.*\|$", PAGE.read_text(), re.M)
    split = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [row for row in split if len(row) == 5]


def on_page() -> dict[str, Logged]:
    return {
        event.strip("`"): Logged(
            frozenset(levels.split(", ")), frozenset(re.findall("`([a-z]+)`", fields))
        )
        for event, levels, fields, _, _ in rows()
    }


def test_the_page_lists_each_event_with_its_levels_and_fields() -> None:
    code, page = in_code(), on_page()
    assert sorted(page) == sorted(code)
    assert {event: page[event] for event in code if page[event] != code[event]} == {}


def test_each_field_is_some_events() -> None:
    used = {field for logged in in_code().values() for field in logged.fields}
    assert used == {*FIELDS} - {"event"}


def test_what_is_for_the_audit_is_a_warning_or_says_who_came() -> None:
    audited = {event for event, logged in in_code().items() if "audit" in logged.fields}
    low = {event for event in audited if in_code()[event].levels != {"warning"}}
    assert low == {"admin-connected"}


def test_the_page_says_what_each_event_means_and_what_to_do_about_errors() -> None:
    assert [row for row in rows() if not row[3] or (row[1] == "error" and not row[4])] == []
