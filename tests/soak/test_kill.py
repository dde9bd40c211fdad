"""The server is killed under load, again and again, and started again on the same file.

Clients say numbered messages as fast as they are acknowledged, in several rooms. What one of them
was shown must be in the history afterwards: with the same id and text, in the same order. What
was acknowledged must be there too; what was not, is sent again, and must not be there twice.

Whoever has an account has a second device, which says nothing: of each life of the server it must
be shown all that was said in its room from its first message to its last, once and in order.
"""

import os
import random
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

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

CLIENTS, ROOMS, AT_ONCE = 8, ("#lobby", "#tea"), 20

SETTINGS = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_ACCOUNTS__ITERATIONS": "4096",
    "TRIO_CHAT_LOG__LEVEL": "warning",
}


@dataclass
class Client:
    """Says ``nick/number`` in its room; knows what it was shown, and of what it was told that."""

    nick: str
    room: str
    port: int
    over_tls: bool
    has_account: bool
    number: int = 0
    waiting: deque[str] = field(default_factory=deque)  # said, and not yet acknowledged
    acknowledged: dict[str, str] = field(default_factory=dict)  # by text, the id
    shown: list[tuple[str, str]] = field(default_factory=list)  # id and text, as they came

    lives: list[list[str]] = field(default_factory=list)  # ids shown to the second device

    async def live(self, goes_on: bool) -> None:
        """Until the server is gone; or until all is acknowledged, unless it ``goes_on``."""
        with suppress(OSError, trio.BrokenResourceError):
            async with await connect(self.port, over_tls=self.over_tls) as stream:
                await stream.send_all(self._introduction())
                await self._converse(stream, goes_on)

    async def listen(self) -> None:
        """Be there with the second device until the server is gone."""
        with suppress(OSError, trio.BrokenResourceError):
            async with await connect(self.port, over_tls=self.over_tls) as stream:
                await stream.send_all(self._introduction())
                self.lives.append([])
                async for message in _messages(stream):
                    if message.command == "PRIVMSG" and "batch" not in message.tags:
                        self.lives[-1].append(message.tags["msgid"])

    def _introduction(self) -> bytes:
        password = f"PASS {self.nick}:{PASSWORD}\r\n" if self.has_account else ""
        return (
            f"{password}CAP REQ :message-tags server-time echo-message batch\r\n"
            f"CAP REQ trio-chat/identity\r\nIDENTITY {hash(self.nick) % 10**9:064}\r\n"
            f"NICK {self.nick}\r\nUSER u 0 * :n\r\nCAP END\r\nJOIN {self.room}\r\n"
        ).encode()

    async def _converse(self, stream: trio.abc.Stream, goes_on: bool) -> None:
        buffer, inside = b"", False
        self.last = []
        while data := await stream.receive_some():
            *lines, buffer = (buffer + data).split(b"\r\n")
            for line in lines:
                message = parse(line.decode())
                assert message
                self.last.append(line[:110].decode()) if len(
                    self.last
                ) < 40 and b" PRIVMSG " not in line else None
                self.inside = inside
                if message.command == "366" and not inside:  # the other device may enter first
                    inside = True
                    await stream.send_all(b"".join(map(self._line, self.waiting)))
                    await stream.send_all(self._say_more())
                elif message.command == "PRIVMSG" and "batch" not in message.tags:
                    self._note(message)
                elif message.command == "PING":
                    await stream.send_all(b"PONG x\r\n")
            if inside and goes_on:
                await stream.send_all(self._say_more())
            if inside and not goes_on and not self.waiting:
                return

    def _note(self, message: Message) -> None:
        id, text = message.tags["msgid"], message.params[1]
        if message.nick == self.nick:
            if text in self.waiting:
                self.waiting.remove(text)
            assert self.acknowledged.setdefault(text, id) == id
            if self.shown and id <= self.shown[-1][0]:
                return  # it was there already when it was sent again: we are told of it alone
        self.shown.append((id, text))

    def _say_more(self) -> bytes:
        fresh = [f"{self.nick}/{self.number + n}" for n in range(AT_ONCE - len(self.waiting))]
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


async def _kill_again_and_again(
    kills: int, chance: random.Random, *, over_tls: bool, accounts: bool, **variables: str
) -> list[Client]:
    with free_port() as port:
        clients = [
            Client(f"c{n}", ROOMS[n % len(ROOMS)], port, over_tls, accounts) for n in range(CLIENTS)
        ]
        if accounts:
            async with running_server(port=port, **SETTINGS, **variables):
                await register(port, *(client.nick for client in clients))
        for left in range(kills, -1, -1):
            async with (
                running_server(port=port, **SETTINGS, **variables) as server,
                trio.open_nursery() as listening,
            ):
                async with trio.open_nursery() as nursery:
                    for client in clients:
                        nursery.start_soon(client.live, bool(left))
                        if accounts:
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
    heard = sum(len(ids) for client in clients for ids in client.lives)
    said = sum(client.number for client in clients)
    unordered = [
        c.nick for c in clients if [id for id, _ in c.shown] != sorted({id for id, _ in c.shown})
    ]
    report = (
        f"{said} said, {len(history)} in the history, {len(shown)} shown, "
        f"{len(acknowledged)} acknowledged; lost of what was shown: {len(lost)}, of what was "
        f"acknowledged: {len(unkept)}, twice: {len(twice)}, out of order: {len(unordered)}; "
        f"{heard} shown to second devices, not whole: {len(gaps)}"
    )
    assert lost == unkept == twice == unordered == gaps == [], report
    assert len(history) == said == len(acknowledged), report
    return report


def _is_whole(client: Client, history: list[Entry]) -> bool:
    """Whether the second device was shown all from its first message to its last, in each life."""
    ids = [entry.id for entry in history if entry.event.room == client.room]  # type: ignore[union-attr]
    return all(
        life == [id for id in ids if life[0] <= id <= life[-1]] for life in client.lives if life
    )


@pytest.mark.parametrize(
    ("over_tls", "accounts"),
    [(False, False), (True, False), (True, True)],
    ids=["clear", "TLS", "TLS with accounts"],
)
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, marks=pytest.mark.slow),
        pytest.param(int(os.environ.get("KILLS", "100")), marks=LONG),
    ],
)
async def test_nothing_is_lost_and_nothing_is_there_twice(
    kills: int, over_tls: bool, accounts: bool, tmp_path: Path
) -> None:
    file, files = tmp_path / "chat.db", issue(tmp_path / "tls")
    variables = files.variables | {"TRIO_CHAT_HISTORY__STORE": str(file)}
    clients = await _kill_again_and_again(
        kills, random.Random(kills), over_tls=over_tls, accounts=accounts, **variables
    )
    history = [e for e in export(file, rooms=(), since=0) if isinstance(e.event, Said)]
    print(f"\n{kills} kills: {_check(clients, history)}", file=sys.stderr)
