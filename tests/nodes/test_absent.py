"""People who are always on are one person on all nodes, and belong to none of these."""

from typing import cast

import pytest
import trio

from bob import back, gone, rooms_of
from irc_peers import irc_peer, promote, settings
from nodes.test_nicknames import agree
from peers import running
from server.test_always_on import commands, members, owner
from trio_chat.core.events import Departed
from trio_chat.storage.base import Log
from twins import Node, Order, twins


async def kept() -> Order:
    """An order in which bob is always on, in the lobby and #tea, and nobody is there."""
    order = Order()
    async with twins(1, order=order) as [house]:
        await gone(await owner(house))
    return order


async def test_nodes_that_start_at_once_bring_each_once() -> None:
    order = await kept()
    nodes = [Node(order), Node(order)]
    nodes[1].hold()

    async def go_on(after: int) -> None:
        await nodes[1].until_held(after + 1)
        nodes[1].go_on()

    async with running(settings(), cast("Log", nodes[0])) as one, trio.open_nursery() as nursery:
        eve = await irc_peer(one, "eve", rooms="#tea")
        nursery.start_soon(go_on, nodes[1].held)
        async with running(settings(), cast("Log", nodes[1])) as two:
            assert await eve.news() == []
            assert await members(eve, "#tea") == {"bob", "eve"}
            agree(one, two)
            assert len(two.server._hub.chat.absent) == 1
            bob = await back(two, nick="phone")
            assert await rooms_of(bob) == ["#lobby", "#tea"]
            assert commands(await bob.news("PRIVMSG #tea :hi")) == []
            assert commands(await eve.news()) == ["PRIVMSG #tea :hi"]
            agree(one, two)


@pytest.mark.parametrize("home", [0, 1])
async def test_one_node_lets_them_go(home: int) -> None:
    """Wherever they were connected last, and whoever bans them."""
    order = Order()
    async with twins(order=order) as houses:
        bob = await owner(houses[home])
        eve = await irc_peer(houses[1 - home], "eve", rooms="#tea")
        boss = await irc_peer(houses[1 - home], "boss", rooms="")
        await promote(houses[1 - home], "boss")
        await gone(bob)
        await eve.news()
        await boss.news("UBAN ADD bob 1d :spam")
        await eve.until(" QUIT :not here any more\r\n")
        agree(*houses)
        assert not houses[0].server._hub.chat.absent
    kept = [entry.event for entry in await order.history("#tea")]
    assert [one.nick for one in kept if isinstance(one, Departed) and one.nick == "bob"] == ["bob"]


async def test_who_turns_it_off_on_another_node_goes() -> None:
    async with twins() as houses:
        bob, eve = await owner(houses[0]), await irc_peer(houses[1], "eve", rooms="#tea")
        phone = await back(houses[1], nick="phone")
        await phone.news("NS SET ALWAYS-ON OFF")
        await gone(bob)
        await eve.news()
        await gone(phone)
        assert [line.split()[0] for line in commands(await eve.news())] == ["QUIT"]
        agree(*houses)
