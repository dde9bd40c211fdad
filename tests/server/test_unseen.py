"""What is said in private waits until a device of whom it is said to is known to have got it,
however that one ends.
"""

import re
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from alice import ALICE, PASSWORD, bare, box, leave, plain_alice, register
from held import HeldLog
from irc_peers import IrcPeer, irc_peer, settings
from peers import House, Peer, running
from trio_chat.server.transport import Link

HI = ["*** While you were not here (times in UTC):", "*** THEN bob -> alice: hi"]
ALWAYS = "timestamp=2000-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z"
UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}

over_both = pytest.mark.parametrize("protocol", ["plain", "IRC"])


async def comes(house: House, protocol: str, *, link: bool = False) -> Peer:
    """Alice on one more device, who has read what has waited for her."""
    if protocol == "IRC":
        alice = await irc_peer(house, link=link)
        await alice.news(f"PASS {ALICE}", "NICK alice", "USER a 0 * :a")
        return alice
    alice = await plain_alice(house)
    await box(alice)
    return alice


async def hears(house: House, *devices: Peer) -> Peer:
    """Bob says hi to Alice, and these devices of hers show it."""
    bob = await house.connect("bob")
    await bob.send(b"/msg alice hi\n")
    await bob.until("hi\n")
    for alice in devices:
        await alice.until(" hi\n" if not isinstance(alice, IrcPeer) else ":hi\r\n")
    return bob


async def until_gone(house: House) -> None:
    while house.server._hub.chat.person("alice"):
        await trio.lowlevel.checkpoint()


async def reset(peer: Peer) -> None:
    """Close it as a system does whose program had not read everything."""
    stream = peer.stream
    assert isinstance(stream, trio.SocketStream)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    await stream.aclose()


async def shown_next(house: House) -> Sequence[str]:
    """What her next device is shown; and the one after that is shown nothing."""
    await until_gone(house)
    alice = await plain_alice(house)
    shown = bare(await box(alice))
    await leave(alice)
    assert await box(await plain_alice(house)) == []
    return shown


class Slow(Link):
    """A link whose peer's system has not acknowledged so many bytes."""

    outstanding = 0

    def unacknowledged(self) -> int:
        return self.outstanding


async def slow_alice(house: House) -> tuple[Peer, Slow]:
    ours, theirs = trio.testing.memory_stream_pair()
    link = Slow(theirs, "memory")
    house.server.take(link)
    alice = await house.take_in(ours)
    await alice.send(f"/login alice {PASSWORD}\n".encode())
    await alice.until("/help for more.\n")
    return alice, link


@over_both
async def test_who_is_cut_off_is_shown_it_again(protocol: str) -> None:
    async with running(settings()) as house:
        await register(house)
        alice = await comes(house, protocol)
        await hears(house, alice)
        await reset(alice)
        assert await shown_next(house) == HI


@over_both
async def test_who_goes_as_it_is_being_stored_is_shown_it_next(protocol: str) -> None:
    log = HeldLog()
    async with running(settings(), log) as house:
        await register(house)
        bob, alice = await house.connect("bob"), await comes(house, protocol)
        log.hold()
        await bob.send(b"/msg alice hi\n")
        await log.until_appended()
        await reset(alice)
        await trio.testing.wait_all_tasks_blocked(0.05)
        log.go_on()
        assert await shown_next(house) == HI


async def test_who_answers_no_ping_is_shown_it_again(mock_clock: MockClock) -> None:
    async with running(settings(limits={"ping": 20})) as house:
        await register(house)
        alice = await comes(house, "IRC", link=True)
        await hears(house, alice)
        mock_clock.jump(19)
        mock_clock.rate = 20  # until now it stood still, as passwords are checked in threads
        await alice.rest()
        assert await shown_next(house) == HI


@over_both
async def test_who_leaves_in_order_is_not(protocol: str) -> None:
    async with running(settings()) as house:
        await register(house)
        alice = await comes(house, protocol)
        await hears(house, alice)
        await leave(alice)
        assert await shown_next(house) == []


async def test_who_has_read_it_and_hangs_up_is_not() -> None:
    """As netcat does at Ctrl-C."""
    async with running(settings()) as house:
        await register(house)
        alice = await comes(house, "plain")
        await hears(house, alice)
        await alice.stream.aclose()
        assert await shown_next(house) == []


async def test_who_has_not_read_it_and_hangs_up_is() -> None:
    async with running(settings()) as house:
        await register(house)
        alice = await comes(house, "plain")
        await hears(house)
        await alice.stream.aclose()
        assert await shown_next(house) == HI


@pytest.mark.parametrize("answers", [True, False])
async def test_a_client_that_could_be_asked_must_have_answered(answers: bool) -> None:
    """Its end may be that of something on the way, which could not hand on what was said."""
    async with running(settings()) as house:
        await register(house)
        alice = await comes(house, "IRC")
        await hears(house, alice)
        if answers:
            await alice.send(b"PONG :chat.local\r\n")
        await alice.stream.aclose()
        assert await shown_next(house) == ([] if answers else HI)


async def test_that_a_proxy_hangs_up_in_order_says_nothing() -> None:
    async with running(
        settings(
            server={"proxies": "192.0.2.1"}, accounts={"guests": "open", "registration": "open"}
        )
    ) as house:
        await register(house)
        alice = await house.link(address="192.0.2.1")
        await alice.send(b"PROXY TCP4 127.0.0.1 192.0.2.1 40000 443\r\n")
        await alice.send(f"/login alice {PASSWORD}\n".encode())
        await alice.until("/help for more.\n")
        await hears(house, alice)
        await alice.stream.aclose()
        assert await shown_next(house) == HI


@pytest.mark.parametrize("outstanding", [0, 1])
async def test_what_is_sent_before_it_has_arrived_is_no_sign_that_it_has(outstanding: int) -> None:
    async with running(settings()) as house:
        await register(house)
        alice, link = await slow_alice(house)
        await hears(house, alice)
        link.outstanding = outstanding
        await box(alice)
        link.outstanding = 1
        await alice.stream.aclose()
        assert await shown_next(house) == (HI if outstanding else [])


async def test_who_reads_too_slowly_is_shown_the_last_of_each_sender() -> None:
    limits = {"outbox_bytes": 262_144, **UNLIMITED}
    async with running(settings(limits=limits)) as house:
        await register(house)
        ours, theirs = trio.testing.lockstep_stream_pair()
        house.server.take(Link(theirs, "memory"))
        alice = await house.take_in(ours)
        await alice.send(f"/login alice {PASSWORD}\n".encode())
        await alice.until("/help for more.\n")
        carol = await irc_peer(house, "carol", address="203.0.113.9")
        bob = await irc_peer(house, "bob")
        await carol.news("PRIVMSG alice :first")
        said = [f"{n} {'x' * 300}" for n in range(1000)]
        told = await bob.news(*[f"PRIVMSG alice :{text}" for text in said])
        await until_gone(house)
        kept, refused = (sum(n in line for line in told) for n in (" 301 ", " 531 "))
        gone = 1000 - kept - refused  # the first that was said when she had gone
        [_, first, *rest] = await box(await plain_alice(house))
        assert first.endswith("carol -> alice: first")
        assert [line.partition("alice: ")[2] for line in rest] == said[gone - 50 : gone + kept]


async def test_nothing_is_lost_by_who_is_cut_off_again_and_again() -> None:
    async with running(settings(limits=UNLIMITED)) as house:
        await register(house)
        bob, heard = await irc_peer(house, "bob"), b""

        async def write(begin: int) -> None:
            for number in range(begin, begin + 10):
                await bob.news(f"PRIVMSG alice :<{number}>")

        for begin in range(0, 40, 10):
            alice = await plain_alice(house)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write, begin)
                await alice.until(f"<{begin + 5}>")
                await reset(alice)
            await until_gone(house)
            heard += alice.received
        heard += "".join(await box(await plain_alice(house))).encode()
        assert {int(found) for found in re.findall(b"<([0-9]+)>", heard)} == {*range(40)}


async def test_another_device_is_shown_what_the_first_may_not_have_got() -> None:
    async with running(settings()) as house:
        await register(house)
        first, link = await slow_alice(house)
        await hears(house, first)
        second = await plain_alice(house)
        assert await box(second) == []
        link.outstanding = 1
        third = await plain_alice(house)
        assert bare(await box(third)) == HI
        await leave(third)
        await leave(second)
        await first.stream.aclose()
        assert await shown_next(house) == []


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("PING :no question", HI),
        (f"CHATHISTORY TARGETS {ALWAYS} 9", HI),
        ("CHATHISTORY LATEST carol * 9", HI),
        ("CHATHISTORY LATEST bob * 9", []),
    ],
)
async def test_a_client_that_can_ask_for_it_has_got_what_it_has_asked_for(
    asked: str, shown: Sequence[str]
) -> None:
    async with running(settings()) as house:
        await register(house)
        carol, alice = await house.connect("carol"), await comes(house, "plain")
        await carol.send(b"/msg alice earlier\n")
        await alice.until("earlier\n")
        await leave(alice)
        await until_gone(house)
        await (await hears(house)).until("come\n")
        client = await irc_peer(house, "alice", "draft/chathistory", "batch", password=ALICE)
        await client.news(asked)
        await leave(client)
        assert await shown_next(house) == shown


async def test_of_several_devices_one_that_has_got_it_is_enough() -> None:
    async with running(settings()) as house:
        await register(house)
        first, second = await comes(house, "plain"), await comes(house, "plain")
        await hears(house, first, second)
        await box(first)
        await reset(first)
        await reset(second)
        assert await shown_next(house) == []


async def test_who_was_told_goodbye_by_a_server_that_stops_is_not_shown_it_again(
    tmp_path: Path,
) -> None:
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        await register(house)
        alice = await comes(house, "IRC")
        await hears(house, alice)
        house.server.stop()
        await leave(alice)
        await house.server.stopped.wait()
    async with running(kept) as house:
        assert await box(await plain_alice(house)) == []
