"""Rooms keep their leaders, on a running server: over restarts, logins, and on both dialects."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, Peer, running
from trio_chat.core.events import REALM, AccountMade, KeyMade
from trio_chat.server.passwords import identity
from trio_chat.storage.memory import MemoryLog

PASSWORD = "correct-horse"
ONLY = "Only people with an account may {}: register your nickname, or log in."

HOW = "(/register PASSWORD, /login PASSWORD)"


def secret(nick: str) -> str:
    return f"the-secret-of-{nick}"


@asynccontextmanager
async def house_with(*owners: str) -> AsyncIterator[House]:
    """A server on which these people have accounts, to which their secrets log in."""
    log = MemoryLog(per_room=100, total_bytes=100_000, rooms=10)
    last = ""
    for nick in owners:
        made = AccountMade(nick, f"={nick}"), KeyMade(nick, identity(secret(nick)), "key")
        for event in made:
            [entry] = await log.append(REALM, [event], expect=last, barrier=True)
            last = entry.id
    async with running(settings(), log) as house:
        yield house


async def come(house: House, nick: str, rooms: str = "#tea") -> IrcPeer:
    return await irc_peer(house, nick, rooms=rooms, secret=secret(nick))


async def in_tea(house: House, nick: str) -> Peer:
    peer = await (await house.connect()).enter(nick)
    await tell(peer, "/join #tea")
    return peer


async def tell(peer: Peer, *lines: str) -> list[str]:
    """Say something in #tea; then all that is new, but for the answer to a question after it."""
    await peer.send("".join(f"{line}\n" for line in (*lines, "/topic")).encode())
    return (await peer.until("*** #tea has no topic.\n")).splitlines()[:-1]


async def leave(peer: Peer) -> None:
    await peer.send(b"/quit\n")
    await peer.rest()


async def test_a_restart_is_no_race_for_a_room(tmp_path: Path) -> None:
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        bob = await (await house.connect()).enter("bob")
        await bob.send(f"/register {PASSWORD}\n".encode())
        await bob.until("Your nickname is yours now")
        await tell(bob, "/join #tea")
        await leave(bob)
    async with running(kept) as house:
        eve = await in_tea(house, "eve")
        bob = await in_tea(house, "rob")
        refused = "*** Only an operator of #tea may do that."
        assert refused in await tell(eve, "/kick rob")
        assert refused in await tell(bob, "/kick eve")
        await tell(bob, f"/login bob {PASSWORD}")
        assert refused in await tell(eve, "/kick rob")
        await tell(bob, "/kick eve not your room")
        await eve.until("*** rob kicked eve out of #tea: not your room\n")


async def test_who_registers_in_a_room_of_theirs_is_its_founder(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An operator of the server can act against them; it is noted."""
    async with house_with("mark") as house:
        bob = await in_tea(house, "bob")
        mark = await come(house, "mark")
        boss = await irc_peer(house, "boss", rooms="#tea")
        await bob.send(f"/register {PASSWORD}\nhello\n".encode())
        await mark.until("PRIVMSG #tea :hello\r\n")
        await boss.news("OPER boss sesame", "MODE #tea +o mark")
        await mark.news()
        why = "bob founded #tea: only an operator of the server can act against them."
        refused = f":chat.local 482 mark #tea :{why}"
        for line in ("MODE #tea -o bob", "KICK #tea bob", "MODE #tea +b a:bob", "MODE #tea +b bob"):
            assert await mark.news(line) == [refused]
        await boss.news("KICK #tea bob :enough")
        await bob.until("*** boss kicked bob out of #tea: enough\n")
        await bob.send(b"/join #tea\n")  # it is still theirs
        await mark.until("MODE #tea +o bob\r\n")
        assert await mark.news("KICK #tea bob") == [refused]
        await bob.send(b"/account delete bob\n")
        await mark.until(" MODE #tea -o bob\r\n")
    logged = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "as an operator of the server: Kick of boss in #tea" in logged


async def test_who_logs_out_leads_no_more() -> None:
    async with house_with("bob", "mark") as house:
        bob, mark = await come(house, "bob"), await come(house, "mark")
        await bob.say("QUIT")
        await bob.rest()
        other = await in_tea(house, "robert")
        await tell(other, f"/login bob {secret('bob')}")
        assert ":robert!" in await mark.until("MODE #tea +o robert\r\n")
        await tell(other, "/logout")
        assert ":robert!" in await mark.until("MODE #tea -o robert\r\n")


async def test_what_only_those_with_an_account_may() -> None:
    async with house_with("bob") as house:
        bob = await come(house, "bob")
        gus = await irc_peer(house, "gus", rooms="")
        await bob.news("MODE #tea +R", "MODE bob +R")
        assert [
            line.partition(" ")[2] for line in await gus.news("JOIN #tea", "PRIVMSG bob :hi")
        ] == [
            f"477 gus #tea :{ONLY.format('enter #tea')}",
            f"477 gus bob :{ONLY.format('write to bob')}",
        ]
        plain = await (await house.connect()).enter("eve")
        await plain.send(b"/join #tea\n/msg bob hi\n")
        await plain.until(f"*** {ONLY.format('enter #tea')} {HOW}\n")
        await plain.until(f"*** {ONLY.format('write to bob')} {HOW}\n")
        await bob.news("MODE #tea -R+M")
        [*_, refused] = await gus.news("JOIN #tea", "PRIVMSG #tea :hi")
        assert refused == f":chat.local 404 gus #tea :{ONLY.format('speak in #tea')}"
        await tell(plain, "/join #tea")
        assert await tell(plain, "hi") == [f"*** {ONLY.format('speak in #tea')} {HOW}"]


async def test_bans_of_accounts_are_told_of_and_kept_as_they_are() -> None:
    async with house_with("bob", "mark") as house:
        bob = await come(house, "bob")
        mark = await come(house, "mark", rooms="")
        told = " ".join(await mark.news("VERSION"))
        assert " EXTBAN=,am " in told
        assert " ACCOUNTEXTBAN=a " in told
        [line] = await bob.news("MODE #tea +b A:Mark")
        assert line.endswith("MODE #tea +b a:Mark")
        assert [line.split()[1] for line in await mark.news("JOIN #tea")] == ["474"]
        await bob.news("MODE #tea -b a:mark")
        assert not any(" 474 " in line for line in await mark.news("JOIN #tea"))
