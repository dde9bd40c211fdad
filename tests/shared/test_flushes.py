"""The queue of appends: what shares a call, what is refused, and what is taken out again."""

from collections.abc import Callable, Sequence

import pytest
import trio
import trio.testing

from trio_chat.errors import Fenced, Unavailable
from trio_chat.storage.shared.calls import Call
from trio_chat.storage.shared.connection import Down
from trio_chat.storage.shared.flushes import Flushes
from trio_chat.storage.shared.records import Append, Place


class FakeEngine:
    """Answers flushes when a test wants it to."""

    def __init__(self) -> None:
        self.flushes: list[Call] = []
        self.asked: list[tuple[str, ...]] = []
        self.reply = b""
        self.is_there = self.answers = True

    def make(self, call: Call) -> None:
        self.flushes.append(call)

    def open(self) -> None:
        if not self.is_there:
            raise Down

    def call(self, function: str, *words: str) -> bytes:
        self.open()
        self.asked.append(words)
        if not self.answers:
            raise Down
        return self.reply

    def answer(self, count: int) -> Sequence[str]:
        """Answer the first flush, which must have so many appends of one record each; returns what
        they say.
        """
        flush = self.flushes.pop(0)
        ids = [f"{number:013d}-000000" for number in range(count)]
        self.reply = "\n".join(["1700000000000", *ids]).encode()
        flush.ask(self)  # type: ignore[arg-type]
        flush.finish("")
        _, _, _, *words = self.asked.pop()
        return words[7::8]


def flushes_of(engine: FakeEngine, *, patience: float = 10) -> Flushes:
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731
    return Flushes(
        engine,  # type: ignore[arg-type]
        "node",
        keep=1000,
        patience=patience,
        on_fenced=nothing,
        on_healing=nothing,
    )


def lone(text: str) -> Append:
    return Append("#a", [("", text.encode())])


def texts(*numbers: int) -> list[bytes]:
    return [str(number).encode() for number in range(*numbers)]


async def test_those_that_come_while_one_is_under_way_share_a_call(
    nursery: trio.Nursery,
) -> None:
    engine = FakeEngine()
    flushes = flushes_of(engine)
    for number in range(400):
        nursery.start_soon(flushes.place, lone(f"{number}"))
        await trio.testing.wait_all_tasks_blocked()
    assert engine.answer(1) == texts(1)
    assert engine.answer(256) == texts(1, 257)
    assert engine.answer(143) == texts(257, 400)
    assert engine.flushes == []


async def test_call_holds_no_more_than_the_engine_takes(nursery: trio.Nursery) -> None:
    engine = FakeEngine()
    flushes = flushes_of(engine)
    for _ in range(4):
        nursery.start_soon(flushes.place, lone("x" * 524_288))
    await trio.testing.wait_all_tasks_blocked()
    assert [len(engine.answer(count)) for count in (1, 2, 1)] == [1, 2, 1]


async def test_each_one_has_its_place(nursery: trio.Nursery) -> None:
    engine, got = FakeEngine(), dict[int, Sequence[Place]]()
    flushes = flushes_of(engine)

    async def place(number: int) -> None:
        got[number] = await flushes.place(lone(f"{number}"))

    for number in range(3):
        nursery.start_soon(place, number)
        await trio.testing.wait_all_tasks_blocked()
    engine.answer(1)
    engine.answer(2)
    await trio.testing.wait_all_tasks_blocked()
    at = 1_700_000_000_000
    assert got == {
        0: [Place("0000000000000-000000", at)],
        1: [Place("0000000000000-000000", at)],
        2: [Place("0000000000001-000000", at)],
    }


@pytest.mark.slow
async def test_more_than_may_wait_is_refused_at_once(nursery: trio.Nursery) -> None:
    flushes = flushes_of(FakeEngine())
    for _ in range(1 + 16_384):
        nursery.start_soon(flushes.place, lone("x"))
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(Unavailable, match="too much waits"):
        await flushes.place(lone("x"))
    nursery.cancel_scope.cancel()


async def test_bytes_that_wait_are_bounded() -> None:
    flushes = flushes_of(FakeEngine())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flushes.place, lone("under way"))
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(2):  # those that were cancelled take no room
            async with trio.open_nursery() as waiting:
                for _ in range(32):
                    waiting.start_soon(flushes.place, lone("x" * 1_048_576))
                await trio.testing.wait_all_tasks_blocked()
                with pytest.raises(Unavailable, match="too much waits"):
                    await flushes.place(lone("x"))
                waiting.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def test_what_was_not_sent_when_patience_ended_is_not_sent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    engine = FakeEngine()
    engine.answers = False
    flushes = flushes_of(engine, patience=10)
    refused: dict[str, str] = {}

    async def place(text: str) -> None:
        try:
            await flushes.place(lone(text))
        except Unavailable as error:
            refused[text] = str(error)

    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(place, f"{number}")
            await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Down):
            engine.flushes[0].ask(engine)  # type: ignore[arg-type]
    assert ["nobody knows" in refused[f"{number}"] for number in range(3)] == [True, False, False]
    [flush] = engine.flushes
    assert not flush.is_wanted
    engine.answers = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(place, "later")
        await trio.testing.wait_all_tasks_blocked()
        engine.flushes.pop().finish("gone away")
        assert engine.answer(1) == [b"later"]


async def test_what_an_engine_that_is_not_there_was_asked_for_is_not_stored(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """For sure: whoever asked is told so, and not that nobody knows."""
    engine = FakeEngine()
    engine.is_there = False
    flushes = flushes_of(engine)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def place() -> None:
            with pytest.raises(Unavailable, match=r"^This cannot be stored now: "):
                await flushes.place(lone("never"))

        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Down):
            engine.flushes[0].ask(engine)  # type: ignore[arg-type]


async def test_cancelled_one_that_was_not_sent_is_not_sent(nursery: trio.Nursery) -> None:
    engine = FakeEngine()
    flushes = flushes_of(engine)
    nursery.start_soon(flushes.place, lone("first"))
    await trio.testing.wait_all_tasks_blocked()
    with trio.CancelScope() as scope:
        scope.cancel()
        await flushes.place(lone("never"))
    with trio.move_on_after(0):
        await flushes.place(lone("cancelled"))
    nursery.start_soon(flushes.place, lone("last"))
    await trio.testing.wait_all_tasks_blocked()
    assert engine.answer(1) == [b"first"]
    assert engine.answer(1) == [b"last"]


async def test_those_that_wait_are_told_that_the_node_is_gone() -> None:
    engine = FakeEngine()
    flushes = flushes_of(engine)
    told: list[Exception] = []

    async def place() -> None:
        with pytest.raises(Fenced) as caught:
            await flushes.place(lone("x"))
        told.append(caught.value)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(place)
        await trio.testing.wait_all_tasks_blocked()
        flushes.fence()
        engine.reply = b"gone"
        [flush] = engine.flushes
        flush.ask(engine)  # type: ignore[arg-type]
        flush.finish("")
    assert len(told) == 3
    with pytest.raises(Fenced):
        await flushes.place(lone("x"))
    assert engine.flushes == [flush]
