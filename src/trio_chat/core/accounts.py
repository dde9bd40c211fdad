"""The judgement of what people ask about accounts; each function judges one kind of request.

Passwords and secrets are none of its business: whoever calls it has seen to them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trio_chat.core.barred import banned_as
from trio_chat.core.commands import (
    DropAccount,
    DropKey,
    LogIn,
    LogOut,
    MakeKey,
    MatchStatus,
    Prefer,
    Register,
    SetPassword,
)
from trio_chat.core.events import (
    AccountDropped,
    AccountMade,
    AccountSet,
    Change,
    KeyDropped,
    KeyMade,
    ModesSet,
    PasswordSet,
    PlaceSet,
    PreferenceSet,
)
from trio_chat.core.letters import cut
from trio_chat.core.limits import kept_out, no_registration, silent
from trio_chat.core.names import LABEL_MAX, fold
from trio_chat.core.preferences import ALWAYS_ON, ALWAYS_ON_MAX, PREFERENCES
from trio_chat.core.realm import ACCOUNTS_MAX, KEYS_MAX, Account, Key, identity_by_name
from trio_chat.core.refusals import Code
from trio_chat.core.room import Device, Person
from trio_chat.core.standing import is_first_operator, status_of
from trio_chat.core.state import State, muted_in
from trio_chat.core.views import Refused

# Accounts that somebody may leave on one connection: bans of these stay about them.
_PAST_MAX = 20


def account_of(state: State, person: Person) -> Account | None:
    """The account that somebody is logged in to."""
    return state.realm.account(person.origin.account) if person.origin.account else None


def _register(state: State, person: Person, register: Register) -> Sequence[AccountMade | Refused]:
    realm = state.realm
    if account := account_of(state, person):
        return [Refused(f"You are logged in as {account.name} already.", Code.LOGGED_IN)]
    if refused := no_registration(state) or kept_out(state, person) or _restless(person):
        return [refused]
    if realm.owners(person.nick):
        why = f"{person.nick} is somebody's account already."
        return [Refused(why, Code.ACCOUNT_EXISTS, (person.nick,))]
    if len(realm.accounts) >= ACCOUNTS_MAX:
        return [Refused(f"There are {ACCOUNTS_MAX} accounts, which is the limit.")]
    if fold(person.nick) in state.operators and not (register.operator or register.here):
        return [_reserved(person.nick)]
    key = person.known_as
    identity = key or identity_by_name(person.nick)
    operator = register.operator and not (register.first and state.has_operator())
    return [
        AccountMade(
            person.nick, identity, person.user_id, key, operator, person.metadata, register.via,
            register.invitation,
        )
    ]  # fmt: skip


def _log_in(state: State, person: Person, log_in: LogIn) -> Sequence[AccountSet | Refused]:
    account = state.realm.account(log_in.name)
    if not account or not state.realm.opens(account, log_in.key, log_in.password_id):
        return [wrong_password()]  # also if it was right when it was checked
    if refused := _restless(person) or _would_keep_nick(state, person, account.name):
        return [refused]
    if len(person.devices) > 1 and account.identity != person.identity:
        why = f"You are {person.origin.account} on another device, too: connect again to log in"
        return [Refused(f"{why} as {account.name}.")]
    origin = replace(person.origin, account=account.name)
    then = replace(person, origin=origin, identity=account.identity)
    if refused := kept_out(state, then) or banned_as(state, person, then, account.name):
        return [refused]
    return [
        AccountSet(
            person.nick, person.user_id, origin, account.identity, log_in.key, log_in.password_id,
            log_in.via,
        )
    ]  # fmt: skip


def _log_out(state: State, person: Person, log_out: LogOut) -> Sequence[AccountSet | Refused]:
    if not person.origin.account:
        return [not_logged_in()]
    if refused := _would_keep_nick(state, person):
        return [refused]
    return [AccountSet(person.nick, person.user_id, replace(person.origin, account=""))]


def _restless(person: Person) -> Refused | None:
    """Why somebody may log in to no other account on this connection; None if they may."""
    if len(person.past) < _PAST_MAX:
        return None
    return Refused(f"You have left {_PAST_MAX} accounts on this connection: connect again first.")


def _would_keep_nick(state: State, person: Person, account: str = "") -> Refused | None:
    """Why somebody may not change over to an account, or to none: they would go on having the
    nickname of the one before, because they may not change it.
    """
    if not {*state.realm.owners(person.nick)} - {fold(account)}:
        return None
    if refused := silent(state, person):
        return refused
    if room := muted_in(state, person):
        name = room.state.name
        why = (
            f"That would take your nickname from you, and it cannot change while you may not speak "
            f"in {name}: leave it first."
        )
        return Refused(why, Code.CANNOT_RENAME, (person.nick, name))
    return None


def _set_password(
    state: State, person: Person, set_password: SetPassword
) -> Sequence[PasswordSet | Refused]:
    if (account := account_of(state, person)) is None:
        return [not_logged_in()]
    refused = _without_password(account, person.device(set_password.via))
    return [refused or PasswordSet(account.name, person.user_id, set_password.via)]


def _make_key(state: State, person: Person, make: MakeKey) -> Sequence[KeyMade | Refused]:
    if (account := account_of(state, person)) is None:
        return [not_logged_in()]
    if not make.label or len(make.label) > LABEL_MAX:
        return [Refused(f"A name has 1 to {LABEL_MAX} characters.")]
    if make.shown:
        return _keep_key(state, account, make, person.device(make.via))
    if refused := by_token(account, person.device(make.via)):
        return [refused]
    if _key(account, make.label):
        return [Refused(f"There is a {make.label} already: drop it first, or take another name.")]
    return [_too_many_keys(account) or KeyMade(account.name, make.key, make.label)]


def _keep_key(
    state: State, account: Account, make: MakeKey, device: Device
) -> Sequence[KeyMade | Refused]:
    """Judge it for a secret that a client has made up, or one by which it has come."""
    owner, _ = state.realm.who(make.key)
    if not make.key:
        return [Refused("Your client has shown nothing by which it could be known again.")]
    if owner and owner != account.name:
        return [Refused(f"When you come again from here, you will be {owner}.")]
    label = _free_label(account, make)
    if owner:
        [before] = (key for key in account.keys if key.key == make.key)
        if before.is_token:
            return [_is_token(before)]
        renamed = KeyMade(account.name, make.key, label, device=True)
        return [] if before.label == label else [renamed]
    refused = by_token(account, device) or _too_many_keys(account)
    return [refused or KeyMade(account.name, make.key, label, device=True)]


def _free_label(account: Account, make: MakeKey) -> str:
    """The label wanted, with a number if another key of the account has it."""
    taken = {fold(key.label) for key in account.keys if key.key != make.key}
    numbered = (f" {number}" for number in range(2, len(taken) + 3))
    labels = (cut(make.label, LABEL_MAX - len(end)) + end for end in ("", *numbered))
    return next(label for label in labels if fold(label) not in taken)


def _too_many_keys(account: Account) -> Refused | None:
    if len(account.keys) < KEYS_MAX:
        return None
    return Refused(f"You have {KEYS_MAX} tokens, which is the limit: drop one first.")


def _drop_key(state: State, person: Person, drop: DropKey) -> Sequence[KeyDropped | Refused]:
    if (account := account_of(state, person)) is None:
        return [not_logged_in()]
    device = person.device(drop.via)
    if drop.key:
        is_theirs = state.realm.who(drop.key)[0] == account.name
        if not is_theirs:
            return []
        refused = _would_keep_nick(state, person) if drop.key == device.key else None
        return [refused or KeyDropped(account.name, drop.key, person.user_id, drop.via)]
    if (key := _key(account, drop.label)) is None:
        return [Refused(f"You have none called {cut(drop.label, LABEL_MAX)}.")]
    is_own = key.key == device.key
    if refused := _would_keep_nick(state, person) if is_own else by_token(account, device):
        return [refused]
    return [KeyDropped(account.name, key.key, person.user_id, drop.via)]


def _prefer(state: State, person: Person, prefer: Prefer) -> Sequence[PreferenceSet | Refused]:
    if (account := account_of(state, person)) is None:
        return [not_logged_in()]
    if prefer.preference not in PREFERENCES:
        return [Refused(f"You can choose {' and '.join(PREFERENCES)}.")]
    refused = by_token(account, person.device(prefer.via))
    if prefer.preference == ALWAYS_ON and prefer.on and not refused:
        refused = _too_many_always_on(state, account)
    return [refused or PreferenceSet(account.name, prefer.preference, prefer.on, person.user_id)]


def _too_many_always_on(state: State, account: Account) -> Refused | None:
    if len(state.realm.always_on) < ALWAYS_ON_MAX or account.prefers(ALWAYS_ON):
        return None
    return Refused(f"{ALWAYS_ON_MAX} accounts are always on, which is the limit.")


def _key(account: Account, label: str) -> Key | None:
    return next((key for key in account.keys if fold(key.label) == fold(label)), None)


def _drop_account(
    state: State, person: Person, drop: DropAccount
) -> Sequence[AccountDropped | Refused]:
    if (account := account_of(state, person)) is None:
        return [not_logged_in()]
    if fold(drop.name) != fold(account.name):
        return [Refused(f"You are logged in as {account.name}: say that name to delete it.")]
    device = person.device(drop.via)
    if refused := _without_password(account, device) or _would_keep_nick(state, person):
        return [refused]
    return [AccountDropped(account.name, person.user_id, via=drop.via)]


def came_by_token(account: Account, device: Device) -> bool:
    """Whether nothing but a token of the account has been shown on one of its owner's devices."""
    by_password = device.password_id == account.password_id
    return not by_password and any(key.key == device.key and key.is_token for key in account.keys)


def by_token(account: Account, device: Device) -> Refused | None:
    """The refusal of what somebody may not do who has only shown a token of the account."""
    if not came_by_token(account, device):
        return None
    return Refused("A token cannot do that: log in with the password.")


def _without_password(account: Account, device: Device) -> Refused | None:
    """The refusal of what takes the account from its owner, if somebody has come by a secret that
    a bot or a device keeps: whoever has found that may know no password.
    """
    if device.password_id == account.password_id:
        return None
    return Refused("Log in with the password first, then do that again.")


def _match_status(state: State, asker: Person, match: MatchStatus) -> Sequence[PlaceSet | ModesSet]:
    """Judge it for somebody who has just logged in or out.

    Those who were guests bring with them what they have, and may become the founder by that. An
    account comes to be in the room.
    """
    room, person = state.room(match.room), state.people.get(match.user_id)
    if room is None or person is None or person.user_id not in room.members:
        return []
    account = person.origin.account
    placed = [PlaceSet(room.state.name, account)] if account else []
    has, theirs = room.status.get(person.user_id, ""), status_of(room.state, person)
    wanted = {*theirs, *(has if match.guest else "")}
    founds = (
        bool(match.guest) and "o" in has and is_first_operator(state, room, person, match.guest)
    )
    changes = tuple(
        Change(letter in wanted, letter, person.nick, person.user_id, person.known_as)
        for letter in "ov"
        if not (letter in has) == (letter in theirs) == (letter in wanted)
        or (founds and letter == "o")  # said once more, as it is the account's from now on
    )
    if not changes:
        return placed
    return [
        *placed,
        ModesSet(
            room.state.name, person.nick, changes, person.user_id, person.origin,
            founder=person.identity if founds else "",
        ),
    ]  # fmt: skip


# ── refusals ───────────────────────────────────────────────────────────────────────────────────


def not_logged_in() -> Refused:
    """The refusal of what only those may do who are logged in."""
    return Refused("You are not logged in.", Code.NOT_LOGGED_IN)


def wrong_password() -> Refused:
    """The refusal of a password, or a secret in its place, that does not open what it should."""
    return Refused("That is not the password.", Code.WRONG_PASSWORD)


def _is_token(key: Key) -> Refused:
    """The refusal to keep a token for a device: it goes by the name that its owner drops it by."""
    why = f"You are here by the token {key.label}: this device will not log in by itself"
    return Refused(f"{why}. For that, come without it, and log in with the password.")


def _reserved(nick: str) -> Refused:
    """The refusal of a name that makes whoever registers it an operator of the server."""
    why = f"{nick} is to be an operator of this server: that name can only be registered on the "
    return Refused(f"{why}server's own machine, or with an invitation for operators.")


def no_account(name: str) -> Refused:
    """The answer about an account that there is not."""
    return Refused(f"There is no account {cut(name, 50)}.", Code.NO_SUCH_NICK, (cut(name, 50),))


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {
    Register: _register,
    LogIn: _log_in,
    LogOut: _log_out,
    SetPassword: _set_password,
    MakeKey: _make_key,
    DropKey: _drop_key,
    Prefer: _prefer,
    DropAccount: _drop_account,
    MatchStatus: _match_status,
}
