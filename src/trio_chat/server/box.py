"""What was said in private to people who were not here, for when they come."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from trio_chat.core.accounts import account_of
from trio_chat.core.chat import Chat
from trio_chat.core.events import Entry
from trio_chat.core.names import fold
from trio_chat.core.views import Missed
from trio_chat.errors import Unavailable
from trio_chat.server.audience import Subscriber
from trio_chat.storage.base import Log


class Box:
    """Hands over to each account what waits for it, to one connection at a time."""

    def __init__(self, chat: Chat, log: Log) -> None:
        self._chat, self._log = chat, log
        self._handing_over: set[str] = set()  # identities whose owners are being sent it

    @asynccontextmanager
    async def missed(self, subscriber: Subscriber) -> AsyncIterator[Missed | None]:
        """Give what has waited for somebody who has come, if anything has. It waits no more once
        the context has been left in order: then they have been sent it.
        """
        person = self._chat.people.get(subscriber.user_id)
        account = account_of(self._chat, person) if person else None
        if person is None or account is None or account.identity in self._handing_over:
            yield None
            return
        name = fold(account.name)
        self._handing_over.add(account.identity)
        try:
            entries = await self._waiting(name)
            yield Missed(person.nick, tuple(entries)) if entries else None
            if entries:
                with suppress(Unavailable):
                    await self._log.handed_over(name, entries[-1].id)
        finally:
            self._handing_over.remove(account.identity)

    async def _waiting(self, account: str) -> Sequence[Entry]:
        try:
            return await self._log.waiting(account)
        except Unavailable:
            return ()
