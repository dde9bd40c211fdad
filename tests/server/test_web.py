"""Browsers on the server's port: the page, and people who chat over WebSocket."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from websockets.frames import Opcode

from browsers import Socket, Stream, frame, get, web_peer
from irc_peers import irc_peer, settings
from peers import House, Peer, running
from trio_chat.protocols.web.frames import MESSAGE_MAX
from trio_chat.settings import WebSettings

CAPS = ("server-time", "message-tags", "echo-message", "batch", "labeled-response")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as house:
        yield house


async def memory_socket(house: House) -> tuple[Peer, Socket]:
    """A peer over memory, whose request to upgrade has been answered."""
    raw, socket = (await house.link()).stream, Socket()
    await raw.send_all(socket.written())
    socket.reads(bytes(await raw.receive_some()))
    return Peer(Stream(raw, socket)), socket


def close_code(socket: Socket) -> int:
    assert socket.protocol.close_rcvd
    return socket.protocol.close_rcvd.code


async def test_a_browser_reads_the_page_and_goes_on(house: House) -> None:
    browser = await house.connect()
    for _ in range(2):
        await browser.send(get(host=f"127.0.0.1:{house.port}", method="HEAD"))
        assert (await browser.until("\r\n\r\n")).startswith("HTTP/1.1 200 OK\r\n")


async def test_people_on_all_protocols_read_each_other(house: House) -> None:
    web = await web_peer(house, "web")
    irc = await irc_peer(house, "irc")
    plain = await house.connect("plain")
    await web.say("PRIVMSG #lobby :from the page 👋")
    await irc.until(":web!web@127.0.0.1 PRIVMSG #lobby :from the page 👋\r\n")
    await plain.send(b"from netcat\n")
    await web.until(":plain!plain@127.0.0.1 PRIVMSG #lobby :from netcat\r\n")
    await plain.until("web: from the page 👋\n")


async def test_over_websocket_comes_what_comes_over_tcp(house: House) -> None:
    """In a room large enough that messages go round, with long ones and labels among them."""
    web = [await web_peer(house, f"web{n}", *CAPS) for n in range(3)]
    irc = [await irc_peer(house, f"irc{n}", *CAPS) for n in range(3)]
    for peer in (*web, *irc):
        await peer.news()
    said = [f"PRIVMSG #lobby :{'x' * length}" for length in (1, 60, 61, 126, 300, 400)]
    plain = await house.connect("plain")
    await plain.send(b"from netcat\n" * 50)
    own = await web[0].news(*(f"@label={n} {line}" for n, line in enumerate(said)))
    assert [line for line in own if "label=" in line] == [line for line in own if ":web0!" in line]
    await plain.send(b"the end\n")
    heard = [await peer.until("the end\r\n") for peer in (*web[1:], *irc)]
    assert len({*heard}) == 1
    assert heard[0].count(":from netcat\r\n") == 50
    assert heard[0].count(":web0!web0@127.0.0.1 PRIVMSG #lobby :x") == len(said)


async def test_a_long_answer_is_cut_between_messages() -> None:
    motd = "\n".join(f"{number} " + "x" * 70 for number in range(250))
    async with running(settings(irc={"motd": motd})) as house:
        web, irc = await web_peer(house, "abc"), await irc_peer(house, "xyz")
        await web.news()
        over_web, over_tcp = await web.news(*["MOTD"] * 10), await irc.news(*["MOTD"] * 10)
        assert len("".join(over_web)) > 3 * 65_536
        assert [line.replace(" abc ", " xyz ") for line in over_web] == over_tcp


async def test_the_server_pings_and_says_why_it_ends(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"ping": 20})) as house:
        web, socket = await memory_socket(house)
        await web.send(b"NICK web\r\nUSER w 0 * :W\r\n")
        await web.until("PING :chat.local\r\n")
        text = await web.rest()
        assert text.endswith("ERROR :Closing link: You did not answer a PING.\r\n")
        assert close_code(socket) == 1008


async def test_a_server_that_stops_goes_away(house: House) -> None:
    web, socket = await memory_socket(house)
    await web.send(b"NICK web\r\nUSER w 0 * :W\r\n")
    await web.until(" 422 ")
    house.server.stop()
    assert (await web.rest()).endswith(": The server is shutting down. Goodbye!\r\n")
    assert close_code(socket) == 1001


async def test_who_reads_too_slowly_is_to_come_back_later() -> None:
    limits = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=limits)) as house:
        alice, web = await irc_peer(house, "alice"), await web_peer(house, "web")
        await web.news()  # the last that it reads
        lines = [f"PRIVMSG #lobby :{'x' * 400}"] * 500
        while ":web!web@127.0.0.1 QUIT :reads too slowly" not in await alice.news(*lines):
            pass
        assert "You read too slowly" in await web.rest()
        assert isinstance(web.stream, Stream)
        assert close_code(web.stream.socket) == 1013


async def test_the_page_changes_with_the_settings(house: House) -> None:
    browser = await house.connect()
    chosen = settings().model_copy(update={"web": WebSettings(title="Tea")})
    house.server.reload(chosen)
    await browser.send(get())
    await browser.until("<title>Tea</title>")


async def test_a_full_server_keeps_no_connection_that_has_brought_the_page() -> None:
    """For a browser keeps it, and opens its WebSocket beside it."""
    async with running(settings(limits={"connections": 2})) as house:
        first = await house.connect()
        await first.send(get())
        assert "Connection: close" not in await first.until("\r\n\r\n")
        last = await house.connect()
        await last.send(get())
        assert "Connection: close" in await last.rest()
        await last.stream.aclose()
        await wait_all_tasks_blocked(0.01)
        assert await (await web_peer(house, "web")).news() == []


@pytest.mark.parametrize("hosts", [(), ("other.example",)])
async def test_a_page_that_a_proxy_has_is_our_own(hosts: tuple[str, ...]) -> None:
    """Even if the proxy does not tell under which name it was asked."""
    web = WebSettings(url="https://chat.example/chat/", hosts=hosts)
    async with running(settings().model_copy(update={"web": web})) as house:
        for host in ("chat.example", "127.0.0.1"):
            browser = await house.connect()
            await browser.send(Socket(host=host, origin="https://chat.example").written())
            assert (await browser.until("\r\n")).startswith("HTTP/1.1 101 ")


async def test_turned_off_there_is_no_page() -> None:
    chosen = settings().model_copy(update={"web": WebSettings(enabled=False)})
    async with running(chosen) as house:
        browser = await house.connect()
        await browser.send(get())
        assert (await browser.rest()).startswith("HTTP/1.1 400 ")
        irc = await irc_peer(house)
        await irc.say("NICK a", "USER a 0 * :A")
        assert "trio-chat/BUILD" not in await irc.until(" 422 ")


# ── attacks ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Socket(host="127.0.0.1", origin="http://evil.example").written(), 403),
        (get(host="evil.example"), 421),
        (Socket(host="evil.example", origin="http://evil.example").written(), 421),
        (get(method="POST") + b"NICK bob\r\nUSER b 0 * :B\r\nJOIN #lobby\r\n", 400),
        (get() + b"NICK bob\r\nUSER b 0 * :B\r\nJOIN #lobby\r\n", 200),
        (b"GET / HTTP/1.1\r\n" + b"X-Header: y\r\n" * 10_000, 431),
    ],
    ids=["a page elsewhere", "a name elsewhere", "both", "a form", "more than a GET", "headers"],
)
async def test_a_browser_cannot_be_made_to_chat(house: House, request_: bytes, status: int) -> None:
    alice = await house.connect("alice")
    browser = await house.connect()
    with suppress(trio.BrokenResourceError):
        await browser.send(request_)
    assert (await browser.rest()).startswith(f"HTTP/1.1 {status} ")
    await alice.send(b"end\n")
    assert await alice.until("end\n") == "alice: end\n"


async def test_what_a_browser_was_refused_for_is_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be an attack, or a proxy whose owner has to set something."""
    for request_ in (
        Socket(host="127.0.0.1", origin="http://evil.example").written(),
        get(host="evil.example:80"),
    ) * 2:
        browser = await house.connect()
        await browser.send(request_)
        await browser.rest()
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "refused a browser: the origin 'http://evil.example' is not in web.origins (403)",
        "refused a browser: the name 'evil.example' is not in web.hosts (421)",
    ]


@pytest.mark.parametrize("begun", [b"GET /", get()[:-2], Socket().written()[:-2]])
async def test_a_request_that_never_ends_ends_with_the_time_for_registration(
    autojump_clock: MockClock, begun: bytes
) -> None:
    async with running(settings(limits={"registration": 20})) as house:
        browser = await house.link()
        began = trio.current_time()
        await browser.send(begun)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def trickle() -> None:
                with suppress(trio.BrokenResourceError):
                    while True:
                        await trio.sleep(1)
                        await browser.send(b"x")

            text = await browser.rest()
            nursery.cancel_scope.cancel()
        assert trio.current_time() - began < 23
        assert text.startswith("HTTP/1.1 408 ")


async def test_who_upgrades_and_says_nothing_has_no_more_time(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"registration": 20})) as house:
        began = trio.current_time()
        browser, socket = await memory_socket(house)
        words = "ERROR :Closing link: You gave no nickname within 20 seconds. Goodbye!\r\n"
        assert await browser.rest() == words
        assert trio.current_time() - began < 23
        assert close_code(socket) == 1008


async def test_fragments_without_end_end_it(house: House) -> None:
    alice = await house.connect("alice")
    browser, socket = await memory_socket(house)
    with suppress(trio.BrokenResourceError):
        await browser.stream.raw.send_all(frame(Opcode.TEXT, b"x", fin=False))
        for _ in range(MESSAGE_MAX):
            await browser.stream.raw.send_all(frame(Opcode.CONT, b"x" * 100, fin=False))
    assert await browser.rest() == ""
    assert close_code(socket) == 1009
    await alice.send(b"end\n")
    assert await alice.until("end\n") == "alice: end\n"


async def test_a_flood_of_pings_is_read_as_slowly_as_lines(autojump_clock: MockClock) -> None:
    async with running() as house:
        browser, _ = await memory_socket(house)
        began = trio.current_time()
        flood = frame(Opcode.PING, b"") * 400 + frame(Opcode.TEXT, b"CAP LS")
        await browser.stream.raw.send_all(flood)
        await browser.until("CAP * LS")
        assert trio.current_time() - began >= 24  # 100 at once, then ten a second


@pytest.mark.slow
async def test_two_thousand_half_open_upgrades_keep_nobody_out(autojump_clock: MockClock) -> None:
    limits = {"connections": 2_100, "exempt": ("192.0.2.7",), "registration": 20}
    async with running(settings(limits=limits)) as house:
        alice = await house.link("alice")
        begun = [await house.link(address="192.0.2.7") for _ in range(2_000)]
        for browser in begun:
            await browser.send(Socket().written()[:-2])
        await alice.send(b"/me is in\n")
        await alice.until("* alice is in\n")
        began = trio.current_time()
        for browser in begun:
            await browser.rest()
        assert trio.current_time() - began < 23
