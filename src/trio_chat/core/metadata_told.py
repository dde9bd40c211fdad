"""Who is told that metadata has changed: those who have subscribed to the key.

For a room that is its members, for a person those who share a room with them or watch their
nickname. Of somebody who may not speak in a room nobody is told, because that would be speaking.
"""

from collections.abc import Callable, Iterator

from trio_chat.core.metadata import Values
from trio_chat.core.names import fold
from trio_chat.core.room import Person, Room
from trio_chat.core.state import State, is_silenced_somewhere, share_a_room
from trio_chat.core.views import Delivery, Metadata


def told_of_room(state: State, room: Room, values: Values, by: str) -> Iterator[Delivery]:
    """Tell of a room's metadata, which ``by`` has set, who knows it."""
    return _told(state, room.state.name, values, by, room.members.__contains__)


def told_of_person(state: State, person: Person, values: Values, by: str) -> Iterator[Delivery]:
    """Tell of a person's metadata, which ``by`` has set, who knows it."""
    if is_silenced_somewhere(state, person):
        return iter(())
    watching = state.watchers.get(fold(person.nick), {})

    def hears(user_id: str) -> bool:
        other = state.people.get(user_id)
        if other is None:
            return False
        return other is person or user_id in watching or share_a_room(other, person)

    return _told(state, person.nick, values, by, hears)


def _told(
    state: State, target: str, values: Values, by: str, hears: Callable[[str], bool]
) -> Iterator[Delivery]:
    for key, value in values:
        subscribed = state.subscribers.get(key, ())
        if people := tuple(user_id for user_id in subscribed if user_id != by and hears(user_id)):
            yield Delivery(Metadata(target, ((key, value),)), people=people)
