"""Clients behind a network that cuts, stalls and forgets: all end with the same messages.

Each client of ours says numbered lines in all rooms, and to another in private. The proxy between
them and the server ends connections at random places, also in the middle of a line. It loses what
was on its way, or holds it back for a while first; and now and then it leaves the server's end
open, so that the server believes that the client is still there. Nobody can say something to a
person whom the server believes to have gone: such texts fail, and are sent again. In the end every
client has every message of every room exactly once and in the order of the history, and all that
was said to it exactly once.
"""

import os
import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio

from certificates import issue
from owners import PASSWORD, register
from processes import running_server
from trio_chat.client import backoff, requests
from trio_chat.client.runner import MessageChannel, RequestChannel, run_chat
from trio_chat.core.events import Said
from trio_chat.protocols.client import Acknowledged, Earlier, Failed, InRoom, Message, Sent
from trio_chat.settings import ClientSettings, Settings
from trio_chat.storage.sqlite.export import export

# For so many that it takes minutes.
LONG = (pytest.mark.soak, pytest.mark.timeout(1800))

SETTINGS = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_ACCOUNTS__ITERATIONS": "4096",
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
    """Says so many ``lines`` in each room and to ``friend``; ``private`` is said to them."""

    nick: str
    friend: str
    lines: int
    people: int
    everybody: trio.Event
    heard: dict[str, list[str]] = field(default_factory=lambda: {room: [] for room in ROOMS})
    private: list[str] = field(default_factory=list)
    ours: dict[str, Sent] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)
    inside: trio.Event = field(default_factory=trio.Event)
    complete: trio.Event = field(default_factory=trio.Event)

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._talk, asked)
            async for message in messages:
                self._hear(message)
                if isinstance(message, Failed):
                    nursery.start_soon(asked.send, requests.ResendText(message.token))

    async def _talk(self, asked: RequestChannel) -> None:
        for room in ROOMS:
            await asked.send(requests.Join(room))
        await self.everybody.wait()
        for number in range(self.lines):
            for target in (*ROOMS, self.friend):
                await asked.send(requests.Say(f"{self.nick}/{target}/{number}", target))

    def _hear(self, message: Message) -> None:
        said = message.said if isinstance(message, Earlier) else message
        match said:
            case InRoom(room):
                self.rooms.add(room)
                if len(self.rooms) == len(ROOMS):
                    self.inside.set()
            case Sent(token):
                self.ours[token] = said
            case Acknowledged(token):
                self._arrived(self.ours[token])
            case Said(room=room, text=text):
                (self.heard[room] if room else self.private).append(text)
        if self._is_complete():
            self.complete.set()

    def _arrived(self, text: Sent) -> None:
        if text.target in self.heard:
            self.heard[text.target].append(text.text)
        self.arrived.add(text.token)

    def _is_complete(self) -> bool:
        each = self.people * self.lines
        rooms = all(len(texts) >= each for texts in self.heard.values())
        mine = len(self.arrived) == self.lines * (len(ROOMS) + 1)
        return rooms and mine and len(self.private) >= self.lines


@pytest.mark.parametrize(
    ("over_tls", "accounts"),
    [(False, False), (True, False), (True, True)],
    ids=["clear", "TLS", "TLS with accounts"],
)
@pytest.mark.parametrize(
    ("people", "lines", "cuts"),
    [
        pytest.param(4, 25, 8, marks=pytest.mark.slow),
        pytest.param(12, 500, int(os.environ.get("CUTS", "500")), marks=LONG),
    ],
)
async def test_everybody_has_everything_of_every_room_and_in_private_once(
    people: int,
    lines: int,
    cuts: int,
    over_tls: bool,
    accounts: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, files = tmp_path / "chat.db", issue(tmp_path / "tls")
    variables = SETTINGS | {"TRIO_CHAT_HISTORY__STORE": str(file)}
    if over_tls:
        variables |= files.variables
    monkeypatch.setattr(backoff, "_FIRST", 0.05)
    monkeypatch.setattr(backoff, "_LAST", 0.2)
    everybody = trio.Event()
    persons = [
        Person(f"p{n}", f"p{(n + 1) % people}", lines, people, everybody) for n in range(people)
    ]
    async with (
        running_server(patience=1800, **variables) as server,
        trio.open_nursery() as nursery,
    ):
        if accounts:
            await register(server.port, *(person.nick for person in persons))
        network = Network(server.port, cuts, random.Random(cuts))
        await nursery.start(network.run)
        for person in persons:
            login = {"account": person.nick, "account_password": PASSWORD} if accounts else {}
            pin = files.pin if over_tls else ""
            client = ClientSettings(room=ROOMS[0], retry=True, protocol="irc", pin=pin, **login)
            settings = Settings(port=network.port, client=client)
            nursery.start_soon(run_chat, settings, person.nick, person)
        for person in persons:
            await person.inside.wait()
        everybody.set()
        for person in persons:
            await person.complete.wait()
        nursery.cancel_scope.cancel("everybody has everything")
    for room in ROOMS:
        events = [entry.event for entry in export(file, rooms=[room], since=0)]
        in_order = [event.text for event in events if isinstance(event, Said)]
        assert len(in_order) == len(set(in_order)) == people * lines
        for person in persons:
            assert person.heard[room] == in_order
    for number, person in enumerate(persons):
        friend = persons[number - 1].nick
        expected = [f"{friend}/{person.nick}/{number}" for number in range(lines)]
        assert sorted(person.private) == sorted(expected)
