"""Bob, who has an account, goes and comes back."""

import trio

from irc_peers import IrcPeer, irc_peer
from peers import House, Peer
from sasl import by_plain

PASSWORD = "correct-horse"


async def gone(peer: Peer, how: bytes = b"QUIT\r\n") -> None:
    await peer.send(how)
    await peer.rest()
    await trio.aclose_forcefully(peer.stream)


async def back(house: House, *lines: str, nick: str = "bob") -> IrcPeer:
    """Bob on a fresh connection, who has read what he is shown."""
    bob = await irc_peer(house)
    await bob.news("CAP REQ sasl", f"NICK {nick}", "USER bob 0 * :Bob", *lines)
    await by_plain(bob, "bob", PASSWORD)
    await bob.say("CAP END")
    return bob


async def rooms_of(peer: IrcPeer) -> list[str]:
    """The rooms that a client has been shown until now, in order."""
    lines = [line.split() for line in await peer.news()]
    return [words[2].lstrip(":") for words in lines if words[1] == "JOIN"]
