"""The effects on the realm: bans, the lock and reports, and changes that nobody is told of."""

from trio_chat.core.effects import Deliveries, Effects
from trio_chat.core.events import (
    AccountBlocked,
    AccountReset,
    AccountUnblocked,
    Banned,
    Entry,
    InvitationRevoked,
    KeyMade,
    Killed,
    Locked,
    OfRealm,
    OperatorMade,
    Reported,
    Unbanned,
    Unlocked,
)
from trio_chat.core.limits import note_ban, note_end, note_lock
from trio_chat.core.reports import hearers
from trio_chat.core.state import State
from trio_chat.core.views import Delivery


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
    """Everybody who is in a room, and operators of the server."""
    state.realm.apply(entry)
    note_lock(state)
    return [Delivery(event, rooms=tuple(state.rooms), people=tuple(state.by_mode["o"]))]


def _on_reported(state: State, event: Reported, entry: Entry) -> Deliveries:
    """Operators of the server, and of the room."""
    state.realm.apply(entry)
    return [Delivery(event, people=hearers(state, event))]


def _on_realm_changed(state: State, event: OfRealm, entry: Entry) -> Deliveries:
    """Nobody."""
    state.realm.apply(entry)
    return []


#: Rows for ``apply.EFFECTS``.
EFFECTS: Effects = {
    Banned: _on_banned,
    Unbanned: _on_unbanned,
    Locked: _on_locked_or_unlocked,
    Unlocked: _on_locked_or_unlocked,
    Reported: _on_reported,
    KeyMade: _on_realm_changed,
    AccountBlocked: _on_realm_changed,
    AccountUnblocked: _on_realm_changed,
    InvitationRevoked: _on_realm_changed,
    AccountReset: _on_realm_changed,
    Killed: _on_realm_changed,  # that they depart is told
    OperatorMade: _on_realm_changed,
}
