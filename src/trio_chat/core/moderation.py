"""The judgement of bans of the server, and of its lock: operators of the server set and lift them.

Whom a ban is about is read in this order: a network or an address; ``a:`` and an account's name; a
mask, if it has one of ``!@*?``; or a name: of an account, of somebody who is logged in to one, or
of a guest who is here or has been lately (``State.past``), whose network it is then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

from trio_chat.core.bans import ACCOUNT, BANS_MAX, MASK, NETWORK, fits
from trio_chat.core.commands import (
    LOCK_SECONDS,
    WHY_MAX,
    LiftBan,
    LockChat,
    SetBan,
    UnlockChat,
)
from trio_chat.core.denials import operators_only
from trio_chat.core.events import Banned, Locked, Unbanned, Unlocked
from trio_chat.core.letters import as_reason, cut
from trio_chat.core.limits import bounded, is_exempt, whom
from trio_chat.core.masks import fits_everybody, full_mask, mask_problem, matches
from trio_chat.core.modes import ACCOUNT as ACCOUNT_PREFIX
from trio_chat.core.names import fold
from trio_chat.core.networks import IpNetwork, is_meant_as_network, network_of, written
from trio_chat.core.queries import ListBans
from trio_chat.core.realm import Realm
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.state import State
from trio_chat.core.views import Ban, BanEffect, Bans, LockEffect, Notice, Refused
from trio_chat.core.words import described, is_number, minute, reason

# The mask by which everybody is banned: any shorter one may be a slip.
EVERYBODY = "*!*@*"

# Networks with fewer bits are a large part of all that there are.
_WIDE = 8

# What helps if nobody of a name is here.
_HOW = " Ban the address, which the server's log has, or a mask."

# Networks of people who are hit that an operator is told, of all their devices.
_NETWORKS = 3

# Bans in a part of an answer.
_PART = 200


class Target(NamedTuple):
    """Whom a ban is about: its kind and value, and the nickname by which somebody was named."""

    kind: str
    value: str
    whom: str = ""


# ── whom it is about ───────────────────────────────────────────────────────────────────────────


def read_target(state: State, text: str) -> Target | Refused:
    """Read whom a ban is to be about."""
    if network := network_of(text):
        return _network(network)
    if is_meant_as_network(text):
        return _no_network(text)
    if text[:2].lower() == ACCOUNT_PREFIX:
        return _account(state, text[2:])
    if {*text} & {*"!@*?"}:
        return _mask(text)
    if state.realm.account(text):
        return _account(state, text)
    person = state.person(text) or state.gone(text)
    if person is None:
        return _unknown(cut(text, 50))
    if person.origin.account:
        found = _account(state, person.origin.account)
        return found._replace(whom=person.nick) if isinstance(found, Target) else found
    return _network_of(person)


def _unknown(name: str) -> Refused:
    why = f"There is no account {name}, and nobody here is called that."
    return Refused(why, Code.NO_SUCH_NICK, (name,))


def _network(network: IpNetwork) -> Target | Refused:
    if network.is_loopback:
        why = f"{written(network)} is the server's own machine, from where nobody can be kept out."
        return Refused(why, Code.NOT_BANNABLE)
    return Target(NETWORK, written(network))


def _no_network(text: str) -> Refused:
    written = cut(text, 50)
    why = f"{written} is not a network. Write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48"
    how = ", and a 0 before a colon at the beginning: 0::/64" if text.startswith(":") else ""
    return Refused(f"{why}{how}.", Code.BAD_MASK)


def _account(state: State, name: str) -> Target | Refused:
    if not name:
        return Refused("Name the account: a:mallory.", Code.BAD_MASK)
    if (account := state.realm.account(name)) is None:
        return Refused(f"There is no account {cut(name, 50)}.", Code.NO_SUCH_NICK, (cut(name, 50),))
    if state.rules(account.name):
        return _ruler(account.name)
    return Target(ACCOUNT, account.name)


def _mask(text: str) -> Target | Refused:
    """A mask of nothing but a network is that network."""
    mask = full_mask(text)
    if problem := mask_problem(mask):
        return Refused(problem, Code.BAD_MASK)
    if network := network_of(mask.removeprefix("*!*@")):
        return _network(network)
    if is_meant_as_network(host := mask.rpartition("@")[2]) and "/" in host:
        return _no_network(host)
    return Target(MASK, mask)


def _ruler(name: str) -> Refused:
    why = f"{name} is an operator of this server, and cannot be banned."
    return Refused(why, Code.NOT_BANNABLE)


def _network_of(person: Person) -> Target | Refused:
    if person.is_operator:
        return _ruler(person.nick)
    network = network_of(person.address)
    if network is None or network.is_loopback:
        mask = f"{person.nick}!*@*"
        why = f"{person.nick} has no account, and is on the server's own machine"
        return Refused(f"{why}: only the nickname can be banned, as {mask}.", Code.NOT_BANNABLE)
    return Target(NETWORK, written(network), person.nick)


def _everybody(target: Target, asked: str) -> Refused | None:
    """Why whoever has asked for a ban cannot mean it: it fits everybody, or nearly."""
    network = network_of(target.value) if target.kind == NETWORK else None
    if network:
        wide = network.prefixlen < _WIDE
    else:
        wide = target.kind == MASK and asked != EVERYBODY and fits_everybody(target.value)
    if not wide:
        return None
    why = f"A ban of {cut(asked, 50)} would hit everybody, or nearly"
    how = f"if you mean that, write {EVERYBODY}. /lock keeps out guests."
    return Refused(f"{why}: {how}", Code.NOT_BANNABLE)


def _way_in(state: State, target: Target) -> Refused | None:
    """Why a network cannot be banned by which others come in; None if it can."""
    network = network_of(target.value) if target.kind == NETWORK else None
    if network is None:
        return None
    hit = f"a ban of {written(network)} would hit all of them."
    if proxy := next(filter(network.overlaps, state.proxies), None):
        why = f"Others come in by {written(proxy)}, a proxy of this server: {hit}"
        return Refused(why, Code.NOT_BANNABLE)
    if network in state.own:
        why = f"That is the server's own address, by which others may come in: {hit}"
        return Refused(why, Code.NOT_BANNABLE)
    return None


# ── bans ───────────────────────────────────────────────────────────────────────────────────────


def _set_ban(state: State, person: Person, asked: SetBan) -> Sequence[Banned | BanEffect | Refused]:
    if not person.is_operator:
        return [operators_only()]
    bans, target = state.realm.bans, read_target(state, asked.whom)
    if isinstance(target, Refused):
        is_gone = target.code is Code.NO_SUCH_NICK
        return [replace(target, why=f"{target.why}{_HOW if is_gone else ''}")]
    if refused := _way_in(state, target) or _everybody(target, asked.whom):
        return [refused]
    replaced = bans.on(target.kind, target.value)
    if len(bans.all) >= BANS_MAX and replaced is None:
        why = f"There are {BANS_MAX} bans, which is the limit: lift some first."
        return [Refused(why, Code.TOO_MANY_BANS)]
    banned = Banned(
        bans.last + 1, target.kind, target.value, asked.mute, bounded(asked.seconds),
        as_reason(asked.why, WHY_MAX), person.nick, person.user_id, target.whom, person.origin,
    )  # fmt: skip
    return [banned, _effect(state, person, banned, replaced)]


def _effect(state: State, person: Person, banned: Banned, replaced: Ban | None) -> BanEffect:
    ban = Ban(banned.number, banned.kind, banned.value, banned.mute, whom=banned.whom)
    is_here = person.user_id in state.people  # not so on the operators' socket
    hit, others = whom(state, ban), len(state.people) - is_here
    fits_asker = ban.kind != ACCOUNT and fits(ban)(person)
    # At the door only the network is known; whoever logs in there is past every mask.
    is_let_in = ban.kind == MASK and state.rules(person.origin.account)
    as_guests = ban.kind == ACCOUNT and state.is_open
    return BanEffect(
        ban,
        hit=len(hit),
        others=others,
        seconds=banned.seconds,
        replaced=replaced.number if replaced else 0,
        is_wide=fits_asker or (len(hit) > 1 and 2 * len(hit) > others),
        shuts_out=fits_asker and is_here and not (ban.mute or is_let_in),
        as_guests=as_guests,
        networks=_networks(state, hit) if as_guests else (),
        has_gone=bool(ban.whom) and state.person(ban.whom) is None,
    )


def _networks(state: State, people: Iterable[Person]) -> tuple[str, ...]:
    """The first networks that people come from on any device, and that can be banned."""
    addresses = (at for person in people if not person.is_operator for at in person.addresses)
    found = (network for at in addresses if (network := network_of(at)) and not network.is_loopback)
    targets = (Target(NETWORK, written(network)) for network in found)
    networks = (target.value for target in targets if not _way_in(state, target))
    return tuple(dict.fromkeys(networks))[:_NETWORKS]


def _lift_ban(state: State, person: Person, lift: LiftBan) -> Sequence[Unbanned | Notice | Refused]:
    if not person.is_operator:
        return [operators_only()]
    ban = _find(state, lift.which)
    if isinstance(ban, Refused):
        return [ban]
    done = Notice(f"Ban {ban.number} is lifted: {described(ban)}.")
    return [lifted(ban, person), done]


def _find(state: State, which: str) -> Ban | Refused:
    bans = state.realm.bans
    if is_number(which):
        return bans.all.get(int(which)) or _no_ban(f"There is no ban {int(which)}.")
    target = read_target(state, which)
    found = bans.on(target.kind, target.value) if isinstance(target, Target) else None
    if found := found or next(chain(_naming(state, which), _of_value(state, which)), None):
        return found
    if isinstance(target, Refused):
        return target
    why = f"There is no ban of {target.kind} {target.value}."
    for ban in _around(state, target):
        return _no_ban(f"{why} Ban {ban.number} is about {ban.value}, which has it in it.")
    return _no_ban(why)


def _no_ban(why: str) -> Refused:
    return Refused(why, Code.NO_SUCH_BAN)


def _of_value(state: State, text: str) -> Iterator[Ban]:
    """The bans of just this account or nickname, whether there is any of it or not."""
    bans = state.realm.bans
    name = text[len(ACCOUNT_PREFIX) :] if text[:2].lower() == ACCOUNT_PREFIX else text
    return filter(None, (bans.of_account(name), bans.on(MASK, full_mask(text))))


def _around(state: State, target: Target) -> Sequence[Ban]:
    """The bans of networks that a network is in; the smallest first."""
    network = network_of(target.value) if target.kind == NETWORK else None
    return state.realm.bans.around(network) if network else ()


def _naming(state: State, name: str) -> Iterator[Ban]:
    """The bans by which somebody was meant who had this nickname then."""
    wanted = fold(name)
    return (ban for ban in state.realm.bans.all.values() if fold(ban.whom) == wanted)


def _list_bans(state: State, asker: Person, query: ListBans) -> Iterator[Bans | Refused]:
    """The bans, in parts; those that are there when a part is worked out."""
    if not asker.is_operator:
        yield operators_only()
        return
    bans = state.realm.bans.all
    if query.whom:
        yield _about(state, query.whom)
        return
    numbers = [*bans]
    for begin in range(0, max(1, len(numbers)), _PART):
        some = (bans.get(number) for number in numbers[begin : begin + _PART])
        yield Bans(tuple(ban for ban in some if ban), begin + _PART < len(numbers))


def _about(state: State, name: str) -> Bans | Refused:
    """The bans that are about this, or that fit the person of this name, or whoever takes it."""
    target, person = read_target(state, name), state.person(name)
    named = (_naming(state, name), _of_nick(state, name), _of_value(state, name))
    found: list[Ban | None] = [*chain.from_iterable(named)]
    if person:
        found.append(state.realm.bans.fitting(person))
    if isinstance(target, Target):
        found += [state.realm.bans.on(target.kind, target.value), *_around(state, target)]
    elif not found:
        return target
    by_number = {ban.number: ban for ban in found if ban}
    return Bans(tuple(by_number[number] for number in sorted(by_number)), whom=cut(name, 50))


def _of_nick(state: State, name: str) -> Iterator[Ban]:
    """The masks that are about nicknames, and fit this one."""
    for ban in state.realm.bans.all.values():
        nick = ban.value.partition("!")[0]
        if ban.kind == MASK and nick != "*" and matches(nick, name):
            yield ban


# ── the lock ───────────────────────────────────────────────────────────────────────────────────


def _lock(state: State, person: Person, asked: LockChat) -> Sequence[Locked | LockEffect | Refused]:
    if not person.is_operator:
        return [operators_only()]
    if asked.seconds is None and (lock := state.realm.lock):
        end = f"until {minute(lock.until)}" if lock.until else "until somebody opens it"
        why = f"This chat is locked {end}{reason(lock.why)}. /lock 1h sets another time"
        return [Refused(f"{why}, /lock off opens it.", Code.NO_CHANGE)]
    seconds = LOCK_SECONDS if asked.seconds is None else bounded(asked.seconds)
    why = as_reason(asked.why, WHY_MAX)
    locked = Locked(seconds, why, person.nick, person.origin)
    guests = [p for p in state.people.values() if not (p.origin.account or is_exempt(state, p))]
    others = len(state.people) - (person.user_id in state.people)
    return [locked, LockEffect(locked.seconds, len(guests), others)]


def _unlock(state: State, person: Person, asked: UnlockChat) -> Sequence[Unlocked | Refused]:
    if not person.is_operator:
        return [operators_only()]
    if state.realm.lock is None:
        return [Refused("This chat is not locked.", Code.NO_CHANGE)]
    return [Unlocked(person.nick, person.origin)]


# ── the end of their time ──────────────────────────────────────────────────────────────────────


def over(realm: Realm, now: int) -> Unbanned | Unlocked | None:
    """What has to end at this moment (unix milliseconds); None if nothing has to."""
    if realm.lock and 0 < realm.lock.until <= now:
        return Unlocked()
    due = (ban for ban in realm.bans.all.values() if 0 < ban.until <= now)
    return next((lifted(ban) for ban in due), None)


def lifted(ban: Ban, by: Person | None = None) -> Unbanned:
    """The end of a ban: by somebody, or because its time is up."""
    about = (ban.kind, ban.value, ban.whom)
    if by is None:
        return Unbanned(ban.number, "", "", *about)
    return Unbanned(ban.number, by.nick, by.user_id, *about, by.origin)


def has_end(realm: Realm) -> bool:
    """Whether the lock, or any ban, is for some time."""
    is_locked = realm.lock is not None and realm.lock.until > 0
    return is_locked or any(ban.until for ban in realm.bans.all.values())


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {
    SetBan: _set_ban,
    LiftBan: _lift_ban,
    LockChat: _lock,
    UnlockChat: _unlock,
}

#: Rows for ``chat.ANSWERS``.
ANSWERS: dict[type, Callable[[State, Person, Any], Iterable[Bans | Refused]]] = {
    ListBans: _list_bans
}
