"""Passwords and secrets that one peer shows: the server's, an operator's, those of accounts."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import trio

from trio_chat.core.accounts import account_of, by_token, came_by_token
from trio_chat.core.commands import Confidential, Enter, Operate, Prove, Register
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import AccountMade
from trio_chat.core.letters import cut
from trio_chat.core.limits import kept_out
from trio_chat.core.room import Person
from trio_chat.core.views import Challenge, NewKey, Notice, Offer, Refused
from trio_chat.protocols.invitation import Invitation, is_damaged, is_token
from trio_chat.server.accounts import IN_CLEAR, Exchange
from trio_chat.server.audience import Subscriber
from trio_chat.server.guesses import NONE_GIVEN, WRONG
from trio_chat.server.passwords import is_password, stand_in
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Source

logger = logging.getLogger(__name__)

_NOT_IN_CLEAR = (
    "To make your nickname yours, connect with TLS: others could read your password here."
)
_NOT_NEEDED = Notice("You have an account, and need no invitation.")
_RULES_ELSEWHERE = (
    "Your account is one of an operator of this server now. You act as one where you log in with "
    "the password; here you have come by a token."
)

# After so many wrong operator passwords the connection is closed.
_WRONG_PASSWORDS = 3


class Credentials:
    """What one peer shows to be let in, to rule, or to be somebody.

    ``is_private`` says that nobody on the way can read it, ``is_here`` that the peer is on this
    machine. It is charged to the ``source``.
    """

    __slots__ = (
        "_as_operator", "_exchange", "_has_told", "_invitation", "_invited", "_is_here",
        "_is_private", "_is_spent", "_note", "_shared", "_source", "_subscriber", "_token",
        "_welcome", "_wrong_passwords",
    )  # fmt: skip

    def __init__(
        self,
        shared: Shared,
        subscriber: Subscriber,
        source: Source,
        *,
        is_private: bool,
        is_here: bool,
    ) -> None:
        self._shared, self._subscriber, self._source = shared, subscriber, source
        self._is_private, self._is_here = is_private, is_here
        self._wrong_passwords = 0
        self._welcome: str | None = None  # the account, or as a guest (empty), that is let in
        self._invited = self._has_told = False
        self._is_spent = False  # whether an account was registered by the invitation
        self._note = ""  # what they are to be told once they look
        self._token = self._invitation = ""  # the last invitation that it has used, and its id
        self._as_operator: Invitation | None = None  # for operators, which it has used
        self._exchange: Exchange | None = None  # a login by SCRAM that is under way

    @property
    def are_too_many(self) -> bool:
        """Whether so many passwords of operators were wrong that the connection must end."""
        return self._wrong_passwords >= _WRONG_PASSWORDS

    async def may_enter(self, enter: Enter) -> Refused | None:
        """Why somebody may not come in; None if they may, also if it is to be tried again under
        another nickname.
        """
        known = self._known(enter)
        if known.origin.account == self._welcome:
            return None
        if enter.account:
            refused = await self._open(enter.account, enter.password)
        elif ":" in enter.password and not known.origin.account:
            refused = await self._open_or_enter(enter, known)
        else:
            refused = await self._turned_away(enter.password, known)
        self._welcome = None if refused else self._known(enter).origin.account
        return refused

    def _known(self, enter: Enter) -> Person:
        return self._shared.hub.identities.newcomer(self._subscriber, secret=enter.secret)

    async def _open(
        self, name: str, password: str, opens_more: Callable[[], bool] = bool
    ) -> Refused | None:
        """Why somebody may not come in as the owner of an account; None if they may, also because
        the password ``opens_more``.
        """
        if not self._is_private:
            return IN_CLEAR
        outcomes = await self._shared.accounts.log_in(
            self._subscriber, self._source, name, password, opens_more
        )
        self._note = next((one.text for one in outcomes if isinstance(one, Notice)), "")
        return next((outcome for outcome in outcomes if isinstance(outcome, Refused)), None)

    async def _open_or_enter(self, enter: Enter, known: Person) -> Refused | None:
        """Why ``name:password`` lets nobody in, be it an account's or the server's password.

        Whether there is an account of that name makes no difference to the answer or the charge.
        """
        name, _, password = enter.password.partition(":")
        hashed = self._shared.settings.server.password.get_secret_value()
        if not (hashed and self._shared.admission.has_guests):
            return await self._open(name, password)
        if not self._is_private:
            return await self._turned_away(enter.password, known)
        banned = kept_out(self._shared.hub.chat, known)
        opens_more = bool if banned else partial(is_password, enter.password, hashed)
        if refused := await self._open(name, password, opens_more):
            return banned or refused
        self._invited = not self._known(enter).origin.account
        return None

    async def _turned_away(self, given: str, person: Person) -> Refused | None:
        if refused := kept_out(self._shared.hub.chat, person):  # before an invitation is used up
            return refused
        admission, account = self._shared.admission, person.origin.account
        hashed = self._shared.settings.server.password.get_secret_value()
        uninvited = admission.uninvited()
        is_of_use = account or admission.has_guests or admission.registers_newcomers
        is_meant = is_token(given) or (uninvited and not hashed and is_damaged(given))
        bad = await self._use(given, person) if is_of_use and is_meant else None
        if account or self._invited:
            return None
        if hashed and admission.has_guests:
            if not given:
                return NONE_GIVEN
            refused = await self._check(given, hashed)  # which may look like a token, too
            self._invited = not refused
            return refused and (bad or refused)
        self._note = bad.why if bad else ""
        return uninvited and (bad or uninvited)

    def outstayed(self) -> Refused | None:
        """Why somebody who has left their account may not stay as a guest; None if they may.

        They would not be let in as one now, and have not come by an invitation or a password.
        """
        person = self._shared.hub.chat.people.get(self._subscriber.user_id)
        if person is None or person.origin.account or self._invited:
            return None
        admission, password = self._shared.admission, self._shared.settings.server.password
        needs_password = password.get_secret_value() and admission.has_guests
        return NONE_GIVEN if needs_password else admission.uninvited()

    async def be_invited(self, token: str) -> Refused | Offer | Notice | None:
        """Use an invitation of somebody who is here; None if it has made them an operator of the
        server, which they are still to be told.
        """
        chat = self._shared.hub.chat
        person = chat.people[self._subscriber.user_id]
        ruled = chat.rules(person.origin.account)
        refused = await self._use(token, person)
        if refused or ruled or not chat.rules(person.origin.account):
            return refused or self._offer() or _NOT_NEEDED
        account = account_of(chat, person)
        is_token = account and came_by_token(account, person.device(self._subscriber.id))
        return Notice(_RULES_ELSEWHERE) if is_token else None

    async def _use(self, token: str, person: Person) -> Refused | None:
        account = person.origin.account
        # Or one guest could use it up for all others.
        if token == self._token and not (account or self._is_spent):
            return None
        used = await self._shared.admission.use(token, person.known_as, account)
        if isinstance(used, Refused):
            return used
        if account:  # it was not counted as a guest's
            return None
        self._invited, self._token, self._is_spent = True, token, False
        self._invitation = used.id
        if used.operator:
            self._as_operator = used
        return None

    def tell_in(self, room: str) -> Offer | Notice | None:
        """What has become of what somebody has shown to come in, told once: in the first room that
        they enter, where they look. Those whom an invitation has let in are offered to register;
        those who needed none are told if it is not good.
        """
        if self._has_told:
            return None
        self._has_told = True
        if self._note:
            return Notice(self._note, room)
        return replace(offer, room=room) if (offer := self._offer()) else None

    def _offer(self) -> Offer | Notice | None:
        person = self._shared.hub.chat.people.get(self._subscriber.user_id)
        if not self._invited or person is None or person.origin.account:
            return None
        if self._shared.admission.unregistered(invited=not self._is_spent):
            return None
        return Offer(self._makes_operators()) if self._is_private else Notice(_NOT_IN_CLEAR)

    async def may_operate(self, operate: Operate) -> Refused | None:
        """Why somebody may not be an operator of the server; None if they may."""
        chat = self._shared.hub.chat
        person = chat.people[self._subscriber.user_id]
        account = account_of(chat, person)
        if account and (refused := by_token(account, person.device(self._subscriber.id))):
            return refused
        hashes = self._shared.settings.irc.hashes()
        hashed = hashes.get(operate.name) or stand_in(hashes.values())
        refused = await self._check(operate.password, hashed)
        if operate.name in hashes and not refused:
            logger.warning(
                "became an operator as %s",
                operate.name,
                extra={"event": "operator", "audit": True, "by": operate.name},
            )
            return None
        if self._source.may_report(trio.current_time()):
            logger.warning(
                "failed to become an operator as %r",
                cut(operate.name, 50),
                extra={"event": "operator-failed", "audit": True},
            )
        self._wrong_passwords += 1
        return refused or WRONG

    async def prove(self, prove: Prove) -> Outcomes | Challenge:
        """Go on with a login by SCRAM, or begin one."""
        if prove.first:
            begun = await self._shared.accounts.challenge(prove.message)
            self._exchange = begun if isinstance(begun, Exchange) else None
            return begun.answer if isinstance(begun, Exchange) else [begun]
        if self._exchange is None:
            return [WRONG]
        exchange, accounts = self._exchange, self._shared.accounts
        answer = await accounts.prove(self._subscriber, self._source, exchange, prove.message)
        if not isinstance(answer, Challenge):
            self._exchange = None
        return answer

    async def confide(self, request: Confidential) -> Outcomes | NewKey:
        """Carry out something confidential, which nobody may have read on its way."""
        if not self._is_private:
            return [IN_CLEAR]
        if isinstance(request, Register) and not self._is_logged_in():
            invited = self._invited and not self._is_spent
            if refused := self._shared.admission.unregistered(invited=invited):
                return [refused]
            first = self._as_operator is not None and self._as_operator.first
            operator = self._makes_operators()
            used = "" if self._is_spent else self._invitation
            used = self._as_operator.id if self._as_operator and operator else used
            request = replace(
                request, invitation=used, operator=operator, first=first, here=self._is_here
            )
        answer = await self._shared.accounts.carry_out(self._subscriber, self._source, request)
        if not isinstance(answer, NewKey) and any(isinstance(one, AccountMade) for one in answer):
            self._as_operator = None  # it makes one account an operator's
            self._is_spent = bool(self._token)
        return answer

    def _is_logged_in(self) -> bool:
        person = self._shared.hub.chat.people.get(self._subscriber.user_id)
        return person is not None and bool(person.origin.account)

    def _makes_operators(self) -> bool:
        used = self._as_operator
        return used is not None and self._shared.admission.makes_operators(used)

    async def _check(self, text: str, hashed: str) -> Refused | None:
        return await self._source.guesses.check(text, hashed, self._shared.hashing)
