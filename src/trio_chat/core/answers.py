"""Answers to queries from the state: each function answers one kind of query for ``asker``.

A secret room is visible to its members, and an invisible person to those who share a room with
them; operators of the server see everything.

Answers that may be long come in parts. They tell of those who were there at the beginning, each as
they are when their part is worked out, and not of those who have gone since; who has come since is
left out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from trio_chat.core.accounts import account_of, no_account, not_logged_in
from trio_chat.core.bans import NETWORK, fits
from trio_chat.core.devices import devices_of, nodes_of
from trio_chat.core.masks import Pattern, address, pattern
from trio_chat.core.metadata import Values
from trio_chat.core.modes import prefixes
from trio_chat.core.names import fold
from trio_chat.core.networks import network_of, written
from trio_chat.core.preferences import PREFERENCES, told
from trio_chat.core.queries import (
    Count,
    FindNicks,
    FindPast,
    FindPeople,
    ListDevices,
    ListMembers,
    ListRooms,
    ShowAccount,
    ShowInvitations,
    ShowMasks,
    ShowMetadata,
    ShowModes,
    ShowPreferences,
    ShowTopic,
    SyncMetadata,
)
from trio_chat.core.refusals import Code
from trio_chat.core.roll import SIZE, Roll
from trio_chat.core.room import Person, Room
from trio_chat.core.state import (
    State,
    has_status,
    is_silenced_somewhere,
    metadata_of,
    share_a_room,
    shown,
)
from trio_chat.core.views import (
    AccountView,
    AllMetadata,
    Answer,
    Ban,
    Block,
    Counts,
    Devices,
    DeviceView,
    Invitations,
    Masks,
    Members,
    Metadata,
    Modes,
    Notice,
    People,
    Refused,
    Rooms,
    RoomView,
    SyncLater,
    Topic,
    UserView,
)

_Answers = Callable[[State, Person, Any], Iterable[Answer]]
_T = TypeVar("_T")

# People or rooms that are looked at for a part of an answer: a millisecond.
_PART = 200

# The most members of a room who are told without letting others go first. Most often they are
# written already, and telling so many takes a twentieth of a millisecond.
_NAMES = 2000


def topic_of(room: Room) -> Topic:
    """The topic of a room, with who set it and when."""
    return Topic(room.state.name, room.state.topic, room.state.topic_by, room.state.topic_at)


def _list_members(state: State, asker: Person, query: ListMembers) -> Iterator[Answer]:
    """All in one part, so that nobody comes or goes in the middle."""
    room = visible_room(state, asker, query.room)
    if room and len(room.members) > _NAMES:
        yield Members(room.state.name, more=True)
        room = visible_room(state, asker, query.room)
    yield members_of(room, asker) if room else unknown(query.room)


def members_of(room: Room, asker: Person) -> Members:
    """The members of a room; outsiders are not told of invisible ones."""
    outside = asker.user_id not in room.members and not asker.is_operator
    blocks = tuple([views[outside] for views in _blocks(room)])
    return Members(room.state.name, blocks, secret="s" in room.state.flags)


def _blocks(room: Room) -> Sequence[tuple[Block, Block]]:
    """The members in blocks, as they are told to each other and to outsiders."""
    make = partial(_block, room.status)
    if len(room.members) <= SIZE:
        room.roll = None
        return [make(room.members)]
    if room.roll is None:
        room.roll = Roll(room.members, make)
    return room.roll.blocks()


def _block(status: Mapping[str, str], members: Mapping[str, Person]) -> tuple[Block, Block]:
    everybody = Block(partial(_views, members, status))
    if not any("i" in person.modes for person in members.values()):
        return everybody, everybody
    visible = {user_id: p for user_id, p in members.items() if "i" not in p.modes}
    return everybody, Block(partial(_views, visible, status))


def _views(members: Mapping[str, Person], status: Mapping[str, str]) -> Sequence[UserView]:
    return [
        UserView(person.nick, person.origin, status=prefixes(status.get(user_id, "")))
        for user_id, person in members.items()
    ]


def _of_room(answer: Callable[[Room, Person, Any], Answer]) -> _Answers:
    """An answer from a room, for those who may know of it."""

    def answered(state: State, asker: Person, query: Any) -> Iterable[Answer]:
        room = visible_room(state, asker, query.room)
        return [answer(room, asker, query) if room else unknown(query.room)]

    return answered


def _parts(things: Sequence[_T]) -> Iterator[tuple[Sequence[_T], bool]]:
    """Parts of the things, and whether more follow.

    Of several parts the first is empty: many may ask at once, and then take turns.
    """
    if len(things) > _PART:
        yield (), True
    for begin in range(0, max(1, len(things)), _PART):
        yield things[begin : begin + _PART], begin + _PART < len(things)


def _list_rooms(state: State, asker: Person, query: ListRooms) -> Iterator[Answer]:
    names = {fold(name) for name in query.rooms} or state.rooms
    rooms = [room for name in names if (room := state.rooms.get(name)) and room.members]
    rooms.sort(key=lambda room: room.state.name)
    rooms.sort(key=lambda room: len(room.members), reverse=True)
    for some, more in _parts(rooms):
        seen = (room for room in some if room.members and _may_see(asker, room))
        yield Rooms(tuple(_room_seen(room) for room in seen), more)


def _room_seen(room: Room) -> RoomView:
    s = room.state
    return RoomView(s.name, len(room.members), s.topic, s.topic_at, s.created)


def _show_modes(room: Room, asker: Person, query: ShowModes) -> Answer:
    """Members are told the key, others only that there is one."""
    s = room.state
    letters, arguments = "".join(sorted(s.flags)), []
    if s.key:
        letters += "k"
        arguments += [s.key] if asker.user_id in room.members else ["*"]
    if s.limit:
        letters += "l"
        arguments += [str(s.limit)]
    return Modes(s.name, letters, tuple(arguments), s.created)


def _show_masks(room: Room, asker: Person, query: ShowMasks) -> Answer:
    """The entries; to those who do not lead the room, without the accounts of those who do."""
    is_leader = has_status(room, asker) or asker.is_operator
    if query.mode != "b" and not is_leader:
        name = room.state.name
        return Refused(f"Only an operator of {name} may see that.", Code.NEED_OP, (name,))
    masks = tuple(mask for mode, mask in room.state.masks if mode == query.mode)
    if not is_leader:
        masks = tuple(replace(mask, account="") for mask in masks)
    return Masks(room.state.name, query.mode, masks)


def _find_people(state: State, asker: Person, query: FindPeople) -> Iterable[Answer]:
    """Find a room's members, the person with a nickname, or everybody visible who fits a mask."""
    if query.of.startswith("#"):
        return _find_members(state, asker, query.of)
    if person := state.person(query.of):
        return [People(query.of, (_seen_in_rooms(state, asker, person, query),))]
    if asker.is_operator and (network := network_of(query.of)):
        return _find_all(state, asker, query, fits(Ban(0, NETWORK, written(network))))
    if not {*query.of} & {*"*?"}:
        return [People(query.of, ())]
    is_found = partial(_fits, pattern(query.of), real=asker.is_operator)
    return _find_all(state, asker, query, is_found)


def _find_members(state: State, asker: Person, name: str) -> Iterator[Answer]:
    room = visible_room(state, asker, name)
    if room is None:
        yield People(name, ())
        return
    for some, more in _parts([*room.members.values()]):
        inside = asker.user_id in room.members
        visible = _may_see(asker, room)
        found = (
            p
            for p in some
            if visible and p.user_id in room.members and (inside or _may_meet(asker, p))
        )
        people = tuple(_seen(state, asker, p, (_place(room, p),)) for p in found)
        yield People(room.state.name, people, more)


def _find_all(
    state: State, asker: Person, query: FindPeople, is_found: Callable[[Person], bool]
) -> Iterator[Answer]:
    for some, more in _parts([*state.people.values()]):
        here = (person for person in some if person.user_id in state.people)
        found = (p for p in here if _may_meet(asker, p) and is_found(p))
        people = tuple(_seen_in_rooms(state, asker, p, query) for p in found)
        yield People(query.of, people, more)


def _find_nicks(state: State, asker: Person, query: FindNicks) -> Answer:
    found = (person for nick in query.nicks if (person := state.person(nick)))
    return People(
        "",
        tuple(
            _seen(state, asker, person, _rooms_seen(state, asker, person) if query.rooms else ())
            for person in found
        ),
    )


def _find_past(state: State, asker: Person, query: FindPast) -> Answer:
    """Here ``spoke`` is when they left, or took another nickname."""
    name = fold(query.nick)
    return People(
        query.nick,
        tuple(
            UserView(
                person.nick,
                person.origin,
                spoke=went,
                address=person.address if asker.is_operator else "",
            )
            for person, went in reversed(state.past)
            if fold(person.nick) == name
        ),
    )


def _show_invitations(state: State, asker: Person, query: ShowInvitations) -> Answer:
    return Invitations(tuple(sorted(state.name(room) for room in asker.invited)))


def _show_account(state: State, asker: Person, query: ShowAccount) -> Answer:
    own = account_of(state, asker)
    if not query.name and own is None:
        return not_logged_in()
    account = state.realm.account(query.name) if query.name else own
    if account is None:
        return no_account(query.name)
    keys = tuple((key.label, key.made) for key in account.keys)
    rules = state.rules(account.name)
    return AccountView(account.name, account.made, keys if account is own else None, rules)


def _show_preferences(state: State, asker: Person, query: ShowPreferences) -> Answer:
    if (account := account_of(state, asker)) is None:
        return not_logged_in()
    return Notice("\n".join(told(name, on=account.prefers(name)) for name in PREFERENCES))


def _list_devices(state: State, asker: Person, query: ListDevices) -> Answer:
    return Devices(devices_of(state, asker, query.via, nodes=asker.is_operator))


def _show_metadata(state: State, asker: Person, query: ShowMetadata) -> Answer:
    if query.room:
        room = visible_room(state, asker, query.room)
        if room is None:
            return unknown(query.room)
        return _unread(asker, room) or Metadata(room.state.name, room.state.metadata)
    person = state.person(query.nick) if query.nick else asker
    if person is None:
        return Refused(f"Nobody here is called {query.nick}.", Code.NO_SUCH_NICK, (query.nick,))
    return Metadata(person.nick, _metadata_seen(state, asker, person))


def _sync_metadata(state: State, asker: Person, query: SyncMetadata) -> Iterator[Answer]:
    if not query.room:
        yield SyncLater(tuple(map(state.name, asker.rooms)))
        return
    room = visible_room(state, asker, query.room)
    if refused := unknown(query.room) if room is None else _unread(asker, room):
        yield refused
    elif room and query.soon and len(room.members) > _PART:
        yield SyncLater((room.state.name,))
    elif room:
        keys = {*query.keys}
        yield AllMetadata((_under(keys, room.state.name, room.state.metadata),), more=True)
        for some, more in _parts([*room.members.values()]):
            here = (person for person in some if person.user_id in room.members)
            seen = ((person.nick, _metadata_seen(state, asker, person)) for person in here)
            yield AllMetadata(tuple(_under(keys, *one) for one in seen if one[1]), more)


def _unread(asker: Person, room: Room) -> Refused | None:
    """Why somebody may not read a room's metadata: members may, as they may read what is said."""
    if asker.user_id in room.members or asker.is_operator:
        return None
    name = room.state.name
    return Refused(f"You are not in {name}.", Code.NOT_IN_ROOM, (name,))


def _metadata_seen(state: State, asker: Person, person: Person) -> Values:
    """Metadata as ``asker`` may see it: that of somebody who may not speak is withheld."""
    values = metadata_of(state, person)
    if not values or asker is person or asker.is_operator:
        return values
    return () if is_silenced_somewhere(state, person) else values


def _under(keys: Collection[str], target: str, values: Values) -> Metadata:
    return Metadata(target, tuple(one for one in values if one[0] in keys))


def _count(state: State, asker: Person, query: Count) -> Answer:
    return Counts(
        len(state.people),
        invisible=len(state.by_mode["i"]),
        operators=len(state.by_mode["o"]),
        rooms=len(state.rooms) - len(state.empty),
        most=state.most,
    )


def _whole(answer: Callable[[State, Person, Any], Answer]) -> _Answers:
    """An answer that comes in one piece."""
    return lambda state, asker, query: [answer(state, asker, query)]


#: The answer to each kind of query; Refused if the asker may not know.
ANSWERS: dict[type, _Answers] = {
    ListMembers: _list_members,
    ListRooms: _list_rooms,
    ShowTopic: _of_room(lambda room, asker, query: topic_of(room)),
    ShowModes: _of_room(_show_modes),
    ShowMasks: _of_room(_show_masks),
    FindPeople: _find_people,
    FindNicks: _whole(_find_nicks),
    FindPast: _whole(_find_past),
    ShowInvitations: _whole(_show_invitations),
    ShowAccount: _whole(_show_account),
    ShowPreferences: _whole(_show_preferences),
    ListDevices: _whole(_list_devices),
    ShowMetadata: _whole(_show_metadata),
    SyncMetadata: _sync_metadata,
    Count: _whole(_count),
}


# ── who may see what ───────────────────────────────────────────────────────────────────────────


def visible_room(state: State, asker: Person, name: str) -> Room | None:
    """The room of this name, if somebody is in it and ``asker`` may know of it; for operators of
    the server also one that is open for them, and that nobody is in.
    """
    room = state.room(name)
    is_there = room and (room.members or asker.is_operator)
    return room if room and is_there and _may_see(asker, room) else None


def _may_see(asker: Person, room: Room) -> bool:
    return "s" not in room.state.flags or asker.user_id in room.members or asker.is_operator


def _may_meet(asker: Person, person: Person) -> bool:
    hidden = "i" in person.modes and not asker.is_operator and asker is not person
    return not hidden or share_a_room(asker, person)


def _fits(mask: Pattern, person: Person, *, real: bool) -> bool:
    """Whether a mask fits somebody; with ``real``, also by where they really come from."""
    nick, origin = person.nick, person.origin
    texts = [nick, origin.user, origin.host, origin.name, address(nick, origin)]
    for at in person.addresses if real else ():
        texts += [at, address(nick, replace(origin, host=at))]
    return any(mask.fits(fold(text)) for text in texts)


def _seen(state: State, asker: Person, person: Person, rooms: Iterable[str]) -> UserView:
    """A person as ``asker`` may see them, in these rooms."""
    hidden = not (asker is person or asker.is_operator) and is_silenced_somewhere(state, person)
    told = shown(person, silenced=hidden)
    return UserView(
        person.nick,
        told.origin,
        user_id=person.user_id,
        away=told.away,
        modes=person.modes,
        rooms=tuple(rooms),
        since=person.since,
        spoke=person.spoke,
        secure=person.secure,
        address=person.address if asker.is_operator else "",
        devices=_devices_seen(state, asker, person),
        nodes=nodes_of(state, person) if asker.is_operator else (),
    )


def _devices_seen(state: State, asker: Person, person: Person) -> tuple[DeviceView, ...]:
    if len(person.devices) < 2 or not (asker.is_operator or asker is person):
        return ()
    return devices_of(state, person, nodes=asker.is_operator)


def _seen_in_rooms(state: State, asker: Person, person: Person, query: FindPeople) -> UserView:
    """A person as ``asker`` may see them, in one of their rooms or in all."""
    rooms = _rooms_seen(state, asker, person)
    return _seen(state, asker, person, rooms if query.rooms else islice(rooms, 1))


def _rooms_seen(state: State, asker: Person, person: Person) -> Iterator[str]:
    for name in person.rooms:
        room = state.rooms[name]
        hidden = "i" in person.modes and asker.user_id not in room.members
        if _may_see(asker, room) and (not hidden or asker.is_operator or asker is person):
            yield _place(room, person)


def _place(room: Room, person: Person) -> str:
    """A room's name, after the prefixes that somebody has there."""
    return prefixes(room.status.get(person.user_id, "")) + room.state.name


def unknown(room: str) -> Refused:
    """The refusal for a room that is not there, or that must look as if it were not."""
    why = f"There is nobody in {room}." if room else "You are not in any room."
    return Refused(why, Code.NO_SUCH_ROOM, (room,))
