"""A server that is killed, and started again on the same file: nothing that anybody saw is lost."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

from irc_peers import IrcPeer
from processes import Running, running_server
from trio_chat.protocols.irc.message import Message, parse

CAPS = "message-tags server-time batch echo-message"

GENEROUS = {
    "TRIO_CHAT_ACCOUNTS__ITERATIONS": "4096",
    "TRIO_CHAT_HISTORY__REPLAY": "1000",
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "100000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "100000",
}


class House:
    """A server as a process, and those who have come."""

    def __init__(self, server: Running, until_the_end: AsyncExitStack) -> None:
        self._server, self._until_the_end = server, until_the_end

    async def come(self, nick: str, *lines: str) -> tuple[IrcPeer, list[Message]]:
        """Somebody who has sent these lines, and the answers to them."""
        stream = await trio.open_tcp_stream("127.0.0.1", self._server.port)
        peer = IrcPeer(await self._until_the_end.enter_async_context(stream))
        await peer.news(f"CAP REQ :{CAPS}", f"NICK {nick}", f"USER {nick} 0 * :{nick}", "CAP END")
        return peer, await peer.messages(*lines)


@asynccontextmanager
async def killed_at_the_end(path: Path) -> AsyncIterator[House]:
    async with (
        running_server(TRIO_CHAT_HISTORY__STORE=str(path), **GENEROUS) as server,
        AsyncExitStack() as until_the_end,
    ):
        yield House(server, until_the_end)
        server.process.kill()
        await server.ended()


def said(messages: list[Message]) -> list[tuple[str, str]]:
    """Texts and their ids."""
    return [(m.params[1], m.tags["msgid"]) for m in messages if m.command == "PRIVMSG"]


def read(peer: IrcPeer) -> list[Message]:
    """All whole lines that have come, whether anybody waited for them or not."""
    lines = peer.received.decode().split("\r\n")[:-1]
    return [message for line in lines if (message := parse(line))]


async def settled(peer: IrcPeer) -> list[list[str]]:
    """What of a room stays: its topic, its modes, who is banned; without who asks."""
    found = await peer.messages("TOPIC #tea", "MODE #tea", "MODE #tea b")
    return [[m.command, *m.params[1:]] for m in found]


async def test_what_was_seen_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    seen: list[tuple[str, str]] = []
    async with killed_at_the_end(path) as house:
        alice, _ = await house.come("alice", "JOIN #tea")
        seen += said(
            await alice.messages(
                "PRIVMSG #tea :hello",
                "TOPIC #tea :Tea, and nothing else",
                "MODE #tea +sl 5",
                "MODE #tea +b mallory!*@*",
                "PRIVMSG #tea :grüße 茶",
            )
        )
        before = await settled(alice)
    assert [text for text, _ in seen] == ["hello", "grüße 茶"]
    assert any("Tea, and nothing else" in line for line in before)
    for nick in ("bob", "cy"):
        async with killed_at_the_end(path) as house:
            peer, welcome = await house.come(nick, "JOIN #tea")
            assert said(welcome) == seen
            batch = next(message for message in welcome if message.command == "BATCH")
            assert batch.params[1:] == ("chathistory", "#tea")
            assert await settled(peer) == before
            _, banned = await house.come("mallory", "JOIN #tea")
            assert [m.command for m in banned] == ["474"]
            seen += said(await peer.messages(f"PRIVMSG #tea :from {nick}"))
    assert len(seen) == 4
    assert [id for _, id in seen] == sorted({id for _, id in seen})


async def test_who_was_here_at_a_kill_is_shown_what_they_may_not_have_got(tmp_path: Path) -> None:
    path, login = tmp_path / "chat.db", "NS IDENTIFY alice correct-horse"
    async with killed_at_the_end(path) as house:
        await house.come("alice", "REGISTER * * correct-horse")
        bob, _ = await house.come("bob")
        sent = said(await bob.messages("PRIVMSG alice :one", "PRIVMSG alice :two"))
        assert len(sent) == 2
    async with killed_at_the_end(path) as house:
        alice, shown = await house.come("guest", login)
        assert said([*shown, *await alice.messages()]) == sent
        await alice.say("QUIT")
        await alice.rest()
    async with killed_at_the_end(path) as house:
        alice, shown = await house.come("guest", login)
        assert said([*shown, *await alice.messages()]) == []


async def test_nothing_that_anybody_saw_is_lost_by_a_kill_in_the_middle(tmp_path: Path) -> None:
    """Three times in a row, while everybody talks."""
    path = tmp_path / "chat.db"
    seen: dict[str, str] = {}  # texts by their ids
    for time in range(3):
        async with killed_at_the_end(path) as house:
            nicks = [f"al{n}" for n in range(5)]
            peers = [(await house.come(nick, "JOIN #tea"))[0] for nick in nicks]
            for nick, peer in zip(nicks, peers, strict=True):
                await peer.say(*[f"PRIVMSG #tea :{time} {nick} {n}" for n in range(50)])
            await peers[0].until(f" PRIVMSG #tea :{time} al4 20\r\n")
            for peer in peers[1:]:
                await peer.until(f" PRIVMSG #tea :{time} al4 5\r\n")
        for peer in peers:
            seen |= {id: text for text, id in said(read(peer))}
        async with killed_at_the_end(path) as house:
            _, welcome = await house.come("bob", "JOIN #tea")
        stored = {id: text for text, id in said(welcome)}
        assert seen.items() <= stored.items()
        assert [*stored] == sorted(stored)
        assert len({*stored.values()}) == len(stored)
    assert len(seen) > 3 * 5 * 5
