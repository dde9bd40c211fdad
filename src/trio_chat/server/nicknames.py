"""The nicknames that are taken or reserved, and all that look like them.

The chat knows who has which. Here is what people on this node are asking for: from the judgement on
until the event that gives it to them has been shown, so that no other on this node asks for it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from trio_chat.core.chat import Chat
from trio_chat.core.lookalikes import RESERVED, all_looks, looks, without_accents
from trio_chat.core.names import alternate_nick, fold, nick_problem
from trio_chat.core.nicknames import holder
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.server.progress import Progress


class Nicknames:
    """Judges who may have a nickname, by its looks (``core.lookalikes``).

    ``reserved`` are those that nobody gets on this server, besides those that nobody gets anywhere.
    People are told by their ids.
    """

    def __init__(self, reserved: Sequence[str], chat: Chat, progress: Progress) -> None:
        self._chat, self._progress = chat, progress
        self._reserved = all_looks((*RESERVED, *reserved))
        self._asked: dict[str, str] = {}  # who asks for a nickname, by its looks

    def refusal(self, nick: str, user_id: str, account: str = "") -> Refused | None:
        """Why somebody who is logged in to this account, if to any, may not have a nickname: it is
        taken, somebody else's, or impossible.
        """
        if problem := nick_problem(nick):
            return Refused(problem, Code.BAD_NICK, (nick,))
        if refused := self._not_yours(nick, account):
            return refused
        if self._is_taken(nick, user_id):
            return Refused(f"The nickname {nick} is taken.", Code.NICK_TAKEN, (nick,))
        return None

    def near(self, wanted: str) -> str:
        """A free nickname like the ``wanted`` one."""
        return alternate_nick(wanted, lambda nick: self._is_taken(nick) or self.is_owned(nick))

    @contextmanager
    def asked(self, nick: str, user_id: str) -> Iterator[None]:
        """Let nobody else ask for a nickname as long as the context lasts."""
        fresh = [look for look in looks(nick) if look not in self._asked]
        self._asked |= dict.fromkeys(fresh, user_id)
        try:
            yield
        finally:
            for look in fresh:
                del self._asked[look]

    def is_asking(self, user_id: str) -> bool:
        """Whether somebody is asking for another nickname just now."""
        return user_id in self._asked.values()

    async def until_free(self, nick: str, user_id: str) -> None:
        """Wait until nobody else has a nickname that looks like this one."""
        while holder(self._chat, nick, user_id):
            await self._progress.until_more()

    def is_owned(self, nick: str, account: str = "") -> bool:
        """Whether a nickname is, or was, somebody's account, and not this one."""
        return bool(self._owners(nick, account))

    def _owners(self, nick: str, account: str) -> Collection[str]:
        return {*self._chat.realm.owners(nick)} - {fold(account)}

    def _not_yours(self, nick: str, account: str) -> Refused | None:
        """Why a nickname is not for somebody who is logged in to this account, if to any."""
        others = self._owners(nick, account)
        if not others:
            return None
        if any(self._chat.realm.account(name) for name in others):
            return Refused(f"{nick} is somebody's account.", Code.NICK_OWNED, (nick,))
        why = f"{nick} is, or looks like, the name of a deleted account; nobody else can have it."
        return Refused(why, Code.NICK_TAKEN, (nick,))

    def _is_taken(self, nick: str, user_id: str = "") -> bool:
        wanted = looks(nick)
        others = (self._asked.get(look, user_id) != user_id for look in wanted)
        is_reserved = not self._reserved.isdisjoint(without_accents(wanted))
        return is_reserved or holder(self._chat, nick, user_id) is not None or any(others)
