"""What people see of each other, over real sockets."""

import re
from collections.abc import AsyncIterator

import pytest
import trio

from peers import House, running, settings


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running() as running_house:
        yield running_house


async def test_a_netcat_user_sees_what_the_tutorial_shows(house: House) -> None:
    peer = await house.connect()
    await peer.send(b"bob\nhello\n")
    await peer.stream.send_eof()
    assert (await peer.rest()).splitlines() == [
        "bob joined!",
        "Connected to server!",
        "*** You are bob in #lobby; nobody else is here yet. /help for more.",
        "bob: hello",
    ]


async def test_everybody_hears_and_sees_who_comes_and_goes(house: House) -> None:
    [alice, bob, carol] = await house.people("alice", "bob", "carol")
    await alice.send("héllo 漢字\n".encode())
    for peer in (alice, bob, carol):
        assert await peer.until("\n") == "alice: héllo 漢字\n"
    await bob.send(b"/me waves\n")
    for peer in (alice, bob, carol):
        assert await peer.until("\n") == "* bob waves\n"
    await carol.send(b"/quit\n")
    assert await carol.rest() == "*** Goodbye!\n"
    for peer in (alice, bob):
        assert await peer.until("\n") == "carol left!\n"


async def test_a_taken_nickname_is_asked_for_again(house: House) -> None:
    await house.people("alice")
    peer = await house.connect()
    await peer.send(b"Alice\n")
    assert await peer.until("\n") == "*** The nickname Alice is taken.\n"
    await peer.send("аlice\n".encode())  # the first letter is Cyrillic
    assert await peer.until("\n") == "*** The nickname аlice is taken.\n"
    await peer.enter("alison")


async def test_somebody_who_goes_on_talking_gets_a_near_nickname(house: House) -> None:
    await house.people("alice")
    peer = await house.connect()
    await peer.send(b"alice\nhello\n")
    await peer.until("You are alice_2 for now; /nick changes that.\n")
    await peer.until("alice_2: hello\n")


async def test_many_may_want_the_same_nickname_at_once(house: House) -> None:
    nicks = []

    async def enter() -> None:
        peer = await house.connect()
        await peer.send(b"bob\n\nx\n")
        line = await peer.until("; ")
        nicks.append(line.rpartition("You are ")[2].split()[0])

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(enter)
    assert len(nicks) == 20


async def test_renaming(house: House) -> None:
    [alice, bob] = await house.people("alice", "bob")
    await alice.send(b"/nick bob\n")
    assert await alice.until("\n") == "*** The nickname bob is taken.\n"
    await alice.send(b"/nick al\nhi\n")
    for peer in (alice, bob):
        assert await peer.until("al: hi\n") == "*** alice is now al.\nal: hi\n"
    await bob.send(b"/nick alice\n")  # it is free now
    assert await alice.until("\n") == "*** bob is now alice.\n"
    await alice.send(b"/nick AL\n")  # one's own name in other letters
    assert await alice.until("\n") == "*** al is now AL.\n"


async def test_rooms_are_apart(house: House) -> None:
    [alice, bob] = await house.people("alice", "bob")
    await alice.send(b"/join attic\nanybody?\n")
    assert await bob.until("\n") == "alice left!\n"
    text = await alice.until("anybody?\n")
    assert text == (
        "alice joined!\n"
        "*** You are alice in #attic; nobody else is here yet. /help for more.\n"
        "alice: anybody?\n"
    )
    await bob.send(b"/rooms\n/who\nstill here\n")
    assert await bob.until("still here\n") == (
        "*** #attic (1)\n*** #lobby (1)\n*** In #lobby (1): bob\nbob: still here\n"
    )
    await bob.send(b"/join #ATTIC\n")
    assert await alice.until("\n") == "bob joined!\n"
    assert await bob.until("anybody?\n") == (
        "bob joined!\n"
        "*** You are bob in #attic; one other person is here. /help for more.\n"
        "*** The last message:\n"
        "alice: anybody?\n"
    )


async def test_a_room_that_all_have_left_is_found_as_it_was(house: House) -> None:
    [alice] = await house.people("alice")
    await alice.send(b"/join den\n/topic Bears only\ngrowl\n/join #lobby\n/join den\n")
    text = await alice.until("alice: growl\n")
    text += await alice.until("alice: growl\n")
    assert text.endswith(
        "*** You are alice in #den; nobody else is here yet. /help for more.\n"
        "*** The topic of #den: Bears only\n"
        "*** The last message:\n"
        "alice: growl\n"
    )


async def test_messages_race_with_topics_and_none_is_lost(house: House) -> None:
    [alice, bob, carol] = await house.people("alice", "bob", "carol")
    for n in range(30):
        await alice.send(f"/topic {n}\n".encode())
        await bob.send(f"message {n}\n".encode())
    text = await carol.until("message 29\n")
    if "topic: 29" not in text:
        text += await carol.until("topic: 29\n")
    for n in range(30):
        assert text.count(f"bob: message {n}\n") == 1
        assert text.count(f"alice set the topic: {n}\n") == 1


async def test_what_is_replayed_and_what_is_live_join_without_a_gap(house: House) -> None:
    """Newcomers enter while somebody talks: each sees a run of numbers, none missing or doubled."""
    [talker] = await house.people("talker")

    async def newcomer(nick: str) -> None:
        peer = await house.connect()
        await peer.send(nick.encode() + b"\n")
        text = await peer.until("talker: 99\n")
        numbers = [int(line[8:]) for line in text.splitlines() if line.startswith("talker: ")]
        assert numbers == list(range(numbers[0], 100))
        await trio.aclose_forcefully(peer.stream)

    async with trio.open_nursery() as nursery:
        for n in range(15):
            nursery.start_soon(newcomer, f"new{n}")
        for n in range(100):
            await talker.send(f"{n}\n".encode())
            await talker.until(f"talker: {n}\n")


async def test_what_one_person_does_is_seen_in_its_order(house: House) -> None:
    [alice, bob] = await house.people("alice", "bob")
    await alice.send(b"one\n/nick al\ntwo\n/topic three\nfour\n/me five\n/quit\nsix\n")
    assert await bob.until("left!\n") == (
        "alice: one\n*** alice is now al.\nal: two\n*** al set the topic: three\n"
        "al: four\n* al five\nal left!\n"
    )


async def test_who_looks_back_sees_what_was_said_and_when(house: House) -> None:
    [alice] = await house.people("alice")
    await alice.send(b"green tea\n/me waves\n")
    await alice.until("waves\n")
    [bob] = await house.people("bob")
    await bob.until("* alice waves\n")
    await bob.send(b"/history 1\n")
    assert await bob.until("UTC):\n") == "*** Last messages in #lobby (times in UTC):\n"
    line = await bob.until("\n")
    assert re.fullmatch(r"\*\*\* \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \* alice waves\n", line)
    await bob.send(b"/search TEA from:alice\n/search milk\n/search x in:#den\n/search x in:carol\n")
    found = await bob.until("tea\n")
    assert re.fullmatch(r"\*\*\* Found \(times in UTC\):\n.{23} alice: green tea\n", found)
    assert await bob.until("\n") == "*** Nothing was found.\n"
    assert (
        await bob.until("\n") == "*** There is nothing in the history of #den that you may read.\n"
    )
    assert (
        await bob.until("\n") == "*** There is nothing in the history of carol that you may read.\n"
    )


async def test_a_long_look_back_reaches_who_reads_slowly() -> None:
    limits = {"outbox_bytes": 262_144, "messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=limits)) as house:
        [alice] = await house.people("alice")
        for n in range(500):
            await alice.send(b"%d " % n + b"x" * 4000 + b"\n")
            await alice.until("\n")
        await alice.send(b"/history 500\n")
        [bob] = await house.people("bob")
        await bob.send(b"so much?\n")
        await bob.until("bob: so much?\n")
        text = await alice.until("alice: 499 " + "x" * 4000 + "\n")
        assert text.count(" alice: ") == 500
