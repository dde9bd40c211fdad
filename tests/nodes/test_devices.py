"""People whose connections are on two nodes, where a race or a node is what matters."""

import pytest
import trio

from bob import PASSWORD
from irc_peers import IrcPeer, irc_peer
from nodes.test_nicknames import agree
from peers import House
from sasl import by_plain
from server.test_devices import another, commands, devices, owner
from twins import node_of, twins


async def test_connections_of_one_number_are_told_apart() -> None:
    async with twins() as (one, two):
        bob = await owner(one)
        phone, _ = await another(two)
        nodes = [node_of(house).node for house in (one, two)]
        assert [line.partition(":")[0] for line in await devices(bob)] == [
            f"Connection 1.{nodes[0]} (this one)", f"Connection 1.{nodes[1]}",
        ]  # fmt: skip
        await bob.news(f"NS DEVICES END 1.{nodes[1]}")
        assert "from another device. Goodbye!" in await phone.rest()
        assert [line.partition(":")[0] for line in await devices(bob)] == [
            "Connection 1 (this one)"
        ]


async def test_one_that_ends_leaves_the_nodes_agreed() -> None:
    """Up to where it has read is nobody's business, as the other one goes on."""
    async with twins() as (one, two):
        bob = await owner(one)
        await another(two)
        eve = await irc_peer(two, "eve")
        await eve.news("PRIVMSG #lobby :hi")
        await bob.news()
        await bob.say("QUIT")
        await bob.rest()
        agree(one, two)


async def test_a_guest_with_a_secret_takes_their_nickname_over_from_another_node() -> None:
    secret = "a-secret-of-the-phone"
    async with twins() as (one, two):
        eve = await irc_peer(two, "eve")
        phone = await irc_peer(one, "kim", secret=secret)
        await eve.news()
        again = await irc_peer(two, "kim", secret=secret)
        assert "You have connected again. Goodbye!" in await phone.rest()
        assert [line.split()[:2] for line in await eve.news()] == [
            [":kim!kim@127.0.0.1", "QUIT"], [":kim!kim@127.0.0.1", "JOIN"],
        ]  # fmt: skip
        await again.news()
        agree(one, two)


async def test_nobody_else_takes_it_over() -> None:
    async with twins() as (one, two):
        await irc_peer(one, "kim", secret="a-secret-of-the-phone")
        late = await irc_peer(two)
        lines = await late.news(
            "CAP REQ trio-chat/identity", "IDENTITY another-secret-of-somebody",
            "NICK kim", "USER k 0 * :k", "CAP END",
        )  # fmt: skip
        assert any(" 433 " in line for line in lines)


@pytest.mark.parametrize("held", [0, 1])
async def test_who_ends_two_last_connections_at_once_is_gone_once(held: int) -> None:
    """Each node still knows of the connection to the other one."""
    async with twins() as houses:
        bob, eve = await owner(houses[0]), await irc_peer(houses[0], "eve")
        phone, _ = await another(houses[1])
        await eve.news()
        for house in houses:
            node_of(house).hold()
        await bob.say("QUIT :bye")
        await phone.say("QUIT :bye")
        await node_of(houses[held]).until_held(2)
        for house in houses:
            node_of(house).go_on()
        await bob.rest()
        await phone.rest()
        assert commands(await eve.news()) == ["QUIT :Quit: bye"]
        agree(*houses)
        assert not houses[0].server._hub.chat.person("bob")


async def test_who_comes_while_the_last_connection_goes_stays() -> None:
    """Whether it goes before, or after."""
    async with twins() as houses:
        bob, eve = await owner(houses[0]), await irc_peer(houses[0], "eve")
        await eve.news()
        node_of(houses[0]).hold()
        phone = await coming(houses[1])
        await phone.until(" 422 ")
        await bob.say("QUIT :bye")
        await node_of(houses[0]).until_held(2)
        node_of(houses[0]).go_on()
        await bob.rest()
        assert commands(await eve.news()) == []
        await phone.news("PRIVMSG eve :here")
        assert commands(await eve.news()) == ["PRIVMSG eve :here"]
        agree(*houses)


async def test_who_comes_just_after_the_last_connection_has_gone_arrives_anew() -> None:
    async with twins() as houses:
        bob = await owner(houses[0])
        node_of(houses[1]).hold()
        await bob.say("QUIT :bye")
        await bob.rest()
        phone = await coming(houses[1])
        await node_of(houses[1]).until_held(3)
        node_of(houses[1]).go_on()
        await phone.until(" 422 ")
        agree(*houses)
        assert houses[0].server._hub.chat.person("phone")


async def coming(house: House) -> IrcPeer:
    """One more connection of bob's, which has not been let in yet."""
    peer = await irc_peer(house)
    await peer.news("CAP REQ sasl", "NICK phone")
    await by_plain(peer, "bob", PASSWORD)
    await peer.say("USER phone 0 * :phone", "CAP END")
    return peer


async def test_two_who_come_at_once_are_one_person() -> None:
    async with twins() as houses:
        bob = await owner(houses[0])
        await bob.say("QUIT")
        await bob.rest()
        for house in houses:
            node_of(house).hold()
        peers = [await coming(house) for house in houses]
        await node_of(houses[0]).until_held(2)
        for house in houses:
            node_of(house).go_on()
        for peer in peers:
            await peer.until(" 422 ")
        agree(*houses)
        [person] = houses[0].server._hub.chat.people.values()
        assert len(person.devices) == 2


async def test_more_than_twenty_at_once_are_refused() -> None:
    async with twins() as houses:
        await owner(houses[0])
        for _ in range(18):
            await another(houses[0])
        for house in houses:
            node_of(house).hold()
        peers = [await coming(house) for house in houses]
        await node_of(houses[0]).until_held(2)
        for house in houses:
            node_of(house).go_on()
        told = dict[IrcPeer, str]()

        async def hear(peer: IrcPeer) -> None:
            told[peer] = await peer.until("\r\n")
            told[peer] += await peer.until(" 422 ") if " 001 " in told[peer] else await peer.rest()

        async with trio.open_nursery() as nursery:
            for peer in peers:
                nursery.start_soon(hear, peer)
        assert sorted(
            "20 devices, which is the limit" in text for text in told.values()
        ) == [False, True]  # fmt: skip
        agree(*houses)
