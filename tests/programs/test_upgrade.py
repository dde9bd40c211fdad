"""The nodes of a chat are replaced one by one by a newer version, and nobody misses anything."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from engines import running as running_engine
from installing import earlier, installed
from irc_peers import IrcPeer
from processes import FOLDER, PROGRAM, Running, free_port, run, running, running_server
from sasl import by_plain

pytestmark = [pytest.mark.programs, pytest.mark.slow, pytest.mark.timeout(300)]

PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The program as it was one commit before."""
    folder = tmp_path_factory.mktemp("old")
    venv = installed(earlier(folder), folder)
    python = str(venv / "bin/python")
    where = [python, "-c", "import trio_chat; print(trio_chat.__file__)"]
    assert subprocess.check_output(where, cwd=FOLDER, text=True).startswith(str(venv))
    return [python, "-m", "trio_chat"]


class Node:
    """A node that has one version of the program after the other."""

    def __init__(self, folder: Path, port: int, through: str) -> None:
        self.port = port
        self._variables = {
            "TRIO_CHAT_HISTORY__STORE": str(folder / "chat.db"),
            "TRIO_CHAT_NODES__THROUGH": through,
            "TRIO_CHAT_NODES__NAME": folder.name,
            "TRIO_CHAT_SERVER__KEY": str(folder.parent / "key"),
        }
        self._is_up = trio.Event()
        self._server: Running

    async def run(self, *programs: Sequence[str]) -> None:
        """Run these, each until it is told to end."""
        for program in programs:
            life = running_server(port=self.port, program=program, **self._variables)
            async with life as self._server:
                self._is_up.set()
                assert await self._server.ended() == 0, self._server.err.text

    async def up(self) -> None:
        """Wait until it can be reached."""
        await self._is_up.wait()

    async def replace(self) -> None:
        """End it, and wait for the next version."""
        self._is_up = trio.Event()
        self._server.process.terminate()
        await self.up()

    @asynccontextmanager
    async def peer(self) -> AsyncIterator[IrcPeer]:
        """A connection to it."""
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            yield IrcPeer(stream)

    async def said(self) -> list[str]:
        """What was said, as its file has it."""
        done = await run("history", "export", "--format", "jsonl", **self._variables)
        assert done.code == 0, done.err
        entries = map(json.loads, done.out.splitlines())
        return [entry["text"] for entry in entries if entry["type"] == "said"]


@asynccontextmanager
async def two_nodes(folder: Path, *programs: Sequence[str]) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes that begin with the first version."""
    with (
        running_engine(folder / "engine") as engine,
        free_port() as first,
        free_port() as second,
    ):
        through = f"unix:{engine.path}?chat"
        nodes = []
        async with trio.open_nursery() as nursery:
            for name, port in (("a", first), ("b", second)):
                (folder / name).mkdir()
                nodes.append(Node(folder / name, port, through))
                nursery.start_soon(nodes[-1].run, *programs)
                await nodes[-1].up()  # the first one makes the key
            yield nodes[0], nodes[1]
            nursery.cancel_scope.cancel("the test is over")


@asynccontextmanager
async def person(nick: str, *nodes: Node) -> AsyncIterator[Running]:
    """A client of ours that goes to another one of these nodes when its own ends."""
    places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    async with running("client", places, "--nick", nick, "--retry") as client:
        await client.out.until(f"You are {nick} in #lobby")
        yield client


class Talk:
    """What people say, in numbered lines."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, nick: str, speaker: Running, *listeners: Running) -> None:
        """Say some lines at once, and wait until others have seen the last of them."""
        lines = [f"{nick} says {len(self.said) + n}" for n in range(5)]
        self.said += lines
        await speaker.write("".join(f"{line}\n" for line in lines))
        for listener in listeners:
            await listener.out.until(f"{nick}: {lines[-1]}\n")


def seen(client: Running) -> list[str]:
    """What a client has shown of that, in its order."""
    return re.findall(r": (\w+ says \d+)$", client.out.text, re.MULTILINE)


async def test_one_node_after_the_other(old: list[str], tmp_path: Path) -> None:
    talk = Talk()
    async with (
        two_nodes(tmp_path, old, PROGRAM) as (a, b),
        person("alice", a, b) as alice,
        person("bob", b, a) as bob,
    ):
        await talk.say("alice", alice, bob)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(b.replace)
            await talk.say("bob", bob, alice)
        async with person("eve", b) as eve:  # the old version is on one node, the new on the other
            await talk.say("eve", eve, alice, bob)
            await talk.say("alice", alice, bob, eve)
            await carol_registers_and_logs_in(b, a)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(a.replace)
                await talk.say("alice", alice, bob, eve)
            await talk.say("bob", bob, alice, eve)
        async with person("dave", a) as dave:
            await talk.say("dave", dave, alice, bob)
        assert seen(alice) == seen(bob) == talk.said
    assert await a.said() == await b.said() == talk.said


async def carol_registers_and_logs_in(here: Node, there: Node) -> None:
    async with here.peer() as carol, there.peer() as phone:
        await carol.news("NICK carol", "USER c 0 * :c", f"REGISTER * * {PASSWORD}")
        await phone.news("CAP REQ sasl", "NICK phone")
        await by_plain(phone, "carol", PASSWORD)
        assert any(" 001 carol " in line for line in await phone.news("USER c 0 * :c", "CAP END"))
