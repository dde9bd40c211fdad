"""The one task that takes what happened from the log and shows it to everybody concerned.

A batch is applied as a whole; then everybody gets their part of it as one piece of bytes. Most
people's part is the same, so that is rendered once for each dialect and posted to all of them.
"""

from collections.abc import Iterator, Mapping, Sequence

import trio

from trio_chat.core.effects import movers
from trio_chat.core.events import Delivery, Entry, Joined
from trio_chat.core.room import Person
from trio_chat.protocols.session import Dialect
from trio_chat.server.audience import GROUP, Audiences, Listener
from trio_chat.server.hub import Hub
from trio_chat.server.outbox import Outbox
from trio_chat.server.round import Round
from trio_chat.storage.base import Log, Tail

# What may be on its way round at a time: with one more batch still far from what an outbox holds.
_ROUND_BYTES = 64 * 1024


class Broadcaster:
    def __init__(self, hub: Hub, log: Log) -> None:
        self._hub, self._log = hub, log

    async def run(self) -> None:
        try:
            async with self._log.tail() as tail:
                async for batch in tail:
                    while batch:
                        batch = await self._show(batch, tail)
        finally:
            self._hub.ended()

    async def _show(self, batch: Sequence[Entry], tail: Tail) -> Sequence[Entry]:
        """Returns the next batch, if that has been taken already."""
        parts, room = self._apply(batch), _room_of(batch)
        if len(self._hub.audiences.of(room).everyone) > 1:
            return await self._go_round(room, parts, batch[-1].id, tail)
        await _post(parts)
        self._hub.progress.shown(batch[-1].id)
        return ()

    def _apply(self, batch: Sequence[Entry]) -> "Parts":
        parts = Parts(self._hub.audiences)
        for entry in batch:
            for who in movers(entry.event):
                parts.hand_out(who)  # what came before, they hear from the rooms they were in then
            if isinstance(entry.event, Joined):
                self._hub.chat.forget(entry.room, self._log.too_old)
            for delivery in self._hub.chat.apply(entry):
                parts.add(delivery, entry)
        return parts

    async def _go_round(self, room: str, parts: "Parts", id: str, tail: Tail) -> Sequence[Entry]:
        audience = self._hub.audiences.of(room)
        going = Round(audience)
        going.join(parts.common(room), parts.own(), id)
        posts = 0
        batch: Sequence[Entry] = ()
        while not going.is_over:
            posts += going.step()
            if arrived := going.arrived():
                self._hub.progress.shown(arrived)
            if posts > GROUP and not going.is_over:
                posts = await _let_others_in()
                if not batch and going.size < _ROUND_BYTES:
                    batch = tail.waiting()
                if _room_of(batch) == room and self._hub.audiences.of(room) is audience:
                    parts = self._apply(batch)
                    going.join(parts.common(room), parts.own(), batch[-1].id)
                    batch = ()
        return batch


def _room_of(batch: Sequence[Entry]) -> str:
    """The room that a batch is about, if it is one alone and nobody comes or goes; or nothing."""
    rooms = {"" if movers(entry.event) else entry.room for entry in batch}
    return rooms.pop() if len(rooms) == 1 else ""


async def _post(parts: "Parts") -> None:
    posts = 0
    for outboxes, data in parts:
        for outbox in outboxes:
            outbox.post(data)
        posts += len(outboxes)
        if posts > GROUP:
            posts = await _let_others_in()


async def _let_others_in() -> int:
    """After two groups at the most, so that others wait for less than 2 ms; for as many passes of
    trio's loop as it takes what they say to get from their sockets into the log: awake, append, and
    after them it is our turn. Returns the number of posts since then.
    """
    for _ in range(3):
        await trio.lowlevel.checkpoint()
    return 0


class Parts:
    """Who hears what of a batch. A part is known by the places of its deliveries in the batch."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences
        self._deliveries: list[tuple[Delivery, Entry]] = []
        self._in_room: dict[str, list[int]] = {}
        self._for_person: dict[str, list[int]] = {}
        self._own: set[str] = set()  # who is shown in a way of their own what they have done
        self._begin: dict[str, int] = {}  # where the part of those begins who have moved
        self._rendered: dict[tuple[Dialect, int], bytes] = {}

    def add(self, delivery: Delivery, entry: Entry) -> None:
        place = len(self._deliveries)
        self._deliveries.append((delivery, entry))
        if delivery.by and self._differs(delivery):
            self._own.add(delivery.by)
        for room in delivery.rooms:
            self._in_room.setdefault(room, []).append(place)
        for who in delivery.people:
            self._for_person.setdefault(who, []).append(place)

    def _differs(self, delivery: Delivery) -> bool:
        """Whether those who did it are shown it in a way of their own."""
        found = self._audiences.person(delivery.by)
        return bool(found and found[0].own and found[0].own.differs(delivery.shown))

    def hand_out(self, who: str) -> None:
        """Give somebody who moves their part so far; the rest of it will begin here."""
        if self._deliveries and (found := self._audiences.person(who)):
            listener, person = found
            listener.outbox.post(self._own_part(listener, person))
        self._begin[who] = len(self._deliveries)
        self._audiences.forget()

    def own(self) -> Mapping[Outbox, bytes]:
        """The parts of those who get another one than their rooms (or what is left of it)."""
        people = self._begin.keys() | self._for_person.keys() | self._own
        found = (self._audiences.person(who) for who in people)
        return {one[0].outbox: self._own_part(*one) for one in found if one}

    def common(self, room: str) -> Mapping[Dialect, bytes]:
        """What everybody else in a room gets, if that is the only room."""
        dialects = dict.fromkeys(dialect for dialect, _ in self._audiences.of(room).everyone)
        places = self._in_room.get(room, ())
        return {dialect: self._render(dialect, places) for dialect in dialects}

    def __iter__(self) -> Iterator[tuple[Sequence[Outbox], bytes]]:
        """Everybody's part, with those who get it."""
        own = self.own()
        for outbox, data in own.items():
            yield [outbox], data
        parts: dict[tuple[Dialect, tuple[str, ...]], bytes] = {}
        for dialect, outboxes, rooms in self._common():
            if (dialect, rooms) not in parts:
                parts[dialect, rooms] = self._render(dialect, self._places(rooms))
            if own:
                outboxes = [outbox for outbox in outboxes if outbox not in own]
            yield outboxes, parts[dialect, rooms]

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
        return b"".join(
            [self._render_for(listener, place) for place in sorted(places) if place >= begin]
        )

    def _concerned(self, person: Person) -> tuple[str, ...]:
        """The person's rooms in which something has happened."""
        return tuple(room for room in person.rooms if room in self._in_room)

    def _places(self, rooms: Sequence[str]) -> Sequence[int]:
        if len(rooms) == 1:
            return self._in_room[rooms[0]]
        return sorted({place for room in rooms for place in self._in_room[room]})

    def _render(self, dialect: Dialect, places: Sequence[int]) -> bytes:
        return b"".join([self._render_one(dialect, place) for place in places])

    def _render_for(self, listener: Listener, place: int) -> bytes:
        delivery, entry = self._deliveries[place]
        if listener.own and delivery.by == listener.who:
            return listener.own.render(delivery.shown, entry.id, entry.at)
        return self._render_one(listener.dialect, place)

    def _render_one(self, dialect: Dialect, place: int) -> bytes:
        data = self._rendered.get((dialect, place))
        if data is None:
            delivery, entry = self._deliveries[place]
            data = dialect.render(delivery.shown, entry.id, entry.at)
            self._rendered[dialect, place] = data
        return data
