"""The judgement of who may set which metadata.

The metadata of somebody with an account is the account's, and outlives their visit; a guest's goes
with them, or into the account that they register. A room's is set by its operators.
"""

from collections.abc import Callable, Sequence
from typing import Any

from trio_chat.core.accounts import account_of
from trio_chat.core.answers import visible_room
from trio_chat.core.commands import ClearMetadata, SetMetadata
from trio_chat.core.denials import nobody, nowhere, operators_only, powerless
from trio_chat.core.events import AccountMetadataSet, MetadataSet, RoomMetadataSet
from trio_chat.core.limits import silent
from trio_chat.core.metadata import BadMetadata, Values, changed, judged
from trio_chat.core.room import Person, Room
from trio_chat.core.state import State, is_silenced_somewhere, metadata_of
from trio_chat.core.views import Metadata, Refused

_Set = RoomMetadataSet | AccountMetadataSet | MetadataSet


def _set_metadata(state: State, person: Person, asked: SetMetadata) -> Sequence[Any]:
    target = _target(state, person, asked.room, asked.nick)
    if isinstance(target, Refused):
        return [target]
    before, name = _metadata(state, target), _name(target)
    try:
        after = judged(name, before, asked.values)
    except BadMetadata as bad:
        return [Refused(str(bad), bad.code, (bad.about,))]
    return [*_become(state, person, target, changed(before, after)), Metadata(name, asked.values)]


def _clear_metadata(state: State, person: Person, asked: ClearMetadata) -> Sequence[Any]:
    target = _target(state, person, asked.room, asked.nick)
    if isinstance(target, Refused):
        return [target]
    gone = changed(_metadata(state, target), ())
    return [*_become(state, person, target, gone), Metadata(_name(target), gone)]


def _target(state: State, person: Person, room: str, nick: str) -> Room | Person | Refused:
    """The room or the person, if ``person`` may set metadata there."""
    if refused := silent(state, person):
        return refused
    if room:
        if (found := visible_room(state, person, room)) is None:
            return nowhere(room)
        return powerless(state, person, room) or found
    other = state.person(nick) if nick else person
    if other is None:
        return nobody(nick)
    if other is not person and not person.is_operator:
        return operators_only()
    if other is person and is_silenced_somewhere(state, person):
        return Refused("You cannot do that while you are in a room where you may not speak.")
    return other


def _metadata(state: State, target: Room | Person) -> Values:
    return target.state.metadata if isinstance(target, Room) else metadata_of(state, target)


def _name(target: Room | Person) -> str:
    return target.state.name if isinstance(target, Room) else target.nick


def _become(state: State, person: Person, target: Room | Person, values: Values) -> Sequence[_Set]:
    """The event that sets metadata; none if nothing would change."""
    if not values:
        return []
    if isinstance(target, Room):
        name, nick, origin = target.state.name, person.nick, person.origin
        return [RoomMetadataSet(name, nick, values, person.user_id, origin)]
    if account := account_of(state, target):
        return [AccountMetadataSet(account.name, values, person.user_id)]
    return [MetadataSet(target.nick, values, target.user_id, person.user_id)]


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {
    SetMetadata: _set_metadata,
    ClearMetadata: _clear_metadata,
}
