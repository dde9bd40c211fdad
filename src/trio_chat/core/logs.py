"""The log an event belongs to, whether it is a barrier there, and a room's state after it.

A room's state is a fold over its log; ``after`` is the step of the fold.
"""

from dataclasses import replace

from trio_chat.core.events import (
    PEOPLE,
    REALM,
    Change,
    Entry,
    Event,
    Joined,
    Kicked,
    ModesSet,
    OfRealm,
    Redacted,
    RoomClosed,
    RoomMetadataSet,
    RoomOpened,
    RoomRenamed,
    TopicSet,
    Unknown,
)
from trio_chat.core.masks import fold_mask
from trio_chat.core.metadata import with_values
from trio_chat.core.modes import COUNTED, KEYED, LISTS, STATUS
from trio_chat.core.names import fold
from trio_chat.core.remembered import remember
from trio_chat.core.room_state import Mask, RoomState
from trio_chat.core.standing import with_status_changed
from trio_chat.core.words import account_or_user

_BARRIERS = (
    Unknown
    | RoomOpened
    | RoomClosed
    | TopicSet
    | ModesSet
    | RoomRenamed
    | RoomMetadataSet
    | Kicked
    | OfRealm
)


def log_of(event: Event) -> str:
    """The log an event belongs to: that of its room, or the one of people or of accounts."""
    if (room := getattr(event, "room", None)) is not None:
        return fold(room)
    return REALM if isinstance(event, OfRealm) else PEOPLE


def is_barrier(event: Event) -> bool:
    """Whether the judgement of later commands depends on this event."""
    if isinstance(event, Joined):
        return event.guarded
    if isinstance(event, Redacted):  # as far as everybody in the room is told of it
        return not (event.to or event.status)
    return isinstance(event, _BARRIERS)


def after(state: RoomState, entry: Entry) -> RoomState:
    """Return a room's state after one more entry of its log.

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
            account = account_or_user(event.nick, event.origin)
            for change in changes:
                state = with_change(state, change, event.nick, at, account)
        case RoomRenamed(to=name):
            state = replace(state, name=name)
        case RoomMetadataSet(values=values):
            state = replace(state, metadata=with_values(state.metadata, values))
    return remember(before, state, event, entry.id, at)


def with_change(
    state: RoomState, change: Change, by: str = "", at: int = 0, account: str = ""
) -> RoomState:
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
        entry = Mask(argument, by, at, number, until, change.why, change.whom, account)
        return replace(state, masks=(*masks, (mode, entry)), last_entry=number)
    if mode in KEYED:
        return replace(state, key=argument if change.add else "")
    if mode in COUNTED:
        return replace(state, limit=int(argument) if change.add and argument.isdecimal() else 0)
    return replace(state, flags=state.flags | {mode} if change.add else state.flags - {mode})
