"""The subscribers of each room, sorted for posting.

Nearly all members of a room get the same bytes. So they are grouped once: a message to a thousand
people looks at a thousand outboxes, and at nothing else of theirs. When somebody comes, goes,
moves, or is written to in another dialect, one group in each of their rooms is made anew. When
many of a room do, its groups are forgotten, and made when they are next needed.
"""

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from trio_chat.core.accounts import account_of, came_by_token
from trio_chat.core.chat import Chat
from trio_chat.core.events import Event
from trio_chat.core.room import Person
from trio_chat.core.views import Refused
from trio_chat.protocols.session import Dialect, OwnDialect
from trio_chat.server.counts import Ending
from trio_chat.server.outbox import Outbox

#: The most outboxes in a group: posting to all of them takes 0.8 ms, at 8 µs each.
GROUP = 100

#: To keep up with a move costs as much as to list so many members anew.
MOVE = 10

#: Outboxes that are written to in one dialect; each is found at once.
Group = tuple[Dialect, Mapping[Outbox, None]]


async def _yes() -> bool:
    return True


class End(Protocol):
    """Ends a connection: the reason for the log, and the peer's last words, as for a refusal."""

    def __call__(
        self, ending: Ending, reason: str, words: str, refused: Refused | None = None, /
    ) -> None: ...


def _nothing(event: Event) -> None:
    return


@dataclass(frozen=True, slots=True)
class Before:
    """Whom somebody was who has become somebody else: the identity of a ``guest``, or empty; and
    the ids of the events by which they had ``entered`` the rooms where they were, as rooms may be
    renamed.
    """

    guest: str
    entered: frozenset[str]


@dataclass(slots=True)
class Subscriber:
    """A connection of this server, by its ``id``, and whom it speaks for: ``user_id``.

    ``dialect`` is how it is written to, ``own`` how it is shown its own actions, if
    differently. ``end`` ends it. ``source`` is where it comes
    from, at which ``address``; ``nick`` is the nickname by which it was let in, if it was, and
    once it has gone, the last one. ``is_there`` asks the peer whether it still is,
    ``on_renamed(room, to)`` is told that a room of theirs has another name, ``on_done(event)`` what
    the same person has done on another connection. Before they are let in, ``key`` is the
    hash of the secret that they have shown, if any; ``account`` the one that they have logged in to
    by its password, which is named by ``password_id``. Who has become somebody else is
    ``unsettled`` until all that hangs on that is done. ``sent`` are the ids of the messages that it
    was sent of those that wait for its owner (``box.Box``), until the peer is known to have got
    them; ``has_all`` says whether the peer's system has got all that the connection was sent. An
    ``outsider`` is an operator of the server who is not in the chat, and is shown nothing but
    answers.
    """

    id: str
    outbox: Outbox
    dialect: Dialect
    own: OwnDialect | None = None
    end: End = lambda ending, reason, words, refused=None: None
    source: str = ""
    nick: str = ""
    key: str = ""
    account: str = ""
    password_id: int = 0
    unsettled: Before | None = None
    outsider: Person | None = None
    is_there: Callable[[], Awaitable[bool]] = _yes
    address: str = ""
    on_renamed: Callable[[str, str], None] = lambda room, to: None
    on_done: Callable[[Event], None] = _nothing
    user_id: str = ""
    sent: deque[str] | tuple[()] = ()
    has_all: Callable[[], bool] = lambda: True

    def __post_init__(self) -> None:
        self.user_id = self.user_id or self.id

    def person(self, chat: Chat) -> Person:
        """The person that it speaks for, also one who is not in the chat."""
        return self.stand_in(chat) or chat.people[self.user_id]

    def stand_in(self, chat: Chat) -> Person | None:
        """Who asks what comes from here, if that is not the person who is in the chat.

        An operator's token makes no operator of a connection: for it its owner is none.
        """
        person = chat.people.get(self.user_id)
        if self.outsider or person is None or not person.is_operator:
            return self.outsider
        account = account_of(chat, person)
        if account is None or not came_by_token(account, person.device(self.id)):
            return None
        return replace(person, modes=person.modes.replace("o", ""))


@dataclass(frozen=True, slots=True)
class Audience:
    """The subscribers in a room: ``everyone``, and the same people divided.

    ``only_here`` are those in no other room, ``elsewhere_too`` those who are in others as well, by
    the ids of their connections. It never changes: somebody may be going round it.
    """

    everyone: Sequence[Group]
    only_here: Sequence[Group]
    elsewhere_too: Mapping[str, tuple[Subscriber, Person]]

    @property
    def size(self) -> int:
        """The number of connections."""
        return sum(len(outboxes) for _, outboxes in self.everyone)


@dataclass(frozen=True, slots=True)
class _Place:
    """A connection's place in the audiences of its owner's rooms."""

    subscriber: Subscriber
    person: Person
    dialect: Dialect
    rooms: frozenset[str]

    @property
    def elsewhere_too(self) -> bool:
        return len(self.rooms) > 1


#: A connection's place before, and now; None if it is not here any more.
_Move = tuple[_Place, _Place | None]


class Audiences:
    """The audience of each room, worked out when first needed, and kept up as people move.

    ``subscribers`` are those on this server, by id; new ones show no room yet. Whoever removes one,
    lets it show other rooms, or changes its dialect must call ``moves`` before, or connections are
    posted to that have gone.
    """

    def __init__(self, chat: Chat, subscribers: Mapping[str, Subscriber]) -> None:
        self._chat, self._subscribers = chat, subscribers
        self._known: dict[str, Audience] = {}
        self._moving: dict[str, _Place] = {}  # by id, where they were

    def moves(self, id: str) -> None:
        """Note that a connection is about to come, go, or be written to in another dialect."""
        if id not in self._moving and (place := self._place(id)):
            self._moving[id] = place

    def of_person(self, user_id: str) -> Sequence[Subscriber]:
        """The connections here of somebody who is in the chat."""
        person, known = self._chat.people.get(user_id), self._subscribers
        return [known[one.id] for one in person.devices if one.id in known] if person else ()

    def members(self, room: str) -> Sequence[str]:
        """The ids of the people in a room."""
        found = self._chat.room(room)
        return tuple(found.members) if found else ()

    def here(self, id: str) -> tuple[Subscriber, Person] | None:
        """A subscriber and its person; None unless that is in the chat, on this connection."""
        if (subscriber := self._subscribers.get(id)) is None:
            return None
        person = self._chat.people.get(subscriber.user_id)
        return (subscriber, person) if person and person.is_on(id) else None

    def of(self, room: str) -> Audience:
        """The audience of a room (folded); empty if the room is not open."""
        if self._moving:
            self._catch_up()
        audience = self._known.get(room)
        if audience is None:
            audience = self._find(room)
            if audience.everyone:
                self._known[room] = audience
        return audience

    def _place(self, id: str) -> _Place | None:
        if (subscriber := self._subscribers.get(id)) is None:
            return None
        if (person := self._chat.people.get(subscriber.user_id)) is None:
            return None
        return _Place(subscriber, person, subscriber.dialect, frozenset(person.shown_on(id)))

    def _catch_up(self) -> None:
        moves: dict[str, list[_Move]] = defaultdict(list)
        for id, before in self._moving.items():
            after = self._place(id)
            for room in _concerned(before, after) & self._known.keys():
                moves[room].append((before, after))
        self._moving.clear()
        for room, some in moves.items():
            audience = self._known.pop(room)
            if len(some) * MOVE < audience.size:
                self._known[room] = _moved(audience, room, some)

    def _find(self, room: str) -> Audience:
        members = self._chat.rooms[room].members if room in self._chat.rooms else {}
        known = self._subscribers
        here = {
            one.id: (known[one.id], person)
            for person in members.values()
            for one in person.devices
            if one.id in known and one.shows(room)
        }
        everyone = _groups(subscriber for subscriber, _ in here.values())
        elsewhere_too = {id: found for id, found in here.items() if len(found[1].shown_on(id)) > 1}
        if not elsewhere_too:
            return Audience(everyone, everyone, {})
        only_here = _groups(found[0] for id, found in here.items() if id not in elsewhere_too)
        return Audience(everyone, only_here, elsewhere_too)


def _concerned(before: _Place, after: _Place | None) -> frozenset[str]:
    """The rooms in whose audiences somebody's place has changed."""
    if after is None:
        return before.rooms
    if before.dialect is after.dialect and before.elsewhere_too is after.elsewhere_too:
        return before.rooms ^ after.rooms
    return before.rooms | after.rooms


def _moved(audience: Audience, room: str, moves: Sequence[_Move]) -> Audience:
    """The audience of a room after these moves; groups that they do not concern are the same."""
    everyone, only_here = [*audience.everyone], [*audience.only_here]
    elsewhere_too = {**audience.elsewhere_too}
    for before, after in moves:
        if room in before.rooms:
            _remove(everyone, before)
            if not elsewhere_too.pop(before.subscriber.id, None):
                _remove(only_here, before)
        if after and room in after.rooms:
            _add(everyone, after)
            if after.elsewhere_too:
                elsewhere_too[after.subscriber.id] = after.subscriber, after.person
            else:
                _add(only_here, after)
    return Audience(everyone, only_here if elsewhere_too else everyone, elsewhere_too)


def _add(groups: list[Group], place: _Place) -> None:
    dialect, outbox = place.dialect, place.subscriber.outbox
    for number, (of, outboxes) in enumerate(groups):
        if of is dialect and len(outboxes) < GROUP:
            groups[number] = dialect, {**outboxes, outbox: None}
            return
    groups.append((dialect, {outbox: None}))


def _remove(groups: list[Group], place: _Place) -> None:
    dialect, outbox = place.dialect, place.subscriber.outbox
    number = next(number for number, group in enumerate(groups) if outbox in group[1])
    rest = {other: None for other in groups.pop(number)[1] if other is not outbox}
    if not rest:
        return
    of, neighbours = groups[number - 1] if number else (None, {})
    if of is dialect and len(neighbours) + len(rest) <= GROUP:
        groups[number - 1] = dialect, {**neighbours, **rest}
    else:
        groups.insert(number, (dialect, rest))


def _groups(subscribers: Iterable[Subscriber]) -> Sequence[Group]:
    outboxes: dict[Dialect, list[Outbox]] = defaultdict(list)
    for subscriber in subscribers:
        outboxes[subscriber.dialect].append(subscriber.outbox)
    return [
        (dialect, dict.fromkeys(some[begin : begin + GROUP]))
        for dialect, some in outboxes.items()
        for begin in range(0, len(some), GROUP)
    ]
