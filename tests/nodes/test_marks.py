"""What somebody has read, told on one node, is told to their connections on the other."""

from bob import PASSWORD
from irc_peers import irc_peer
from server.test_devices import another, commands, owner
from twins import node_of, twins

MARKER = "draft/read-marker"


def stamp(second: int) -> str:
    return f"timestamp=2026-01-01T00:00:{second:02}.000Z"


async def test_a_marker_that_comes_late_moves_nothing_back() -> None:
    """Two are set at the same moment, the later one first."""
    async with twins() as (one, two):
        bob = await owner(one, MARKER)
        phone, _ = await another(two, MARKER)
        await bob.news()
        node_of(one).hold()
        await phone.news(f"MARKREAD #lobby {stamp(7)}")
        await bob.say(f"MARKREAD #lobby {stamp(5)}")
        await node_of(one).until_held(2)
        node_of(one).go_on()
        told = [line for line in commands(await bob.news()) if line.startswith("MARKREAD")]
        assert told == [f"MARKREAD #lobby {stamp(7)}"] * 2
        assert commands(await phone.news()) == [f"MARKREAD #lobby {stamp(7)}"]


async def test_a_guest_keeps_their_markers_when_they_log_in() -> None:
    async with twins() as (one, two):
        await (await owner(one, MARKER)).say("QUIT")
        guest = await irc_peer(one, "guest", MARKER)
        await guest.news(f"MARKREAD #lobby {stamp(3)}")
        marks = [[*h.server._hub.chat.people.values()][-1].marks for h in (one, two)]
        assert marks[0] == marks[1] == {"#lobby": 1_767_225_603_000}
        await guest.news(f"NS IDENTIFY bob {PASSWORD}")
        phone, _ = await another(two, MARKER)
        assert commands(await phone.news("MARKREAD #lobby")) == [f"MARKREAD #lobby {stamp(3)}"]
        for house in (one, two):
            [person] = house.server._hub.chat.people.values()
            assert not person.marks
