"""What somebody has written and nobody has judged yet ends with them: over real sockets."""

import socket

import pytest
import trio

from irc_peers import cheap_hash, irc_peer, settings
from peers import House, running

LIMITS = {"messages_per_second": 20, "message_burst": 10}
FLOOD = b"".join(b"PRIVMSG #lobby :flood %d\r\n" % n for n in range(1000))


async def flooder(house: House) -> trio.SocketStream:
    """Somebody on IRC whose flood has begun to be slowed down."""
    stream = await trio.open_tcp_stream("127.0.0.1", house.port)
    await house.take_in(stream)  # so that it is closed in the end
    await stream.send_all(b"NICK mallory\r\nUSER m 0 * :m\r\nJOIN #lobby\r\n" + FLOOD)
    heard = b""
    while b"You are sending too fast" not in heard:
        heard += await stream.receive_some(4096)
    return stream


@pytest.mark.parametrize("how", ["close", "reset", "first no more, then close"])
async def test_a_flood_ends_with_whoever_hangs_up(how: str) -> None:
    async with running(settings(limits=LIMITS)) as house:
        watcher = await irc_peer(house, "watcher", rooms="#lobby")
        stream = await flooder(house)
        if how == "reset":
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if how == "first no more, then close":
            await stream.send_eof()
            await watcher.until("flood 15")
        await stream.aclose()
        said = await watcher.until(" QUIT :")
        assert said.count("PRIVMSG #lobby :flood") < 40
        await irc_peer(house, "mallory")


async def test_a_flood_ends_with_whoever_is_killed() -> None:
    operators = {"operators": f"root={cheap_hash('secret')}"}
    async with running(settings(limits=LIMITS, irc=operators)) as house:
        watcher = await irc_peer(house, "watcher", rooms="#lobby")
        await watcher.say("OPER root secret")
        async with await flooder(house):
            await watcher.say("KILL mallory :enough")
            said = await watcher.until(" QUIT :Killed (watcher (enough))\r\n")
            assert said.count("PRIVMSG #lobby :flood") < 40
            assert await watcher.news() == []


async def test_whoever_only_says_no_more_is_heard_to_the_end() -> None:
    async with running(settings(limits={"messages_per_second": 100, "message_burst": 10})) as house:
        pipe = await house.connect()
        await pipe.send(b"pipe\n" + b"".join(b"%d\n" % n for n in range(60)))
        await pipe.stream.send_eof()
        text = await pipe.rest()
        assert [line for line in text.splitlines() if line.startswith("pipe: ")] == [
            f"pipe: {n}" for n in range(60)
        ]
        stream = await trio.open_tcp_stream("127.0.0.1", house.port)
        async with stream:
            await stream.send_all(b"NICK al\r\nUSER m 0 * :m\r\nJOIN #lobby\r\n")
            await stream.send_all(b"PRIVMSG #lobby :x\r\n" * 60 + b"PRIVMSG #lobby :last\r\n")
            await stream.send_eof()
            while await stream.receive_some(4096):
                pass
        reader = await house.connect("reader")
        await reader.send(b"/history\n")
        await reader.until("al: last\n")
