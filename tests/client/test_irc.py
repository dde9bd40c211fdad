"""The client finds out what a server speaks; and with IRC servers that are not ours."""

import pytest
import trio

import trio_chat
from minimal_irc import MinimalIrcServer
from processes import PATIENCE, Finished, run
from trio_chat import Acknowledged, Earlier, Linked, NotAdmitted, Notice, Sent
from tutorial import TutorialServer


async def notices(chat: trio_chat.Chat, count: int) -> list[str]:
    """What is told in words."""
    texts: list[str] = []
    with trio.fail_after(PATIENCE):
        while len(texts) < count:
            message = await anext(chat)
            if isinstance(message, Notice):
                texts.append(message.text)
    return texts


# ── what is spoken ─────────────────────────────────────────────────────────────────────────


async def found(chat: trio_chat.Chat, line: str) -> list[str]:
    """The texts that come of a command that looks something up."""
    await chat.command(line)
    await chat.say("end")
    texts: list[str] = []
    async for message in chat:
        if isinstance(message, Acknowledged):
            break
        if isinstance(message, Earlier) and message.found:
            texts.append(message.said.text)
        elif isinstance(message, Notice):
            texts.append(f"*** {message.text}")
    return texts


async def test_what_was_said_can_be_looked_up_again_and_again(port):
    async with trio_chat.open_chat(port=port, nick="al", rooms=["#tea"]) as al:
        for text in ("green tea", "black tea", "coffee; with milk"):
            await al.say(text)
            while not isinstance(await anext(al), Acknowledged):
                pass
        told = await found(al, "/history 2")
        assert told[-3:] == ["*** Found:", "black tea", "coffee; with milk"]
        assert await found(al, "/search tea") == ["*** Found:", "green tea", "black tea"]
        assert await found(al, "/search tea") == ["*** Found:", "green tea", "black tea"]
        for filters in ("from:al", "in:#tea", "after:2020-01-31", "before:2100-01-31"):
            found_milk = await found(al, f"/search milk {filters}")
            assert found_milk == ["*** Found:", "coffee; with milk"]
        for filters in ("from:bo", "before:2020-01-31", "after:2100-01-31"):
            assert await found(al, f"/search milk {filters}") == ["*** Nothing was found."]
        unreadable = "*** There is nothing in the history of #attic that you may read."
        assert await found(al, "/search milk in:#attic") == [unreadable]
        for line in ("/search milk after:noon", "/history many", "/search"):
            [complaint] = await found(al, line)
            assert complaint.startswith("*** ")


async def test_a_server_that_keeps_nothing_cannot_be_searched(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        await al.command("/search tea")
        await al.command("/history")
        _, search, history = await notices(al, 3)
        assert "cannot search" in search
        assert "keeps no history" in history
        assert await al.history() == []


async def test_trio_chat_speaks_plain_if_it_is_to(port):
    async with trio_chat.open_chat(port=port, nick="al", protocol="plain", rooms=["#tea"]) as al:
        assert await anext(al) == Linked("al", "", frozenset())
        assert al.room == "#tea"


async def test_the_tutorials_server_speaks_plain(nursery, monkeypatch):
    monkeypatch.setattr("trio_chat.client.connection.PATIENCE", PATIENCE)
    server = await nursery.start(TutorialServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        assert await anext(al) == Linked("al", "", frozenset())


@pytest.mark.parametrize("protocol", ["auto", "irc"])
@pytest.mark.parametrize("greets", ["", ":irc.test NOTICE * :*** Looking up your hostname"])
async def test_a_server_without_capabilities(nursery, greets, protocol):
    server = await nursery.start(MinimalIrcServer(greets=greets).run)
    async with trio_chat.open_chat(port=server.port, nick="al", protocol=protocol) as al:
        greeting = ["*** Looking up your hostname"] if greets else []
        assert await notices(al, len(greeting) + 1) == [*greeting, "Welcome, al"]
        assert [member.nick for member in al.members()] == ["al"]
    in_the_end = server.received.pop()
    assert in_the_end == "QUIT"
    assert [line for line in server.received if not line.startswith("PING")] == [
        *("CAP LS 302", "NICK al", "USER al 0 * al", "JOIN #lobby")
    ]


@pytest.mark.parametrize("protocol", ["auto", "irc"])
async def test_what_is_no_irc_is_an_error_that_helps(nursery, protocol):
    bad_request = "HTTP/1.1 400 Bad Request"
    server = await nursery.start(MinimalIrcServer(CAP=bad_request).run)
    with pytest.raises(NotAdmitted, match=f"does not speak IRC. It says: {bad_request}"):
        async with trio_chat.open_chat(port=server.port, nick="al", protocol=protocol):
            pass


# ── talking ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_without_echoes_what_we_say_counts_as_there(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    async with trio_chat.open_chat(port=server.port, nick="al") as al:
        await al.say("one", token="t" * 16)
        await al.say("waves", action=True)
        heard = [Sent("t" * 16, "#lobby", "one"), Acknowledged("t" * 16)]
        with trio.fail_after(PATIENCE):
            async for message in al:
                if message == heard[0]:
                    heard.pop(0)
                if not heard:
                    break
        await al.finish("so long")
    said = [line for line in server.received if line.startswith(("PRIVMSG", "QUIT"))]
    assert said == [
        *("PRIVMSG #lobby one", "PRIVMSG #lobby :\x01ACTION waves\x01", "QUIT :so long")
    ]


async def test_a_server_that_goes_before_it_has_answered(nursery):
    server = await nursery.start(
        MinimalIrcServer(**{"PING finish": "ERROR :Closing Link: host (Killed)"}).run
    )

    async def talk() -> None:
        async with trio_chat.open_chat(port=server.port, nick="al") as al:
            await al.say("one")

    with pytest.raises(trio_chat.ConnectionLost, match=r"host \(Killed\)"):
        await talk()


@pytest.mark.slow
async def test_the_command_in_a_pipe(nursery):
    server = await nursery.start(MinimalIrcServer().run)
    arguments = ("-p", str(server.port), "-n", "al", "-s", "client.room=#tea")
    done = await run("client", *arguments, stdin=b"one\n//two\n/quit so long\n")
    heard = """\
*** Welcome, al
al joined!
*** You are al in #tea; nobody else is here yet. /help for more.
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
