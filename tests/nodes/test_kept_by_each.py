"""What is told to one node counts on the others, and on one that comes later: each has it in a file
of its own.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from alice import PASSWORD, box, leave, plain_alice, register
from engines import fresh, the_engine
from irc_peers import IrcPeer, irc_peer, promote, settings
from peers import House
from processes import run
from real_nodes import agree, level, node, texts
from sasl import SCRAM, WAYS, numerics
from server.test_devices import commands
from trio_chat.app import open_log
from trio_chat.core.events import Said
from trio_chat.settings.engine import Address

pytestmark = pytest.mark.programs

CAPS = ("message-tags", "server-time", "batch", "draft/chathistory", "draft/message-redaction")


@dataclass
class Nodes:
    """Two that are up, and one that can come."""

    address: Address
    folder: Path
    a: House
    b: House

    async def level(self, *more: House) -> None:
        await level(self.address, self.a, self.b, *more)

    def later(self) -> AbstractAsyncContextManager[House]:
        return another(self.address, self.folder, "c")


def another(address: Address, folder: Path, name: str) -> AbstractAsyncContextManager[House]:
    return node(address, folder / f"{name}.db", settings(limits={"message_burst": 1000}))


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    address = fresh(the_engine())
    async with another(address, tmp_path, "a") as a, another(address, tmp_path, "b") as b:
        yield Nodes(address, tmp_path, a, b)


async def opens(house: House, password: str, *ways: str) -> bool:
    """Whether this is alice's password, by each of these mechanisms."""
    found = []
    for way in ways:
        peer = await irc_peer(house)
        await peer.news("CAP REQ sasl")
        found.append("903" in numerics(await WAYS[way](peer, "alice", password)))
        await leave(peer)
    [is_right] = {*found}
    return is_right


async def test_a_password(nodes: Nodes) -> None:
    alice = await irc_peer(nodes.a, "alice")
    await alice.news(f"NS REGISTER {PASSWORD}")
    await nodes.level()
    assert await opens(nodes.b, PASSWORD, *WAYS)
    by = await irc_peer(nodes.b, "phone")
    await by.news(f"NS IDENTIFY alice {PASSWORD}", "NS SET PASSWORD another-horse")
    await nodes.level()
    async with nodes.later() as c:
        for house in (nodes.a, nodes.b, c):
            assert not await opens(house, PASSWORD, SCRAM)
            assert await opens(house, "another-horse", *WAYS)
        await agree(nodes.a, nodes.b, c)


async def test_what_waits_for_somebody_is_shown_once(nodes: Nodes) -> None:
    await register(nodes.a)
    await nodes.level()
    bob = await irc_peer(nodes.b, "bob")
    await bob.news("PRIVMSG alice one", "PRIVMSG alice two")
    async with nodes.later() as c:
        await nodes.level(c)
        alice = await plain_alice(c)
        assert [line.rpartition(": ")[2] for line in (await box(alice))[1:]] == ["one", "two"]
        await leave(alice)
        await nodes.level(c)
        for house in (nodes.a, nodes.b, c):
            again = await plain_alice(house)
            assert await box(again) == []
            await leave(again)
            await nodes.level(c)


async def said(peer: IrcPeer, room: str) -> list[str]:
    await peer.news()
    found = await peer.messages(f"CHATHISTORY LATEST {room} * 50")
    return [message.params[-1] for message in found if message.command == "PRIVMSG"]


async def test_a_room_that_was_renamed_without_a_message_that_was_removed(nodes: Nodes) -> None:
    alice = await irc_peer(nodes.a, "alice", *CAPS, "echo-message", rooms="#tea")
    [_, secret, _] = await alice.messages(*(f"PRIVMSG #tea :{x}" for x in ("hi", "secret", "ho")))
    await nodes.level()
    bob = await irc_peer(nodes.b, "bob", *CAPS, rooms="#tea")
    await alice.news(f"REDACT #tea {secret.tags['msgid']}", "RENAME #tea #leaves")
    await nodes.level()
    assert "REDACT" in [message.command for message in await bob.messages()]
    async with nodes.later() as c:
        carol = await irc_peer(c, "carol", *CAPS, rooms="#leaves")
        await nodes.level(c)
        await carol.news("PRIVMSG #leaves :here")
        await nodes.level(c)
        for peer in (alice, bob, carol):
            assert await said(peer, "#leaves") == ["hi", "ho", "here"]
        for house in (nodes.a, nodes.b, c):
            assert await texts(house, "#leaves") == ["hi", "ho", "here"]
            assert not await texts(house, "#tea")
        await agree(nodes.a, nodes.b, c)


async def test_a_ban_and_its_end(nodes: Nodes) -> None:
    boss = await irc_peer(nodes.a, "boss")
    await promote(nodes.a, "boss")
    eve = await irc_peer(nodes.b, "eve", address="203.0.113.9")
    await nodes.level()
    await boss.news("UBAN ADD 203.0.113.0/24 spam")
    assert "You are banned from this chat for good (spam)" in await eve.rest()
    await nodes.level()
    async with nodes.later() as c:
        for house in (nodes.a, nodes.b, c):
            again = IrcPeer((await house.link(address="203.0.113.10")).stream)
            assert "You are banned from this chat for good (spam)" in await again.rest()
        other = await irc_peer(c, "other")
        await promote(c, "other")
        await other.news("UBAN DEL 1")
        await nodes.level(c)
        await irc_peer(nodes.a, "eve", address="203.0.113.10")


async def test_a_kill_of_somebody_who_came_to_a_later_node(nodes: Nodes) -> None:
    boss = await irc_peer(nodes.a, "boss")
    await promote(nodes.a, "boss")
    async with nodes.later() as c:
        eve = await irc_peer(c, "eve")
        await nodes.level()
        await boss.news()
        await boss.news("KILL eve :enough")
        assert "Killed (boss (enough))" in await eve.rest()
        await nodes.level()
        assert commands(await boss.news()) == ["QUIT :Killed (boss (enough))"]
        await agree(nodes.a, nodes.b, c)


async def test_a_node_that_has_the_history_of_another_one_goes_on_with_it(tmp_path: Path) -> None:
    """In a chat that is older than what the engine knows."""
    address, copy = fresh(the_engine()), str(tmp_path / "copy.db")
    files = {name: f"history.store={tmp_path / name}.db" for name in "ab"}
    async with open_log(settings(history={"store": str(tmp_path / "a.db")})) as log:
        await log.append("#lobby", [Said("#lobby", "alice", "long ago")])
    async with node(address, tmp_path / "a.db") as a:
        alice = await irc_peer(a, "alice")
        await alice.news(f"NS REGISTER {PASSWORD}", "PRIVMSG #lobby :before")
        assert (await run("history", "backup", copy, "--set", files["a"])).code == 0
        await alice.news("PRIVMSG #lobby :after")
        assert (await run("history", "restore", copy, "--set", files["b"])).code == 0
        async with node(address, tmp_path / "b.db") as b:
            assert await opens(b, PASSWORD, SCRAM)
            await agree(a, b)
            assert await texts(b) == ["long ago", "before", "after"]
            a_chat, b_chat = [await chat_of(files[name]) for name in "ab"]
            assert a_chat == b_chat != ""


async def chat_of(file: str) -> str:
    """The chat whose copy a check says that a file is."""
    done = await run("history", "check", "--set", file)
    return next(line for line in done.out.splitlines() if line.startswith("chat: "))
