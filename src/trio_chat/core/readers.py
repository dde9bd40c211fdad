"""Who may read what was said before: members what is in their room, and two what they have talked.

A conversation is that of two identities, so whoever takes a nickname later finds nothing of it.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

from trio_chat.core.answers import unknown
from trio_chat.core.events import Entry, Refused, Said
from trio_chat.core.names import fold, private_room
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import Span, hidden
from trio_chat.core.room import Person, Room
from trio_chat.core.state import State


class Source(NamedTuple):
    """A log, and what it is called by who reads it: a room, or the other one's nickname.

    What of it is ``hidden`` they may not read: whoever reads the log has to leave that out.
    """

    log: str
    name: str
    hidden: Sequence[Span] = ()


def source(
    state: State, reader: Person, target: str, talks: Sequence[Entry] = ()
) -> Source | Refused:
    """What somebody means, and may read, by the name of a room or a nickname.

    ``talks`` is the last of each of their conversations: it is needed if nobody here is called so.
    """
    if not target:
        return unknown("")
    if room := state.room(target):
        return _room(fold(target), room, reader) if reader.who in room.members else _no(target)
    if other := state.person(target):
        return Source(private_room(reader.identity, other.identity), other.nick)
    for entry in sorted(talks, key=lambda entry: entry.id, reverse=True):
        if fold(nick := _other_end(state, reader, entry)) == fold(target):
            return Source(entry.room, nick)
    return _no(target)


def rooms_of(state: State, reader: Person) -> Sequence[Source]:
    return [_room(log, state.rooms[log], reader) for log in reader.rooms]


def talk(state: State, reader: Person, last: Entry) -> Source:
    """A conversation of theirs, by the last of it."""
    return Source(last.room, partner(state, reader, last))


def _room(log: str, room: Room, reader: Person) -> Source:
    return Source(log, room.state.name, hidden(room.state, log, reader))


def partner(state: State, reader: Person, last: Entry) -> str:
    """What the other one in a conversation is called: now, or when the last of it was said."""
    one, _, other = last.room.partition(",")
    people = state.by_identity.get(other if one == reader.identity else one)
    return next(iter(people.values())).nick if people else _other_end(state, reader, last)


def _other_end(state: State, reader: Person, entry: Entry) -> str:
    said = cast("Said", entry.event)  # nothing else is kept of a conversation
    mine = state.by_identity.get(reader.identity, {})
    if said.who in mine:
        return said.to
    # They may have said it on a connection that has gone; then it tells by the nickname.
    return (
        said.to if fold(said.nick) == fold(reader.nick) and said.to_who not in mine else said.nick
    )


def _no(target: str) -> Refused:
    return Refused(f"There is nothing of {target} that you may read.", Code.UNREADABLE, (target,))
