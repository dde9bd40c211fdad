"""The first bytes of a connection: who is asked for a nickname, and who is none of ours."""

import logging
import socket
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from certificates import Hand, issue, secured
from peers import Peer, running, settings
from trio_chat.server.poller import PolledLink, open_poller

PUTTY = bytes.fromhex("fffb1ffffb20fffb18fffb27fffd01fffb03fffd03")


async def type_keys(peer: Peer, keys: bytes, pause: float) -> None:
    for key in keys:
        await trio.sleep(pause)
        await peer.send(bytes([key]))


@pytest.mark.parametrize("silent", [0.0, 1.0, 1.9])
async def test_a_client_of_irc_that_takes_its_time_is_not_greeted(
    autojump_clock: MockClock, silent: float
) -> None:
    async with running() as house:
        peer = await house.link()
        await trio.sleep(silent)
        await peer.send(b"NICK alice\r\nUSER a 0 * :A\r\n")
        assert (await peer.until("\r\n")).startswith(":chat.local 001 alice ")


@pytest.mark.parametrize("over_tls", [False, True])
async def test_who_has_spoken_while_the_server_had_no_time_to_look_is_not_greeted(
    over_tls: bool, tmp_path: Path, autojump_clock: MockClock
) -> None:
    tls = issue(tmp_path).settings if over_tls else {}
    said, answer = b"NICK alice\r\nUSER a 0 * :A\r\n", b":chat.local 001 "
    if over_tls:
        said, answer = Hand().hello(), b"\x16"  # a record of the handshake
    ours, theirs = socket.socketpair()
    with theirs, open_poller() as poller:
        assert poller is not None
        async with running(settings(tls=tls)) as house:
            # The poller does not run, so nobody hears that there is something to read.
            house.server.take(PolledLink(ours, "127.0.0.1", keepalive=60, poller=poller))
            theirs.sendall(said)
            await trio.sleep(5)
            assert theirs.recv(len(answer)) == answer


@pytest.mark.parametrize("over_tls", [False, True])
async def test_who_hangs_up_without_a_word_is_no_fault(
    over_tls: bool,
    tmp_path: Path,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As scanners of ports do, and those who look whether a server is alive."""
    tls = issue(tmp_path).settings if over_tls else {}
    with caplog.at_level(logging.INFO):
        async with running(settings(tls=tls)) as house:
            peer = await (secured(house, address="memory") if over_tls else house.link())
            await peer.stream.aclose()
            await wait_all_tasks_blocked()
    [*_, last] = caplog.records
    assert last.getMessage().endswith("disconnected: closed by the peer (0 requests refused)")
    assert all(record.levelno <= logging.INFO for record in caplog.records)


async def test_for_who_is_slower_the_greeting_is_a_line_of_its_own(
    autojump_clock: MockClock,
) -> None:
    async with running() as house:
        peer = await house.link()
        assert await peer.until("NICK") == "NICK"
        await peer.send(b"NICK alice\r\nUSER a 0 * :A\r\n")
        assert (await peer.until("001 alice")).startswith("\r\n:chat.local 001")


@pytest.mark.parametrize("pause", [0.1, 1.5])
@pytest.mark.parametrize("greeted", [False, True])
async def test_who_types_key_by_key_has_one_nickname(
    autojump_clock: MockClock, pause: float, greeted: bool
) -> None:
    async with running() as house:
        peer = await house.link()
        if greeted:
            await peer.until("NICK")
        await type_keys(peer, b"cx\x7farol\r\nhi\r\n", pause)
        text = await peer.until("hi\n")
        assert "You are carol in #lobby" in text
        assert text.endswith("\ncarol: hi\n")


@pytest.mark.parametrize(
    "pieces", [[b"bo", b"b\nhello\n"], [b"\xff\xfd\x03", b"bo", b"b\r\nhello\r\n"]]
)
async def test_a_line_that_comes_in_pieces_is_one(
    autojump_clock: MockClock, pieces: list[bytes]
) -> None:
    async with running() as house:
        peer = await house.link()
        for piece in pieces:
            await peer.send(piece)
            await trio.sleep(0.1)
        assert (await peer.until("hello\n")).endswith("bob: hello\n")


async def test_who_stops_in_the_middle_is_waited_for(autojump_clock: MockClock) -> None:
    async with running() as house:
        peer = await house.link()
        await type_keys(peer, b"ca", 0.1)
        await trio.sleep(8)
        await type_keys(peer, b"rol\r\0", 0.1)
        assert "You are carol in #lobby" in await peer.until("more.\n")


async def test_what_a_telnet_negotiates_is_nothing_typed(autojump_clock: MockClock) -> None:
    async with running() as house:
        peer = await house.link()
        await peer.send(PUTTY)
        assert await peer.until("NICK") == "NICK"
        await peer.send(b"carol\r\nhi\r\n\xff\xf4\xff\xfd\x06ho\r\n")
        text = await peer.until("carol: ho\n")
        assert "You are carol in #lobby" in text
        assert text.endswith("\ncarol: hi\ncarol: ho\n")


REQUESTS = [
    [b"PROPFIND /x HTTP/1.1\r\nHost: x\r\n\r\nbody\r\n"],
    [b"post /x HTTP/1.1\r\nHost: x\r\n\r\nbody\r\n"],
    [b"POST /x HTTP/1.1\r\n", b"Host: x\r\n\r\n", b"body\r\n"],
    [b"PO", b"ST /x HTTP/1.1\r\nHost: x\r\n\r\n", b"body\r\n"],
    [b"XYZ", b"ZY /x HTTP/1.1\r\nHost: x\r\n\r\n", b"body\r\n"],
    [b"X", b"Y /x", b" HTTP/1.1\r\n", b"Host: x\r\n\r\nbody\r\n"],
    [b"FOO bar\r\n", b"Host: x\r\n", b"\r\n", b"body\r\n"],
    [b"FOO\r\nHost: x\r\n\r\nbody\r\n"],
]


@pytest.mark.parametrize("pieces", REQUESTS)
@pytest.mark.parametrize("pause", [0.0, 0.8])
async def test_nothing_of_a_request_is_said(
    autojump_clock: MockClock, pieces: list[bytes], pause: float
) -> None:
    async with running() as house:
        alice = await house.link("alice")
        browser = await house.link()
        for piece in pieces:
            with suppress(trio.BrokenResourceError):  # it has been refused by then
                await browser.send(piece)
            await trio.sleep(pause)
        assert "web server" in await browser.rest()
        await alice.send(b"end\n")
        text = await alice.until("alice: end\n")
        assert "body" not in text
        assert "Host" not in text


@pytest.mark.parametrize("greeted", [False, True])
async def test_a_gateway_is_refused_and_nobody_is_shown_its_password(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, greeted: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running() as house:
        alice = await house.link("alice")
        gateway = await house.link()
        if greeted:
            await gateway.until("NICK")
        await gateway.send(b"WEBIRC sesame gw host 192.0.2.1\r\nNICK bob\r\nUSER b 0 * :B\r\n")
        said = (await gateway.rest()).removeprefix("\r\n")
        assert said == "ERROR :Closing link: This server accepts no gateways.\r\n"
        await alice.send(b"end\n")
        assert await alice.until("end\n") == "alice: end\n"
    assert "sesame" not in caplog.text
