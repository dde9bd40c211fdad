"""The rules of the chat, in two synchronous functions.

``decide`` judges a command and changes nothing; what it returns has not happened yet.
``apply`` changes the state by an event that has its place in the log, and says who hears it.
The log alone feeds ``apply``, so a room's state is a fold over its log: the same on every node,
the same after a restart.

Who hears what is decided in the ``_on_…`` methods below, and nowhere else.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from trio_chat.core.commands import (
    Join,
    Leave,
    ListMembers,
    ListRooms,
    Query,
    Rename,
    Request,
    Say,
    SetTopic,
    ShowTopic,
    Tell,
)
from trio_chat.core.events import (
    PEOPLE,
    Answer,
    Arrived,
    Delivery,
    Departed,
    Entered,
    Entry,
    Event,
    Joined,
    Left,
    Members,
    Refused,
    Renamed,
    Rooms,
    Said,
    Topic,
    TopicSet,
)
from trio_chat.core.names import fold, is_private, nick_problem, private_room, room_problem
from trio_chat.core.room import Person, Room, RoomState

TOPIC_MAX = 390  # characters: what fits an IRC line of 512 bytes beside its address


class Chat:
    """The state of the chat: people by id, rooms by folded name.

    ``replay`` is the number of messages that a newcomer is shown.
    """

    def __init__(self, *, replay: int) -> None:
        self.replay = replay
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, Room] = {}
        self.empty: set[str] = set()  # rooms that nobody is in
        self._by_nick: dict[str, Person] = {}

    def person(self, nick: str) -> Person | None:
        """Whoever has this nickname now."""
        return self._by_nick.get(fold(nick))

    def open_room(self, state: RoomState, recent: Iterable[Said] = ()) -> None:
        """Take up a room where its log left it; ``recent`` is what was said last, oldest first."""
        self.rooms[fold(state.name)] = Room(state, deque(recent, maxlen=self.replay))
        self.empty.add(fold(state.name))

    def close_room(self, room: str) -> None:
        """Forget a room that nobody is in, by its folded name."""
        self.empty.remove(room)
        del self.rooms[room]

    def is_heard(self, log: str) -> bool:
        """Whether anybody hears of what goes into a log: a room's, or that of a room of two."""
        if is_private(log):
            return all(name in self._by_nick for name in log.split(","))
        return log in self.rooms and bool(self.rooms[log].members)

    # ── decide: may they? ──────────────────────────────────────────────────────────────────

    def decide(self, who: str, request: Request) -> Event | Refused:
        """The event that this would be. ``who`` must be here, and a room to join open."""
        person = self.people[who]
        match request:
            case Say(room, text, action):
                return self._in_room(person, room) or Said(
                    self._name(room), person.nick, text, who, action
                )
            case Tell(nick, text):
                return self._decide_tell(person, nick, text)
            case Join(room):
                return self._decide_join(person, room)
            case Leave(room):
                return self._in_room(person, room) or Left(self._name(room), person.nick, who)
            case Rename(nick):
                return self._decide_rename(person, nick)
            case SetTopic(room, text):
                return self._decide_topic(person, room, text)

    def _decide_tell(self, person: Person, nick: str, text: str) -> Event | Refused:
        if (other := self.person(nick)) is None:
            return Refused(f"Nobody here is called {nick}.")
        room = private_room(person.nick, other.nick)
        return Said(room, person.nick, text, person.who, to=other.nick, to_who=other.who)

    def _decide_join(self, person: Person, room: str) -> Event | Refused:
        if problem := room_problem(room):
            return Refused(problem)
        if fold(room) in person.rooms:
            return Refused(f"You are in {self._name(room)} already.")
        return Joined(self._name(room), person.nick, person.who)

    def _decide_rename(self, person: Person, nick: str) -> Event | Refused:
        """Whether somebody has the nickname is not asked: the caller has claimed it."""
        if problem := nick_problem(nick):
            return Refused(problem)
        if nick == person.nick:
            return Refused(f"You are {nick} already.")
        return Renamed(person.nick, nick, person.who)

    def _decide_topic(self, person: Person, room: str, text: str) -> Event | Refused:
        if len(text) > TOPIC_MAX:
            return Refused(f"That topic has {len(text)} characters; {TOPIC_MAX} is the most.")
        return self._in_room(person, room) or TopicSet(
            self._name(room), person.nick, text, person.who
        )

    def _in_room(self, person: Person, room: str) -> Refused | None:
        if fold(room) in person.rooms:
            return None
        return Refused(f"You are not in {room or 'any room'}.")

    def _name(self, room: str) -> str:
        """The room's name as its first member wrote it."""
        return self.rooms[fold(room)].state.name

    # ── apply: it happened; who hears it? ──────────────────────────────────────────────────

    def apply(self, entry: Entry) -> Sequence[Delivery]:
        """Change the state by an entry of the log, and say who hears it."""
        match event := entry.event:
            case Said():
                return self._on_said(event)
            case Joined():
                return self._on_joined(event)
            case Left():
                return self._on_left(event)
            case TopicSet():
                return self._on_topic_set(event, entry)
            case Arrived():
                return self._on_arrived(event)
            case Renamed():
                return self._on_renamed(event)
            case Departed():
                return self._on_departed(event)

    def _on_said(self, said: Said) -> Sequence[Delivery]:
        """In a room: everybody in it, the speaker included. In private: the two of them."""
        if said.to:
            return [Delivery(said, people=tuple(dict.fromkeys((said.who, said.to_who))))]
        room = fold(said.room)
        self.rooms[room].recent.append(said)
        return [Delivery(said, rooms=(room,))]

    def _on_joined(self, joined: Joined) -> Sequence[Delivery]:
        """Everybody in the room, and the newcomer, who then is shown the room itself."""
        name = fold(joined.room)
        room, person = self.rooms.get(name), self.people[joined.who]
        if room is None:  # whoever asked was cut off, and the room closed for want of anybody
            return []
        entered = Entered(
            room.state.name,
            person.nick,
            others=len(room.members),
            first=not person.rooms,
            topic=room.state.topic,
            recent=tuple(room.recent),
        )
        room.members[person.who] = person
        person.rooms[name] = None
        self.empty.discard(name)
        return [Delivery(joined, rooms=(name,)), Delivery(entered, people=(person.who,))]

    def _on_left(self, left: Left) -> Sequence[Delivery]:
        """Everybody who stays."""
        name = fold(left.room)
        self._remove(self.people[left.who], name)
        return [Delivery(left, rooms=(name,))]

    def _on_topic_set(self, event: TopicSet, entry: Entry) -> Sequence[Delivery]:
        """Everybody in the room."""
        name = fold(event.room)
        room = self.rooms[name]
        room.state = after(room.state, entry)
        return [Delivery(event, rooms=(name,))]

    def _on_arrived(self, arrived: Arrived) -> Sequence[Delivery]:
        """Nobody: they are in no room yet."""
        person = Person(arrived.who, arrived.nick)
        self.people[person.who] = self._by_nick[fold(person.nick)] = person
        return []

    def _on_renamed(self, renamed: Renamed) -> Sequence[Delivery]:
        """They themselves, and everybody who shares a room with them, once."""
        person = self.people[renamed.who]
        del self._by_nick[fold(person.nick)]
        person.nick = renamed.to
        self._by_nick[fold(person.nick)] = person
        return [Delivery(renamed, rooms=tuple(person.rooms), people=(person.who,))]

    def _on_departed(self, departed: Departed) -> Sequence[Delivery]:
        """Everybody who shared a room with them, once."""
        person = self.people.pop(departed.who, None)
        if person is None:  # their arrival was cut off before it had a place
            return []
        del self._by_nick[fold(person.nick)]
        rooms = tuple(person.rooms)
        for room in rooms:
            self._remove(person, room)
        return [Delivery(departed, rooms=rooms)]

    def _remove(self, person: Person, room: str) -> None:
        del person.rooms[room]
        members = self.rooms[room].members
        del members[person.who]
        if not members:
            self.empty.add(room)

    # ── answer: how do things stand? ───────────────────────────────────────────────────────

    def answer(self, query: Query) -> Answer:
        """Look something up. Every room is open to be looked at."""
        match query:
            case ListMembers(room) | ShowTopic(room) if fold(room) not in self.rooms:
                return Refused(
                    f"There is nobody in {room}." if room else "You are not in any room."
                )
            case ListMembers(room):
                people = self.rooms[fold(room)].members.values()
                nicks = sorted((person.nick for person in people), key=fold)
                return Members(self._name(room), tuple(nicks))
            case ShowTopic(room):
                return Topic(self._name(room), self.rooms[fold(room)].state.topic)
            case ListRooms():
                rooms = [room for room in self.rooms.values() if room.members]
                rooms.sort(key=lambda room: (-len(room.members), room.state.name))
                return Rooms(tuple((r.state.name, len(r.members), r.state.topic) for r in rooms))


def after(state: RoomState, entry: Entry) -> RoomState:
    """A room's state after one more entry of its log: the step of the fold."""
    if isinstance(event := entry.event, TopicSet):
        return replace(state, topic=event.text, barrier=entry.id)
    return state


def mover(event: Event) -> str:
    """The id of whoever this brings into a room or out of it; empty if it moves nobody."""
    return event.who if isinstance(event, Joined | Left | Departed) else ""


def is_barrier(event: Event) -> bool:
    """Whether the judgement of later commands depends on this event."""
    return isinstance(event, TopicSet)


def log_of(event: Event) -> str:
    """The log that an event belongs to: its room's, or the one of people."""
    match event:
        case Said() | Joined() | Left() | TopicSet():
            return fold(event.room)
        case Arrived() | Renamed() | Departed():
            return PEOPLE
