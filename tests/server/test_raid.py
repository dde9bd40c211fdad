"""A raid of 200 guests from 50 networks: one lock and three bans later members talk on."""

import time
from collections.abc import Sequence

import trio

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running

GUESTS, NETWORKS, LINES = 200, 50, 3
#: The networks are in these, as those of a hoster or two would be.
BLOCKS = ("100.64.0.0/16", "100.65.0.0/16", "100.66.0.0/16")


def address(number: int) -> str:
    """Four guests have neighbouring addresses in one network."""
    network = number % NETWORKS
    return f"100.{64 + network % len(BLOCKS)}.{network}.{number // NETWORKS + 1}"


async def by_proxy(house: House, nick: str, source: str) -> IrcPeer:
    """Somebody who comes through a proxy, and has not read the answer."""
    peer = IrcPeer((await house.connect()).stream)
    here = f"PROXY TCP4 {source} 192.0.2.1 40000 6697"
    await peer.say(here, f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #lobby")
    return peer


async def member(house: House, nick: str) -> IrcPeer:
    """Somebody with an account, on the server's own machine."""
    peer = await irc_peer(house, nick, link=True)
    await peer.say("NS REGISTER correct-horse")
    await peer.until("You are now logged in")
    return peer


async def flood(raiders: Sequence[IrcPeer]) -> None:
    """Each says some lines, and has been answered."""

    async def say(peer: IrcPeer) -> None:
        await peer.news(*["PRIVMSG #lobby :RAID"] * LINES)

    async with trio.open_nursery() as nursery:
        for raider in raiders:
            nursery.start_soon(say, raider)


def seen(lines: Sequence[str], text: str) -> int:
    return sum(line.endswith(f":{text}") for line in lines)


async def test_a_raid() -> None:
    chosen = settings(
        server={"proxies": "127.0.0.1"},
        tls={"clear": "anyone"},
        accounts={"guests": "open", "registration": "open"},
    )
    async with running(chosen) as house:
        boss, al, bo = [await member(house, nick) for nick in ("boss", "al", "bo")]
        await boss.news("OPER boss sesame")
        raiders = [await by_proxy(house, f"r{n}", address(n)) for n in range(GUESTS)]
        for raider in raiders:
            await raider.until(" 366 ")
        await al.news()
        begin = time.process_time()
        await flood(raiders)
        free, before = time.process_time() - begin, seen(await al.news(), "RAID")
        assert before == GUESTS * LINES

        await boss.news("LOCK 10m raid")
        begin = time.process_time()
        await flood(raiders)
        locked, after = time.process_time() - begin, seen(await al.news(), "RAID")
        assert after == 0
        await bo.news("PRIVMSG #lobby :still here?")
        assert seen(await al.news(), "still here?") == 1

        told = await boss.news(*(f"UBAN ADD {block} DURATION 1d raid" for block in BLOCKS))
        hits = [line.partition("It hits ")[2].partition(" ")[0] for line in told]
        assert sum(map(int, filter(None, hits))) == GUESTS
        for raider in raiders:
            assert "You are banned from this chat until " in await raider.rest()
        await boss.news("LOCK off")
        late = await by_proxy(house, "late", address(7))
        assert ", ban 2." in await late.rest()
        guest = await by_proxy(house, "guest", "198.51.100.1")
        await guest.until(" 366 ")
        await al.news()
        await guest.news("PRIVMSG #lobby :hello")
        assert seen(await al.news(), "hello") == 1
    print(  # -s shows it
        f"{GUESTS} guests from {NETWORKS} networks, {LINES} lines each: {before} let through in "
        f"{free:.2f} s of CPU; once locked {after}, in {locked:.2f} s"
    )
