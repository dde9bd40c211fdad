"""Clear text is spoken only with those from where the settings allow it; others are told of TLS."""

import logging
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from certificates import Files, issue, secured
from peers import House, running, settings
from trio_chat.protocols.invitation import Invitation, write_token

FAR = "203.0.113.9"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def house(files: Files) -> AsyncIterator[House]:
    async with running(settings(tls=files.settings)) as it:
        yield it


@pytest.mark.parametrize(
    ("clear", "address", "lets_in"),
    [
        ("loopback", "127.0.0.1", True),
        ("loopback", "127.9.9.9", True),
        ("loopback", "::1", True),
        ("loopback", "::ffff:127.0.0.1", True),
        ("loopback", "unix", True),
        ("loopback", "10.1.2.3", False),
        ("loopback", "fe80::1%eth0", False),
        ("private", "127.0.0.1", True),
        ("private", "10.1.2.3", True),
        ("private", "172.31.0.1", True),
        ("private", "192.168.1.1", True),
        ("private", "::ffff:192.168.1.1", True),
        ("private", "fd00::1", True),
        ("private", "fe80::1%eth0", True),
        ("private", "172.32.0.1", False),
        ("private", "100.64.0.1", False),  # shared by a provider's customers
        ("private", FAR, False),
        ("private", "2001:db8::1", False),
        ("anyone", FAR, True),
        ("anyone", "2001:db8::1", True),
    ],
)
async def test_where_people_come_from_decides(
    autojump_clock: MockClock, files: Files, clear: str, address: str, lets_in: bool
) -> None:
    async with running(settings(tls={**files.settings, "clear": clear})) as house:
        peer = await house.link(address=address)
        await peer.send(b"alice\n")
        wanted = "You are alice in #lobby" if lets_in else "From where you are, "
        assert wanted in await peer.until(".")


WHERE = "From where you are, you need encryption. Use TLS: "


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"alice\n", "*** {}\n"),
        (b"alice", "*** {}\n"),  # the tutorial's client sends no newline
        (b"\xff\xfd\x03alice\r\n", "*** {}\n"),
        (b"NICK alice\r\nUSER a 0 * :A\r\n", "ERROR :Closing link: {}\r\n"),
        (b"CAP LS 302\r\n", "ERROR :Closing link: {}\r\n"),
        (
            b"GET /#a?b HTTP/1.1\r\nAccept: x\r\nhost: x:80\r\n\r\n",
            "HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: LENGTH\r\n"
            "X-Content-Type-Options: nosniff\r\nLocation: https://x:80/#a?b\r\n\r\n"
            "This is a chat server. {}\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: x\0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: LENGTH\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n"
            "This is a chat server. {}\r\n",
        ),
    ],
)
async def test_they_are_told_in_their_own_language_and_nobody_hears_of_them(
    autojump_clock: MockClock,
    files: Files,
    caplog: pytest.LogCaptureFixture,
    said: bytes,
    told: str,
) -> None:
    caplog.set_level(logging.INFO)
    named = settings(tls=files.settings, server={"public_name": "chat.example.org"})
    async with running(named) as house:
        bob = await house.link("bob")
        peer = await house.link(address=FAR)
        await peer.send(said)
        way = "ncat --ssl chat.example.org {}"
        if said.startswith((b"GET", b"NICK", b"CAP")):
            scheme = "https" if said.startswith(b"GET") else "ircs"
            way = f"{scheme}://chat.example.org:{{}}"
        why = WHERE + way.format(house.port)
        length = str(len(f"This is a chat server. {why}\r\n"))
        assert await peer.rest() == told.format(why).replace("LENGTH", length)
        await peer.stream.aclose()
        await bob.send(b"/who\n")
        assert "alice" not in await bob.until("bob\n")
        assert f"not connected from {FAR}: it speaks no TLS" in caplog.text


async def test_without_a_name_for_the_server_the_same_host_is_meant(
    autojump_clock: MockClock, house: House
) -> None:
    peer = await house.link(address=FAR)
    await peer.send(b"alice\n")
    way = f"ncat --ssl with the same host and port {house.port}"
    assert await peer.rest() == f"*** {WHERE}{way}\n"


async def test_who_is_slow_to_ask_for_tls_is_not_greeted_in_clear(
    autojump_clock: MockClock, house: House
) -> None:
    peer = await house.link(address=FAR)
    began = trio.current_time()
    assert (await peer.rest()).startswith("*** From where you are, ")
    assert trio.current_time() - began > 9
    slow = await house.link(address=FAR)
    await trio.sleep(9)
    await slow.send(b"\x16")
    assert await slow.rest() == ""


async def test_the_log_says_once_that_somebody_does_not_get_in(
    autojump_clock: MockClock, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A browser that does not trust a certificate tries a dozen times."""
    caplog.set_level(logging.INFO)
    for _ in range(3):
        peer = await house.link(address=FAR)
        await peer.send(b"alice\n")
        await peer.rest()
        await peer.stream.aclose()
        await wait_all_tasks_blocked()
    assert caplog.text.count(f"not connected from {FAR}") == 1


async def test_who_could_not_register_in_clear_is_not_told_how(files: Files) -> None:
    tls = {**files.settings, "clear": "private"}
    async with running(settings(tls=tls, accounts={"guests": "invited"})) as house:
        alice = await house.link(address="192.168.1.1")
        given = write_token(b"a key", Invitation("00" * 8, 0xFFFFFFFF, 1))
        await alice.send(f"alice\n{given}\n".encode())
        told = await alice.until("could read your password here.\n")
        assert "/register" not in told


async def test_over_tls_everybody_may_come(autojump_clock: MockClock, house: House) -> None:
    await secured(house, "alice", address=FAR)
