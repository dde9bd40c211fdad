"""``trio_chat.open_chat`` as a program uses it, and the bot among the examples."""

import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_chat
from netcat import guest
from processes import PATIENCE, environment, free_port
from trio_chat import (
    CannotConnect,
    CannotListen,
    ConnectionLost,
    Earlier,
    Joined,
    Left,
    NotAdmitted,
    Notice,
    Renamed,
    Said,
    Settings,
    Stamped,
    TopicSet,
    Unsupported,
)
from trio_chat.core.events import NOWHERE
from trio_chat.settings import LimitSettings

ECHO_BOT = Path(__file__).parents[2] / "examples" / "echo_bot.py"
LOBBY = "#lobby"


@pytest.fixture(autouse=True)
def _in_time(nursery):
    nursery.cancel_scope.deadline = trio.current_time() + 3 * PATIENCE


@pytest.fixture(params=["plain", "irc"])
def protocol(request) -> str:
    return request.param


@pytest.fixture
def enter(port, protocol):
    """Opens a chat with the server under a nickname."""
    return lambda nick: trio_chat.open_chat(port=port, nick=nick, protocol=protocol)


@pytest.fixture
def entered(protocol):
    """What somebody who enters hears of it first: plain servers say later where that was."""
    return lambda nick: Joined(LOBBY if protocol == "irc" else "", nick)


async def hear(chat: trio_chat.Chat, count: int) -> list[trio_chat.Message]:
    """The next messages, without those of the server's own, and as the plain dialect tells them."""
    heard: list[trio_chat.Message] = []
    with trio.fail_after(PATIENCE):
        while len(heard) < count:
            message = await anext(chat)
            if not isinstance(message, Notice):
                heard.append(bare(message))
    return heard


def bare(message: trio_chat.Message) -> trio_chat.Message:
    if isinstance(message, Earlier | Notice):
        return message
    if isinstance(message, Stamped):
        return Said(message.room, message.nick, message.text, action=message.action, to=message.to)
    why = {"why": ""} if isinstance(message, Left) else {}
    return replace(message, origin=NOWHERE, **why)


# ── talking ────────────────────────────────────────────────────────────────────────────────


async def test_we_hear_what_we_say(enter, entered):
    async with enter("al") as al:
        await al.say("hello")
        assert await hear(al, 2) == [entered("al"), Said(LOBBY, "al", "hello")]


async def test_we_know_who_and_where_we_are(enter):
    async with enter("al") as al:
        await al.say("hello")
        await hear(al, 2)
        assert (al.nick, al.room) == ("al", LOBBY)


async def test_two_hear_each_other(enter):
    async with enter("al") as al, enter("bo") as bo:
        await al.say("hello")
        await bo.say("grüße\n\nzwei Zeilen")
        talk = [Said(LOBBY, "al", "hello"), Said(LOBBY, "bo", "grüße")]
        assert (await hear(al, 4))[1:3] == [Joined(LOBBY, "bo"), talk[0]]
        assert (await hear(bo, 3))[1:] == talk
        assert await hear(al, 1) == await hear(bo, 1) == [Said(LOBBY, "bo", "zwei Zeilen")]


async def test_any_text_can_be_said(enter):
    texts = ["/quit", "//", "al: hello", "bo joined!", "*** Goodbye!", " x ", "NICK", "😀"]
    async with enter("al") as al:
        for text in texts:
            await al.say(text)
        assert (await hear(al, 9))[1:] == [Said(LOBBY, "al", text) for text in texts]


async def test_one_can_be_told_something(enter):
    async with enter("al") as al, enter("bo") as bo, enter("cy") as cy:
        await al.tell("bo", "psst\nyes, you")
        await al.say("hello all")
        told = [Said("", "al", "psst", to="bo"), Said("", "al", "yes, you", to="bo")]
        assert (await hear(bo, 4))[1:] == [Joined(LOBBY, "cy"), *told]
        assert await hear(bo, 1) == [Said(LOBBY, "al", "hello all")]
        assert (await hear(al, 5))[3:] == told
        assert (await hear(cy, 2))[1:] == [Said(LOBBY, "al", "hello all")]


async def test_we_can_go_to_another_room(enter):
    async with enter("al") as al, enter("bo") as bo:
        await bo.join("tea")
        await bo.say("hello?")
        assert (await hear(bo, 3))[-1] == Said("#tea", "bo", "hello?")
        assert (await hear(al, 3))[2] == Left(LOBBY, "bo")
        assert bo.room == "#tea"
        await al.say("gone")
        await al.join("#tea")
        assert await hear(bo, 1) == [Joined("#tea", "al")]


async def test_what_can_be_no_room_no_key_and_no_person_is_an_error_at_once(enter):
    async with enter("al") as al:
        for room in ("a b", "#x,#y", "", "#"):
            with pytest.raises(ValueError, match="cannot be a room"):
                await al.join(room)
        for key in ("a b", "a,b", ":a"):
            with pytest.raises(ValueError, match="one word, without a comma"):
                await al.join("#x", key)
        for nick in ("a b", "", "a,b", ":a"):
            with pytest.raises(ValueError, match="cannot be a nickname"):
                await al.tell(nick, "hi")
        with pytest.raises(TypeError, match=r"^room is a text \(str\), not None$"):
            await al.join(None)
        with pytest.raises(TypeError, match=r"^text is a text \(str\), not int$"):
            await al.say(5)


async def test_a_room_that_cannot_be_is_a_notice(enter):
    async with enter("al") as al:
        await hear(al, 1)
        await al.join("x" * 60)
        with trio.fail_after(PATIENCE):
            async for message in al:
                if isinstance(message, Notice) and "cannot be a room" in message.text:
                    break
        assert al.room == LOBBY
        with pytest.raises(Unsupported, match=f"/join {LOBBY} goes on in {LOBBY}"):
            await al.say("for x only")
        await al.join(LOBBY)
        await al.say("still here")
        assert await hear(al, 1) == [Said(LOBBY, "al", "still here")]


async def test_commands(enter):
    async with enter("al") as al, enter("bo") as bo:
        await hear(bo, 1)
        await al.command("/me waves")
        await al.command("/topic tea")
        await al.command("/topic -")
        await al.command("/nick alan")
        assert await hear(bo, 4) == [
            Said(LOBBY, "al", "waves", action=True),
            TopicSet(LOBBY, "al", "tea"),
            TopicSet(LOBBY, "al", ""),
            Renamed("al", "alan"),
        ]
        await hear(al, 6)
        assert al.nick == "alan"


@pytest.mark.parametrize("protocol", ["plain"])
async def test_what_was_said_before_is_earlier(enter):
    async with enter("al") as al:
        await al.say("one\ntwo")
        await al.command("/me waves")
        await hear(al, 4)
        async with enter("bo") as bo:
            await al.say("three")
            assert await hear(bo, 5) == [
                Joined("", "bo"),
                Earlier(Said(LOBBY, "al", "one")),
                Earlier(Said(LOBBY, "al", "two")),
                Earlier(Said(LOBBY, "al", "waves", action=True)),
                Said(LOBBY, "al", "three"),
            ]


async def test_the_iteration_ends_when_the_server_stops(enter, server):
    async with enter("al") as al:
        await hear(al, 1)
        server.stop()
        with trio.fail_after(PATIENCE):
            last = [message async for message in al][-1]
        assert last == Notice("The server stops. Goodbye!")


async def test_an_iteration_can_be_cancelled_and_gone_on_with(enter, nursery):
    heard: list[trio_chat.Message] = []

    async def listen(chat: trio_chat.Chat, scope: trio.CancelScope) -> None:
        with scope:
            async for message in chat:
                heard.append(message)

    async with enter("al") as al, enter("bo") as bo:
        scope = trio.CancelScope()
        nursery.start_soon(listen, al, scope)
        await bo.say("one")
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        await bo.say("two")
        rest = [bare(message) async for message in _until(al, "two")]
    texts = [message.text for message in heard + rest if isinstance(message, Said)]
    assert texts == ["one", "two"]
    assert rest[-1] == Said(LOBBY, "bo", "two")


async def _until(chat: trio_chat.Chat, text: str):
    with trio.fail_after(PATIENCE):
        async for message in chat:
            yield message
            if isinstance(message, Said) and message.text == text:
                return


# ── leaving ────────────────────────────────────────────────────────────────────────────────


async def test_the_end_of_the_block_delivers_everything(enter):
    async with enter("bo") as bo:
        async with enter("al") as al:
            for number in range(1000):
                await al.say(f"number {number}")
        heard = await hear(bo, 1003)
    assert heard[1] == Joined(LOBBY, "al")
    assert [said.text for said in heard[2:-1]] == [f"number {n}" for n in range(1000)]
    assert heard[-1] == Left(LOBBY, "al")


async def test_after_finish_the_rest_is_heard_and_then_the_end(enter):
    async with enter("al") as al:
        await al.say("one\ntwo")
        await al.finish()
        with trio.fail_after(PATIENCE):
            heard = [bare(message) async for message in al]
    assert heard[-2:] == [Said(LOBBY, "al", "one"), Said(LOBBY, "al", "two")]


async def test_an_error_in_the_block_comes_out_as_it_is(enter):
    with pytest.raises(ZeroDivisionError):
        async with enter("al"):
            raise ZeroDivisionError
    async with enter("al"):  # and the nickname is free again
        pass


async def test_a_cancelled_block_leaves(enter, port):
    async with guest(port, "bo") as bo:
        with trio.CancelScope() as scope:
            async with enter("al") as al:
                await hear(al, 1)
                scope.cancel()
                await anext(al)
        await bo.until("al left!\n")


# ── errors ─────────────────────────────────────────────────────────────────────────────────


async def test_nobody_listens_there():
    with free_port() as port, pytest.raises(CannotConnect, match=f"127.0.0.1:{port}: no server"):
        async with trio_chat.open_chat(port=port, nick="al"):
            pass


@pytest.mark.parametrize("host", ["two..dots", "x" * 64])
async def test_a_host_of_no_possible_name(host):
    with pytest.raises(CannotConnect, match="there is no host of the name"):
        async with trio_chat.open_chat(host, nick="al"):
            pass


async def test_a_server_that_cannot_listen(nursery, port):
    with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{port}: it is in use"):
        await nursery.start(trio_chat.serve, Settings(port=port))
    with pytest.raises(CannotListen, match=r"there is no host of the name two\.\.dots"):
        await nursery.start(trio_chat.serve, Settings(host="two..dots", port=0))


class TwoAddresses(trio.abc.HostnameResolver):
    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        names = [("127.0.0.1", port), ("127.0.0.2", port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", name) for name in names]

    async def getnameinfo(self, sockaddr, flags):
        raise NotImplementedError


async def test_all_addresses_of_a_host_have_the_same_port(nursery):
    trio.socket.set_custom_hostname_resolver(TwoAddresses())
    server = await nursery.start(trio_chat.serve, Settings(host="chat.test", port=0))
    assert [address.host for address in server.addresses] == ["127.0.0.1", "127.0.0.2"]
    assert len({address.port for address in server.addresses}) == 1


async def test_a_unix_socket_that_is_not_there(tmp_path):
    with pytest.raises(CannotConnect, match="no server is running there"):
        async with trio_chat.open_chat(f"unix:{tmp_path}/chat", nick="al"):
            pass


async def test_a_unix_socket(nursery, tmp_path):
    host = f"unix:{tmp_path}/chat"
    await nursery.start(trio_chat.serve, Settings(host=host))
    enter = trio_chat.open_chat(host, nick="al", protocol="irc")
    async with enter as al, guest(host[5:], "bo") as bo:
        await bo.send("hello\n")
        assert (await hear(al, 3))[2] == Said(LOBBY, "bo", "hello")


async def test_a_nickname_that_is_taken(enter):
    async with enter("al"):
        with pytest.raises(NotAdmitted, match="The nickname AL is taken"):
            async with enter("AL"):
                pass


@pytest.mark.parametrize("nick", ["x" * 21, "a>b"])
async def test_a_nickname_that_the_server_does_not_take(enter, nick):
    with pytest.raises(NotAdmitted, match="cannot be a nickname"):
        async with enter(nick):
            pass


async def test_a_full_server(nursery, protocol):
    settings = Settings(port=0, limits=LimitSettings(connections=1))
    server = await nursery.start(trio_chat.serve, settings)
    port = server.addresses[0].port
    async with trio_chat.open_chat(port=port, nick="al"):
        with pytest.raises(NotAdmitted, match="The server is full"):
            async with trio_chat.open_chat(port=port, nick="bo", protocol=protocol):
                pass


async def test_an_encoding(nursery):
    server = await nursery.start(trio_chat.serve, Settings(port=0, encoding="latin-1"))
    port = server.addresses[0].port
    enter = trio_chat.open_chat(port=port, nick="Jörg", encoding="latin-1", protocol="plain")
    async with enter as joerg:
        await joerg.say("grüße, 漢字")
        assert await hear(joerg, 2) == [Joined("", "Jörg"), Said(LOBBY, "Jörg", "grüße, ??")]


async def accepting(nursery, handler) -> int:
    """The port of a server that does this with every connection."""
    serve = partial(trio.serve_tcp, handler, 0, host="127.0.0.1")
    [listener] = await nursery.start(serve)
    return listener.socket.getsockname()[1]


async def test_a_server_that_hangs_up_before_it_lets_us_in(nursery):
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.send_all(b"NICK")
        await stream.receive_some()

    port = await accepting(nursery, hang_up)
    with pytest.raises(ConnectionLost, match="before it let us in"):
        async with trio_chat.open_chat(port=port, nick="al"):
            pass


async def test_a_connection_that_is_reset(nursery):
    async def reset(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"al joined!\nConnected to server!\n")
            while data := await stream.receive_some(1):
                if data == b"!":
                    break  # with what has not been read, the close is a reset

    async def talk() -> None:
        async with trio_chat.open_chat(port=port, nick="al") as al:
            await al.say("!" * 10_000)
            async for _ in al:
                pass

    port = await accepting(nursery, reset)
    with pytest.raises(ConnectionLost, match="lost"), trio.fail_after(PATIENCE):
        await talk()


async def test_the_end_of_the_block_tells_if_not_everything_was_delivered(nursery, protocol):
    settings = Settings(port=0, limits=LimitSettings(messages_per_second=1, message_burst=10))
    server = await nursery.start(trio_chat.serve, settings)
    port = server.addresses[0].port

    async def talk() -> None:
        async with trio_chat.open_chat(port=port, nick="al", protocol=protocol) as al:
            await al.say("word\n" * 100)
            server.stop()

    with pytest.raises(ConnectionLost), trio.fail_after(PATIENCE):
        await talk()


# ── the example ────────────────────────────────────────────────────────────────────────────


async def test_the_echo_bot_echoes(nursery, port):
    async with guest(port, "al") as al:
        process = await trio.lowlevel.open_process(
            [sys.executable, ECHO_BOT],
            stdin=subprocess.DEVNULL,
            env=environment({"TRIO_CHAT_PORT": str(port)}),
        )
        try:
            await al.until("echo joined!\n")
            await al.send("nothing\n!echo hello\n")
            assert await al.until("echo: ") == "al: nothing\nal: !echo hello\necho: "
            await al.until("hello\n")
            await al.send("!echo /quit\n")
            await al.until("echo: ")
            await al.until("/quit\n")
        finally:
            process.kill()
            await process.wait()
        await al.until("echo left!\n")
