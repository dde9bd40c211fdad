"""Who hears what happens in a room, sorted for posting.

Nearly all members of a room get the same bytes. So who they are is worked out once, and kept until
somebody comes, goes, moves, or is written to in another way: a message to a thousand people looks
at a thousand outboxes, and at nothing else of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trio_chat.core.chat import Chat
from trio_chat.core.room import Person
from trio_chat.protocols.session import Dialect, OwnDialect
from trio_chat.server.outbox import Outbox

#: The most outboxes in a group: to post to all of them takes 0.8 ms, at 8 µs each.
GROUP = 100

#: Some who are written to in one way.
Group = tuple[Dialect, Sequence[Outbox]]


@dataclass(slots=True)
class Listener:
    """Somebody on a connection of this server; ``looks`` are those of the nicknames that they hold,
    ``source`` is where they come from.

    ``own`` is how they are shown what they have done themselves, if that may be another way;
    ``end(reason, last_words)`` ends their connection.
    """

    who: str
    outbox: Outbox
    dialect: Dialect
    own: OwnDialect | None = None
    end: Callable[[str, str], None] = lambda reason, words: None
    source: str = ""
    nick: str = ""
    looks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """``everyone`` in a room; and the same people apart: those ``only_here``, and those who are in
    other rooms too."""

    everyone: Sequence[Group]
    only_here: Sequence[Group]
    elsewhere_too: Sequence[tuple[Listener, Person]]


class Audiences:
    def __init__(self, chat: Chat, listeners: Mapping[str, Listener]) -> None:
        self._chat, self._listeners = chat, listeners
        self._known: dict[str, Audience] = {}

    def forget(self) -> None:
        """Somebody came, went, moved, or is written to in another way."""
        self._known.clear()

    def person(self, who: str) -> tuple[Listener, Person] | None:
        """Somebody who is in the chat and listens here."""
        listener, person = self._listeners.get(who), self._chat.people.get(who)
        return (listener, person) if listener and person else None

    def of(self, room: str) -> Audience:
        audience = self._known.get(room)
        if audience is None:
            audience = self._known[room] = self._find(room)
        return audience

    def _find(self, room: str) -> Audience:
        members = self._chat.rooms[room].members if room in self._chat.rooms else ()
        here = [found for who in members if (found := self.person(who))]
        elsewhere_too = [(listener, person) for listener, person in here if len(person.rooms) > 1]
        everyone = _groups(listener for listener, _ in here)
        if not elsewhere_too:
            return Audience(everyone, everyone, ())
        only_here = _groups(listener for listener, person in here if len(person.rooms) == 1)
        return Audience(everyone, only_here, elsewhere_too)


def _groups(listeners: Iterable[Listener]) -> Sequence[Group]:
    outboxes: dict[Dialect, list[Outbox]] = defaultdict(list)
    for listener in listeners:
        outboxes[listener.dialect].append(listener.outbox)
    return [
        (dialect, some[begin : begin + GROUP])
        for dialect, some in outboxes.items()
        for begin in range(0, len(some), GROUP)
    ]
