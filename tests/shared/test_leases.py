"""Who takes part: leases that lapse, and what a node may not do any more that is gone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from engines import RedisServer, asking, fresh, lone, node, running, until
from trio_chat.errors import Fenced, Unavailable
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.records import ZERO

pytestmark = pytest.mark.programs


@pytest.fixture
def raw(address: Address) -> Iterator[Engine]:
    engine = asking(address)
    yield engine
    engine.close()


def enrol(raw: Engine, *nodes: str, lease: int = 60_000) -> None:
    for name in nodes:
        raw.call("enrol", name, f"name of {name}", str(lease), ZERO, "chat")


def beat(raw: Engine, name: str) -> dict[str, Any]:
    reply: dict[str, Any] = json.loads(raw.call("beat", name, ZERO))
    return reply


def lives(raw: Engine, name: str) -> set[str]:
    return {row[0] for row in beat(raw, name)["nodes"]}


def until_gone(raw: Engine, name: str, other: str) -> None:
    """Let a node beat until it is told that the other one is gone."""
    for _ in range(10_000):
        if other in beat(raw, name).get("gone", []):
            return
    raise AssertionError


def make_older(server: RedisServer, address: Address, name: str, by: int = 3_600_000) -> None:
    """Let a node have beaten so many milliseconds before it has."""
    key = f"{{{address.name}}}nodes"
    it = json.loads(str(server.redis.hget(key, name)))
    server.redis.hset(key, name, json.dumps({**it, "beat": it["beat"] - by}))


def test_node_that_is_silent_is_gone_and_one_node_is_told(raw: Engine, address: Address) -> None:
    enrol(raw, "a", "b")
    enrol(raw, "dead", lease=1)
    until_gone(raw, "a", "dead")
    assert "gone" not in beat(raw, "b")
    assert beat(raw, "a")["gone"] == ["dead"]  # again, as the reply may have been lost
    assert lives(raw, "b") == {"a", "b"}
    raw.call("clear", "a", "dead")
    assert "gone" not in beat(raw, "a")


async def test_order_tells_who_lives_and_who_is_gone(raw: Engine, address: Address) -> None:
    enrol(raw, "dead", lease=1)
    async with node(address, "one", name="shed", lease=0.2) as order:
        assert await order.gone.receive() == "dead"
        assert [(it.id, it.name) for it in order.nodes] == [("one", "shed")]
        assert order.is_up
        await order.cleared("dead")
        assert "gone" not in beat(raw, "one")
        await order.leave()
        with pytest.raises(Fenced):
            await order.place(lone("late"))
    enrol(raw, "next")
    assert lives(raw, "next") == {"next"}


def test_another_node_clears_up_if_the_first_one_goes_before(raw: Engine) -> None:
    enrol(raw, "a", lease=100)
    enrol(raw, "b")
    enrol(raw, "dead", lease=1)
    until_gone(raw, "a", "dead")
    until_gone(raw, "b", "a")
    assert sorted(beat(raw, "b")["gone"]) == ["a", "dead"]


async def test_node_that_is_gone_has_no_place_and_reads_no_more(
    engine: RedisServer, address: Address
) -> None:
    async with node(address, "one") as order:
        reading = order.entries("0")
        engine.redis.hdel(f"{{{address.name}}}nodes", "one")
        for _ in range(2):
            with pytest.raises(Fenced):
                await order.place(lone("hello"))
        with pytest.raises(Fenced):
            await anext(reading)


async def test_idle_node_finds_out_that_it_is_gone(engine: RedisServer, address: Address) -> None:
    async with node(address, "one", lease=0.2) as order:
        reading = order.entries("0")
        engine.redis.hdel(f"{{{address.name}}}nodes", "one")
        with pytest.raises(Fenced):
            await anext(reading)


def test_nobody_is_gone_for_one_lease_after_the_engine_was_away(tmp_path: Path) -> None:
    with running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        address = fresh(server)
        raw = asking(address)
        enrol(raw, "a")
        enrol(raw, "dead", lease=1)
        server.kill()
        raw.close()
        server.start()
        make_older(server, address, "dead")
        assert lives(raw, "a") == {"a", "dead"}
        assert lives(raw, "a") == {"a", "dead"}
        raw.close()


def test_nobody_is_gone_for_one_lease_after_nobody_could_beat(
    raw: Engine, engine: RedisServer, address: Address
) -> None:
    enrol(raw, "a")
    enrol(raw, "dead", lease=1)
    now, _ = engine.redis.time()  # type: ignore[misc]
    engine.redis.hset(f"{{{address.name}}}meta", "beat", (now - 40) * 1000)
    make_older(engine, address, "dead")
    assert lives(raw, "a") == {"a", "dead"}
    assert lives(raw, "a") == {"a", "dead"}


def test_clock_that_goes_back_keeps_nobody_who_is_gone(
    raw: Engine, engine: RedisServer, address: Address
) -> None:
    enrol(raw, "a")
    enrol(raw, "dead", lease=1)
    make_older(engine, address, "dead", -3_600_000)
    until_gone(raw, "a", "dead")


async def test_node_that_is_gone_is_told_of_once(raw: Engine, address: Address) -> None:
    enrol(raw, "dead", lease=1)
    async with node(address, "one", lease=0.2) as order:
        assert await order.gone.receive() == "dead"
        for _ in range(3):
            [last] = order.nodes
            await until(lambda last=last: order.nodes != [last])  # type: ignore[misc]
        with pytest.raises(trio.WouldBlock):
            order.gone.receive_nowait()


async def test_node_lives_while_what_it_asks_for_is_refused(
    engine: RedisServer, address: Address
) -> None:
    async with (
        node(address, "one", lease=0.3, patience=1) as order,
        node(address, lease=0.3) as other,
    ):
        engine.redis.set(f"{{{address.name}}}log", "no stream")
        with pytest.raises(Unavailable):
            await order.place(lone("refused"))
        engine.redis.delete(f"{{{address.name}}}log")
        await order.place(lone("taken"))
        with pytest.raises(trio.WouldBlock):
            other.gone.receive_nowait()


def test_node_that_asks_again_after_its_lease_is_not_gone(raw: Engine) -> None:
    enrol(raw, "a")
    enrol(raw, "slow", lease=1)
    until_gone(raw, "a", "slow")
    enrol(raw, "slow")
    assert "gone" not in beat(raw, "a")
