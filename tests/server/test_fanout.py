"""Whoever is posted to in a circle gets everything once and in order, wherever it joined in."""

from collections import defaultdict
from itertools import count

import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.chat import Chat
from trio_chat.core.events import PEOPLE, Arrived, Joined, Said, TopicSet
from trio_chat.core.room_state import RoomState
from trio_chat.protocols.plain.server import plain_dialect
from trio_chat.server.audience import GROUP, Audience, Subscriber
from trio_chat.server.broadcaster import Broadcaster
from trio_chat.server.counts import Counts
from trio_chat.server.fanout import FanOut
from trio_chat.server.hub import Hub
from trio_chat.storage.base import START
from trio_chat.storage.memory import MemoryLog
from wires import Kept

DIALECTS = [plain_dialect("ascii"), plain_dialect("utf-8")]


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    acts=st.lists(st.one_of(st.just("step"), st.sets(st.integers(0, 8))), max_size=30),
)
def test_everybody_gets_all_that_joined_in_its_order(
    sizes: list[int], acts: list[str | set[int]]
) -> None:
    """An act is a step, or a joining in which some (by number) get a part of their own."""
    groups = [(DIALECTS[n % 2], [Kept() for _ in range(size)]) for n, size in enumerate(sizes)]
    members = [(dialect, outbox) for dialect, some in groups for outbox in some]
    stranger = Kept()
    counts = Counts()
    going = FanOut(Audience(groups, groups, ()), counts)  # type: ignore[arg-type]
    expected: dict[Kept, bytes] = defaultdict(bytes)
    ids, arrived = (f"{n:03}" for n in count(1)), [START]
    last = START

    def step() -> None:
        going.step()
        if id := going.arrived():
            assert id > arrived[-1]
            arrived.append(id)

    for act in acts:
        if isinstance(act, str):
            if not going.is_over:
                step()
            continue
        last = next(ids)
        common = {d: f"{last}{'au'[n]} ".encode() for n, d in enumerate(DIALECTS)}
        own = {members[n][1]: f"own{last} ".encode() for n in act if n < len(members)}
        own[stranger] = f"own{last} ".encode()
        going.join(common, own, last)  # type: ignore[arg-type]
        for dialect, outbox in [*members, (DIALECTS[0], stranger)]:
            expected[outbox] += own.get(outbox, common[dialect])
    while not going.is_over:
        step()
    assert arrived[-1] == last
    assert all(outbox.data == expected[outbox] for _, outbox in members)
    assert stranger.data == expected[stranger]
    assert counts.sent == sum(map(len, expected.values()))
    assert counts.deliveries == sum(data.count(b" ") for data in expected.values())


async def test_what_is_said_during_a_long_round_joins_it() -> None:
    """A message that comes when one is half round needs no round of its own: one and a half will do
    for both. A topic, which is a barrier, and a newcomer, who ends the round, come in order too.
    """
    log = MemoryLog(per_room=100_000, total_bytes=1_000_000_000, rooms=10)
    hub = Hub(Chat(replay=0), log, max_rooms=10)
    hub.chat.open_room(RoomState("#room"))
    members = 20 * GROUP
    outboxes = [Kept() for _ in range(members + 1)]

    def posts() -> int:
        return sum(outbox.posts for outbox in outboxes)

    async def come(number: int) -> None:
        user_id = str(number)
        hub.subscribers[user_id] = Subscriber(user_id, outboxes[number], DIALECTS[1])
        await log.append(PEOPLE, [Arrived(f"n{number}", user_id)])
        await log.append("#room", [Joined("#room", f"n{number}", user_id)])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(Broadcaster(hub, log, nursery.cancel_scope.cancel).run)
        for number in range(members):
            await come(number)
        await trio.testing.wait_all_tasks_blocked()
        for outbox in outboxes:
            outbox.data, outbox.posts = b"", 0
        await log.append("#room", [Said("#room", "n0", "one", "0")])
        while posts() < members // 2:
            await trio.lowlevel.checkpoint()
        await log.append("#room", [Said("#room", "n0", "two", "0")])
        await trio.testing.wait_all_tasks_blocked()
        assert members < posts() < 1.6 * members
        await log.append("#room", [Said("#room", "n0", "three", "0")])
        await log.append("#room", [TopicSet("#room", "n0", "tea", "0")])
        await come(members)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    expected = f"n0: one\nn0: two\nn0: three\n*** n0 set the topic: tea\nn{members} joined!\n"
    assert {outbox.data.decode() for outbox in outboxes[:-1]} == {expected}
