"""Invitations: worth as much as the operator who gave them, and for as long as they are one."""

from trio_chat.core.room import Person, Room
from trio_chat.core.state import State

# Rooms that one person is invited to at a time: beyond that the oldest invitation is forgotten.
INVITED_MAX = 100


def invite(state: State, name: str, person: Person, by: str) -> None:
    """``name`` is the room's, folded, ``by`` the id of who invites."""
    forget(state, name, person)
    if len(person.invited) >= INVITED_MAX:
        forget(state, next(iter(person.invited)), person)
    person.invited[name] = None
    state.rooms[name].invited[person.who] = by


def is_invited(room: Room, person: Person) -> bool:
    return person.who in room.invited


def forget(state: State, name: str, person: Person) -> None:
    """It was used, or is worth nothing any more."""
    if name in person.invited:
        del person.invited[name]
        del state.rooms[name].invited[person.who]


def forget_all(state: State, person: Person) -> None:
    for name in tuple(person.invited):
        forget(state, name, person)


def withdraw(state: State, name: str, by: str) -> None:
    """All those to a room that somebody has given, who cannot any more."""
    given = [who for who, inviter in state.rooms[name].invited.items() if inviter == by]
    for who in given:
        forget(state, name, state.people[who])
