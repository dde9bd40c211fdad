"""What the server keeps of a connection that says nothing."""

import gc
import types
from collections import Counter

import pytest
import trio
import trio.testing

from peers import Peer, running

COROUTINES = types.CoroutineType.__name__
SCOPES = "CancelStatus"  # trio has one for each cancel scope that is entered


@pytest.fixture(autouse=True)
def _only_new_objects() -> None:
    """Look at none that were there before."""
    gc.collect()
    gc.freeze()


def held() -> Counter[str]:
    """How many coroutines and entered cancel scopes there are."""
    gc.collect()
    names = (type(found).__name__ for found in gc.get_objects())
    return Counter(name for name in names if name in (COROUTINES, SCOPES))


async def say(peer: Peer, text: str) -> None:
    await peer.send(f"{text}\n".encode())
    await peer.until(f": {text}\n")


async def test_an_idle_connection_waits_in_one_coroutine_of_ours_and_no_cancel_scope() -> None:
    async with running() as house:
        await house.connect("first")
        await trio.testing.wait_all_tasks_blocked()
        before = held()
        for number in range(5):
            await house.connect(f"u{number}")
        await trio.testing.wait_all_tasks_blocked()
        assert held() - before == Counter({COROUTINES: 5 * 2})


async def test_a_busy_connection_keeps_its_cancel_scope_until_it_has_been_silent(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with running() as house:
        al = await house.connect("al")
        await trio.testing.wait_all_tasks_blocked()
        idle = held()
        mock_clock.jump(1)
        await say(al, "a message alone")
        await trio.testing.wait_all_tasks_blocked()
        assert not held() - idle
        for number in range(3):
            mock_clock.jump(0.05)
            await say(al, f"one of many, {number}")
        await trio.testing.wait_all_tasks_blocked()
        assert (held() - idle)[SCOPES] == 1
        mock_clock.jump(4)
        await trio.testing.wait_all_tasks_blocked()
        assert not held() - idle
        await say(al, "still here")
