"""People who are here though none of their devices is connected, as their account is always on.

They have no connection, so this holds their nicknames. It brings them when the server starts, and
lets them go when their account is deleted, banned, or always on no more.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.commands import Join
from trio_chat.core.events import Arrived, Departed, Joined, Origin
from trio_chat.core.limits import keeps_out, kept_out
from trio_chat.core.names import fold
from trio_chat.core.realm import Account
from trio_chat.core.room import Person
from trio_chat.errors import Unavailable
from trio_chat.server.audience import Claim
from trio_chat.server.nicknames import Nicknames
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.ring import Ring
from trio_chat.storage.base import Log

logger = logging.getLogger(__name__)


# So many are brought at a time: they share the passes of trio's loop, and batches of the log.
_TOGETHER = 100


@dataclass(slots=True)
class _Holder:
    """What holds a nickname in place of a connection."""

    claim: Claim = field(default_factory=Claim)


class Absent:
    """The people who are absent, or have been, and their claims to nicknames.

    A claim is one object for all connections of somebody, so it is held until they depart.
    """

    def __init__(
        self, chat: Chat, log: Log, ring: Ring, logs: OpenLogs, nicknames: Nicknames
    ) -> None:
        self._chat, self._log, self._ring = chat, log, ring
        self._logs, self._nicknames = logs, nicknames
        self._claims: dict[str, Claim] = {}  # by id
        self._changed = trio.Event()  # set, and another one, when somebody may have to go

    def keep(self, person: Person, claim: Claim) -> None:
        """Hold the nickname of somebody who may be about to be absent."""
        self._claims[person.user_id] = claim

    def claim(self, person: Person) -> Claim:
        """The claim to a nickname of somebody who is absent."""
        return self._claims[person.user_id]

    def holds(self, person: Person) -> bool:
        """Whether somebody is absent, and can be joined."""
        return person.is_absent and person.user_id in self._claims

    def forget(self, person: Person) -> None:
        """Hold nothing for somebody who has gone."""
        self._claims.pop(person.user_id, None)

    # ── they come, when the server starts ──────────────────────────────────────────────────────

    async def bring(self) -> None:
        """Let all be here whose account is always on, in the rooms where they were."""
        realm = self._chat.realm
        accounts = [account for name in realm.always_on if (account := realm.account(name))]
        for begin in range(0, len(accounts), _TOGETHER):
            async with trio.open_nursery() as nursery:
                for number, account in enumerate(accounts[begin : begin + _TOGETHER], begin):
                    nursery.start_soon(self._bring, account, f"{self._log.node}-absent{number}")
        if self._claims:
            logger.info(
                "%d people are here whose account is always on",
                len(self._claims),
                extra={"event": "always-on", "number": len(self._claims)},
            )

    async def _bring(self, account: Account, user_id: str) -> None:
        holder, nick = _Holder(), account.name
        origin = Origin("absent", "absent", nick, account.name)
        person = Person(user_id, nick, origin, account.identity)
        if kept_out(self._chat, person) or self._nicknames.claim(holder, nick, account.name):
            return
        holder.claim.nick = nick
        self._claims[user_id] = holder.claim
        await self._ring.happen(Arrived(nick, user_id, origin, account.identity, absent=True))
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

    def look(self) -> None:
        """Let the task look that sees to who has to go."""
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def see_off(self) -> None:
        """Let those be gone who may be absent no more, until cancelled."""
        while True:
            changed = self._changed
            for user_id in [*self._claims]:
                person = self._chat.people.get(user_id)
                if person and person.is_absent and self._must_go(person):
                    await self._depart(person)
            await changed.wait()

    def _must_go(self, person: Person) -> bool:
        return keeps_out(person.limit) or not self._chat.is_always_on(person)

    async def _depart(self, person: Person) -> None:
        await self._ring.be_open()
        holder = _Holder(self._claims.pop(person.user_id))
        with self._ring.request(), suppress(trio.BrokenResourceError):
            rooms = tuple(person.rooms)
            departed = Departed(
                person.nick, person.user_id, "not here any more", person.origin, rooms
            )
            await self._ring.happen(departed)
            self._nicknames.keep_only(holder, "")
            await self._logs.close_unheard(person.identity)
