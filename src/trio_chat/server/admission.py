"""Who is let in without an account, and who may register one: by the settings, or an invitation."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from trio_chat.core.admission import spend
from trio_chat.core.commands import ListInvitations, MakeInvitation
from trio_chat.core.denials import operators_only
from trio_chat.core.events import InvitationUsed
from trio_chat.core.limits import refuse_locked
from trio_chat.core.realm import DAYS_MAX, USES_MAX, Spent
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.views import NewInvitation, Notice, Refused, UsedInvitation, UsedInvitations
from trio_chat.protocols.invitation import (
    ID_BYTES,
    Invitation,
    NotValid,
    read_token,
    write_token,
)
from trio_chat.protocols.plain.wording import (
    ASK_FOR_INVITATION,
    ASK_TO_LOG_IN,
    ASK_TO_UNLOCK,
    ASK_WHILE_LOCKED,
)
from trio_chat.server.hub import Hub
from trio_chat.server.links import way_in
from trio_chat.settings import AccountSettings, Settings, WebSettings

_DAY = 86_400  # seconds

ACCOUNT_REQUIRED = Refused(
    "This chat is for those who have an account or an invitation.", Code.INVITATION_REQUIRED
)
_NO_GUESTS = Refused(
    "This chat is for those who have an account. Log in to it.", Code.ACCOUNT_REQUIRED
)
_NO_REGISTRATION = Refused("Nobody can register here. Ask the operators of this chat.")
_NOT_FIRST = Refused(
    "That invitation was for the first operator, and there is one now. Ask for another.",
    Code.BAD_INVITATION,
)
_UNINVITED = Refused("To register you need an invitation.", Code.NEED_INVITATION)


def new_token(
    key: bytes, now: float, *, uses: int, days: int, operator: bool = False, first: bool = False
) -> str:
    """The token of a new invitation, made ``now`` (unix seconds). Raises ValueError."""
    if not (1 <= uses <= USES_MAX and 1 <= days <= DAYS_MAX):
        raise ValueError(
            f"an invitation is for 1 to {USES_MAX} people, and lasts 1 to {DAYS_MAX} days"
        )
    expires = int(now) + days * _DAY
    invitation = Invitation(secrets.token_hex(ID_BYTES), expires, uses, operator, first)
    return write_token(key, invitation)


class Admission:
    """Decides who is let in; ``settings`` and ``web`` may change.

    ``key`` is the server's, ``is_public`` says whether it listens beyond this machine,
    ``web`` tells of the page in the browser, ``link`` writes a link with a token, and
    ``clock`` gives unix time in seconds.
    """

    def __init__(
        self,
        hub: Hub,
        key: bytes,
        settings: AccountSettings,
        *,
        is_public: bool,
        web: WebSettings,
        link: Callable[[str], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._hub, self._key, self._clock = hub, key, clock
        self.settings, self.is_public, self._link = settings, is_public, link
        self.web = web

    def uninvited(self) -> Refused | None:
        """Why somebody without an account may not come in without an invitation."""
        policy = self._in_force(self.settings.guests)
        if policy == "open":
            return None
        return ACCOUNT_REQUIRED if policy == "invited" or self.registers_newcomers else _NO_GUESTS

    @property
    def has_guests(self) -> bool:
        """Whether people without an account may do more than listen, and register."""
        return self._in_force(self.settings.guests) != "closed"

    @property
    def registers_newcomers(self) -> bool:
        """Whether those who have an invitation may register."""
        return self.unregistered(invited=True) is None

    def unregistered(self, *, invited: bool) -> Refused | None:
        """Why somebody who is here, perhaps by an invitation, may not register."""
        policy = self._in_force(self.settings.registration)
        if policy == "closed":
            return _NO_REGISTRATION
        return _UNINVITED if policy == "invited" and not invited else None

    def _in_force(self, policy: str) -> str:
        if policy != "auto":
            return policy
        return "invited" if self.is_public else "open"

    async def use(self, token: str, identity: str = "", account: str = "") -> Invitation | Refused:
        """Use an invitation, or say why it lets nobody in.

        It counts for those who have no account; one for operators also for those who have.
        """
        invitation = self._read(token)
        if isinstance(invitation, Refused):
            return invitation
        if account and (self._hub.chat.rules(account) or not invitation.operator):
            return invitation
        if refused := self._belated(invitation):
            return refused
        return await self._hub.ring.spend(_use(invitation, identity, account)) or invitation

    def check(self, token: str) -> Refused | Notice:
        """Say whether an invitation lets in somebody whom it has not let in yet."""
        invitation = self._read(token)
        if isinstance(invitation, Refused):
            return invitation
        spent = spend(self._hub.chat.realm, _use(invitation))
        refused = self._belated(invitation) or (spent if isinstance(spent, Refused) else None)
        return refused or Notice("That invitation is good.")

    def _read(self, token: str) -> Invitation | Refused:
        try:
            return read_token(self._key, token, self._clock())
        except NotValid as error:
            return Refused(str(error), Code.BAD_INVITATION)

    def _belated(self, invitation: Invitation) -> Refused | None:
        is_late = invitation.first and self._hub.chat.has_operator()
        return _NOT_FIRST if is_late else None

    def makes_operators(self, invitation: Invitation) -> bool:
        """Whether the account that the user of an invitation registers now is an operator's."""
        spent = self._hub.chat.realm.invitations.get(invitation.id)
        if spent is None or spent.revoked or not invitation.operator:
            return False
        return not self._belated(invitation)

    def question(self, settings: Settings) -> str:
        """The question for those who come without an account; empty if there is none."""
        chat = self._hub.chat
        if lock := chat.realm.lock:
            return f"{refuse_locked(chat, lock).why}\n{ASK_WHILE_LOCKED}"
        if (uninvited := self.uninvited()) is _NO_GUESTS:
            return ASK_TO_LOG_IN
        if self.has_guests and settings.server.password.get_secret_value():
            return ASK_TO_UNLOCK
        return ASK_FOR_INVITATION if uninvited else ""

    def answer(self, person: Person, command: MakeInvitation | ListInvitations) -> Refused | Notice:
        """Make an invitation, or list those that were used."""
        if not person.is_operator:
            return operators_only()
        if isinstance(command, ListInvitations):
            used = tuple(self._used())
            told = "\n".join(one.text for one in used) or "No invitation has been used."
            return UsedInvitations(told, invitations=used)
        now = self._clock()
        try:
            token = new_token(self._key, now, uses=command.uses, days=command.days)
        except ValueError as error:
            return Refused(f"{str(error).capitalize()}.")
        link = self._link(token)
        told = "\n".join(way_in(link, command.uses, command.days, self.web))
        return NewInvitation(told, link=link, uses=command.uses, days=command.days)

    def _used(self) -> list[UsedInvitation]:
        """The invitations that were used or revoked and have not expired."""
        now, realm = self._clock(), self._hub.chat.realm
        accounts = [one for one in realm.accounts.values() if not one.dropped]
        names = {account.identity: account.name for account in accounts}
        spent = realm.invitations.values()
        return [_described(one, names) for one in spent if now < one.expires / 1000]


def _use(invitation: Invitation, identity: str = "", account: str = "") -> InvitationUsed:
    expires = invitation.expires * 1000
    id, uses, operator = invitation.id, invitation.uses, invitation.operator
    return InvitationUsed(id, uses, expires, identity, account, operator)


def _described(spent: Spent, names: Mapping[str, str]) -> UsedInvitation:
    """An invitation, and the accounts of those who have used it, as far as they are known."""
    users = tuple(names[one] for one in spent.by if one in names)
    return UsedInvitation(
        _sentence(spent, users), spent.id, len(spent.by), spent.uses, users,
        spent.operator, spent.revoked, spent.expires,
    )  # fmt: skip


def _sentence(spent: Spent, users: Sequence[str]) -> str:
    if spent.revoked and not spent.by:
        return f"{spent.id}: revoked"
    day = time.strftime("%Y-%m-%d", time.gmtime(spent.expires / 1000))
    by = f", by {', '.join(users)}" if users else ""
    makes = ", makes operators" if spent.operator else ""
    revoked, until = ("revoked, ", "") if spent.revoked else ("", f", until {day}")
    return f"{spent.id}: {revoked}used {len(spent.by)} of {spent.uses} times{by}{until}{makes}"
