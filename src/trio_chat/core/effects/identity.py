"""The account and the identity that somebody is known by, their own modes, and who is told of them.

``Person.identity`` moves here alone, in ``be_known``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from trio_chat.core.accounts import account_of, came_by_token
from trio_chat.core.devices import node_of
from trio_chat.core.effects import Deliveries
from trio_chat.core.events import (
    AccountSet,
    Arrived,
    Attached,
    AwaySet,
    Change,
    NameSet,
    UserModesSet,
)
from trio_chat.core.invitations import withdraw_all
from trio_chat.core.limits import note_limit
from trio_chat.core.metadata import changed
from trio_chat.core.metadata_told import told_of_person
from trio_chat.core.modes import with_letter
from trio_chat.core.names import fold
from trio_chat.core.room import Device, Person
from trio_chat.core.state import State, metadata_of, share_a_room
from trio_chat.core.views import Copy, Delivery, LoggedOut

# ── accounts ─────────────────────────────────────────────────────────────────────────────────────


def is_opened(state: State, event: Arrived | Attached | AccountSet) -> bool:
    """Whether what somebody has shown opens the account by which they would be known, if any."""
    if not (name := event.origin.account):
        return True
    account = state.realm.account(name)
    return bool(account and state.realm.opens(account, event.key, event.password_id))


def is_here_by_another_node(state: State, event: Arrived | AccountSet) -> bool:
    """Whether somebody else has come under the same account at the same moment, on another node.
    On one node, people come under an account one after the other, and join who is here.
    """
    other = state.of_account(event.origin.account)
    return other is not None and node_of(other.user_id) != node_of(event.user_id)


def be_known(state: State, person: Person, account: str, identity: str, by: str = "") -> Deliveries:
    """Let somebody be known by another account; by none if it is empty.

    Whoever leaves an account leaves with it what makes an operator of the server. It is told as
    their own doing if ``by`` is their id. A guest's metadata ends with a login. Bans of the account
    that they leave are about them until they go.
    """
    before, person.metadata = metadata_of(state, person), ()
    forget_known(state, person)
    demoted = person.is_operator and person.origin.account not in ("", account)
    if (left := person.origin.account) not in ("", account, *person.past):
        person.past = (*person.past, left)
    person.identity = identity or person.user_id
    person.origin = replace(person.origin, account=account)
    note_known(state, person)
    note_limit(state, person)
    note_everywhere(state, person)
    event = AccountSet(person.nick, person.user_id, person.origin, identity)
    everybody, *strangers = told_of(state, person, event)
    told = [replace(everybody, by=by), *strangers]
    described = told_of_person(state, person, changed(before, metadata_of(state, person)), by)
    return [*told, *described, *(demote(state, person) if demoted else ())]


def log_out(state: State, people: Iterable[Person], by: str = "") -> Deliveries:
    """Log people out; all their connections are told, and end, but the one that has done it."""
    told: list[Delivery] = []
    for person in [*people]:
        told += be_known(state, person, "", "")
        told += _ended(person, [device for device in person.devices if device.id != by])
    return told


def shut_out(
    state: State, people: Iterable[Person], is_shut: Callable[[Device], bool], by: str = ""
) -> Deliveries:
    """Log out all who have nothing but connections that are shut; of others, these end."""
    told: list[Delivery] = []
    for person in [*people]:
        shut = [device for device in person.devices if is_shut(device)]
        if shut and len(shut) == len(person.devices):
            told += log_out(state, [person], by)
        else:
            told += _ended(person, shut)
    return told


def _ended(person: Person, devices: Sequence[Device]) -> Deliveries:
    if not devices:
        return []
    ended = LoggedOut(person.nick, person.origin)
    return [Delivery(ended, devices=tuple(device.id for device in devices))]


def note_known(state: State, person: Person) -> None:
    """Let somebody be found by their identity, if they can be known again by it."""
    if person.is_known:
        state.known.setdefault(person.identity, {})[person.user_id] = person


def forget_known(state: State, person: Person) -> None:
    """Let somebody no longer be found by their identity."""
    if same := state.known.get(person.identity):
        del same[person.user_id]
        if not same:
            del state.known[person.identity]


# ── modes of their own ───────────────────────────────────────────────────────────────────────────


def set_mode(state: State, person: Person, mode: str, *, add: bool) -> None:
    """Set or unset one of somebody's own modes."""
    person.modes = with_letter(person.modes, mode, add=add)
    if add:
        state.by_mode[mode][person.user_id] = person
    else:
        state.by_mode[mode].pop(person.user_id, None)


def demote(state: State, person: Person) -> Deliveries:
    """Let somebody be no operator of the server any more."""
    set_mode(state, person, "o", add=False)
    note_limit(state, person)
    withdraw_all(state, person)
    return told_modes(
        state,
        person,
        UserModesSet(person.nick, (Change(False, "o"),), person.user_id, person.origin),
    )


def without_rule(event: UserModesSet) -> UserModesSet:
    """The same without ``o``, for those who act without it."""
    return replace(event, changes=tuple(one for one in event.changes if one.mode != "o"))


def told_modes(state: State, person: Person, event: UserModesSet) -> Deliveries:
    """Tell somebody of their own modes; but where they have come by a token, they are told of no
    ``o``, for there they act without it.
    """
    account = account_of(state, person)
    by_token = {d.id for d in person.devices if account and came_by_token(account, d)}
    others = tuple(device.id for device in person.devices if device.id not in by_token)
    rest = without_rule(event)
    told = [Delivery(event, devices=others, by=person.user_id)] if others else []
    if by_token and rest.changes:
        told.append(Delivery(rest, devices=tuple(by_token), by=person.user_id))
    return told


# ── who is told ──────────────────────────────────────────────────────────────────────────────────


def told_of(state: State, person: Person, event: AwaySet | NameSet | AccountSet) -> Deliveries:
    """Tell the person, everybody who shares a room with them, once, and who watches for them."""
    watching = state.watchers.get(fold(person.nick), ())
    watchers = ((device, state.owner(device)) for device in watching)
    strangers = tuple(
        device for device, w in watchers if w and w is not person and not share_a_room(w, person)
    )
    return [
        Delivery(event, tuple(person.rooms), (person.user_id,), by=person.user_id),
        *([Delivery(Copy(event), devices=strangers)] if strangers else []),
    ]


def note_everywhere(state: State, person: Person) -> None:
    """Note in all their rooms that somebody is told of in another way."""
    for name in person.rooms:
        state.rooms[name].note(person.user_id)
