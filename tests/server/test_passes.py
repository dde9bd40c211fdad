"""Turns, when many want one at the same moment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trio.testing

from trio_chat.server.passes import Passes


class Queue(trio.abc.Instrument):
    """Tasks that take a turn each, and work for 6 ms in it; there is time for one more."""

    def __init__(self, turns: Passes, clock: trio.testing.MockClock, nursery: trio.Nursery) -> None:
        self._turns, self._clock, self._nursery = turns, clock, nursery
        self.passes: list[list[str]] = []

    async def come(self, *names: str, patience: float = 0.0) -> None:
        for name in names:
            self._nursery.start_soon(self._work, name, patience)
        await passes(2)

    async def _work(self, name: str, patience: float) -> None:
        await self._turns.wait(patience)
        self._clock.jump(0.006)
        self.passes[-1].append(name)

    def after_io_wait(self, timeout: float) -> None:
        self.passes.append([])

    @property
    def order(self) -> list[str]:
        return [name for names in self.passes for name in names]


@asynccontextmanager
async def queue(clock: trio.testing.MockClock) -> AsyncIterator[Queue]:
    async with trio.open_nursery() as nursery:
        turns = Passes()
        nursery.start_soon(turns.give)
        await trio.testing.wait_all_tasks_blocked()
        found = Queue(turns, clock, nursery)
        trio.lowlevel.add_instrument(found)
        yield found
        nursery.cancel_scope.cancel()


async def passes(number: int) -> None:
    for _ in range(number):
        await trio.lowlevel.checkpoint()


async def test_a_few_do_not_wait(mock_clock: trio.testing.MockClock) -> None:
    async with queue(mock_clock) as crowd:
        await crowd.come("a")
        assert crowd.order == ["a"]


async def test_a_crowd_is_spread_over_passes(mock_clock: trio.testing.MockClock) -> None:
    async with queue(mock_clock) as crowd:
        names = [f"n{number}" for number in range(100)]
        await crowd.come(*names)
        await passes(500)
        worked = [names for names in crowd.passes if names]
        assert sorted(crowd.order) == sorted(names)
        assert len(worked[0]) <= 16
        assert max(map(len, worked)) <= 32
        assert len(worked[-1]) == 1  # as many as there is time for, once that is known


async def test_those_who_leave_let_others_go_first_but_not_for_ever(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with queue(mock_clock) as crowd:
        await crowd.come(*["first"] * 100)
        await crowd.come("leaving", patience=1.0)
        await crowd.come("soon")
        mock_clock.jump(2)
        await crowd.come("late")
        await passes(500)
        assert crowd.order[-3:] == ["soon", "leaving", "late"]


async def test_nobody_waits_once_no_turns_are_given(mock_clock: trio.testing.MockClock) -> None:
    turns, done = Passes(), []

    async def work(number: int) -> None:
        await turns.wait()
        mock_clock.jump(0.006)
        done.append(number)

    async with trio.open_nursery() as workers, trio.open_nursery() as giving:
        giving.start_soon(turns.give)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(100):
            workers.start_soon(work, number)
        await trio.lowlevel.checkpoint()
        giving.cancel_scope.cancel()
    assert sorted(done) == [*range(100)]
