"""What a room remembers of people who can show who they are, and of when it was shut.

All of it is bounded, and changes only by barriers of the room's log: so it is the same after a
restart. Where the memory is full, what is forgotten opens nothing to anybody.
"""

from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.events import Change, Joined, Kicked, ModesSet
from trio_chat.core.modes import with_letter
from trio_chat.core.names import fold
from trio_chat.core.room import Person, Room, RoomState, Standing
from trio_chat.core.state import State

# Identities of each kind that a room remembers: about 100 bytes each.
STANDING_MAX = 200
REGULARS_MAX = 200

# Identities of which it is remembered what they have seen.
LEFT_MAX = 1000

# Spans of time in which it was shut. When there are more, the first two count as one.
SPANS_MAX = 20

# An operator who has not come for so long keeps the next one who is alone there from leading it no
# longer. And how old the moment when they came last may become before it is written down again.
_AWAY_MAX = 60 * 24 * 3600 * 1000  # milliseconds
_FRESH = 24 * 3600 * 1000

#: Between two ids: from and with the first, up to the second; an empty one is no end.
Span = tuple[str, str]


# ── who has which status ───────────────────────────────────────────────────────────────────────


def status_of(state: RoomState, person: Person) -> str:
    """The letters of the status that somebody comes back with."""
    standing = state.standing.get(person.identity)
    return standing.letters if standing else ""


def is_due(state: RoomState, person: Person) -> bool:
    """Whether it should be written down that somebody with a status has come again."""
    standing = state.standing.get(person.identity)
    return standing is not None and _now(person) - standing.at > _FRESH


def has_operators(state: RoomState, asker: Person) -> bool:
    """Whether somebody is remembered who leads the room and may come again; ``asker`` tells the
    time.
    """
    return any(
        "o" in standing.letters and _now(asker) - standing.at < _AWAY_MAX
        for standing in state.standing.values()
    )


def first_status(state: State, room: Room, person: Person) -> str:
    """That of somebody who enters a room that nobody is in: they lead it, but not the lobby, nor a
    room that somebody has protected, or that has operators who may come again.
    """
    letters = status_of(room.state, person)
    is_lobby = fold(room.state.name) == fold(state.lobby)
    if is_lobby or is_protected(room.state) or has_operators(room.state, person):
        return letters
    return with_letter(letters, "o", add=True)


def is_protected(state: RoomState) -> bool:
    """Whether somebody has seen to it that not everybody may enter and speak. A new room has only
    the modes that all new ones have.
    """
    banned = any(mode == "b" for mode, _ in state.masks)
    return not is_new(state) and bool({*"im"} & state.flags or state.key or banned)


def is_new(state: RoomState) -> bool:
    """Whether nobody has led it yet."""
    return not state.barrier


def note_seen(room: Room, person: Person, id: str) -> None:
    """Somebody has seen what was said in a room up to an id."""
    if person.is_known:
        room.left.pop(person.identity, None)
        room.left[person.identity] = id
        if len(room.left) > LEFT_MAX:
            del room.left[next(iter(room.left))]


def _now(person: Person) -> int:
    """No earlier than this is it, in unix milliseconds."""
    return max(person.since, person.spoke)


def with_status_changed(state: RoomState, change: Change, at: int) -> RoomState:
    if not change.identity:
        return state
    before = state.standing.get(change.identity, Standing("", 0))
    letters = with_letter(before.letters, change.mode, add=change.add)
    return _with_standing(state, change.identity, letters, at)


def _with_standing(state: RoomState, identity: str, letters: str, at: int) -> RoomState:
    """Those who lead it are the last to be forgotten, and whoever came longest ago the first."""
    standing = {who: one for who, one in state.standing.items() if who != identity}
    if letters:
        standing[identity] = Standing(letters, at)
    if len(standing) > STANDING_MAX:
        del standing[
            min(standing, key=lambda who: ("o" in standing[who].letters, standing[who].at))
        ]
    return replace(state, standing=standing)


# ── who has been there, and when it was shut ───────────────────────────────────────────────────


def spans(state: RoomState) -> tuple[Span, ...]:
    """When nobody came in who was not invited. The last one may have no end yet."""
    if "i" not in state.flags or (state.shut and not state.shut[-1][1]):
        return state.shut
    # It has been so since we know of it: the room was made so, or the state is an old one.
    return (*state.shut, (state.shut[-1][1] if state.shut else "", ""))


def is_regular(state: RoomState, person: Person) -> bool:
    """Whether somebody has been there who may come again while nobody is there to ask."""
    return person.identity in state.regulars


def is_new_regular(state: RoomState, person: Person) -> bool:
    """Whether it has to be remembered that somebody has been there, now that they come."""
    return (
        bool(person.is_known and (spans(state) or state.key))
        and not is_regular(state, person)
        and len(state.regulars) < REGULARS_MAX
    )


def hidden(state: RoomState, name: str, reader: Person) -> tuple[Span, ...]:
    """What of a room (``name`` is folded) somebody may not read: what was said while it was shut,
    before they came there for the first time.
    """
    visits = [state.regulars.get(reader.identity), reader.visits.get(name)]
    first = min((visit for visit in visits if visit is not None), default="~")  # after all ids
    found = ((begin, min(end or first, first)) for begin, end in spans(state) if begin < first)
    return tuple(found)


def hiding(id: str, hidden: Sequence[Span]) -> Span | None:
    """The span by which what has this id is hidden."""
    return next((span for span in hidden if span[0] <= id < span[1]), None)


# ── the step of the fold ───────────────────────────────────────────────────────────────────────


def remember(before: RoomState, state: RoomState, event: object, id: str, at: int) -> RoomState:
    """A room's state after a barrier, with what is remembered of it: ``before`` is that before."""
    match event:
        case Joined(identity=identity, status=status) if identity:
            if status:
                state = _with_standing(state, identity, status, at)
            if spans(state) or state.key:
                state = _with_regulars(state, {identity: id})
        case Kicked(target_identity=identity) if identity:
            state = _without_regulars(_with_standing(state, identity, "", 0), {identity})
        case ModesSet(changes=changes, present=present, banned=banned):
            if any(change.add and change.mode == "k" for change in changes):
                # A new key is for those who are told it.
                state = _without_regulars(state, state.regulars.keys() - {*present})
            state = _without_regulars(state, {*banned})
            present = tuple(who for who in present if who not in banned)
            state = _with_regulars(state, dict.fromkeys(present, id if before.shut else ""))
            state = replace(state, shut=_spans_after(before, state, id))
    return state


def _without_regulars(state: RoomState, gone: set[str]) -> RoomState:
    if gone.isdisjoint(state.regulars):
        return state
    kept = {who: first for who, first in state.regulars.items() if who not in gone}
    return replace(state, regulars=kept)


def _with_regulars(state: RoomState, new: dict[str, str]) -> RoomState:
    regulars = {**new, **state.regulars}
    if len(regulars) > REGULARS_MAX:
        fresh = [who for who in regulars if who not in state.regulars]
        for who in fresh[REGULARS_MAX - len(state.regulars) :]:
            del regulars[who]
    return replace(state, regulars=regulars) if len(regulars) > len(state.regulars) else state


def _spans_after(before: RoomState, state: RoomState, id: str) -> tuple[Span, ...]:
    was, found = "i" in before.flags, [*spans(before)]
    if was and "i" not in state.flags:
        found[-1] = (found[-1][0], id)
    elif not was and "i" in state.flags:
        found.append((id, ""))
    if len(found) > SPANS_MAX:
        found[:2] = [(found[0][0], found[1][1])]
    return tuple(found)
