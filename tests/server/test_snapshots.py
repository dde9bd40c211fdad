"""States of rooms are saved one after the other, however fast they come."""

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.room_state import RoomState
from trio_chat.server.snapshots import Snapshots
from trio_chat.storage.memory import MemoryLog


async def test_a_state_that_comes_before_the_last_one_is_being_saved_is_saved_with_it() -> None:
    chat, log = Chat(replay=0), MemoryLog(per_room=10, total_bytes=10_000, rooms=10)
    snapshots = Snapshots(chat, log)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(snapshots.run)
        for number in range(100):
            chat.closed["#a"] = f"{number:013d}-000000", RoomState("#a", topic=f"{number}")
            snapshots.note_closed()
            await trio.lowlevel.checkpoint()
        await snapshots.until_saved("#a")
        nursery.cancel_scope.cancel()
    _, state = await log.snapshot("#a")
    assert state is not None
    assert state.topic == "99"
