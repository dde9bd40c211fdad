"""The status of a server, for those who run it: its state in a word, metrics and statistics."""

from collections import Counter
from collections.abc import Callable, Mapping, Sized
from typing import NamedTuple

from trio_chat.core.devices import node_of
from trio_chat.core.views import Nodes, NodeView, Stats
from trio_chat.protocols.metrics import Value
from trio_chat.server.hub import Hub
from trio_chat.server.metrics import memory, of_chat, of_nodes, of_store, version
from trio_chat.server.operations import log_level
from trio_chat.settings import Settings
from trio_chat.storage.base import Log

# A store that has done nothing of what it was asked for so long hangs. Somebody else who writes to
# the file may hold it up for five seconds.
_HANGS = 10.0  # seconds


class Figures(NamedTuple):
    """How many are here."""

    people: int
    rooms: int
    connections: int


class Status:
    """The status of a server that has run since ``started`` (unix time in seconds).

    ``phase`` gives a word while the server does not let people in, otherwise nothing. ``late`` is
    how many seconds a task that was due had to wait for others the last time.
    """

    def __init__(
        self,
        hub: Hub,
        log: Log,
        connections: Sized,
        settings: Callable[[], Settings],
        phase: Callable[[], str],
        started: float,
    ) -> None:
        self._hub, self._log, self._connections = hub, log, connections
        self._settings, self._phase, self._started = settings, phase, started
        self.late = 0.0

    @property
    def figures(self) -> Figures:
        """How many are here now; a room counts if somebody is in it."""
        chat = self._hub.chat
        rooms = len(chat.rooms) - len(chat.empty)
        return Figures(len(chat.people), rooms, len(self._connections))

    @property
    def node(self) -> str:
        """The name of this server among those that are one chat; empty if there are no others."""
        membership = self._log.membership
        return membership.names.get(self._log.node, "") if membership else ""

    @property
    def state(self) -> str:
        """``ok``, or in a word why nobody should be sent here."""
        if phase := self._phase():
            return phase
        store = self._log.condition
        if store.is_failing and self._settings().history.on_failure == "refuse":
            return "store-failing"
        if store.waited > _HANGS:
            return "store-hanging"
        membership = self._log.membership
        return "ok" if membership is None or membership.is_up else "engine-away"

    def ready(self) -> str:
        """The same; it also lets the store give a sign of life, which the next answer tells of."""
        self._log.probe()
        return self.state

    def values(self) -> Mapping[str, Value]:
        """The values of all metrics of this server; the store gives a sign of life, as above."""
        self._log.probe()
        counts, condition = self._hub.counts, self._log.condition
        return {
            **of_chat(*self.figures, counts),
            **of_store(counts.appends.buckets, condition),
            **of_nodes(self._log.membership),
        }

    def stats(self) -> Stats:
        """How it is, for its operators."""
        counts, store, chat = self._hub.counts, self._log.condition, self._hub.chat
        refused = Counter({code.name.lower(): number for code, number in counts.refused.items()})
        people, rooms, here = self.figures
        protocols = counts.connections + Counter(unknown=here - counts.connections.total())
        return Stats(
            version=version(),
            began=round(self._started * 1000),
            now=self._hub.now(),
            state=self.state,
            locked=chat.realm.lock is not None,
            people=people,
            rooms=rooms,
            connections=tuple(protocols.most_common()),
            said=(counts.said["room"], counts.said["private"]),
            refused=tuple(refused.most_common()),
            waiting=counts.waiting,
            memory=memory(),
            stored=store.bytes,
            failing=store.is_failing,
            late=self.late,
            level=log_level(),
            node=self.node,
        )

    def nodes(self) -> Nodes | None:
        """The servers that are one chat; None if this is one of its own."""
        if (membership := self._log.membership) is None:
            return None
        people, connections = Counter[str](), Counter[str]()
        for person in self._hub.chat.people.values():
            on = Counter(node_of(device.id) for device in person.devices)
            connections += on
            people.update(on.keys())
        nodes = tuple(
            NodeView(
                n.id, n.name, n.since, n.beat, people[n.id], connections[n.id],
                is_this=n.id == self._log.node,
            )
            for n in membership.nodes
        )  # fmt: skip
        return Nodes(self._hub.now(), nodes, membership.is_up, membership.behind)

    async def store_settled(self) -> None:
        """Wait until the store has dealt with all that was asked of it before."""
        await self._log.settled()
