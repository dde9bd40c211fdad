"""The people of a node that is gone leave, as far as they are not on another one, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
import trio
import trio.testing

from bob import back
from irc_peers import irc_peer, settings
from nodes.test_nicknames import agree
from peers import House, running
from server.test_always_on import owner as owner_always_on
from server.test_devices import another, commands, owner
from trio_chat.core.events import Departed
from trio_chat.storage.base import Log
from twins import Node, Order, node_of, twins


@asynccontextmanager
async def dying(order: Order) -> AsyncIterator[House]:
    """One more node, which is gone at the end without a word."""
    node = Node(order)
    node.begin_with_the_first()
    async with running(settings(), cast("Log", node)) as house:
        yield house
        node.is_dead = True


async def departed(order: Order, room: str = "#lobby") -> list[str]:
    """Who has left, as the history of a room tells it."""
    kept = [entry.event for entry in await order.history(room)]
    return [event.nick for event in kept if isinstance(event, Departed)]


async def test_those_who_were_only_there_have_gone() -> None:
    order = Order()
    async with twins(order=order) as houses:
        eve = await irc_peer(houses[0], "eve", "away-notify", rooms="#lobby,#tea")
        bob = await owner_always_on(houses[0])
        async with dying(order) as third:
            gone = node_of(third).node
            await irc_peer(third, "guest")
            await another(third)
            await back(third, nick="tablet")
            carol = await irc_peer(houses[1], "carol")
            await carol.news("REGISTER * * correct-horse")
            await bob.say("QUIT")
            await bob.rest()
        await eve.news()
        await node_of(houses[1]).membership.tell(gone)
        assert sorted(commands(await eve.news())) == [
            "AWAY :not connected", "QUIT :connection lost",
        ]  # fmt: skip
        agree(*houses)
        people = houses[0].server._hub.chat.people.values()
        assert {person.nick for person in people} == {"eve", "carol", "bob"}
        assert not any(one.id.startswith(gone) for p in people for one in p.devices)
        assert await departed(order) == ["guest"]


async def test_who_is_on_another_node_too_stays() -> None:
    order = Order()
    async with twins(order=order) as houses:
        async with dying(order) as third:
            await owner(third)
            phone, _ = await another(houses[0])
        await node_of(houses[0]).membership.tell(node_of(third).node)
        agree(*houses)
        assert await departed(order) == []
        [person] = houses[0].server._hub.chat.people.values()
        assert len(person.devices) == 1
        assert await phone.news("PRIVMSG bob :note") == [":bob!bob@127.0.0.1 PRIVMSG bob :note"]


async def test_two_nodes_may_see_to_it_at_once_and_again() -> None:
    order = Order()
    async with twins(order=order) as houses:
        eve = await irc_peer(houses[0], "eve")
        async with dying(order) as third:
            for name in ("guest", "other"):
                await irc_peer(third, name)
        await eve.news()
        async with trio.open_nursery() as nursery:
            for house in houses:
                nursery.start_soon(node_of(house).membership.tell, node_of(third).node)
        await houses[0].server._hub.departures.bury(node_of(third).node)
        assert sorted(commands(await eve.news())) == ["QUIT :connection lost"] * 2
        agree(*houses)
        assert {*await departed(order)} == {"guest", "other"}


async def test_who_came_just_before_the_node_was_gone_is_seen_to() -> None:
    """Though the node that does it has not heard of them yet."""
    order = Order()
    async with twins(order=order) as houses:
        async with dying(order) as third:
            node_of(houses[0]).hold()
            await irc_peer(third, "guest")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node_of(houses[0]).membership.tell, node_of(third).node)
            await node_of(houses[0]).until_held(node_of(houses[0]).held + 1)
            node_of(houses[0]).go_on()
        agree(*houses)
        assert not houses[0].server._hub.chat.people


async def test_a_node_that_stops_takes_its_people_with_it() -> None:
    order = Order()
    async with twins(order=order) as houses:
        eve = await irc_peer(houses[0], "eve")
        async with dying(order) as third:
            guest = await irc_peer(third, "guest")
            await eve.news()
            third.server.stop()
            await guest.rest()
            await third.server.stopped.wait()
        assert [line.split()[0] for line in commands(await eve.news())] == ["QUIT"]
        agree(*houses)


async def test_a_node_that_stops_tells_up_to_where_its_people_have_read() -> None:
    order = Order()
    async with twins(order=order) as houses:
        eve = await irc_peer(houses[0], "eve")
        async with dying(order) as third:
            bob = await owner(third)
            await eve.news("PRIVMSG #lobby :early")
            await bob.news()
            third.server.stop()
            await bob.rest()
            await third.server.stopped.wait()
        await eve.news("PRIVMSG #lobby :late")
        agree(*houses)
        _, told = await another(houses[1])
        said = [line for line in told if "eve!eve" in line]
        assert len(said) == 1
        assert "late" in said[0]


async def test_node_whose_people_the_others_let_go_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It lives, and has not found out otherwise: nobody may ask who is not in the chat."""
    async with twins() as houses:
        bob = await owner(houses[0])
        eve = await irc_peer(houses[0], "eve")
        await another(houses[1])
        await node_of(houses[1]).membership.tell(node_of(houses[0]).node)
        for peer in (bob, eve):
            assert "lost touch with the others" in await peer.rest()
        await houses[0].server.stopped.wait()
        assert houses[0].server.starts_anew
        # They may have been in the middle of something, and are judged by being here.
        assert {"bob", "eve"} <= {p.nick for p in houses[0].server._hub.chat.people.values()}
    assert [r.reason for r in caplog.records if r.event == "node-lost"] == ["it is lost"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", ["PRIVMSG #lobby :hi", "TOPIC #lobby :tea", "JOIN #tea"])
async def test_who_asks_a_node_that_is_lost_is_not_refused(line: str) -> None:
    """They can ask another one: a refusal would be the last word."""
    async with twins() as houses:
        eve = await irc_peer(houses[0], "eve", "echo-message", "labeled-response", "batch")
        node_of(houses[0]).is_fenced = True
        await eve.say(f"@label=1 {line}")
        told = await eve.rest()
        assert "lost touch with the others" in told
        assert "does not count" not in told
        assert " ACK" not in told
        await houses[0].server.stopped.wait()


async def test_who_leaves_while_nothing_can_be_stored_is_gone_once_it_can(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with twins() as houses:
        eve = await irc_peer(houses[1], "eve", link=True)
        bob = await irc_peer(houses[0], "bob", link=True)
        lost = await irc_peer(houses[0], "lost", link=True)
        await eve.news()
        node_of(houses[0]).is_cut_off = True
        await bob.say("QUIT :see you")
        await bob.rest()
        await lost.stream.aclose()
        await trio.sleep(60)
        assert await eve.news() == []
        node_of(houses[0]).is_cut_off = False
        await trio.sleep(5)
        gone = sorted(line.split()[0] for line in await eve.news())
        assert gone == [":bob!bob@memory", ":lost!lost@memory"]
        agree(*houses)
        [person] = houses[0].server._hub.chat.people.values()
        assert person.nick == "eve"


async def test_who_comes_while_nothing_can_be_stored_is_told_to_come_later(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with twins() as houses:
        node_of(houses[0]).is_cut_off = True
        bob = await irc_peer(houses[0])
        await bob.say("NICK bob", "USER bob 0 * :Bob")
        told = await bob.rest()
        assert "Nobody can be let in just now. Try again in a minute." in told
        assert "order" not in told
