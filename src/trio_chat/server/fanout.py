"""The long fan-out: the members of a large room are posted to in a circle.

A message to thousands takes many milliseconds. What is said in the room meanwhile does not wait for
the end: it joins where the round is, and everybody gets all that they lack with one post. So under
load each member is posted to once per round, however many people speak, and nobody waits for two
rounds.
"""

from collections import deque
from collections.abc import Mapping

from trio_chat.protocols.session import Dialect
from trio_chat.server.audience import Audience
from trio_chat.server.counts import Counts
from trio_chat.server.outbox import Outbox, post_to


class FanOut:
    """One going round a room's audience, group by group, until nobody lacks anything.

    Call ``step`` until ``is_over``; ``join`` something more at any time. The audience must not
    change while it goes: then finish it, and begin another.
    """

    def __init__(self, audience: Audience, counts: Counts) -> None:
        self._counts = counts
        self._groups = audience.everyone
        self._lacking: list[deque[_Part]] = [deque() for _ in self._groups]  # by each group
        self._steps = 0
        self._ends: deque[tuple[int, str, int]] = deque()  # at which step, which id, how many bytes

    @property
    def size(self) -> int:
        """The bytes that are on their way round."""
        return sum(size for _, _, size in self._ends)

    @property
    def is_over(self) -> bool:
        """Whether everybody has been posted everything."""
        return not self._ends

    def join(
        self, common: Mapping[Dialect, bytes], own: Mapping[Outbox, bytes], id: str, events: int = 1
    ) -> None:
        """Let something more go round: ``common`` by dialect, ``own`` for those who get another.

        It has so many ``events``, of which the last one has this ``id``. Owners who are not in the
        audience are posted to at once.
        """
        for outbox, data in own.items():
            if not any(outbox in outboxes for _, outboxes in self._groups):
                outbox.post(data)
                self._counts.posted(1, events, len(data))
        part = _Part(common, own, events)
        for lacking in self._lacking:
            lacking.append(part)
        size = max(map(len, common.values()), default=0)
        self._ends.append((self._steps + len(self._groups), id, size))

    def step(self) -> int:
        """Post to the next group what it lacks; returns the number of posts."""
        place = self._steps % len(self._groups)
        self._steps += 1
        parts = self._lacking[place]
        if not parts:
            return 0
        dialect, outboxes = self._groups[place]
        data = b"".join([part.common[dialect] for part in parts])
        self._counts.posted(len(outboxes), sum(part.events for part in parts), len(data))
        special = {outbox for part in parts for outbox in part.own if outbox in outboxes}
        for outbox in special:
            own = b"".join([part.own.get(outbox, part.common[dialect]) for part in parts])
            outbox.post(own)
            self._counts.sent += len(own) - len(data)
        post_to([one for one in outboxes if one not in special] if special else outboxes, data)
        parts.clear()
        return len(outboxes)

    def arrived(self) -> str:
        """The id up to which everybody now has everything, if that has changed; otherwise empty."""
        id = ""
        while self._ends and self._ends[0][0] <= self._steps:
            _, id, _ = self._ends.popleft()
        return id


class _Part:
    __slots__ = ("common", "events", "own")

    def __init__(
        self, common: Mapping[Dialect, bytes], own: Mapping[Outbox, bytes], events: int
    ) -> None:
        self.common, self.own, self.events = common, own, events
