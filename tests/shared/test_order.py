"""Places in the shared order, and the records as they come out, with a real engine."""

import signal
from pathlib import Path

import pytest
import trio
import trio.testing

from engines import RedisServer, fresh, lone, node, running, take, texts, until
from trio_chat.errors import CannotOpenStore, Conflict, Unavailable
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.order import Order
from trio_chat.storage.shared.records import Append, Place

pytestmark = pytest.mark.programs


async def test_records_come_out_in_their_places(address: Address) -> None:
    async with node(address) as order:
        [first] = await order.place(lone("hello", barrier=True))
        second, third = await order.place(Append("#b", [("", b"one"), ("", b"two \x00\xff")]))
        records = await take(order.entries("0"), 3)
    assert [record.id for record in records] == [first.id, second.id, third.id]
    assert first.id < second.id < third.id
    assert [len(record.id) for record in records] == [20, 20, 20]
    assert [record.at for record in records] == [first.at, second.at, third.at]
    assert [record.room for record in records] == ["#a", "#b", "#b"]
    assert [record.barrier for record in records] == [True, False, False]
    assert [record.data for record in records] == [b"hello", b"one", b"two \x00\xff"]


async def test_all_nodes_see_one_order(address: Address) -> None:
    async def say(order: Order, name: str) -> None:
        for number in range(100):
            await order.place(lone(f"{name} {number}"))

    async with node(address) as a, node(address) as b:
        async with trio.open_nursery() as nursery:
            for name in "abcd":
                nursery.start_soon(say, a if name < "c" else b, name)
        seen = [texts(await take(order.entries("0"), 400)) for order in (a, b)]
    assert seen[0] == seen[1]
    for name in "abcd":
        assert [t for t in seen[0] if t[0] == name] == [f"{name} {n}" for n in range(100)]


async def test_nodes_know_their_names_from_the_start(address: Address) -> None:
    async with node(address, "a", name="one") as first:
        assert first.names == {"a": "one"}
        async with node(address, "b", name="two") as second:
            await until(lambda: first.names == second.names == {"a": "one", "b": "two"})


async def test_reading_begins_after_an_id(address: Address) -> None:
    async with node(address) as order:
        places = [(await order.place(lone(text)))[0] for text in ("one", "two", "three")]
        assert texts(await take(order.entries(places[0].id), 2)) == ["two", "three"]


async def test_reader_waits_for_what_comes(address: Address) -> None:
    async with node(address, lease=0.2) as order:
        reading = order.entries("0")
        with trio.move_on_after(0.3):  # longer than one look of the reader
            await anext(reading)
        await order.place(lone("late"))
        assert texts(await take(reading, 1)) == ["late"]


async def test_token_has_one_place(address: Address) -> None:
    async with node(address) as a, node(address) as b:
        [place] = await a.place(lone("hello", token="t"))
        [again] = await b.place(lone("hello", token="t"))
        milliseconds = int(place.id.partition("-")[0])
        assert again == Place(place.id, milliseconds, found=True)
        once, twice = await b.place(Append("#a", [("u", b"x"), ("u", b"x")]))
        assert (once.id, False, True) == (twice.id, once.found, twice.found)
        assert texts(await take(a.entries("0"), 2)) == ["hello", "x"]


async def test_later_barrier_makes_a_judgement_void(address: Address) -> None:
    async with node(address) as a, node(address) as b:
        [first] = await a.place(lone("one", barrier=True))
        with pytest.raises(Conflict) as caught:
            await b.place(lone("two", expect=""))
        assert caught.value.barrier == first.id
        [elsewhere] = await b.place(lone("two", "#b"))
        await b.place(lone("three", expect=first.id))
        await b.place(lone("four", expect=elsewhere.id))
        assert texts(await take(a.entries("0"), 4)) == ["one", "two", "three", "four"]


async def test_barrier_of_two_rooms(address: Address) -> None:
    async with node(address) as order:
        [first] = await order.place(lone("one", "#b", barrier=True))
        move = {"barrier": True, "also": "#b"}
        with pytest.raises(Conflict) as caught:
            await order.place(lone("move", **move))
        assert caught.value.barrier == first.id
        [moved] = await order.place(lone("move", **move, also_expect=first.id))
        for room in ("#a", "#b"):
            with pytest.raises(Conflict) as caught:
                await order.place(lone("late", room, expect=first.id))
            assert caught.value.barrier == moved.id


async def test_place_is_above_all_that_was_seen_before(address: Address) -> None:
    future = "9000000000000-000007"
    async with node(address, seen=future) as order:
        [place] = await order.place(lone("hello"))
        assert order.base == future
        assert place.id == "9000000000000-000008"
        assert place.at < 9_000_000_000_000
        [record] = await take(order.entries(future), 1)
        assert (record.id, record.at) == (place.id, place.at)
        async with node(address, seen="0") as other:
            assert other.base == future


async def test_engine_that_is_killed_is_back_and_nothing_comes_twice(tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with running(tmp_path, *options) as server:
        address = fresh(server)
        async with node(address, patience=60) as order:
            reading = order.entries("0")
            async with trio.open_nursery() as nursery:
                for number in range(300):
                    nursery.start_soon(order.place, lone(f"{number}"))
                assert len(await anext(reading)) > 0
                server.kill()
                for number in range(300, 400):
                    nursery.start_soon(order.place, lone(f"{number}"))
                server.start()
        async with node(address) as order:
            records = await take(order.entries("0"), 400)
        assert sorted(map(int, texts(records))) == [*range(400)]


async def test_patience_ends_and_what_was_not_sent_never_happens(engine: RedisServer) -> None:
    address = fresh(engine)
    async with node(address, patience=0.5, lease=20) as order:
        engine.signal(signal.SIGSTOP)
        try:
            async with trio.open_nursery() as nursery:
                failed: list[str] = []

                async def say(text: str) -> None:
                    with pytest.raises(Unavailable) as caught:
                        await order.place(lone(text))
                    failed.append(f"{text}: {caught.value}")

                nursery.start_soon(say, "first")
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(say, "second")
        finally:
            engine.signal(signal.SIGCONT)
        assert ["nobody knows" in line for line in sorted(failed)] == [True, False]
        await order.place(lone("third"))
        assert texts(await take(order.entries("0"), 2)) == ["first", "third"]


async def test_what_was_given_up_never_happens(tmp_path: Path) -> None:
    with running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        async with node(fresh(server), patience=1) as order:
            reading = order.entries("0")
            server.kill()
            with pytest.raises(Unavailable):
                await order.place(lone("given up"))
            server.start()
            await until(lambda: order.is_up)
            await order.place(lone("later"))
            assert texts(await take(reading, 1)) == ["later"]


async def test_engine_that_is_not_there(tmp_path: Path) -> None:
    address = Address("chat", path=str(tmp_path / "nothing.sock"))
    with pytest.raises(CannotOpenStore, match=r"does not answer: .*No such file"):
        async with node(address, patience=0.2):
            raise AssertionError


async def test_checkpoint_of_a_later_entry_replaces_the_one_before(address: Address) -> None:
    async with node(address) as a, node(address) as b:
        assert await a.load() is None
        first, second = "1700000000000-000001", "1700000000000-000002"
        assert await a.save(first, b"one \x00\xff")
        assert await b.load() == (first, b"one \x00\xff")
        assert await b.save(second, b"")
        assert not await a.save(first, b"late")
        assert not await a.save(second, b"again")
        assert await a.load() == (second, b"")
        with pytest.raises(ValueError, match="too many"):
            await a.save("1700000000000-000003", bytes(64 * 1024 * 1024 + 1))
