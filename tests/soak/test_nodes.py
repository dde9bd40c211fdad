"""Three nodes are one chat, and again and again something happens to one of them, or to the engine.

Three clients of ours, each at a node of its own, say numbered lines in two rooms, and go to another
node when theirs is lost. In the end each node's file holds the same, entry by entry: all that was
acknowledged, once. Each client was shown all of it, once and in that order. Of what the engine has
lost, all comes back that somebody has seen.
"""

import json
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from cutting import Cutter, cutting
from engines import RedisServer, Sentinel, free_ports, running, started
from processes import PATIENCE, Running, free_port, running_server
from trio_chat.client import backoff, requests
from trio_chat.client.runner import MessageChannel, RequestChannel, run_chat
from trio_chat.core.events import Entry, Said
from trio_chat.protocols.client import Acknowledged, Earlier, Failed, InRoom, Message, Stamped
from trio_chat.settings import ClientSettings, Settings
from trio_chat.storage.shared.records import padded
from trio_chat.storage.sqlite.export import export

LASTS = 1800  # seconds, at the most
pytestmark = [pytest.mark.soak, pytest.mark.timeout(LASTS)]

ROOMS, AT_ONCE = ("#lobby", "#tea"), 20
NAMES = ("a", "b", "c")  # of the nodes, and of those who speak

LEASE = 2.0  # seconds

SETTINGS = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_NODES__LEASE": str(LEASE),
    # A busy machine may need longer than usual for a handshake.
    "TRIO_CHAT_SERVER__GREETING_DELAY": "10",
    "TRIO_CHAT_OPS__ADMIN": "",  # they have their key in common, and the folder
    "TRIO_CHAT_LOG__LEVEL": "warning",
}

# The commands of the engine's journal that put an entry into the stream.
_ADDED = re.compile(rb"XADD\r\n\S+\r\n\{chat\}log\r\n(?:\S+\r\n){6}\S+\r\n(\d+-\d+)\r\n")


@dataclass
class Node:
    """A server that is started again whenever it has ended."""

    name: str
    port: int
    folder: Path
    through: str = ""
    server: Running = field(init=False)
    is_up: trio.Event = field(default_factory=trio.Event)
    events: Counter[str] = field(default_factory=Counter)  # that were logged

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.db"

    async def run(self) -> None:
        variables = SETTINGS | {
            "TRIO_CHAT_HISTORY__STORE": str(self.file),
            "TRIO_CHAT_NODES__NAME": self.name,
            "TRIO_CHAT_NODES__THROUGH": self.through,
        }
        while True:
            async with self._noted(running_server(port=self.port, patience=LASTS, **variables)):
                self.is_up.set()
                code = await self.server.process.wait()
            assert code in (0, -signal.SIGKILL)

    @asynccontextmanager
    async def _noted(self, life: AbstractAsyncContextManager[Running]) -> AsyncIterator[None]:
        """One of its lives. What was logged in it is noted, and is nothing worse than a warning."""
        try:
            async with life as self.server:
                yield
        finally:
            self._note(self.server.err.text)

    def _note(self, log: str) -> None:
        *lines, _ = log.split("\n")  # the last one may be half a line
        for line in lines:
            logged = json.loads(line)
            assert logged["level"] == "warning", line
            self.events[logged["event"]] += 1

    async def end(self, number: signal.Signals) -> None:
        """End it, and wait until it is there again."""
        self.is_up = trio.Event()
        self.signal(number)
        await self.is_up.wait()

    def signal(self, number: signal.Signals) -> None:
        self.server.process.send_signal(number)

    async def pause(self, seconds: float) -> None:
        """Let it do nothing for so long."""
        self.signal(signal.SIGSTOP)
        try:
            await trio.sleep(seconds)
        finally:
            self.signal(signal.SIGCONT)


@dataclass
class Speaker:
    """Says ``nick/number`` in one room after the other, as fast as that is acknowledged, while it
    ``goes_on``.
    """

    nick: str
    everybody: trio.Event
    number: int = 0
    goes_on: bool = True
    refused: int = 0
    waiting: dict[str, str] = field(default_factory=dict)  # by token, said and not acknowledged
    acknowledged: dict[str, str] = field(default_factory=dict)  # by text, the id
    shown: list[tuple[str, str]] = field(default_factory=list)  # id and text, as they came
    rooms: set[str] = field(default_factory=set)
    room_left: trio.Semaphore = field(default_factory=lambda: trio.Semaphore(AT_ONCE))

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._talk, asked)
            async for message in messages:
                self._hear(message)
                if isinstance(message, Failed):
                    self.refused += 1
                    nursery.start_soon(asked.send, requests.ResendText(message.token))

    async def _talk(self, asked: RequestChannel) -> None:
        for room in ROOMS:
            await asked.send(requests.Join(room))
        await self.everybody.wait()
        while True:
            await self.room_left.acquire()
            if not self.goes_on:
                return
            text, token = f"{self.nick}/{self.number}", f"{self.nick}-{self.number:030}"
            self.waiting[token] = text
            await asked.send(requests.Say(text, ROOMS[self.number % len(ROOMS)], token=token))
            self.number += 1

    def _hear(self, message: Message) -> None:
        match message.said if isinstance(message, Earlier) else message:
            case InRoom(room):
                self.rooms.add(room)
            case Acknowledged(token, id):
                text = self.waiting.pop(token)
                self.acknowledged[text] = id
                self.shown.append((id, text))
                self.room_left.release()
            case Stamped(text=text, msgid=id):
                self.shown.append((id, text))


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that others do, while tasks here never rest."""
    with trio.fail_after(2 * PATIENCE):
        while not holds():  # noqa: ASYNC110 - there is no event for it
            await trio.sleep(0.02)


# ── what happens ───────────────────────────────────────────────────────────────────────────────


class Trouble:
    """What happens to nodes by turns, or to the engine. That has ``options``."""

    options: Sequence[str] = ("--appendonly", "yes", "--appendfsync", "everysec")

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.nodes: Sequence[Node] = ()
        self.lost = set[str]()  # the ids of entries that the engine has lost
        self.healed = set[str]()  # of these, those that it has in the end
        self.engine: RedisServer

    @asynccontextmanager
    async def engines(self) -> AsyncIterator[Sequence[str]]:
        """The engine as long as this lasts, and where it is for each node."""
        with running(self.folder / "redis", *self.options) as self.engine:
            yield [f"unix:{self.engine.path}?chat"] * len(NAMES)

    async def kill_engine(self) -> None:
        """Kill it, and start it again a moment later."""
        self.engine.kill()
        await trio.sleep(self.chance.uniform(0, 1))
        await trio.to_thread.run_sync(self.engine.start)

    async def happen(self, node: Node) -> None:
        """Let it happen once, and wait until the worst is over."""
        raise NotImplementedError


class NodeKilled(Trouble):
    async def happen(self, node: Node) -> None:
        await node.end(signal.SIGKILL)


class NodeRestarted(Trouble):
    """In order, as for an upgrade."""

    async def happen(self, node: Node) -> None:
        await node.end(signal.SIGTERM)


class NodePaused(Trouble):
    """For longer than its lease."""

    async def happen(self, node: Node) -> None:
        await node.pause(LEASE * self.chance.uniform(1.5, 2))


class NodeCut(Trouble):
    """Off the engine, for a shorter or longer time than its lease; and often its connections are
    lost, with all that is on its way.
    """

    @asynccontextmanager
    async def engines(self) -> AsyncIterator[Sequence[str]]:
        async with super().engines(), AsyncExitStack() as stack:
            self.cutters: dict[str, Cutter] = {}
            places = []
            for name in NAMES:
                way = cutting(self.engine, "chat")
                self.cutters[name], address = await stack.enter_async_context(way)
                places.append(f"redis://{address}/chat")
            yield places

    async def happen(self, node: Node) -> None:
        cutter = self.cutters[node.name]
        cutter.hold()
        await trio.sleep(LEASE * self.chance.uniform(0.05, 2))
        if self.chance.random() < 0.7:
            cutter.drop()
        cutter.release()


class Everything(NodeCut):
    """To two nodes at once, and at times to the engine as well."""

    options = ("--appendonly", "yes", "--appendfsync", "always")

    async def happen(self, node: Node) -> None:
        other = self.chance.choice([one for one in self.nodes if one is not node])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._let_something_happen, node)
            nursery.start_soon(self._let_something_happen, other)
            if self.chance.random() < 0.5:
                nursery.start_soon(self.kill_engine)

    async def _let_something_happen(self, node: Node) -> None:
        await trio.sleep(self.chance.uniform(0, 0.5))
        match self.chance.randrange(3):
            case 0:
                await node.end(signal.SIGKILL)
            case 1:
                await node.pause(LEASE * self.chance.uniform(0, 2))
            case _:
                await super().happen(node)


class EngineKilled(Trouble):
    """The journal has all that was answered."""

    options = ("--appendonly", "yes", "--appendfsync", "always")

    async def happen(self, node: Node) -> None:
        await self.kill_engine()


class PowerCut(Trouble):
    """The journal lacks the last second or two, as it does after a power cut."""

    options = (*Trouble.options, "--auto-aof-rewrite-percentage", "0")

    async def happen(self, node: Node) -> None:
        journal = self.folder / "redis/appendonlydir/appendonly.aof.1.incr.aof"
        size = journal.stat().st_size
        await trio.sleep(self.chance.uniform(0, 2))
        self.engine.kill()
        lost = journal.read_bytes()[size:]
        self.lost |= {padded(id) for id in _ADDED.findall(lost)}
        os.truncate(journal, size)
        await trio.to_thread.run_sync(self.engine.start)


class FailOver(Trouble):
    """To a replica that lacks the end."""

    @asynccontextmanager
    async def engines(self) -> AsyncIterator[Sequence[str]]:
        first, second, port = free_ports(3)
        common = (*self.options, "--repl-diskless-sync-delay", "0")
        replica = ("--port", str(second), "--replicaof", "127.0.0.1", str(first))
        # One that is only slow is not to be given up.
        patient = "sentinel down-after-milliseconds main 1500"
        with (
            running(self.folder / "one", *common, "--port", str(first)) as self.engine,
            running(self.folder / "two", *common, *replica) as self.replica,
            started(Sentinel(self.folder, port, first, patient)),
        ):
            await until(self._is_followed)
            yield [f"sentinel://127.0.0.1:{port}/main/chat"] * len(NAMES)

    async def happen(self, node: Node) -> None:
        self.engine.redis.config_set("requirepass", "which the replica does not have")
        self.engine.redis.execute_command("CLIENT", "KILL", "TYPE", "replica")
        await trio.sleep(self.chance.uniform(0, 0.5))
        last: Any = self.replica.redis.xrevrange("{chat}log", count=1)
        newer: Any = self.engine.redis.xrange("{chat}log", min=f"({last[0][0]}")
        self.lost |= {padded(id.encode()) for id, _ in newer}
        self.engine.kill()
        await until(lambda: self._role(self.replica)["role"] == "master")
        self.engine, self.replica = self.replica, self.engine
        await trio.to_thread.run_sync(self.replica.start)
        await until(self._is_followed)

    def _is_followed(self) -> bool:
        return self._role(self.replica).get("master_link_status") == "up"

    def _role(self, engine: RedisServer) -> dict[str, Any]:
        return engine.redis.info("replication")  # type: ignore[return-value]


# ── the chat ───────────────────────────────────────────────────────────────────────────────────


async def _trouble(trouble: Trouble, times: int) -> Sequence[Speaker]:
    """Let something happen so many times while all speak, and then let all come to rest."""
    everybody = trio.Event()
    speakers = [Speaker(name, everybody) for name in NAMES]
    async with trouble.engines() as places, trio.open_nursery() as nursery:
        for node, place in zip(trouble.nodes, places, strict=True):
            node.through = place
            nursery.start_soon(node.run)
            await node.is_up.wait()
        for number, speaker in enumerate(speakers):
            nursery.start_soon(run_chat, _settings(trouble.nodes, number), speaker.nick, speaker)
        await until(lambda: all(len(speaker.rooms) == len(ROOMS) for speaker in speakers))
        everybody.set()
        for number in range(times):
            await trio.sleep(trouble.chance.uniform(0.2, 2.5))
            await trouble.happen(trouble.nodes[number % len(trouble.nodes)])
        await _come_to_rest(trouble, speakers)
        nursery.cancel_scope.cancel("everybody has everything")
    return speakers


def _settings(nodes: Sequence[Node], number: int) -> Settings:
    """Of a client that begins at a node of its own."""
    first, *others = (*nodes[number:], *nodes[:number])
    places = tuple(f"127.0.0.1:{node.port}" for node in others)
    client = ClientSettings(room=ROOMS[0], retry=True, protocol="irc", others=places)
    return Settings(port=first.port, client=client)


async def _come_to_rest(trouble: Trouble, speakers: Sequence[Speaker]) -> None:
    for speaker in speakers:
        speaker.goes_on = False
    await until(lambda: not any(speaker.waiting for speaker in speakers))
    said = sum(speaker.number for speaker in speakers)
    await until(lambda: all(len(speaker.shown) >= said for speaker in speakers))
    last = max(max(speaker.acknowledged.values()) for speaker in speakers)
    await until(lambda: all(_reaches(node.file, last) for node in trouble.nodes))
    log: Any = trouble.engine.redis.xrange("{chat}log")
    trouble.healed = trouble.lost & {padded(id.encode()) for id, _ in log}


def _reaches(file: Path, last: str) -> bool:
    moment = int(last.partition("-")[0])
    return any(e.id >= last for e in export(file, rooms=(), since=moment - 10_000))


# ── what has become of it ──────────────────────────────────────────────────────────────────────


def _check(trouble: Trouble, speakers: Sequence[Speaker]) -> str:
    copies = [_history(node.file) for node in trouble.nodes]
    last = min(max(e.id for e in copy if isinstance(e.event, Said)) for copy in copies)
    copies = [[entry for entry in copy if entry.id <= last] for copy in copies]
    history = {e.id: e.event.text for e in copies[0] if isinstance(e.event, Said)}
    twice = [text for text, count in Counter(history.values()).items() if count > 1]
    shown = [pair for speaker in speakers for pair in speaker.shown]
    unseen = [pair for pair in shown if history.get(pair[0]) != pair[1]]
    acknowledged = [pair for speaker in speakers for pair in speaker.acknowledged.items()]
    unkept = [text for text, id in acknowledged if history.get(id) != text]
    differ = [
        node.name for node, copy in zip(trouble.nodes, copies, strict=True) if copy != copies[0]
    ]
    unordered = [s.nick for s in speakers if not _is_whole(s, copies[0])]
    said = sum(speaker.number for speaker in speakers)
    events = sum((node.events for node in trouble.nodes), Counter[str]())
    report = (
        f"{said} said, {len(acknowledged)} acknowledged, {len(history)} in each of {len(copies)} "
        f"files, {len(shown)} shown; lost of what was shown: {len(unseen)}, of what was "
        f"acknowledged: {len(unkept)}, twice: {len(twice)}, not whole or out of order: "
        f"{len(unordered)}, files that differ: {len(differ)}; refused and sent again: "
        f"{sum(s.refused for s in speakers)}; nodes that started anew: {events['node-lost']}; lost "
        f"by the engine: {len(trouble.lost)}, given back: {len(trouble.healed)}"
    )
    assert unseen == unkept == twice == unordered == differ == [], report
    assert all(speaker.number for speaker in speakers), report
    assert len(history) == said == len(acknowledged), report
    return report


def _history(file: Path) -> Sequence[Entry]:
    return [*export(file, rooms=(), since=0)]


def _is_whole(speaker: Speaker, history: Sequence[Entry]) -> bool:
    """Whether it was shown all that was said, once, and in the order of each room."""
    rooms = {e.id: e.event.room for e in history if isinstance(e.event, Said)}
    return all(
        [id for id, _ in speaker.shown if rooms.get(id) == room]
        == [id for id, name in rooms.items() if name == room]
        for room in ROOMS
    )


def _times(kind: type[Trouble], variable: str, default: int) -> Any:
    return pytest.param(kind, int(os.environ.get(variable, default)), id=kind.__name__)


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        _times(NodeKilled, "NODE_KILLS", 10),
        _times(NodeRestarted, "NODE_RESTARTS", 6),
        _times(NodePaused, "NODE_PAUSES", 4),
        _times(NodeCut, "NODE_CUTS", 6),
        _times(EngineKilled, "ENGINE_KILLS", 6),
        _times(PowerCut, "ENGINE_KILLS", 6),
        _times(FailOver, "FAIL_OVERS", 2),
        _times(Everything, "EVERYTHING", 5),
    ],
)
async def test_all_nodes_and_all_people_have_the_same(
    kind: type[Trouble], times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await happens(kind(tmp_path, random.Random(times)), times, monkeypatch)
    print(f"\n{kind.__name__}, {times} times: {told}", file=sys.stderr)


async def happens(trouble: Trouble, times: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let something happen so many times; returns what has become of it."""
    monkeypatch.setattr(backoff, "_FIRST", 0.05)
    monkeypatch.setattr(backoff, "_LAST", 0.2)
    with ExitStack() as stack:
        ports = [stack.enter_context(free_port()) for _ in NAMES]
        trouble.nodes = [
            Node(name, port, trouble.folder) for name, port in zip(NAMES, ports, strict=True)
        ]
        return _check(trouble, await _trouble(trouble, times))
