"""Whoever comes by a proxy comes from where the proxy says, in everything that depends on it."""

import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from browsers import Socket, get
from certificates import Files, issue, trusting
from peers import House, Peer, running, settings

PROXY, ALICE, BOB = "192.0.2.1", "198.51.100.7", "203.0.113.9"


def header(source: str = ALICE) -> bytes:
    return f"PROXY TCP4 {source} 192.0.2.1 40000 443\r\n".encode()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def proxied(files: Files) -> Any:
    """Settings for a server behind a proxy, which anybody may use who reaches it."""

    def chosen(**sections: dict[str, Any]) -> Any:
        server = {"proxies": f"{PROXY}, unix", "public_name": "chat.example.org"}
        return settings(
            **{
                "accounts": {"guests": "open"},
                "tls": {**files.settings, "clear": "anyone"},
                "server": server,
                **sections,
            }
        )

    return chosen


@pytest.fixture
async def house(proxied: Any) -> AsyncIterator[House]:
    async with running(proxied()) as it:
        yield it


async def by_proxy(house: House, said: bytes, *, address: str = PROXY) -> Peer:
    """A peer over a proxy's link, on which this was said first."""
    peer = await house.link(address=address)
    await peer.send(said)
    return peer


@pytest.mark.parametrize("address", [PROXY, "::ffff:192.0.2.1", "unix"])
@pytest.mark.parametrize("size", [1, 7, 1000], ids="in pieces of {}".format)
async def test_a_header_says_where_somebody_comes_from(
    house: House,
    caplog: pytest.LogCaptureFixture,
    address: str,
    size: int,
    autojump_clock: MockClock,
) -> None:
    caplog.set_level(logging.INFO)
    peer, said = await house.link(address=address), header() + b"alice\n"
    for begin in range(0, len(said), size):
        await peer.send(said[begin : begin + size])
        await trio.sleep(0.01)
    assert "You are alice in #lobby" in await peer.until("/help for more.\n")
    assert f"connected from {ALICE}" in caplog.text


async def test_people_who_wait_to_be_greeted_are(house: House, autojump_clock: MockClock) -> None:
    peer = await by_proxy(house, header())
    assert await peer.until("NICK") == "NICK"


async def test_tls_may_follow_and_begin_in_the_same_bytes(house: House) -> None:
    peer = await house.link(address=PROXY)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    await peer.send(header() + outgoing.read())
    assert await peer.stream.receive_some() > b"\x16\x03"


async def test_another_address_cannot_claim_to_be_a_proxy(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    peer = await by_proxy(house, header() + b"alice\n", address=BOB)
    await peer.rest()
    assert f"connected from {BOB}" in caplog.text
    assert f"connected from {ALICE}" not in caplog.text


WRONG = [
    (b"alice\n", "it sends no PROXY header"),
    (b"\x16\x03\x01", "it sends no PROXY header"),
    (b"PROXY TCP4 nobody nowhere 1 2\r\n", "its PROXY line is wrong"),
    (b"PROXY UNKNOWN " + b"x" * 100, "its PROXY line is too long"),
    (b"", "no PROXY header within 5 seconds"),
    (b"PROXY TCP4 ", "no PROXY header within 5 seconds"),
]


@pytest.mark.parametrize(("said", "why"), WRONG)
async def test_a_proxy_without_a_header_is_turned_away(
    house: House, caplog: pytest.LogCaptureFixture, said: bytes, why: str, autojump_clock: MockClock
) -> None:
    peer = await house.link(address=PROXY)
    if said:
        await peer.send(said)
    began = trio.current_time()
    assert await peer.rest() == ""
    assert f"turned away the proxy {PROXY}: {why}" in caplog.text
    assert trio.current_time() - began < 6


async def test_of_a_flood_without_headers_the_log_tells_little(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        peer = await house.link(address=PROXY)
        await peer.stream.send_eof()
        await peer.rest()
    lines = [record for record in caplog.messages if "gone without a PROXY header" in record]
    assert 0 < len(lines) < 20


async def test_so_many_wait_for_their_headers_and_no_more(
    house: House, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    for _ in range(1000):
        await house.link(address=PROXY)
    await trio.sleep(0.1)
    one_more = await house.link(address=PROXY)
    assert await one_more.rest() == ""
    assert "too many of its connections have sent no PROXY header" in caplog.text
    await trio.sleep(6)
    peer = await by_proxy(house, header() + b"alice\n")
    await peer.until("/help for more.\n")


# ── what depends on where somebody comes from ──────────────────────────────────────────────────


@pytest.mark.parametrize("source", ["UNKNOWN", "UNKNOWN and more"])
async def test_a_proxy_may_come_for_itself(
    house: House, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    caplog.set_level(logging.INFO)
    peer = await by_proxy(house, f"PROXY {source}\r\ncheck\n".encode())
    await peer.until("/help for more.\n")
    assert f"connected from {PROXY}" in caplog.text


async def test_clear_text_depends_on_the_source_and_not_on_the_proxy(
    proxied: Any, files: Files, autojump_clock: MockClock
) -> None:
    async with running(proxied(tls=files.settings)) as house:
        far = await by_proxy(house, header() + b"alice\n", address="unix")
        assert "From where you are, you need encryption." in await far.rest()
        near = await by_proxy(house, header("127.0.0.1") + b"bob\n", address="unix")
        await near.until("You are bob in #lobby")


async def test_each_source_has_its_own_budget_of_arrivals(
    proxied: Any, autojump_clock: MockClock
) -> None:
    limits = {"arrivals_per_second": 0.1, "arrival_burst": 2}
    async with running(proxied(limits=limits)) as house:
        for nick in ("one", "two"):
            peer = await by_proxy(house, header() + f"{nick}\n".encode())
            await peer.until("/help for more.\n")
        third = await by_proxy(house, header() + b"NICK three\r\n")
        assert await third.rest() == (
            "ERROR :Closing link: Too many connections from your address. "
            "Try again in 10 seconds.\r\n"
        )
        other = await by_proxy(house, header(BOB) + b"four\n")
        await other.until("/help for more.\n")


async def test_others_see_a_host_for_each_source(house: House) -> None:
    hosts = []
    for nick, source in (("alice", ALICE), ("bob", BOB), ("carol", ALICE)):
        said = f"NICK {nick}\r\nUSER x 0 * :x\r\nWHOIS {nick}\r\n".encode()
        peer = await by_proxy(house, header(source) + said)
        reply = await peer.until(" * :x\r\n")
        hosts.append(reply.split()[-3])
    assert hosts[0] == hosts[2] != hosts[1]


async def test_a_server_behind_a_proxy_lets_in_no_strangers_and_has_a_certificate(
    tmp_path: Path,
) -> None:
    chosen = settings(server={"proxies": PROXY})
    own = tmp_path / "certificate.pem"
    async with running(chosen, own_certificate=own) as house:
        assert house.server.is_public
        assert house.server.fingerprint
        assert own.exists()
        peer = await house.connect()
        await peer.send(b"alice\n")
        await peer.until("invitation")


async def test_a_server_that_stops_waits_for_no_header(house: House) -> None:
    peer = await house.link(address=PROXY)
    await trio.sleep(0.1)
    house.server.stop()
    began = trio.current_time()
    assert await peer.rest() == ""
    assert trio.current_time() - began < 1


# ── proxies of HTTP ────────────────────────────────────────────────────────────────────────────


def handed_on(request: bytes, source: str = ALICE, scheme: str = "https") -> bytes:
    """A request with what nginx adds to it."""
    added = f"X-Forwarded-For: 127.0.0.1, {source}\r\nX-Forwarded-Proto: {scheme}\r\n\r\n"
    return request.removesuffix(b"\r\n") + added.encode()


async def test_a_request_by_a_proxy_comes_from_where_its_headers_say(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    peer = await by_proxy(house, handed_on(get(host="chat.example.org")))
    text = await peer.rest()  # the proxy may use a connection for somebody else next
    assert text.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nConnection: close\r\n" in text
    assert f"connected from {ALICE}" in caplog.text


async def test_a_request_without_such_headers_is_turned_away(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    peer = await by_proxy(house, get(host="chat.example.org"))
    assert await peer.rest() == ""
    assert f"turned away the proxy {PROXY}: its request has no X-Forwarded-For" in caplog.text


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "status"),
    [
        ("https://chat.example.org", "chat.example.org", "https", 101),
        ("https://chat.example.org", "127.0.0.1:55555", "https", 403),
        ("https://evil.example", "chat.example.org", "https", 403),
        ("http://chat.example.org", "chat.example.org", "http", 400),
    ],
)
async def test_a_page_by_a_proxy_has_the_origin_that_the_browser_sees(
    proxied: Any, files: Files, origin: str, host: str, scheme: str, status: int
) -> None:
    async with running(proxied(tls=files.settings)) as house:
        request = Socket(host=host, origin=origin).written()
        peer = await by_proxy(house, handed_on(request, scheme=scheme), address="unix")
        assert (await peer.until("\r\n")).startswith(f"HTTP/1.1 {status} ")


async def test_others_cannot_say_that_they_come_by_a_proxy(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    peer = await by_proxy(house, handed_on(get(host="x")), address=BOB)
    assert (await peer.until("\r\n\r\n")).startswith("HTTP/1.1 200 ")
    assert f"connected from {BOB}" in caplog.text
