"""The one task that takes events from the log and shows them to everybody concerned.

A batch is applied as a whole; then each person gets their part of it as one piece of bytes. Most
people's part is the same, so it is rendered once for each dialect and posted to all of them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress

import trio

from trio_chat.core.effects.rooms import membership_changes
from trio_chat.core.events import (
    Departed,
    Detached,
    DeviceEnded,
    Entry,
    Event,
    Joined,
    Killed,
    Looked,
    RoomRenamed,
    Said,
    Signalled,
    ToldToOthers,
    waits_for,
)
from trio_chat.core.names import is_private
from trio_chat.core.room import Person
from trio_chat.core.views import Copy, Delivery, LoggedOut, Shown
from trio_chat.protocols.session import Dialect
from trio_chat.server.audience import GROUP, Audiences, Subscriber
from trio_chat.server.counts import Counts
from trio_chat.server.fanout import FanOut
from trio_chat.server.hub import Hub
from trio_chat.server.outbox import Outbox, post_to
from trio_chat.storage.base import Log
from trio_chat.storage.tail import Tail

# Bytes that may be on their way round a room: one more batch is still far from filling an outbox.
_ROUND_BYTES = 64 * 1024


class _LetGo(Exception):
    """The people of this node have been let go by others."""


class Broadcaster:
    """Applies what comes out of the log's tail, and posts it to the people who are to see it.

    It is the only caller of ``Chat.apply``, and so the only task that changes rooms and people. It
    never waits for a subscriber: an outbox that is full fails its own connection. While it goes
    round a large room, others may run, but no other batch is applied except one that joins it.

    ``on_lost`` is called if other nodes let the people of this one be gone. Nothing of that is
    applied: people here are in the middle of something, and this node ends anyway.
    """

    def __init__(self, hub: Hub, log: Log, on_lost: Callable[[], None]) -> None:
        self._hub, self._log, self._on_lost = hub, log, on_lost

    async def run(self) -> None:
        """Show batches until cancelled, or until the tail ends, or this node is lost. Afterwards
        nothing is shown any more: those who wait for an event to be shown get
        ``trio.BrokenResourceError``.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._hub.snapshots.run)
            try:
                with suppress(_LetGo):
                    async with self._log.tail() as tail:
                        async for batch in tail:
                            while batch:
                                batch = await self._show(batch, tail)
            finally:
                self._hub.ring.ended()
            nursery.cancel_scope.cancel("nothing is shown any more")

    async def _show(self, batch: Sequence[Entry], tail: Tail) -> Sequence[Entry]:
        """Apply a batch and post it; return the next batch, if it has been taken already."""
        parts, room = self._apply(batch), _room_of(batch)
        if len(self._hub.audiences.of(room).everyone) > 1:
            return await self._go_round(room, parts, batch[-1].id, tail)
        await self._post(parts)
        if parts.waiting:
            self._hub.box.shown(parts.waiting)
        self._hub.progress.shown(batch[-1].id)
        return ()

    async def _post(self, parts: "Parts") -> None:
        posts = 0
        for outboxes, data, events in parts:
            post_to(outboxes, data)
            self._hub.counts.posted(len(outboxes), events, len(data))
            posts += len(outboxes)
            if posts > GROUP:
                posts = await _let_others_in()

    def _apply(self, batch: Sequence[Entry]) -> "Parts":
        """Apply each entry, and collect who is to be shown what of it."""
        hub, parts = self._hub, Parts(self._hub.audiences, self._hub.counts)
        for entry in batch:
            self._look_who_lets_go(entry)
            parts.prepare_for(entry.event)
            if isinstance(entry.event, Said):
                hub.counts.said["private" if is_private(entry.room) else "room"] += 1
            if waits_for(entry.event):
                parts.waiting.append(entry)
            if isinstance(entry.event, Joined):
                hub.chat.forget(entry.room, self._log.too_old)
            if isinstance(entry.event, Killed):
                hub.consequences.end_killed(entry.event)
            if isinstance(entry.event, DeviceEnded):
                hub.consequences.end_device(entry.event)
            for delivery in hub.chat.apply(entry):
                parts.add(delivery, entry)
                if isinstance(delivery.shown, LoggedOut):
                    hub.consequences.end_logged_out(delivery.devices, entry.by)
            if isinstance(entry.event, RoomRenamed):
                hub.consequences.room_renamed(entry.event)
            if not isinstance(entry.event, Said):
                hub.snapshots.note(entry)
            if entry.by and isinstance(entry.event, ToldToOthers):
                hub.consequences.tell_others(entry.event, entry.by)
        hub.applied = batch[-1].id
        if any(map(hub.absent.concerns, batch)):
            hub.absent.look()
        if hub.chat.banned:
            hub.consequences.expel()
        if hub.chat.closed:
            hub.logs.note_closed()
        return parts

    def _look_who_lets_go(self, entry: Entry) -> None:
        """Go no further if others think that a connection has gone that is still here."""
        gone = entry.event
        if not (self._log.membership and isinstance(gone, Departed | Detached)):
            return
        id = gone.device if isinstance(gone, Detached) else gone.via or gone.user_id
        if entry.by != id and id in self._hub.subscribers:
            self._on_lost()
            raise _LetGo

    async def _go_round(self, room: str, parts: "Parts", id: str, tail: Tail) -> Sequence[Entry]:
        """Post to a room group by group; further batches of the same room join meanwhile."""
        audience = self._hub.audiences.of(room)
        going = FanOut(audience, self._hub.counts)
        going.join(parts.common(room), parts.own(), id, parts.events(room))
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
                    last, events = batch[-1].id, parts.events(room)
                    going.join(parts.common(room), parts.own(), last, events)
                    batch = ()
        return batch


def _room_of(batch: Sequence[Entry]) -> str:
    """The one room that a batch is about, if nobody comes or goes in it; otherwise empty."""
    rooms = {"" if _moves_people(entry.event) else entry.room for entry in batch}
    return rooms.pop() if len(rooms) == 1 else ""


def _is_echo_to_oneself(shown: Shown) -> bool:
    """Whether it is the echo of what somebody has said to themselves: their other connections are
    shown it as said to them.
    """
    event = shown.of if isinstance(shown, Copy) else None
    return isinstance(event, Said | Signalled) and event.to_id == event.user_id != ""


def _moves_people(event: Event) -> bool:
    return isinstance(event, RoomRenamed | Looked) or bool(membership_changes(event))


async def _let_others_in() -> int:
    """Let other tasks run; returns 0, the number of posts since then.

    It is called after two groups at most, so others wait for less than 2 ms. It yields for as many
    passes of trio's loop as it takes others to get what they say from their sockets into the log:
    wake up, append, and then it is our turn.
    """
    for _ in range(3):
        await trio.lowlevel.checkpoint()
    return 0


class Parts:
    """The parts of a batch: who is shown which deliveries of it, rendered once for each dialect.

    A part is known by the places of its deliveries in the batch. Most people get the common part of
    their rooms; those who move during the batch, are addressed in person, or are shown their own
    actions differently get a part of their own. ``waiting`` are the messages in it that wait for
    accounts.
    """

    def __init__(self, audiences: Audiences, counts: Counts) -> None:
        self._audiences, self._counts = audiences, counts
        self.waiting: list[Entry] = []
        self._deliveries: list[tuple[Delivery, Entry, str]] = []
        self._in_room: dict[str, list[int]] = {}
        self._for_one: dict[str, list[int]] = {}  # by the ids of connections, as all of these
        self._own: set[str] = set()  # those that are shown their own actions differently
        self._begin: dict[str, int] = {}  # by what has moved, where the rest of its part begins
        self._rendered: dict[tuple[Dialect, int], bytes] = {}

    def add(self, delivery: Delivery, entry: Entry) -> None:
        """Take in a delivery, in the order in which entries are applied."""
        place, author = len(self._deliveries), delivery.by and (entry.by or delivery.by)
        self._deliveries.append((delivery, entry, author))
        if author and self._differs(delivery, author):
            self._own.add(author)
        for room in delivery.rooms:
            self._in_room.setdefault(room, []).append(place)
        for user_id in delivery.people:
            for subscriber in self._audiences.of_person(user_id):
                if subscriber.id == author or not _is_echo_to_oneself(delivery.shown):
                    self._add_for(subscriber.id, place)
        for device in delivery.devices:
            self._add_for(device, place)

    def _add_for(self, id: str, place: int) -> None:
        places = self._for_one.setdefault(id, [])
        if not places or places[-1] != place:
            places.append(place)

    def _differs(self, delivery: Delivery, author: str) -> bool:
        """Whether those who made it happen are shown it in a way of their own."""
        found = self._audiences.here(author)
        return bool(found and found[0].own and found[0].own.differs(delivery.shown))

    def prepare_for(self, event: Event) -> None:
        """Post their part so far to all who are in other rooms after an event, or see others; the
        rest of it begins here.

        Call it before the entry is applied: until then they are in the rooms whose events they have
        to see.
        """
        if isinstance(event, Looked | Detached):
            self._hand_out(event.device)
        for user_id in self._movers(event):
            for subscriber in self._audiences.of_person(user_id):
                self._hand_out(subscriber.id)

    def _movers(self, event: Event) -> Sequence[str]:
        """The ids of those who are in other rooms after an event."""
        if isinstance(event, RoomRenamed):
            return self._audiences.members(event.room)
        return membership_changes(event)

    def _hand_out(self, id: str) -> None:
        if self._deliveries and (found := self._audiences.here(id)):
            data, events = self._own_part(*found)
            found[0].outbox.post(data)
            self._counts.posted(1, events, len(data))
        self._begin[id] = len(self._deliveries)
        self._audiences.moves(id)

    def own(self) -> Mapping[Outbox, bytes]:
        """The parts of those who get another one than their rooms, or what is left of it."""
        return {outbox: self._own_part(*one)[0] for outbox, one in self._owners().items()}

    def _owners(self) -> Mapping[Outbox, tuple[Subscriber, Person]]:
        """Those who get a part of their own."""
        ids = self._begin.keys() | self._for_one.keys() | self._own
        found = (self._audiences.here(id) for id in ids)
        return {one[0].outbox: one for one in found if one}

    def common(self, room: str) -> Mapping[Dialect, bytes]:
        """The part that everybody else in a room gets, by dialect, if that is the only room."""
        dialects = dict.fromkeys(dialect for dialect, _ in self._audiences.of(room).everyone)
        places = self._in_room.get(room, ())
        return {dialect: self._render(dialect, places) for dialect in dialects}

    def events(self, room: str) -> int:
        """The number of deliveries in that part."""
        return len(self._in_room.get(room, ()))

    def __iter__(self) -> Iterator[tuple[Collection[Outbox], bytes, int]]:
        """Everybody's part, with those who get it, and the number of deliveries in it; each is
        rendered when it is its turn.
        """
        own = self._owners()
        for outbox, one in own.items():
            yield [outbox], *self._own_part(*one)
        parts: dict[tuple[Dialect, tuple[str, ...]], tuple[bytes, int]] = {}
        for dialect, outboxes, rooms in self._common():
            if (dialect, rooms) not in parts:
                places = self._places(rooms)
                parts[dialect, rooms] = self._render(dialect, places), len(places)
            if own:
                outboxes = [outbox for outbox in outboxes if outbox not in own]
            yield outboxes, *parts[dialect, rooms]

    def _common(self) -> Iterator[tuple[Dialect, Collection[Outbox], tuple[str, ...]]]:
        """The outboxes that share a part, with the rooms that it is made of."""
        elsewhere_too: dict[str, tuple[Subscriber, Person]] = {}  # each once, by id
        for room in self._in_room:
            audience = self._audiences.of(room)
            only_room = len(self._in_room) == 1
            for dialect, outboxes in audience.everyone if only_room else audience.only_here:
                yield dialect, outboxes, (room,)
            if not only_room:
                elsewhere_too |= audience.elsewhere_too
        for subscriber, person in elsewhere_too.values():
            yield subscriber.dialect, [subscriber.outbox], self._concerned(subscriber, person)

    def _own_part(self, subscriber: Subscriber, person: Person) -> tuple[bytes, int]:
        """A part of somebody's own, and the number of deliveries in it."""
        places = {
            *self._places(self._concerned(subscriber, person)),
            *self._for_one.get(subscriber.id, ()),
        }
        begin = self._begin.get(subscriber.id, 0)
        rest = [place for place in sorted(places) if place >= begin]
        return b"".join([self._render_for(subscriber, place) for place in rest]), len(rest)

    def _concerned(self, subscriber: Subscriber, person: Person) -> tuple[str, ...]:
        """The rooms that a connection shows in which something has happened."""
        return tuple(room for room in person.shown_on(subscriber.id) if room in self._in_room)

    def _places(self, rooms: Sequence[str]) -> Sequence[int]:
        if len(rooms) == 1:
            return self._in_room[rooms[0]]
        return sorted({place for room in rooms for place in self._in_room[room]})

    def _render(self, dialect: Dialect, places: Sequence[int]) -> bytes:
        return b"".join([self._render_one(dialect, place) for place in places])

    def _render_for(self, subscriber: Subscriber, place: int) -> bytes:
        delivery, entry, author = self._deliveries[place]
        if subscriber.own and author == subscriber.id:
            return subscriber.own.render(delivery.shown, entry.id, entry.at)
        return self._render_one(subscriber.dialect, place)

    def _render_one(self, dialect: Dialect, place: int) -> bytes:
        data = self._rendered.get((dialect, place))
        if data is None:
            delivery, entry, _ = self._deliveries[place]
            data = dialect.render(delivery.shown, entry.id, entry.at)
            self._rendered[dialect, place] = data
        return data
