"""People who are here on several connections: how these come, go over from a guest, and go."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import trio

from trio_chat.core.accounts import account_of, by_token, came_by_token, wrong_password
from trio_chat.core.chat import Chat
from trio_chat.core.commands import LogIn
from trio_chat.core.decide import Outcomes, parting_words
from trio_chat.core.devices import DEVICES_MAX, node_of, numbered
from trio_chat.core.events import NOWHERE, Attached, Departed, Detached, DeviceEnded, Got, Origin
from trio_chat.core.limits import kept_out
from trio_chat.core.refusals import Code
from trio_chat.core.room import Device, Person
from trio_chat.core.views import Notice, Refused
from trio_chat.core.words import parting
from trio_chat.errors import Unavailable
from trio_chat.server.audience import Audiences, Subscriber
from trio_chat.server.counts import Ending
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.ring import Ring

# So many of those who go without a connection go at a time: they share batches of the log.
_TOGETHER = 100

# How long it waits until it tries again to let those be gone whose departure was cut off.
_AGAIN = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class _CutOff:
    """A departure that was given up: whose, and how they left."""

    user_id: str
    why: str
    words: str
    seen: str


class Devices:
    """Lets those who log in to an account that is here join it, on one more connection; and lets
    people be gone with their last one.
    """

    def __init__(
        self,
        chat: Chat,
        ring: Ring,
        logs: OpenLogs,
        audiences: Audiences,
        subscribers: dict[str, Subscriber],
    ) -> None:
        self._chat, self._ring, self._logs = chat, ring, logs
        self._audiences, self._subscribers = audiences, subscribers
        self._coming: Counter[str] = Counter()  # by person, connections that are being attached
        self._cut_off: dict[str, _CutOff] = {}  # by connections
        self._has_cut_off = trio.Event()

    # ── they come ──────────────────────────────────────────────────────────────────────────

    def elsewhere(self, subscriber: Subscriber, account: str) -> Person | None:
        """The person who is here under an account, if that is somebody else than a guest who logs
        in to it.
        """
        guest, person = self._chat.people.get(subscriber.user_id), self._chat.of_account(account)
        return person if guest and person is not guest else None

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
        if refused := self._refusal(person, device):
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
        return self._refusal(person, device) or wrong_password()

    async def go_over(self, subscriber: Subscriber, log_in: LogIn, present: Person) -> Outcomes:
        """Let a guest who logs in to an account that is here join it."""
        outcomes = self._chat.decide(subscriber.user_id, log_in)
        if any(isinstance(outcome, Refused) for outcome in outcomes):
            return outcomes
        guest = self._chat.people[subscriber.user_id]
        device, rooms = guest.device(subscriber.id), [*map(self._chat.name, guest.rooms)]
        if refused := self._refusal(present, device):
            return [refused]
        await self._depart(subscriber, guest, f"logged in as {present.origin.account}")
        subscriber.key, subscriber.password_id = log_in.key or subscriber.key, log_in.password_id
        attached = await self.join(subscriber, present, device, guest.origin, rooms)
        attached = attached or wrong_password()
        if isinstance(attached, Refused):
            subscriber.end(
                Ending.REFUSED, "could not join the account", parting(attached.why), attached
            )
            return ()
        return [attached]

    def _refusal(self, person: Person, device: Device) -> Refused | None:
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

    async def leave(self, subscriber: Subscriber, why: str, words: str, seen: str) -> None:
        """Let one connection go, as ``Hub.depart``, and with the last one its owner."""
        person = self._chat.people.get(subscriber.user_id)
        if person and (self._chat.is_always_on(person) or self.stays(subscriber, person)):
            why = parting_words(self._chat, person, why, words)
            await self._detach(person, subscriber.id, why, seen)
            await self._logs.close_empty()
        elif person or subscriber.id == subscriber.user_id:
            await self._depart(subscriber, person, why, words, seen)

    async def _detach(self, person: Person, id: str, why: str, seen: str = "") -> None:
        detached = Detached(person.nick, person.user_id, id, person.origin, seen, why)
        await self._ring.happen(detached)

    async def bury(self, node: str, why: str, read: Mapping[str, str]) -> None:
        """Let the connections of a node be gone, and with the last one their owners. ``read`` has
        the ids up to which some of them, by their own, have read everything.

        It may be done again, or by two nodes at once.
        """
        await self._ring.happen(Got(()))  # all that the node has done comes before that
        people = [p for p in self._chat.people.values() if self._on_node(p, node)]
        await _together([partial(self._lose_all, p, node, why, read) for p in people])
        await self._logs.close_empty()

    def cut_off(self, subscriber: Subscriber, why: str, words: str, seen: str) -> None:
        """Leave it to ``see_off`` that a connection goes: it could not be stored in time."""
        self._cut_off[subscriber.id] = _CutOff(subscriber.user_id, why, words, seen)
        self._has_cut_off.set()

    async def see_off(self) -> None:
        """Let those connections be gone whose departure was cut off, until cancelled."""
        while True:
            await self._has_cut_off.wait()
            try:
                await self._see_all_off()
            except* trio.BrokenResourceError:
                await trio.sleep_forever()  # nothing is shown any more: the server ends
            except* Unavailable:
                await trio.sleep(_AGAIN)

    async def _see_all_off(self) -> None:
        # What was in doubt comes before that. This may take as long as the disk hangs, so it is no
        # request, for which a server that stops would wait.
        await self._ring.happen(Got(()))
        await self._ring.be_open()
        with self._ring.request():
            await _together([partial(self._see_off, id, one) for id, one in self._cut_off.items()])
            await self._logs.close_empty()
        if not self._cut_off:
            self._has_cut_off = trio.Event()

    async def _see_off(self, id: str, one: _CutOff) -> None:
        if person := self._chat.people.get(one.user_id):
            why = parting_words(self._chat, person, one.why, one.words)
            await self._lose(person, id, why, one.seen)
        del self._cut_off[id]

    def _on_node(self, person: Person, node: str) -> Sequence[str]:
        return [device.id for device in person.devices if node_of(device.id) == node]

    async def _lose_all(self, person: Person, node: str, why: str, read: Mapping[str, str]) -> None:
        for id in self._on_node(person, node):
            await self._lose(person, id, why, read.get(id, ""))

    async def _lose(self, person: Person, id: str, why: str, seen: str) -> None:
        if not person.is_on(id) or self._chat.people.get(person.user_id) is not person:
            return  # others have seen to it
        if len(person.devices) > 1 or self._chat.is_always_on(person):
            await self._detach(person, id, why, seen)
            return
        via = "" if id == person.user_id else id
        rooms = tuple(person.rooms)
        departed = Departed(person.nick, person.user_id, why, person.origin, rooms, seen, via)
        await self._ring.happen(departed)

    async def _depart(
        self,
        subscriber: Subscriber,
        person: Person | None,
        why: str,
        words: str = "",
        seen: str = "",
    ) -> None:
        """Let somebody be gone, and with them their rooms that nobody else is in."""
        nick, origin = (person.nick, person.origin) if person else (subscriber.nick, NOWHERE)
        rooms = tuple(person.rooms) if person else ()
        why = parting_words(self._chat, person, why, words) if person else why
        via = "" if subscriber.id == subscriber.user_id else subscriber.id
        departed = Departed(nick, subscriber.user_id, why, origin, rooms, seen, via)
        await self._ring.happen(departed, by=subscriber.id)
        await self._logs.close_empty()

    async def end(self, subscriber: Subscriber, number: str) -> Refused | Notice:
        """End another connection of the same person, on whichever node."""
        person = self._chat.people[subscriber.user_id]
        account = account_of(self._chat, person)
        if account and (refused := by_token(account, person.device(subscriber.id))):
            return refused
        device = numbered(person, number)
        if device is None or device.id == subscriber.id:
            return Refused("You have no other connection with that number.")
        await self._ring.be_open()
        with self._ring.request():
            await self._ring.happen(DeviceEnded(person.user_id, device.id))
        return Notice(f"Connection {number} has ended.")


async def _together(calls: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Make these calls, many at a time."""
    for begin in range(0, len(calls), _TOGETHER):
        async with trio.open_nursery() as nursery:
            for call in calls[begin : begin + _TOGETHER]:
                nursery.start_soon(call)
