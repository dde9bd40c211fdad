"""The removal of people from a room, by its operators."""

from trio_chat.core.commands import KICK_MAX, Kick
from trio_chat.core.denials import absent, outside, powerless
from trio_chat.core.events import Kicked
from trio_chat.core.letters import as_reason
from trio_chat.core.names import fold
from trio_chat.core.room import Person
from trio_chat.core.standing import spared
from trio_chat.core.state import State
from trio_chat.core.views import Refused


def kick(state: State, person: Person, kick: Kick) -> list[Kicked | Refused]:
    """Judge the removal of somebody."""
    if refused := outside(state, person, kick.room) or powerless(state, person, kick.room):
        return [refused]
    name, other = state.name(kick.room), state.person(kick.nick)
    if other is None or fold(name) not in other.rooms:
        return [absent(kick.nick, name)]
    return [removed(state, person, kick, other)]


def removed(state: State, person: Person, kick: Kick, other: Person) -> Kicked | Refused:
    """The removal of a member by somebody who leads the room."""
    room = state.rooms[fold(kick.room)]
    if refused := spared(state, room, person, other):
        return refused
    why = "" if person.limit is not None else as_reason(kick.why, KICK_MAX)
    return Kicked(
        room.state.name, person.nick, other.nick, why, person.user_id, other.user_id,
        person.origin, other.known_as if other.identity != person.identity else "",
        other.origin.account,
    )  # fmt: skip
