"""A room's memory of people who can show who they are, and of when it was shut.

All of it is bounded, and changes only by barriers of the room's log, so it is the same after a
restart. When the memory is full, what is forgotten opens nothing to anybody. The rules:

- Status, and who leads: ``standing`` has the rules.
- Who may enter: an empty room keeps out those whom it would keep out with people in it. Its
  operators may always come back. Known identities that were in when it was shut (``i``, ``k``), or
  were let in since, may come back while it is empty, as there is nobody to ask; unless they were
  kicked or banned, or the key was changed in their absence.
- Secrecy: what was said while it had ``i`` is hidden from those who first came later. A known
  identity's first visit is remembered; others have those of their connection.
- What was seen: a known identity that has left in order is shown only what was said since. That is
  no barrier: it is saved when the room closes and when the server stops, so after a kill more is
  shown again.

A join is a barrier only if it is to be remembered (who leads now, a first visit to a shut room), or
if the room has a limit. So as a rule a thousand people can enter at once.
"""

from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.events import Joined, Kicked, ModesSet
from trio_chat.core.room import Person, Room
from trio_chat.core.room_state import RoomState
from trio_chat.core.standing import with_standing

# Identities that may come back to it: about 100 bytes each.
REGULARS_MAX = 200

# Identities of which a room remembers up to where they have seen it.
LEFT_MAX = 1000

# Spans in which it was shut. When there are more, the first two count as one with their gap.
SPANS_MAX = 20

#: A span of ids: from the first (inclusive) to the second (exclusive); an empty one is no bound.
Span = tuple[str, str]


def note_seen(room: Room, person: Person, id: str) -> None:
    """Note that somebody has seen everything said in a room up to an id."""
    if person.is_known:
        room.left.pop(person.identity, None)
        room.left[person.identity] = id
        if len(room.left) > LEFT_MAX:
            del room.left[next(iter(room.left))]


# ── who has been there, and when it was shut ───────────────────────────────────────────────────


def spans(state: RoomState) -> tuple[Span, ...]:
    """The spans of ids in which one had to be invited to come in. The last may have no end yet."""
    if "i" not in state.flags or (state.shut and not state.shut[-1][1]):
        return state.shut
    # Shut from the beginning: the room was made so, or its state is from before spans were noted.
    return (*state.shut, (state.shut[-1][1] if state.shut else "", ""))


def is_regular(state: RoomState, person: Person) -> bool:
    """Whether somebody has been there who may come back while the room is empty."""
    return person.identity in state.regulars


def is_new_regular(state: RoomState, person: Person) -> bool:
    """Whether it must be remembered, now that somebody comes, that they have been there."""
    return (
        bool(person.is_known and (spans(state) or state.key))
        and not is_regular(state, person)
        and len(state.regulars) < REGULARS_MAX
    )


def hidden(state: RoomState, name: str, reader: Person) -> tuple[Span, ...]:
    """The spans of a room (``name`` is folded) that somebody may not read.

    That is what was said while it was shut, before they came there for the first time.
    """
    visits = [state.regulars.get(reader.identity), reader.first_entered(name)]
    first = min((visit for visit in visits if visit is not None), default="~")  # after all ids
    found = ((begin, min(end or first, first)) for begin, end in spans(state) if begin < first)
    return tuple(found)


def hiding(id: str, hidden: Sequence[Span]) -> Span | None:
    """The span that hides the entry with this id; None if none does."""
    return next((span for span in hidden if span[0] <= id < span[1]), None)


# ── the step of the fold ───────────────────────────────────────────────────────────────────────


def remember(before: RoomState, state: RoomState, event: object, id: str, at: int) -> RoomState:
    """A room's state after a barrier, with what it remembers brought up to date.

    ``before`` is its state before the barrier, ``state`` the one after it but for this.
    """
    match event:
        case Joined(identity=identity, status=status) if identity:
            if status:
                state = with_standing(state, identity, status, at)
            if event.founds:
                state = replace(state, founder=identity)
            if spans(state) or state.key:
                state = _with_regulars(state, {identity: id})
        case Kicked(target_identity=identity) if identity:
            if identity != state.founder:  # whose room it stays
                state = with_standing(state, identity, "", 0)
            state = _without_regulars(state, {identity})
        case ModesSet(changes=changes, present=present, banned=banned):
            state = replace(state, founder=event.founder or state.founder)
            if any(change.add and change.mode == "k" for change in changes):
                # Only those who are told a new key may come back by it.
                state = _without_regulars(state, state.regulars.keys() - {*present})
            state = _without_regulars(state, {*banned})
            present = tuple(identity for identity in present if identity not in banned)
            state = _with_regulars(state, dict.fromkeys(present, id if before.shut else ""))
            state = replace(state, shut=_spans_after(before, state, id))
    return state


def _without_regulars(state: RoomState, gone: set[str]) -> RoomState:
    if gone.isdisjoint(state.regulars):
        return state
    kept = {identity: first for identity, first in state.regulars.items() if identity not in gone}
    return replace(state, regulars=kept)


def _with_regulars(state: RoomState, new: dict[str, str]) -> RoomState:
    regulars = {**new, **state.regulars}
    if len(regulars) > REGULARS_MAX:
        fresh = [identity for identity in regulars if identity not in state.regulars]
        for identity in fresh[REGULARS_MAX - len(state.regulars) :]:
            del regulars[identity]
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
