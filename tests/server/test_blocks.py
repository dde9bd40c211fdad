"""Whom somebody has blocked, over every protocol, on all devices, and for good."""

from pathlib import Path

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, Peer, running

PASSWORD = "correct-horse"
NOTHING = "alice takes no messages from you."
BLOCKED = (
    "mallory cannot write to you in private any more, nor invite you, on whatever device you are. "
    "What they say in rooms is still shown."
)


async def account(house: House, nick: str) -> IrcPeer:
    peer = await irc_peer(house, nick)
    await peer.news(f"REGISTER * * {PASSWORD}")
    return peer


async def plain(house: House, nick: str) -> Peer:
    peer = await house.connect()
    await peer.send(f"/login {nick} {PASSWORD}\n".encode())
    await peer.until("/help for more.\n")
    return peer


async def test_on_irc() -> None:
    async with running(settings()) as house:
        alice, mallory = await account(house, "alice"), await account(house, "mallory")
        await alice.news()
        assert await alice.news("BLOCKS") == [":chat.local NOTICE alice :You have blocked nobody."]
        assert await alice.news("BLOCK mallory") == [f":chat.local NOTICE alice :{BLOCKED}"]
        assert await alice.news("BLOCKS") == [":chat.local NOTICE alice :You have blocked mallory."]
        assert await mallory.news("PRIVMSG alice :hi", "INVITE alice #den") == [
            f":chat.local 531 mallory alice :{NOTHING}",
            ":chat.local 403 mallory #den :You are not in #den.",
        ]
        assert await alice.news() == []
        await mallory.news("PRIVMSG #lobby :hello all")
        assert any("hello all" in line for line in await alice.news())
        assert await alice.news("UNBLOCK mallory") == [
            ":chat.local NOTICE alice :mallory can write to you in private, and invite you, again."
        ]
        assert await mallory.news("PRIVMSG alice :hi") == []
        assert any("PRIVMSG alice :hi" in line for line in await alice.news())


UNHEARD = "You have blocked mallory, so no answer of theirs will reach you."


async def test_who_writes_to_somebody_they_have_blocked_is_told_once_on_each_device() -> None:
    async with running(settings()) as house:
        alice, mallory = await account(house, "alice"), await account(house, "mallory")
        device = await plain(house, "alice")
        await alice.news("BLOCK mallory")
        assert await alice.news("PRIVMSG mallory :hi", "PRIVMSG MALLORY :why?") == [
            f":chat.local NOTICE alice :{UNHEARD}"
        ]
        await device.send(b"/msg mallory and\n/msg mallory another\n/rooms\n")
        told = await device.until("#lobby (2)")
        assert told.count(UNHEARD) == 1
        hi = [line.rpartition(":")[2] for line in await mallory.news() if "PRIVMSG" in line]
        assert hi == ["hi", "why?", "and", "another"]
        await mallory.say("QUIT")
        await mallory.rest()
        laptop = await plain(house, "alice")
        await laptop.send(b"/msg mallory when you come\n/rooms\n")
        assert UNHEARD in await laptop.until("#lobby (1)")


async def test_it_is_kept_with_the_account_for_all_devices(tmp_path: Path) -> None:
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        mallory, alice = await account(house, "mallory"), await account(house, "alice")
        device = await plain(house, "alice")
        await device.send(b"/block mallory\n/blocks\n")
        await device.until(f"*** {BLOCKED}\n*** You have blocked mallory.\n")
        await mallory.news("PRIVMSG alice :hi")
        assert not any("PRIVMSG" in line for line in await alice.news())
    async with running(kept) as house:
        mallory = await plain(house, "mallory")
        await mallory.send(b"/msg alice are you there?\n")
        await mallory.until(f"*** {NOTHING}\n")
        alice = await plain(house, "alice")
        await alice.send(b"/unblock MALLORY\n/blocks\n/rooms\n")
        told = await alice.until("#lobby (2)")
        assert "You have blocked nobody." in told
        assert "are you there?" not in told


async def test_a_guest_cannot_be_blocked_and_a_guest_blocks_nobody() -> None:
    async with running(settings()) as house:
        alice, guest = await account(house, "alice"), await house.connect("guest")
        told = await alice.news("BLOCK guest")
        assert "guest has no account, so a block would not last." in told[-1]
        await guest.send(b"/block alice\n")
        await guest.until("*** You are not logged in.\n")


async def test_so_many_changes_and_no_more() -> None:
    """The log of accounts keeps each of them."""
    async with running(settings(limits={"exempt": "", "metadata_per_hour": 2})) as house:
        alice, _ = await account(house, "alice"), await account(house, "mallory")
        await alice.news("BLOCK mallory", "UNBLOCK mallory")
        assert "Too many requests like that" in (await alice.news("BLOCK mallory"))[-1]
