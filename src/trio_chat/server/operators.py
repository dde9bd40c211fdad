"""How people become operators of the server: by their account, or by a password."""

import logging

from trio_chat.core.accounts import account_of, came_by_token
from trio_chat.core.chat import Chat
from trio_chat.core.events import Change, Event, OperatorMade, UserModesSet
from trio_chat.server.audience import Subscriber
from trio_chat.server.ring import Ring

logger = logging.getLogger(__name__)


class Operators:
    """Makes people operators of this server."""

    def __init__(self, chat: Chat, ring: Ring) -> None:
        self._chat, self._ring = chat, ring

    async def promote(self, subscriber: Subscriber) -> Event | None:
        """Make somebody an operator of this server if their account is one's, and more than a token
        has opened it: programs keep those, and others find them.
        """
        person = self._chat.people.get(subscriber.user_id)
        if person is None or person.is_operator or not self._chat.rules(person.origin.account):
            return None
        account = account_of(self._chat, person)
        if account is None or came_by_token(account, person.device(subscriber.id)):
            return None
        logger.warning(
            "became an operator by the account %s",
            account.name,
            extra={"event": "operator", "audit": True, "account": account.name},
        )
        return await self.make(subscriber)

    async def make(self, subscriber: Subscriber, name: str = "") -> Event:
        """Make somebody an operator of this server, who has shown that they are one: by the
        password ``name``, or else by an account.
        """
        async with self._ring.request():
            person = self._chat.people[subscriber.user_id]
            changes = (Change(True, "o"),)
            event = UserModesSet(person.nick, changes, person.user_id, person.origin)
            await self._ring.happen(event, by=subscriber.id)
            if name:
                made = OperatorMade(person.nick, name, person.user_id, person.origin)
                await self._ring.record(made)
            return event
