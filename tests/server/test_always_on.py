"""Accounts that are always on: their owners stay in their rooms while they are not connected."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio.testing

import admin_socket
from bob import PASSWORD, back, gone, rooms_of
from held import HeldLog
from irc_peers import IrcPeer, irc_peer, promote, settings
from peers import House, running

NOT_HERE = "not here now, and will see it when they come"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


async def owner(house: House, *lines: str) -> IrcPeer:
    """Bob, who has registered, is always on, and in the lobby and #tea."""
    bob = await irc_peer(house, "bob", rooms="#lobby,#tea")
    await bob.news(f"REGISTER * * {PASSWORD}", "NS SET ALWAYS-ON ON", *lines)
    return bob


def commands(lines: list[str]) -> list[str]:
    found = (line.partition(" ")[2] if line.startswith("@") else line for line in lines)
    return [line.partition(" ")[2] for line in found]


async def members(peer: IrcPeer, room: str) -> set[str]:
    return {name.lstrip("@") for name in await names(peer, room)}


async def names(peer: IrcPeer, room: str) -> list[str]:
    """The members of a room, with their prefixes."""
    [*_, told] = [line for line in await peer.news(f"NAMES {room}") if " 353 " in line]
    return told.rpartition(":")[2].split()


async def test_who_is_always_on_is_away_while_nothing_is_connected(house: House) -> None:
    bob = await owner(house)
    eve = await irc_peer(house, "eve", "away-notify", rooms="#tea")
    await gone(bob)
    assert commands(await eve.news()) == ["AWAY :not connected"]
    assert await members(eve, "#tea") == {"bob", "eve"}
    [who] = [line for line in await eve.news("WHO #tea") if " bob " in line]
    assert " G" in who
    assert " 301 eve bob :not connected" in "".join(await eve.news("WHOIS bob"))
    assert (await eve.news("NICK bob"))[0].split()[1] == "433"
    bob = await back(house, nick="phone")
    assert await rooms_of(bob) == ["#lobby", "#tea"]
    assert commands(await eve.news()) == ["AWAY"]
    assert await bob.news("PRIVMSG #tea :hi") == []
    assert commands(await eve.news()) == ["PRIVMSG #tea :hi"]


@pytest.mark.parametrize("rooms", ["#tea", "#tea,#lobby"])
async def test_others_are_told_once_that_somebody_is_away(house: House, rooms: str) -> None:
    """However many rooms they share, and whether they watch them, too; and when it has changed."""
    bob = await owner(house)
    eve = await irc_peer(house, "eve", "away-notify", "extended-monitor", rooms=rooms)
    await eve.news("MONITOR + bob")
    phone = await back(house, nick="phone")
    await bob.news("AWAY :tea")
    assert commands(await eve.news()) == ["AWAY tea"]
    await gone(phone)
    assert await eve.news() == []
    await bob.news("AWAY")
    assert commands(await eve.news()) == ["AWAY"]
    await gone(bob)
    assert commands(await eve.news()) == ["AWAY :not connected"]
    phone, bob = await back(house, nick="phone"), await back(house, nick="laptop")
    assert commands(await eve.news()) == ["AWAY"]


async def test_who_comes_while_away_is_told_once(house: House) -> None:
    bob = await owner(house)
    await bob.news("AWAY :tea")
    phone = await irc_peer(house, "phone", "away-notify", rooms="")
    told = [line.split()[1] for line in await phone.news(f"NS IDENTIFY bob {PASSWORD}")]
    assert (told.count("JOIN"), told.count("306"), told.count("AWAY")) == (2, 1, 0)


async def test_an_away_message_of_theirs_stays(house: House) -> None:
    bob = await owner(house, "AWAY :tea")
    eve = await irc_peer(house, "eve", "away-notify", rooms="#tea")
    await gone(bob)
    await back(house)
    assert await eve.news() == []
    assert " 301 eve bob :tea" in "".join(await eve.news("WHOIS bob"))


async def test_what_is_said_meanwhile_is_seen_later(house: House) -> None:
    bob = await owner(house)
    eve = await irc_peer(house, "eve", rooms="#tea")
    await eve.news("PRIVMSG #tea :before")
    await bob.news()
    await gone(bob)
    told = await eve.news("PRIVMSG #tea :meanwhile", "PRIVMSG bob :psst", "INVITE bob #tea")
    assert f" 301 eve bob :{NOT_HERE}" in "".join(told)
    bob = await back(house)
    shown = "".join(await bob.news())
    assert [shown.count(text) for text in ("before", "meanwhile", "psst")] == [0, 1, 1]
    await eve.news("PRIVMSG bob :live")
    assert commands(await bob.news()) == ["PRIVMSG bob :live"]


async def test_who_is_removed_meanwhile_is_there_no_more(house: House) -> None:
    eve = await irc_peer(house, "eve", rooms="#den")
    await gone(await owner(house, "JOIN #den"))
    await eve.news("KICK #den bob")
    assert await members(eve, "#den") == {"eve"}
    assert await rooms_of(await back(house)) == ["#lobby", "#tea"]


async def test_they_are_there_again_when_the_server_starts(tmp_path: Path) -> None:
    chosen = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(chosen) as house:
        await owner(house)
    for _ in range(2):
        async with running(chosen) as house:
            eve = await irc_peer(house, "eve", rooms="#lobby")
            assert await members(eve, "#lobby") == {"bob", "eve"}
            lines = await eve.news("CAP REQ draft/chathistory batch", "WHOIS bob")
            assert " 301 eve bob :not connected" in "".join(lines)
            assert (await eve.news("JOIN #tea", "MODE #tea +m"))[-1].split()[1] == "482"
            bob = await back(house)
            assert await rooms_of(bob) == ["#lobby", "#tea"]
            await bob.news("PRIVMSG #tea :hi")
            assert ":bob!bob@127.0.0.1 PRIVMSG #tea :hi" in await eve.news()


async def test_who_is_brought_by_the_server_leads_no_room(tmp_path: Path) -> None:
    """Though nobody is there before them."""
    chosen = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(chosen) as house:
        eve = await irc_peer(house, "eve", rooms="#den")
        await gone(await owner(house, "JOIN #den"))
        assert await members(eve, "#den") == {"bob", "eve"}
    async with running(chosen) as house:
        eve = await irc_peer(house, "eve", rooms="#den")
        assert await names(eve, "#den") == ["bob", "eve"]


async def test_who_turns_it_off_leaves_with_the_last_device(house: House) -> None:
    bob, phone = await owner(house), await back(house)
    eve = await irc_peer(house, "eve", rooms="#tea")
    await bob.news("NS SET ALWAYS-ON OFF")
    await gone(bob)
    assert await eve.news() == []
    await gone(phone)
    assert [line.split()[0] for line in commands(await eve.news())] == ["QUIT"]


async def test_no_operator_of_the_server_is_left_behind(house: House) -> None:
    bob = await owner(house)
    await promote(house, "bob")
    await gone(bob)
    bob = await back(house)
    await bob.news()
    assert " 481 " in (await bob.news("KILL bob :x"))[0]


@pytest.mark.parametrize("line", ["account delete bob", "uban bob 1d"])
async def test_a_deleted_or_banned_account_is_gone(tmp_path: Path, line: str) -> None:
    path = tmp_path / "admin"
    async with running(settings(), admin=path) as house:
        bob = await owner(house)
        eve = await irc_peer(house, "eve", rooms="#tea")
        await gone(bob)
        await admin_socket.ask(path, line)
        await eve.until(" QUIT :not here any more\r\n")
        assert await members(eve, "#tea") == {"eve"}


async def test_a_plain_person_is_always_on_as_well(house: House) -> None:
    cat = await house.connect("bob")
    await cat.send(f"/register {PASSWORD}\n/set always-on on\n".encode())
    await cat.until("always-on is on:")
    eve = await irc_peer(house, "eve")
    await gone(cat, b"/quit\n")
    assert await members(eve, "#lobby") == {"bob", "eve"}
    await eve.news("PRIVMSG #lobby :meanwhile")
    cat = await house.connect()
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    await cat.until("You are bob in #lobby;")
    await cat.until("eve: meanwhile\n")


async def test_what_is_said_to_somebody_who_is_just_coming_back_is_said_once() -> None:
    log = HeldLog()
    async with running(settings(), log) as house:
        await gone(await owner(house))
        eve, bob = await irc_peer(house, "eve"), await house.connect()
        log.hold()
        await bob.send(f"/login bob {PASSWORD}\n".encode())
        await log.until_appended()  # that he is connected again
        await eve.say("PRIVMSG bob hi")
        await trio.testing.wait_all_tasks_blocked(0.05)
        log.go_on()
        await bob.until("eve -> bob: hi\n")
        await gone(bob, b"/quit\n")
        assert not any(line.endswith(" hi") for line in await (await back(house)).news())
