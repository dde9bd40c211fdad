"""The right to read what was said before: in one's rooms, and between two people.

A conversation is one between two identities, so whoever takes a nickname later finds nothing of it.
A nickname means the person who has it now; or, if nobody has it, the owner of the account of that
name, or the one who had it when the reader last talked with them.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

from trio_chat.core.answers import unknown
from trio_chat.core.events import Entry, Said
from trio_chat.core.names import fold, private_room
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import Span, hidden
from trio_chat.core.renaming import called
from trio_chat.core.room import Person, Room
from trio_chat.core.state import State
from trio_chat.core.views import Refused


class Source(NamedTuple):
    """A log, and its name for the reader: a room, or the other person's nickname.

    Whoever reads the log must leave out the spans that are ``hidden``.
    """

    log: str
    name: str
    hidden: Sequence[Span] = ()

    def called(self, entry: Entry) -> Entry:
        """An entry as its room is called now."""
        return called(entry, self.name) if self.log.startswith("#") else entry


def source(
    state: State, reader: Person, target: str, talks: Sequence[Entry] = ()
) -> Source | Refused:
    """Find the log that somebody means by a room or a nickname; Refused if they may not read it.

    ``talks`` is the last entry of each of their conversations; it is needed if nobody here has that
    nickname.
    """
    if not target:
        return unknown("")
    if room := state.room(target):
        return _room(fold(target), room, reader) if reader.user_id in room.members else _no(target)
    if other := state.person(target):
        return Source(private_room(reader.identity, other.identity), other.nick)
    if account := state.realm.account(target):
        return Source(private_room(reader.identity, account.identity), account.name)
    for entry in sorted(talks, key=lambda entry: entry.id, reverse=True):
        if fold(nick := _other_end(state, reader, entry)) == fold(target):
            return Source(entry.room, nick)
    return _no(target)


def rooms_of(state: State, reader: Person) -> Sequence[Source]:
    """The logs of all rooms that somebody is in."""
    return [_room(log, state.rooms[log], reader) for log in reader.rooms]


def talk(state: State, reader: Person, last: Entry) -> Source:
    """The log of a conversation of theirs, given its last entry."""
    return Source(last.room, partner(state, reader, last))


def _room(log: str, room: Room, reader: Person) -> Source:
    return Source(log, room.state.name, hidden(room.state, log, reader))


def partner(state: State, reader: Person, last: Entry) -> str:
    """The other person's nickname in a conversation: now, or else when its last entry was said."""
    one, _, other = last.room.partition(",")
    people = state.same(other if one == reader.identity else one)
    return next(iter(people.values())).nick if people else _other_end(state, reader, last)


def _other_end(state: State, reader: Person, entry: Entry) -> str:
    said = cast("Said", entry.event)  # a conversation's log holds nothing else
    mine = state.same(reader.identity)
    if said.user_id in mine:
        return said.to
    # The reader may have said it on a connection that has gone; then the nickname tells.
    return said.to if fold(said.nick) == fold(reader.nick) and said.to_id not in mine else said.nick


def _no(target: str) -> Refused:
    why = f"There is nothing in the history of {target} that you may read."
    return Refused(why, Code.UNREADABLE, (target,))
