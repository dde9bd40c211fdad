"""Two nodes give a nickname once, whatever is asked of both at the same moment."""

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from irc_peers import IrcPeer, irc_peer
from peers import House, Peer
from trio_chat.core.chat import Chat
from trio_chat.core.checkpoint import checkpoint
from twins import node_of, twins


def chat_of(house: House) -> Chat:
    return house.server._hub.chat


def agree(*houses: House) -> None:
    """All have the same state, and in it people are known by nicknames of their own."""
    first, *others = map(chat_of, houses)
    for chat in others:
        assert checkpoint(chat, "") == checkpoint(first, "")
        assert {look: p.nick for look, p in chat.by_look.items()} == {
            look: p.nick for look, p in first.by_look.items()
        }
    nicks = [person.nick.lower() for person in first.people.values()]
    assert len({*nicks}) == len(nicks)
    assert {person.nick for person in first.by_look.values()} == {
        person.nick for person in first.people.values()
    }


async def test_a_nickname_is_taken_on_all_nodes() -> None:
    async with twins() as (one, two):
        await irc_peer(one, "alice", rooms="")
        late = await irc_peer(two)
        lines = await late.news("NICK a1ice", "USER x 0 * :x")
        assert [line for line in lines if " 433 " in line]
        agree(one, two)


async def test_who_asks_at_the_same_moment_and_comes_second_has_to_take_another() -> None:
    async with twins() as (one, two):
        late = await irc_peer(two)
        node_of(two).hold()
        kim = await irc_peer(one, "kim", rooms="")
        await late.say("NICK kim", "USER x 0 * :x")
        await node_of(two).until_held(2)
        node_of(two).go_on()
        assert " 433 " in await late.until("\r\n")
        lines = await late.news("NICK kim2")
        assert " 001 kim2 " in lines[0]
        assert await kim.news("PRIVMSG kim2 :hi") == []
        assert await late.news() == [":kim!kim@127.0.0.1 PRIVMSG kim2 :hi"]
        agree(one, two)


async def test_who_takes_any_gets_one_like_it() -> None:
    async with twins() as (one, two):
        plain = await two.connect()
        node_of(two).hold()
        await irc_peer(one, "kim", rooms="")
        await plain.send(b"kim\n")
        await node_of(two).until_held(2)
        node_of(two).go_on()
        await plain.until("The nickname kim is taken")
        agree(one, two)


async def test_who_renames_at_the_same_moment_keeps_their_nickname() -> None:
    async with twins() as (one, two):
        bob = await irc_peer(two, "bob", rooms="")
        alice = await irc_peer(one, "alice", rooms="")
        node_of(two).hold()
        assert await alice.news("NICK kim") == [":alice!alice@127.0.0.1 NICK kim"]
        await bob.say("NICK Kim")
        await node_of(two).until_held(2)
        node_of(two).go_on()
        assert await bob.news() == [":chat.local 433 bob Kim :The nickname Kim is taken."]
        assert await bob.news("NICK bobby") == [":bob!bob@127.0.0.1 NICK bobby"]
        agree(one, two)


NICKS = st.sampled_from(["kim", "Kim", "k1m", "lee"])
DONE = st.sampled_from(["come", "come", "rename", "rename", "go", "hold", "go on"])
STEPS = st.lists(st.tuples(st.integers(0, 1), DONE, NICKS), min_size=4, max_size=12)


async def _do(
    houses: list[House],
    peers: list[list[IrcPeer]],
    gone: list[IrcPeer],
    step: tuple[int, str, str],
) -> None:
    on, what, nick = step
    match what:
        case "come":
            peer = IrcPeer((await houses[on].link()).stream)
            await peer.say(f"NICK {nick}", "USER x 0 * :x")
            peers[on].append(peer)
        case "rename" if peers[on]:
            await peers[on][0].say(f"NICK {nick}")
        case "go" if peers[on]:
            gone.append(peers[on].pop(0))
            await gone[-1].say("QUIT")
        case "hold":
            node_of(houses[on]).hold()
        case "go on":
            node_of(houses[on]).go_on()
    for _ in range(50):
        await trio.lowlevel.checkpoint()


@pytest.mark.slow
@given(STEPS)
@settings(max_examples=60)
def test_whatever_comes_first_all_nodes_agree(steps: list[tuple[int, str, str]]) -> None:
    async def run() -> None:
        async with twins() as houses:
            peers: list[list[IrcPeer]] = [[], []]
            gone: list[IrcPeer] = []
            node_of(houses[1]).hold()
            for step in steps:
                await _do(houses, peers, gone, step)
            for house in houses:
                node_of(house).go_on()
            for peer in gone:
                await peer.rest()
            for peer in [peer for some in peers for peer in some]:
                await _settled(peer)
            await _settled(IrcPeer((await houses[0].link()).stream))
            agree(*houses)

    trio.run(run)


async def _settled(peer: Peer) -> None:
    """Wait until all that a peer has asked for has come to something."""
    await peer.send(b"PING done\r\n")
    await peer.until(":done\r\n")
