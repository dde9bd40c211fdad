"""Ours and the tutorial's: each client against each server."""

import pytest
import trio

import trio_chat
from netcat import guest, netcat
from processes import PATIENCE, Finished, run, running
from trio_chat import Acknowledged, NotAdmitted, Said, Unsupported
from tutorial import TutorialServer, tutorial_client

# ── our client, the tutorial's server ──────────────────────────────────────────────────────


@pytest.fixture
async def tutorial(nursery):
    return await nursery.start(TutorialServer().run)


PLAIN = ("--protocol", "plain")


def enter(server: TutorialServer, nick: str, protocol: str = "plain"):
    """With nothing to be found out: on a busy machine the server may be late to greet."""
    return trio_chat.open_chat("127.0.0.1", server.port, nick=nick, protocol=protocol)


async def hear(chat: trio_chat.Chat, count: int) -> list[object]:
    """What is said, and that what we say has arrived."""
    heard: list[object] = []
    with trio.fail_after(PATIENCE):
        while len(heard) < count:
            message = await anext(chat)
            if isinstance(message, Acknowledged):
                heard.append(Acknowledged)
            elif isinstance(message, Said):
                heard.append(Said(message.room, message.nick, message.text))
    return heard


async def test_we_are_told_that_it_is_there_and_others_hear_us(tutorial):
    async with netcat(tutorial.port) as al:
        await al.until("NICK")
        await al.send("al")
        await al.until("al joined!Connected to server!")
        async with enter(tutorial, "bo") as bo:
            await bo.say("hello")
            assert await hear(bo, 1) == [Acknowledged]
            await al.send("al: hello yourself")
            assert await hear(bo, 1) == [Said("#lobby", "al", "hello yourself")]
            assert [member.nick for member in bo.members()] == ["bo", "al"]
        heard = await al.until("bo left!")
    assert heard == "bo joined!bo: helloal: hello yourselfbo left!"


async def test_we_get_in_when_everything_comes_in_one_burst(nursery):
    server = await nursery.start(TutorialServer(glued=b"cy: hello").run)
    async with enter(server, "al") as al:
        assert await hear(al, 1) == [Said("#lobby", "cy", "hello")]
        with pytest.raises(Unsupported):
            await al.join("#tea")
        await al.say("/join is no command here, and ASCII no limit: grüße")
        assert await hear(al, 1) == [Acknowledged]
    assert server.received == ["al: /join is no command here, and ASCII no limit: grüße".encode()]


async def test_we_get_in_when_the_server_is_slow_to_greet(nursery):
    server = await nursery.start(TutorialServer(slow=True).run)
    async with enter(server, "al") as al:
        await al.say("hello")
        assert await hear(al, 1) == [Acknowledged]
    assert server.received == [b"al: hello"]


async def test_we_are_told_what_helps_when_the_server_is_too_slow_to_greet(nursery):
    server = await nursery.start(TutorialServer(slow=True).run)
    with pytest.raises(NotAdmitted, match="does not speak IRC"):
        async with enter(server, "al", protocol="auto"):
            pass


async def test_the_client_command_says_its_lines(nursery):
    server = await nursery.start(TutorialServer(glued=b"cy: hello").run)
    done = await run("client", "-p", str(server.port), "-n", "bob", *PLAIN, stdin=b"hello\n")
    heard = "bob joined!\n*** Connected to server!\ncy: hello\nbob: hello\n"
    assert done == Finished(0, heard, "")


async def test_the_client_command_prints_what_others_say_at_once(nursery):
    server = await nursery.start(TutorialServer(slow=True).run)
    async with running("client", "-p", str(server.port), "-n", "bob", *PLAIN) as bob:
        await bob.out.until("Connected to server!\n")
        await server.broadcast(b"al joined!")
        await bob.out.until("al joined!\n")
        await server.broadcast(b"al: hello")
        await bob.out.until("al: hello\n")
        await bob.write("/who\n")
        await bob.out.until("*** This server has no commands.\n")


# ── the tutorial's client, our server ──────────────────────────────────────────────────────


@pytest.fixture
def greeting_delay() -> float:
    """The tutorial's client waits for the question."""
    return 0.2


async def test_it_is_asked_once_and_let_in(port):
    async with tutorial_client(port, "al") as al:
        heard = await al.until("for more.\n")
        assert heard.startswith("al joined!\nConnected to server!\n")
        assert al.asked == 1


async def test_two_hear_each_other_come_talk_and_go(port):
    async with tutorial_client(port, "al") as al:
        await al.until("for more.\n")
        async with tutorial_client(port, "bo") as bo:
            await bo.until("for more.\n")
            await al.until("bo joined!\n")
            await bo.say("hello")
            assert await al.until("\n") == await bo.until("\n") == "bo: hello\n"
            await al.say("hello yourself")
            assert await al.until("\n") == await bo.until("\n") == "al: hello yourself\n"
        assert await al.until("\n") == "bo left!\n"


async def test_the_same_nickname_twice_gets_a_near_one(port):
    async with tutorial_client(port, "al") as al:
        await al.until("for more.\n")
        async with tutorial_client(port, "al") as other:
            assert "The nickname al is taken." in await other.until("for more.\n")
            assert await al.until("\n") == "al_2 joined!\n"
            await other.say("hello")
            assert await al.until("\n") == "al_2: hello\n"
            assert (al.asked, other.asked) == (1, 1)


async def test_it_is_never_sent_what_it_cannot_decode(port):
    async with tutorial_client(port, "al") as al:
        await al.until("for more.\n")
        async with guest(port, "Jörg") as joerg:
            await al.until("J?rg joined!\n")
            await joerg.send("grüße 😀 \x1b[2J\n/topic größe\n/me käme\n")
            await al.until("J?rg: gr??e ? ")
            await al.until("*** J?rg set the topic: gr??e\n* J?rg k?me\n")
            await joerg.send("/nick Jürgen\n/quit\n")
            await al.until("*** J?rg is now J?rgen.\nJ?rgen left!\n")


async def test_a_message_longer_than_a_read_comes_whole(port):
    async with guest(port, "bo") as bo, tutorial_client(port, "al") as al:
        await al.until("for more.\n")
        await al.say("x" * 3000)
        await bo.until("al: " + "x" * 3000 + "\n")
        await bo.send("y" * 3000 + "\n")
        await al.until("bo: " + "y" * 3000 + "\n")


async def test_what_others_say_never_looks_like_the_question(port):
    async with guest(port, "NICK") as nick, tutorial_client(port, "al") as al:
        await al.until("for more.\n")
        await nick.send("NICK\n/me NICK\n/topic NICK\n")
        await al.until("set the topic: NICK\n")
        assert al.asked == 1


async def test_commands_work_behind_the_prefix(port):
    async with guest(port, "bo") as bo, tutorial_client(port, "al") as al:
        await al.until("for more.\n")
        await al.say("/who")
        await al.until("*** In #lobby (2): al, bo\n")
        await al.say("/nick alan")
        await al.until("*** al is now alan.\n")
        await al.say("/me waves")  # its prefix is still the old nickname
        await bo.until("* alan waves\n")
        await al.say("/quit")
        assert (await al.shown.rest()).endswith("Goodbye!\n")
        await bo.until("alan left!\n")
