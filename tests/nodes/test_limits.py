"""Limits that count for all nodes."""

from irc_peers import irc_peer
from nodes.test_nicknames import agree
from twins import node_of, twins


async def test_the_last_place_in_a_room_is_given_once() -> None:
    async with twins() as houses:
        alice = await irc_peer(houses[0], "alice", rooms="#tea")
        await alice.news("MODE #tea +l 2")
        peers = [await irc_peer(house, f"guest{n}", rooms="") for n, house in enumerate(houses)]
        for house in houses:
            node_of(house).hold()
        for peer in peers:
            await peer.say("JOIN #tea", "PING done")
        await node_of(houses[0]).until_held(1)
        for house in houses:
            node_of(house).go_on()
        told = [await peer.until(":done\r\n") for peer in peers]
        assert sorted(" 471 " in text for text in told) == [False, True]
        agree(*houses)
        assert len(houses[0].server._hub.chat.rooms["#tea"].members) == 2
