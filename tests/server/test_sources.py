"""What is charged to where somebody comes from. Books by a mock clock; the rest over real sockets
that come from several addresses of the loopback network, none of which is exempt.
"""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from certificates import Files, issue
from peers import House, Peer, running, settings
from trio_chat.server.sources import Source, Sources, source_of
from trio_chat.settings import LimitSettings

CHARGED = {"exempt": ()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:DB8:0:0:ffff::1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::1%eth1", "fe80::/64"),
        ("::1", "::/64"),
        ("unix", "unix"),
    ],
)
def test_the_source_of_a_peer(peer: str, source: str) -> None:
    assert source_of(peer) == source


@pytest.mark.parametrize(
    ("exempt", "peer", "is_exempt"),
    [
        (None, "127.0.0.1", True),
        (None, "127.1.2.3", True),
        (None, "::ffff:127.0.0.1", True),
        (None, "::1", True),
        (None, "unix", True),
        (None, "192.0.2.1", False),
        (None, "2001:db8::1", False),
        ("", "127.0.0.1", False),
        ("", "::1", False),
        ("", "unix", False),
        ("10.0.0.0/8, 2001:db8::/32", "10.9.8.7", True),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db8:1::7", True),
        ("10.0.0.0/8, 2001:db8::/32", "127.0.0.1", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8::7", "2001:db8::8", True),  # the same source
    ],
)
def test_who_is_exempt(exempt: str | None, peer: str, is_exempt: bool) -> None:
    limits = LimitSettings() if exempt is None else LimitSettings(exempt=exempt)  # type: ignore[arg-type]
    assert Source(source_of(peer), limits).is_exempt is is_exempt


# ── how many come, and how fast ────────────────────────────────────────────────────────────────


def come(books: Sources, peer: str, now: float) -> str:
    """Come and go again; or why not."""
    source = books.of(peer, now)
    if not (why_not := books.enter(source, now)):
        books.leave(source, now)
        return ""
    return why_not.why


def test_a_source_may_come_as_fast_as_the_limits_say() -> None:
    books = Sources(LimitSettings(arrivals_per_second=2, arrival_burst=3))
    assert [come(books, "192.0.2.1", 100.0) for _ in range(3)] == ["", "", ""]
    too_many = "Too many connections from your address. Try again in 1 second."
    assert come(books, "192.0.2.1", 100.0) == too_many
    assert come(books, "::ffff:192.0.2.1", 100.4) == too_many
    assert come(books, "192.0.2.2", 100.4) == ""
    assert come(books, "192.0.2.1", 100.5) == ""
    assert come(books, "192.0.2.1", 100.5) == too_many
    assert [come(books, "127.0.0.1", 100.0) for _ in range(50)] == [""] * 50


def test_whoever_asks_too_often_is_let_in_as_soon_as_others() -> None:
    books = Sources(LimitSettings(arrivals_per_second=1, arrival_burst=1))
    assert come(books, "192.0.2.1", 0.0) == ""
    for _ in range(1000):
        assert come(books, "192.0.2.1", 0.5) != ""
    assert come(books, "192.0.2.1", 1.0) == ""


@pytest.mark.slow
def test_the_books_forget_who_owes_nothing_and_remember_who_floods() -> None:
    books = Sources(LimitSettings(arrivals_per_second=0.001, arrival_burst=5))
    for _ in range(5):
        assert come(books, "192.0.2.1", 0.0) == ""
    for n in range(12_000):
        assert come(books, f"2001:db8:{n >> 8:x}:{n & 255:x}::1", 1.0) == ""
    assert len(books) <= 10_000
    assert come(books, "192.0.2.1", 2.0) != ""


def test_a_source_that_owes_nothing_is_forgotten_when_it_leaves() -> None:
    books = Sources(LimitSettings(arrivals_per_second=1))
    source = books.of("192.0.2.1", 0.0)
    assert books.enter(source, 0.0) is None
    books.leave(source, 10.0)
    assert len(books) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1), st.booleans()), max_size=200))
def test_the_books_agree_with_who_is_there(steps: list[tuple[int, float, bool]]) -> None:
    limits = LimitSettings(connections=7, connections_per_address=3, arrival_burst=4)
    books, now, there = Sources(limits), 0.0, []
    for number, gap, comes in steps:
        now += gap
        if comes:
            source = books.of(f"192.0.2.{number}", now)
            if not books.enter(source, now):
                there.append(source)
        elif there:
            books.leave(there.pop(number % len(there)), now)
        assert len(there) <= 7
        for source in there:
            assert source.connections == there.count(source) <= 3


# ── over real sockets ──────────────────────────────────────────────────────────────────────────


async def peer_from(house: House, address: str, nick: str = "") -> Peer:
    stream = await trio.open_tcp_stream("127.0.0.1", house.port, local_address=address)
    return await house.take_in(stream, nick)


async def test_too_many_at_once_from_an_address_are_turned_away() -> None:
    limits = CHARGED | {"arrivals_per_second": 0.01, "arrival_burst": 3}
    async with running(settings(limits=limits)) as house:
        for nick in ("al", "bo", "cy"):
            await peer_from(house, "127.0.0.2", nick)
        fourth = await peer_from(house, "127.0.0.2")
        await fourth.send(b"dee\n")
        turned_away = await fourth.rest()
        assert turned_away.startswith("*** Too many connections from your address. Try again ")
        await peer_from(house, "127.0.0.3", "dee")


@pytest.mark.parametrize("speaks_tls", [False, True])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "*** {}\n"),
        (b"\xff", "*** {}\n"),
        (b"alice\n", "*** {}\n"),
        (b"NICK alice\r\nUSER a 0 * :A\r\n", "ERROR :Closing link: {}\r\n"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 77\r\n"
            "X-Content-Type-Options: nosniff\r\nRetry-After: 60\r\n\r\n"
            "This is a chat server. {}\r\n",
        ),
        (b"\x16\x03\x01\x02\x00\x01", "\x15\x03\x01\x00\x02\x02\x31"),  # access_denied
    ],
)
async def test_they_are_told_in_their_own_language(
    autojump_clock: MockClock, files: Files, speaks_tls: bool, said: bytes, told: str
) -> None:
    tls = files.settings if speaks_tls else {}
    async with running(settings(limits={"connections": 1}, tls=tls)) as house:
        await house.link("alice")
        bob = await house.link()
        if said:
            await bob.send(said)
        why = "The server is full (1 connections). Try again later."
        assert await bob.rest() == told.format(why)


async def test_whoever_is_being_told_does_not_hold_up_the_end(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"connections": 1})) as house:
        await house.link("alice")
        bob = await house.link()
        await bob.send(b"b")
        await wait_all_tasks_blocked()
        house.server.stop()
        began = trio.current_time()
        assert await bob.rest() == ""
        assert trio.current_time() == began


async def test_of_a_flood_of_arrivals_only_some_are_told_and_the_log_stays_short(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    limits = CHARGED | {"arrivals_per_second": 0.01, "arrival_burst": 1}
    async with running(settings(limits=limits)) as house:
        await house.link("alice", "192.0.2.1")
        told = [await (await house.link(address="192.0.2.1")).rest() for _ in range(50)]
        assert all(text.startswith("*** Too many connections") for text in told)
        assert caplog.text.count("turned away 192.0.2.1") < 20


def test_the_log_says_each_kind_of_thing_once_a_minute() -> None:
    source = Source("192.0.2.1", LimitSettings())
    assert [source.may_note("slow", now) for now in (0, 1, 59, 60, 61)] == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert source.may_note("lost", 61)
    assert source.owes(61) == 60
