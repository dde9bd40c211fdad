"""Clients behind a network that cuts, stalls and forgets: all end with the same messages.

Each client of ours says numbered lines. The proxy between them and the server ends connections at
random places, also in the middle of a line. It loses what was on its way, or holds it back for a
while first; and now and then it leaves the server's end open, so that the server believes that the
client is still there. In the end every client has seen every message of its room exactly once, and
all of them in the order of the history.
"""

import os
import random
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio

from processes import running_server
from trio_chat.client import backoff
from trio_chat.client import line_mode as talking
from trio_chat.core.events import Joined, Said
from trio_chat.protocols.client import Earlier, Message
from trio_chat.settings import ClientSettings, Settings
from trio_chat.storage.sqlite.export import export

# For so many that it takes minutes.
LONG = (pytest.mark.soak, pytest.mark.timeout(1800))

LIMITS_OFF = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_LOG__LEVEL": "warning",
}
ROOMS = ("#lobby", "#tea")
_HALF_OPEN = 2.0  # seconds that the server believes in a client that has gone
_STALL = 0.2  # seconds


@dataclass
class Network:
    """A proxy on ``port``: it ends ``cuts`` connections, and from then on it is a good one."""

    server: int
    cuts: int
    chance: random.Random
    made: int = 0
    port: int = 0

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started()
        async with listeners[0]:
            await trio.serve_listeners(self._carry, listeners)

    async def _carry(self, client: trio.SocketStream) -> None:
        async with await trio.open_tcp_stream("127.0.0.1", self.server) as server:
            async with client, trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, client, server, nursery.cancel_scope)
                nursery.start_soon(self._pump, server, client, nursery.cancel_scope)
            if self.chance.random() < 0.2:
                await trio.sleep(_HALF_OPEN)

    async def _pump(
        self, source: trio.SocketStream, sink: trio.SocketStream, both: trio.CancelScope
    ) -> None:
        left = self.chance.randrange(100, 20_000)
        with suppress(trio.BrokenResourceError):
            async for data in source:
                left -= len(data)
                if left < 0 and self.made < self.cuts:
                    self.made += 1
                    if self.chance.random() < 0.3:
                        await trio.sleep(_STALL)
                    await sink.send_all(data[: self.chance.randrange(len(data))])
                    both.cancel()
                await sink.send_all(data)
        with suppress(trio.BrokenResourceError):
            await sink.send_eof()


@dataclass
class Person:
    """Says so many ``lines`` once ``everybody`` is in; leaves when all has been heard."""

    nick: str
    lines: int
    expected: int
    everybody: trio.Event
    heard: list[str] = field(default_factory=list)
    inside: trio.Event = field(default_factory=trio.Event)
    complete: trio.Event = field(default_factory=trio.Event)

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        async with lines:
            await self.everybody.wait()
            for number in range(self.lines):
                await lines.send(f"{self.nick}/{number}")
            await self.complete.wait()

    async def write(self, messages: trio.MemoryReceiveChannel[Message]) -> None:
        async for message in messages:
            if isinstance(message, Joined) and message.nick == self.nick:
                self.inside.set()
            said = message.said if isinstance(message, Earlier) else message
            if isinstance(said, Said):
                self.heard.append(said.text)
                if len(set(self.heard)) >= self.expected:
                    self.complete.set()


async def _talk(people: int, lines: int, cuts: int, file: Path) -> tuple[list[Person], Network]:
    each = people // len(ROOMS) * lines  # messages in a room
    everybody = trio.Event()
    persons = [Person(f"p{n}", lines, each, everybody) for n in range(people)]
    async with (
        running_server(patience=1800, TRIO_CHAT_HISTORY__STORE=str(file), **LIMITS_OFF) as server,
        trio.open_nursery() as nursery,
    ):
        network = Network(server.port, cuts, random.Random(cuts))
        await nursery.start(network.run)
        async with trio.open_nursery() as talks:
            for number, person in enumerate(persons):
                client = ClientSettings(room=ROOMS[number % len(ROOMS)], retry=True)
                settings = Settings(port=network.port, client=client)
                talks.start_soon(talking.talk, settings, person.nick, person)
            for person in persons:
                await person.inside.wait()
            everybody.set()
        nursery.cancel_scope.cancel()
    return persons, network


@pytest.mark.parametrize(
    ("people", "lines", "cuts"),
    [
        (4, 100, 12),
        pytest.param(20, 1000, int(os.environ.get("CUTS", "1000")), marks=LONG),
    ],
)
async def test_everybody_has_every_message_once_and_in_one_order(
    people: int, lines: int, cuts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "_FIRST", 0.05)
    monkeypatch.setattr(backoff, "_LAST", 0.2)
    file = tmp_path / "chat.db"
    persons, network = await _talk(people, lines, cuts, file)
    in_order = {
        room: [
            e.event.text for e in export(file, rooms=[room], since=0) if isinstance(e.event, Said)
        ]
        for room in ROOMS
    }
    wrong = 0
    for number, person in enumerate(persons):
        wrong += person.heard != in_order[ROOMS[number % len(ROOMS)]]
    stored = [text for texts in in_order.values() for text in texts]
    report = (
        f"{people} people, {network.made} cuts, {people * lines} said, {len(stored)} stored, "
        f"{len(stored) - len(set(stored))} of them twice; {wrong} people heard something else"
    )
    print(f"\n{report}", file=sys.stderr)
    assert len(stored) == len(set(stored)) == people * lines, report
    assert not wrong, report
