"""The realm: the accounts of this chat, who was let in and who is kept out, a fold over the log
``REALM``.

An *identity* is who somebody is, shown by a secret. An account is an identity with a name: whoever
registers keeps the identity they had, and with it their private conversations, read markers and
resend tokens; those who had shown none are known by their name, as ``=name``. A *key* is the hash
of a secret that logs in to an account by being shown; it is the same hash that is the identity of
those who have no account. Passwords are no part of the realm: a log only grows, so what is secret
is kept beside it.

An *invitation* is a token that the server has signed: of those that were used, the realm knows by
how many, so that each lets in no more than it should.

A *ban* of the server is known by a number that no other ever has. The fold knows no clock: a ban
and the lock end when their event has come, and the moment that was set is only told.

Two names that look alike (``lookalikes``) are one, so each look has one owner at most. A deleted
account leaves its name, which nobody else can ever have.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from trio_chat.core.bans import Bans
from trio_chat.core.events import (
    RESET_HOURS,
    AccountBlocked,
    AccountDropped,
    AccountMade,
    AccountMetadataSet,
    AccountReset,
    AccountUnblocked,
    Banned,
    Entry,
    InvitationRevoked,
    InvitationUsed,
    KeyDropped,
    KeyMade,
    Locked,
    OfAccount,
    OfModeration,
    OperatorDropped,
    PasswordSet,
    PreferenceSet,
    Unbanned,
    Unlocked,
)
from trio_chat.core.lookalikes import looks
from trio_chat.core.metadata import Values, with_values
from trio_chat.core.names import fold
from trio_chat.core.preferences import ALWAYS_ON, PREFERENCES
from trio_chat.core.views import Ban, Lock
from trio_chat.core.words import account_or_user

#: Accounts that there may be: some 400 bytes of memory each.
ACCOUNTS_MAX = 100_000

#: Keys of one account, and accounts that it has blocked.
KEYS_MAX, BLOCKS_MAX = 20, 100

#: The most people that one invitation lets in, and the longest time for which it does.
USES_MAX, DAYS_MAX = 1000, 365

_DAY = 86_400_000  # milliseconds

# So long an invitation is remembered after its end, for clocks go wrong.
_KEPT = 30 * _DAY

# The label of a key by which an operator has let the owner in.
_RESET = "reset"

# The first letter of identities that are an account's name; no hash has it.
_NAMED = "="


def identity_by_name(name: str) -> str:
    """The identity of an account whose owner had shown no secret."""
    return _NAMED + fold(name)


@dataclass(frozen=True, slots=True)
class Key:
    """A key to an account; ``made`` is in unix milliseconds.

    One that is only ``until_password`` is an operator's, for an owner who has forgotten it: it is
    good once, for ``RESET_HOURS``, and not as an identity. A ``device``'s is a secret that the
    client has made up; any other one, a token, opens the account, but does not rule it.
    """

    key: str
    label: str
    made: int = 0
    until_password: bool = False
    device: bool = False

    @property
    def is_token(self) -> bool:
        """Whether it is a token."""
        return not (self.device or self.until_password)


@dataclass(frozen=True, slots=True)
class Account:
    """An account; ``made`` is in unix milliseconds. If it was ``dropped``, its name is left.

    ``password_id`` tells its password from those that it has had before. ``blocked`` are the
    accounts (by folded name) that its owner takes nothing from in private. The preferences of its
    owner that are not as they are by default have been ``changed``.
    """

    name: str
    identity: str = ""
    made: int = 0
    keys: tuple[Key, ...] = ()
    dropped: bool = False
    operator: bool = False
    password_id: int = 1
    metadata: Values = ()
    blocked: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def prefers(self, preference: str) -> bool:
        """Whether its owner has this preference on."""
        return PREFERENCES[preference].default is not (preference in self.changed)


@dataclass(frozen=True, slots=True)
class Spent:
    """An invitation that was used or ``revoked``; ``expires`` is in unix milliseconds.

    ``by`` holds the identities of those whom it has let in, each empty if it is not known;
    ``operator`` says whether it makes operators.
    """

    id: str
    expires: int = 0
    uses: int = 0
    by: tuple[str, ...] = ()
    revoked: bool = False
    operator: bool = False


@dataclass(frozen=True, slots=True)
class RealmState:
    """The realm as a snapshot holds it; ``barrier`` is the id of the last event, ``last_ban`` the
    number of the last ban that there has been.
    """

    barrier: str = ""
    accounts: tuple[Account, ...] = ()
    invitations: tuple[Spent, ...] = ()
    bans: tuple[Ban, ...] = ()
    last_ban: int = 0
    lock: Lock | None = None


@dataclass(slots=True)
class Realm:
    """The accounts, by folded name, and the invitations, by id. Only ``apply`` and ``restore``
    change them. ``always_on`` are the folded names of the accounts whose owners prefer that.

    ``_owners`` has the folded name of who has it by look, the others by identity and by key.
    """

    barrier: str = ""
    accounts: dict[str, Account] = field(default_factory=dict)
    invitations: dict[str, Spent] = field(default_factory=dict)
    bans: Bans = field(default_factory=Bans)
    lock: Lock | None = None
    always_on: dict[str, None] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)
    _of_identity: dict[str, str] = field(default_factory=dict)
    _of_key: dict[str, str] = field(default_factory=dict)

    def restore(self, state: RealmState, entries: Iterable[Entry] = ()) -> None:
        """Take up the realm where its log left it: a snapshot, and the entries after it."""
        self.barrier = state.barrier
        for account in state.accounts:
            self._put(account)
        self.invitations.update((spent.id, spent) for spent in state.invitations)
        for ban in state.bans:
            self.bans.add(ban)
        self.bans.last, self.lock = state.last_ban, state.lock
        for entry in entries:
            self.apply(entry)

    def state(self) -> RealmState:
        """The realm as it is now, for a snapshot."""
        return RealmState(
            self.barrier,
            tuple(self.accounts.values()),
            tuple(self.invitations.values()),
            tuple(self.bans.all.values()),
            self.bans.last,
            self.lock,
        )

    # ── look-ups ───────────────────────────────────────────────────────────────────────────

    def account(self, name: str) -> Account | None:
        """The account of this name, unless it was deleted."""
        account = self.accounts.get(fold(name))
        return None if account is None or account.dropped else account

    def meant(self, name: str) -> Account | None:
        """The account that somebody means by a name, perhaps by one that looks like its name."""
        alike = self.owners(name)
        return self.account(name) or (self.account(next(iter(alike))) if len(alike) == 1 else None)

    def owners(self, nick: str) -> Collection[str]:
        """The accounts, by folded name, whose names look like this nickname; also deleted ones."""
        return {self._owners[look] for look in looks(nick) if look in self._owners}

    def named(self, identity: str) -> Account | None:
        """The account that an identity is; None if it has no name, or its account was deleted."""
        name = self._of_identity.get(identity)
        return self.accounts[name] if name else None

    def may_be_shown(self, identity: str) -> bool:
        """Whether somebody may come who is this identity: nobody who was known by a name that
        belonged to a deleted account.
        """
        return not identity.startswith(_NAMED) or identity in self._of_identity

    def who(self, shown: str) -> tuple[str, str]:
        """The account and the identity of somebody who has shown a secret with this hash.

        The hash is itself the identity of those who have no account. One that was an account's, and
        is no key to it any more, shows nothing.
        """
        if name := self._of_key.get(shown):
            return self.accounts[name].name, self.accounts[name].identity
        return "", "" if shown in self._of_identity else shown

    def opens(self, account: Account, key: str, password_id: int) -> bool:
        """Whether a key, or a password, opens an account now."""
        return password_id == account.password_id or self._of_key.get(key) == fold(account.name)

    def resets(self, account: Account, key: str, now: int) -> bool:
        """Whether a key is an operator's that lets the owner in ``now`` (unix milliseconds)."""
        end = now - RESET_HOURS * 3_600_000
        return any(k.key == key and k.until_password and k.made > end for k in account.keys)

    # ── the step of the fold ───────────────────────────────────────────────────────────────

    def apply(self, entry: Entry) -> None:
        """Change the realm by the next entry of its log."""
        self.barrier = entry.id
        event = entry.event
        if isinstance(event, AccountMade):
            self._make(event, entry.at)
        elif isinstance(event, InvitationUsed | InvitationRevoked):
            self._spend(event, entry.at)
        elif isinstance(event, OfModeration):
            self._moderate(event, entry.at)
        elif isinstance(event, OfAccount) and (account := self.account(event.name)):
            self._change(account, event, entry.at)

    def _spend(self, event: InvitationUsed | InvitationRevoked, at: int) -> None:
        id = event.invitation
        spent = self.invitations.pop(id, Spent(id, at + DAYS_MAX * _DAY))
        if isinstance(event, InvitationRevoked):
            spent = replace(spent, revoked=True)
        else:
            is_new = not event.identity or event.identity not in spent.by
            by = (*spent.by, event.identity) if is_new else spent.by
            spent = Spent(id, event.expires, event.uses, by, spent.revoked, event.operator)
            if account := self.account(event.name):
                self._put(replace(account, operator=True))
        self.invitations[id] = spent
        if len(self.invitations).bit_count() == 1:  # now and then, the longer they are, the less
            kept = (one for one in self.invitations.values() if at < one.expires + _KEPT)
            self.invitations = {one.id: one for one in kept}

    def _moderate(self, event: OfModeration, at: int) -> None:
        match event:
            case Banned(number, kind, value, mute, seconds, why, by, whom=whom):
                until, account = _end(at, seconds), account_or_user(by, event.origin)
                self.bans.add(Ban(number, kind, value, mute, until, why, by, at, whom, account))
            case Unbanned(number):
                self.bans.remove(number)
            case Locked(seconds, why, by):
                self.lock = Lock(_end(at, seconds), why, by, at)
            case Unlocked():
                self.lock = None

    def _make(self, event: AccountMade, at: int) -> None:
        is_taken = event.identity in self._of_identity or event.key in self._of_key
        if is_taken or self.owners(event.name):  # only after damage: such a one is not made
            return
        keys = (Key(event.key, "first", at, device=True),) if event.key else ()
        account = Account(event.name, event.identity, at, keys, operator=event.operator)
        self._put(replace(account, metadata=event.metadata))
        self._name_guest(event.invitation, event.identity)

    def _change(self, account: Account, event: OfAccount, at: int) -> None:
        match event:
            case AccountDropped():
                for key in account.keys:
                    self._of_key.pop(key.key, None)
                del self._of_identity[account.identity]
                self.always_on.pop(fold(account.name), None)
                self.accounts[fold(account.name)] = Account(account.name, dropped=True)
                self._forget_guest(account.identity)
            case PasswordSet():
                account = self._without_reset(account)
                self._put(replace(account, password_id=account.password_id + 1))
            case OperatorDropped():
                self._put(replace(account, operator=False))
                self._revoke_for(account.identity)
            case AccountMetadataSet(values=values):
                self._put(replace(account, metadata=with_values(account.metadata, values)))
            case AccountBlocked(whom=whom) if self.account(whom):
                before = (name for name in account.blocked if name != fold(whom))
                self._put(replace(account, blocked=(*before, fold(whom))))
            case AccountUnblocked(whom=whom):
                blocked = tuple(name for name in account.blocked if name != fold(whom))
                self._put(replace(account, blocked=blocked))
            case PreferenceSet(preference=name, on=on) if name in PREFERENCES:
                self._put(replace(account, changed=_changed(account.changed, name, on=on)))
            case AccountReset(key=key) if not self.who(key)[0]:
                account = self._without_reset(account)
                new = Key(key, _RESET, at, until_password=True)
                self._put(replace(account, keys=(*account.keys, new)))
            case KeyMade(key=key, label=label, device=device) if self.who(key)[0] in (
                "",
                account.name,
            ):
                others = (each for each in account.keys if each.key != key)
                self._put(replace(account, keys=(*others, Key(key, label, at, device=device))))
            case KeyDropped(key=key) if any(each.key == key for each in account.keys):
                self._of_key.pop(key, None)
                left = tuple(each for each in account.keys if each.key != key)
                self.accounts[fold(account.name)] = replace(account, keys=left)

    def _name_guest(self, invitation: str, identity: str) -> None:
        """Let an invitation know whom it has let in, once somebody has registered whom nothing
        could tell from others before.
        """
        spent = self.invitations.get(invitation)
        if spent and identity not in spent.by and "" in spent.by:
            at = spent.by.index("")
            by = (*spent.by[:at], identity, *spent.by[at + 1 :])
            self.invitations[invitation] = replace(spent, by=by)

    def _revoke_for(self, identity: str) -> None:
        """Let somebody become no operator again by the invitation that has made them one."""
        for spent in self.invitations.values():
            if spent.operator and identity in spent.by:
                self.invitations[spent.id] = replace(spent, revoked=True)

    def _forget_guest(self, identity: str) -> None:
        """Keep no invitation open for somebody whose account, for which it was used, is deleted."""
        for spent in self.invitations.values():
            if identity in spent.by:
                by = tuple("" if one == identity else one for one in spent.by)
                self.invitations[spent.id] = replace(spent, by=by)

    def _without_reset(self, account: Account) -> Account:
        """An account without the key by which an operator has let its owner in."""
        return replace(account, keys=tuple(k for k in account.keys if not k.until_password))

    def _put(self, account: Account) -> None:
        name = fold(account.name)
        if name not in self.accounts:
            for look in looks(account.name):
                self._owners.setdefault(look, name)
        self.accounts[name] = account
        self.always_on.pop(name, None)
        if account.prefers(ALWAYS_ON):
            self.always_on[name] = None
        if not account.dropped:
            self._of_identity[account.identity] = name
        self._of_key.update((key.key, name) for key in account.keys if not key.until_password)


def _end(at: int, seconds: int) -> int:
    """The moment when something ends that lasts for so many seconds; 0 if it never does."""
    return at + seconds * 1000 if seconds else 0


def _changed(before: tuple[str, ...], preference: str, *, on: bool) -> tuple[str, ...]:
    """The preferences that are not as they are by default, after one has been set."""
    kept = tuple(name for name in before if name != preference)
    return kept if on is PREFERENCES[preference].default else (*kept, preference)
