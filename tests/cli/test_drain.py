"""``trio-chat admin drain``: a server that ends by itself, and clients of ours that come back."""

import os
from collections import Counter
from pathlib import Path

import pytest
import trio

import trio_chat
from managers import manager
from processes import free_port, run, running_server
from trio_chat.core.events import Said
from trio_chat.storage.sqlite.export import export

FAST = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "100000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "100000",
}


async def test_a_drained_server_ends_as_if_it_was_stopped(tmp_path: Path) -> None:
    kept, address = {"TRIO_CHAT_OPS__ADMIN": f"{tmp_path}/admin"}, f"@trio-chat-{os.getpid()}"
    async with manager(address) as systemd, running_server(NOTIFY_SOCKET=address, **kept) as server:
        done = await run("admin", "drain", "0", "an", "update", **kept)
        assert (done.code, done.err) == (0, "")
        await systemd.until(lambda told: told == {"STOPPING": "1"})
        assert await server.ended() == 0


async def test_nothing_is_lost_when_a_busy_server_is_drained_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trio_chat.client.backoff._FIRST", 0.05)
    file, said = tmp_path / "chat.db", Counter[str]()
    variables = {"TRIO_CHAT_HISTORY__STORE": str(file), **FAST}
    begun, more, enough, over = (trio.Event() for _ in range(4))

    async def talk(nick: str) -> None:
        async with trio_chat.open_chat(port=port, nick=nick, protocol="irc", retry=True) as chat:
            while not enough.is_set():
                await chat.say(f"{nick} {said[nick]}")
                said[nick] += 1
                more.set()

    async def until_more_is_said() -> None:
        nonlocal more
        before = said.copy()
        while any(said[nick] < before[nick] + 20 for nick in "abcd"):
            more = trio.Event()
            await more.wait()

    async def restart() -> None:
        """The second server is there until all have said what they say."""
        async with running_server(port=port, **variables) as server:
            begun.set()
            await until_more_is_said()
            assert (await run("admin", "drain", "0", **variables)).code == 0
            assert await server.ended() == 0
        async with running_server(port=port, **variables):
            await until_more_is_said()
            enough.set()
            await over.wait()

    with free_port() as port:
        async with trio.open_nursery() as servers:
            servers.start_soon(restart)
            await begun.wait()
            async with trio.open_nursery() as talking:
                for nick in "abcd":
                    talking.start_soon(talk, nick)
            over.set()
    kept = [e.event.text for e in export(file, rooms=(), since=0) if isinstance(e.event, Said)]
    assert sorted(kept) == sorted(f"{nick} {n}" for nick in "abcd" for n in range(said[nick]))
