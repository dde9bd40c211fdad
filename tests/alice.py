"""Alice, who has an account, goes and comes again, and is shown what has waited for her."""

import re

import trio

from irc_peers import IrcPeer, irc_peer
from peers import House, Peer

PASSWORD = "correct-horse"
ALICE = f"alice:{PASSWORD}"


async def register(house: House, nick: str = "alice") -> None:
    """An account whose owner has gone again, and was in no room."""
    peer = await irc_peer(house, nick, rooms="")
    assert "REGISTER SUCCESS" in (await peer.news(f"REGISTER * * {PASSWORD}"))[0]
    await leave(peer)


async def leave(peer: Peer) -> None:
    await peer.send(b"QUIT\r\n" if isinstance(peer, IrcPeer) else b"/quit\n")
    await peer.rest()
    await trio.aclose_forcefully(peer.stream)


async def plain_alice(house: House) -> Peer:
    """Alice on one more device, who has not read what has waited for her."""
    peer = await house.connect()
    await peer.send(f"/login alice {PASSWORD}\n".encode())
    await peer.until("/help for more.\n")
    return peer


async def box(peer: Peer) -> list[str]:
    """What a plain person has been shown until an answer comes; that they are logged in aside."""
    await peer.send(b"/rooms\n")
    lines = (await peer.until("#lobby (")).splitlines()[:-1]
    return [line for line in lines if line and "You are logged in as " not in line]


def bare(lines: list[str]) -> list[str]:
    return [re.sub(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d", "THEN", line) for line in lines]
