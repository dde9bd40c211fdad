"""Operators of the server are told on which nodes people are, and nobody else is."""

from pathlib import Path
from typing import cast

import pytest
import trio

from admin_socket import ask
from irc_peers import irc_peer, promote, settings
from nodes.test_people import numerics, pair
from peers import House, Peer, running
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


@pytest.mark.parametrize(
    "line",
    [
        "kill alice why",
        "#lobby topic tea",
        *(
            pytest.param(line, marks=pytest.mark.slow)
            for line in (
                "announce hello", "uban alice", "lock 1m", "#lobby kick alice", "#lobby op alice",
                "account reset alice", "account delete alice",
            )
        ),
    ],
)  # fmt: skip
async def test_what_a_lost_node_was_asked_for_there_is_refused(tmp_path: Path, line: str) -> None:
    """A program has no other node to ask; to say nothing, or only goodbye, would mean "done"."""
    path, node = tmp_path / "admin", Node(Order())
    async with running(settings(), cast("Log", node), admin=path) as house:
        alice = await irc_peer(house, "alice")
        await alice.news("REGISTER * * correct-horse")
        node.is_fenced = True
        [refused] = await ask(path, line)
        assert (refused["type"], refused["code"]) == ("refused", "unavailable")
        assert refused["text"].startswith("Whether this was done, nobody knows. This server has ")
        await house.server.stopped.wait()


async def test_who_has_an_answer_there_is_told_goodbye(tmp_path: Path) -> None:
    path = tmp_path / "admin"
    async with (
        running(settings(), admin=path) as house,
        await trio.open_unix_socket(str(path)) as stream,
    ):
        peer = Peer(stream)
        await peer.send(b"rooms\n")
        await peer.until("No rooms are open.")
        house.server.stop()
        assert '"type": "notice", "text": "The server is shutting down. ' in await peer.rest()


async def test_on_the_operators_socket_too_if_there_are_no_nodes(tmp_path: Path) -> None:
    path = tmp_path / "admin"
    async with running(settings(), admin=path) as house:
        await irc_peer(house, "bob")
        [bob], [here, _] = await ask(path, "who"), await ask(path, "connections")
        assert not {"nodes", "node"} & {*bob, *here}
        assert " from 127.0.0.1 since " in bob["text"]
        assert " from 127.0.0.1 since " in here["text"]
