"""People who are here on several connections: which of them does what, and how they come and go."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from trio_chat.core.accounts import account_of
from trio_chat.core.chat import Chat
from trio_chat.core.events import Attached, Detached
from trio_chat.core.limits import kept_out
from trio_chat.core.room import Device, Person
from trio_chat.core.views import Refused
from trio_chat.server.audience import Subscriber
from trio_chat.server.ring import Ring

# The connections that one person may have.
_DEVICES_MAX = 20


class Devices:
    """Lets those who log in to an account that is here join it, on one more connection."""

    def __init__(self, chat: Chat, ring: Ring, subscribers: dict[str, Subscriber]) -> None:
        self._chat, self._ring, self._subscribers = chat, ring, subscribers
        self._coming: Counter[str] = Counter()  # by person, connections that are being attached

    def present(self, account: str) -> Person | None:
        """The person who is here under an account, if they can be joined."""
        person = self._chat.of_account(account)
        return person if person and self._connections(person) else None

    def elsewhere(self, subscriber: Subscriber, account: str) -> Person | None:
        """The person who is here under an account, if that is somebody else than a guest who logs
        in to it.
        """
        guest, person = self._chat.people.get(subscriber.user_id), self.present(account)
        return person if guest and person is not guest else None

    def refusal(self, person: Person, device: Device) -> Refused | None:
        """Why somebody who is here may not come on one more device; None if they may."""
        if refused := kept_out(self._chat, replace(person, devices=(device,))):
            return refused
        if len(person.devices) + self._coming[person.user_id] < _DEVICES_MAX:
            return None
        return Refused(f"You are here on {_DEVICES_MAX} devices, which is the limit.")

    async def attach(
        self, subscriber: Subscriber, person: Person, device: Device, rooms: Sequence[str]
    ) -> Attached:
        """Let a connection that is logged in, the ``device``, speak for somebody who is here.

        It does not, if they have gone meanwhile, or what it has shown opens their account no more.
        """
        attached = Attached(
            person.nick, person.user_id, subscriber.id, person.origin,
            secure=device.secure, key=subscriber.key, password_id=subscriber.password_id,
            address=device.address, one_room=device.one_room, modes=person.modes,
            rooms=tuple(rooms),
        )  # fmt: skip
        subscriber.user_id = person.user_id
        subscriber.claim = self._connections(person)[0].claim
        self._subscribers[subscriber.id] = subscriber
        with self._arriving(person.user_id):
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

    def _connections(self, person: Person) -> Sequence[Subscriber]:
        found = (self._subscribers.get(device.id) for device in person.devices)
        return [subscriber for subscriber in found if subscriber]

    def replace(self, subscriber: Subscriber, person: Person) -> None:
        """End a connection that has shown the same secret: it is the same device. Several programs
        may have one token.
        """
        account = account_of(self._chat, person)
        keys = account.keys if account else ()
        if not any(key.key == subscriber.key and not key.is_token for key in keys):
            return
        for other in self._connections(person):
            if other is not subscriber and person.device(other.id).key == subscriber.key:
                other.end("connected again", "You have connected again. Goodbye!")

    def has_left(self, person: Person) -> bool:
        """Whether somebody who has not departed has no connection any more."""
        is_here = self._chat.people.get(person.user_id) is person
        return is_here and not person.devices and person.user_id not in self._coming

    def stays(self, subscriber: Subscriber, person: Person) -> bool:
        """Whether somebody stays here when one of their connections goes."""
        others = any(device.id != subscriber.id for device in person.devices)
        return others or person.user_id in self._coming

    async def detach(self, subscriber: Subscriber, person: Person) -> None:
        """Let one connection of somebody go who stays."""
        detached = Detached(person.nick, person.user_id, subscriber.id, person.origin)
        await self._ring.happen(detached)
