"""What the log in memory keeps, and forgets."""

import trio
from hypothesis import given
from hypothesis import strategies as st

from stores import append, said, texts
from trio_chat.core.events import TopicSet
from trio_chat.storage.memory import MemoryLog


@given(lengths=st.lists(st.integers(0, 300), min_size=1, max_size=60), data=st.data())
def test_memory_keeps_the_newest_within_its_bounds(lengths: list[int], data: st.DataObject) -> None:
    rooms = [data.draw(st.sampled_from(["#a", "#b", "#c"])) for _ in lengths]

    async def run() -> None:
        log = MemoryLog(per_room=10, total_bytes=4000, rooms=2)
        for n, (room, length) in enumerate(zip(rooms, lengths, strict=True)):
            await log.append(room, [said(f"{n}:" + "x" * length, room)])
        kept = {room: await texts(log, room) for room in set(rooms)}
        assert sum(len(t) + 400 for found in kept.values() for t in found) <= 4000 + 800
        assert sum(bool(found) for found in kept.values()) <= 2
        for room, found in kept.items():
            appended = [n for n, r in enumerate(rooms) if r == room]
            numbers = [int(text.partition(":")[0]) for text in found]
            assert len(numbers) <= 10
            assert numbers == appended[len(appended) - len(numbers) :]

    trio.run(run)


async def test_whoever_knew_a_room_that_was_forgotten_can_go_on() -> None:
    """While a room was being opened, which takes some reads, others may have pushed it out."""
    log = MemoryLog(per_room=1000, total_bytes=10_000_000, rooms=2)
    [barrier] = await append(log, TopicSet("#a", "alice", "tea", "1"), barrier=True)
    for room in ("#b", "#c"):
        await log.append(room, [said("1", room)])
    assert await log.history("#a") == []
    await log.append("#a", [said("2")], expect=barrier)
    assert await texts(log, "#a") == ["2"]
