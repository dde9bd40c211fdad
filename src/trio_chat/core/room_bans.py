"""The judgement of bans of a room by name, with an end and a reason; and the end of their time.

A ban is an entry of the room's list ``b``, as a change of modes sets it. Somebody's name stands for
their account, if they have one, or else for the address that others see; on the server's own
machine, where all have the same, for the nickname. Somebody who has just gone is known by their
last nickname.

Whoever is banned by name is removed. Of others whom a ban fits, all are removed, or none if they
are more than half of those whom any ban could hit: then it may be a mistake, and can be undone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from trio_chat.core.answers import unknown, visible_room
from trio_chat.core.commands import WHY_MAX, Kick, LiftRoomBan, SetModes, SetRoomBan
from trio_chat.core.denials import powerless
from trio_chat.core.events import Change, Kicked, ModesSet
from trio_chat.core.letters import as_reason, cut
from trio_chat.core.limits import bounded
from trio_chat.core.masks import Lists, entry_mask, fits_everybody, fold_mask, names_somebody
from trio_chat.core.modes import ACCOUNT, MUTE
from trio_chat.core.names import fold
from trio_chat.core.networks import network_of
from trio_chat.core.refusals import Code
from trio_chat.core.removal import removed
from trio_chat.core.room import Person, Room
from trio_chat.core.room_state import Mask
from trio_chat.core.set_modes import set_modes
from trio_chat.core.state import State, has_status, listed
from trio_chat.core.views import Refused, RoomBanEffect
from trio_chat.core.words import is_number, some_of

# People whom one ban removes, beside the one who is named.
_REMOVED_MAX = 50


class Target(NamedTuple):
    """Whom a ban is about: its entry, and of the person, if one is named, ``identity`` and name."""

    entry: str
    identity: str = ""
    name: str = ""


def read_target(state: State, written: str) -> Target | Refused:
    """Read whom a ban is to be about: a mask, an entry with a prefix, or somebody's name."""
    if {*written} & {*"!@*?"} or written[:2].lower() in (ACCOUNT, MUTE):
        return Target(entry_mask(written))
    account = state.realm.account(written)
    if person := state.person(written) or (None if account else state.gone(written)):
        return Target(_entry_of(person), person.identity, person.nick)
    if account:
        return Target(f"{ACCOUNT}{account.name}", account.identity, account.name)
    name = cut(written, 50)
    why = f"Nobody here is called {name}, and there is no account {name}"
    how = f"to ban whoever takes that nickname, name {name}!*@*"
    return Refused(f"{why}: {how}.", Code.NO_SUCH_NICK, (name,))


def _entry_of(person: Person) -> str:
    if person.origin.account:
        return f"{ACCOUNT}{person.origin.account}"
    network = network_of(person.address)
    if network is None or network.is_loopback:
        return f"{person.nick}!*@*"
    return f"*!*@{person.origin.host}"


# ── set ────────────────────────────────────────────────────────────────────────────────────────


def _set(
    state: State, person: Person, asked: SetRoomBan
) -> Sequence[ModesSet | Kicked | Refused | RoomBanEffect]:
    """The ban and the removals are appended together: nobody is banned and stays because the
    operator's connection, or the server, ends in between.
    """
    if refused := _not_theirs(state, person, asked.room):
        return [refused]
    target = read_target(state, asked.whom)
    if isinstance(target, Refused):
        return [target]
    if target.identity == person.identity:
        return [Refused("You cannot ban yourself.", Code.NOT_BANNABLE)]
    seconds, why = bounded(asked.seconds), as_reason(asked.why, WHY_MAX)
    entry, whom = _entry(asked, target), target.name
    if names_somebody(entry, whom, whom):  # the entry says it
        whom = ""
    change = Change(True, "b", entry, seconds=seconds, why=why, whom=whom)
    outcomes = set_modes(state, person, SetModes(asked.room, (change,)))
    if not any(isinstance(outcome, ModesSet) for outcome in outcomes):
        return outcomes or [Refused("There is such a ban already.", Code.NO_CHANGE)]
    room, muted = state.rooms[fold(asked.room)], entry.startswith(MUTE)
    hit, named = _hit(room, person, target), _named(state, room, person, target)
    effect = _effect(state, room, person, target, hit, named, muted=muted)
    told = [effect] if effect.text else []
    gone = () if muted else named if effect.spared else (*named, *hit)
    return [*outcomes, *told, *_removals(state, person, asked, gone)]


def _not_theirs(state: State, person: Person, room: str) -> Refused | None:
    """Why somebody may not set and lift bans of a room; None if they may."""
    if visible_room(state, person, room) is None:
        return unknown(room)
    return powerless(state, person, room)


def _entry(asked: SetRoomBan, target: Target) -> str:
    return MUTE + target.entry.removeprefix(MUTE) if asked.mute else target.entry


def _effect(
    state: State, room: Room, person: Person, target: Target,
    hit: Sequence[Person], named: Sequence[Person], *, muted: bool,
) -> RoomBanEffect:  # fmt: skip
    """Whom a ban hits, and what whoever sets it may not have meant, or not thought of."""
    others = _others(room, person)
    spared = _is_suspicious(hit, others) and not muted
    effect = RoomBanEffect("", room.state.name, hit=len(hit), others=len(others), spared=spared)
    is_wide = fits_everybody(target.entry) or any(one not in named for one in hit)
    fits = _fits(effect, target, is_named=bool(named)) if is_wide else ()
    told = [*fits, *_in_vain(state, room, target, named, muted=muted)]
    return replace(effect, text="\n".join(told))


def _fits(effect: RoomBanEffect, target: Target, *, is_named: bool) -> Iterator[str]:
    everybody = "everybody with an account" if _is_of_account(target) else "everybody"
    some = some_of(effect.hit, effect.others, f"in {effect.room}") if effect.hit else everybody
    yield f"It fits {some}; it does nothing to operators."
    rest = f"{'Nobody else' if is_named else 'Nobody'} is removed, but they may not speak. "
    yield f"{rest if effect.spared else ''}/unban {target.entry} undoes it."


def _in_vain(
    state: State, room: Room, target: Target, named: Sequence[Person], *, muted: bool
) -> Iterator[str]:
    """Tell of those to whom a ban does nothing, or who can be there all the same."""
    for one in named:
        if why := _unhurt(room, one, muted=muted):
            yield f"It does nothing to {one.nick} {why}."
    if spared := _spared(state, room, target, named, muted=muted):
        yield spared
    elif _is_of_account(target) and state.is_open and "R" not in room.state.flags:
        yield from _as_guests(room, muted=muted)


def _unhurt(room: Room, person: Person, *, muted: bool) -> str:
    """Why a ban does nothing to somebody who is named by it; empty if it does."""
    if excepted := listed(room, "e", person, mutes=True):
        return f"while {excepted.mask} is an exception (mode +e)"
    return _speaks(room.status.get(person.user_id, "")) if muted else ""


def _speaks(letters: str) -> str:
    """Why somebody with this status speaks although they are muted; empty if they do not."""
    if "o" in letters:
        return "while they are an operator here (mode +o)"
    return "while they have a voice here (mode +v)" if "v" in letters else ""


def _spared(
    state: State, room: Room, target: Target, named: Sequence[Person], *, muted: bool
) -> str:
    """Tell why somebody who is named can come back all the same, or can speak when they come; empty
    if they cannot.
    """
    account = state.realm.account(_account(target)) if _is_of_account(target) else None
    who, identity = (account.name, account.identity) if account else (target.name, target.identity)
    standing = None if named else room.state.standing.get(identity)
    letters = standing.letters if standing else ""
    if muted:
        return f"It does nothing to {who} {why}." if (why := _speaks(letters)) else ""
    if account and identity == room.state.founder:
        return f"{who} founded {room.state.name}, and can come back."
    rulers = [one.nick for one in named if one.is_operator]
    if account and state.rules(account.name):
        rulers = [account.name]
    if rulers:
        return f"{rulers[0]} is an operator of this server, and can come back."
    if "o" in letters:
        return f"{who} is an operator of {room.state.name}, and can come back: kick them then."
    return ""


def _as_guests(room: Room, *, muted: bool) -> Iterator[str]:
    """Tell how those whose account is banned can be there all the same, and what stops that."""
    name = room.state.name
    if not muted:
        yield f"They can come back as a guest: mode +R of {name} keeps guests out."
    elif "M" not in room.state.flags:
        yield f"They can speak as a guest: mode +M of {name} mutes guests."


def _is_of_account(target: Target) -> bool:
    return target.entry.removeprefix(MUTE).startswith(ACCOUNT)


def _account(target: Target) -> str:
    return target.entry.removeprefix(MUTE).removeprefix(ACCOUNT)


def _named(state: State, room: Room, person: Person, target: Target) -> Sequence[Person]:
    """The members who are named by a ban: on all devices, also if they have logged out there."""
    same = state.same(target.identity)
    account = fold(_account(target)) if _is_of_account(target) else ""
    return [
        one
        for one in room.members.values()
        if one.user_id != person.user_id
        and (one.user_id in same or (account and account in map(fold, one.accounts)))
    ]


def _hit(room: Room, person: Person, target: Target) -> Sequence[Person]:
    """The members whom a ban fits, of those who are meant."""
    entry = target.entry.removeprefix(MUTE)
    lists = Lists((("b", Mask(entry, "", 0)),))
    return [
        one
        for one in _others(room, person)
        if lists.fitting("b", one.nick, one.origin, past=one.past) and not listed(room, "e", one)
    ]


def _others(room: Room, person: Person) -> Sequence[Person]:
    """The members whom a ban can hit; operators, and whoever sets it, are not meant."""
    return [
        one
        for one in room.members.values()
        if not (one.identity == person.identity or one.is_operator or has_status(room, one))
    ]


def _is_suspicious(hit: Sequence[Person], others: Sequence[Person]) -> bool:
    return 2 * len(hit) > len(others) or len(hit) > _REMOVED_MAX


def _removals(
    state: State, person: Person, asked: SetRoomBan, gone: Sequence[Person]
) -> Iterator[Kicked]:
    for other in {one.user_id: one for one in gone}.values():
        removal = removed(state, person, Kick(asked.room, other.nick, asked.why), other)
        if isinstance(removal, Kicked):
            yield removal


# ── lift ───────────────────────────────────────────────────────────────────────────────────────


def _lift(state: State, person: Person, asked: LiftRoomBan) -> Sequence[ModesSet | Refused]:
    if refused := _not_theirs(state, person, asked.room):
        return [refused]
    found = _find(state, state.rooms[fold(asked.room)], asked.which)
    if isinstance(found, Refused):
        return [found]
    changes = tuple(Change(False, "b", entry.mask) for entry in found)
    return set_modes(state, person, SetModes(asked.room, changes))


def _find(state: State, room: Room, which: str) -> Sequence[Mask] | Refused:
    """The bans with this number, or about this; those that only mute as well."""
    bans = [entry for mode, entry in room.state.masks if mode == "b"]
    if is_number(which):
        found = [entry for entry in bans if entry.number == int(which)]
        why = f"There is no ban {int(which)} in {room.state.name}."
        return found or _no_ban(room, why)
    target = read_target(state, which)
    # What is about the name itself is found whether anybody has it or not.
    entries = [entry_mask(which), f"{ACCOUNT}{which}"]
    if isinstance(target, Target):
        entries.append(target.entry)
    wanted = {fold_mask(mute + entry) for entry in entries for mute in ("", MUTE)}
    found = [entry for entry in bans if fold_mask(entry.mask) in wanted]
    # Somebody who is not here any more is known by the name by which they were banned.
    if found := found or [entry for entry in bans if fold(entry.whom) == fold(which)]:
        return found
    whom = cut(which, 50) if isinstance(target, Refused) else target.entry
    return _no_ban(room, f"There is no ban of {whom} in {room.state.name}.")


def _no_ban(room: Room, why: str) -> Refused:
    return Refused(f"{why} /bans lists them.", Code.NO_SUCH_BAN, (room.state.name,))


# ── the end of their time ──────────────────────────────────────────────────────────────────────


def over_in(room: Room, now: int) -> ModesSet | None:
    """The end of all entries of a room whose time is up (unix milliseconds); None without any."""
    if not (room.state.masks and 0 < room.lists.end <= now):
        return None
    entries = room.state.masks
    over = tuple(
        Change(False, mode, e.mask, whom=e.whom) for mode, e in entries if 0 < e.until <= now
    )
    return ModesSet(room.state.name, "", over)


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {
    SetRoomBan: _set,
    LiftRoomBan: _lift,
}
