"""A network that loses replies, and one that lets nothing through."""

import pytest
import trio
import trio.testing

from cutting import cutting
from engines import RedisServer, fresh, lone, node, take, texts
from trio_chat.errors import Fenced, Unavailable
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.reading import Reading

pytestmark = pytest.mark.programs


async def test_what_is_asked_again_is_not_done_twice(engine: RedisServer, address: Address) -> None:
    async with (
        cutting(engine, address.name) as (cutter, through),
        node(through, patience=60) as order,
    ):
        cutter.loses_replies = True
        for number in range(20):
            await order.place(lone(f"{number}"))
        assert cutter.lost == 19  # of all but the first
        assert texts(await take(order.entries("0"), 20)) == [str(n) for n in range(20)]
    assert engine.redis.xlen(f"{{{address.name}}}log") == 20


async def test_many_flushes_in_a_network_that_loses_replies(
    engine: RedisServer, address: Address
) -> None:
    async with (
        cutting(engine, address.name) as (cutter, through),
        node(through, patience=60) as order,
    ):
        cutter.loses_replies = True
        reading = order.entries("0")

        async def say(name: str) -> None:
            for number in range(20):
                await order.place(lone(f"{name} {number}"))

        async with trio.open_nursery() as nursery:
            for name in "abcdef":
                nursery.start_soon(say, name)
        said = texts(await take(reading, 120))
    assert cutter.lost > 0
    for name in "abcdef":
        assert [text for text in said if text[0] == name] == [f"{name} {n}" for n in range(20)]


async def read_on(reading: Reading) -> None:
    async for _ in reading:
        pass


async def test_node_that_nobody_hears_is_gone_and_finds_out(
    engine: RedisServer, address: Address
) -> None:
    async with (
        cutting(engine, address.name) as (cutter, through),
        node(through, "cut", lease=0.5, patience=0.5) as cut,
        node(address, lease=0.5) as other,
    ):
        reading = cut.entries("0")
        await cut.place(lone("before"))
        assert texts(await take(reading, 1)) == ["before"]
        cutter.hold()
        with pytest.raises(Unavailable):
            await cut.place(lone("meanwhile"))
        assert await other.gone.receive() == "cut"
        assert not cut.is_up
        await other.place(lone("after"))
        cutter.release()
        with pytest.raises(Fenced):
            await read_on(reading)
        with pytest.raises(Fenced):
            await cut.place(lone("late"))
        assert texts(await take(other.entries("0"), 2)) == ["before", "after"]


async def test_short_cut_is_not_noticed_but_for_the_wait(engine: RedisServer) -> None:
    address = fresh(engine)
    async with (
        cutting(engine, address.name) as (cutter, through),
        node(through, lease=20, patience=60) as order,
        trio.open_nursery() as nursery,
    ):
        reading = order.entries("0")
        await order.place(lone("one"))
        cutter.hold()
        nursery.start_soon(order.place, lone("two"))
        await trio.testing.wait_all_tasks_blocked()
        cutter.release()
        assert texts(await take(reading, 2)) == ["one", "two"]
