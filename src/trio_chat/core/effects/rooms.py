"""The effects on rooms: people come and go, and a room's topic, modes, name and metadata change."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trio_chat.core.answers import topic_of
from trio_chat.core.barred import banned_there
from trio_chat.core.effects import Deliveries, Effects
from trio_chat.core.events import (
    REALM,
    Change,
    Departed,
    Entry,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Looked,
    ModesSet,
    PlaceSet,
    RoomClosed,
    RoomMetadataSet,
    RoomOpened,
    RoomRenamed,
    TopicSet,
    Unknown,
)
from trio_chat.core.invitations import forget as forget_invitation
from trio_chat.core.invitations import invite, withdraw
from trio_chat.core.logs import after
from trio_chat.core.metadata_told import told_of_room
from trio_chat.core.names import fold
from trio_chat.core.remembered import hidden, hiding, note_seen
from trio_chat.core.renaming import move, told
from trio_chat.core.room import Device, Person, Room
from trio_chat.core.standing import always_enters, change_status, first_status
from trio_chat.core.state import State, leads, with_status
from trio_chat.core.views import Copy, Delivery, Notice, RoomWelcome

# The rooms that somebody has left of which their first visit is remembered.
_LEFT_MAX = 200


# ── rooms open and close ─────────────────────────────────────────────────────────────────────────


def _on_room_opened(state: State, opened: RoomOpened, entry: Entry) -> Deliveries:
    """Nobody. Others may have opened it at the same moment."""
    if room := state.rooms.get(fold(opened.room)):
        room.state = after(room.state, entry)
    else:
        state.open_room(replace(opened.state, barrier=entry.id), unread=entry.id)
    return []


def _on_room_closed(state: State, closed: RoomClosed, entry: Entry) -> Deliveries:
    """Nobody. Somebody may have come in at the same moment."""
    name = fold(closed.room)
    if room := state.rooms.get(name):
        room.state = after(room.state, entry)
        if not room.members:
            state.close_room(name, entry.id)
    return []


def _on_unknown(state: State, event: Unknown, entry: Entry) -> Deliveries:
    """Nobody."""
    if entry.room == REALM:
        state.realm.apply(entry)
    elif room := state.rooms.get(entry.room):
        room.state = after(room.state, entry)
    return []


# ── come and go ──────────────────────────────────────────────────────────────────────────────────


def _on_joined(state: State, joined: Joined, entry: Entry) -> Deliveries:
    """Everybody in the room; then the newcomer alone, who is shown the room itself.

    That includes the last messages, as far as the newcomer may read them and has not seen them yet.
    A bot is not shown any: it would do again what it was once told to do.
    """
    name = fold(joined.room)
    room, person = state.rooms.get(name), state.people[joined.user_id]
    if room is None:  # the newcomer was cut off, and the room closed because nobody was in it
        return []
    if name in person.rooms:  # they have entered it at the same moment on another connection
        room.state = after(room.state, entry)
        return _looked_at(room, person, joined, person.device(joined.via))
    others, first = len(room.members), not person.rooms
    # Those who were there when the join was judged may have left since.
    nobody_leads = not (others or joined.absent)
    if status := joined.status or (first_status(state, room, person) if nobody_leads else ""):
        room.status[person.user_id] = status
    room.state = after(room.state, entry)
    room.members[person.user_id] = person
    room.note(person.user_id, moved=True)
    if joined.back:
        narrow(person)
    person.rooms[name] = person.first_entered(name) or entry.id
    _show(person, name, None if joined.back else person.device(joined.via))
    forget_invitation(state, name, person)
    state.empty.discard(name)
    entered = _welcome(room, name, person, others=others, first=first)
    shown_on = tuple(device.id for device in person.devices if device.shows(name))
    return [
        Delivery(replace(joined, status=status), rooms=(name,), by=joined.user_id),
        Delivery(entered, devices=shown_on, by=joined.user_id),
    ]


def narrow(person: Person) -> None:
    """Let connections that show one room show no other than they do now."""
    for device in person.devices:
        if device.one_room and device.rooms is None:
            device.rooms = dict.fromkeys(person.rooms)


def _show(person: Person, name: str, on: Device | None) -> None:
    """Show a room on the connection on which it was entered, and on others that show several."""
    for device in person.devices:
        if device.rooms is not None and (device is on or not device.one_room):
            _show_on(device, name)


def _show_on(device: Device, name: str) -> None:
    if device.one_room:
        device.rooms = {}
    if device.rooms is not None:
        device.rooms[name] = None


def _on_looked(state: State, looked: Looked, entry: Entry) -> Deliveries:
    """The connection alone, which is shown the room as if its owner had just entered it."""
    name = fold(looked.room)
    room, person = state.rooms.get(name), state.people.get(looked.user_id)
    if room is None or person is None or name not in person.rooms:
        return []
    return _looked_at(room, person, looked, person.device(looked.device))


def _looked_at(room: Room, person: Person, event: Joined | Looked, device: Device) -> Deliveries:
    name = fold(room.state.name)
    if device.shows(name):
        return []
    first, device.greeted = not device.greeted, True
    _show_on(device, name)
    entered = _welcome(room, name, person, others=len(room.members) - 1, first=first)
    by = person.user_id
    return [Delivery(shown, devices=(device.id,), by=by) for shown in (event, entered)]


def _welcome(room: Room, name: str, person: Person, *, others: int, first: bool) -> RoomWelcome:
    """A room (``name``, folded) as it stands, for somebody who comes to see it."""
    return RoomWelcome(
        room.state.name,
        person.nick,
        others=others,
        first=first,
        topic=topic_of(room) if room.state.topic else None,
        recent=() if person.origin.bot else tuple(_unseen(room, name, person)),
    )


def _unseen(room: Room, name: str, person: Person) -> Iterator[Entry]:
    not_for_them, seen = hidden(room.state, name, person), room.left.get(person.identity, "")
    return (e for e in room.recent if e.id > seen and not hiding(e.id, not_for_them))


def _on_left(state: State, left: Left, entry: Entry) -> Deliveries:
    """Everybody who stays, and the person who leaves."""
    name = fold(left.room)
    person = state.people[left.user_id]
    if name not in person.rooms:  # they have left it at the same moment on another connection
        return []
    remove(state, person, name, seen=entry.id)
    return [
        Delivery(left, rooms=(name,)),
        Delivery(Copy(left), people=(left.user_id,), by=left.user_id),
    ]


def _on_kicked(state: State, kicked: Kicked, entry: Entry) -> Deliveries:
    """Everybody in the room, the person who has to leave, and whoever did it from outside.

    The person is also told of a ban that keeps them from coming back.
    """
    name = fold(kicked.room)
    room, person = state.rooms.get(name), state.people.get(kicked.target_id)
    if room is None:
        return []
    room.state = after(room.state, entry)
    if person is None or name not in person.rooms:  # they left before the kick arrived
        return []
    people = (person.user_id, *outside(room, kicked.user_id))
    remove(state, person, name)  # nobody knows whether they are still there to see it
    told = [
        Delivery(kicked, rooms=(name,), by=kicked.user_id),
        Delivery(kicked, people=people, by=kicked.user_id),
    ]
    if not always_enters(room, person) and (banned := banned_there(room, person)):
        told.append(Delivery(Notice(banned.why, room.state.name), people=(person.user_id,)))
    return told


def _on_place_set(state: State, event: PlaceSet, entry: Entry) -> Deliveries:
    """Nobody: the store keeps it."""
    return []


def _on_invited(state: State, invited: Invited, entry: Entry) -> Deliveries:
    """The invited person, and the room's operators.

    An invitation by an operator of the room lifts every obstacle; any other is just a message.
    """
    name = fold(invited.room)
    room, person = state.rooms.get(name), state.people.get(invited.target_id)
    if person is None or room is None:
        return []
    inviter = state.people.get(invited.user_id)
    if inviter and leads(room, inviter) and name not in person.rooms:
        invite(state, name, person, inviter.user_id)
    others = {*with_status(room, "@")} - {person.user_id, invited.user_id}
    return [
        Delivery(invited, people=(person.user_id,)),
        Delivery(Copy(invited), people=tuple(sorted(others))),
    ]


def remove(state: State, person: Person, name: str, *, seen: str = "") -> None:
    """Take a person out of a room; ``seen`` is the last id they saw there, empty if not known."""
    _note_left(person, name, person.rooms.pop(name))
    for device in person.devices:
        if device.rooms:
            device.rooms.pop(name, None)
    room = state.rooms[name]
    del room.members[person.user_id]
    room.status.pop(person.user_id, None)
    room.note(person.user_id, moved=True)
    if room.invited:
        withdraw(state, name, person.user_id)
    if seen:
        note_seen(room, person, seen)
    if not room.members:
        state.empty.add(name)


def _note_left(person: Person, name: str, first: str) -> None:
    left = person.left = person.left or {}
    left.pop(name, None)
    left[name] = first
    if len(left) > _LEFT_MAX:
        del left[next(iter(left))]


def outside(room: Room, user_id: str) -> tuple[str, ...]:
    """The id of somebody who does something to a room without being in it; empty if they are in."""
    return (user_id,) if user_id and user_id not in room.members else ()


def membership_changes(event: Event) -> Sequence[str]:
    """The ids of the people whom an event brings into a room or out of one."""
    match event:
        case Joined() | Left() | Departed():
            return (event.user_id,)
        case Kicked():
            return (event.target_id,)
    return ()


# ── the room ─────────────────────────────────────────────────────────────────────────────────────


def _on_topic_or_modes_set(state: State, event: TopicSet | ModesSet, entry: Entry) -> Deliveries:
    """Everybody in the room, and an operator of the server who did it from outside.

    Nobody has done it if the time of an entry was up. That somebody goes on having their status,
    now by their account, is told to nobody. Operators have a copy of a ban that has an
    end or a reason, or is about somebody whom the entry does not name.
    """
    name = fold(event.room)
    if (room := state.rooms.get(name)) is None:
        return []
    is_news = not (isinstance(event, ModesSet) and event.founder) or _changes(room, event)
    for change in event.changes if isinstance(event, ModesSet) else ():
        change_status(room, change)
        if change.mode == "o" and not change.add:
            withdraw(state, name, change.user_id)
    room.state = after(room.state, entry)
    if not is_news:
        return []
    people = outside(room, event.user_id)
    told = [Delivery(event, rooms=(name,), people=people, by=event.user_id)]
    if isinstance(event, ModesSet) and any(map(_is_explained, event.changes)):
        operators = tuple(dict.fromkeys([*with_status(room, "@"), *people]))
        told.append(Delivery(Copy(event), people=operators, by=event.user_id))
    return told


def _changes(room: Room, event: ModesSet) -> bool:
    """Whether anybody has another status after it."""
    return any(
        change.add != (change.mode in room.status.get(change.user_id, ""))
        for change in event.changes
    )


def _is_explained(change: Change) -> bool:
    return change.mode == "b" and change.add and bool(change.seconds or change.why or change.whom)


def _on_room_renamed(state: State, event: RoomRenamed, entry: Entry) -> Deliveries:
    """Everybody in the room, and an operator of the server who did it from outside."""
    if (room := state.room(event.room)) is None:
        return []
    room.state = after(room.state, entry)
    move(state, room, event)
    return [*told(state, room, event)]


def _on_room_metadata_set(state: State, event: RoomMetadataSet, entry: Entry) -> Deliveries:
    """Members who have subscribed to the key."""
    if (room := state.room(event.room)) is None:
        return []
    room.state = after(room.state, entry)
    return [*told_of_room(state, room, event.values, event.user_id)]


#: Rows for ``apply.EFFECTS``.
EFFECTS: Effects = {
    Unknown: _on_unknown,
    RoomOpened: _on_room_opened,
    RoomClosed: _on_room_closed,
    Joined: _on_joined,
    Looked: _on_looked,
    Left: _on_left,
    Kicked: _on_kicked,
    PlaceSet: _on_place_set,
    Invited: _on_invited,
    TopicSet: _on_topic_or_modes_set,
    ModesSet: _on_topic_or_modes_set,
    RoomRenamed: _on_room_renamed,
    RoomMetadataSet: _on_room_metadata_set,
}
