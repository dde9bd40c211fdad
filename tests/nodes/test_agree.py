"""Whatever two people do at once on two nodes, of which each hears of it late by turns: in the end
these have equal states, and all devices of a person show the same.
"""

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from irc_peers import settings as server_settings
from peers import House
from server.test_devices_agree import LINES, at_once
from trio_chat.core.checkpoint import checkpoint
from twins import Spread, node_of, twins


async def stutter(houses: list[House], turns: list[int]) -> None:
    """Hold back one node after the other, each for so many passes of the loop, until cancelled."""
    while True:
        for number, some in enumerate(turns):
            node = node_of(houses[number % 2])
            node.hold()
            for _ in range(some):
                await trio.lowlevel.checkpoint()
            node.go_on()
            await trio.lowlevel.checkpoint()


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    script=st.lists(st.tuples(st.integers(0, 5), LINES), max_size=25),
    always_on=st.booleans(),
    turns=st.lists(st.integers(0, 30), max_size=4),
)
def test_all_nodes_and_devices_agree(
    script: list[tuple[int, str]], always_on: bool, turns: list[int]
) -> None:
    async def run() -> None:
        chosen = server_settings(
            limits={"message_burst": 1000, "messages_per_second": 1000},
            history={"replay": 100},
        )
        async with twins(2, chosen) as houses, trio.open_nursery() as nursery:
            if turns:
                nursery.start_soon(stutter, houses, turns)
            await at_once(Spread(houses), script, always_on=always_on)
            nursery.cancel_scope.cancel()
            for house in houses:
                node_of(house).go_on()
            with trio.CancelScope(shield=True):
                await trio.testing.wait_all_tasks_blocked(0.01)
                one, two = (checkpoint(house.server._hub.chat, "") for house in houses)
                assert one == two

    trio.run(run, clock=trio.testing.MockClock(rate=1))
