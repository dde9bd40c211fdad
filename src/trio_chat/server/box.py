"""What was said in private to accounts, until their owners are known to have got it.

It waits in the store from when it is said. A connection that was shown it says that its peer has
got all of it (``Box.got``); until then the next one that comes is shown it, too. So however a
connection ends, or the server itself, nothing is lost.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import trio

from trio_chat.core.accounts import account_of
from trio_chat.core.chat import Chat
from trio_chat.core.events import PEOPLE, Entry, Got, Said, waits_for
from trio_chat.core.names import fold
from trio_chat.core.room import Person
from trio_chat.core.views import Missed
from trio_chat.errors import Unavailable
from trio_chat.server.audience import Audiences, Subscriber
from trio_chat.storage.base import WAITING_MAX, Log

# What was got meanwhile goes from the store in one transaction. If the server is killed, that much
# is shown once more.
_PAUSE = 1.0  # seconds

# So much is known to be got while the store cannot be written; what is forgotten is shown again.
_GOT_MAX = 10 * WAITING_MAX


class Box:
    """Knows which connection was sent what, and takes it from the store once one has got it."""

    def __init__(self, chat: Chat, log: Log, audiences: Audiences) -> None:
        self._chat, self._log, self._audiences = chat, log, audiences
        self._got: dict[str, None] = {}  # ids of what is still in the store
        self._has_some = trio.Event()

    async def missed(self, subscriber: Subscriber) -> Missed | None:
        """What somebody who has come is to be shown, if anything: all that waits, but for what is
        said to this connection live, and what another one of theirs seems to have got. Once all of
        it has been posted, it has been ``sent``.
        """
        account = self._account(subscriber)
        got = {*self._got}  # they may go from the store while it is being read
        waiting = await self._waiting(account) if account else ()
        person = self._chat.people.get(subscriber.user_id)
        if not (person and person.is_on(subscriber.id) and self._account(subscriber) == account):
            return None
        got |= self._got.keys() | self._on_others(subscriber)
        missed = [
            entry
            for entry in waiting
            if entry.id not in got and not _is_live(entry, person, subscriber)
        ]
        return Missed(person.nick, tuple(missed)) if missed else None

    async def _waiting(self, account: str) -> Sequence[Entry]:
        """What waits for an account; nothing while the store cannot be read."""
        try:
            return await self._log.waiting(account)
        except Unavailable:
            return ()

    def _account(self, subscriber: Subscriber) -> str:
        """The account (folded) that a connection speaks for; empty without one."""
        person = self._chat.people.get(subscriber.user_id)
        account = account_of(self._chat, person) if person else None
        return fold(account.name) if account else ""

    def _on_others(self, subscriber: Subscriber) -> set[str]:
        """The ids of what has reached the systems of the same person's other connections."""
        others = self._audiences.of_person(subscriber.user_id)
        return {id for one in others if one is not subscriber and one.has_all() for id in one.sent}

    def shown(self, entries: Iterable[Entry]) -> None:
        """Note that these have been posted to all who are here of whom they are said to."""
        for entry in entries:
            if isinstance(entry.event, Said):
                person = self._chat.people.get(entry.event.to_id)
                for subscriber in self._audiences.of_person(entry.event.to_id):
                    if person and _is_live(entry, person, subscriber):
                        self.sent(subscriber, [entry])

    async def recalled(self, subscriber: Subscriber, entries: Sequence[Entry]) -> None:
        """Note that a connection has asked for these and that they have been posted to it."""
        account = self._account(subscriber)
        asked = [entry for entry in entries if account and waits_for(entry.event) == account]
        if not asked:
            return
        waiting = {entry.id for entry in await self._waiting(account)}
        self.sent(subscriber, [entry for entry in asked if entry.id in waiting])

    def sent(self, subscriber: Subscriber, entries: Sequence[Entry]) -> None:
        """Note that these have been posted to a connection."""
        subscriber.sent = subscriber.sent or deque(maxlen=WAITING_MAX)
        subscriber.sent.extend(entry.id for entry in entries)

    def got(self, subscriber: Subscriber) -> None:
        """Note that the peer has got all that a connection was sent."""
        self._got |= dict.fromkeys(subscriber.sent)
        subscriber.sent = ()
        while len(self._got) > _GOT_MAX:
            del self._got[next(iter(self._got))]
        self._has_some.set()

    async def tidy(self) -> None:
        """Take from the store now and then what was got, until cancelled."""
        while True:
            await self._has_some.wait()
            await trio.sleep(_PAUSE)
            self._has_some = trio.Event()
            await self.put_away()

    async def put_away(self) -> None:
        """Take from the store what was got."""
        if not (ids := [*self._got]):
            return
        try:
            await self._log.append(PEOPLE, [Got(tuple(ids))])
        except Unavailable:
            self._has_some.set()  # to try it again
            return
        for id in ids:
            self._got.pop(id, None)


def _is_live(entry: Entry, person: Person, subscriber: Subscriber) -> bool:
    """Whether a message that waits was, or will be, shown to a connection as it was said."""
    to_id = getattr(entry.event, "to_id", "")
    return to_id == person.user_id and entry.id > person.device(subscriber.id).by
