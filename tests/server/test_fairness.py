"""A long fan-out, or a chatty connection, lets the others have their turns: counted, not timed."""

from typing import Any

import pytest
import trio
import trio.testing

from irc_peers import IrcPeer
from peers import running, settings
from trio_chat.core.chat import Chat
from trio_chat.core.events import PEOPLE, Arrived, Joined, Said
from trio_chat.core.room_state import RoomState
from trio_chat.protocols.plain.server import PlainDialect, plain_dialect
from trio_chat.server.audience import GROUP, Subscriber
from trio_chat.server.broadcaster import Broadcaster
from trio_chat.server.hub import Hub
from trio_chat.server.transport import Link
from trio_chat.storage.memory import MemoryLog
from wires import Kept

MEMBERS = 20 * GROUP
ROOM = "#room"


async def test_a_long_fan_out_lets_other_tasks_run_every_few_hundred_posts() -> None:
    log = MemoryLog(per_room=100_000, total_bytes=1_000_000_000, rooms=10)
    hub = Hub(Chat(replay=0), log, max_rooms=10)
    hub.chat.open_room(RoomState(ROOM))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Broadcaster(hub, log, nursery.cancel_scope.cancel).run)
        outboxes = [Kept() for _ in range(MEMBERS)]
        for number, outbox in enumerate(outboxes):
            user_id, nick = str(number), f"n{number}"
            hub.subscribers[user_id] = Subscriber(user_id, outbox, plain_dialect("utf-8"))
            await log.append(PEOPLE, [Arrived(nick, user_id)])
            await log.append(ROOM, [Joined(ROOM, nick, user_id)])
        await trio.testing.wait_all_tasks_blocked()
        assert len(hub.chat.rooms[ROOM].members) == MEMBERS

        def posts() -> int:
            return sum(outbox.posts for outbox in outboxes)

        most, at_first = 0, posts()
        await log.append(ROOM, [Said(ROOM, "n0", "hello", "0")])
        while (before := posts()) < at_first + MEMBERS:
            await trio.lowlevel.checkpoint()
            most = max(most, posts() - before)
        nursery.cancel_scope.cancel()
    # Two groups at a time; we may be the first in one pass of trio's loop and the last in the next.
    assert 0 < most <= 2 * 2 * GROUP


class Counting(PlainDialect):
    """A dialect that counts what it writes."""

    written = 0

    def render(self, *shown: Any) -> bytes:
        self.written += 1
        return b"x"


async def test_who_watches_a_nickname_is_written_to_when_it_is_their_turn() -> None:
    log, dialect = MemoryLog(per_room=1, total_bytes=1, rooms=1), Counting("utf-8")
    hub = Hub(Chat(replay=0), log, max_rooms=1)
    await hub.start()
    most = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Broadcaster(hub, log, nursery.cancel_scope.cancel).run)
        for number in range(MEMBERS):
            user_id = str(number)
            hub.subscribers[user_id] = Subscriber(user_id, Kept(), dialect)
            await log.append(PEOPLE, [Arrived(f"n{number}", user_id)])
        await trio.testing.wait_all_tasks_blocked()
        for user_id in hub.subscribers:
            hub.chat.watch(user_id, ["star"])
        dialect.written = 0
        await log.append(PEOPLE, [Arrived("star", "star")])
        while (before := dialect.written) < MEMBERS:
            await trio.lowlevel.checkpoint()
            most = max(most, dialect.written - before)
        nursery.cancel_scope.cancel()
    assert 0 < most <= 2 * 2 * GROUP


async def test_silent_clients_are_asked_a_few_at_a_time(
    mock_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trio_chat.server.server._AT_ONCE", 1)
    pings = most = 0

    def count(data: bytes) -> int:
        nonlocal pings
        pings += data.startswith(b"PING ")
        return len(data)

    async with running(settings(limits={"ping": 20})) as house:
        for number in range(5):
            ours, theirs = trio.testing.memory_stream_pair()
            link = Link(theirs, "memory")
            link.write_now = count
            house.server.take(link)
            peer = IrcPeer(ours)
            house.peers.append(peer)
            await peer.say(f"NICK n{number}", "USER a 0 * :A")
        for _ in range(5):  # a server that stands still for longer asks nobody
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(5)
        while (before := pings) < 5:
            await trio.lowlevel.checkpoint()
            most = max(most, pings - before)
    # We may be the first in one pass of trio's loop and the last in the next.
    assert 0 < most <= 2


async def test_a_flood_does_not_hold_up_a_question() -> None:
    unlimited = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=unlimited)) as house:
        chatty, quiet = await house.link("chatty"), await house.link("quiet")
        await chatty.send(b"blah\n" * 50_000)
        await quiet.send(b"/who\n")
        heard_before_the_answer = await quiet.until("*** In #lobby (2): chatty, quiet\n")
        assert heard_before_the_answer.count("chatty: blah\n") < 1000
        assert "chatty: blah\n" in await quiet.until("blah\n")
