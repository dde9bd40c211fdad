"""The effects on accounts, and on the people who are logged in to them or come to be."""

from collections.abc import Sequence

from trio_chat.core.effects import Deliveries, Effects
from trio_chat.core.effects.identity import (
    be_known,
    demote,
    is_here_by_another_node,
    is_opened,
    log_out,
    shut_out,
)
from trio_chat.core.events import (
    AccountDropped,
    AccountMade,
    AccountMetadataSet,
    AccountSet,
    Entry,
    InvitationUsed,
    KeyDropped,
    OperatorDropped,
    PasswordSet,
    PreferenceSet,
)
from trio_chat.core.limits import note_limit
from trio_chat.core.metadata import changed
from trio_chat.core.metadata_told import told_of_person
from trio_chat.core.room import Person
from trio_chat.core.state import State


def _on_account_set(state: State, event: AccountSet, entry: Entry) -> Deliveries:
    """The person, everybody who shares a room with them, and people who watch for them.

    Nobody, if what has opened the account no longer does, or somebody else has come under it.
    """
    if (person := state.people.get(event.user_id)) is None or not is_opened(state, event):
        return []
    if len(person.devices) > 1 and event.identity != person.identity:
        return []  # another device has come meanwhile, which has not shown what opens it
    if is_here_by_another_node(state, event):
        return []
    device = person.device(event.via)
    device.key, device.password_id = event.key or device.key, event.password_id
    return be_known(state, person, event.origin.account, event.identity, person.user_id)


def _on_account_made(state: State, event: AccountMade, entry: Entry) -> Deliveries:
    """The same people, for the person who has registered.

    And for their other connections that have shown the same secret.
    """
    state.realm.apply(entry)
    account = state.realm.account(event.name)
    if account is None or account.identity != event.identity:
        return []
    people = {**state.same(event.key), event.user_id: state.people.get(event.user_id)}
    found = [person for person in people.values() if person]
    for device in (device for person in found for device in person.devices):
        device.password_id = account.password_id if device.id == _doer(event) else 0
    name, identity, by = account.name, account.identity, event.user_id
    return [d for person in found for d in be_known(state, person, name, identity, by)]


def _on_account_dropped(state: State, event: AccountDropped, entry: Entry) -> Deliveries:
    """The same people, for everybody who was logged in to the account; and these."""
    account, people = state.realm.account(event.name), _logged_in(state, event.name)
    gone = changed(account.metadata, ()) if account else ()
    described = [d for p in people for d in told_of_person(state, p, gone, "")]
    state.realm.apply(entry)
    return [*described, *log_out(state, people, by=_doer(event))]


def _on_key_dropped(state: State, event: KeyDropped, entry: Entry) -> Deliveries:
    """The same, for everybody who has shown the key; but the person who drops it may stay."""
    state.realm.apply(entry)
    people = _logged_in(state, event.name)
    return shut_out(state, people, lambda device: device.key == event.key, by=_doer(event))


def _on_password_set(state: State, event: PasswordSet, entry: Entry) -> Deliveries:
    """The same, for everybody who came by the old password, except the person who sets it."""
    state.realm.apply(entry)
    if (account := state.realm.account(event.name)) is None:
        return []
    if person := state.people.get(event.user_id):
        person.device(event.via).password_id = account.password_id
    opens, people = state.realm.opens, _logged_in(state, event.name)
    return shut_out(state, people, lambda d: not opens(account, d.key, d.password_id))


def _on_account_metadata_set(state: State, event: AccountMetadataSet, entry: Entry) -> Deliveries:
    """Those who have subscribed to the key and know somebody who is logged in to the account."""
    state.realm.apply(entry)
    people = _logged_in(state, event.name)
    return [d for p in people for d in told_of_person(state, p, event.values, event.user_id)]


def _on_invitation_used(state: State, event: InvitationUsed, entry: Entry) -> Deliveries:
    """Nobody. An account that it makes an operator's has no limits any more."""
    state.realm.apply(entry)
    for person in _logged_in(state, event.name):
        note_limit(state, person)
    return []


def _on_operator_dropped(state: State, event: OperatorDropped, entry: Entry) -> Deliveries:
    """Who is logged in to the account, and is an operator of the server."""
    state.realm.apply(entry)
    people = _logged_in(state, event.name)
    return [told for person in people if person.is_operator for told in demote(state, person)]


def _on_preference_set(state: State, event: PreferenceSet, entry: Entry) -> Deliveries:
    """Nobody."""
    state.realm.apply(entry)
    return []


def _doer(event: AccountMade | AccountDropped | KeyDropped) -> str:
    """The id of the connection by which somebody has done it."""
    return event.via or event.user_id


def _logged_in(state: State, name: str) -> Sequence[Person]:
    """The people who are logged in to an account, by its name."""
    account = state.realm.account(name)
    return [*state.same(account.identity).values()] if account else []


#: Rows for ``apply.EFFECTS``.
EFFECTS: Effects = {
    AccountSet: _on_account_set,
    AccountMade: _on_account_made,
    AccountDropped: _on_account_dropped,
    KeyDropped: _on_key_dropped,
    PasswordSet: _on_password_set,
    PreferenceSet: _on_preference_set,
    AccountMetadataSet: _on_account_metadata_set,
    InvitationUsed: _on_invitation_used,
    OperatorDropped: _on_operator_dropped,
}
