"""How people go: their connection, and with the last one they themselves; those of a node that is
gone; and, once the disk goes on, those whose departure could not be stored in time.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.decide import parting_words
from trio_chat.core.devices import node_of
from trio_chat.core.events import Departed, Detached, Got
from trio_chat.core.remembered import note_seen
from trio_chat.core.room import Person
from trio_chat.errors import Fenced, Unavailable
from trio_chat.server.audience import Subscriber
from trio_chat.server.box import Box
from trio_chat.server.devices import Devices
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.progress import Progress
from trio_chat.server.ring import Ring

# Time for a departure to be stored and shown while everything around it is being cancelled.
_PARTING = 5.0  # seconds

# So many of those who go without a connection go at a time: they share batches of the log.
_TOGETHER = 100

# How long it waits until it tries again to let those be gone whose departure was cut off.
_AGAIN = 1.0  # seconds

_LOST = "connection lost"


@dataclass(frozen=True, slots=True)
class _CutOff:
    """A departure that was given up: whose, and how they left."""

    user_id: str
    why: str
    words: str
    seen: str


class Departures:
    """Lets connections go, and with the last one its owner, unless their account is always on."""

    def __init__(
        self,
        chat: Chat,
        ring: Ring,
        progress: Progress,
        logs: OpenLogs,
        devices: Devices,
        box: Box,
    ) -> None:
        self._chat, self._ring, self._progress = chat, ring, progress
        self._logs, self._devices, self._box = logs, devices, box
        self._read: dict[str, str] = {}  # by connections that end as the server stops: up to where
        self._cut_off: dict[str, _CutOff] = {}  # by connections
        self._has_cut_off = trio.Event()

    # ── one connection goes ────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def leaving(self, subscriber: Subscriber) -> AsyncIterator[str]:
        """Show somebody nothing any more who leaves, after what is being said to them in private;
        yields the id up to which they were shown everything.

        If it is their last connection, what else is said to them in private waits until they have
        gone: nobody would be shown it.
        """
        is_last = not self._devices.shows_others(subscriber)
        with self._ring.changing.under_way(*([subscriber.user_id] if is_last else [])):
            with trio.move_on_after(_PARTING, shield=True):
                await self._ring.told.until_over(subscriber.user_id)
            self._devices.stop_showing(subscriber)
            yield self._progress.last_shown

    async def depart(
        self, subscriber: Subscriber, why: str, words: str = "", *, seen: str = ""
    ) -> None:
        """See somebody off who is ``leaving``, whether they were let in or not. It happens even if
        all of this is cancelled; if it takes too long, ``see_off`` goes on.

        ``words`` are their own, for those who stay; without them others are told ``why``. ``seen``
        is the id up to which they have read everything, empty if that is not known.
        """
        with trio.move_on_after(_PARTING, shield=True) as scope:
            await self._box.put_away()  # or it would be shown once more if the server were killed
            if (person := self._chat.people.get(subscriber.user_id)) and subscriber.nick:
                subscriber.nick = person.nick
            if self._is_missed(subscriber):
                with self._ring.under_way(), suppress(trio.BrokenResourceError, Fenced):
                    leave = partial(self._leave, subscriber, why, words, seen)
                    await self._ring.insist(leave)
        if scope.cancelled_caught and self._is_missed(subscriber):
            self._cut_off[subscriber.id] = _CutOff(subscriber.user_id, why, words, seen)
            self._has_cut_off.set()

    def _is_missed(self, subscriber: Subscriber) -> bool:
        """Whether others are to be told: of those who go as the server stops, nobody is."""
        return bool(subscriber.nick) and not self._ring.is_stopping

    async def _leave(self, subscriber: Subscriber, why: str, words: str, seen: str) -> None:
        """Let one connection go, and with the last one its owner."""
        person = self._chat.people.get(subscriber.user_id)
        if person and (self._chat.is_always_on(person) or self._devices.stays(subscriber, person)):
            why = parting_words(self._chat, person, why, words)
            await self._detach(person, subscriber.id, why, seen)
            await self._logs.close_empty()
        elif person or subscriber.id == subscriber.user_id:
            await self.let_go(subscriber, person, why, words, seen)

    async def let_go(
        self,
        subscriber: Subscriber,
        person: Person | None,
        why: str,
        words: str = "",
        seen: str = "",
    ) -> None:
        """Let somebody be gone, and with them their rooms that nobody else is in."""
        if person:
            why = parting_words(self._chat, person, why, words)
            departed = _departed(person, subscriber.id, why, seen)
        else:
            departed = Departed(subscriber.nick, subscriber.user_id, why, seen=seen)
        await self._ring.happen(departed, by=subscriber.id)
        await self._logs.close_empty()

    async def _detach(self, person: Person, id: str, why: str, seen: str = "") -> None:
        detached = Detached(person.nick, person.user_id, id, person.origin, seen, why)
        await self._ring.happen(detached)

    # ── the server stops ───────────────────────────────────────────────────────────────────

    def all_read(self, subscriber: Subscriber, shown: str) -> None:
        """Note that somebody had read everything when the server stopped: they were ``shown`` what
        is up to that id. As long as it does not stop, their departure tells.
        """
        if self._ring.is_stopping:
            self._read[subscriber.id] = shown

    def note_read(self) -> None:
        """Note in the state up to where people had read when the server stopped: no entry tells,
        as nothing is stored any more.
        """
        for person in self._chat.people.values():
            read = max((self._read.get(device.id, "") for device in person.devices), default="")
            for name in person.rooms if read else ():
                note_seen(self._chat.rooms[name], person, read)

    # ── their connections are gone already ─────────────────────────────────────────────────

    async def bury(self, node: str) -> None:
        """Let the connections of a node be gone, and with the last one their owners.

        It may be done again, or by two nodes at once. Raises Unavailable.
        """
        with self._ring.under_way():
            await self._ring.happen(Got(()))  # all that the node has done comes before that
            people = [p for p in self._chat.people.values() if self._on_node(p, node)]
            await _together([partial(self._lose_all, p, node) for p in people])
            await self._logs.close_empty()

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
        async with self._ring.request():
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

    async def _lose_all(self, person: Person, node: str) -> None:
        for id in self._on_node(person, node):
            await self._lose(person, id, _LOST, self._read.get(id, ""))

    async def _lose(self, person: Person, id: str, why: str, seen: str) -> None:
        if not person.is_on(id) or self._chat.people.get(person.user_id) is not person:
            return  # others have seen to it
        if len(person.devices) > 1 or self._chat.is_always_on(person):
            await self._detach(person, id, why, seen)
            return
        await self._ring.happen(_departed(person, id, why, seen))


def _departed(person: Person, last: str, why: str, seen: str) -> Departed:
    """The departure of somebody whose ``last`` connection goes."""
    via = "" if last == person.user_id else last
    rooms = tuple(person.rooms)
    return Departed(person.nick, person.user_id, why, person.origin, rooms, seen, via)


async def _together(calls: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Make these calls, many at a time."""
    for begin in range(0, len(calls), _TOGETHER):
        async with trio.open_nursery() as nursery:
            for call in calls[begin : begin + _TOGETHER]:
                nursery.start_soon(call)
