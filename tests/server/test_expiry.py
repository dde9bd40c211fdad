"""Bans of the server and of rooms, and the lock, end when their time is up, by the clock on the
wall: also if that is set, or the server is down then.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from clocks import Clock
from irc_peers import IrcPeer, irc_peer, promote, settings
from peers import House, running
from stores import memory_log, sqlite_log

ROOM = ":chat.local 404 {} #tea :You may not speak in #tea until "
SERVER = ":chat.local 404 {} #tea :You may not speak in this chat until "
LOCK = ":chat.local 404 {} #tea :This chat is locked until "


@asynccontextmanager
async def house_by(clock: Clock, store: Path | None = None) -> AsyncIterator[House]:
    """A server with this clock; what is in ``store``, if there is one, outlives it."""
    accounts = {"guests": "open", "registration": "open"}
    chosen = settings(accounts=accounts, limits={"ping": 7200})
    keeping = sqlite_log(clock, store) if store else memory_log(clock, Path())
    async with keeping as log, running(chosen, log, clock=clock) as house:
        yield house


async def come(house: House, nick: str, address: str = "unix", room: str = "#tea") -> IrcPeer:
    return await irc_peer(house, nick, rooms=room, address=address)


async def operator(house: House) -> IrcPeer:
    """An operator of the server and of #tea."""
    peer = await irc_peer(house, "boss", rooms="#tea", address="unix")
    await promote(house, "boss")
    await peer.news()
    return peer


async def refusal(peer: IrcPeer) -> str:
    """Why somebody may not speak in #tea; empty if they may."""
    return "".join(line for line in await peer.news("PRIVMSG #tea :hi") if " 404 " in line)


async def test_everybody_is_told_when_the_time_is_up(autojump_clock: MockClock) -> None:
    async with house_by(Clock()) as house:
        boss = await operator(house)
        ann, bob, cat = [await come(house, nick) for nick in ("ann", "bob", "cat")]
        dan = await house.link("dan", "unix")
        await dan.send(b"/join #tea\n")
        await dan.until("/help for more.\n")
        await boss.news("UBAN ADD bob!*@* MUTE DURATION 10m", "MUTE #tea cat 10m", "LOCK 20m")
        await trio.sleep(599)
        assert (await refusal(bob)).startswith(SERVER.format("bob"))
        assert (await refusal(ann)).startswith(LOCK.format("ann"))
        await boss.news()
        await trio.sleep(2)
        told = await boss.news()
        assert ":chat.local NOTICE * :Ban 1 has expired: mask bob!*@*." in told
        assert ":chat.local MODE #tea -b m:cat!*@*" in told
        await dan.until("*** The mute on cat!*@* has expired.\n")
        for peer, nick in ((bob, "bob"), (cat, "cat")):
            assert (await refusal(peer)).startswith(LOCK.format(nick))
        await trio.sleep(600)
        assert ":chat.local NOTICE * :This chat is open again." in await boss.news()
        assert [await refusal(peer) for peer in (ann, bob, cat)] == ["", "", ""]


@pytest.mark.parametrize("late", [0, 7200])
async def test_it_is_the_clock_on_the_wall_that_counts(
    autojump_clock: MockClock, late: int
) -> None:
    """Set forward, a ban ends at once; set back, it lasts until that moment comes."""
    clock = Clock()
    async with house_by(clock) as house:
        boss, bob, cat = await operator(house), await come(house, "bob"), await come(house, "cat")
        await boss.news("UBAN ADD bob!*@* MUTE DURATION 1h", "MUTE #tea cat 1h", "LOCK 1h")
        clock.set_to(clock() + (3600 - late))
        await trio.sleep(1.1)
        assert [bool(await refusal(peer)) for peer in (bob, cat)] == [bool(late)] * 2
        await trio.sleep(late + 1)
        assert [await refusal(peer) for peer in (bob, cat)] == ["", ""]


async def test_a_ban_of_a_closed_room_ends_as_soon_as_it_is_opened(
    autojump_clock: MockClock,
) -> None:
    """Whoever opens it is let in by that; and one that is left then ends in time."""
    async with house_by(Clock()) as house:
        al, bob = await come(house, "al"), await come(house, "bob", room="#hall")
        cat = await come(house, "cat", room="#hall")
        await al.news("BAN #tea bob 1h", "BAN #tea cat 1h10m", "PART #tea")
        assert " 474 " in "".join(await bob.news("JOIN #tea"))
        await trio.sleep(3601)
        assert " 474 " in "".join(await cat.news("JOIN #tea"))
        assert " 366 " in "".join(await bob.news("JOIN #tea"))
        await trio.sleep(600)
        assert ":chat.local MODE #tea -b cat!*@*" in await bob.news()
        assert " 366 " in "".join(await cat.news("JOIN #tea"))


async def test_what_was_due_while_the_server_was_down_is_over_and_the_rest_is_not(
    tmp_path: Path,
) -> None:
    """What is left is told at the door, before anything else."""
    clock, store = Clock(), tmp_path / "chat.db"
    clock.set_to(time.time())
    async with house_by(clock, store) as house:
        boss = await operator(house)
        await come(house, "bob")
        await boss.news("UBAN ADD 203.0.113.1 DURATION 1h", "UBAN ADD 203.0.113.2 DURATION 3h")
        await boss.news("LOCK 1h", "BAN #tea bob 1h spam", "BAN #tea a:cat 3h :bad jokes")
    clock.set_to(clock() + 7200)
    async with house_by(clock, store) as house:
        bob = await come(house, "bob", "203.0.113.1")
        [listed] = await bob.news("BANS #tea")
        assert ":Ban 2: account cat may not come in until 20" in listed
        assert listed.endswith(", by boss: bad jokes")
        eve = await house.link(address="203.0.113.2")
        await eve.send(b"eve\n")
        assert ", ban 2." in await eve.rest()
        boss = await operator(house)
        assert "Ban 3: network" in "".join(await boss.news("UBAN ADD 203.0.113.3"))
