"""How people come: under which nickname, and who joins an account that is here already."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from trio_chat.core.accounts import wrong_password
from trio_chat.core.chat import Chat
from trio_chat.core.commands import Enter
from trio_chat.core.events import Arrived, Attached
from trio_chat.core.limits import kept_out
from trio_chat.core.names import composed
from trio_chat.core.room import Device, Person
from trio_chat.core.views import AnotherNick, Refused
from trio_chat.server.audience import Subscriber
from trio_chat.server.devices import Devices
from trio_chat.server.identities import Identities
from trio_chat.server.nicknames import Nicknames
from trio_chat.server.ring import Ring


class Arrivals:
    """Lets people in."""

    def __init__(
        self,
        chat: Chat,
        ring: Ring,
        nicknames: Nicknames,
        identities: Identities,
        devices: Devices,
        subscribers: dict[str, Subscriber],
    ) -> None:
        self._chat, self._ring, self._nicknames = chat, ring, nicknames
        self._identities, self._devices, self._subscribers = identities, devices, subscribers

    async def admit(
        self, subscriber: Subscriber, enter: Enter
    ) -> Sequence[Arrived | Attached | Refused | AnotherNick]:
        """Let somebody in under the nickname they want, or if ``enter.near`` one like it.

        Whoever is logged in to an account that is here joins it. A known guest who comes again
        takes their nickname over: the connection that holds it is ended.
        """
        async with self._ring.request():
            subscriber.key = subscriber.key or enter.secret
            if not (account := self._account(subscriber, enter)):
                return await self._admit(subscriber, enter)
            async with self._devices.one_by_one(account):
                return await self._admit(subscriber, enter)

    async def _admit(
        self, subscriber: Subscriber, enter: Enter
    ) -> Sequence[Arrived | Attached | Refused | AnotherNick]:
        while True:  # somebody may get the nickname, or come, before them on another node
            if present := self._chat.of_account(self._account(subscriber, enter)):
                if joined := await self._join(subscriber, enter, present):
                    return [joined]
            elif arrived := await self._arrive(subscriber, enter):
                return arrived

    def _account(self, subscriber: Subscriber, enter: Enter) -> str:
        """The account under which somebody comes; empty for a guest."""
        return self._newcomer(subscriber, enter).origin.account

    def _newcomer(self, subscriber: Subscriber, enter: Enter) -> Person:
        return self._identities.newcomer(subscriber, secret=enter.secret)

    async def _join(
        self, subscriber: Subscriber, enter: Enter, present: Person
    ) -> Attached | Refused | None:
        """Let somebody join themselves; None if they have gone meanwhile."""
        device = Device(
            subscriber.id, enter.secure, subscriber.address, enter.client, one_room=enter.one_room
        )
        return await self._devices.join(subscriber, present, device, enter.origin)

    async def _arrive(
        self, subscriber: Subscriber, enter: Enter
    ) -> Sequence[Arrived | Refused | AnotherNick]:
        """Let somebody come who is not here; empty if somebody else was there before them."""
        nick, told = composed(enter.nick), list[AnotherNick]()
        newcomer = self._newcomer(subscriber, enter)
        account, identity = newcomer.origin.account, newcomer.known_as
        with ExitStack() as asked:
            asked.enter_context(self._nicknames.asked(nick, subscriber.id))
            refused = await self._identities.refusal(subscriber, nick, account, identity)
            if refused and not enter.near:
                return [refused]
            if refused:
                nick = self._nicknames.near(nick)
                asked.enter_context(self._nicknames.asked(nick, subscriber.id))
                told.append(AnotherNick(nick, refused))
            known = self._known(subscriber, enter, nick, account)
            if isinstance(known, Refused):
                return [known]
            arrived = await self._let_in(subscriber, enter, known)
        return [*told, arrived] if arrived else []

    def _known(
        self, subscriber: Subscriber, enter: Enter, nick: str, account: str
    ) -> Person | Refused:
        """Who comes under this nickname and account, if to any; or why they may not, by now."""
        newcomer = self._newcomer(subscriber, enter)
        if account and newcomer.origin.account != account:
            return wrong_password()
        origin = replace(enter.origin, account=newcomer.origin.account)
        newcomer = replace(newcomer, nick=nick, origin=origin)
        return kept_out(self._chat, newcomer) or newcomer

    async def _let_in(
        self, subscriber: Subscriber, enter: Enter, newcomer: Person
    ) -> Arrived | None:
        """Let somebody arrive; None if somebody else has the nickname, or the account, by now."""
        arrived = Arrived(
            newcomer.nick, subscriber.user_id, newcomer.origin, newcomer.known_as,
            secure=enter.secure, key=subscriber.key, password_id=subscriber.password_id,
            address=subscriber.address, client=enter.client, one_room=enter.one_room,
        )  # fmt: skip
        subscriber.nick = newcomer.nick
        self._subscribers[subscriber.id] = subscriber
        with self._ring.changing.under_way(newcomer.identity):
            await self._ring.happen(arrived)
        if subscriber.user_id in self._chat.people:
            return arrived
        self._devices.stop_showing(subscriber)
        subscriber.nick = ""
        return None
