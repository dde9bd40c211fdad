"""What was said to us while we were not here, in the library and line by line."""

import time

import trio

import trio_chat
from irc_peers import irc_peer
from peers import House, running, settings
from processes import PATIENCE
from trio_chat import Acknowledged, Incoming
from trio_chat.storage.memory import MemoryLog

PASSWORD = "correct-horse"


async def missed(house: House) -> list[tuple[str, str, bool]]:
    """What alice hears in private until something of hers has arrived."""
    account = {"account": "alice", "account_password": PASSWORD}
    chat = trio_chat.open_chat(port=house.port, nick="alice", protocol="irc", **account)
    heard = []
    with trio.fail_after(PATIENCE):
        async with chat as alice:
            await alice.say("over")
            async for message in alice:
                if isinstance(message, Acknowledged):
                    break
                if isinstance(message, Incoming):
                    heard.append((message.nick, message.text, message.late))
    return heard


async def test_it_is_news_and_comes_once() -> None:
    hours = 0  # since then; a client asks by itself for what was said minutes ago
    clock = lambda: time.time() + 3600 * hours  # noqa: E731
    log = MemoryLog(per_room=100, total_bytes=100_000, rooms=10, clock=clock)
    async with running(settings(), log, clock=clock) as house:
        peer = await irc_peer(house, "alice")
        await peer.news(f"REGISTER * * {PASSWORD}")
        await peer.say("QUIT")
        await peer.rest()
        bob = await irc_peer(house, "bob")
        await bob.news("PRIVMSG alice :one", "PRIVMSG alice :two")
        hours = 1
        assert await missed(house) == [("bob", "one", True), ("bob", "two", True)]
        assert await missed(house) == []
