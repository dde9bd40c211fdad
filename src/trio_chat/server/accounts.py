"""What people ask with a password or a secret in it: the slow part, and what must not be told.

Passwords are hashed in two threads, as ``guesses`` has it: one from each source at a time, and a
few sources wait. What is wrong is charged to where it comes from, never to the account: so nobody
locks out another. No password leaves this module but as a verifier, and no log line has one.
"""

import logging
import math
import secrets
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from functools import partial

import trio

from trio_chat.core.commands import (
    Confidential,
    LogIn,
    MakeKey,
    Register,
    ResetAccount,
    SetPassword,
)
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import AccountReset, AccountSet, KeyMade
from trio_chat.core.names import fold
from trio_chat.core.realm import Account
from trio_chat.core.refusals import Code
from trio_chat.core.views import Challenge, NewKey, Notice, Refused
from trio_chat.errors import Unavailable
from trio_chat.protocols.scram import ScramError, ScramServer, prepare
from trio_chat.server.audience import Subscriber
from trio_chat.server.guesses import WRONG
from trio_chat.server.hub import Hub
from trio_chat.server.passwords import (
    identity,
    new_verifier,
    nobodys_verifier,
    opens,
    read_verifier,
)
from trio_chat.server.sources import Source
from trio_chat.settings import AccountSettings
from trio_chat.storage.base import Log

logger = logging.getLogger(__name__)

# Threads that hash passwords of accounts, and sources that may wait for one: as many as have their
# turns before clients give up, most of them after 15 seconds, even where a hash takes one.
_AT_ONCE, _WAITING = 2, 32

_LONGEST = 600  # characters of a password: what fits a line of IRC in base64

_SECRET = 16  # bytes of a key's secret

IN_CLEAR = Refused(
    "Without TLS, others could read your password on its way here. Connect with TLS first.",
    Code.OTHER,
)


# What those are told whom an operator has let in.
_SET_ANOTHER = Notice("You are in by a secret that works only once. Set a new password now.")

# A login that does not go as SCRAM has it.
_BROKEN = Refused("Your client made a mistake in SCRAM-SHA-256.", Code.WRONG_PASSWORD)


class _Opened(Enum):
    """What a guess has opened: the account that it was for, or something else."""

    ACCOUNT = auto()
    MORE = auto()


class Exchange:
    """A login by SCRAM that is under way: the ``log_in`` that it leads to, the next ``answer``."""

    def __init__(self, server: ScramServer, answer: Challenge, log_in: LogIn) -> None:
        self._server, self.answer, self.log_in = server, answer, log_in
        self.is_proven = False

    def check(self, message: bytes) -> bool:
        """Whether this message proves that the client knows the password."""
        try:
            self.answer = Challenge(self._server.check(message))
        except ScramError:
            return False
        self.is_proven = True
        return True


class Accounts:
    """Carries out what is confidential, for all connections; ``settings`` may change.

    ``key`` is a secret of the server's own.
    """

    def __init__(self, hub: Hub, log: Log, settings: AccountSettings, key: bytes) -> None:
        self._hub, self._log, self.settings, self._key = hub, log, settings, key
        self._hashing = trio.CapacityLimiter(_AT_ONCE)

    @property
    def is_busy(self) -> bool:
        """Whether a password that comes now has to wait."""
        return not self._hashing.available_tokens

    async def carry_out(
        self, subscriber: Subscriber, source: Source, request: Confidential
    ) -> Outcomes | NewKey:
        """Carry it out as ``Hub.submit`` does; the answer to MakeKey is the new key."""
        match request:
            case Register(password, secret=secret):
                hashed = identity(secret) if secret else ""
                request = replace(request, secret=hashed)
                return await self._set(subscriber, source, request, password)
            case SetPassword(password):
                return await self._set(subscriber, source, request, password)
            case LogIn(name, password):
                return await self.log_in(subscriber, source, name, password)
            case MakeKey(shown=True):
                key = self._hub.chat.people[subscriber.user_id].device(subscriber.id).key
                return await self._hub.submit(subscriber, replace(request, key=key))
            case MakeKey(label):
                return await self._make_key(subscriber, label)
            case ResetAccount(name):
                return await self._reset(subscriber, name)

    async def _set(
        self,
        subscriber: Subscriber,
        source: Source,
        request: Register | SetPassword,
        password: str,
    ) -> Outcomes:
        """Hash a new password, unless the request would be refused whatever it is."""
        would_be = self._hub.would_be(subscriber, request)
        if any(isinstance(outcome, Refused) for outcome in would_be):
            return would_be
        if problem := self._problem(password):
            return [problem]
        make, charge = (
            partial(new_verifier, password, self.settings.iterations),
            partial(_charge, source),
        )
        made = await source.guesses.hash(make, self._hashing, charge, most=_WAITING)
        if isinstance(made, Refused):
            return [made]
        return await self._hub.submit(subscriber, request, made)

    def _problem(self, password: str) -> Refused | None:
        """Why nobody can have this password; None if they can."""
        least = self.settings.password_min
        if len(password) < least:
            why = f"A password has at least {least} characters."
            return Refused(why, Code.WEAK_PASSWORD)
        if len(password) > _LONGEST:
            why = f"A password has at most {_LONGEST} characters."
            return Refused(why, Code.BAD_PASSWORD)
        try:
            prepare(password)
        except ValueError:
            why = "A password has no characters that nobody can see."
            return Refused(why, Code.BAD_PASSWORD)
        return None

    async def log_in(
        self,
        subscriber: Subscriber,
        source: Source,
        name: str,
        password: str,
        opens_more: Callable[[], bool] = bool,
    ) -> Outcomes:
        """Log somebody in by a password, or by the secret of a key.

        If neither opens the account, but ``opens_more``, asked in the same guess, says that they
        are good for something else, there is no outcome.
        """
        realm, key = self._hub.chat.realm, identity(password)
        if (account := realm.meant(name)) and realm.who(key)[0] == account.name:
            return await self._be(subscriber, LogIn(account.name, key=key))
        try:
            if account and await self._hub.ring.use_reset(account.name, key, self._hub.now()):
                log_in = _by_password(realm.account(account.name), account.name)
                return [*await self._be(subscriber, log_in), _SET_ANOTHER]
        except Unavailable as error:
            return [Refused(str(error), Code.UNAVAILABLE)]
        log_in = _by_password(account, name)
        opened = await self._check(source, log_in.name, password, opens_more)
        if isinstance(opened, Refused):
            return [opened]
        return await self._be(subscriber, log_in) if opened is _Opened.ACCOUNT else ()

    async def _be(self, subscriber: Subscriber, log_in: LogIn) -> Outcomes:
        outcomes = await self._hub.submit(subscriber, log_in)
        if any(isinstance(outcome, AccountSet) for outcome in outcomes):
            name = log_in.name
            logger.info("logged in as %s", name, extra={"event": "logged-in", "account": name})
        return outcomes

    async def challenge(self, message: bytes) -> Exchange | Refused:
        """Answer the first message of a login by SCRAM."""
        server, realm = ScramServer(secrets.token_urlsafe(_SECRET)), self._hub.chat.realm
        try:
            name = server.receive_first(message)
            log_in = _by_password(realm.meant(name), name)
            verifier = read_verifier(await self._log.secret(fold(log_in.name)))
        except ScramError:
            return _BROKEN
        except Unavailable as error:
            return Refused(str(error), Code.UNAVAILABLE)
        nobodys = nobodys_verifier(self._key, fold(log_in.name), self.settings.iterations)
        return Exchange(server, Challenge(server.challenge(verifier or nobodys)), log_in)

    async def prove(
        self, subscriber: Subscriber, source: Source, exchange: Exchange, message: bytes
    ) -> Outcomes | Challenge:
        """Go on with a login by SCRAM, whose challenge has been answered."""
        if exchange.is_proven:
            return [_BROKEN] if message else await self._be(subscriber, exchange.log_in)
        if refused := await source.guesses.guess_quickly(lambda: exchange.check(message)):
            if refused is WRONG:
                self._report(source, exchange.log_in.name)
            return [refused]
        return exchange.answer

    async def _check(
        self, source: Source, name: str, password: str, opens_more: Callable[[], bool]
    ) -> _Opened | Refused:
        """Find out what a password opens, or say why nobody may log in with it."""
        try:
            verifier = await self._log.secret(fold(name))
        except Unavailable as error:
            return Refused(str(error), Code.UNAVAILABLE)
        iterations = self.settings.iterations

        def judge() -> _Opened | None:
            if opens(verifier, password, iterations):
                return _Opened.ACCOUNT
            return _Opened.MORE if opens_more() else None

        opened = await source.guesses.guess(judge, self._hashing, most=_WAITING)
        if opened is WRONG:
            self._report(source, name)
        elif isinstance(opened, Refused) and source.may_note("guesses", trio.current_time()):
            logger.warning(
                "no more passwords are looked at for now: %s",
                opened.why,
                extra={"event": "guesses-refused", "reason": opened.why},
            )
        return opened or WRONG

    def _report(self, source: Source, name: str) -> None:
        if not source.may_report(trio.current_time()):
            return
        if account := self._hub.chat.realm.account(name):
            logger.warning(
                "failed to log in as %s",
                account.name,
                extra={"event": "login-failed", "account": account.name},
            )
        else:  # then it may be the password, typed in the place of the name
            logger.warning(
                "failed to log in: no account has the name that was given",
                extra={"event": "login-failed"},
            )

    async def _reset(self, subscriber: Subscriber, name: str) -> Outcomes | NewKey:
        secret = secrets.token_hex(_SECRET)
        outcomes = await self._hub.submit(subscriber, ResetAccount(name, identity(secret)))
        for outcome in outcomes:
            if isinstance(outcome, AccountReset):
                return NewKey(outcome.name, secret, reset=True)
        return outcomes

    async def _make_key(self, subscriber: Subscriber, label: str) -> Outcomes | NewKey:
        secret = secrets.token_hex(_SECRET)  # irssi takes -… for an option
        request = MakeKey(label, identity(secret))
        outcomes = await self._hub.submit(subscriber, request)
        made = any(isinstance(outcome, KeyMade) for outcome in outcomes)
        return NewKey(label, secret) if made else outcomes


def _by_password(account: Account | None, name: str) -> LogIn:
    """The login to an account by its password of this moment.

    Make it before the verifier is read: so the login counts only if no other has come since.
    """
    return LogIn(account.name, password_id=account.password_id) if account else LogIn(name)


def _charge(source: Source) -> Refused | None:
    """Charge a new password to a source, or say why it cannot be."""
    budget = source.new_passwords
    if not (wait := budget.try_take(trio.current_time()) if budget else 0.0):
        return None
    minutes = math.ceil(wait / 60)
    why = f"Too many registrations from your address. Try again in {minutes} minutes."
    return Refused(why, Code.OTHER)
