"""The judgement of changes of a room: its modes, its lists, and the status of its members."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from trio_chat.core.answers import unknown, visible_room
from trio_chat.core.commands import KEY_MAX, LIST_MAX, SetModes
from trio_chat.core.denials import absent, nobody, powerless
from trio_chat.core.events import Change, ModesSet
from trio_chat.core.limits import silent
from trio_chat.core.logs import with_change
from trio_chat.core.masks import entry_mask, fold_mask, mask_problem
from trio_chat.core.modes import COUNTED, FLAGS, KEYED, LISTS, STATUS
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import REGULARS_MAX
from trio_chat.core.room import Person, Room
from trio_chat.core.standing import change_status, spared, spared_by_name
from trio_chat.core.state import State, has_status, is_banned
from trio_chat.core.views import Refused
from trio_chat.core.words import is_number


def set_modes(state: State, person: Person, asked: SetModes) -> Sequence[ModesSet | Refused]:
    """Judge them together: of several changes of one thing only the last counts."""
    if (room := visible_room(state, person, asked.room)) is None:
        return [unknown(asked.room)]
    if refused := powerless(state, person, room.state.name):
        return [refused]
    if refused := silent(state, person):  # what stands on a list are words as well
        return [refused]
    refusals: list[Refused] = []
    last: dict[tuple[str, ...], Change] = {}  # by thing, the change that counts
    draft = replace(room, status={**room.status})
    everywhere = (each for one in asked.changes for each in _everywhere(state, room, one))
    for wanted in everywhere:
        match _mode_change(state, draft, person, wanted):
            case Refused() as refused:
                refusals.append(refused)
            case Change() as change:
                draft.state = with_change(draft.state, change)
                change_status(draft, change)
                last.pop(_thing(change), None)
                last[_thing(change)] = change
    if not (changes := [*_really_changed(state, room, person, last.values())]):
        return refusals
    present: list[str] = []
    banned: list[str] = []
    if any(change.add and change.mode in "ik" for change in changes):
        known = dict.fromkeys(p.identity for p in room.members.values() if p.is_known)
        present = [*known][:REGULARS_MAX]
    if any(change.add and change.mode == "b" for change in changes):
        remembered = dict.fromkeys([*present, *room.state.regulars])
        banned = [one for one in remembered if _is_there_and_banned(state, draft, one)]
    modes_set = ModesSet(
        room.state.name, person.nick, tuple(changes), person.user_id, person.origin,
        tuple(present), tuple(banned),
    )  # fmt: skip
    return [modes_set, *refusals]


def _everywhere(state: State, room: Room, change: Change) -> Iterator[Change]:
    """A change, for all connections in the room of the person whose status it changes."""
    other = state.person(change.argument) if change.mode in STATUS else None
    if other is None or other.user_id not in room.members:
        yield change
        return
    for user_id, same in state.same(other.identity).items():
        if user_id in room.members:
            yield replace(change, argument=same.nick)


def _is_there_and_banned(state: State, room: Room, identity: str) -> bool:
    same = state.same(identity)
    return any(user_id in room.members and is_banned(room, same[user_id]) for user_id in same)


def _thing(change: Change) -> tuple[str, ...]:
    """A key for what a change concerns: of several changes to one thing only the last counts."""
    return (change.mode, change.user_id, fold_mask(change.argument) if change.mode in LISTS else "")


def _really_changed(
    state: State, room: Room, person: Person, changes: Iterable[Change]
) -> Iterator[Change]:
    """The changes that make a difference to the room as it was before all of them."""
    for change in changes:
        match _mode_change(state, room, person, change):
            case Change() as from_now:
                yield from_now
            case Refused():  # its list was full before other changes made room
                yield change


def _mode_change(
    state: State, room: Room, person: Person, change: Change
) -> Change | Refused | None:
    """A change in its final form; None if it would change nothing."""
    mode = change.mode
    if mode in STATUS:
        return _status_change(state, room, person, change)
    if (
        mode == "b"
        and change.add
        and (refused := spared_by_name(state, room, person, entry_mask(change.argument)))
    ):
        return refused
    if mode in LISTS:
        return _list_change(room, change)
    if mode in KEYED:
        return _key_change(room, change)
    if mode in COUNTED:
        return _limit_change(room, change)
    if mode in FLAGS and change.add != (mode in room.state.flags):
        return Change(change.add, mode)
    return None


def _status_change(
    state: State, room: Room, person: Person, change: Change
) -> Change | Refused | None:
    if (other := state.person(change.argument)) is None:
        return nobody(change.argument)
    if other.user_id not in room.members:
        return absent(other.nick, room.state.name)
    if change.add == has_status(room, other, change.mode):
        return None
    if change.mode == "o" and not change.add and (refused := spared(state, room, person, other)):
        return refused
    return Change(change.add, change.mode, other.nick, other.user_id, other.known_as)


def _list_change(room: Room, change: Change) -> Change | Refused | None:
    mask = entry_mask(change.argument)
    if change.add and (problem := mask_problem(mask)):
        return Refused(problem, Code.BAD_ARGUMENT, (room.state.name, change.mode, "*"))
    listed = {fold_mask(e.mask): e for mode, e in room.state.masks if mode == change.mode}
    there = listed.get(fold_mask(mask))
    if change.add and len(listed) >= LIST_MAX and there is None:
        name = room.state.name
        why = f"That list of {name} is full: it has {LIST_MAX} entries."
        return Refused(why, Code.LIST_FULL, (name, mask, change.mode))
    if not change.add:
        return Change(False, change.mode, there.mask, whom=there.whom) if there else None
    if there and not (there.until or change.seconds or change.why):
        return None
    why = change.why or (there.why if there else "")
    whom = change.whom or (there.whom if there else "")
    mask = there.mask if there else mask
    return Change(True, change.mode, mask, seconds=change.seconds, why=why, whom=whom)


def _limit_change(room: Room, change: Change) -> Change | Refused | None:
    if not change.add:
        return Change(False, change.mode) if room.state.limit else None
    digits = change.argument
    if not (is_number(digits) and int(digits)):
        why = "The limit is a number from 1 to 999999999."
        return Refused(why, Code.BAD_ARGUMENT, (room.state.name, change.mode, digits))
    same = int(digits) == room.state.limit
    return None if same else Change(True, change.mode, str(int(digits)))


def _key_change(room: Room, change: Change) -> Change | Refused | None:
    if not change.add:
        return Change(False, change.mode, room.state.key) if room.state.key else None
    key = change.argument
    if not key or len(key) > KEY_MAX or key.startswith(":") or any(c in key for c in " ,"):
        why = f"A key has 1 to {KEY_MAX} characters, no spaces or commas, and no colon first."
        return Refused(why, Code.BAD_ARGUMENT, (room.state.name, change.mode, "*"))
    return None if key == room.state.key else Change(True, change.mode, key)
