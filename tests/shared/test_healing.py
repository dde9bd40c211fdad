"""An engine that has lost the end of the stream gets it back from those who have seen it."""

import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio

from engines import (
    RedisServer,
    asking,
    fresh,
    keep,
    lone,
    lose,
    node,
    running,
    stream,
    take,
    texts,
    until,
    without_sockets,
)
from trio_chat.errors import Conflict, Missed, Unavailable
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.reading import Reading
from trio_chat.storage.shared.records import ZERO, Record

pytestmark = pytest.mark.programs


class Node:
    """A node that calls the functions itself, in the epoch that it is told."""

    def __init__(self, raw: Engine, name: str) -> None:
        self.raw, self.name, self.flush = raw, name, 0
        raw.call("enrol", name, name, "60000", ZERO, "chat")

    def call(self, function: str, *words: str | bytes) -> str:
        return str(self.raw.call(function, self.name, *words).decode())

    def append(self, text: str, *, room: str = "#a", expect: str = "", **how: Any) -> str:
        self.flush += 1
        return self.again(text, room=room, expect=expect, **how)

    def again(
        self, text: str, *, room: str = "#a", expect: str = "", barrier: str = "0", token: str = ""
    ) -> str:
        """The same flush, since its reply was lost. Returns the line of the one append."""
        words = (room, expect, barrier, "", "", "1", token, text)
        reply = self.call("append", str(self.flush), "1000", *words)
        return reply if reply in ("wait", "gone") else reply.split("\n")[1]

    def heal(self, before: str, entries: Sequence[Sequence[str]], *, done: bool = True) -> str:
        words = [word for id, *values in entries for word in (id, *values)]
        return self.call("heal", "1000", before, "1" if done else "0", *words)


def epoch(raw: Engine, name: str) -> None:
    """Let the engine be another run of it."""
    raw.info = {"run_id": name}


@pytest.fixture
def raw(address: Address) -> Iterator[Engine]:
    engine = asking(address)
    engine.request("PING")
    epoch(engine, "one")
    yield engine
    engine.close()


@pytest.fixture
def a(raw: Engine) -> Node:
    return Node(raw, "a")


@pytest.fixture
def b(raw: Engine) -> Node:
    return Node(raw, "b")


async def test_what_a_restarted_engine_has_lost_comes_back(tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with running(tmp_path / "redis", *options) as server:
        address = fresh(server)
        async with node(address, lease=20) as a, node(address, lease=20) as b:
            seen = {"a": a.entries("0"), "b": b.entries("0")}
            [first] = await a.place(lone("first"))
            one = {name: [*await take(reading, 1)] for name, reading in seen.items()}
            server.kill()
            shutil.copytree(tmp_path / "redis", tmp_path / "old", ignore=without_sockets)
            server.start()
            [barrier] = await b.place(lone("second", barrier=True))
            [told] = await b.place(lone("third", token="t", expect=barrier.id))
            for name, reading in seen.items():
                one[name] += await take(reading, 2)
            server.kill()
            shutil.rmtree(tmp_path / "redis")
            shutil.copytree(tmp_path / "old", tmp_path / "redis")
            server.start()
            with trio.fail_after(
                15
            ):  # long before the lease ends: both have given back what they know
                with pytest.raises(Conflict) as caught:
                    await a.place(lone("judged before", expect=first.id))
            assert caught.value.barrier == barrier.id
            [again] = await a.place(lone("third", token="t", expect=barrier.id))
            assert (again.id, again.found) == (told.id, True)
            [last] = await a.place(lone("last", expect=barrier.id))
            assert last.id > told.id
            for name, reading in seen.items():
                one[name] += await take(reading, 1)
        assert texts(one["a"]) == ["first", "second", "third", "last"]
        assert one["a"] == one["b"]
        async with node(address) as late:
            assert await take(late.entries("0"), 4) == one["a"]


def test_nobody_gets_a_place_until_all_have_given_back(
    engine: RedisServer, address: Address, raw: Engine, a: Node, b: Node
) -> None:
    first = a.append("first")
    kept = keep(engine, address)
    b.append("second")
    b.append("third")
    lost = stream(engine, address)
    lose(engine, address, kept)
    epoch(raw, "two")
    assert a.append("late") == "wait"
    assert a.call("resume", first) == f"heal {first}"
    assert a.heal(first, []) == "ok"
    assert a.again("late") == "wait"
    assert b.heal(lost[1][0], lost[2:], done=False) == "gap"
    assert b.heal(first, lost[1:2], done=False) == "ok"
    assert a.again("late") == "wait"
    assert b.heal(first, lost[1:]) == "ok"
    assert stream(engine, address) == lost
    assert b.heal(first, lost[1:]) == "closed"
    assert a.again("late") > lost[-1][0]
    assert a.call("resume", lost[-1][0]) == "ok 3"


def test_flush_that_came_back_is_not_done_twice(
    engine: RedisServer, address: Address, raw: Engine, a: Node, b: Node
) -> None:
    kept = keep(engine, address)
    id = a.append("hello", barrier="1")
    told = b.append("you", token="t", expect=id)
    lost = stream(engine, address)
    lose(engine, address, kept)
    epoch(raw, "two")
    assert a.heal(ZERO, lost) == "ok"
    assert b.heal(ZERO, []) == "ok"
    assert a.again("hello", barrier="1") == id
    assert b.again("you", token="t", expect=id) == told
    assert stream(engine, address) == lost
    assert a.append("you", token="t", expect=id) == f"={told}"
    assert a.append("new", expect="") == f"!{id}"
    assert a.append("new", expect=id) > told


def test_flush_that_nobody_has_seen_is_done_again(
    engine: RedisServer, address: Address, raw: Engine, a: Node
) -> None:
    kept = keep(engine, address)
    a.append("hello")
    lose(engine, address, kept)
    epoch(raw, "two")
    assert a.heal(ZERO, []) == "ok"
    again = a.again("hello")
    assert [entry[0] for entry in stream(engine, address)] == [again]


def test_healing_ends_after_a_lease_without_those_who_do_not_come_back(
    engine: RedisServer, address: Address, raw: Engine, a: Node
) -> None:
    raw.call("enrol", "dead", "name", "60000", ZERO, "chat")
    a.append("first")
    epoch(raw, "two")
    assert a.append("second") == "wait"
    assert a.heal(ZERO, []) == "ok"
    assert a.again("second") == "wait"
    until = int(str(engine.redis.hget(f"{{{address.name}}}meta", "healing")))
    seconds, _ = engine.redis.time()  # type: ignore[misc]
    assert 55 <= until / 1000 - seconds <= 61
    engine.redis.hset(f"{{{address.name}}}meta", "healing", (seconds - 1) * 1000)
    assert a.again("second") > ZERO
    assert a.heal(ZERO, []) == "closed"


def test_what_somebody_has_seen_has_its_id_alone_even_if_it_is_lost(
    engine: RedisServer, address: Address, raw: Engine, a: Node
) -> None:
    future = "9000000000000-000041"
    epoch(raw, "two")
    assert a.call("beat", future) != "gone"
    assert a.heal(ZERO, []) == "ok"
    assert a.append("new") == "9000000000000-000042"
    assert a.call("resume", future) == "missed"


def test_what_was_seen_and_is_lost_is_not_the_end_of_the_order(raw: Engine, a: Node) -> None:
    barrier = a.append("one", barrier="1")
    assert a.call("beat", "9000000000000-000041") != "gone"
    assert a.append("two") == f"!{barrier}"
    epoch(raw, "two")
    assert a.call("resume", barrier) == f"heal {barrier}"


def test_what_came_back_is_known_for_one_run_of_the_engine(
    engine: RedisServer, address: Address, raw: Engine, a: Node
) -> None:
    kept = keep(engine, address)
    a.append("one")
    lost = stream(engine, address)
    lose(engine, address, kept)
    epoch(raw, "two")
    a.heal(ZERO, lost)
    assert engine.redis.hlen(f"{{{address.name}}}healed") == 3
    epoch(raw, "three")
    a.append("two")
    assert engine.redis.hlen(f"{{{address.name}}}healed") == 0


def test_node_that_the_engine_has_lost_gives_back_what_it_knows_and_is_gone(
    engine: RedisServer, address: Address, raw: Engine, a: Node
) -> None:
    kept = keep(engine, address)
    b = Node(raw, "b")
    b.append("one")
    lost = stream(engine, address)
    lose(engine, address, kept)
    epoch(raw, "two")
    assert b.append("two") == "wait"
    assert b.call("beat", lost[0][0]) == "wait"
    assert b.call("resume", lost[0][0]) == f"heal {ZERO}"
    assert b.heal(ZERO, lost) == "ok"
    assert b.call("resume", lost[0][0]) == "gone"
    assert a.append("three") == "wait"
    assert a.heal(ZERO, []) == "ok"
    assert b.again("two") == "gone"
    assert b.call("beat", lost[0][0]) == "gone"
    assert a.again("three") > lost[0][0]


def test_engine_that_knows_nothing_of_the_chat(raw: Engine) -> None:
    for function, words in [
        ("append", ("1", "1000")),
        ("beat", (ZERO,)),
        ("resume", (ZERO,)),
    ]:
        assert raw.call(function, "a", *words) == b"gone"
    assert raw.call("heal", "a", "1000", ZERO, "1") == b"closed"


def test_engine_that_has_lost_all_nodes_waits_for_two_seconds(
    engine: RedisServer, address: Address, raw: Engine, a: Node
) -> None:
    engine.redis.delete(f"{{{address.name}}}nodes")
    epoch(raw, "two")
    assert a.call("resume", ZERO) == f"heal {ZERO}"
    until = int(str(engine.redis.hget(f"{{{address.name}}}meta", "healing")))
    seconds, microseconds = engine.redis.time()  # type: ignore[misc]
    assert 0 < until - seconds * 1000 - microseconds / 1000 <= 2000


def test_node_waits_for_what_others_may_give_back(
    engine: RedisServer, address: Address, raw: Engine, a: Node, b: Node
) -> None:
    kept = keep(engine, address)
    a.append("one")
    lost = stream(engine, address)
    lose(engine, address, kept)
    epoch(raw, "two")
    b.heal(ZERO, [])
    assert b.call("resume", lost[0][0]) == "wait"
    a.heal(ZERO, lost)
    assert b.call("resume", lost[0][0]) == "ok 1"


async def test_reader_that_has_no_room_gives_back_what_it_knows(tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with running(tmp_path / "redis", *options) as server:
        address = fresh(server)
        async with node(address, lease=60) as order:
            reading = order.entries("0")
            for number in range(10):  # more than the batches that are read ahead
                await order.place(lone(f"{number}"))
            server.kill()
            server.start()
            with trio.fail_after(20):
                await order.place(lone("10"))
            assert texts(await take(reading, 11)) == [str(number) for number in range(11)]


async def test_reader_that_cannot_store_gives_back_what_it_knows(tmp_path: Path) -> None:
    """When it can, all is stored and given, once."""
    is_full, stored = threading.Event(), list[Record]()
    is_full.set()

    def store(records: Sequence[Record]) -> None:
        if is_full.is_set():
            raise Unavailable("the disk is full")
        stored.extend(records)

    options = ("--appendonly", "yes", "--appendfsync", "always")
    with running(tmp_path / "redis", *options) as server:
        async with node(fresh(server), lease=60) as order:
            reading = order.entries("0", store)
            await order.place(lone("0"))
            server.kill()
            server.start()
            with trio.fail_after(20):
                await order.place(lone("1"))
            assert not stored
            is_full.clear()
            records = await take(reading, 2)
            assert texts(records) == ["0", "1"]
            assert stored == records


async def test_error_in_storing_ends_the_reader(address: Address) -> None:
    def store(records: Sequence[Record]) -> None:
        raise RuntimeError("a fault of ours")

    async with node(address) as order:
        reading = order.entries("0", store)
        await order.place(lone("0"))
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await anext(reading)


async def test_node_that_saw_what_is_lost_for_good_is_told(
    engine: RedisServer, address: Address
) -> None:
    async with node(address) as order:
        kept = keep(engine, address)
        [place] = await order.place(lone("lost"))
        lose(engine, address, kept)
        with pytest.raises(Missed):
            await anext(order.entries(place.id))


async def note(reading: Reading, numbers: list[int]) -> None:
    async for batch in reading:
        numbers += [record.number for record in batch]


async def test_reader_is_told_if_what_it_has_not_seen_was_let_go(address: Address) -> None:
    async with node(address, keep=10) as order, node(address, keep=10) as late:
        reading = order.entries("0")
        numbers: list[int] = []
        async with trio.open_nursery() as nursery:
            for number in range(4000):
                nursery.start_soon(order.place, lone(f"{number}"))
        with pytest.raises(Missed):
            await note(reading, numbers)
        assert numbers == [*range(1, len(numbers) + 1)]
        with pytest.raises(Missed):
            await anext(late.entries("0"))


async def test_order_tells_how_far_behind_it_is(address: Address) -> None:
    async with node(address, lease=0.2) as order, node(address) as other:
        reading = order.entries("0")
        for number in range(5):
            await other.place(lone(f"{number}"))
        await until(lambda: order.behind == 5)
        await take(reading, 5)
        assert order.behind == 0


async def test_order_cannot_tell_it_without_the_engine(tmp_path: Path) -> None:
    with running(tmp_path / "redis") as engine:
        async with node(fresh(engine), lease=2) as order:
            assert order.behind == 0
            engine.signal(signal.SIGSTOP)
            await until(lambda: order.behind is None)
            engine.signal(signal.SIGCONT)
            await until(lambda: order.behind == 0)
