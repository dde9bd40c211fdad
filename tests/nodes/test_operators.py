"""Operators of the server are told on which nodes people are, and nobody else is."""

from pathlib import Path
from typing import cast

import pytest

from admin_socket import ask
from irc_peers import irc_peer, promote, settings
from nodes.test_people import numerics, pair
from peers import House, running
from server.test_devices import another, devices, owner
from trio_chat.storage.base import Log
from twins import Node, Order, twins


async def told(house: House, of: str, *, operator: bool = True) -> list[str]:
    """The words that WHOIS has of somebody's server (312), and of each of their devices (320)."""
    eve = await irc_peer(house, "eve")
    if operator:
        await promote(house, "eve")
    lines = await eve.news(f"WHOIS {of}")
    words = [*numerics(lines, "312"), *numerics(lines, "320")]
    return [" ".join(line[2:]).partition(":")[2] for line in words]


@pytest.mark.parametrize("asked", [0, 1])
async def test_operators_are_told_the_node(asked: int) -> None:
    async with twins() as nodes:
        await pair(nodes)
        assert await told(nodes[asked], "bob") == ["trio-chat, on node-2"]


async def test_operators_are_told_all_nodes_and_each_devices_own() -> None:
    async with twins() as (one, two):
        await owner(two)
        await another(one)
        first, *others = await told(one, "bob")
        assert first == "trio-chat, on node-2 and node-1"
        assert [line.partition(" TLS")[2].partition(",")[0] for line in others] == [
            " on node-2", " on node-1",
        ]  # fmt: skip


async def test_others_are_not() -> None:
    async with twins() as (one, two):
        bob = await owner(two)
        await another(one)
        theirs = await bob.news("WHOIS bob")
        assert len(numerics(theirs, "320")) == 2  # their connections
        assert "node-" not in "".join([*theirs, *await devices(bob)])
        assert await told(one, "bob", operator=False) == ["trio-chat"]


async def test_a_node_that_is_gone_is_told_by_its_id() -> None:
    order = Order()
    async with twins(order=order) as nodes:
        await pair(nodes)
        gone = order.nodes[1].node
        order.names.pop(gone)
        assert await told(nodes[0], "bob") == [f"trio-chat, on {gone}"]


async def test_nodes_of_one_name_are_told_apart_by_their_ids() -> None:
    order = Order()
    async with twins(order=order) as nodes:
        await pair(nodes)
        first, second = (node.node for node in order.nodes)
        order.names.update({first: "web", second: "web"})
        assert await told(nodes[0], "bob") == [f"trio-chat, on web ({second})"]


async def test_a_server_that_is_no_node_tells_of_none() -> None:
    async with running(settings()) as house:
        await irc_peer(house, "bob")
        assert await told(house, "bob") == ["trio-chat"]


async def test_the_operators_socket_tells_where_people_and_its_own_connections_are(
    tmp_path: Path,
) -> None:
    order, path = Order(), tmp_path / "admin"
    async with (
        running(settings(), cast("Log", Node(order)), admin=path) as one,
        running(settings(), cast("Log", Node(order))) as two,
    ):
        await pair([one, two])
        alice, bob = await ask(path, "who")
        assert (alice["nodes"], bob["nodes"]) == (["node-1"], ["node-2"])
        assert " from 127.0.0.1 on node-2 since " in bob["text"]
        [here, _] = await ask(path, "connections")  # and the one that asks
        assert (here["nick"], here["node"]) == ("alice", "node-1")
        assert " from 127.0.0.1 on node-1 since " in here["text"]


async def test_on_the_operators_socket_too_if_there_are_no_nodes(tmp_path: Path) -> None:
    path = tmp_path / "admin"
    async with running(settings(), admin=path) as house:
        await irc_peer(house, "bob")
        [bob], [here, _] = await ask(path, "who"), await ask(path, "connections")
        assert not {"nodes", "node"} & {*bob, *here}
        assert " from 127.0.0.1 since " in bob["text"]
        assert " from 127.0.0.1 since " in here["text"]
