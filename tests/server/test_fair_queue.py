"""Connections from one source share its pace: none of them is starved, none waits for floods."""

from collections import Counter
from collections.abc import Callable

import pytest
import trio
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from trio.testing import MockClock

from peers import running, settings
from trio_chat.server.fair_queue import FairQueue, Flow
from trio_chat.server.token_bucket import TokenBucket


def turns(rate: float, burst: float = 1) -> FairQueue:
    made = FairQueue()
    made.bucket = TokenBucket(rate=rate, burst=burst)
    return made


async def test_without_a_pace_nobody_waits() -> None:
    free, flow = FairQueue(), Flow()
    assert all(free.at_once(flow, 100) for _ in range(1000))


async def test_a_burst_and_then_the_pace(autojump_clock: MockClock) -> None:
    row, flow = turns(rate=2, burst=3), Flow()
    assert [row.at_once(flow, 1) for _ in range(5)] == [True, True, True, False, False]
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            await row.wait(flow, 1, nursery)
    assert trio.current_time() - began == pytest.approx(2)


class Crowd:
    """Clients of one source, in one nursery; counts what each has had."""

    def __init__(self, row: FairQueue) -> None:
        self.row, self.had = row, Counter[str]()
        self.waited: dict[str, float] = {}

    async def speak(self, name: str, nursery: trio.Nursery, flow: Flow, cost: float = 1) -> None:
        began = trio.current_time()
        if not self.row.at_once(flow, cost):
            await self.row.wait(flow, cost, nursery)
        self.had[name] += 1
        self.waited[name] = max(self.waited.get(name, 0), trio.current_time() - began)

    async def speak_without_end(self, name: str, nursery: trio.Nursery, cost: float = 1) -> None:
        flow = Flow()
        while True:
            await self.speak(name, nursery, flow, cost)

    async def speak_now_and_then(self, name: str, nursery: trio.Nursery, every: float) -> None:
        flow = Flow()
        while True:
            await trio.sleep(every)
            await self.speak(name, nursery, flow)

    async def speak_on_ever_new_connections(self, nursery: trio.Nursery, every: float) -> None:
        while True:
            flow = Flow()
            for _ in range(20):
                await self.speak("anew", nursery, flow)
            await trio.sleep(every)


async def run_for(seconds: float, start: Callable[[trio.Nursery], None]) -> None:
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            start(nursery)


async def test_floods_get_equal_parts(autojump_clock: MockClock) -> None:
    crowd = Crowd(turns(rate=100))

    def start(nursery: trio.Nursery) -> None:
        for n in range(10):
            nursery.start_soon(crowd.speak_without_end, f"{n}", nursery)

    await run_for(30, start)
    assert 2990 <= crowd.had.total() <= 3010
    assert max(crowd.had.values()) - min(crowd.had.values()) <= 1


async def test_what_costs_more_comes_less_often(autojump_clock: MockClock) -> None:
    crowd = Crowd(turns(rate=100))

    def start(nursery: trio.Nursery) -> None:
        nursery.start_soon(crowd.speak_without_end, "dear", nursery, 20)
        nursery.start_soon(crowd.speak_without_end, "cheap", nursery, 1)

    await run_for(60, start)
    assert crowd.had["cheap"] == pytest.approx(3000, abs=40)
    assert crowd.had["dear"] == pytest.approx(150, abs=2)


@pytest.mark.slow
async def test_whoever_speaks_now_and_then_waits_for_no_flood(autojump_clock: MockClock) -> None:
    crowd = Crowd(turns(rate=80))

    def start(nursery: trio.Nursery) -> None:
        for n in range(1000):
            nursery.start_soon(crowd.speak_without_end, f"{n}", nursery)
        nursery.start_soon(crowd.speak_now_and_then, "quiet", nursery, 15)

    await run_for(150, start)
    assert crowd.had["quiet"] >= 9
    assert crowd.waited["quiet"] < 0.2  # and not the 12 s of a round


async def test_to_come_again_and_again_starves_nobody(autojump_clock: MockClock) -> None:
    crowd = Crowd(turns(rate=80))

    def start(nursery: trio.Nursery) -> None:
        nursery.start_soon(crowd.speak_without_end, "steady", nursery)
        for _ in range(5):
            nursery.start_soon(crowd.speak_on_ever_new_connections, nursery, 1.0)

    await run_for(60, start)
    assert crowd.had["steady"] > 60 * 80 / 6 / 2


async def test_who_ceases_to_wait_takes_nothing(autojump_clock: MockClock) -> None:
    row, flow = turns(rate=1), Flow()
    assert row.at_once(flow, 1)
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.5):
            await row.wait(Flow(), 1, nursery)
        began = trio.current_time()
        await row.wait(flow, 1, nursery)
        assert trio.current_time() - began == pytest.approx(0.5)


@settings_of_hypothesis(max_examples=15)
@given(
    costs=st.lists(st.integers(1, 30), min_size=2, max_size=8),
    gaps=st.lists(st.floats(0, 3), min_size=8, max_size=8),
)
def test_none_of_those_who_always_want_more_falls_behind(
    costs: list[int], gaps: list[float]
) -> None:
    crowd = Crowd(turns(rate=50))

    async def main() -> None:
        def start(nursery: trio.Nursery) -> None:
            for n, cost in enumerate(costs):
                nursery.start_soon(crowd.speak_without_end, f"{n}", nursery, cost)
            for n, gap in enumerate(gaps):
                nursery.start_soon(crowd.speak_now_and_then, f"other {n}", nursery, gap + 0.1)

        await run_for(20, start)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    parts = [crowd.had[f"{n}"] * cost for n, cost in enumerate(costs)]
    assert max(parts) - min(parts) <= 2 * max(costs) + 10


# ── on a server ────────────────────────────────────────────────────────────────────────────────

LIMITS = {"messages_per_second": 10, "message_burst": 20, "writers_per_address": 2}


async def test_many_connections_are_no_faster_than_a_few(autojump_clock: MockClock) -> None:
    async with running(settings(limits=LIMITS)) as house:
        floods = [await house.link(f"f{n}", "192.0.2.1") for n in range(10)]
        watcher = await house.link("watcher", "192.0.2.2")
        await trio.sleep(10)
        began = trio.current_time()
        for flood in floods:
            await flood.send(b"x\n" * 100)
        neighbour = await house.link(address="192.0.2.1")
        await neighbour.send(b"neighbour\nhello\n")
        await watcher.until("neighbour: hello\n")
        assert trio.current_time() - began < 5
        await trio.sleep(began + 10 - trio.current_time())
        await watcher.send(b"how many\n")
        said = await watcher.until("watcher: how many\n")
        assert said.count(": x\n") <= 40 + 10 * 20 + 5
        assert {*Counter(line for line in said.splitlines() if line.endswith(": x"))} == {
            f"f{n}: x" for n in range(10)
        }
        await floods[9].until(
            "*** Your address is sending a lot: its connections take turns for now.\n"
        )
