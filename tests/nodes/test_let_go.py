"""A node that is let go while its people are in the middle of something ends without an error."""

import logging

import pytest
import trio

from irc_peers import irc_peer
from server.test_devices import another, owner
from twins import node_of, twins

pytestmark = pytest.mark.slow

LINES = [
    "PART #lobby", "JOIN #tea,#milk", "NICK other", "TOPIC #lobby :a", "MODE #lobby +m", "QUIT :a",
    "PRIVMSG eve :a", "REGISTER * * correct-horse",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
async def test_it_ends_in_order(line: str, caplog: pytest.LogCaptureFixture) -> None:
    for passes in range(8, 24):
        async with twins() as houses, trio.open_nursery() as nursery:
            first, second = map(node_of, houses)
            bob = await owner(houses[0])
            eve = await irc_peer(houses[0], "eve")
            await another(houses[1])
            ann = await houses[0].connect("ann")
            await bob.say(line, line, "PRIVMSG eve :b", line)
            await eve.say(line, "PRIVMSG bob :c")
            await ann.send(b"hi\n/join #x\nhello\n")
            for peer in (bob, eve, ann):
                nursery.start_soon(peer.rest)
            for _ in range(passes):
                await trio.lowlevel.checkpoint()
            first.is_fenced = True
            await second.membership.tell(first.node)
            first.membership.lost.set()
            await houses[0].server.stopped.wait()
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
