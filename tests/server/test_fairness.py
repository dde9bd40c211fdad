"""A long fan-out, or a chatty connection, lets the others have their turns: counted, not timed."""

import trio
import trio.testing

from peers import running, settings
from trio_chat.core.chat import Chat
from trio_chat.core.events import PEOPLE, Arrived, Joined, Said
from trio_chat.core.room import RoomState
from trio_chat.protocols.plain.server import plain_dialect
from trio_chat.server.audience import GROUP, Subscriber
from trio_chat.server.broadcaster import Broadcaster
from trio_chat.server.hub import Hub
from trio_chat.storage.base import START
from trio_chat.storage.memory import MemoryLog

MEMBERS = 20 * GROUP
ROOM = "#room"


class Counter:
    """An outbox; all of them count their posts together."""

    posts = 0

    def post(self, data: bytes) -> None:
        Counter.posts += 1


async def test_a_long_fan_out_lets_other_tasks_run_every_few_hundred_posts() -> None:
    log = MemoryLog(per_room=100_000, total_bytes=1_000_000_000, rooms=10)
    hub = Hub(Chat(replay=0), log, max_rooms=10)
    hub.chat.open_room(RoomState(ROOM))
    for room in (PEOPLE, ROOM):
        await log.follow(room, START)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Broadcaster(hub, log).run)
        for number in range(MEMBERS):
            user_id, nick = str(number), f"n{number}"
            hub.subscribers[user_id] = Subscriber(user_id, Counter(), plain_dialect("utf-8"))  # type: ignore[arg-type]
            await log.append(PEOPLE, [Arrived(nick, user_id)])
            await log.append(ROOM, [Joined(ROOM, nick, user_id)])
        await trio.testing.wait_all_tasks_blocked()
        assert len(hub.chat.rooms[ROOM].members) == MEMBERS
        Counter.posts = most = 0
        await log.append(ROOM, [Said(ROOM, "n0", "hello", "0")])
        while (before := Counter.posts) < MEMBERS:
            await trio.lowlevel.checkpoint()
            most = max(most, Counter.posts - before)
        nursery.cancel_scope.cancel()
    # Two groups at a time; we may be the first in one pass of trio's loop and the last in the next.
    assert 0 < most <= 2 * 2 * GROUP


async def test_a_flood_does_not_hold_up_a_question() -> None:
    unlimited = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=unlimited)) as house:
        chatty, quiet = await house.link("chatty"), await house.link("quiet")
        await chatty.send(b"blah\n" * 50_000)
        await quiet.send(b"/who\n")
        heard_before_the_answer = await quiet.until("*** In #lobby (2): chatty, quiet\n")
        assert heard_before_the_answer.count("chatty: blah\n") < 1000
        assert "chatty: blah\n" in await quiet.until("blah\n")
