"""The server is killed under load, again and again, and started again on the same file.

Clients say numbered messages as fast as they are acknowledged, in several rooms. What one of them
was shown must be in the history afterwards: with the same id and text, in the same order. What
was acknowledged must be there too; what was not, is sent again, and must not be there twice.

Whoever has an account has a second device, which says nothing, or as much as the first. In each
life of the server a device must be shown all that was said in its room from its first message to
its last, once and in order. What it sends again it may be shown alone.
"""

import os
import random
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import trio

from certificates import connect, issue
from owners import PASSWORD, register
from processes import free_port, running_server
from trio_chat.core.events import Entry, Said
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.storage.sqlite.export import export

# For so many that it takes minutes.
LONG = (pytest.mark.soak, pytest.mark.timeout(1800))

# What each account has; with "one", there are none.
Devices = Literal["one", "one that listens, too", "two that write"]

CLIENTS, ROOMS, AT_ONCE = 8, ("#lobby", "#tea"), 20

SETTINGS = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_ACCOUNTS__ITERATIONS": "4096",
    # A busy machine may need longer than usual for a handshake.
    "TRIO_CHAT_SERVER__GREETING_DELAY": "10",
    "TRIO_CHAT_LOG__LEVEL": "warning",
}


@dataclass
class Client:
    """Says ``nick/number`` in its room, as one of its owner's devices; knows what it was
    shown, and of what it was told that.
    """

    nick: str
    room: str
    port: int
    over_tls: bool
    has_account: bool
    device: str = ""
    listens: bool = False  # on a second device
    number: int = 0
    waiting: deque[str] = field(default_factory=deque)  # said, and not yet acknowledged
    acknowledged: dict[str, str] = field(default_factory=dict)  # by text, the id
    shown: list[tuple[str, str]] = field(default_factory=list)  # id and text, as they came
    # Of each life of a device: what it sends again, and the ids of all else that it is shown.
    lives: list[tuple[frozenset[str], list[str]]] = field(default_factory=list)

    async def live(self, goes_on: bool) -> None:
        """Until the server is gone; or until all is acknowledged, unless it ``goes_on``."""
        with suppress(OSError, trio.BrokenResourceError):
            async with await connect(self.port, over_tls=self.over_tls) as stream:
                await stream.send_all(self._introduction())
                await self._converse(stream, goes_on)

    async def listen(self) -> None:
        """Be there with the second device until the server is gone."""
        ids = list[str]()
        self.lives.append((frozenset(), ids))
        with suppress(OSError, trio.BrokenResourceError):
            async with await connect(self.port, over_tls=self.over_tls) as stream:
                await stream.send_all(self._introduction())
                async for message in _messages(stream):
                    if message.command == "PRIVMSG" and "batch" not in message.tags:
                        ids.append(message.tags["msgid"])

    def _introduction(self) -> bytes:
        password = f"PASS {self.nick}:{PASSWORD}\r\n" if self.has_account else ""
        return (
            f"{password}CAP REQ :message-tags server-time echo-message batch\r\n"
            f"CAP REQ trio-chat/identity\r\nIDENTITY {hash(self._mark) % 10**9:064}\r\n"
            f"NICK {self.nick}\r\nUSER u 0 * :n\r\nCAP END\r\nJOIN {self.room}\r\n"
        ).encode()

    async def _converse(self, stream: trio.abc.Stream, goes_on: bool) -> None:
        buffer, inside = b"", False
        again, ids = frozenset(self.waiting), list[str]()
        self.lives.append((again, ids))
        while data := await stream.receive_some():
            *lines, buffer = (buffer + data).split(b"\r\n")
            for line in lines:
                message = parse(line.decode())
                assert message
                if message.command == "366" and not inside:  # the other device may enter first
                    inside = True
                    await stream.send_all(b"".join(map(self._line, self.waiting)))
                    await stream.send_all(self._say_more())
                elif message.command == "PRIVMSG" and "batch" not in message.tags:
                    if self._note(message) and message.params[1] not in again:
                        ids.append(message.tags["msgid"])
                elif message.command == "PING":
                    await stream.send_all(b"PONG x\r\n")
            if inside and goes_on:
                await stream.send_all(self._say_more())
            if inside and not goes_on and not self.waiting:
                return

    def _note(self, message: Message) -> bool:
        """Note a message; returns whether it comes in its turn."""
        id, text = message.tags["msgid"], message.params[1]
        if text.partition("/")[0] == self._mark:
            if text in self.waiting:
                self.waiting.remove(text)
            assert self.acknowledged.setdefault(text, id) == id
            if self.shown and id <= self.shown[-1][0]:
                return False  # it was there when it was sent again: we are told of it alone
        self.shown.append((id, text))
        return True

    @property
    def _mark(self) -> str:
        """How its texts begin."""
        return f"{self.nick}{self.device}"

    def _say_more(self) -> bytes:
        fresh = [f"{self._mark}/{self.number + n}" for n in range(AT_ONCE - len(self.waiting))]
        self.number += len(fresh)
        self.waiting += fresh
        return b"".join(map(self._line, fresh))

    def _line(self, text: str) -> bytes:
        token = text.replace("/", "-").rjust(32, "0")
        return f"@+trio-chat/id={token} PRIVMSG {self.room} :{text}\r\n".encode()


async def _messages(stream: trio.abc.Stream) -> AsyncIterator[Message]:
    """What comes; PING is answered."""
    buffer = b""
    while data := await stream.receive_some():
        *lines, buffer = (buffer + data).split(b"\r\n")
        for line in lines:
            message = parse(line.decode())
            assert message
            if message.command == "PING":
                await stream.send_all(b"PONG x\r\n")
            yield message


def _clients(port: int, *, over_tls: bool, devices: Devices) -> list[Client]:
    """Each by itself, or with a second device that listens; or two at a time on one account."""
    if devices == "two that write":
        return [
            Client(f"c{n // 2}", ROOMS[n // 2 % len(ROOMS)], port, over_tls, True, "ab"[n % 2])
            for n in range(CLIENTS)
        ]
    listens = devices == "one that listens, too"
    return [
        Client(f"c{n}", ROOMS[n % len(ROOMS)], port, over_tls, listens, listens=listens)
        for n in range(CLIENTS)
    ]


async def _kill_again_and_again(
    kills: int, chance: random.Random, *, over_tls: bool, devices: Devices, **variables: str
) -> list[Client]:
    with free_port() as port:
        clients = _clients(port, over_tls=over_tls, devices=devices)
        accounts = devices != "one"
        if accounts:
            async with running_server(port=port, **SETTINGS, **variables):
                await register(port, *{client.nick: None for client in clients})
        for left in range(kills, -1, -1):
            async with (
                running_server(port=port, **SETTINGS, **variables) as server,
                trio.open_nursery() as listening,
            ):
                async with trio.open_nursery() as nursery:
                    for client in clients:
                        nursery.start_soon(client.live, bool(left))
                        if client.listens:
                            listening.start_soon(client.listen)
                    if left:
                        await trio.sleep(chance.uniform(0.05, 2 if accounts else 0.6))
                        server.process.kill()
                listening.cancel_scope.cancel()
    return clients


def _check(clients: list[Client], history: list[Entry]) -> str:
    texts = Counter(entry.event.text for entry in history)  # type: ignore[union-attr]
    twice = [text for text, count in texts.items() if count > 1]
    by_id = {entry.id: entry.event.text for entry in history}  # type: ignore[union-attr]
    shown = [pair for client in clients for pair in client.shown]
    lost = [pair for pair in shown if by_id.get(pair[0]) != pair[1]]
    acknowledged = [pair for client in clients for pair in client.acknowledged.items()]
    unkept = [text for text, id in acknowledged if by_id.get(id) != text]
    gaps = [client.nick for client in clients if not _is_whole(client, history)]
    heard = sum(len(ids) for client in clients for _, ids in client.lives)
    said = sum(client.number for client in clients)
    unordered = [
        c.nick for c in clients if [id for id, _ in c.shown] != sorted({id for id, _ in c.shown})
    ]
    report = (
        f"{said} said, {len(history)} in the history, {len(shown)} shown, "
        f"{len(acknowledged)} acknowledged; lost of what was shown: {len(lost)}, of what was "
        f"acknowledged: {len(unkept)}, twice: {len(twice)}, out of order: {len(unordered)}; "
        f"{heard} shown to all devices, not whole: {len(gaps)}"
    )
    assert lost == unkept == twice == unordered == gaps == [], report
    assert all(client.number for client in clients), report
    assert len(history) == said == len(acknowledged), report
    return report


def _is_whole(client: Client, history: list[Entry]) -> bool:
    """Whether its devices were shown all from their first message to their last, in each life."""
    said = [(e.id, e.event.text) for e in history if e.event.room == client.room]  # type: ignore[union-attr]
    return all(
        ids == [id for id, text in said if ids[0] <= id <= ids[-1] and text not in again]
        for again, ids in client.lives
        if ids
    )


@pytest.mark.parametrize(
    ("over_tls", "devices"),
    [
        (False, "one"),
        (True, "one"),
        (True, "one that listens, too"),
        (False, "two that write"),
    ],
)
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, marks=pytest.mark.slow),
        pytest.param(int(os.environ.get("KILLS", "100")), marks=LONG),
    ],
)
async def test_nothing_is_lost_and_nothing_is_there_twice(
    kills: int, over_tls: bool, devices: Devices, tmp_path: Path
) -> None:
    file, files = tmp_path / "chat.db", issue(tmp_path / "tls")
    variables = files.variables | {"TRIO_CHAT_HISTORY__STORE": str(file)}
    clients = await _kill_again_and_again(
        kills, random.Random(kills), over_tls=over_tls, devices=devices, **variables
    )
    history = [e for e in export(file, rooms=(), since=0) if isinstance(e.event, Said)]
    print(f"\n{kills} kills: {_check(clients, history)}", file=sys.stderr)
