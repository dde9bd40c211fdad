"""People who are here though none of their devices is connected, as their account is always on.

They have no connection, and belong to no node. A server brings them when it starts, unless they are
here already. One of all nodes lets them go when their account is deleted, banned, or always on no
more.
"""

import logging
from contextlib import suppress
from functools import partial

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.commands import Join
from trio_chat.core.events import REALM, Arrived, Departed, Detached, Entry, Joined, Origin
from trio_chat.core.limits import keeps_out, kept_out
from trio_chat.core.names import fold
from trio_chat.core.realm import Account
from trio_chat.core.room import Person
from trio_chat.errors import Fenced, Unavailable
from trio_chat.server.nicknames import Nicknames
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.ring import Ring
from trio_chat.storage.base import Log

logger = logging.getLogger(__name__)


# So many are brought at a time: they share the passes of trio's loop, and batches of the log.
_TOGETHER = 100


class Absent:
    """Brings the people who are absent, and sees them off.

    Of all nodes that are alive, the first one by name lets people go. If they disagree for a moment
    on who is alive, two may do it: then the second changes nothing.
    """

    def __init__(
        self, chat: Chat, log: Log, ring: Ring, logs: OpenLogs, nicknames: Nicknames
    ) -> None:
        self._chat, self._log, self._ring = chat, log, ring
        self._logs, self._nicknames = logs, nicknames
        self._changed = trio.Event()  # set, and another one, when somebody may have to go

    # ── they come, when the server starts ──────────────────────────────────────────────────────

    async def bring(self) -> None:
        """Let all be here whose account is always on, in the rooms where they were."""
        realm = self._chat.realm
        accounts = [account for name in realm.always_on if (account := realm.account(name))]
        for begin in range(0, len(accounts), _TOGETHER):
            async with trio.open_nursery() as nursery:
                for number, account in enumerate(accounts[begin : begin + _TOGETHER], begin):
                    nursery.start_soon(self._bring, account, f"{self._log.node}-absent{number}")
        if number := len(self._chat.absent):
            logger.info(
                "%d people are here whose account is always on",
                number,
                extra={"event": "always-on", "number": number},
            )

    async def _bring(self, account: Account, user_id: str) -> None:
        nick = account.name
        origin = Origin("absent", "absent", nick, account.name)
        person = Person(user_id, nick, origin, account.identity)
        is_here = self._chat.of_account(nick) is not None
        if is_here or kept_out(self._chat, person) or self._nicknames.refusal(nick, user_id, nick):
            return
        with self._nicknames.asked(nick, user_id):
            await self._ring.happen(Arrived(nick, user_id, origin, account.identity, absent=True))
        if user_id not in self._chat.people:  # another node has brought them, or they have come
            return
        with suppress(Unavailable):
            for room in await self._log.places(fold(account.name)):
                await self._enter(user_id, room)

    async def _enter(self, user_id: str, room: str) -> None:
        log = fold(room)
        if log not in self._chat.rooms and len(self._chat.rooms) >= self._logs.max_rooms:
            return
        async with self._logs.in_use(log, room):
            while True:
                found = self._chat.decide(user_id, Join(room, back=True))
                joined = next((one for one in found if isinstance(one, Joined)), None)
                if joined is None or await self._ring.has_happened(joined):
                    return

    # ── they go ────────────────────────────────────────────────────────────────────────────────

    def concerns(self, entry: Entry) -> bool:
        """Whether somebody may have to go by an entry that has been applied."""
        event = entry.event
        return entry.room == REALM or (
            isinstance(event, Detached) and event.user_id in self._chat.absent
        )

    def look(self) -> None:
        """Let the task look that sees to who has to go."""
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def see_off(self) -> None:
        """Let those be gone who may be absent no more, until cancelled."""
        while True:
            changed = self._changed
            for person in [*self._chat.absent.values()]:
                if self._must_go(person):
                    await self._depart(person)
            await changed.wait()

    def _must_go(self, person: Person) -> bool:
        if person.user_id not in self._chat.absent:  # they have come, or gone, meanwhile
            return False
        nodes = self._log.membership.alive if self._log.membership else ()
        if self._log.node != min(nodes, default=self._log.node):
            return False
        return keeps_out(person.limit) or not self._chat.is_always_on(person)

    async def _depart(self, person: Person) -> None:
        async with self._ring.request():
            rooms = tuple(person.rooms)
            departed = Departed(
                person.nick, person.user_id, "not here any more", person.origin, rooms
            )
            with suppress(trio.BrokenResourceError, Fenced):
                await self._ring.insist(partial(self._ring.happen, departed))
                await self._logs.close_empty()
