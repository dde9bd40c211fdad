"""The renaming of a room: who may, what moves with it, and who is told.

A room is known by its folded name: its state, its members' rooms and its log all go by that. So
another name moves all of these at one place in the log. The old name is free from then on, so in a
room that has a founder no other operator of it may rename it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from trio_chat.core.answers import members_of, topic_of, visible_room
from trio_chat.core.commands import KICK_MAX, RenameRoom
from trio_chat.core.denials import nowhere, powerless
from trio_chat.core.events import Entry, RoomRenamed
from trio_chat.core.letters import as_reason
from trio_chat.core.limits import silent
from trio_chat.core.names import fold, room_problem
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person, Room
from trio_chat.core.standing import founder_over
from trio_chat.core.state import State, is_silenced
from trio_chat.core.views import Delivery, Refused, RoomMoved


def rename_room(
    state: State, person: Person, request: RenameRoom
) -> Sequence[RoomRenamed | Refused]:
    """Judge the name, not whether the log knows it: the caller has seen to that."""
    if (room := visible_room(state, person, request.room)) is None:
        return [nowhere(request.room)]
    name, to = room.state.name, request.to
    if refused := powerless(state, person, name) or silent(state, person, name):
        return [refused]
    if fold(name) == fold(state.lobby):
        return [Refused(f"{name} keeps its name.", Code.CANNOT_RENAME_ROOM, (name, to))]
    if founder := founder_over(state, room, person):
        why = (
            f"{founder.name} founded {name}: only they or an operator of the server can rename it."
        )
        return [Refused(why, Code.CANNOT_RENAME_ROOM, (name, to))]
    if problem := room_problem(to):
        return [Refused(problem, Code.CANNOT_RENAME_ROOM, (name, to))]
    if to == name:
        return []
    if fold(to) != fold(name) and (fold(to) in state.rooms or fold(to) == fold(state.lobby)):
        return [taken(name, to)]
    why = "" if is_silenced(room, person) else as_reason(request.why, KICK_MAX)
    return [RoomRenamed(name, person.nick, to, why, person.user_id, person.origin)]


def taken(room: str, to: str) -> Refused:
    """The refusal of a name that another room has, or has had: what was said there is its own."""
    return Refused(f"There is a room {to} already.", Code.ROOM_NAME_TAKEN, (room, to))


def move(state: State, room: Room, event: RoomRenamed) -> None:
    """Let a room, and what people have to do with it, go by another name."""
    old, new = fold(event.room), fold(event.to)
    room.recent = deque((called(entry, event.to) for entry in room.recent), room.recent.maxlen)
    if old == new:
        return
    state.rooms[new] = state.rooms.pop(old)
    if old in state.empty:
        state.empty.remove(old)
        state.empty.add(new)

    def name_now(name: str) -> str:
        return new if name == old else name

    for person in room.members.values():
        person.rooms = {name_now(name): first for name, first in person.rooms.items()}
        if old in person.marks:
            person.marks = {name_now(name): at for name, at in person.marks.items()}
    for person in map(state.people.__getitem__, room.invited):
        person.invited = tuple(map(name_now, person.invited))


def told(state: State, room: Room, event: RoomRenamed) -> Iterator[Delivery]:
    """Tell each member by themselves, as some have to be shown the room anew; and an operator of
    the server who did it from outside.
    """
    topic = topic_of(room) if room.state.topic else None
    for user_id, person in room.members.items():
        moved = RoomMoved(event, person.nick, person.origin, topic, members_of(room, person))
        yield Delivery(moved, people=(user_id,), by=event.user_id)
    if event.user_id not in room.members:
        yield Delivery(event, people=(event.user_id,), by=event.user_id)


def called(entry: Entry, name: str) -> Entry:
    """An entry of a room's log, as if the room had always had this name."""
    event: Any = entry.event
    if getattr(event, "room", name) == name or isinstance(event, RoomRenamed):
        return entry
    return entry._replace(event=replace(event, room=name))
