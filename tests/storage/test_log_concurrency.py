"""Many at once: what every Log keeps in order then, and whole."""

from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from stores import STORES, said, temporary, texts_of
from trio_chat.core.events import Entry
from trio_chat.core.queries import Span
from trio_chat.storage.base import START, Log, Search

ROOMS = [f"#{n}" for n in range(5)]
END = "#end"


async def follow(
    log: Log, shown: list[Entry], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """All rooms, until something is said in the last one."""
    async with log.tail() as tail:
        task_status.started()
        async for batch in tail:
            shown += batch
            if batch[-1].room == END:
                break


def of(room: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    return [entry for entry in entries if entry.room == room]


async def test_the_order_of_showing_is_that_of_history(log: Log) -> None:
    shown: list[Entry] = []

    async def speak(number: int) -> None:
        for n in range(20):
            room = ROOMS[(number + n) % len(ROOMS)]
            [entry] = await log.append(room, [said(f"{number}:{n}", room)])
            assert entry.id in [e.id for e in await log.history(room)]

    async def page(room: str) -> None:
        """Backwards and forwards, while more comes: what has been there stays there."""
        seen: Sequence[Entry] = []
        while len(seen) < 80:
            now: list[Entry] = []
            while page := await log.history(
                room, Span(now[-1].id if now else START, first=True), limit=7
            ):
                now += page
            assert now[: len(seen)] == seen
            seen = now
            assert len(await log.search(Search("0", [room]))) <= len(await log.history(room))

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await nursery.start(follow, log, shown)
            async with trio.open_nursery() as speakers:
                for number in range(20):
                    speakers.start_soon(speak, number)
                for room in ROOMS:
                    speakers.start_soon(page, room)
            await log.append(END, [said("", END)])
    assert len(shown) == 20 * 20 + 1
    assert [entry.id for entry in shown] == sorted(entry.id for entry in shown)
    for room in ROOMS:
        assert of(room, shown) == await log.history(room)
    for number in range(20):
        mine = [t for t in texts_of(shown) if t.startswith(f"{number}:")]
        assert mine == [f"{number}:{n}" for n in range(20)]


@pytest.mark.parametrize("store", STORES)
@settings(max_examples=25)
@given(patience=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3)), max_size=30))
def test_what_is_cancelled_is_whole_or_nothing_and_shown_if_stored(
    store: Any, patience: list[tuple[int, int]]
) -> None:
    shown: list[Entry] = []
    stored: list[Sequence[Entry]] = []

    async def speak(log: Log, number: int, passes: int, size: int) -> None:
        room = ROOMS[number % len(ROOMS)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(log.append, room, [said(f"{number}", room)] * size)
            for _ in range(passes):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

    async def run() -> None:
        async with temporary(store) as log, trio.open_nursery() as nursery:
            await nursery.start(follow, log, shown)
            async with trio.open_nursery() as speakers:
                for number, one in enumerate(patience):
                    speakers.start_soon(speak, log, number, *one)
            await log.append(END, [said("", END)])
            stored.extend([await log.history(room) for room in ROOMS])

    trio.run(run)
    assert [of(room, shown) for room in ROOMS] == stored
    for number, (_, size) in enumerate(patience):
        assert texts_of(stored[number % len(ROOMS)]).count(str(number)) in (0, size)


async def test_appends_that_wait_for_a_place_are_told_when_the_tail_is_left(log: Log) -> None:
    """There are more than can be under way at a time."""
    told: list[str] = []

    async def speak() -> None:
        try:
            await log.append("#a", [said("x")])
        except trio.BrokenResourceError as error:
            told.append(str(error))

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery, log.tail():
            for _ in range(1500):
                nursery.start_soon(speak)
            await trio.testing.wait_all_tasks_blocked()
    assert len(told) >= 1500 - 1024
