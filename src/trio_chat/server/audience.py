"""The subscribers of each room, sorted for posting.

Nearly all members of a room get the same bytes. So they are grouped once, and kept until somebody
comes, goes, moves, or is written to in another dialect: a message to a thousand people looks at a
thousand outboxes, and at nothing else of theirs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trio_chat.core.chat import Chat
from trio_chat.core.room import Person
from trio_chat.protocols.session import Dialect, OwnDialect
from trio_chat.server.outbox import Outbox

#: The most outboxes in a group: posting to all of them takes 0.8 ms, at 8 µs each.
GROUP = 100

#: Outboxes that are written to in one dialect.
Group = tuple[Dialect, Sequence[Outbox]]


@dataclass(slots=True)
class Subscriber:
    """Somebody on a connection of this server.

    ``dialect`` is how they are written to, ``own`` how they are shown their own actions, if
    differently. ``end(reason, last_words)`` ends their connection. ``source`` is where they come
    from, ``looks`` are those of the nicknames that they hold (``nicknames.Nicknames``).
    """

    user_id: str
    outbox: Outbox
    dialect: Dialect
    own: OwnDialect | None = None
    end: Callable[[str, str], None] = lambda reason, words: None
    source: str = ""
    nick: str = ""
    looks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """The subscribers in a room: ``everyone``, and the same people divided.

    ``only_here`` are those in no other room, ``elsewhere_too`` those who are in others as well.
    """

    everyone: Sequence[Group]
    only_here: Sequence[Group]
    elsewhere_too: Sequence[tuple[Subscriber, Person]]


class Audiences:
    """The audience of each room, worked out when first needed and kept until ``forget``.

    ``subscribers`` are those on this server, by id. Whoever adds or removes a subscriber, moves a
    person, or changes a dialect must call ``forget``, or people are posted to who have gone.
    """

    def __init__(self, chat: Chat, subscribers: Mapping[str, Subscriber]) -> None:
        self._chat, self._subscribers = chat, subscribers
        self._known: dict[str, Audience] = {}

    def forget(self) -> None:
        """Forget all audiences: somebody came, went, moved, or is written to in another dialect."""
        self._known.clear()

    def person(self, user_id: str) -> tuple[Subscriber, Person] | None:
        """A subscriber and their person; None unless they are in the chat, and here."""
        subscriber, person = self._subscribers.get(user_id), self._chat.people.get(user_id)
        return (subscriber, person) if subscriber and person else None

    def of(self, room: str) -> Audience:
        """The audience of a room (folded); empty if the room is not open."""
        audience = self._known.get(room)
        if audience is None:
            audience = self._known[room] = self._find(room)
        return audience

    def _find(self, room: str) -> Audience:
        members = self._chat.rooms[room].members if room in self._chat.rooms else ()
        here = [found for user_id in members if (found := self.person(user_id))]
        elsewhere_too = [
            (subscriber, person) for subscriber, person in here if len(person.rooms) > 1
        ]
        everyone = _groups(subscriber for subscriber, _ in here)
        if not elsewhere_too:
            return Audience(everyone, everyone, ())
        only_here = _groups(subscriber for subscriber, person in here if len(person.rooms) == 1)
        return Audience(everyone, only_here, elsewhere_too)


def _groups(subscribers: Iterable[Subscriber]) -> Sequence[Group]:
    outboxes: dict[Dialect, list[Outbox]] = defaultdict(list)
    for subscriber in subscribers:
        outboxes[subscriber.dialect].append(subscriber.outbox)
    return [
        (dialect, some[begin : begin + GROUP])
        for dialect, some in outboxes.items()
        for begin in range(0, len(some), GROUP)
    ]
