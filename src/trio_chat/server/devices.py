"""People who are here on several connections, their devices."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import trio

from trio_chat.core.accounts import account_of, by_token, came_by_token, wrong_password
from trio_chat.core.chat import Chat
from trio_chat.core.devices import DEVICES_MAX, node_of, numbered
from trio_chat.core.events import Attached, DeviceEnded, Origin
from trio_chat.core.limits import kept_out
from trio_chat.core.names import fold
from trio_chat.core.refusals import Code
from trio_chat.core.room import Device, Person
from trio_chat.core.views import Notice, Refused
from trio_chat.server.audience import Audiences, Subscriber
from trio_chat.server.ring import Ring


class Devices:
    """Lets those who log in to an account that is here join it, on one more connection; and knows
    who stays when one of them goes.
    """

    def __init__(
        self,
        chat: Chat,
        ring: Ring,
        audiences: Audiences,
        subscribers: dict[str, Subscriber],
    ) -> None:
        self._chat, self._ring = chat, ring
        self._audiences, self._subscribers = audiences, subscribers
        self._coming: Counter[str] = Counter()  # by person, connections that are being attached
        # By account (folded): one at a time comes under it, or logs in to it.
        self._turns: dict[str, trio.StrictFIFOLock] = {}

    # ── they come ──────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def one_by_one(self, account: str) -> AsyncIterator[None]:
        """Let one at a time come under an account, or log in to it: the next one joins them."""
        turn = self._turns.setdefault(name := fold(account), trio.StrictFIFOLock())
        try:
            async with turn:
                yield
        finally:
            if not turn.locked():
                self._turns.pop(name, None)

    async def join(
        self,
        subscriber: Subscriber,
        person: Person,
        device: Device,
        origin: Origin,
        rooms: Sequence[str] = (),
    ) -> Attached | Refused | None:
        """Let somebody in who is here already, on one more ``device``, on which they were a guest
        in these rooms just before. If they were absent, others see them as this ``origin``. None if
        they have gone meanwhile.

        One that has shown the same secret is the same device, which has come again.
        """
        if refused := self.refusal(person, device):
            return refused
        if not person.is_absent:
            origin = person.origin
        attached = await self._attach(subscriber, person, device, origin, rooms)
        if person.is_on(subscriber.id):
            await self._replace(subscriber, person)
            return attached
        self.stop_showing(subscriber)
        subscriber.user_id, subscriber.nick = subscriber.id, ""
        if self._chat.people.get(person.user_id) is not person:
            return None
        return self.refusal(person, device) or wrong_password()

    def refusal(self, person: Person, device: Device) -> Refused | None:
        """Why somebody who is here may not come on one more device; None if they may."""
        if refused := kept_out(self._chat, replace(person, devices=(device,))):
            return refused
        if len(person.devices) + self._coming[person.user_id] < DEVICES_MAX:
            return None
        why = f"You are here on {DEVICES_MAX} devices, which is the limit."
        return Refused(why, Code.TOO_MANY_DEVICES)

    async def _attach(
        self,
        subscriber: Subscriber,
        person: Person,
        device: Device,
        origin: Origin,
        rooms: Sequence[str],
    ) -> Attached:
        """Let a connection that is logged in, the ``device``, speak for somebody who is here.

        It does not, if they have gone meanwhile, or what it has shown opens their account no more.
        """
        device = replace(device, key=subscriber.key, password_id=subscriber.password_id)
        account = account_of(self._chat, person)
        modes = person.modes
        if account and came_by_token(account, device):
            modes = modes.replace("o", "")
        attached = Attached(
            person.nick, person.user_id, subscriber.id,
            replace(origin, account=person.origin.account),
            secure=device.secure, key=subscriber.key, password_id=subscriber.password_id,
            address=device.address, client=device.client, one_room=device.one_room,
            modes=modes,
            rooms=tuple(rooms),
        )  # fmt: skip
        subscriber.user_id, subscriber.nick = person.user_id, person.nick
        self._subscribers[subscriber.id] = subscriber
        comes_back = (person.identity,) if person.is_absent else ()
        with self._arriving(person.user_id), self._ring.changing.under_way(*comes_back):
            await self._ring.happen(attached)
        return attached

    @contextmanager
    def _arriving(self, user_id: str) -> Iterator[None]:
        self._coming[user_id] += 1
        try:
            yield
        finally:
            self._coming[user_id] -= 1
            if not self._coming[user_id]:
                del self._coming[user_id]

    async def _replace(self, subscriber: Subscriber, person: Person) -> None:
        """End a connection that has shown the same secret: it is the same device. Several programs
        may have one token.
        """
        account = account_of(self._chat, person)
        keys = account.keys if account else ()
        if not any(key.key == subscriber.key and not key.is_token for key in keys):
            return
        for device in person.devices:
            if device.id != subscriber.id and device.key == subscriber.key:
                await self._ring.happen(DeviceEnded(person.user_id, device.id, again=True))

    # ── they go ────────────────────────────────────────────────────────────────────────────

    def stop_showing(self, subscriber: Subscriber) -> None:
        """Show a connection nothing any more."""
        self._audiences.moves(subscriber.id)
        self._subscribers.pop(subscriber.id, None)

    def shows_others(self, subscriber: Subscriber) -> bool:
        """Whether what is said in private to the owner of a connection is shown on another one."""
        person = self._chat.people.get(subscriber.user_id)
        others = [one.id for one in person.devices if one.id != subscriber.id] if person else ()
        here = node_of(subscriber.id)
        return any(node_of(id) != here or id in self._subscribers for id in others)

    def stays(self, subscriber: Subscriber, person: Person) -> bool:
        """Whether somebody stays here when one of their connections goes."""
        others = any(device.id != subscriber.id for device in person.devices)
        return others or person.user_id in self._coming

    async def end(self, subscriber: Subscriber, number: str) -> Refused | Notice:
        """End another connection of the same person, on whichever node."""
        person = self._chat.people[subscriber.user_id]
        account = account_of(self._chat, person)
        if account and (refused := by_token(account, person.device(subscriber.id))):
            return refused
        device = numbered(person, number)
        if device is None or device.id == subscriber.id:
            return Refused("You have no other connection with that number.")
        async with self._ring.request():
            await self._ring.happen(DeviceEnded(person.user_id, device.id))
        return Notice(f"Connection {number} has ended.")
