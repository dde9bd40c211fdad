"""What the engine keeps and takes is bounded, and what is let go is old."""

import pytest

from engines import RedisServer, asking, fresh, lone, node, stream, take
from trio_chat.errors import Conflict
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.connection import Down
from trio_chat.storage.shared.records import ZERO, Append

pytestmark = pytest.mark.programs


def key(address: Address, name: str) -> str:
    return f"{{{address.name}}}{name}"


@pytest.mark.parametrize(
    "words",
    [
        ("#a", "", "0", "", "", "1", "", "x") * 257,
        ("#a", "", "0", "", "", "1", "", "x" * 1_048_577),
        ("#a", "", "0", "", "", "2", "", "x"),
        ("#a", "", "0", "", "", "0"),
        ("#a", "", "0", "", "", "one", "", "x"),
        ("#a",),
    ],
    ids=["257", "size", "short", "none", "count", "cut"],
)
def test_flush_that_is_too_large_or_none_is_refused_whole(
    engine: RedisServer, address: Address, words: tuple[str, ...]
) -> None:
    raw = asking(address)
    raw.call("enrol", "a", "name", "60000", ZERO, "chat")
    good = ("#a", "", "0", "", "", "1", "", "good")
    with pytest.raises(Down, match="too large, or is not one"):
        raw.call("append", "a", "1", "1000", *good, *words)
    assert stream(engine, address) == []
    whole = ("#a", "", "0", "", "", "1", "", "x") * 256
    assert raw.call("append", "a", "1", "1000", *whole).count(b"\n") == 256
    raw.close()


async def test_append_that_is_too_large_is_a_mistake(address: Address) -> None:
    async with node(address) as order:
        with pytest.raises(ValueError, match="1,048,577"):
            await order.place(lone("x" * 1_048_577))
        many = [lone("x" * 1_048_576), Append("#a", [("", b"x")] * 1000)]
        for append in many:
            await order.place(append)
        assert [r.number for r in await take(order.entries("0"), 1001)] == [*range(1, 1002)]


async def test_oldest_tokens_are_let_go(engine: RedisServer, address: Address) -> None:
    fill = "for i = 1, 499999 do redis.call('HSET', KEYS[1], ARGV[1] .. i, 'x') end"
    async with node(address) as order:
        [first] = await order.place(lone("one", token="t"))
        engine.redis.eval(fill, 1, key(address, "tokens"), "a")
        assert (await order.place(lone("one", token="t")))[0].id == first.id
        assert engine.redis.hlen(key(address, "tokens:old")) == 500_000
        assert (await order.place(lone("one", token="t")))[0].id == first.id
        engine.redis.eval(fill, 1, key(address, "tokens"), "b")
        await order.place(lone("two", token="u"))
        [again] = await order.place(lone("one", token="t"))
        assert not again.found
        engine.redis.unlink(key(address, "tokens:old"))


async def test_barriers_are_known_for_an_hour(engine: RedisServer, address: Address) -> None:
    fill = {f"#{number}": ZERO for number in range(10_000)}
    async with node(address) as order:
        [first] = await order.place(lone("one", barrier=True))
        for _ in range(2):
            engine.redis.hset(key(address, "barriers"), mapping=fill)
            await order.place(lone("elsewhere", "#b"))
            with pytest.raises(Conflict) as caught:
                await order.place(lone("two"))
            assert caught.value.barrier == first.id
        seconds, _ = engine.redis.time()  # type: ignore[misc]
        engine.redis.hset(key(address, "meta"), "turned", (seconds - 3600) * 1000)
        await order.place(lone("elsewhere", "#b"))
        await order.place(lone("two"))


async def test_sequence_has_six_digits(engine: RedisServer) -> None:
    async with node(fresh(engine), seen="9000000000000-999998") as order:
        ids = [place.id for place in await order.place(Append("#a", [("", b"x")] * 2))]
    assert ids == ["9000000000000-999999", "9000000000001-000000"]
