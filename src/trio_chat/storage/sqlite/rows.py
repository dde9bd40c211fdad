"""Entries as rows, and rows as entries."""

import logging
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

from trio_chat.core.events import Entry, Event, Said, is_for_members
from trio_chat.storage.codec import Unreadable, decode, encode
from trio_chat.storage.ids import LAST_SOUND, LATEST, unpack

logger = logging.getLogger(__name__)


class Kind(IntEnum):
    """The kinds of entries that are looked for separately.

    NOT_FOR_ALL is a message that only some of a room's members have seen, REDACTED one of which the
    words are gone, and only the token is of use. With the indexes by room, kind and id (or time),
    the last messages are found beside a million joins, and barriers beside a million messages.
    """

    SAID = 0
    BARRIER = 1
    OTHER = 2
    NOT_FOR_ALL = 3
    REDACTED = 4


#: The columns of entry and room of which ``entries_of`` makes entries.
COLUMNS = "room.name, entry.id, entry.at, entry.text, entry.token, entry.event"


#: Conditions of SQL: for somebody's entry, for what the audit finds, for reports of messages (both
#: as their index has it), for topics, for what can be redacted, and for what the audit needs no
#: longer than history.
IS_JOIN = "event LIKE '[\"Joined\"%'"
AUDITED = f"kind = {Kind.BARRIER:d} AND event NOT LIKE '[\"Joined\"%'"
REPORTED = f"kind = {Kind.BARRIER:d} AND event LIKE '[\"Reported\"%'"
IS_TOPIC = "event LIKE '[\"TopicSet\"%'"
_IS_MESSAGE = f"kind IN ({Kind.SAID:d}, {Kind.NOT_FOR_ALL:d})"
WITH_WORDS = f"({_IS_MESSAGE} OR kind = {Kind.BARRIER:d} AND {IS_TOPIC})"
UNAUDITED = f"(kind <> {Kind.BARRIER:d} OR {IS_JOIN} OR {IS_TOPIC})"


class Row(NamedTuple):
    """An event that waits for its id and its room."""

    kind: Kind
    text: str
    token: str | None
    event: str


def row_of(event: Event, *, barrier: bool) -> Row:
    """The row of an event that is stored."""
    if isinstance(event, Said):
        kind = Kind.SAID if is_for_members(event) else Kind.NOT_FOR_ALL
        return Row(kind, event.text, event.token or None, encode(event))
    if not is_for_members(event):
        return Row(Kind.NOT_FOR_ALL, "", None, encode(event))
    return Row(Kind.BARRIER if barrier else Kind.OTHER, "", None, encode(event))


def entries_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
    """The entries of rows, without those that cannot be read."""
    for name, id, at, text, token, written in rows:
        if not (isinstance(name, str) and 0 < id <= LAST_SOUND):
            complain(f"entry {id}", "it has no place")
        elif not (isinstance(at, int) and 0 <= at <= LATEST):
            complain(f"entry {unpack(id)}", "it has no time")
        elif event := event_of(id, written, text, token or ""):
            yield Entry(name, unpack(id), event, at)


def event_of(id: int, written: str, text: str, token: str = "") -> Event | None:
    """The event of a row; None, and a complaint, if it cannot be read."""
    try:
        return decode(written, text, token)
    except Unreadable as error:
        complain(f"entry {unpack(id)}", str(error))
        return None


def complain(what: str, why: str) -> None:
    """Log that something cannot be read: once, and without what was read."""
    with _complaining:
        _complain(what, why)


_complaining = Lock()  # a cache does not keep two threads from doing the same at once


@lru_cache(maxsize=1000)
def _complain(what: str, why: str) -> None:
    logger.error(
        "%s of the history cannot be read and is passed over: %s",
        what,
        why,
        extra={"event": "unreadable", "reason": why},
    )
