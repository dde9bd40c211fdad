"""The limits, where a test's clock rules; memory streams only."""

import pytest
import trio
from trio.testing import MockClock

from peers import running, settings


async def test_whoever_says_no_nickname_is_let_go(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"registration": 30})) as house:
        silent = await house.link()
        began = trio.current_time()
        assert await silent.rest() == "NICK*** You gave no nickname within 30 seconds. Goodbye!\n"
        assert 30 <= trio.current_time() - began < 31


async def test_silent_connections_hold_up_nobody(autojump_clock: MockClock) -> None:
    async with running() as house:
        for _ in range(100):
            await house.link()
        began = trio.current_time()
        await house.link("alice")
        assert trio.current_time() - began < 1


@pytest.mark.slow
async def test_whoever_has_a_nickname_may_be_silent_for_ever(autojump_clock: MockClock) -> None:
    async with running() as house:
        alice = await house.link("alice")
        await trio.sleep(80_000)
        await alice.send(b"still here\n")
        assert await alice.until("\n") == "alice: still here\n"


async def test_the_greeting_comes_after_its_delay(autojump_clock: MockClock) -> None:
    async with running(settings(server={"greeting_delay": 3})) as house:
        peer = await house.link()
        began = trio.current_time()
        await peer.until("NICK")
        assert trio.current_time() - began == pytest.approx(3)


async def test_a_flood_is_slowed_down_and_nothing_of_it_lost(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"messages_per_second": 5, "message_burst": 20})) as house:
        alice = await house.link("alice")
        began = trio.current_time()
        await alice.send(b"".join(b"%d\n" % n for n in range(120)))
        text = await alice.until("alice: 119\n")
        said = [line for line in text.splitlines() if line.startswith("alice: ")]
        assert said == [f"alice: {n}" for n in range(120)]
        assert text.count("*** You are sending too fast: from now on, 5 messages a second.\n") == 1
        assert trio.current_time() - began == pytest.approx(20, abs=1)


async def test_a_flood_slows_down_nobody_else(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"messages_per_second": 5, "message_burst": 20})) as house:
        alice, bob = await house.link("alice"), await house.link("bob")
        await alice.send(b"flood\n" * 1000)
        await alice.until("You are sending too fast")
        began = trio.current_time()
        for n in range(10):
            await bob.send(b"%d\n" % n)
            await bob.until(f"bob: {n}\n")
        assert trio.current_time() - began < 0.1


async def test_a_burst_is_earned_back_in_time(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"messages_per_second": 5, "message_burst": 20})) as house:
        alice = await house.link("alice")
        for _ in range(3):
            await trio.sleep(5)
            began = trio.current_time()
            await alice.send(b"x\n" * 19 + b"last\n")
            assert "fast" not in await alice.until("last\n")
            assert trio.current_time() - began < 0.1


async def test_only_so_many_connections_in_all(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"connections": 2})) as house:
        alice = await house.link("alice", "10.0.0.1")
        await house.link("bob", "10.0.0.2")
        third = await house.link(address="10.0.0.3")
        assert await third.rest() == "*** The server is full (2 connections). Try again later.\n"
        await alice.stream.aclose()
        await trio.sleep(5)
        await house.link("carol", "10.0.0.4")


async def test_only_so_many_connections_from_an_address(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"connections_per_address": 2})) as house:
        await house.link("alice", "2001:db8::1")
        bob = await house.link("bob", "2001:db8::2")
        third = await house.link(address="2001:db8::3")  # the same /64
        assert "There are already 2 connections from your address" in await third.rest()
        await bob.stream.aclose()
        await trio.sleep(5)
        await house.link("bob", "2001:db8::4")
        await house.link("carol", "2001:db8:0:1::1")
        await house.link("dave", "192.0.2.1")
        await house.link("erin", "::ffff:192.0.2.1")
        sixth = await house.link(address="192.0.2.1")
        assert "There are already 2 connections from your address" in await sixth.rest()


async def test_only_so_many_rooms(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"rooms": 1})) as house:
        alice = await house.link("alice", "192.0.2.1")
        await alice.send(b"/join den\n")
        await alice.until("in #den")
        bob = await house.link("bob", "192.0.2.2")  # into the lobby, which counts for nobody
        await bob.send(b"/join third\nstill in the lobby\n")
        text = await bob.until("bob: still in the lobby\n")
        assert "*** There are already 1 rooms, which is the limit.\n" in text
        await bob.send(b"/join den\nhere\n")
        await bob.until("bob: here\n")
        await alice.send(b"/join #lobby\n")
        await alice.until("in #lobby")
        await bob.send(b"/join #lobby\n/join third\n")
        await bob.until("in #third")


async def test_reloaded_limits_hold_for_who_comes_next(autojump_clock: MockClock) -> None:
    async with running() as house:
        house.server.reload(settings(limits={"line_bytes": 64, "connections": 1}))
        alice = await house.link("alice")
        await alice.send(b"x" * 65 + b"\n")
        assert "longer than 64 bytes" in await alice.until("\n")
        assert "full" in await (await house.link()).rest()
