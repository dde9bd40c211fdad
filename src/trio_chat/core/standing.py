"""The status of people in a room, and who leads it.

- A status belongs to an identity. The room keeps it until a mode takes it away, or a kick, unless
  it is the founder's; that of somebody who cannot be known again ends when they leave.
- An empty room that has operators who may come again is led by nobody else. An account may always
  come again; an identity without one, until it has stayed away for 60 days.
- Any other empty room is led by the first who enters. Not so the lobby, which belongs to the
  server's operators, nor one that somebody has protected (``i k m M R``, a ban).
- Whoever comes to lead a room like that and has an account is its *founder*, for as long as they
  have ``o`` and the account. No other operator of the room can take it from them, remove them, ban
  them by name, or rename the room, which would leave its name to others; a ban that fits them does
  nothing.
"""

from dataclasses import replace

from trio_chat.core.events import Change
from trio_chat.core.masks import names_somebody
from trio_chat.core.modes import STATUS, with_letter
from trio_chat.core.names import fold
from trio_chat.core.realm import Account, Realm
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person, Room
from trio_chat.core.room_state import RoomState, Standing
from trio_chat.core.state import State, has_status
from trio_chat.core.views import Refused

# Identities whose status a room remembers: about 100 bytes each.
STANDING_MAX = 200

# An operator without an account who has stayed away for so long no longer keeps others from leading
# an empty room: nobody knows whether their secret still exists. And the age at which the moment of
# an operator's last visit is noted anew.
_AWAY_MAX = 60 * 24 * 3600 * 1000  # milliseconds
_FRESH = 24 * 3600 * 1000


# ── who has which status ───────────────────────────────────────────────────────────────────────


def status_of(state: RoomState, person: Person) -> str:
    """The letters of the status that somebody comes with."""
    standing = state.standing.get(person.identity)
    return standing.letters if standing else ""


def always_enters(room: Room, person: Person) -> bool:
    """Whether nothing keeps somebody out of a room: operators of it, and of the server."""
    return person.is_operator or "o" in status_of(room.state, person)


def change_status(room: Room, change: Change) -> None:
    """Apply a change to a member's status, if it is one."""
    if change.mode in STATUS and change.user_id in room.members:
        letters = room.status.pop(change.user_id, "")
        if letters := with_letter(letters, change.mode, add=change.add):
            room.status[change.user_id] = letters
        room.note(change.user_id)


def is_due(state: RoomState, person: Person) -> bool:
    """Whether to note that somebody with a status has come again."""
    standing = state.standing.get(person.identity)
    return standing is not None and _now(person) - standing.at > _FRESH


def has_operators(realm: Realm, state: RoomState, asker: Person) -> bool:
    """Whether an operator of the room may come again; ``asker`` tells the time."""
    return any(
        _may_come(realm, identity, standing, _now(asker))
        for identity, standing in state.standing.items()
        if "o" in standing.letters
    )


def _may_come(realm: Realm, identity: str, standing: Standing, now: int) -> bool:
    if realm.named(identity):
        return True
    return realm.may_be_shown(identity) and now - standing.at < _AWAY_MAX


def _now(person: Person) -> int:
    """A moment, in unix milliseconds, that is not later than now; core has no clock."""
    return max(person.since, person.spoke)


# ── who leads ──────────────────────────────────────────────────────────────────────────────────


def first_status(state: State, room: Room, person: Person) -> str:
    """The status of somebody who enters an empty room: they lead it if nobody else may."""
    letters = status_of(room.state, person)
    if (
        is_lobby(state, room)
        or is_protected(room.state)
        or has_operators(state.realm, room.state, person)
    ):
        return letters
    return with_letter(letters, "o", add=True)


def is_lobby(state: State, room: Room) -> bool:
    """Whether a room belongs to the server's operators."""
    return fold(room.state.name) == fold(state.lobby)


def is_protected(state: RoomState) -> bool:
    """Whether somebody has seen to it that not everybody may enter and speak.

    A new room has only the modes that all new rooms have, and is not protected by them.
    """
    banned = any(mode == "b" for mode, _ in state.masks)
    return not is_new(state) and bool({*"imMR"} & state.flags or state.key or banned)


def is_new(state: RoomState) -> bool:
    """Whether nobody has led the room yet."""
    return not state.barrier


def is_first_operator(state: State, room: Room, person: Person, guest: str) -> bool:
    """Whether somebody leads a room that they have made, or that nobody else leads any more.

    They have led it since before they had logged in, as the identity ``guest``: so it has no other
    operator who may come again, and of those who are there they have come first.
    """
    themselves = (person.identity, guest)
    others = {who: s for who, s in room.state.standing.items() if who not in themselves}
    alone = replace(room.state, standing=others)
    if is_lobby(state, room) or has_operators(state.realm, alone, person):
        return False
    first = next((p for p in room.members.values() if has_status(room, p)), None)
    return first is not None and first.identity == person.identity


def is_founder(realm: Realm, state: RoomState, person: Person) -> bool:
    """Whether somebody is the founder of a room. With the account that ends."""
    return person.identity == state.founder and realm.named(state.founder) is not None


def founder_over(state: State, room: Room, by: Person) -> Account | None:
    """The account of the founder of a room, if it is above somebody there; None if nobody is."""
    if by.is_operator or by.identity == room.state.founder:
        return None
    return state.realm.named(room.state.founder)


def spared(state: State, room: Room, by: Person, other: Person) -> Refused | None:
    """Why an operator of a room can do nothing against somebody: they are its founder."""
    if by.is_operator or by.identity == other.identity:
        return None
    return _founders(room, other.nick) if is_founder(state.realm, room.state, other) else None


def spared_by_name(state: State, room: Room, by: Person, entry: str) -> Refused | None:
    """Why somebody can put no such entry on the list of bans: it names the founder of the room.

    One with wildcards may fit the founder, and does nothing to them.
    """
    if (founder := founder_over(state, room, by)) is None:
        return None
    same = [*state.same(room.state.founder).values()]
    nicks = [person.nick for person in same] or [founder.name]
    if any(names_somebody(entry, nick, founder.name) for nick in nicks):
        return _founders(room, nicks[0])
    return None


def _founders(room: Room, founder: str) -> Refused:
    name = room.state.name
    why = f"{founder} founded {name}: only an operator of the server can act against them."
    return Refused(why, Code.NEED_OP, (name,))


# ── steps of the fold ──────────────────────────────────────────────────────────────────────────


def with_status_changed(state: RoomState, change: Change, at: int) -> RoomState:
    """A room's state after a member's status has changed."""
    if not change.identity:
        return state
    before = state.standing.get(change.identity, Standing("", 0))
    letters = with_letter(before.letters, change.mode, add=change.add)
    return with_standing(state, change.identity, letters, at)


def with_standing(state: RoomState, identity: str, letters: str, at: int) -> RoomState:
    """A room's state with somebody's status; a founder who leads it no more is none any more.

    When it is full, the founder is never forgotten, other operators are last, and of others the one
    who came longest ago is first.
    """
    standing = {**state.standing}
    standing.pop(identity, None)
    if letters:
        standing[identity] = Standing(letters, at)
    founder = "" if identity == state.founder and "o" not in letters else state.founder
    if len(standing) > STANDING_MAX:
        kept = {who: (who == founder, "o" in s.letters, s.at) for who, s in standing.items()}
        del standing[min(kept, key=kept.__getitem__)]
    return replace(state, standing=standing, founder=founder)
