"""A chat and its log without a server: what is asked happens at once."""

from collections.abc import Iterable, Sequence
from functools import reduce

from trio_chat.core.chat import Chat
from trio_chat.core.commands import Join, Request, SetModes
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import (
    NOWHERE,
    Arrived,
    Change,
    Departed,
    Entry,
    Event,
    Joined,
    Origin,
    RoomClosed,
    RoomRenamed,
    Said,
    UserModesSet,
)
from trio_chat.core.logs import after, log_of
from trio_chat.core.names import fold, room_problem
from trio_chat.core.room import Person
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import AwayReply, Delivery, Refused, Unheard


class Ring:
    """A chat, and the log that feeds it. Rooms are opened when somebody goes there.

    Whoever is called alice has the id ``id-alice``. A moment is the number of the entry.
    """

    def __init__(self, *, replay: int = 3, rooms_each: int = 100, room_modes: str = "n") -> None:
        self.chat = Chat(replay=replay, rooms_each=rooms_each)
        self.entries: list[Entry] = []
        self.room_modes = room_modes
        self._created: dict[str, int] = {}  # by folded name

    def log(self, room: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.room == room]

    def state_from_log(self, room: str) -> RoomState:
        """A room's state as somebody finds it who has nothing but its log."""
        return reduce(after, self.log(fold(room)), self._new(room))

    def happen(self, event: Event) -> Sequence[Delivery]:
        number = len(self.entries)
        entry = Entry(log_of(event), f"{number:06d}-0", event, number)
        self.entries.append(entry)
        deliveries = self.chat.apply(entry)
        if isinstance(event, RoomRenamed):
            self._move(fold(event.room), fold(event.to))
        return deliveries

    def _move(self, old: str, new: str) -> None:
        """Let a room's log go by another name."""
        self.entries = [e._replace(room=new) if e.room == old else e for e in self.entries]
        if old in self._created:
            self._created[new] = self._created.pop(old)

    def decide(self, user_id: str, request: Request) -> Outcomes:
        if isinstance(request, Join) and not room_problem(request.room):
            self.open(request.room)
        return self.chat.decide(user_id, request)

    def ask(self, user_id: str, request: Request) -> Sequence[Delivery]:
        """All that it leads to; it must lead to one event, and nothing may be refused."""
        [event] = (
            o for o in self.decide(user_id, request) if not isinstance(o, AwayReply | Unheard)
        )
        assert not isinstance(event, Refused), event.why
        return self.happen(event)

    def enter(
        self,
        nick: str,
        *rooms: str,
        origin: Origin = NOWHERE,
        identity: str = "",
        key: str = "",
        address: str = "",
    ) -> None:
        self.happen(Arrived(nick, f"id-{nick}", origin, identity, key=key, address=address))
        for room in rooms:
            self.ask(f"id-{nick}", Join(room))

    def put(self, nick: str, room: str) -> None:
        """Into a room, whatever its modes say."""
        self.open(room)
        self.happen(Joined(self.chat.name(room), nick, f"id-{nick}"))

    def set(self, room: str, modes: str, *arguments: str) -> None:
        """The first member, who is its operator, sets modes of a room: ``+ik-l key``."""
        first = next(iter(self.chat.rooms[fold(room)].members))
        self.ask(first, SetModes(room, changes(modes, *arguments)))

    def make_operator(self, nick: str) -> None:
        self.happen(UserModesSet(nick, (Change(True, "o"),), f"id-{nick}"))

    def person(self, nick: str) -> Person:
        return self.chat.people[f"id-{nick}"]

    def depart(self, nick: str) -> Sequence[Delivery]:
        return self.happen(Departed(nick, f"id-{nick}"))

    def open(self, room: str) -> None:
        if fold(room) not in self.chat.rooms:
            said = [entry for entry in self.log(fold(room)) if isinstance(entry.event, Said)]
            recent = [entry for entry in said if not entry.event.status]  # type: ignore[union-attr]
            self.chat.open_room(self.state_from_log(room))
            self.chat.look_back(self.chat.rooms[fold(room)], recent)

    def close(self, room: str) -> str:
        """Returns the id of the entry."""
        self.happen(RoomClosed(self.chat.name(room)))
        return self.entries[-1].id

    def _new(self, room: str) -> RoomState:
        created = self._created.setdefault(fold(room), len(self.entries))
        return RoomState(room, created=created, flags=frozenset(self.room_modes))


def changes(modes: str, *arguments: str) -> tuple[Change, ...]:
    """``+bk-i mask key``, as changes."""
    left, result, add = list(arguments), [], True
    for char in modes:
        if char in "+-":
            add = char == "+"
        else:
            argued = char in "beIkov" or (char == "l" and add)
            result.append(Change(add, char, left.pop(0) if argued and left else ""))
    return tuple(result)


def refusal(outcomes: Outcomes) -> Refused:
    """The one refusal, if that is all that came of a request."""
    [refused] = outcomes
    assert isinstance(refused, Refused)
    return refused


def hearers(chat: Chat, delivery: Delivery) -> set[str]:
    in_rooms = (user_id for room in delivery.rooms for user_id in chat.rooms[room].members)
    return {*in_rooms, *delivery.people, *delivery.devices}


def heard(chat: Chat, deliveries: Iterable[Delivery]) -> list[tuple[object, set[str]]]:
    """What is shown to whom; what nobody is shown is left out."""
    found = [(delivery.shown, hearers(chat, delivery)) for delivery in deliveries]
    return [(shown, user_ids) for shown, user_ids in found if user_ids]
