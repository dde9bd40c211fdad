"""The quiet end of a server: nobody else comes in, people are told, and it ends without a loss."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from admin_socket import ask, texts
from certificates import connect, issue
from irc_peers import irc_peer, settings
from peers import House, running
from trio_chat.core.commands import Drain, OfServer
from trio_chat.core.views import Answer

SOON = "This server will shut down within 10 minutes (an update)."
WHY_NOT = "This server is about to shut down (an update). Try again in 10 minutes."
GOODBYE = "*** The server is shutting down. Goodbye!\n"


def order(house: House, command: OfServer) -> Sequence[Answer]:
    """Let an operator of the server ask for something."""
    return [*house.server.operations.answer(command)]


async def test_people_are_told_each_in_their_protocol(house: House, path: Path) -> None:
    alice, carol, nobody = (
        await house.connect("alice"),
        await irc_peer(house, "carol"),
        await house.connect(),
    )
    [told] = await ask(path, "drain 600 an update")
    assert told == {
        "type": "draining",
        "text": (
            "Nobody else is let in, and the server ends when all have left, or in 10 minutes. "
            "Connections: 3."
        ),
        "seconds": 600,
        "connections": 3,
    }
    await alice.until(f"*** {SOON}\n")
    await carol.until(f":chat.local NOTICE * :{SOON}\r\n")
    await nobody.enter("nobody")
    assert b"shut down" not in nobody.received
    await alice.send(b"still here\n")
    await carol.until(" PRIVMSG #lobby :still here\r\n")


async def test_newcomers_are_told_in_their_protocol_why_they_are_not_let_in(
    house: House, path: Path
) -> None:
    alice = await house.connect("alice")
    await texts(path, "drain 10m an update")
    bob, carol, browser = [await house.connect() for _ in range(3)]
    await bob.send(b"bob\n")
    assert await bob.rest() == f"*** {WHY_NOT}\n"
    await carol.send(b"NICK carol\r\nUSER c 0 * :c\r\n")
    assert await carol.rest() == f"ERROR :Closing link: {WHY_NOT}\r\n"
    await browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await browser.rest()
    assert answer.startswith("HTTP/1.1 503 ")
    assert ("Retry-After: 600\r\n" in answer, WHY_NOT in answer) == (True, True)
    assert not house.server.stopped.is_set()
    assert house.server.status.state == "draining"
    await alice.send(b"/quit\n")
    await house.server.stopped.wait()


async def test_newcomers_are_told_over_tls(tmp_path: Path) -> None:
    files = issue(tmp_path)
    async with running(settings(tls=files.settings)) as house:
        await house.connect("alice")
        order(house, Drain(600, "an update"))
        async with await connect(house.port, over_tls=True) as stream:
            await stream.send_all(b"NICK carol\r\n")
            told = b"".join([data async for data in stream]).decode()
    assert told == f"ERROR :Closing link: {WHY_NOT}\r\n"


async def test_it_ends_when_all_have_left_however_long_an_operator_stays(
    house: House, path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    alice, bob = await house.people("alice", "bob")
    async with await trio.open_unix_socket(str(path)) as operator:
        await operator.send_all(b"drain 600\n")
        await alice.until("within 10 minutes.\n")
        await alice.send(b"/quit\n")
        await alice.rest()
        await bob.send(b"alone\n")
        await bob.until("bob: alone\n")
        await bob.send(b"/quit\n")
        await bob.rest()
        await house.server.stopped.wait()


async def test_an_empty_server_ends_at_once(house: House, path: Path) -> None:
    await ask(path, "drain")
    await house.server.stopped.wait()


async def test_it_ends_when_the_time_is_up(autojump_clock: trio.testing.MockClock) -> None:
    async with running(settings()) as house:
        alice = await house.link("alice")
        order(house, Drain(40, ""))
        began = trio.current_time()
        assert (await alice.rest()).endswith(f" within 40 seconds.\n{GOODBYE}")
        await house.server.stopped.wait()
        assert 40 <= trio.current_time() - began < 45


async def test_all_are_told_why_even_if_there_is_no_time_left(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with running(settings()) as house:
        people = [await house.link(f"p{n}", address=f"192.0.2.{n}") for n in range(105)]
        order(house, Drain(0, "an update"))
        for peer in people:
            assert "*** This server will shut down now (an update).\n" in await peer.rest()


async def test_a_stop_ends_a_drain(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    alice = await house.connect("alice")
    order(house, Drain(600, ""))
    house.server.stop()
    await alice.rest()
    await house.server.stopped.wait()
    assert "drained, so" not in caplog.text


@pytest.mark.parametrize("time", ["10min", "0s", "1.5h", "-5m", "10 minutes", "600 Sec", "2 h"])
async def test_what_is_no_time_drains_nothing(house: House, path: Path, time: str) -> None:
    [refused] = await ask(path, f"drain {time} an update")
    assert refused["text"] == f"{time} is no time: say a number of seconds, or 10m, or 1h30m."
    assert house.server.status.state == "ok"


async def test_of_two_orders_the_last_one_counts(autojump_clock: trio.testing.MockClock) -> None:
    async with running(settings()) as house:
        alice = await house.link("alice")
        began = trio.current_time()
        for seconds in (10, 600, 30):
            order(house, Drain(seconds, ""))
        assert (await alice.rest()).endswith(f" within 30 seconds.\n{GOODBYE}")
        await house.server.stopped.wait()
        assert 30 <= trio.current_time() - began < 35


async def test_it_can_be_called_off(house: House, path: Path) -> None:
    alice = await house.connect("alice")
    await ask(path, "drain 600")
    assert await texts(path, "drain off") == ["Everybody is let in again."]
    await alice.until("*** This server will not shut down after all.\n")
    await house.connect("bob")
    assert house.server.status.state == "ok"
    [refused] = await ask(path, "drain off")
    assert refused["code"] == "no_change"
    for peer in house.peers:
        await peer.send(b"/quit\n")
        await peer.rest()
    await house.connect("carol")


@pytest.mark.parametrize(
    ("line", "seconds", "why"),
    [
        ("drain 0", 0, ""),
        ("drain 1h30m an update", 5400, "an update"),
        ("drain an update", 60, "an update"),
        ("drain forever", 60, "forever"),
    ],
)
async def test_how_it_is_ordered(
    house: House, path: Path, line: str, seconds: int, why: str
) -> None:
    alice = await house.connect("alice")
    [told] = await ask(path, line)
    assert told["seconds"] == seconds
    assert (f"({why})." in await alice.until(".\n")) == bool(why)


async def test_only_operators_of_the_server_may(house: House) -> None:
    alice = await house.connect("alice")
    await alice.send(b"/drain 0\n")
    await alice.until("There is no command /drain.")
