"""Invitations: worth as much as the operator who gave them.

Each is used once. It ends when its inviter leaves the room, or is no longer an operator of it.
"""

from trio_chat.core.room import Person, Room
from trio_chat.core.state import State, has_status

# Invitations that one person may hold at a time: beyond that the oldest is forgotten.
INVITED_MAX = 100


def invite(state: State, name: str, person: Person, by: str) -> None:
    """Note an invitation; ``name`` is the room's, folded, ``by`` the id of the inviter."""
    forget(state, name, person)
    if len(person.invited) >= INVITED_MAX:
        forget(state, person.invited[0], person)
    person.invited += (name,)
    state.rooms[name].invited[person.user_id] = by


def is_invited(room: Room, person: Person) -> bool:
    """Whether somebody has an invitation that still counts."""
    return person.user_id in room.invited


def forget(state: State, name: str, person: Person) -> None:
    """Drop one invitation, which was used or has lost its worth."""
    if name in person.invited:
        person.invited = tuple(other for other in person.invited if other != name)
        del state.rooms[name].invited[person.user_id]


def forget_all(state: State, person: Person) -> None:
    """Drop every invitation of somebody who has gone."""
    for name in person.invited:
        forget(state, name, person)


def withdraw(state: State, name: str, by: str) -> None:
    """Drop the invitations to a room that somebody has given, who could give none any more."""
    given = [user_id for user_id, inviter in state.rooms[name].invited.items() if inviter == by]
    for user_id in given:
        forget(state, name, state.people[user_id])


def withdraw_all(state: State, operator: Person) -> None:
    """Withdraw an operator's invitations to rooms that they do not lead themselves.

    As an operator of the server they may have invited people to any room.
    """
    for name, room in state.rooms.items():
        if not has_status(room, operator):
            withdraw(state, name, operator.user_id)
