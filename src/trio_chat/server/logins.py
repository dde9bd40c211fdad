"""How people log in and out while they are here, and on which of their connections."""

from trio_chat.core.accounts import wrong_password
from trio_chat.core.chat import Chat
from trio_chat.core.commands import DropKey, LogIn, LogOut
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import KeyDropped
from trio_chat.core.room import Person
from trio_chat.core.views import Refused
from trio_chat.core.words import parting
from trio_chat.server.audience import Subscriber
from trio_chat.server.consequences import Consequences
from trio_chat.server.counts import Ending
from trio_chat.server.departures import Departures
from trio_chat.server.devices import Devices
from trio_chat.server.identities import Identities


class Logins:
    """Logs people in and out. A guest who logs in to an account that is here joins it; whoever
    logs out on one of several devices goes on being who they are on the others.
    """

    def __init__(
        self,
        chat: Chat,
        identities: Identities,
        devices: Devices,
        departures: Departures,
        consequences: Consequences,
    ) -> None:
        self._chat, self._identities, self._devices = chat, identities, devices
        self._departures, self._consequences = departures, consequences

    async def log_in(self, subscriber: Subscriber, log_in: LogIn, verifier: str) -> Outcomes:
        """Log somebody in, whether they have been let in or not."""
        async with self._devices.one_by_one(log_in.name):
            if present := self._elsewhere(subscriber, log_in.name):
                return await self._go_over(subscriber, log_in, present)
            if subscriber.user_id not in self._chat.people:
                return self._identities.log_in(subscriber, log_in)
            outcomes = await self._identities.change(subscriber, log_in, verifier)
            is_refused = any(isinstance(outcome, Refused) for outcome in outcomes)
            if is_refused and (present := self._elsewhere(subscriber, log_in.name)):
                return await self._go_over(subscriber, log_in, present)  # they were faster
            return outcomes

    def _elsewhere(self, subscriber: Subscriber, account: str) -> Person | None:
        """The person who is here under an account, if that is somebody else than a guest who logs
        in to it.
        """
        guest, person = self._chat.people.get(subscriber.user_id), self._chat.of_account(account)
        return person if guest and person is not guest else None

    async def _go_over(self, subscriber: Subscriber, log_in: LogIn, present: Person) -> Outcomes:
        """Let a guest who logs in to an account that is here join it."""
        outcomes = self._chat.decide(subscriber.user_id, log_in)
        if any(isinstance(outcome, Refused) for outcome in outcomes):
            return outcomes
        guest = self._chat.people[subscriber.user_id]
        device, rooms = guest.device(subscriber.id), [*map(self._chat.name, guest.rooms)]
        if refused := self._devices.refusal(present, device):
            return [refused]
        await self._departures.let_go(subscriber, guest, f"logged in as {present.origin.account}")
        subscriber.key, subscriber.password_id = log_in.key or subscriber.key, log_in.password_id
        joined = await self._devices.join(subscriber, present, device, guest.origin, rooms)
        joined = joined or wrong_password()
        if isinstance(joined, Refused):
            words = parting(joined.why)
            subscriber.end(Ending.REFUSED, "could not join the account", words, joined)
            return ()
        return [joined]

    async def log_out(self, subscriber: Subscriber, log_out: LogOut) -> Outcomes:
        """Log somebody out; for good, by dropping the key that they have shown, if it is one."""
        person = self._chat.people[subscriber.user_id]
        key = person.device(subscriber.id).key if log_out.forget else ""
        dropped = await self._identities.change(subscriber, DropKey(key=key), "") if key else ()
        if dropped:
            return [outcome for outcome in dropped if not isinstance(outcome, KeyDropped)]
        if self._devices.stays(subscriber, person):
            self._consequences.end_logged_out([subscriber.id], by=subscriber.id)
            return ()
        return await self._identities.change(subscriber, log_out, "")
