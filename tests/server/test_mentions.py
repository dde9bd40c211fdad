"""What has called somebody, while they were here or not, over every protocol."""

import re
from pathlib import Path

import pytest

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, Peer, running

PASSWORD = "correct-horse"
CAPS = ("batch", "soju.im/search")
ALICE = f"alice:{PASSWORD}"


async def register(house: House, nick: str = "alice", rooms: str = "#lobby,#den") -> IrcPeer:
    peer = await irc_peer(house, nick, rooms=rooms)
    await peer.news(f"REGISTER * * {PASSWORD}")
    return peer


async def leave(peer: IrcPeer) -> None:
    await peer.say("QUIT")
    await peer.rest()


async def plain(house: House) -> Peer:
    peer = await house.connect()
    await peer.send(f"/login alice {PASSWORD}\n".encode())
    await peer.send(b"alice is me\n")
    await peer.until("alice: alice is me\n")
    return peer


async def mentions(peer: Peer, number: str = "") -> list[str]:
    await peer.send(f"/mentions {number}\n/who\n".encode())
    lines = (await peer.until("*** In ")).splitlines()[:-1]
    shown = [line for line in lines if line.startswith("*** ")]
    return [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in shown]


def words(notices: list[str]) -> list[str]:
    """What is told of each, after its time."""
    return [line.split(" ", 5)[-1] for line in notices[1:]]


@pytest.mark.parametrize("store", ["memory:", "chat.db"])
async def test_on_plain_with_the_rooms(tmp_path: Path, store: str) -> None:
    kept = settings(history={"store": store if ":" in store else str(tmp_path / store)})
    async with running(kept) as house:
        bob = await irc_peer(house, "bob", rooms="#lobby,#den,#other")
        await leave(await register(house, rooms="#lobby"))
        await bob.news(
            "PRIVMSG #lobby :alice: are you there?",
            "PRIVMSG #lobby :malice is no alice-like word",
            "PRIVMSG #den :ask (ALICE)",
            "PRIVMSG #lobby :\x01ACTION waves to alice\x01",
            "PRIVMSG #other :alice is not here",
        )
        alice = await plain(house)
        assert await mentions(alice) == [
            "*** Mentions of you (times in UTC):",
            "*** #lobby bob: alice: are you there?",
            "*** #lobby * bob waves to alice",
        ]
        assert await mentions(alice, "1") == [
            "*** Mentions of you (times in UTC):",
            "*** #lobby * bob waves to alice",
        ]
        await alice.send(b"/join #den\nalice is here\n")
        await alice.until("alice is here\n")
        assert (await mentions(alice))[1:] == ["*** #den bob: ask (ALICE)"]
        await alice.send(b"/mentions 0\n")
        await alice.until("*** Usage: /mentions [N]\n")


async def test_on_irc_as_a_search_or_in_notices() -> None:
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob", rooms="#lobby,#den")
        alice = await register(house)
        await bob.news("PRIVMSG #den :alice?", "PRIVMSG #lobby :nobody", "PRIVMSG #lobby :Alice!")
        await alice.news()
        first, *found = await alice.news("MENTIONS")
        assert first == ":chat.local NOTICE alice :Mentions of you (times in UTC):"
        assert words([first, *found]) == ["#den bob: alice?", "#lobby bob: Alice!"]
        other = await irc_peer(house, "a2", *CAPS, password=ALICE, joins="alice")
        await other.news()
        start, one, two, end = await other.news("MENTIONS")
        assert start.endswith("soju.im/search mentions")
        assert [one.partition(" ")[2], two.partition(" ")[2]] == [
            ":bob!bob@127.0.0.1 PRIVMSG #den :alice?",
            ":bob!bob@127.0.0.1 PRIVMSG #lobby :Alice!",
        ]
        assert " BATCH -" in end
        assert "Usage: MENTIONS [N]" in (await alice.news("MENTIONS none"))[0]


async def test_what_is_hidden_removed_or_blocked_is_not_among_them() -> None:
    async with running(settings()) as house:
        bob = await irc_peer(
            house, "bob", "message-tags", "echo-message", "draft/message-redaction", rooms="#den"
        )
        await bob.news("MODE #den +i", "PRIVMSG #den :alice must not hear this")
        await bob.news("MODE #den -i")
        alice, mallory = await register(house), await register(house, "mallory")
        *_, echo = await bob.news("PRIVMSG #den :alice: oops")
        await bob.news(f"REDACT #den {echo.partition(' ')[0].removeprefix('@msgid=')}")
        await bob.news("PRIVMSG #den :alice: hello")
        await mallory.news("PRIVMSG #den :alice alice alice")
        await alice.news()
        assert words(await alice.news("MENTIONS")) == [
            "#den bob: alice: hello",
            "#den mallory: alice alice alice",
        ]
        await alice.news("BLOCK mallory")
        assert words(await alice.news("MENTIONS")) == ["#den bob: alice: hello"]


async def test_by_nickname_and_by_account() -> None:
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob")
        alice = await register(house)
        await alice.news("NICK al")
        await bob.news("PRIVMSG #lobby :alice?", "PRIVMSG #lobby :al?", "PRIVMSG #lobby :al, alice")
        await alice.news()
        assert len(await alice.news("MENTIONS")) == 4


async def test_nobody_has_mentioned_a_newcomer() -> None:
    async with running(settings()) as house:
        guest = await irc_peer(house, "guest")
        await guest.news()
        assert await guest.news("MENTIONS") == [
            ":chat.local NOTICE guest :Nobody has mentioned you."
        ]
