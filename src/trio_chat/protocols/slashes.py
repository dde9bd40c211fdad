"""Commands that begin with a slash, in tables: what both ends say of a row, and of what is none."""

import difflib
from collections.abc import Mapping
from typing import Protocol


class Row(Protocol):
    """``arguments`` as /help shows them, what it ``does``, and how many of them are ``needed``."""

    @property
    def arguments(self) -> str: ...

    @property
    def does(self) -> str: ...

    @property
    def needed(self) -> int: ...


def complaint(rows: Mapping[str, Row], word: str, rest: str) -> str:
    """Why this cannot be done, ``rest`` being what stands behind the word; empty if it can."""
    row = rows.get(word.lower())
    if row is None:
        near = difflib.get_close_matches(word.lower(), rows, n=1)
        meant = f"Did you mean /{near[0]}? " if near else ""
        return f"There is no command /{word[:20]}. {meant}/help lists all of them."
    if len(rest.split(maxsplit=row.needed)) < row.needed:
        return f"Something is missing: /{word.lower()} {row.arguments}"
    return ""


def overview(rows: Mapping[str, Row]) -> list[str]:
    """The lines of /help."""
    usages = [(f"/{word} {row.arguments}", row.does) for word, row in rows.items()]
    width = max(len(usage) for usage, _ in usages)
    lines = [f"{usage:<{width}}  {does}" for usage, does in usages]
    return ["Every line you write goes to the room, but for these:", *lines]
