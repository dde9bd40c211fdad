"""``trio_chat.open_chat`` as a program uses it, and the bot among the examples."""

import runpy
import socket
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_chat
from netcat import guest
from processes import PATIENCE, free_port
from trio_chat import (
    Acknowledged,
    CannotConnect,
    CannotListen,
    ConnectionLost,
    Departed,
    Earlier,
    Failed,
    Joined,
    Left,
    NotAdmitted,
    Notice,
    Renamed,
    Said,
    Settings,
    TopicSet,
    Unsupported,
)
from trio_chat.client import chat
from trio_chat.core.events import NOWHERE
from trio_chat.settings import LimitSettings

EXAMPLES = Path(__file__).parents[2] / "examples"
LOBBY = "#lobby"


@pytest.fixture(params=["plain", "irc"])
def protocol(request) -> str:
    return request.param


@pytest.fixture
def enter(port, protocol):
    """Opens a chat with the server under a nickname."""
    return lambda nick: trio_chat.open_chat(port=port, nick=nick, protocol=protocol)


SHOWN = (Said, Earlier, Joined, Left, Departed, Renamed, TopicSet, Acknowledged)


async def hear(chat: trio_chat.Chat, count: int) -> list[object]:
    """The next messages that people are shown, as the plain dialect tells them."""
    heard: list[object] = []
    with trio.fail_after(PATIENCE):
        while len(heard) < count:
            message = await anext(chat)
            if isinstance(message, SHOWN):
                heard.append(bare(message))
    return heard


def bare(message: object) -> object:
    match message:
        case Said():
            return Said(
                message.room, message.nick, message.text, action=message.action, to=message.to
            )
        case Earlier() | Acknowledged() | Notice():
            return type(message) if isinstance(message, Acknowledged) else message
        case Departed(nick):
            return Left(LOBBY, nick)
        case Left(room, nick):
            return Left(room, nick)
    return replace(message, origin=NOWHERE)


# ── talking ────────────────────────────────────────────────────────────────────────────────


async def test_we_know_at_once_who_and_where_we_are_and_who_else_is(enter):
    async with enter("al") as al, enter("bo") as bo:
        assert (al.nick, al.room) == ("al", LOBBY)
        assert sorted(member.nick for member in bo.members()) == ["al", "bo"]


async def test_two_hear_each_other(enter):
    async with enter("al") as al, enter("bo") as bo:
        await al.say("hello")
        assert await hear(bo, 1) == [Said(LOBBY, "al", "hello")]
        await bo.say("grüße")
        heard = await hear(al, 3)
        assert heard == [Joined(LOBBY, "bo"), Acknowledged, Said(LOBBY, "bo", "grüße")]


async def test_any_text_can_be_said(enter):
    texts = ["/quit", "//", "al: hello", "bo joined!", "*** Goodbye!", " x ", "NICK", "😀"]
    async with enter("bo") as bo, enter("al") as al:
        for text in texts:
            await al.say(text)
        assert (await hear(bo, 9))[1:] == [Said(LOBBY, "al", text) for text in texts]


@pytest.mark.parametrize("text", ["", " ", "\n", "\u200b", "\x02"])
async def test_what_cannot_be_seen_is_refused_at_once(enter, text):
    async with enter("al") as al:
        with pytest.raises(Unsupported, match="nothing visible"):
            await al.say(text)


@pytest.mark.parametrize(
    "token", ["short", "a" * 57, "a" * 15 + " ", "a" * 16 + "\r\nPRIVMSG #a :x", "\xe4" * 20]
)
async def test_what_can_be_no_token_is_an_error_at_once(enter, token):
    async with enter("al") as al:
        with pytest.raises(ValueError, match="a token is 16 to 56 ASCII letters"):
            await al.say("hi", token=token)


async def test_one_task_iterates_at_a_time(enter, nursery):
    async with enter("al") as al:
        while al.members() == ():
            await anext(al)

        async def wait_for_ever() -> None:
            async for _ in al:
                pass

        nursery.start_soon(wait_for_ever)
        await wait_all_tasks_blocked(0.01)
        with pytest.raises(trio.BusyResourceError):
            await anext(al)
        nursery.cancel_scope.cancel()


async def test_who_does_not_come_back_leads_no_room_for_those_who_come_later(port):
    for nick in ("al", "bo"):
        async with trio_chat.open_chat(port=port, nick=nick, rooms=["#new"]) as chat:
            while not (members := chat.members("#new")):
                await anext(chat)
            assert [(member.nick, member.prefixes) for member in members] == [(nick, "@")]


async def test_a_reply_goes_where_it_was_said(enter):
    async with enter("al") as al, enter("bo") as bo:
        await al.say("hello all")
        await al.say("psst", to="bo")
        async with trio.open_nursery() as nursery:
            with trio.fail_after(PATIENCE):
                async for message in bo:
                    if isinstance(message, trio_chat.Incoming):
                        await message.reply(f"{message.text}?")
                        if message.to:
                            break
            nursery.cancel_scope.cancel()
        assert await hear(al, 5) == [
            Joined(LOBBY, "bo"),
            Acknowledged,
            Acknowledged,
            Said(LOBBY, "bo", "hello all?"),
            Said("", "bo", "psst?", to="al"),
        ]


async def test_we_can_go_to_another_room(enter, protocol):
    """Where plain is spoken, that is to leave the one before."""
    async with enter("al") as al, enter("bo") as bo:
        await bo.join("tea")
        await bo.say("hello?", to="#tea")
        assert await hear(bo, 1) == [Acknowledged]
        if protocol == "plain":
            assert await hear(al, 2) == [Joined(LOBBY, "bo"), Left(LOBBY, "bo")]
        assert bo.room == ("#tea" if protocol == "plain" else LOBBY)
        await al.join("#tea")
        assert await hear(bo, 1) == [Joined("#tea", "al")]
        assert [member.nick for member in bo.members("tea")] == ["bo", "al"]


async def test_what_can_be_no_room_no_key_and_no_person_is_an_error_at_once(enter):
    async with enter("al") as al:
        for room in ("a b", "#x,#y", "", "#"):
            with pytest.raises(ValueError, match="cannot be a room: that is one word"):
                await al.join(room)
        for key in ("a b", "a,b", ":a"):
            with pytest.raises(ValueError, match="one word without commas"):
                await al.join("#x", key)
        for nick in ("a b", "a,b", ":a", "", "#a"):
            with pytest.raises(ValueError, match="cannot be a nickname"):
                await al.tell(nick, "hi")
        with pytest.raises(TypeError, match=r"^room is a text \(str\), not None$"):
            await al.join(None)
        with pytest.raises(TypeError, match=r"^text is a text \(str\), not int$"):
            await al.say(5)


@pytest.mark.parametrize("limit", [0, -1, "5", 2.5, True, None])
async def test_history_takes_a_number_of_messages(enter, limit):
    wrong = ValueError if limit in (0, -1) else TypeError
    async with enter("al") as al:
        with pytest.raises(wrong, match=r"^limit is "):
            await al.history(limit=limit)


async def test_what_is_no_room_person_or_command_is_an_error_at_once(enter):
    async with enter("al") as al:
        with pytest.raises(TypeError, match=r"^room is a text \(str\), not int$"):
            al.members(5)
        for target, why in [
            ("a b", "cannot be a nickname: that is one word without commas"),
            ("#a b", "cannot be a room: that is one word without commas"),
            ("#a,#b", "cannot be a room"),
            ("", r"is empty; to answer a message, use its reply\(\)"),  # its room in private
        ]:
            for do in (
                partial(al.say, "x", to=target),
                partial(al.history, target),
                partial(al.typing, target, active=True),
                partial(al.mark_read, target, ""),
                partial(al.command, "/topic tea", target),
            ):
                with pytest.raises(ValueError, match=why):
                    await do()
            with pytest.raises(ValueError, match=why):
                al.members(target)
        with pytest.raises(ValueError, match="begins with a slash, not as 'rooms'"):
            await al.command("rooms")


def test_what_is_wrong_with_where_to_connect_is_told_at_once():
    with pytest.raises(ValueError, match=r"^encoding 'utf-99': is not a text encoding"):
        trio_chat.open_chat(nick="al", encoding="utf-99")
    with pytest.raises(ValueError, match=r"^host '': must be .* or \* for a server$"):
        trio_chat.open_chat("", nick="al")


async def test_who_is_in_no_room_can_neither_speak_nor_read_there(port):
    async with trio_chat.open_chat(port=port, nick="al", protocol="irc", rooms=[]) as al:
        with pytest.raises(Unsupported, match="not in a room"):
            await al.say("x")
        with pytest.raises(Unsupported, match="not in a room"):
            await al.history()
        assert al.members() == ()


async def test_of_what_nobody_takes_the_older_half_goes_and_that_is_told(enter, monkeypatch):
    monkeypatch.setattr(chat, "_HEARD_MAX", 10)
    async with enter("al") as al:
        for number in range(20):
            await al.say(f"{number}")
        await al.finish()
        told = [message async for message in al]
    assert told[0].text.startswith("Messages are missing here: more than ")
    assert 5 < len(told) < 25
    assert Acknowledged in map(type, told)


async def test_a_room_that_cannot_be_is_told_and_so_is_what_was_for_it(enter):
    async with enter("al") as al:
        await al.join("x" * 60)
        with trio.fail_after(PATIENCE):
            async for message in al:
                if isinstance(message, Notice) and "cannot be a room" in message.text:
                    break
        await al.say("for x only", to="#" + "x" * 60)
        assert isinstance([m async for m in _until(al, Failed)][-1], Failed)
        assert al.unsaid == 1
        await al.say("still here", to=LOBBY)
        assert await hear(al, 1) == [Acknowledged]


@pytest.mark.parametrize("room", ["x" * 60, "#secret"])
async def test_a_room_that_does_not_let_us_in_is_an_error(port, protocol, room):
    async with trio_chat.open_chat(port=port, nick="al", rooms=["#secret"]) as al:
        await al.command("/mode +k key")
        await al.say("done")
        await hear(al, 1)
        with pytest.raises(NotAdmitted) as caught:
            async with trio_chat.open_chat(
                port=port, nick="bo", protocol=protocol, rooms=[room], retry=True
            ):
                pass
    assert "\n" not in str(caught.value)
    assert "cannot be a room" in str(caught.value) or "key" in str(caught.value)


async def test_commands(enter):
    async with enter("bo") as bo, enter("al") as al:
        await al.command("/me waves")
        await al.command("/topic tea")
        await al.command("/topic -")
        await al.command("/nick alan")
        assert await hear(bo, 5) == [
            Joined(LOBBY, "al"),
            Said(LOBBY, "al", "waves", action=True),
            TopicSet(LOBBY, "al", "tea"),
            TopicSet(LOBBY, "al", ""),
            Renamed("al", "alan"),
        ]
        assert [member.nick for member in bo.members()] == ["bo", "alan"]
        await hear(al, 4)
        assert al.nick == "alan"


@pytest.mark.parametrize("protocol", ["irc"])
async def test_what_was_said_before_can_be_read(enter):
    """Also while somebody else iterates; and what comes in the meantime stays to be heard."""
    async with enter("al") as al, enter("bo") as bo:
        for text in ("one", "two", "three"):
            await al.say(text)
        await hear(al, 4)
        latest = await bo.history(limit=2)
        assert [message.text for message in latest] == ["two", "three"]
        before = await bo.history(LOBBY, before=latest[0].msgid)
        assert [message.text for message in before] == ["one"]
        assert await bo.history("nobody") == []
        async with trio.open_nursery() as nursery:
            heard: list[object] = []

            async def listen() -> None:
                heard.extend(await hear(bo, 4))

            nursery.start_soon(listen)
            await wait_all_tasks_blocked()
            assert [m.text for m in await bo.history(limit=1)] == ["three"]
            await al.say("four")
        assert [m.text for m in heard] == ["one", "two", "three", "four"]


@pytest.mark.parametrize("protocol", ["plain"])
async def test_where_plain_is_spoken_nothing_can_be_read_again(enter):
    async with enter("al") as al:
        await al.say("one")
        assert await al.history() == []


async def test_the_iteration_ends_when_the_server_stops(enter, server):
    async with enter("al") as al:
        server.stop()
        with trio.fail_after(PATIENCE):
            last = [message async for message in al if isinstance(message, Notice)][-1]
        assert last.text == "The server is shutting down. Goodbye!"


async def test_an_iteration_can_be_cancelled_and_gone_on_with(enter, nursery):
    heard: list[object] = []

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
        with trio.fail_after(PATIENCE):
            async for message in al:
                heard.append(message)
                if isinstance(message, Said) and message.text == "two":
                    break
    assert [m.text for m in heard if isinstance(m, Said)] == ["one", "two"]


async def _until(chat: trio_chat.Chat, kind: type):
    with trio.fail_after(PATIENCE):
        async for message in chat:
            yield message
            if isinstance(message, kind):
                return


# ── leaving ────────────────────────────────────────────────────────────────────────────────


async def test_the_end_of_the_block_delivers_everything(enter):
    async with enter("bo") as bo:
        async with enter("al") as al:
            for number in range(300):
                await al.say(f"number {number}")
        heard = await hear(bo, 302)
    assert heard[0] == Joined(LOBBY, "al")
    assert [said.text for said in heard[1:-1]] == [f"number {n}" for n in range(300)]
    assert heard[-1] == Left(LOBBY, "al")


async def test_after_finish_the_rest_is_heard_and_then_the_end(enter):
    async with enter("al") as al:
        await al.say("one")
        await al.say("two")
        await al.finish()
        with trio.fail_after(PATIENCE):
            heard = [message async for message in al]
    assert len([message for message in heard if isinstance(message, Acknowledged)]) == 2


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
                await al.say("hello")
                await hear(al, 1)
                scope.cancel()
                await hear(al, 1)
        await bo.until("al left!\n")


# ── errors ─────────────────────────────────────────────────────────────────────────────────


async def test_nobody_listens_there():
    with free_port() as port, pytest.raises(CannotConnect, match=f"127.0.0.1:{port}: no server"):
        async with trio_chat.open_chat(port=port, nick="al"):
            pass


@pytest.mark.parametrize("host", ["two..dots", "x" * 64])
async def test_a_host_of_no_possible_name(host):
    with pytest.raises(CannotConnect, match="there is no host named"):
        async with trio_chat.open_chat(host, nick="al"):
            pass


async def test_a_server_that_cannot_listen(nursery, port):
    with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{port}: it is in use"):
        await nursery.start(trio_chat.serve, Settings(port=port))
    with pytest.raises(CannotListen, match=r"there is no host named two\.\.dots"):
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
        assert (await hear(al, 2))[1] == Said(LOBBY, "bo", "hello")


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
        async with trio_chat.open_chat(
            port=port, nick="bo", encoding="latin-1", protocol="plain"
        ) as bo:
            await joerg.say("grüße, 漢字")
            assert await hear(bo, 1) == [Said(LOBBY, "Jörg", "grüße, ??")]
        assert await hear(joerg, 3) == [Joined(LOBBY, "bo"), Acknowledged, Left(LOBBY, "bo")]


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


async def test_two_rooms_where_plain_is_spoken(nursery):
    async def greet(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"NICK")
            await stream.receive_some()

    port = await accepting(nursery, greet)
    with pytest.raises(ValueError, match="one room at a time, not in #a, #b"):
        async with trio_chat.open_chat(port=port, nick="al", rooms=["#a", "#b"], retry=True):
            pass


async def test_a_connection_that_is_reset(nursery):
    async def reset(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"al joined!Connected to server!")
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


async def test_the_end_of_the_block_tells_what_was_unsaid_even_if_the_loss_is_known(nursery):
    async def reset(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"al joined!Connected to server!")
            await stream.receive_some(1)  # with the rest unread, the close is a reset

    async def talk() -> None:
        async with trio_chat.open_chat(port=port, nick="al", protocol="plain") as al:
            with suppress(ConnectionLost):
                await al.say("!" * 10_000)
                async for _ in al:
                    pass
            await al.finish()

    port = await accepting(nursery, reset)
    with pytest.raises(ConnectionLost), trio.fail_after(PATIENCE):
        await talk()


@pytest.mark.slow
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


# ── the examples ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def bot(nursery, port, monkeypatch):
    """Runs one of the examples."""
    monkeypatch.setenv("TRIO_CHAT_PORT", str(port))
    return lambda name: nursery.start_soon(runpy.run_path(EXAMPLES / name)["main"])


async def test_the_echo_bot_echoes(nursery, port, bot):
    async with guest(port, "al") as al:
        bot("echo_bot.py")
        await al.until("echo joined!\n")
        await al.send("nothing\n!echo hello\n")
        assert await al.until("echo: ") == "al: nothing\nal: !echo hello\necho: "
        await al.until("al said: hello\n")
        await al.send("/msg echo !echo /quit\n")
        await al.until("echo -> al: al said: /quit\n")
    nursery.cancel_scope.cancel()


async def test_the_karma_bot_keeps_karma_of_those_who_are_there(nursery, port, bot):
    async with guest(port, "al") as al, guest(port, "bo") as bo:
        bot("karma_bot.py")
        await al.until("karma joined!\n")
        await al.send("bo++\nnobody++\nbo++\n")
        assert "nobody has" not in await al.until("karma: bo has 2\n")
        await al.send("/msg karma bo++\n")
        await al.send("/join #tea\nbo++\nal++\n")
        assert "bo has" not in await al.until("karma: al has 1\n")
        await bo.send("/join #tea\nbo++\n")
        await bo.until("karma: bo has 3\n")
    nursery.cancel_scope.cancel()


async def test_the_porter_carries_from_one_to_the_others(nursery, port, bot):
    async with guest(port, "al") as al, guest(port, "bea") as bea:
        bot("rooms_bot.py")
        await al.until("porter joined!\n")
        await bea.send("/join #tea\n")
        await bea.until("joined!\n")
        await al.send("/msg porter #tea the kettle is on\n")
        await bea.until("porter: al says: the kettle is on\n")
        await al.until("It is there, as ")
        await al.send("/msg porter hello\n")
        await al.until("Begin with #lobby or #tea.\n")
    nursery.cancel_scope.cancel()
