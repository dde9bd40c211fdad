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

    def hears(device: str, other: Person) -> bool:
        return other.user_id in room.members

    return _told(state, room.state.name, values, by, hears)


def told_of_person(state: State, person: Person, values: Values, by: str) -> Iterator[Delivery]:
    """Tell of a person's metadata, which ``by`` has set, who knows it."""
    if is_silenced_somewhere(state, person):
        return iter(())
    watching = state.watchers.get(fold(person.nick), {})

    def hears(device: str, other: Person) -> bool:
        return other is person or device in watching or share_a_room(other, person)

    return _told(state, person.nick, values, by, hears)


def _told(
    state: State, target: str, values: Values, by: str, hears: Callable[[str, Person], bool]
) -> Iterator[Delivery]:
    for key, value in values:
        owners = ((device, state.owner(device)) for device in state.subscribers.get(key, ()))
        others = ((device, person) for device, person in owners if person and device != by)
        if devices := tuple(device for device, person in others if hears(device, person)):
            yield Delivery(Metadata(target, ((key, value),)), devices=devices)
