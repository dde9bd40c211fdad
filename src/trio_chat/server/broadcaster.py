"""The one task that takes what happened from the log and shows it to everybody concerned.

A batch is applied as a whole; then everybody gets their part of it as one piece of bytes. Most
people's part is the same, so that is rendered once for each dialect and posted to all of them.
"""

from collections.abc import Iterator, Sequence

import trio

from trio_chat.core.chat import mover
from trio_chat.core.events import Delivery, Entry
from trio_chat.core.room import Person
from trio_chat.protocols.session import Dialect
from trio_chat.server.audience import GROUP, Audiences, Listener
from trio_chat.server.hub import Hub
from trio_chat.server.outbox import Outbox
from trio_chat.storage.base import Log


class Broadcaster:
    def __init__(self, hub: Hub, log: Log) -> None:
        self._hub, self._log = hub, log

    async def run(self) -> None:
        try:
            async with self._log.tail() as tail:
                async for batch in tail:
                    await self._show(batch)
        finally:
            self._hub.ended()

    async def _show(self, batch: Sequence[Entry]) -> None:
        parts = Parts(self._hub.audiences)
        for entry in batch:
            if who := mover(entry.event):
                parts.hand_out(who)  # what came before, they hear from the rooms they were in then
            for delivery in self._hub.chat.apply(entry):
                parts.add(delivery)
        await _post(parts)
        self._hub.shown(batch[-1].id)


async def _post(parts: "Parts") -> None:
    """Post to everybody, and look at the other tasks after two groups at the most: they wait 4 ms
    for a post is about 8 µs, nearly all of it in the kernel."""
    posts = 0
    for outboxes, data in parts:
        for outbox in outboxes:
            outbox.post(data)
        posts += len(outboxes)
        if posts > GROUP:
            await trio.lowlevel.checkpoint()
            posts = 0


class Parts:
    """Who hears what of a batch. A part is known by the places of its deliveries in the batch."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences
        self._deliveries: list[Delivery] = []
        self._in_room: dict[str, list[int]] = {}
        self._for_person: dict[str, list[int]] = {}
        self._begin: dict[str, int] = {}  # where the part of those begins who have moved
        self._rendered: dict[tuple[Dialect, int], bytes] = {}

    def add(self, delivery: Delivery) -> None:
        place = len(self._deliveries)
        self._deliveries.append(delivery)
        for room in delivery.rooms:
            self._in_room.setdefault(room, []).append(place)
        for who in delivery.people:
            self._for_person.setdefault(who, []).append(place)

    def hand_out(self, who: str) -> None:
        """Give somebody who moves their part so far; the rest of it will begin here."""
        if self._deliveries and (found := self._audiences.person(who)):
            listener, person = found
            listener.outbox.post(self._own_part(listener, person))
        self._begin[who] = len(self._deliveries)
        self._audiences.forget()

    def __iter__(self) -> Iterator[tuple[Sequence[Outbox], bytes]]:
        """Everybody's part (or what is left of it), with those who get it."""
        served: set[Outbox] = set()
        for who in self._begin.keys() | self._for_person.keys():
            if found := self._audiences.person(who):
                listener, person = found
                served.add(listener.outbox)
                yield [listener.outbox], self._own_part(listener, person)
        parts: dict[tuple[Dialect, tuple[str, ...]], bytes] = {}
        for dialect, outboxes, rooms in self._common():
            data = parts.get((dialect, rooms))
            if data is None:
                data = parts[dialect, rooms] = self._render(dialect, self._places(rooms))
            if served:
                outboxes = [outbox for outbox in outboxes if outbox not in served]
            yield outboxes, data

    def _common(self) -> Iterator[tuple[Dialect, Sequence[Outbox], tuple[str, ...]]]:
        """Who has been in which of the rooms all the time."""
        for room in self._in_room:
            audience = self._audiences.of(room)
            only_room = len(self._in_room) == 1
            for dialect, outboxes in audience.everyone if only_room else audience.only_here:
                yield dialect, outboxes, (room,)
            for listener, person in () if only_room else audience.elsewhere_too:
                rooms = self._concerned(person)
                if rooms[0] == room:  # and not once more with another one
                    yield listener.dialect, [listener.outbox], rooms

    def _own_part(self, listener: Listener, person: Person) -> bytes:
        places = {*self._places(self._concerned(person)), *self._for_person.get(person.who, ())}
        begin = self._begin.get(person.who, 0)
        return self._render(listener.dialect, sorted(p for p in places if p >= begin))

    def _concerned(self, person: Person) -> tuple[str, ...]:
        """The person's rooms in which something has happened."""
        return tuple(room for room in person.rooms if room in self._in_room)

    def _places(self, rooms: Sequence[str]) -> Sequence[int]:
        if len(rooms) == 1:
            return self._in_room[rooms[0]]
        return sorted({place for room in rooms for place in self._in_room[room]})

    def _render(self, dialect: Dialect, places: Sequence[int]) -> bytes:
        return b"".join([self._render_one(dialect, place) for place in places])

    def _render_one(self, dialect: Dialect, place: int) -> bytes:
        data = self._rendered.get((dialect, place))
        if data is None:
            data = dialect.render(self._deliveries[place].shown)
            self._rendered[dialect, place] = data
        return data
