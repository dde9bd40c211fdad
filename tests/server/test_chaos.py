"""People who come, talk, move, rename, and are cut off at any moment: nothing of them stays."""

import random

import pytest
import trio
import trio.testing

from peers import House, Peer, running, settings

NICKS = ["al", "bo", "cy", "di", "ed", "flo"]
ROOMS = ["#lobby", "#den", "#attic", "#cellar"]
UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000, "rooms": 3}


def request(chance: random.Random) -> str:
    nick, room = chance.choice(NICKS), chance.choice(ROOMS)
    verbs = ["hello", "hello", "/me waves", "/who", "/rooms", "/quit", "/nonsense", "/topic -"]
    verbs += [
        f"/join {room}",
        f"/join {room}",
        f"/nick {nick}",
        f"/msg {nick} hi",
        f"/topic {nick}",
    ]
    return chance.choice(verbs)


async def live(house: House, chance: random.Random) -> None:
    """One life: some requests at once or one by one, and an end of some kind."""
    peer: Peer = await house.link()
    for _ in range(chance.randrange(8)):
        await trio.lowlevel.checkpoint()
    lines = [chance.choice(NICKS), *(request(chance) for _ in range(chance.randrange(12)))]
    for line in lines:
        await peer.stream.send_all(f"{line}\n".encode())
        for _ in range(chance.randrange(6)):
            await trio.lowlevel.checkpoint()
    if chance.random() < 0.5:
        await peer.stream.send_eof()
        await peer.rest()
    else:
        await peer.stream.aclose()


@pytest.mark.parametrize("seed", range(8))
async def test_all_that_is_left_is_the_history(
    seed: int, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(seed)
    async with running(settings(limits=UNLIMITED)) as house:
        async with trio.open_nursery() as nursery:
            for _ in range(150):
                nursery.start_soon(live, house, chance)
                if chance.random() < 0.3:
                    await trio.lowlevel.checkpoint()
        await trio.sleep(60)
        hub = house.server._hub
        assert not house.server._connections
        assert not hub.listeners
        assert not hub.chat.people
        assert not hub.chat.rooms
        assert not hub._names
        assert not hub._uses
        assert not hub._conversations
        await house.link("al")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
