"""People on two nodes of one chat see and do what they would on one."""

from irc_peers import irc_peer
from twins import twins


async def test_people_of_two_nodes_talk() -> None:
    async with twins() as (one, two):
        alice = await irc_peer(one, "alice", rooms="")
        bob = await irc_peer(two, "bob", rooms="")
        assert await alice.news("PRIVMSG bob :hi") == []
        assert await bob.news("PRIVMSG alice :hello") == [":alice!alice@127.0.0.1 PRIVMSG bob :hi"]
        assert await alice.news() == [":bob!bob@127.0.0.1 PRIVMSG alice :hello"]
