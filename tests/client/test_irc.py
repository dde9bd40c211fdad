"""The client finds out what a server speaks; and with IRC servers that are not ours."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_chat
from minimal_irc import MinimalIrcServer
from processes import PATIENCE, Finished, run
from trio_chat import Earlier, Joined, NotAdmitted, Notice, Said, Stamped, Unsupported
from trio_chat.core.events import Origin
from tutorial import TutorialServer

WELCOME = [Notice("Welcome, al"), Joined("#lobby", "al", origin=Origin("~user", "host"))]
ALONE = Notice("You are al in #lobby; nobody else is here yet. /help tells more.")


@pytest.fixture(autouse=True)
def _in_time(nursery):
    nursery.cancel_scope.deadline = trio.current_time() + 3 * PATIENCE


async def hear(chat: trio_chat.Chat, count: int) -> list[trio_chat.Message]:
    with trio.fail_after(PATIENCE):
        return [await anext(chat) for _ in range(count)]


async def all_of(chat: trio_chat.Chat) -> list[trio_chat.Message]:
    with trio.fail_after(PATIENCE):
        return [message async for message in chat]


# ── what is spoken ─────────────────────────────────────────────────────────────────────────


async def test_trio_chat_speaks_irc(port):
    async with trio_chat.open_chat(port=port, nick="al", room="#tea") as al:
        assert al.room == "#tea"
        assert await hear(al, 1) == [Notice("Welcome to the trio-chat network, al")]


async def found(chat, line: str) -> list[str]:
    """The texts that come of a command that looks something up."""
    await chat.command(line)
    await chat.say("end")
    texts: list[str] = []
    async for message in chat:
        if isinstance(message, Stamped) and message.text == "end":
            break
        if isinstance(message, Earlier) and message.found:
            texts.append(message.said.text)
        elif isinstance(message, Notice):
            texts.append(f"*** {message.text}")
    return texts


async def test_what_was_said_can_be_looked_up_again_and_again(port):
    async with trio_chat.open_chat(port=port, nick="al", room="#tea") as al:
        await al.say("green tea\nblack tea\ncoffee; with milk")
        told = await found(al, "/history 2")
        assert told[-3:] == ["*** This was found:", "black tea", "coffee; with milk"]
        assert await found(al, "/search tea") == ["*** This was found:", "green tea", "black tea"]
        assert await found(al, "/search tea") == ["*** This was found:", "green tea", "black tea"]
        for filters in ("from:al", "in:#tea", "after:2020-01-31", "before:2100-01-31"):
            found_milk = await found(al, f"/search milk {filters}")
            assert found_milk == ["*** This was found:", "coffee; with milk"]
        for filters in ("from:bo", "before:2020-01-31", "after:2100-01-31"):
            assert await found(al, f"/search milk {filters}") == ["*** Nothing was found."]
        assert await found(al, "/search milk in:#attic") == [
            "*** There is nothing of #attic that you may read."
        ]
        for line in ("/search milk after:noon", "/history many", "/search"):
            with pytest.raises(Unsupported):
                await al.command(line)


async def test_a_server_that_keeps_nothing_cannot_be_searched(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        await hear(al, 3)
        with pytest.raises(Unsupported, match="cannot search"):
            await al.command("/search tea")
        with pytest.raises(Unsupported, match="does not tell"):
            await al.command("/history")


async def test_trio_chat_speaks_plain_if_it_is_to(port):
    async with trio_chat.open_chat(port=port, nick="al", protocol="plain", room="#tea") as al:
        assert await hear(al, 2) == [Joined("", "al"), Notice("Connected to server!")]


async def test_the_tutorials_server_speaks_plain(nursery, monkeypatch):
    monkeypatch.setattr("trio_chat.client.connection.PATIENCE", PATIENCE)
    server = await nursery.start(TutorialServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        assert await hear(al, 2) == [Joined("", "al"), Notice("Connected to server!")]


@pytest.mark.parametrize("protocol", ["auto", "irc"])
@pytest.mark.parametrize("greets", ["", ":irc.test NOTICE * :*** Looking up your hostname"])
async def test_a_server_without_capabilities(nursery, greets, protocol):
    server = await nursery.start(MinimalIrcServer(greets=greets).run)
    async with trio_chat.open_chat(port=server.port, nick="al", protocol=protocol) as al:
        greeting = [Notice("*** Looking up your hostname")] if greets else []
        assert await hear(al, len(greeting) + 3) == [*greeting, *WELCOME, ALONE]
    assert server.received == [
        *("CAP LS 302", "NICK al", "USER al 0 * al", "JOIN #lobby", "PING finish", "QUIT")
    ]


@pytest.mark.parametrize("protocol", ["auto", "irc"])
async def test_what_is_no_irc_is_an_error_that_helps(nursery, protocol):
    bad_request = "HTTP/1.1 400 Bad Request"
    server = await nursery.start(MinimalIrcServer(CAP=bad_request).run)
    with pytest.raises(NotAdmitted, match=f"speaks no IRC. It says: {bad_request}"):
        async with trio_chat.open_chat(port=server.port, nick="al", protocol=protocol):
            pass


# ── talking ────────────────────────────────────────────────────────────────────────────────


async def test_without_echoes_we_hear_what_we_say_all_the_same(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    heard: list[trio_chat.Message] = []

    async def listen(chat: trio_chat.Chat) -> None:
        async for message in chat:
            heard.append(message)

    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        await hear(al, 3)
        await al.say("one")
        await al.command("/me waves")
        me = Origin("~user", "host")
        said = [
            Said("#lobby", "al", "one", origin=me),
            Said("#lobby", "al", "waves", action=True, origin=me),
        ]
        assert await hear(al, 2) == said
        async with trio.open_nursery() as listening:
            listening.start_soon(listen, al)
            await wait_all_tasks_blocked()
            await al.say("one")
            await wait_all_tasks_blocked()
            assert heard == said[:1]
            await al.finish("so long")
    assert server.received[-3:] == ["PRIVMSG #lobby one", "PING finish", "QUIT :so long"]


async def test_help_is_at_hand_without_the_server(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        await hear(al, 3)
        await al.command("/help")
        assert await hear(al, 1) == [
            Notice("Every line you write goes to the room, but for these:")
        ]
        with pytest.raises(Unsupported, match=r"Did you mean /whois\?"):
            await al.command("/whios bo")


async def test_after_the_last_word_the_iteration_ends(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        await al.finish()
        assert await all_of(al) == [*WELCOME, ALONE]


async def test_whoever_is_not_let_into_the_room_is_told_why(nursery):
    refusal = ":irc.test 474 al #lobby :Cannot join channel (+b)"
    server = await nursery.start(MinimalIrcServer(JOIN=refusal).run)
    with pytest.raises(NotAdmitted, match=r"#lobby: Cannot join channel \(\+b\)"):
        async with trio_chat.open_chat(port=server.port, nick="al"):
            pass


async def test_a_server_that_goes_before_it_has_answered(nursery):
    server = await nursery.start(MinimalIrcServer(PING="ERROR :Closing Link: host (Killed)").run)

    async def talk() -> None:
        async with trio_chat.open_chat(port=server.port, nick="al") as al:
            await al.say("one")

    with pytest.raises(trio_chat.ConnectionLost, match=r"host \(Killed\)"):
        await talk()


async def test_the_command_in_a_pipe(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    arguments = ("-p", str(server.port), "-n", "al", "-s", "client.room=#tea")
    done = await run("client", *arguments, stdin=b"one\n//two\n/quit so long\n")
    heard = """\
*** Welcome, al
al joined!
*** You are al in #tea; nobody else is here yet. /help tells more.
al: one
al: /two
"""
    assert done == Finished(0, heard, "")
    assert server.received[-1] == "QUIT :so long"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [(("--protocol", "irc"), "one\n"), (("--json",), '{"type": "say", "text": "one"}\n')],
    ids=["lines", "json"],
)
async def test_a_server_that_goes_when_something_is_said_has_not_got_it(nursery, arguments, text):
    server = await nursery.start(MinimalIrcServer(PRIVMSG="ERROR :Closing Link: host (Flood)").run)
    where = ("-p", str(server.port), "-n", "al")
    done = await run("client", *where, *arguments, stdin=text.encode())
    assert done.code == 69
    assert done.err.count("\n") == 1
    assert ('"why": "It may not have arrived."' in done.out) == ("--json" in arguments)
