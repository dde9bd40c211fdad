"""The state of the chat as a value: what all entries up to one have made of it.

A node that starts takes up a checkpoint and applies the entries after it; then it is where it would
be if it had applied all of them. The order of people, rooms and members is part of the state.

What a node has for itself is no part of it: its settings, who watches for whom, what newcomers to a
room are shown, whose connections it has to end, and which rooms were closed but are not saved yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from trio_chat.core.effects.identity import note_known
from trio_chat.core.events import NOWHERE, Origin
from trio_chat.core.names import fold
from trio_chat.core.nicknames import take
from trio_chat.core.realm import RealmState
from trio_chat.core.room import Device, Person, Room
from trio_chat.core.room_state import RoomState
from trio_chat.core.state import State
from trio_chat.core.views import Ban, Lock

# Stands for the lock where the number of a ban does for a ban: those begin with 1.
_LOCK = 0


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """An open room: its state, and ids of its ``members``, in the order in which they came.

    ``status`` and ``invited`` are those of ``Room``.
    """

    state: RoomState
    members: tuple[str, ...] = ()
    status: dict[str, str] = field(default_factory=dict)
    invited: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """What is still known of somebody who had a nickname up to a moment (unix milliseconds)."""

    user_id: str
    nick: str
    at: int
    origin: Origin = NOWHERE
    identity: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after the entry with this ``id``.

    The ``people`` are without their ``limit``: ``limits`` has it by their ids, as the number of the
    ban, or 0 for the lock. ``same`` holds the ids of people who have one identity, ``past`` those
    who have gone, the last one last, ``most`` the most people that have been here at once.
    """

    id: str
    realm: RealmState
    people: tuple[Person, ...] = ()
    limits: dict[str, int] = field(default_factory=dict)
    same: tuple[tuple[str, ...], ...] = ()
    rooms: tuple[OpenRoom, ...] = ()
    past: tuple[Gone, ...] = ()
    most: int = 0


# ── make one ───────────────────────────────────────────────────────────────────────────────────


def checkpoint(state: State, id: str) -> Checkpoint:
    """The state as a value, once the entry with this id, and none after it, has been applied."""
    return Checkpoint(
        id,
        state.realm.state(),
        tuple(map(_copy, state.people.values())),
        {person.user_id: _number(limit) for person, limit in _limited(state)},
        tuple(sorted(tuple(same) for same in state.known.values() if len(same) > 1)),
        tuple(map(_open_room, state.rooms.values())),
        tuple(_gone(person, at) for person, at in state.past),
        state.most,
    )


def _copy(person: Person) -> Person:
    """The same person; what happens to one of them does not change the other."""
    return replace(
        person,
        rooms={**person.rooms},
        left=None if person.left is None else {**person.left},
        marks={**person.marks},
        devices=tuple(map(_copy_device, person.devices)),
        limit=None,
    )


def _copy_device(device: Device) -> Device:
    return replace(device, rooms=None if device.rooms is None else {**device.rooms})


def _limited(state: State) -> Iterator[tuple[Person, Ban | Lock]]:
    for person in state.people.values():
        if person.limit:
            yield person, person.limit


def _number(limit: Ban | Lock) -> int:
    return limit.number if isinstance(limit, Ban) else _LOCK


def _open_room(room: Room) -> OpenRoom:
    return OpenRoom(room.state_now(), tuple(room.members), {**room.status}, {**room.invited})


def _gone(person: Person, at: int) -> Gone:
    addresses = tuple(device.address for device in person.devices)
    return Gone(person.user_id, person.nick, at, person.origin, person.identity, addresses)


# ── take one up ────────────────────────────────────────────────────────────────────────────────


def restore(state: State, found: Checkpoint) -> None:
    """Take up a checkpoint, in a state to which nothing has been applied. What was said up to it
    in its rooms is told to newcomers once it has been looked up.
    """
    state.realm.restore(found.realm)
    for person in map(_copy, found.people):
        _put(state, person)
    for ids in found.same:
        people = {user_id: state.people[user_id] for user_id in ids}
        state.known[state.people[ids[0]].identity] = people
    for user_id, number in found.limits.items():
        realm = state.realm
        state.people[user_id].limit = realm.bans.all[number] if number else realm.lock
    for room in found.rooms:
        _put_room(state, room, found.id)
    state.past.extend((_as_person(gone), gone.at) for gone in found.past)
    state.most = found.most


def _put(state: State, person: Person) -> None:
    state.people[person.user_id] = person
    take(state, person)
    note_known(state, person)
    if person.is_absent:
        state.absent[person.user_id] = person
    for device in person.devices:
        if device.id != person.user_id:
            state.further[device.id] = person
    for mode in person.modes:
        state.by_mode[mode][person.user_id] = person


def _put_room(state: State, found: OpenRoom, id: str) -> None:
    name = fold(found.state.name)
    state.open_room(found.state, unread=id)
    room = state.rooms[name]
    room.members.update((user_id, state.people[user_id]) for user_id in found.members)
    room.status.update(found.status)
    room.invited.update(found.invited)
    if room.members:
        state.empty.remove(name)


def _as_person(gone: Gone) -> Person:
    devices = tuple(Device("", address=address) for address in gone.addresses)
    return Person(gone.user_id, gone.nick, gone.origin, gone.identity, devices=devices)
