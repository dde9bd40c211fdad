"""The effects of events: each ``_on_…`` applies one kind of event, and says who hears it.

Who hears what is decided in these functions, and nowhere else; their docstrings name the hearers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from trio_chat.core.answers import topic_of
from trio_chat.core.denials import banned_there
from trio_chat.core.events import (
    PEOPLE,
    REALM,
    AccountDropped,
    AccountMade,
    AccountMetadataSet,
    AccountReset,
    AccountSet,
    Announced,
    Arrived,
    AwaySet,
    Banned,
    Change,
    Departed,
    Entry,
    Event,
    InvitationRevoked,
    InvitationUsed,
    Invited,
    Joined,
    KeyDropped,
    KeyMade,
    Kicked,
    Killed,
    Left,
    Locked,
    MetadataSet,
    ModesSet,
    NameSet,
    OfRealm,
    OperatorMade,
    Origin,
    PasswordSet,
    Redacted,
    Renamed,
    Reported,
    RoomMetadataSet,
    RoomRenamed,
    Said,
    Signalled,
    TopicSet,
    Unbanned,
    Unlocked,
    UserModesSet,
)
from trio_chat.core.invitations import forget as forget_invitation
from trio_chat.core.invitations import forget_all as forget_invitations
from trio_chat.core.invitations import invite, withdraw
from trio_chat.core.limits import note_ban, note_end, note_limit, note_lock
from trio_chat.core.masks import fold_mask
from trio_chat.core.metadata import changed, with_values
from trio_chat.core.metadata_told import told_of_person, told_of_room
from trio_chat.core.modes import COUNTED, KEYED, LISTS, STATUS, with_letter
from trio_chat.core.names import fold
from trio_chat.core.remembered import (
    hidden,
    hiding,
    note_seen,
    remember,
)
from trio_chat.core.renaming import move, told
from trio_chat.core.reports import hearers
from trio_chat.core.room import Person, Room, RoomState
from trio_chat.core.standing import first_status, with_status_changed
from trio_chat.core.state import (
    State,
    has_status,
    is_silenced_somewhere,
    leads,
    metadata_of,
    share_a_room,
    shown,
    with_status,
)
from trio_chat.core.views import Copy, Delivery, LoggedOut, Mask, Notice, Presence, RoomWelcome

# First visits that are remembered of each connection.
_VISITS_MAX = 200

Deliveries = Sequence[Delivery]


# ── said ───────────────────────────────────────────────────────────────────────────────────────


def _on_said(state: State, said: Said, entry: Entry) -> Deliveries:
    """Heard by everybody in the room and the speaker; in private, by the two of them."""
    if speaker := state.people.get(said.user_id):
        speaker.spoke = entry.at
    if is_for_all(said) and (room := state.rooms.get(fold(said.room))):
        room.recent.append(entry)
    return _on_signalled(state, said, entry)


def _on_signalled(state: State, event: Said | Signalled, entry: Entry) -> Deliveries:
    """The same people as if it were said."""
    if event.to:
        echo = Delivery(Copy(event), people=(event.user_id,), by=event.user_id)
        return [Delivery(event, people=(event.to_id,)), echo]
    name = fold(event.room)
    room = state.rooms.get(name)
    if room is None:  # everybody has left it meanwhile, and it was closed
        return []
    if event.status:
        people = tuple({**dict.fromkeys(with_status(room, event.status)), event.user_id: None})
        return [Delivery(event, people=people, by=event.user_id)]
    if event.user_id not in room.members:
        echo = Delivery(Copy(event), people=(event.user_id,), by=event.user_id)
        return [Delivery(event, rooms=(name,)), echo]
    return [Delivery(event, rooms=(name,), by=event.user_id)]


def _on_redacted(state: State, redacted: Redacted, entry: Entry) -> Deliveries:
    """Those who heard the message, and whoever has removed it; nobody is shown it any more."""
    by = redacted.user_id
    if redacted.to:
        ends = (state.same(identity) for identity in entry.room.split(","))
        return [Delivery(redacted, people=tuple({**dict.fromkeys(chain(*ends))}), by=by)]
    name = fold(redacted.room)
    if (room := state.rooms.get(name)) is None:
        return []
    room.state = after(room.state, entry)
    room.recent = deque((e for e in room.recent if e.id != redacted.msgid), room.recent.maxlen)
    if redacted.status:
        own = dict.fromkeys((redacted.author_id, by))
        people = {**dict.fromkeys(with_status(room, redacted.status)), **own}
        return [Delivery(redacted, people=tuple(people), by=by)]
    outside = () if by in room.members else (by,)
    return [Delivery(redacted, rooms=(name,), people=outside, by=by)]


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _on_joined(state: State, joined: Joined, entry: Entry) -> Deliveries:
    """Everybody in the room; then the newcomer alone, who is shown the room itself.

    That includes the last messages, as far as the newcomer may read them and has not seen them yet.
    A bot is not shown any: it would do again what it was once told to do.
    """
    name = fold(joined.room)
    room, person = state.rooms.get(name), state.people[joined.user_id]
    if room is None:  # the newcomer was cut off, and the room closed because nobody was in it
        return []
    others, first = len(room.members), not person.rooms
    # Those who were there when the join was judged may have left since.
    if status := joined.status or ("" if others else first_status(state, room, person)):
        room.status[person.user_id] = status
    room.state = after(room.state, entry)
    room.members[person.user_id] = person
    room.note(person.user_id, moved=True)
    person.rooms[name] = None
    _visit(person, name, entry.id)
    forget_invitation(state, name, person)
    state.empty.discard(name)
    entered = RoomWelcome(
        room.state.name,
        person.nick,
        others=others,
        first=first,
        topic=topic_of(room) if room.state.topic else None,
        recent=() if person.origin.bot else tuple(_unseen(room, name, person)),
    )
    return [
        Delivery(joined, rooms=(name,), by=joined.user_id),
        Delivery(entered, people=(person.user_id,), by=joined.user_id),
    ]


def _visit(person: Person, name: str, id: str) -> None:
    person.visits.setdefault(name, id)
    if len(person.visits) > _VISITS_MAX:
        del person.visits[next(iter(person.visits))]


def _unseen(room: Room, name: str, person: Person) -> Iterator[Entry]:
    not_for_them, seen = hidden(room.state, name, person), room.left.get(person.identity, "")
    return (e for e in room.recent if e.id > seen and not hiding(e.id, not_for_them))


def _on_left(state: State, left: Left, entry: Entry) -> Deliveries:
    """Everybody who stays, and the person who leaves."""
    name = fold(left.room)
    _remove(state, state.people[left.user_id], name, seen=entry.id)
    return [
        Delivery(left, rooms=(name,)),
        Delivery(Copy(left), people=(left.user_id,), by=left.user_id),
    ]


def _on_kicked(state: State, kicked: Kicked, entry: Entry) -> Deliveries:
    """Everybody in the room, the person who has to leave, and whoever did it from outside.

    The person is also told of a ban that keeps them from coming back.
    """
    name = fold(kicked.room)
    room, person = state.rooms[name], state.people.get(kicked.target_id)
    room.state = after(room.state, entry)
    if person is None or name not in person.rooms:  # they left before the kick arrived
        return []
    outside = {} if kicked.user_id in room.members else {kicked.user_id: None}
    _remove(state, person, name)  # nobody knows whether they are still there to see it
    told = [
        Delivery(kicked, rooms=(name,), by=kicked.user_id),
        Delivery(kicked, people=tuple({person.user_id: None} | outside), by=kicked.user_id),
    ]
    if banned := banned_there(room, person):
        told.append(Delivery(Notice(banned.why, room.state.name), people=(person.user_id,)))
    return told


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


# ── the room ───────────────────────────────────────────────────────────────────────────────────


def _on_topic_or_modes_set(state: State, event: TopicSet | ModesSet, entry: Entry) -> Deliveries:
    """Everybody in the room, and an operator of the server who did it from outside.

    Nobody has done it if the time of an entry was up.
    """
    name = fold(event.room)
    room = state.rooms[name]
    for change in event.changes if isinstance(event, ModesSet) else ():
        change_status(room, change)
        if change.mode == "o" and not change.add:
            withdraw(state, name, change.user_id)
    room.state = after(room.state, entry)
    outside = event.user_id and event.user_id not in room.members
    people = (event.user_id,) if outside else ()
    return [Delivery(event, rooms=(name,), people=people, by=event.user_id)]


def _on_room_renamed(state: State, event: RoomRenamed, entry: Entry) -> Deliveries:
    """Everybody in the room, and an operator of the server who did it from outside."""
    room = state.rooms[fold(event.room)]
    room.state = after(room.state, entry)
    move(state, room, event)
    return [*told(state, room, event)]


def _on_room_metadata_set(state: State, event: RoomMetadataSet, entry: Entry) -> Deliveries:
    """Members who have subscribed to the key."""
    room = state.rooms[fold(event.room)]
    room.state = after(room.state, entry)
    return [*told_of_room(state, room, event.values, event.user_id)]


# ── people ─────────────────────────────────────────────────────────────────────────────────────


def _on_arrived(state: State, arrived: Arrived, entry: Entry) -> Deliveries:
    """People who watch for the nickname; the newcomer is in no room yet."""
    identity, now = arrived.identity or arrived.user_id, entry.at
    person = Person(arrived.user_id, arrived.nick, arrived.origin, identity, since=now, spoke=now)
    person.secure, person.key, person.address = arrived.secure, arrived.key, arrived.address
    state.people[person.user_id] = state.by_nick[fold(person.nick)] = person
    if person.is_known:
        state.known.setdefault(identity, {})[person.user_id] = person
    state.most = max(state.most, len(state.people))
    note_limit(state, person)
    lost = [] if _is_opened(state, arrived) else _log_out(state, [person])
    described = told_of_person(state, person, metadata_of(state, person), person.user_id)
    return [*_presence(state, arrived.nick, person.origin), *described, *lost]


def _on_renamed(state: State, renamed: Renamed, entry: Entry) -> Deliveries:
    """The person, everybody who shares a room with them, and who watches either name."""
    person = state.people[renamed.user_id]
    before, name = fold(person.nick), fold(renamed.to)
    delivery = Delivery(renamed, tuple(person.rooms), (person.user_id,), by=person.user_id)
    del state.by_nick[before]
    state.by_nick[name] = person
    if before != name:
        _remember(state, person, entry)
    person.nick = renamed.to
    note_limit(state, person)
    _note(state, person)
    if before == name:
        return [delivery]
    gone = _presence(state, renamed.nick, None)
    return [delivery, *gone, *_presence(state, renamed.to, person.origin)]


def _on_departed(state: State, departed: Departed, entry: Entry) -> Deliveries:
    """Everybody who shared a room with the person, once; and people who watch for the nickname."""
    state.watchers.forget(departed.user_id)
    state.subscribers.forget(departed.user_id)
    person = state.people.pop(departed.user_id, None)
    if person is None:  # cut off before their arrival had a place in the log
        return []
    del state.by_nick[fold(person.nick)]
    state.banned.pop(person.user_id, None)
    _forget_known(state, person)
    _remember(state, person, entry)
    rooms = tuple(person.rooms)
    for room in rooms:
        _remove(state, person, room, seen=departed.seen)
    forget_invitations(state, person)
    if person.is_operator:
        _withdraw_all(state, person)
    for mode in person.modes:
        _set_mode(state, person, mode, add=False)
    return [Delivery(departed, rooms=rooms), *_presence(state, person.nick, None)]


def _remember(state: State, person: Person, entry: Entry) -> None:
    """Note that somebody had this nickname, with what others were told of them then."""
    seen = shown(replace(person), silenced=is_silenced_somewhere(state, person))
    state.past.append((seen, entry.at))


def _on_away_or_name_set(state: State, event: AwaySet | NameSet, entry: Entry) -> Deliveries:
    """The person, everybody who shares a room with them, once; and people who watch for them."""
    person = state.people[event.user_id]
    if isinstance(event, AwaySet):
        person.away = event.text
    else:
        person.origin = event.origin
        _note(state, person)
    return _told(state, person, event)


def _told(state: State, person: Person, event: AwaySet | NameSet | AccountSet) -> Deliveries:
    watchers = (state.people.get(user_id) for user_id in state.watchers.get(fold(person.nick), ()))
    strangers = tuple(
        w.user_id for w in watchers if w and w is not person and not share_a_room(w, person)
    )
    return [
        Delivery(event, tuple(person.rooms), (person.user_id,), by=person.user_id),
        *([Delivery(Copy(event), people=strangers)] if strangers else []),
    ]


def _on_account_set(state: State, event: AccountSet, entry: Entry) -> Deliveries:
    """The same people. Nobody, if what has opened the account no longer does."""
    if (person := state.people.get(event.user_id)) is None or not _is_opened(state, event):
        return []
    person.key = event.key or person.key
    return _be_known(state, person, event.origin.account, event.identity, person.user_id)


def _is_opened(state: State, event: Arrived | AccountSet) -> bool:
    """Whether what somebody has shown opens the account by which they would be known, if any."""
    if not (name := event.origin.account):
        return True
    account = state.realm.account(name)
    return bool(account and state.realm.opens(account, event.key, event.password_id))


def _be_known(
    state: State, person: Person, account: str, identity: str, by: str = ""
) -> Deliveries:
    """Let somebody be known by another account; by none if it is empty.

    Whoever leaves an account leaves with it what makes an operator of the server. It is told as
    their own doing if ``by`` is their id. A guest's metadata ends with a login.
    """
    before, person.metadata = metadata_of(state, person), ()
    _forget_known(state, person)
    demoted = person.is_operator and person.origin.account not in ("", account)
    person.identity = identity or person.user_id
    person.origin = replace(person.origin, account=account)
    if person.is_known:
        state.known.setdefault(identity, {})[person.user_id] = person
    note_limit(state, person)
    _note(state, person)
    event = AccountSet(person.nick, person.user_id, person.origin, identity)
    everybody, *strangers = _told(state, person, event)
    told = [replace(everybody, by=by), *strangers]
    described = told_of_person(state, person, changed(before, metadata_of(state, person)), by)
    return [*told, *described, *(_demote(state, person) if demoted else ())]


def _demote(state: State, person: Person) -> Deliveries:
    _set_mode(state, person, "o", add=False)
    note_limit(state, person)
    _withdraw_all(state, person)
    event = UserModesSet(person.nick, (Change(False, "o"),), person.user_id, person.origin)
    return [Delivery(event, people=(person.user_id,), by=person.user_id)]


def _forget_known(state: State, person: Person) -> None:
    if same := state.known.get(person.identity):
        del same[person.user_id]
        if not same:
            del state.known[person.identity]


def _on_account_made(state: State, event: AccountMade, entry: Entry) -> Deliveries:
    """Those who are told of an account, for whoever has registered.

    And for the person's other connections that have shown the same secret.
    """
    state.realm.apply(entry)
    account = state.realm.account(event.name)
    if account is None or account.identity != event.identity:
        return []
    people = {**state.same(event.key), event.user_id: state.people.get(event.user_id)}
    found = [person for person in people.values() if person]
    name, identity, by = account.name, account.identity, event.user_id
    return [d for person in found for d in _be_known(state, person, name, identity, by)]


def _on_account_dropped(state: State, event: AccountDropped, entry: Entry) -> Deliveries:
    """Those who are told of an account, for everybody who was logged in to it; and these."""
    account = state.realm.account(event.name)
    people = [*state.same(account.identity).values()] if account else []
    gone = changed(account.metadata, ()) if account else ()
    described = [d for p in people for d in told_of_person(state, p, gone, "")]
    state.realm.apply(entry)
    return [*described, *_log_out(state, people, by=event.user_id)]


def _on_key_dropped(state: State, event: KeyDropped, entry: Entry) -> Deliveries:
    """The same, for those who have shown the key, but for whoever drops it."""
    state.realm.apply(entry)
    account = state.realm.account(event.name)
    people = state.same(account.identity).values() if account else ()
    shown_it = (person for person in people if person.key == event.key)
    return _log_out(state, (p for p in shown_it if p.user_id != event.user_id))


def _log_out(state: State, people: Iterable[Person], by: str = "") -> Deliveries:
    """Log people out; all but the one who has done it are told, and cannot stay."""
    told: list[Delivery] = []
    for person in [*people]:
        told += _be_known(state, person, "", "")
        if person.user_id != by:
            ended = LoggedOut(person.nick, person.origin)
            told.append(Delivery(ended, people=(person.user_id,)))
    return told


def _on_account_metadata_set(state: State, event: AccountMetadataSet, entry: Entry) -> Deliveries:
    """Those who have subscribed to the key and know somebody who is logged in to the account."""
    state.realm.apply(entry)
    account = state.realm.account(event.name)
    people = [*state.same(account.identity).values()] if account else ()
    return [d for p in people for d in told_of_person(state, p, event.values, event.user_id)]


def _on_metadata_set(state: State, event: MetadataSet, entry: Entry) -> Deliveries:
    """Those who have subscribed to the key and know the person."""
    person = state.people.get(event.user_id)
    if person is None or person.origin.account:  # gone, or logged in, meanwhile
        return []
    person.metadata = with_values(person.metadata, event.values)
    return [*told_of_person(state, person, event.values, event.by)]


def _on_invitation_used(state: State, event: InvitationUsed, entry: Entry) -> Deliveries:
    """Nobody. An account that it makes an operator's has no limits any more."""
    state.realm.apply(entry)
    if account := state.realm.account(event.name):
        for person in state.same(account.identity).values():
            note_limit(state, person)
    return []


def _on_banned(state: State, event: Banned, entry: Entry) -> Deliveries:
    """Operators of the server, but for the one who did it."""
    replaced = state.realm.bans.on(event.kind, event.value)
    state.realm.apply(entry)
    note_end(state, replaced)
    note_ban(state, state.realm.bans.all[event.number])
    return _to_operators(state, event)


def _on_unbanned(state: State, event: Unbanned, entry: Entry) -> Deliveries:
    """The same people."""
    lifted = state.realm.bans.all.get(event.number)
    state.realm.apply(entry)
    note_end(state, lifted)
    return _to_operators(state, event)


def _to_operators(state: State, event: Banned | Unbanned) -> Deliveries:
    people = tuple(user_id for user_id in state.by_mode["o"] if user_id != event.user_id)
    return [Delivery(event, people=people)]


def _on_locked_or_unlocked(state: State, event: Locked | Unlocked, entry: Entry) -> Deliveries:
    """Everybody who is in a room."""
    state.realm.apply(entry)
    note_lock(state)
    return [Delivery(event, rooms=tuple(state.rooms))]


def _on_reported(state: State, event: Reported, entry: Entry) -> Deliveries:
    """Operators of the server, and of the room."""
    state.realm.apply(entry)
    return [Delivery(event, people=hearers(state, event))]


def _on_realm_changed(state: State, event: OfRealm, entry: Entry) -> Deliveries:
    """Nobody."""
    state.realm.apply(entry)
    return []


def _on_user_modes_set(state: State, event: UserModesSet, entry: Entry) -> Deliveries:
    """The person alone."""
    person = state.people[event.user_id]
    for change in event.changes:
        _set_mode(state, person, change.mode, add=change.add)
    person.origin = replace(person.origin, bot="B" in person.modes)
    note_limit(state, person)
    _note(state, person)
    if any(change.mode == "o" and not change.add for change in event.changes):
        _withdraw_all(state, person)
    return [Delivery(event, people=(person.user_id,), by=person.user_id)]


def _on_announced(state: State, event: Announced, entry: Entry) -> Deliveries:
    """Operators, and people who want to hear announcements."""
    people = tuple(state.by_mode["o"] | state.by_mode["w"])
    return [Delivery(event, people=people, by=event.user_id)]


def _set_mode(state: State, person: Person, mode: str, *, add: bool) -> None:
    person.modes = with_letter(person.modes, mode, add=add)
    if add:
        state.by_mode[mode][person.user_id] = person
    else:
        state.by_mode[mode].pop(person.user_id, None)


def change_status(room: Room, change: Change) -> None:
    """Apply a change to a member's status, if it is one."""
    if change.mode in STATUS and change.user_id in room.members:
        letters = room.status.pop(change.user_id, "")
        if letters := with_letter(letters, change.mode, add=change.add):
            room.status[change.user_id] = letters
        room.note(change.user_id)


def _note(state: State, person: Person) -> None:
    """Note in all their rooms that somebody is told of in another way."""
    for name in person.rooms:
        state.rooms[name].note(person.user_id)


def _presence(state: State, nick: str, origin: Origin | None) -> Iterator[Delivery]:
    for user_id in state.watchers.get(fold(nick), ()):
        if watcher := state.people.get(user_id):
            yield Delivery(Presence(watcher.nick, nick, origin), people=(user_id,))


def _remove(state: State, person: Person, name: str, *, seen: str = "") -> None:
    """Take a person out of a room; ``seen`` is the last id they saw there, empty if not known."""
    del person.rooms[name]
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


def _withdraw_all(state: State, operator: Person) -> None:
    """Withdraw an operator's invitations to rooms that they do not lead themselves.

    As an operator of the server they may have invited people to any room.
    """
    for name, room in state.rooms.items():
        if not has_status(room, operator):
            withdraw(state, name, operator.user_id)


#: The effect of each kind of event: it changes the state, and returns who is to be shown what.
EFFECTS: dict[type, Callable[[State, Any, Entry], Deliveries]] = {
    Said: _on_said,
    Signalled: _on_signalled,
    Redacted: _on_redacted,
    Joined: _on_joined,
    Left: _on_left,
    Kicked: _on_kicked,
    Invited: _on_invited,
    TopicSet: _on_topic_or_modes_set,
    ModesSet: _on_topic_or_modes_set,
    RoomRenamed: _on_room_renamed,
    RoomMetadataSet: _on_room_metadata_set,
    Arrived: _on_arrived,
    Renamed: _on_renamed,
    Departed: _on_departed,
    AwaySet: _on_away_or_name_set,
    NameSet: _on_away_or_name_set,
    AccountSet: _on_account_set,
    AccountMade: _on_account_made,
    AccountDropped: _on_account_dropped,
    AccountMetadataSet: _on_account_metadata_set,
    MetadataSet: _on_metadata_set,
    PasswordSet: _on_realm_changed,
    KeyMade: _on_realm_changed,
    KeyDropped: _on_key_dropped,
    InvitationUsed: _on_invitation_used,
    InvitationRevoked: _on_realm_changed,
    Banned: _on_banned,
    Unbanned: _on_unbanned,
    Locked: _on_locked_or_unlocked,
    Unlocked: _on_locked_or_unlocked,
    AccountReset: _on_realm_changed,
    Killed: _on_realm_changed,  # that they depart is told
    OperatorMade: _on_realm_changed,
    Reported: _on_reported,
    UserModesSet: _on_user_modes_set,
    Announced: _on_announced,
}


# ── a room's state is a fold over its log ──────────────────────────────────────────────────────


def after(state: RoomState, entry: Entry) -> RoomState:
    """Return a room's state after one more entry of its log: the step of the fold.

    Only a barrier changes it.
    """
    event = entry.event
    if not is_barrier(event):
        return state
    before, at = state, entry.at
    state = replace(state, barrier=entry.id)
    match event:
        case TopicSet(nick=nick, text=text):
            state = replace(state, topic=text, topic_by=nick, topic_at=at)
        case ModesSet(changes=changes):
            for change in changes:
                state = with_change(state, change, event.nick, at)
        case RoomRenamed(to=name):
            state = replace(state, name=name)
        case RoomMetadataSet(values=values):
            state = replace(state, metadata=with_values(state.metadata, values))
    return remember(before, state, event, entry.id, at)


def with_change(state: RoomState, change: Change, by: str = "", at: int = 0) -> RoomState:
    """Return a room's state after one change of its modes, ``by`` somebody ``at`` a moment."""
    mode, argument = change.mode, change.argument
    if mode in STATUS:
        return with_status_changed(state, change, at)
    if mode in LISTS:
        same = fold_mask(argument)
        masks = tuple(m for m in state.masks if m[0] != mode or fold_mask(m[1].mask) != same)
        if not change.add:
            return replace(state, masks=masks)
        number = state.last_entry + 1
        until = at + change.seconds * 1000 if change.seconds else 0
        entry = Mask(argument, by, at, number, until, change.why)
        return replace(state, masks=(*masks, (mode, entry)), last_entry=number)
    if mode in KEYED:
        return replace(state, key=argument if change.add else "")
    if mode in COUNTED:
        return replace(state, limit=int(argument) if change.add and argument.isdecimal() else 0)
    return replace(state, flags=state.flags | {mode} if change.add else state.flags - {mode})


def membership_changes(event: Event) -> Sequence[str]:
    """The ids of the people whom an event brings into a room or out of one."""
    match event:
        case Joined() | Left() | Departed():
            return (event.user_id,)
        case Kicked():
            return (event.target_id,)
    return ()


def is_for_all(event: Event) -> bool:
    """Whether this was said in a room to everybody there, so that newcomers are shown it too."""
    return isinstance(event, Said) and not event.to and not event.status


def is_barrier(event: Event) -> bool:
    """Whether the judgement of later commands depends on this event."""
    if isinstance(event, Joined):
        return event.guarded
    if isinstance(event, Redacted):  # as far as everybody in the room is told of it
        return not (event.to or event.status)
    return isinstance(event, TopicSet | ModesSet | RoomRenamed | RoomMetadataSet | Kicked | OfRealm)


def log_of(event: Event) -> str:
    """The log an event belongs to: that of its room, or the one of people or of accounts."""
    if (room := getattr(event, "room", None)) is not None:
        return fold(room)
    return REALM if isinstance(event, OfRealm) else PEOPLE
