"""The one task that takes what happened from the log and shows it to everybody concerned.

A batch is applied as a whole; then everybody gets their part of it as one piece of bytes. Most
people's part is the same, so that is rendered once for each dialect and posted to all of them.
"""

from collections.abc import Iterable, Iterator, Sequence

import trio

from trio_chat.core.chat import Chat, mover
from trio_chat.core.events import Delivery, Entry
from trio_chat.core.room import Person
from trio_chat.protocols.session import Dialect
from trio_chat.server.hub import Hub, Listener
from trio_chat.storage.base import Log

# Posts between two looks at the other tasks. A post is about 8 µs, nearly all of it in the kernel:
# so they wait 4 ms at most.
_YIELD_AFTER = 500


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
        parts = Parts(self._hub.chat, self._hub.listeners)
        for entry in batch:
            if who := mover(entry.event):
                parts.hand_out(who)  # what came before, they hear from the rooms they were in then
            for delivery in self._hub.chat.apply(entry):
                parts.add(delivery)
        for count, (listener, data) in enumerate(parts, 1):
            listener.outbox.post(data)
            if count % _YIELD_AFTER == 0:
                await trio.lowlevel.checkpoint()
        self._hub.shown(batch[-1].id)


class Parts:
    """Who hears what of a batch. A part is known by the places of its deliveries in the batch."""

    def __init__(self, chat: Chat, listeners: dict[str, Listener]) -> None:
        self._chat, self._listeners = chat, listeners
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
        """Give somebody their part so far; the rest of it will begin here."""
        listener, person = self._listeners.get(who), self._chat.people.get(who)
        if listener and person and self._deliveries:
            listener.outbox.post(self._own_part(listener, person))
        self._begin[who] = len(self._deliveries)

    def __iter__(self) -> Iterator[tuple[Listener, bytes]]:
        """Everybody's part (or what is left of it), each with its listener."""
        alone = self._begin.keys() | self._for_person.keys()
        for who in alone:
            listener, person = self._listeners.get(who), self._chat.people.get(who)
            if listener and person:
                yield listener, self._own_part(listener, person)
        for room in self._in_room:
            yield from self._common_parts(room, alone)

    def _common_parts(self, room: str, but: Iterable[str]) -> Iterator[tuple[Listener, bytes]]:
        """What the members of a room hear of it, and of the others that they are in."""
        parts: dict[tuple[str, ...], dict[Dialect, bytes]] = {}
        members = self._chat.rooms[room].members if room in self._chat.rooms else {}
        for who, person in members.items():
            listener = self._listeners.get(who)
            if listener is None or who in but:
                continue
            rooms = self._concerned(person) if len(person.rooms) > 1 else (room,)
            if rooms[0] != room:
                continue  # this one has had, or will have, their part with another room
            by_dialect = parts.setdefault(rooms, {})
            data = by_dialect.get(listener.dialect)
            if data is None:
                data = by_dialect[listener.dialect] = self._render(
                    listener.dialect, self._places(rooms)
                )
            yield listener, data

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
