"""A chat at several addresses: where the client goes, and that nothing is lost on the way there."""

import json
import math
import random

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import trio_chat
from keeping_server import KeepingServer
from losing_network import Network, Stream
from processes import IMPATIENT, free_port, running, running_server
from seeds import seeds
from terminals import terminal
from trio_chat import (
    Acknowledged,
    CannotConnect,
    ChatError,
    ConnectionLost,
    Linked,
    LoginFailed,
    NotAdmitted,
    Notice,
    NotTrusted,
    Said,
    SettingsError,
    Unlinked,
    open_chat,
)
from trio_chat.cli.certificates import with_pin
from trio_chat.cli.configure import load
from trio_chat.client.pins import Pins
from trio_chat.client.requests import Leave, SlashCommand
from trio_chat.client.runner import run_chat
from trio_chat.settings import ClientSettings, Settings
from trio_chat.settings.pins import each_pin, pin_in_link
from trio_chat.settings.places import Address, Place, read_place

A, B, C = "a:55555", "b:6000", "c:55555"


class Nodes(Network):
    """One chat at any address. It cannot be reached at those with an entry in ``fails``; all
    attempts are in ``tried``, with their pins in ``pins``.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        super().__init__(KeepingServer(), nursery)
        self.fails: dict[str, ChatError] = {}
        self.tried: list[str] = []
        self.pins: list[object] = []

    async def connect(self, address: Address, **tls: object) -> Stream:
        self.tried.append(str(address))
        self.pins.append(tls["pin"])
        if error := self.fails.get(str(address)):
            raise error
        return await super().connect(address)

    def die(self, address: str) -> None:
        """Nobody answers there from now on, and who is there is cut off."""
        self.fails[address] = CannotConnect(f"cannot connect to {address}: no server is running")
        self.cut_off()

    def cut_off(self) -> None:
        self.links[-1].end.closed = True
        self.links[-1].end.notify()


@pytest.fixture
def nodes(nursery, monkeypatch) -> Nodes:
    nodes = Nodes(nursery)
    monkeypatch.setattr("trio_chat.client.connection.dial", nodes.connect)
    return nodes


def enter(*others: str, **options):
    return open_chat("a", others=others or ("b:6000",), nick="me", protocol="irc", **options)


async def told(chat: trio_chat.Chat, kind: type = Notice):
    """The next message of a kind."""
    while not isinstance(message := await anext(chat), kind):
        pass
    return message


async def where(chat: trio_chat.Chat) -> str:
    """The next words about where it is."""
    while "onnected" not in (notice := await told(chat)).text:
        pass
    return notice.text


def down(address: str) -> CannotConnect:
    return CannotConnect(f"cannot connect to {address}: no server is running there", about="server")


# ── at first ───────────────────────────────────────────────────────────────────────────────────


async def test_the_first_address_that_answers_is_the_one(autojump_clock, nodes):
    async with enter("b:6000", "c") as me:
        assert nodes.tried == [A]
        with trio.move_on_after(100):
            await where(me)
            pytest.fail("it is where it was to be")


@pytest.mark.parametrize(
    "error", [down(A), ConnectionLost("lost"), NotAdmitted("full"), NotTrusted("not it")]
)
async def test_the_next_one_is_tried_at_once_and_told(autojump_clock, nodes, error):
    nodes.fails[A] = error
    async with enter("b:6000", "c") as me:
        assert (nodes.tried, trio.current_time()) == ([A, B], pytest.approx(0))
        why = str(error)
        assert await where(me) == f"{why[:1].upper()}{why[1:]}. Connected to {B}."


async def test_if_nobody_answers_all_reasons_are_told(autojump_clock, nodes):
    nodes.fails = {A: down(A), B: down(B)}
    why = f"^cannot connect to {A}: no server is running there; cannot connect to {B}: no server"
    with pytest.raises(CannotConnect, match=why) as caught:
        async with enter():
            pass
    assert caught.value.about == "server"
    assert nodes.tried == [A, B]


async def test_a_reason_that_is_the_same_everywhere_is_told_once(nodes):
    nodes.fails = {A: NotAdmitted("The chat is full."), B: NotAdmitted("The chat is full.")}
    with pytest.raises(NotAdmitted, match=r"^The chat is full$"):
        async with enter():
            pass


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([NotTrusted("x"), NotTrusted("y")], NotTrusted),
        ([NotTrusted("x"), down(B)], CannotConnect),
        ([down(A), NotTrusted("x")], CannotConnect),
        ([NotAdmitted("x"), NotTrusted("y")], NotAdmitted),
    ],
)
async def test_whom_nobody_trusts_is_the_end_only_if_it_is_so_everywhere(nodes, errors, kind):
    nodes.fails = dict(zip((A, B), errors, strict=True))
    with pytest.raises(kind):
        async with enter():
            pass


async def test_a_wrong_password_is_tried_nowhere_else(nodes):
    nodes.fails[A] = LoginFailed("wrong")
    with pytest.raises(LoginFailed):
        async with enter():
            pass
    assert nodes.tried == [A]


# ── on the way ─────────────────────────────────────────────────────────────────────────────────


async def test_when_a_node_dies_it_goes_on_at_the_next_one(autojump_clock, nodes):
    async with enter(retry=True) as me:
        await me.say("one")
        await told(me, Acknowledged)
        nodes.die(A)
        await told(me, Unlinked)
        nodes.server.say("al", "two")
        await me.say("three")
        assert await where(me) == f"Connected again, to {B}."
        assert (await told(me, Said)).text == "two"
        await told(me, Acknowledged)
        assert trio.current_time() < 1.6  # one wait
    assert nodes.tried == [A, B]
    assert nodes.server.texts == ["one", "two", "three"]


async def test_it_stays_where_it_is_and_goes_on_from_there(autojump_clock, nodes):
    async with enter("b:6000", "c", retry=True) as me:
        for expected in (B, C, A, B):
            nodes.cut_off()
            assert await where(me) == f"Connected again, to {expected}."
    assert nodes.tried == [A, B, C, A, B]


async def test_back_at_the_only_one_that_works_it_does_not_tell_so(autojump_clock, nodes):
    nodes.fails[B] = down(B)
    async with enter(retry=True) as me:
        nodes.cut_off()
        await told(me, Linked)
        await told(me, Linked)
        with trio.move_on_after(100):
            await where(me)
            pytest.fail("it is where it was")
    assert nodes.tried == [A, B, A]


async def test_there_is_one_wait_for_a_round_and_it_grows(autojump_clock, nodes):
    async with enter("b:6000", "c", retry=True) as me:
        nodes.fails = {place: down(place) for place in (A, B, C)}
        nodes.cut_off()
        lost = [await told(me, Unlinked) for _ in range(8)]
        assert nodes.tried == [A, *[B, C, A] * 7]
        assert all(0.5 * 2**n <= one.retry <= 1.5 * 2**n for n, one in enumerate(lost[:5]))
        assert lost[1].why == "; ".join(str(down(place)) for place in (B, C, A))
        nodes.fails = {}
        assert await where(me) == f"Connected again, to {B}."


async def test_one_whom_it_does_not_trust_any_more_is_passed_over(autojump_clock, nodes):
    async with enter("b:6000", "c", retry=True) as me:
        nodes.fails[B] = NotTrusted("b shows another certificate")
        nodes.die(A)
        told = f"B shows another certificate. Connected again, to {C}."
        assert await where(me) == told


async def test_without_retry_a_lost_connection_is_the_end(autojump_clock, nodes):
    async with enter() as me:
        nodes.die(A)
        assert Unlinked not in [type(message) async for message in me]
    assert nodes.tried == [A]


async def test_reconnect_stays_at_the_address(autojump_clock, nodes):
    class FrontEnd:
        async def run(self, messages, asked):
            with messages, asked:
                for _ in range(2):
                    async for message in messages:
                        if isinstance(message, Linked):
                            break
                    await asked.send(SlashCommand("/reconnect", ""))
                await asked.send(Leave(""))

    settings = Settings(host="a,b:6000", client=ClientSettings(protocol="irc", tls="off"))
    await run_chat(settings, "me", FrontEnd(), patience=0)
    assert set(nodes.tried) == {A}


@pytest.mark.parametrize("seed", seeds(always=4, of=40))
async def test_nothing_is_lost_and_nothing_comes_twice(autojump_clock, nodes, seed):
    chance = random.Random(seed)
    nodes.breaks_after = lambda: chance.randrange(300, 3000)
    mine = [f"mine {n}" for n in range(60)]
    theirs = [f"theirs {n}" for n in range(60)]
    heard: list[str] = []

    async def talk(me: trio_chat.Chat) -> None:
        for one, other in zip(mine, theirs, strict=True):
            nodes.fails = {place: down(place) for place in chance.sample((A, B, C), 2)}
            nodes.server.say("al", other)
            await me.say(one)

    async with enter("b:6000", "c", retry=True) as me:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk, me)
            while len(heard) < len(theirs):
                heard.append((await told(me, Said)).text)
        nodes.fails, nodes.breaks_after = {}, lambda: math.inf
    assert heard == theirs
    assert [text for text in nodes.server.texts if text.startswith("mine")] == mine
    assert len({*nodes.tried}) == 3


# ── how they are written ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("host", "port", "addresses"),
    [
        ("a,b", None, ["a:55555", "b:55555"]),
        ("a,b", 6000, ["a:6000", "b:6000"]),
        ("a:6000,b,c:7", None, ["a:6000", "b:6000", "c:7"]),
        ("::1,[::2]:7,::3", None, ["[::1]:55555", "[::2]:7", "[::3]:55555"]),
        ("ircs://a,b:7/tea", None, ["a:6697", "b:7"]),
        ("ircs://a:6000/tea?also=b,c:7", None, ["a:6000", "b:6000", "c:7"]),
        ("ircs://a?also=b&also=%5B::1%5D:7", None, ["a:6697", "b:6697", "[::1]:7"]),
        ("unix:/run/a,b", None, ["unix:/run/a,b"]),
    ],
)
def test_addresses(host, port, addresses):
    given = {} if port is None else {"port": port}
    assert [str(at) for at in Settings(host=host, **given).addresses] == addresses


@pytest.mark.parametrize(
    "host", ["a,", ",a", "a,,b", "a,*", "a,b:0", "a,b:70000", "a,b/tea", "a,irc://b", "a,unix:/x"]
)
def test_what_is_no_list_of_addresses(host):
    with pytest.raises(SettingsError, match="host"):
        Settings(host=host)


def test_a_link_may_not_send_a_client_to_the_whole_world():
    hosts = [f"h{n}" for n in range(17)]
    assert len(Settings(host=",".join(hosts[:16])).addresses) == 16
    with pytest.raises(SettingsError, match="at most 16 addresses"):
        Settings(host=",".join(hosts))
    with pytest.raises(SettingsError, match=r"others.*at most 16 addresses"):
        Settings(client={"others": ",".join(hosts)})


HOSTS = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,9}(\.[a-z]{2,5})?", fullmatch=True),
    st.ip_addresses().map(str),
)
PORTS = st.just("") | st.integers(1, 65_535).map(str)


@given(st.lists(st.tuples(HOSTS, PORTS), min_size=1, max_size=16), st.sampled_from(["", "ircs"]))
def test_all_that_is_written_can_be_read(places, scheme):
    (host, port), *others = places
    place = Place(host, port, scheme=scheme, others=tuple(str(Place(*other)) for other in others))
    assert read_place(str(place)) == place
    addresses = Settings(host=str(place)).addresses
    default = int(port or {"": 55555, "ircs": 6697}[scheme])
    assert addresses == tuple(Address(host, int(port or default)) for host, port in places)


@given(st.text(alphabet="ab:,[].1?&=;/#%* ", max_size=30))
def test_any_other_text_is_refused_or_leads_to_hosts(text):
    for written in (f"a,{text}", f"ircs://a?also={text}"):
        try:
            place = read_place(written)
        except ValueError:
            continue
        assert all(read_place(other).host for other in place.others)
        assert len(Settings(host=written, port=1).addresses) == 1 + len(place.others)


def test_a_link_with_several_addresses_goes_to_the_first_for_who_knows_no_more():
    place = Place("a", "1", "#tea", "ircs", "ab" * 32, "xyz", ("b:2", "[::1]:3"))
    pin = pin_in_link("ab" * 32)
    assert str(place) == f"ircs://a:1/#tea?pin={pin}&invite=xyz&also=b:2,%5B::1%5D:3"


def test_others_at_a_farther_place_are_of_another_chat(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_HOST", "a,b:6")
    assert load({}, (), None).settings.client.others == ("b:6",)
    assert load({"host": "c"}, (), None).settings.addresses == (Address("c", 55555),)
    monkeypatch.setenv("TRIO_CHAT_HOST", "a")
    monkeypatch.setenv("TRIO_CHAT_CLIENT__OTHERS", "b:6,c")
    assert load({}, (), None).settings.client.others == ("b:6", "c")
    assert load({"link": "c"}, (), None).settings.addresses == (Address("c", 55555),)
    with pytest.raises(SettingsError, match="contradicts"):
        load({"host": "a,b"}, ["client.others=c"], None)


async def test_a_server_listens_on_one_host():
    with pytest.raises(SettingsError, match="a server listens on one host"):
        await trio_chat.serve(Settings(host="127.0.0.1:0,b:1"))


@pytest.mark.parametrize(
    ("others", "error"),
    [("b", TypeError), ([1], TypeError), (["b/x"], ValueError), (["b"] * 16, ValueError)],
)
def test_what_a_program_may_not_give(others, error):
    with pytest.raises(error, match="others"):
        open_chat("a", others=others, nick="me")


# ── whom it trusts ─────────────────────────────────────────────────────────────────────────────

PIN, PIN_OF_B = "ab" * 32, "cd" * 32


@pytest.mark.parametrize(
    ("pin", "each"),
    [(PIN, [PIN, PIN]), (f"{PIN},{PIN_OF_B}", [PIN, PIN_OF_B]), (f",{PIN}", ["", PIN])],
)
async def test_each_address_has_its_pin(autojump_clock, nodes, pin, each):
    nodes.fails[A] = down(A)
    async with enter(pin=pin, tls="on"):
        assert nodes.pins == each


def test_pins_are_one_for_all_or_one_for_each():
    with pytest.raises(ValueError, match="2 pins for 3 addresses"):
        open_chat("a", others=["b", "c"], nick="me", pin=f"{PIN},{PIN}")
    with pytest.raises(SettingsError, match="64 hexadecimal digits"):
        Settings(host="a,b", client={"pin": f"{PIN},x"})
    with pytest.raises(SettingsError, match=r"client\.pin: 3 pins for 2 addresses"):
        with_pin(Settings(host="a,b", client={"pin": f"{PIN},,"}))


def test_what_is_kept_of_each_address_is_used_there(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with free_port() as one, free_port() as two:
        Pins(tmp_path / "trio-chat" / "pins").keep(Address("localhost", two), PIN, "2026-01-01")
        found = with_pin(Settings(host=f"localhost:{one},localhost:{two}"))
        assert each_pin(found.client.pin, 2) == ["", PIN]


# ── as processes ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["--plain", "--json"])
async def test_when_its_server_ends_the_client_goes_to_the_other_one(mode):
    def say(text: str) -> str:
        return json.dumps({"type": "say", "text": text}) if mode == "--json" else text

    with free_port() as dead:
        async with running_server() as other, running_server() as first:
            link = ",".join(f"127.0.0.1:{port}" for port in (dead, first.port, other.port))
            command = ("client", link, "-n", "bob", "--retry", mode)
            async with running(*command, constants=IMPATIENT) as bob:
                told = await bob.out.until(f"Connected to 127.0.0.1:{first.port}.")
                assert f"annot connect to 127.0.0.1:{dead}: no server is running there. " in told
                await bob.write(f"{say('one')}\n")
                await bob.out.until("one")
                first.process.kill()
                await bob.out.until(f"Connected again, to 127.0.0.1:{other.port}.")
                await bob.write(f"{say('two')}\n")
                await bob.end_input()
                assert await bob.ended() == 0
                assert "two" in await bob.out.rest()


@pytest.mark.slow
async def test_on_the_full_screen_too(tmp_path):
    async with running_server() as other, running_server() as first:
        link = f"127.0.0.1:{first.port},127.0.0.1:{other.port}"
        command, state = ["client", link, "-n", "bob"], {"XDG_STATE_HOME": str(tmp_path)}
        async with terminal(command, state, constants=IMPATIENT) as it:
            await it.until("#lobby")
            await it.type("\x1b1")  # to the server's page
            first.process.kill()
            await it.until(f"Connected again, to 127.0.0.1:{other.port}.")
            await it.type("\x1b2hello\r")
            await it.screen.until_match("bob . hello")
