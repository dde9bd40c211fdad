"""Entries as rows, and rows as entries."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from trio_chat.core.events import Entry, Event, Said, is_for_members
from trio_chat.storage.codec import decode, encode
from trio_chat.storage.ids import unpack


class Kind(IntEnum):
    """What is looked for by itself. NOT_FOR_ALL is what only some of a room's members saw."""

    SAID = 0
    BARRIER = 1
    OTHER = 2
    NOT_FOR_ALL = 3


#: What a SELECT from entry and room asks for, to make entries of it.
COLUMNS = "room.name, entry.id, entry.kind, entry.text, entry.token, entry.event"


class Row(NamedTuple):
    """An event that waits for its id and its room."""

    kind: Kind
    text: str
    token: str | None
    event: str


def row_of(event: Event, *, barrier: bool) -> Row:
    if isinstance(event, Said):
        kind = Kind.SAID if is_for_members(event) else Kind.NOT_FOR_ALL
        return Row(kind, event.text, event.token or None, encode(event))
    if not is_for_members(event):
        return Row(Kind.NOT_FOR_ALL, "", None, encode(event))
    return Row(Kind.BARRIER if barrier else Kind.OTHER, "", None, encode(event))


def entries_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
    for name, id, _, text, token, event in rows:
        yield Entry(name, unpack(id), decode(event, text, token or ""))
