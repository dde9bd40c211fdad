"""The effects on people: they arrive, change in what others are told of them, and depart."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from trio_chat.core.devices import DEVICES_MAX
from trio_chat.core.effects import Deliveries, Effects
from trio_chat.core.effects.identity import (
    demote,
    forget_known,
    is_here_by_another_node,
    is_opened,
    log_out,
    note_everywhere,
    note_known,
    set_mode,
    told_modes,
    told_of,
)
from trio_chat.core.effects.rooms import narrow, remove
from trio_chat.core.events import (
    Arrived,
    Attached,
    AwaySet,
    Departed,
    Detached,
    DeviceEnded,
    Entry,
    Got,
    MetadataSet,
    NameSet,
    Origin,
    ReadUpTo,
    Renamed,
    UserModesSet,
)
from trio_chat.core.invitations import forget_all as forget_invitations
from trio_chat.core.invitations import withdraw_all
from trio_chat.core.limits import note_limit
from trio_chat.core.metadata import with_values
from trio_chat.core.metadata_told import told_of_person
from trio_chat.core.names import fold
from trio_chat.core.nicknames import give_back, holder, take
from trio_chat.core.remembered import note_seen
from trio_chat.core.room import Device, Person
from trio_chat.core.state import State, is_silenced_somewhere, metadata_of, shown
from trio_chat.core.views import Delivery, Marked, Presence

#: The away message of those who are absent, unless they have left one of their own.
NOT_CONNECTED = "not connected"

# Read markers of somebody who is not known: those of the last rooms and people they have read.
_MARKS_EACH = 200


def _on_arrived(state: State, arrived: Arrived, entry: Entry) -> Deliveries:
    """People who watch for the nickname; the newcomer is in no room yet.

    Nobody, if somebody else has got the nickname before, or has come under the same account.
    """
    if not _can_arrive(state, arrived):
        return []
    identity, now = arrived.identity or arrived.user_id, entry.at
    person = Person(arrived.user_id, arrived.nick, arrived.origin, identity, since=now, spoke=now)
    if arrived.absent:
        person.away, state.absent[person.user_id] = NOT_CONNECTED, person
    else:
        person.devices = (_device(arrived, arrived.user_id, entry),)
    state.people[person.user_id] = person
    take(state, person)
    note_known(state, person)
    state.most = max(state.most, len(state.people))
    note_limit(state, person)
    is_theirs = arrived.absent or is_opened(state, arrived)
    lost = [] if is_theirs else log_out(state, [person])
    described = told_of_person(state, person, metadata_of(state, person), person.user_id)
    return [*_presence(state, arrived.nick, person.origin), *described, *lost]


def _can_arrive(state: State, arrived: Arrived) -> bool:
    if holder(state, arrived.nick, arrived.user_id):
        return False
    return not is_here_by_another_node(state, arrived)


def _device(event: Arrived | Attached, id: str, entry: Entry) -> Device:
    return Device(
        id, event.secure, event.address, event.client, event.key, event.password_id, entry.at,
        event.one_room, by=entry.id,
    )  # fmt: skip


def _on_attached(state: State, attached: Attached, entry: Entry) -> Deliveries:
    """Nobody; if they were absent, those who are told that they are back. Nothing comes of it if
    what has opened the account does not any more, or its owner has just gone, or come on too many.
    """
    person = state.people.get(attached.user_id)
    account = attached.origin.account
    if person is None or not account or person.origin.account != account:
        return []  # what it has shown may open the account that they have left, and no other
    if not is_opened(state, attached) or len(person.devices) >= DEVICES_MAX:
        return []
    device = _device(attached, attached.device, entry)
    device.rooms, device.greeted = {}, bool(attached.rooms)
    narrow(person)
    was_absent, person.devices = person.is_absent, (*person.devices, device)
    state.absent.pop(person.user_id, None)
    state.further[device.id] = person
    if was_absent:
        person.origin = attached.origin
        note_everywhere(state, person)
    note_limit(state, person)
    is_back = was_absent and person.away == NOT_CONNECTED
    return _be_away(state, person, "") if is_back else []


def _on_detached(state: State, detached: Detached, entry: Entry) -> Deliveries:
    """Nobody, if the person is still here on another; else those who are told that they are away,
    or have gone, because their last two have ended at the same moment.

    Who shows later what opens the account need not have shown what has made them an operator.
    """
    _forget_device(state, detached.device)
    if (person := state.people.get(detached.user_id)) is None:
        return []
    person.devices = tuple(d for d in person.devices if d.id != detached.device)
    note_limit(state, person)
    if not person.is_absent:
        return []
    if not state.is_always_on(person):
        rooms, seen = tuple(person.rooms), detached.seen
        gone = Departed(person.nick, person.user_id, detached.why, person.origin, rooms, seen)
        return _depart(state, person, gone, entry)
    state.absent[person.user_id] = person
    for name in person.rooms if detached.seen else ():
        note_seen(state.rooms[name], person, detached.seen)
    told = demote(state, person) if person.is_operator else ()
    return [*told, *(() if person.away else _be_away(state, person, NOT_CONNECTED))]


def _on_device_ended(state: State, ended: DeviceEnded, entry: Entry) -> Deliveries:
    """Nobody: the node where it is tells it, and lets it go."""
    return []


def _be_away(state: State, person: Person, text: str) -> Deliveries:
    """Tell others that somebody is connected no more, or is again."""
    person.away = text
    event = AwaySet(person.nick, text, person.user_id, person.origin)
    everybody, *strangers = told_of(state, person, event)
    return [replace(everybody, people=(), by=""), *strangers]


def _forget_device(state: State, device: str) -> None:
    state.further.pop(device, None)
    state.watchers.forget(device)
    state.subscribers.forget(device)


def _on_renamed(state: State, renamed: Renamed, entry: Entry) -> Deliveries:
    """The person, everybody who shares a room with them, and who watches either name.

    Nobody, if somebody else has got the nickname before.
    """
    person = state.people.get(renamed.user_id)
    if person is None or holder(state, renamed.to, person.user_id):
        return []
    before, name = fold(person.nick), fold(renamed.to)
    delivery = Delivery(renamed, tuple(person.rooms), (person.user_id,), by=person.user_id)
    give_back(state, person)
    if before != name:
        _remember(state, person, entry)
    person.nick = renamed.to
    take(state, person)
    note_limit(state, person)
    note_everywhere(state, person)
    if before == name:
        return [delivery]
    gone = _presence(state, renamed.nick, None)
    return [delivery, *gone, *_presence(state, renamed.to, person.origin)]


def _on_departed(state: State, departed: Departed, entry: Entry) -> Deliveries:
    """Everybody who shared a room with the person, once; and people who watch for the nickname.

    Nobody, if they have come on another connection meanwhile.
    """
    _forget_device(state, departed.user_id)
    person, last = state.people.get(departed.user_id), departed.via or departed.user_id
    if person is None:  # cut off before their arrival had a place in the log
        return []
    if any(device.id != last for device in person.devices):
        detached = Detached(person.nick, person.user_id, last, person.origin, departed.seen)
        return _on_detached(state, detached, entry)
    return _depart(state, person, departed, entry)


def _depart(state: State, person: Person, departed: Departed, entry: Entry) -> Deliveries:
    del state.people[person.user_id]
    state.absent.pop(person.user_id, None)
    for device in person.devices:
        _forget_device(state, device.id)
    give_back(state, person)
    state.banned.pop(person.user_id, None)
    forget_known(state, person)
    _remember(state, person, entry)
    rooms = tuple(person.rooms)
    for room in rooms:
        remove(state, person, room, seen=departed.seen)
    forget_invitations(state, person)
    if person.is_operator:
        withdraw_all(state, person)
    for mode in person.modes:
        set_mode(state, person, mode, add=False)
    return [Delivery(departed, rooms=rooms), *_presence(state, person.nick, None)]


def _remember(state: State, person: Person, entry: Entry) -> None:
    """Note that somebody had this nickname, with what others were told of them then."""
    seen = shown(replace(person), silenced=is_silenced_somewhere(state, person))
    state.past.append((seen, entry.at))


def _presence(state: State, nick: str, origin: Origin | None) -> Iterator[Delivery]:
    for device in state.watchers.get(fold(nick), ()):
        if watcher := state.owner(device):
            yield Delivery(Presence(watcher.nick, nick, origin), devices=(device,))


def _on_away_or_name_set(state: State, event: AwaySet | NameSet, entry: Entry) -> Deliveries:
    """The person, everybody who shares a room with them, once; and people who watch for them."""
    if (person := state.people.get(event.user_id)) is None:
        return []
    if isinstance(event, AwaySet):
        person.away = event.text
    else:
        person.origin = event.origin
        note_everywhere(state, person)
    return told_of(state, person, event)


def _on_metadata_set(state: State, event: MetadataSet, entry: Entry) -> Deliveries:
    """Those who have subscribed to the key and know the person."""
    person = state.people.get(event.user_id)
    if person is None or person.origin.account:  # gone, or logged in, meanwhile
        return []
    person.metadata = with_values(person.metadata, event.values)
    return [*told_of_person(state, person, event.values, event.by)]


def _on_user_modes_set(state: State, event: UserModesSet, entry: Entry) -> Deliveries:
    """The person alone; ``o`` not where they have come by a token."""
    if (person := state.people.get(event.user_id)) is None:
        return []
    for change in event.changes:
        set_mode(state, person, change.mode, add=change.add)
    person.origin = replace(person.origin, bot="B" in person.modes)
    note_limit(state, person)
    note_everywhere(state, person)
    if any(change.mode == "o" and not change.add for change in event.changes):
        withdraw_all(state, person)
    return told_modes(state, person, event)


def _on_read_up_to(state: State, event: ReadUpTo, entry: Entry) -> Deliveries:
    """The other connections of the person, and of those who are the same."""
    person, target = state.people.get(event.user_id), fold(event.target)
    at = event.at
    if person and event.identity:
        person.marks = {name: mark for name, mark in person.marks.items() if name != target}
    elif person:
        at = max(at, person.marks.get(target, 0))
        person.marks = _with_mark(person.marks, target, at)
    if person is None or event.quiet:
        return []
    same = state.same(person.identity).values()
    others = tuple(one.id for each in same for one in each.devices if one.id != entry.by)
    return [Delivery(Marked(event.target, at), devices=others)] if others else []


def _with_mark(marks: Mapping[str, int], target: str, at: int) -> Mapping[str, int]:
    """Read markers with one more: those of the last targets that somebody has read."""
    others = [mark for mark in marks.items() if mark[0] != target]
    return dict([*others[-(_MARKS_EACH - 1) :], (target, at)])


def _on_got(state: State, event: Got, entry: Entry) -> Deliveries:
    """Nobody: the store keeps it."""
    return []


#: Rows for ``apply.EFFECTS``.
EFFECTS: Effects = {
    Arrived: _on_arrived,
    Attached: _on_attached,
    Detached: _on_detached,
    DeviceEnded: _on_device_ended,
    Renamed: _on_renamed,
    Departed: _on_departed,
    ReadUpTo: _on_read_up_to,
    Got: _on_got,
    AwaySet: _on_away_or_name_set,
    NameSet: _on_away_or_name_set,
    MetadataSet: _on_metadata_set,
    UserModesSet: _on_user_modes_set,
}
