"""People on two nodes of one chat see and do what they would on one."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from irc_peers import IrcPeer, irc_peer, promote, settings
from nodes.test_nicknames import agree
from peers import House, running
from server.test_devices import commands
from trio_chat.core.checkpoint import checkpoint
from trio_chat.storage.base import Log
from twins import Node, Order, twins


@pytest.fixture
async def nodes() -> AsyncIterator[list[House]]:
    async with twins() as houses:
        yield houses


async def pair(nodes: list[House], *caps: str, rooms: str = "") -> tuple[IrcPeer, IrcPeer]:
    """Alice on one node, and bob on the other, with these capabilities."""
    alice = await irc_peer(nodes[0], "alice", rooms=rooms)
    bob = await irc_peer(nodes[1], "bob", *caps, rooms=rooms)
    await alice.news()
    return alice, bob


def numerics(lines: list[str], *wanted: str) -> list[list[str]]:
    """The words of these lines, without the number and who is told."""
    words = [line.split() for line in lines]
    return [each[1:2] + each[3:] for each in words if each[1] in wanted]


async def test_messages(nodes: list[House]) -> None:
    alice, bob = await pair(nodes)
    assert await alice.news("PRIVMSG bob :hi") == []
    assert await bob.news("PRIVMSG alice :hello") == [":alice!alice@127.0.0.1 PRIVMSG bob :hi"]
    assert await alice.news() == [":bob!bob@127.0.0.1 PRIVMSG alice :hello"]


async def test_rooms(nodes: list[House]) -> None:
    """Who comes first leads it, and what was said is shown once to who comes later."""
    alice, bob = await pair(nodes)
    await alice.news("JOIN #tea", "TOPIC #tea :leaves", "PRIVMSG #tea :early")
    told = await bob.news("JOIN #tea")
    assert sum(line.endswith("early") for line in told) == 1
    assert " 332 bob #tea leaves" in "".join(told)
    assert " 353 bob = #tea :@alice bob" in "".join(told)
    assert commands(await alice.news("MODE #tea +v bob")) == ["JOIN #tea", "MODE #tea +v bob"]
    assert commands(await bob.news("TOPIC #tea :green")) == [
        "MODE #tea +v bob", "TOPIC #tea :green",
    ]  # fmt: skip
    assert commands(await alice.news("KICK #tea bob :out")) == [
        "TOPIC #tea :green", "KICK #tea bob out",
    ]  # fmt: skip
    assert commands(await bob.news()) == ["KICK #tea bob out"]


async def test_an_invitation(nodes: list[House]) -> None:
    alice, bob = await pair(nodes)
    await alice.news("JOIN #tea", "MODE #tea +i")
    assert " 473 " in "".join(await bob.news("JOIN #tea"))
    assert " 341 alice bob #tea" in "".join(await alice.news("INVITE bob #tea"))
    assert commands(await bob.news()) == ["INVITE bob #tea"]
    assert commands(await bob.news("JOIN #tea"))[0] == "JOIN #tea"


async def test_who_and_whois(nodes: list[House]) -> None:
    alice, bob = await pair(nodes, rooms="#tea")
    await alice.news("AWAY :lunch")
    assert numerics(await bob.news("WHO #tea"), "352") == [
        ["352", "#tea", "alice", "127.0.0.1", "chat.local", "alice", "G@", ":0", "Alice"],
        ["352", "#tea", "bob", "127.0.0.1", "chat.local", "bob", "H", ":0", "Bob"],
    ]
    assert numerics(await bob.news("WHOIS alice"), "311", "319", "301") == [
        ["311", "alice", "alice", "127.0.0.1", "*", ":Alice"],
        ["319", "alice", ":@#tea"],
        ["301", "alice", ":lunch"],
    ]
    await alice.say("QUIT")
    await alice.rest()
    assert numerics(await bob.news("WHOWAS alice"), "314") == [
        ["314", "alice", "alice", "127.0.0.1", "*", ":Alice"]
    ]


async def test_who_is_away(nodes: list[House]) -> None:
    alice, bob = await pair(nodes, "away-notify", rooms="#tea")
    await alice.news("AWAY :lunch")
    assert commands(await bob.news("PRIVMSG alice :hi")) == ["AWAY lunch", "301 bob alice :lunch"]
    await alice.news("AWAY")
    assert commands(await bob.news()) == ["AWAY"]


async def test_monitor(nodes: list[House]) -> None:
    _, bob = await pair(nodes)
    assert numerics(await bob.news("MONITOR + carol,alice"), "730", "731") == [
        ["730", ":alice!alice@127.0.0.1"], ["731", ":carol"],
    ]  # fmt: skip
    carol = await irc_peer(nodes[0], "carol", rooms="")
    assert numerics(await bob.news(), "730") == [["730", "carol!carol@127.0.0.1"]]
    await carol.news("NICK caro")
    assert numerics(await bob.news(), "731") == [["731", "carol"]]


async def test_counts(nodes: list[House]) -> None:
    alice, bob = await pair(nodes, rooms="#tea")
    for peer in (alice, bob):
        lines = " ".join(await peer.news("LUSERS"))
        assert ":There are 2 users and 0 invisible on 1 servers" in lines
        assert " 1 :channels formed" in lines


async def test_operators(nodes: list[House]) -> None:
    """They are heard, counted and obeyed on all nodes."""
    alice, bob = await pair(nodes)
    await bob.news("MODE bob +w")
    await promote(nodes[0], "alice")
    await alice.news("WALLOPS :tea at five")
    assert commands(await bob.news()) == ["WALLOPS :tea at five"]
    assert " 1 :operator(s) online" in " ".join(await bob.news("LUSERS"))
    await alice.say("KILL bob :enough")
    assert "Killed (alice (enough))" in await bob.rest()
    assert numerics(await alice.news("WHOIS bob"), "401")


async def test_a_newcomer_to_a_node_that_has_started_is_told_what_was_said_last() -> None:
    """The last of it was just before what the node begins with."""
    order = Order()
    async with twins(1, order=order) as [one]:
        alice = await irc_peer(one, "alice")
        await alice.news(*(f"PRIVMSG #lobby :{text}" for text in ("first", "last")))
        node, last = Node(order), order.shown[-1].id
        node.membership.found = checkpoint(one.server._hub.chat, last)
        async with running(settings(), cast("Log", node)) as two:
            bob = await irc_peer(two, "bob", rooms="")
            told = await bob.news("JOIN #lobby")
            said = [line.split()[-1] for line in told if "alice!alice" in line]
            assert said == ["first", "last"]


async def test_a_node_that_starts_without_a_checkpoint_counts_what_is_stored_once() -> None:
    """Its file may have what the tail is still to bring."""
    order = Order()
    async with twins(1, order=order) as [one]:
        alice = await irc_peer(one, "alice")
        await alice.news("REGISTER * * correct-horse", "NS SET PASSWORD another-horse")
        node = Node(order)
        node.begin_with_the_first()
        async with running(settings(), cast("Log", node)) as two:
            await irc_peer(two, "bob")
            agree(one, two)
