"""Passwords and secrets that one peer shows: the server's, an operator's, those of accounts."""

import logging

import trio

from trio_chat.core.commands import Confidential, Operate
from trio_chat.core.decide import Outcomes
from trio_chat.core.letters import cut
from trio_chat.core.views import NewKey, Refused
from trio_chat.server.accounts import IN_CLEAR
from trio_chat.server.audience import Subscriber
from trio_chat.server.guesses import NONE_GIVEN, WRONG
from trio_chat.server.passwords import stand_in
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Source

logger = logging.getLogger(__name__)

# After so many wrong operator passwords the connection is closed.
_WRONG_PASSWORDS = 3


class Credentials:
    """What one peer shows to be let in, to rule, or to be somebody.

    ``is_private`` says that nobody on the way can read it. It is charged to the ``source``.
    """

    def __init__(
        self, shared: Shared, subscriber: Subscriber, source: Source, *, is_private: bool
    ) -> None:
        self._shared, self._subscriber, self._source = shared, subscriber, source
        self._is_private = is_private
        self._wrong_passwords = 0

    @property
    def are_too_many(self) -> bool:
        """Whether so many passwords of operators were wrong that the connection must end."""
        return self._wrong_passwords >= _WRONG_PASSWORDS

    async def may_enter(self, password: str) -> Refused | None:
        """Why somebody may not come in with this password of the server; None if they may."""
        hashed = self._shared.settings.server.password.get_secret_value()
        if not hashed:
            return None
        return await self._check(password, hashed) if password else NONE_GIVEN

    async def may_operate(self, operate: Operate) -> Refused | None:
        """Why somebody may not be an operator of the server; None if they may."""
        hashes = self._shared.settings.irc.hashes()
        hashed = hashes.get(operate.name) or stand_in(hashes.values())
        refused = await self._check(operate.password, hashed)
        if operate.name in hashes and not refused:
            logger.warning("became an operator as %s", operate.name)
            return None
        if self._source.may_report(trio.current_time()):
            logger.warning("failed to become an operator as %r", cut(operate.name, 50))
        self._wrong_passwords += 1
        return refused or WRONG

    async def confide(self, request: Confidential) -> Outcomes | NewKey:
        """Carry out something confidential, which nobody may have read on its way."""
        if not self._is_private:
            return [IN_CLEAR]
        return await self._shared.accounts.carry_out(self._subscriber, self._source, request)

    async def _check(self, text: str, hashed: str) -> Refused | None:
        return await self._source.guesses.check(text, hashed, self._shared.hashing)
