"""The client's connection over links that are lost: what it notices, and that nothing is lost with
them. On a clock that jumps.
"""

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import (
    wait_all_tasks_blocked,
)

import trio_chat
from keeping_server import End, KeepingServer
from losing_network import Network
from seeds import seeds
from trio_chat import (
    Acknowledged,
    ConnectionLost,
    Earlier,
    Failed,
    Lag,
    Linked,
    NotAdmitted,
    Notice,
    ResumeState,
    Said,
    Sent,
    Settings,
    Unlinked,
)
from trio_chat.client.backoff import backoff
from trio_chat.client.line_mode import run_lines
from trio_chat.errors import NotSaid
from trio_chat.protocols.irc.message import Message
from trio_chat.settings import ClientSettings

# Seconds until a lost link must have been noticed.
NOTICED = 30


@pytest.fixture
def server() -> KeepingServer:
    return KeepingServer()


@pytest.fixture
def network(server, nursery, monkeypatch) -> Network:
    network = Network(server, nursery)
    monkeypatch.setattr("trio_chat.client.connection.dial", network.connect)
    return network


def enter(state: ResumeState | None = None, **options):
    return trio_chat.open_chat(nick="me", protocol="irc", state=state, **options)


async def hear(chat: trio_chat.Chat, count: int) -> list[str]:
    """The texts of the next messages, ours where they have their place."""
    texts: list[str] = []
    sent: dict[str, str] = {}
    while len(texts) < count:
        match await anext(chat):
            case Sent(token=token, text=text):
                sent[token] = text
            case Acknowledged(token=token):
                texts.append(sent[token])
            case Said(text=text):
                texts.append(text)
    return texts


# ── dead links ─────────────────────────────────────────────────────────────────────────────────


async def test_a_link_that_is_silent_is_asked_and_then_given_up(autojump_clock, network):
    async def listen() -> None:
        async with enter() as me:
            async for _ in me:
                network.links[0].silent = True

    with pytest.raises(ConnectionLost, match="the server has been silent for 30 seconds"):
        await listen()
    assert trio.current_time() <= NOTICED + 1


async def test_a_room_where_nobody_talks_is_no_dead_link(autojump_clock, network):
    async with enter() as me:
        with trio.move_on_after(1000):
            async for _ in me:
                pass
    assert len(network.links) == 1
    assert 30 <= network.links[0].end.commands("PING").count(("lag",)) <= 51


async def test_whoever_iterates_now_and_then_notices_it_all_the_same(autojump_clock, network):
    async def poll() -> None:
        async with enter() as me:
            network.links[0].silent = True
            while True:
                with trio.move_on_after(1):
                    await anext(me)

    with pytest.raises(ConnectionLost, match="silent"):
        await poll()
    assert trio.current_time() <= NOTICED + 2


async def test_whoever_did_not_iterate_for_long_has_lost_nothing(autojump_clock, network, server):
    async with enter() as me:
        await trio.sleep(1000)
        server.say("al", "one")
        assert await hear(me, 1) == ["one"]


# ── pace ───────────────────────────────────────────────────────────────────────────────────────


async def test_servers_that_are_not_ours_get_five_lines_and_then_one_in_two_seconds(
    autojump_clock, network, server
):
    server.caps = "echo-message"
    async with enter() as me:
        await trio.sleep(100)
        began = trio.current_time()
        await me.say("\n".join(map(str, range(8))))
        # One of our own questions may be among them.
        assert trio.current_time() - began in (pytest.approx(6), pytest.approx(8))
        assert await hear(me, 8) == list(map(str, range(8)))


async def test_two_who_talk_take_turns_with_one_who_listens(
    autojump_clock, network, server, nursery
):
    server.caps = "echo-message"
    heard: list[str] = []

    async def listen(chat: trio_chat.Chat) -> None:
        heard.extend(await hear(chat, 20))

    async with enter() as me:
        async with trio.open_nursery() as talking:
            talking.start_soon(listen, me)
            talking.start_soon(me.say, "\n".join(f"a{n}" for n in range(10)))
            talking.start_soon(me.say, "\n".join(f"b{n}" for n in range(10)))
        assert trio.current_time() < 60
    assert sorted(heard) == sorted(f"{who}{n}" for who in "ab" for n in range(10))
    assert server.texts == heard


async def test_questions_do_not_make_us_talk_too_much(autojump_clock, network, server):
    server.caps = "echo-message"
    async with enter() as me:
        with trio.move_on_after(1):
            async for _ in me:
                pass
        network.links[0].end.tell(*[":al!u@h PRIVMSG me :\x01VERSION\x01"] * 100)
        with trio.move_on_after(1):
            async for _ in me:
                pass
    assert len(network.links[0].end.commands("NOTICE")) <= 5


async def test_trio_chat_is_told_everything_at_once(autojump_clock, network, server):
    async with enter() as me:
        await me.say("\n".join(map(str, range(200))))
        assert trio.current_time() < 1


async def test_all_that_was_said_slowly_is_said_when_the_block_ends(
    autojump_clock, network, server
):
    server.caps = ""
    async with enter() as me, trio.open_nursery() as nursery:
        nursery.start_soon(me.say, "\n".join(map(str, range(30))))
        await trio.sleep(1)
        await me.finish()
    assert server.texts == list(map(str, range(30)))


# ── nothing is lost, and nothing comes twice ───────────────────────────────────────────────────


class Person:
    """A front end that says something now and then, and remembers what it is shown."""

    def __init__(self, lines: list[str], chance: random.Random) -> None:
        self.shown: list[trio_chat.Message] = []
        self._lines, self._chance = lines, chance

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        with lines:
            for line in self._lines:
                await lines.send(line)
                await trio.sleep(self._chance.choice([0, 0, 0.1, 3]))

    async def write(self, messages: trio.MemoryReceiveChannel[trio_chat.Message]) -> None:
        async for message in messages:
            self.shown.append(message)

    def texts(self) -> list[str]:
        said = [m.said if isinstance(m, Earlier) else m for m in self.shown]
        return [m.text for m in said if isinstance(m, Said)]


@asynccontextmanager
async def somebody_else(server: KeepingServer, chance: random.Random) -> AsyncIterator[None]:
    """Somebody who talks in the room all the time, to whom nothing happens."""

    async def chatter() -> None:
        number = 0
        while True:
            server.say("al", f"theirs {number}")
            number += 1
            await trio.sleep(chance.choice([0, 0.05, 1]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(chatter)
        yield
        nursery.cancel_scope.cancel("enough")


SETTINGS = Settings(client=ClientSettings(protocol="irc", retry=True))


@pytest.mark.parametrize("seed", seeds(always=2, of=4))
async def test_over_links_that_break_everything_comes_once_and_in_order(
    autojump_clock, network, server, seed
):
    chance = random.Random(seed)
    server.page = chance.choice([1, 3, 50])
    limits = iter([chance.randrange(200, 6000) for _ in range(25)])
    network.breaks_after = lambda: next(limits, math.inf)
    mine = [f"mine {number}" for number in range(100)]
    person = Person(mine, chance)
    async with somebody_else(server, chance):
        await run_lines(SETTINGS, "me", person)
    assert [text for text in server.texts if text.startswith("mine")] == mine
    shown = person.texts()
    begin = server.texts.index(shown[0])
    assert shown == server.texts[begin : begin + len(shown)]
    assert set(mine) <= set(shown)
    assert len(network.links) > 5


async def test_it_comes_back_until_all_has_arrived_even_if_nothing_more_is_to_be_said(
    autojump_clock, network, server
):
    network.breaks_after = lambda: 450 if len(network.links) == 0 else math.inf
    person = Person([f"number {number}" for number in range(20)], random.Random(0))
    await run_lines(SETTINGS, "me", person)
    assert server.texts == person.texts() == [f"number {number}" for number in range(20)]


@pytest.mark.parametrize("retry", [True, False])
async def test_who_is_cut_off_at_the_end_comes_back_for_the_rest(
    autojump_clock, network, server, monkeypatch, retry
):
    """Of what others have said, all of ours having arrived."""
    on_ping = End.on_ping

    async def broken() -> None:
        raise trio.BrokenResourceError

    def cut_off(end: End, message: Message) -> None:
        if message.params == ("finish",) and len(network.links) == 1:
            network.links[0].ours.receive_stream.receive_some_hook = broken
            server.say("al", "before")
            end.rooms.clear()
            server.say("al", "the rest")
        else:
            on_ping(end, message)

    monkeypatch.setattr(End, "on_ping", cut_off)
    person = Person(["mine"], random.Random(0))
    settings = Settings(client=ClientSettings(protocol="irc", retry=retry))
    if retry:
        await run_lines(settings, "me", person)
        assert person.texts() == ["mine", "before", "the rest"]
        assert network.links[1].end.commands("QUIT") == [()]
    else:
        with pytest.raises(ConnectionLost):
            await run_lines(settings, "me", person)


@pytest.mark.parametrize("retry", [True, False])
async def test_a_connection_that_is_lost_as_we_leave(autojump_clock, network, server, retry):
    """It is no error if all has been said, and we could have had another one."""

    async def broken() -> None:
        raise trio.BrokenResourceError

    async def leave() -> None:
        async with enter(retry=retry) as me:
            await me.say("all that there is")
            while not isinstance(await anext(me), Acknowledged):
                pass
            network.links[0].ours.send_stream.send_all_hook = broken

    if retry:
        await leave()
        assert len(network.links) == 1
    else:
        with pytest.raises(ConnectionLost):
            await leave()
    assert server.texts == ["all that there is"]


async def test_a_pipe_that_is_not_let_back_into_its_room_tries_again(
    autojump_clock, network, server
):
    def breaks_after() -> float:
        if len(network.links) == 1:
            server.full = 2
        return 1500 if not network.links else math.inf

    network.breaks_after = breaks_after
    person = Person([f"number {number}" for number in range(20)], random.Random(0))
    await run_lines(SETTINGS, "me", person)
    assert server.texts == person.texts() == [f"number {number}" for number in range(20)]
    assert len(network.links) == 4
    assert sum("It is full" in m.text for m in person.shown if isinstance(m, Notice)) == 2


@pytest.mark.parametrize("retry", [True, False])
async def test_what_a_server_cannot_keep_for_now_is_sent_again(
    autojump_clock, network, server, monkeypatch, capsys, retry
):
    """In order, once, and a person is told once; without ``retry`` it has failed."""
    on_privmsg = End.on_privmsg
    refused: list[Message] = []

    def full(end: End, message: Message) -> None:
        if trio.current_time() < began + 300:
            refused.append(message)
            end.tell(":a.server FAIL PRIVMSG TEMPORARILY_UNAVAILABLE #lobby :No space left.")
        else:
            on_privmsg(end, message)

    monkeypatch.setattr(End, "on_privmsg", full)
    began = trio.current_time()
    mine = [f"number {number}" for number in range(20)]
    person = Person(mine, random.Random(0))
    settings = Settings(client=ClientSettings(protocol="irc", retry=retry))
    if not retry:
        with pytest.raises(NotSaid):
            await run_lines(settings, "me", person)
        return
    await run_lines(settings, "me", person)
    assert server.texts == person.texts() == mine
    assert 1 < len(refused) < 20 * 15
    assert not any("space" in m.text for m in person.shown if isinstance(m, Notice))
    told = "trio-chat: #lobby: No space left; what was refused is sent again later\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("retry", [False, True])
async def test_a_pipe_that_is_not_let_in_at_first_ends(autojump_clock, network, server, retry):
    server.full = 1
    person = Person(["one"], random.Random(0))
    settings = Settings(client=ClientSettings(protocol="irc", retry=retry))
    with pytest.raises(NotAdmitted, match="It is full"):
        await run_lines(settings, "me", person)
    assert (server.texts, len(network.links)) == ([], 1)


async def test_a_chat_goes_on_over_lost_connections(autojump_clock, network, server):
    """Who iterates hears everything once and in order, and what was said has arrived."""
    async with enter(retry=True, rooms=["#lobby", "#tea"]) as me:
        server.say("al", "one")
        assert await hear(me, 1) == ["one"]
        network.links[0].end.closed = True
        network.links[0].end.notify()
        await wait_all_tasks_blocked()
        server.say("al", "two")
        server.say("al", "three", target="#tea")
        await me.say("mine")
        assert await hear(me, 3) == ["two", "three", "mine"]
        assert (me.nick, me.room) == ("me", "#lobby")
        assert len(network.links) == 2
    assert [kept.text for kept in server.kept].count("mine") == 1


@pytest.mark.parametrize("seed", seeds(always=1, of=3))
async def test_a_bot_over_links_that_break_answers_each_once_and_in_order(
    autojump_clock, network, server, seed
):
    chance = random.Random(seed)
    server.page = chance.choice([1, 3, 50])
    limits = iter([math.inf, *(chance.randrange(600, 6000) for _ in range(15))])
    network.breaks_after = lambda: next(limits, math.inf)
    answered = 0
    async with somebody_else(server, chance), enter(retry=True) as me:
        network.links[0]._left = 1000
        async for message in me:
            if isinstance(message, trio_chat.Incoming):
                answered += 1
                await message.reply(f"re: {message.text}")
            if answered == 60:
                break
    answers = [text for text in server.texts if text.startswith("re: ")]
    first = int(answers[0].rpartition(" ")[2])
    assert answers == [f"re: theirs {number}" for number in range(first, first + 60)]
    assert len(network.links) > 3


async def test_what_was_asked_for_comes_over_a_lost_connection_too(
    autojump_clock, network, server, nursery
):
    for number in range(5):
        server.say("al", f"{number}")
    async with enter(retry=True) as me:
        network.links[0].silent = True
        assert [message.text for message in await me.history(limit=2)] == ["3", "4"]
        assert len(network.links) == 2


async def test_what_was_asked_for_is_asked_again_though_somebody_else_connects(
    autojump_clock, network, server, nursery
):
    async def listen(me: trio_chat.Chat) -> None:
        async for _ in me:
            pass

    server.say("al", "one")
    async with enter(retry=True) as me:
        nursery.start_soon(listen, me)
        await trio.sleep(25)
        network.links[0].silent = True
        began = trio.current_time()
        assert [message.text for message in await me.history()] == ["one"]
        assert trio.current_time() - began < NOTICED + 2
        nursery.cancel_scope.cancel()


async def test_an_answer_that_nobody_waits_for_is_none_to_the_next_question(
    autojump_clock, network, server
):
    for number in range(5):
        server.say("al", f"{number}")
    async with enter() as me:
        with trio.CancelScope() as scope:
            scope.cancel()
            await me.history(limit=1)
        assert [message.text for message in await me.history(limit=2)] == ["3", "4"]


async def test_two_who_ask_about_a_room_at_once_get_each_their_own(autojump_clock, network, server):
    for number in range(5):
        server.say("al", f"{number}")
    found: dict[int, list[str]] = {}

    async def ask(me: trio_chat.Chat, limit: int) -> None:
        found[limit] = [message.text for message in await me.history(limit=limit)]

    async with enter() as me, trio.open_nursery() as nursery:
        nursery.start_soon(ask, me, 1)
        nursery.start_soon(ask, me, 3)
    assert found == {1: ["4"], 3: ["2", "3", "4"]}


async def test_what_is_cancelled_while_it_is_sent_is_said_once(autojump_clock, network, server):
    """A part of it has been sent: so the connection is of no more use."""
    async with enter(retry=True) as me:
        network.links[0].ours.send_stream.send_all_hook = trio.sleep_forever
        with trio.move_on_after(1):
            await me.say("hello")
        assert await hear(me, 1) == ["hello"]
    assert server.texts == ["hello"]
    assert len(network.links) == 2


async def test_what_is_asked_for_meanwhile_wakes_who_iterates(autojump_clock, network, nursery):
    async with enter() as me:
        async for message in me:
            if isinstance(message, Lag):
                break
        heard: list[object] = []

        async def listen() -> None:
            heard.append(await anext(me))

        nursery.start_soon(listen)
        await wait_all_tasks_blocked()
        network.links[0].silent = True
        await me.say("hello", token="t" * 16)
        await wait_all_tasks_blocked()
        assert heard == [Sent("t" * 16, "#lobby", "hello")]
        network.links[0].silent = False
        nursery.cancel_scope.cancel()


async def test_a_block_that_ends_waits_until_all_has_arrived(autojump_clock, network, server):
    async with enter(retry=True) as me:
        network.links[0].silent = True
        await me.say("hello")
    assert server.texts == ["hello"]
    assert len(network.links) == 2


async def test_what_fails_at_first_is_raised_though_it_would_be_tried_again(network, server):
    network.breaks_after = lambda: 10
    with pytest.raises(ConnectionLost):
        async with enter(retry=True):
            pass
    assert len(network.links) == 1


async def test_a_chat_without_retry_ends_with_the_connection(autojump_clock, network, server):
    async with enter() as me:
        network.links[0].end.closed = True
        network.links[0].end.notify()
        assert Unlinked not in [type(message) async for message in me]
        with pytest.raises(ConnectionLost):
            await me.say("too late")


async def test_a_program_that_comes_back_goes_on_where_it_was(autojump_clock, network, server):
    state = ResumeState()
    async with enter(state) as me:
        server.say("al", "one")
        assert await hear(me, 1) == ["one"]
        server.say("al", "as we leave")
    server.say("al", "two")
    async with enter(state, rooms=[]) as me:
        assert await hear(me, 2) == ["as we leave", "two"]


async def test_one_state_is_for_one_chat_at_a_time(network):
    state = ResumeState()
    async with enter(state):
        with pytest.raises(ValueError, match=r"^state: another chat that is open has it"):
            async with enter(state):
                pass
    async with enter(state):
        pass


async def test_with_others_what_may_not_have_arrived_has_failed(autojump_clock, network, server):
    server.caps = "echo-message message-tags"
    async with enter(retry=True) as me:
        network.links[0].silent = True
        await me.say("one", token="t" * 16)
        async for message in me:
            if isinstance(message, Failed):
                break
        assert message == Failed("t" * 16, "It may not have arrived.")
        await me.resend("t" * 16)
        assert await hear(me, 0) == []
    assert server.texts == ["one"]


# ── attempts ───────────────────────────────────────────────────────────────────────────────────


def test_attempts_become_rarer_and_keep_no_step() -> None:
    waits = [wait for wait, _ in zip(backoff(), range(20), strict=False)]
    assert all(0.5 * 2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits[:5]))
    assert all(15 <= wait <= 45 for wait in waits[5:])
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize(("lasts", "least", "most"), [(15, 0.5, 1.5), (5, 15, 45)])
async def test_after_a_connection_that_lasted_the_next_comes_soon(
    autojump_clock, network, lasts, least, most
):
    async with enter(retry=True) as me:
        for _ in range(8):
            await trio.sleep(lasts)
            network.links[-1].end.closed = True
            network.links[-1].end.notify()
            while not isinstance(lost := await anext(me), Unlinked):
                pass
            while not isinstance(await anext(me), Linked):
                pass
        assert least <= lost.retry <= most


async def test_a_server_that_lets_us_in_and_goes_is_not_stormed(autojump_clock, network, server):
    network.breaks_after = lambda: 350
    person = Person(["one"] * 10_000, random.Random(0))
    with trio.move_on_after(600):
        await run_lines(SETTINGS, "me", person)
    assert len(network.links) < 40
