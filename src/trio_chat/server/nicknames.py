"""The nicknames that are taken or reserved, and all that look like them.

A nickname is claimed before the event that gives it is appended, and given back once the event that
takes it away has been shown; so it is never free while anybody still sees it in use.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

import trio

from trio_chat.core.lookalikes import RESERVED, all_looks, looks, without_accents
from trio_chat.core.names import alternate_nick, fold, nick_problem
from trio_chat.core.realm import Realm
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.server.audience import Claim


class Holder(Protocol):
    """What holds nicknames: a connection, or what stands in for it."""

    claim: Claim


class Nicknames:
    """The claims on nicknames, by their looks (``core.lookalikes``).

    What a subscriber holds is in its ``Claim``: all looks of its nickname, and of another
    one while it is being renamed. ``reserved`` are nicknames that nobody gets on this server,
    besides those that nobody gets anywhere. In the ``realm`` are those that are somebody's account.
    """

    def __init__(self, reserved: Sequence[str], realm: Realm) -> None:
        self._realm = realm
        self._looks: set[str] = set()
        self._reserved = all_looks((*RESERVED, *reserved))
        self._given_back = trio.Event()

    def claim(self, holder: Holder, nick: str, account: str = "") -> Refused | None:
        """Claim one more nickname for a holder who is logged in to this account, if to any.

        Refused if it is taken, somebody else's, or impossible.
        """
        if problem := nick_problem(nick):
            return Refused(problem, Code.BAD_NICK, (nick,))
        if refused := self._not_yours(nick, account):
            return refused
        wanted = looks(nick) - {*holder.claim.looks}
        if self._is_taken(wanted):
            return Refused(f"The nickname {nick} is taken.", Code.NICK_TAKEN, (nick,))
        self._looks |= wanted
        holder.claim.looks += tuple(wanted)
        return None

    def claim_near(self, holder: Holder, wanted: str) -> str:
        """Claim a free nickname like the ``wanted`` one, and return it."""
        nick = alternate_nick(
            wanted, lambda nick: self._is_taken(looks(nick)) or self.is_owned(nick)
        )
        self.claim(holder, nick)
        return nick

    def keep_only(self, holder: Holder, nick: str) -> None:
        """Give back all that it holds but this nickname; everything if it is empty."""
        claim = holder.claim
        given_back = {*claim.looks} - (looks(nick) if nick else set())
        claim.looks = tuple(look for look in claim.looks if look not in given_back)
        self._looks -= given_back
        freed, self._given_back = self._given_back, trio.Event()
        freed.set()

    async def until_free(self, nick: str) -> None:
        """Wait until nobody holds anything that looks like this nickname."""
        while not looks(nick).isdisjoint(self._looks):
            await self._given_back.wait()

    def is_owned(self, nick: str, account: str = "") -> bool:
        """Whether a nickname is, or was, somebody's account, and not this one."""
        return bool({*self._realm.owners(nick)} - {fold(account)})

    def _not_yours(self, nick: str, account: str) -> Refused | None:
        """Why a nickname is not for somebody who is logged in to this account, if to any."""
        others = {*self._realm.owners(nick)} - {fold(account)}
        if not others:
            return None
        if any(self._realm.account(name) for name in others):
            return Refused(f"{nick} is somebody's account.", Code.NICK_OWNED, (nick,))
        why = f"{nick} is, or looks like, the name of a deleted account; nobody else can have it."
        return Refused(why, Code.NICK_TAKEN, (nick,))

    def _is_taken(self, wanted: Collection[str]) -> bool:
        is_reserved = not self._reserved.isdisjoint(without_accents(wanted))
        return is_reserved or not self._looks.isdisjoint(wanted)
