"""The explanation of what somebody may not do just now, and until when."""

from collections.abc import Iterator

from trio_chat.core.decide import kept_out_of
from trio_chat.core.denials import muted_there
from trio_chat.core.limits import is_exempt, why_silent
from trio_chat.core.room import Person, Room
from trio_chat.core.state import State, is_banned


def explain(state: State, person: Person) -> Iterator[str]:
    """What limits somebody, a sentence each: a ban, the lock, the rooms that they are in, and bans
    of rooms that they have been in.
    """
    if person.limit is not None:
        yield why_silent(state, person.limit)
    lock = state.realm.lock
    is_guest = not (person.origin.account or is_exempt(state, person))
    if lock is not None and is_guest and person.limit is not lock:
        yield why_silent(state, lock)
    if is_guest and state.accounts_only:
        yield "Only people with an account may speak here: register your nickname, or log in."
    for name in person.rooms:
        yield from explain_room(state, person, state.rooms[name])
    for name in person.left or ():
        room = None if name in person.rooms else state.rooms.get(name)
        if room and is_banned(room, person):
            yield from explain_room(state, person, room)


def explain_room(state: State, person: Person, room: Room) -> Iterator[str]:
    """What keeps somebody out of a room, or from speaking in it.

    Of one that is hidden from them nothing is told.
    """
    is_in = person.user_id in room.members
    if "s" in room.state.flags and not (is_in or person.is_operator):
        return
    refused = muted_there(room, person) if is_in else kept_out_of(state, room, person)
    if refused:
        yield refused.why
