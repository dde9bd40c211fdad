"""Lists of rooms where one is meant."""

import pytest

from irc_peers import irc_peer
from peers import running


@pytest.mark.parametrize(
    "line", ["TOPIC #a,#b", "TOPIC #a,#b :x", "MODE #a,#b", "INVITE bob #a,#b"]
)
async def test_that_one_room_is_meant_is_told(line: str) -> None:
    async with running() as house:
        alice = await irc_peer(house, "alice", rooms="#a,#b", link=True)
        verb = line.split()[0]
        assert await alice.news(line) == [
            f":chat.local 403 alice #a,#b :{verb} takes one room at a time"
        ]
