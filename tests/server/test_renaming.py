"""RENAME and /rename on a running server: members on both dialects, history, restarts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from trio_chat.protocols.irc.info import RENAMING

CAPS = ("server-time", "batch", "draft/chathistory", "message-tags")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as it:
        yield it


async def told(peer: IrcPeer, *lines: str) -> list[str]:
    """What somebody is told, without tags and the name of the server."""
    found = await peer.news(*lines)
    return [line.rpartition("@time")[0] or line.removeprefix(":chat.local ") for line in found]


async def test_who_knows_it_is_told_and_others_leave_and_enter(house: House) -> None:
    alice = await irc_peer(house, "alice", RENAMING, rooms="#old")
    bob = await irc_peer(house, "bob", rooms="#old")
    quiet = await irc_peer(house, "carl", "no-implicit-names", rooms="#old")
    plain = await (await house.connect()).enter("pam")
    await plain.send(b"/join #old\n")
    await plain.until("/help for more.\n")
    await told(alice, "TOPIC #old :about")
    for peer in (bob, quiet):
        await told(peer)
    await plain.until("about\n")
    me = ":alice!alice@127.0.0.1"
    assert await told(alice, "RENAME #old #New :better") == [f"{me} RENAME #old #New :better"]
    left, entered, topic, by, names, end = await told(bob)
    assert (left, entered) == (
        ":bob!bob@127.0.0.1 PART #old better",
        ":bob!bob@127.0.0.1 JOIN #New",
    )
    assert (topic, by.split()[:4]) == ("332 bob #New about", ["333", "bob", "#New", "alice"])
    assert {*names.partition(" :")[2].split()} == {"@alice", "bob", "carl", "pam"}
    assert end == "366 bob #New :End of /NAMES list"
    assert [line.split()[1] for line in await told(quiet)][:2] == ["PART", "JOIN"]
    await plain.until("*** alice renamed #old to #New (better).\n")
    # Everybody goes on there, in the same room.
    await told(bob, "PRIVMSG #new :hello")
    await plain.until("bob: hello\n")
    await plain.send(b"hi all\n")
    await plain.until("pam: hi all\n")
    assert ":pam!plain@127.0.0.1 PRIVMSG #New :hi all" in await told(bob)
    assert await told(bob, "PRIVMSG #old :x") == ["404 bob #old :You are not in #old."]
    assert "MODE #New +t" in "".join(await told(alice, "MODE #new +t"))


async def test_history_and_search_go_on_under_the_new_name(house: House) -> None:
    alice = await irc_peer(house, "alice", *CAPS, "soju.im/search", rooms="#old")
    await alice.news("PRIVMSG #old :first words", "RENAME #old #new", "PRIVMSG #new :second words")
    page = await alice.messages("CHATHISTORY LATEST #new * 10")
    said = [m.params for m in page if m.command == "PRIVMSG"]
    assert said == [("#new", "first words"), ("#new", "second words")]
    found = await alice.messages("SEARCH in=#new;text=words")
    assert [m.params for m in found if m.command == "PRIVMSG"] == said
    bob = await irc_peer(house, "bob", "batch", "server-time", rooms="")
    replayed = [m.params for m in await bob.messages("JOIN #new") if m.command == "PRIVMSG"]
    assert replayed == said
    *_, nothing = await alice.messages("CHATHISTORY LATEST #old * 10")
    assert nothing.params[:2] == ("CHATHISTORY", "INVALID_TARGET")


async def test_the_old_name_is_for_whoever_comes_first(house: House) -> None:
    alice = await irc_peer(house, "alice", RENAMING, rooms="#old")
    await told(alice, "PRIVMSG #old :secret", "MODE #old +b eve", "RENAME #old #new")
    eve = await irc_peer(house, "eve", *CAPS, rooms="")
    joined = await told(eve, "JOIN #old")
    assert any("353 eve = #old :@eve" in line for line in joined)
    assert not any("secret" in line for line in joined)
    await told(eve, "PRIVMSG #old :mine")
    assert await told(alice) == []
    [failed] = await told(alice, "RENAME #new #old")
    assert failed == "FAIL RENAME CHANNEL_NAME_IN_USE #new #old :There is a room #old already."
    # Nor when nobody is there: what was said there is its own.
    await told(eve, "PART #old")
    assert await told(alice, "RENAME #new #old") == [failed]
    [failed] = await told(alice, "RENAME #new x")
    assert failed.startswith("FAIL RENAME CANNOT_RENAME #new x :")


async def test_a_plain_operator_renames_the_room_they_are_in(house: House) -> None:
    plain = await (await house.connect()).enter("pam")
    await plain.send(b"/join #old\n/rename new for a reason\nhello\n/topic\n")
    assert "*** pam renamed #old to #new (for a reason).\n" in await plain.until("pam: hello\n")
    await plain.until("*** #new has no topic.\n")
    await plain.send(b"/join #other\n")
    await plain.until("You are pam in #other")


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        alice = await irc_peer(house, "alice", *CAPS, rooms="#old")
        await alice.news("PRIVMSG #old :words", "TOPIC #old :about", "MODE #old +b eve")
        await alice.news("RENAME #old #New", "TOPIC #new :still")
    async with running(kept) as house:
        bob = await irc_peer(house, "bob", "batch", "server-time", rooms="")
        joined = await bob.messages("JOIN #new")
        assert ("bob", "#New", "still") in [m.params for m in joined]
        assert ("#New", "words") in [m.params for m in joined if m.command == "PRIVMSG"]
        assert any("eve" in line for line in await bob.news("MODE #new b"))
        other = await irc_peer(house, "other", *CAPS, rooms="")
        page = await other.messages("JOIN #old", "MODE #old b", "CHATHISTORY LATEST #old * 9")
        assert not any("words" in m.params or "eve!*@*" in m.params for m in page)


async def test_many_talk_and_enter_while_it_is_renamed(house: House) -> None:
    """What is said arrives, or is refused; and nobody is left behind."""
    alice = await irc_peer(house, "alice", RENAMING, rooms="#r0")
    people = [await irc_peer(house, f"t{n}", "echo-message", RENAMING, rooms="#r0") for n in "123"]
    fates: list[str] = []

    async def talk(peer: IrcPeer) -> None:
        for number in range(40):
            news = await told(peer, f"PRIVMSG #r{number // 10} :text {number}")
            fates.extend(
                line for line in news if line.endswith(f":text {number}") or line[:3] == "404"
            )

    async def come(number: int) -> None:
        peer = await irc_peer(house, f"new{number}", rooms="")
        await told(peer, *(f"JOIN #r{n}" for n in range(5)))

    async with trio.open_nursery() as nursery:
        for peer in people:
            nursery.start_soon(talk, peer)
        for number in range(5):
            nursery.start_soon(come, number)
        for number in range(4):
            await told(alice, f"RENAME #r{number} #r{number + 1}")
    assert len(fates) >= 3 * 40
    rooms = await told(alice, *(f"WHOIS {nick}" for nick in ("alice", "t1", "t2", "t3")))
    places = [line.partition(" :")[2].split() for line in rooms if line.startswith("319 ")]
    shared = {place.lstrip("@") for place in places[0]}
    assert len(places) == 4
    assert all({place.lstrip("@") for place in one} == shared for one in places)
    assert len(shared) == 1
