"""A day of a server's life, in minutes.

People talk, guests come and go by the thousand, and what is old goes from the history. Each hour
its settings are read again, its certificate is replaced, its log is turned up or down, a backup is
made, and the disk is full for a while. In the evening the server is as large as in the morning,
and nobody has missed anything.
"""

import os
import re
import resource
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest
import trio

from certificates import connect, issue
from processes import PATIENCE, Running, run, running_server
from trio_chat.protocols.irc.message import Message, parse

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

HOURS = int(os.environ.get("TRIO_CHAT_TESTS_HOURS", "24"))
GUESTS = int(os.environ.get("TRIO_CHAT_TESTS_GUESTS", "100000")) // HOURS  # in an hour
MORNING = HOURS // 4  # until then caches fill up

RESIDENTS, SAID, AT_ONCE = 6, 400, 20

SETTINGS = """\
TRIO_CHAT_HISTORY__PER_ROOM=1000
TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND=1000000
TRIO_CHAT_LIMITS__MESSAGE_BURST=1000000
TRIO_CHAT_LIMITS__CONNECTIONS_PER_ADDRESS=1000
TRIO_CHAT_LIMITS__WRITERS_PER_ADDRESS=1000
TRIO_CHAT_LOG__LEVEL=warning
TRIO_CHAT_SERVER__GREETING_DELAY=10
TRIO_CHAT_TLS__CERTIFICATE={folder}/certificate.pem
TRIO_CHAT_TLS__KEY={folder}/key.pem
TRIO_CHAT_OPS__LISTEN=unix:{folder}/ops
"""


def store(folder: Path) -> dict[str, str]:
    """The setting that the environment of a test has to say."""
    return {"TRIO_CHAT_HISTORY__STORE": f"{folder}/chat.db"}


def write_settings(folder: Path, hour: int) -> Path:
    """Write the settings of an hour to a file, and its certificate."""
    issue(folder)
    file = folder / "trio-chat.env"
    file.write_text(SETTINGS.format(folder=folder) + f"TRIO_CHAT_HISTORY__REPLAY={hour % 7}\n")
    return file


@dataclass
class Resident:
    """Stays all day; knows what it has said and what it was shown."""

    nick: str
    stream: trio.abc.Stream
    said: int = 0
    shown: list[str] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)  # the last number of each
    refused: int = 0
    inside: trio.Event = field(default_factory=trio.Event)
    news: trio.Event = field(default_factory=trio.Event)

    async def come(self) -> None:
        await self.stream.send_all(
            b"CAP REQ :message-tags echo-message no-implicit-names\r\nNICK %b\r\nUSER u 0 * :n\r\n"
            b"CAP END\r\nJOIN #tea\r\n" % self.nick.encode()
        )

    async def listen(self) -> None:
        async for message in messages(self.stream):
            if message.command == "PING":
                await self.stream.send_all(b"PONG x\r\n")
            elif message.command == "JOIN" and message.nick == self.nick:
                self.inside.set()
            elif message.command == "PRIVMSG" and message.params[0] == "#tea":
                self.shown.append(message.params[1])
                nick, _, number = message.params[1].partition("/")
                self.reached[nick] = int(number or -1)
            elif message.command == "FAIL" or "cannot be stored" in message.params[-1]:
                self.refused += 1
            else:
                continue
            self.news.set()
            self.news = trio.Event()

    async def say(self, number: int) -> None:
        """Say so many numbered lines, a few at a time, and wait until they are shown."""
        last = self.said + number
        while self.said < last:
            some = range(self.said, min(self.said + AT_ONCE, last))
            await self.stream.send_all(b"".join(map(self._line, some)))
            self.said = some.stop
            await self.until_shown(self.nick, some[-1])

    async def say_in_vain(self) -> None:
        """Say something that is refused."""
        refused = self.refused
        await self.stream.send_all(b"PRIVMSG #tea :in vain\r\n")
        while self.refused == refused:
            await self.news.wait()

    async def until_shown(self, nick: str, number: int) -> None:
        with trio.fail_after(PATIENCE):
            while self.reached.get(nick, -1) < number:
                await self.news.wait()

    def _line(self, number: int) -> bytes:
        return b"PRIVMSG #tea :%b/%d\r\n" % (self.nick.encode(), number)


async def messages(stream: trio.abc.Stream) -> AsyncIterator[Message]:
    buffer = b""
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        while data := await stream.receive_some():
            *lines, buffer = (buffer + data).split(b"\r\n")
            for line in lines:
                message = parse(line.decode())
                assert message
                yield message


async def visit(port: int, number: int) -> None:
    """Somebody comes, says something in the lobby, and leaves. Every tenth comes over TLS, another
    tenth types, and a third tenth goes without a word.
    """
    name = f"g{number}"
    hello = f"NICK {name}\r\nUSER u 0 * :n\r\nJOIN #lobby\r\nPRIVMSG #lobby :hello\r\nQUIT :bye\r\n"
    if number % 10 == 1:
        hello = f"{name}\nhello\n/quit\n"
    async with await connect(port, over_tls=number % 10 == 0) as stream:
        await stream.send_all(hello.encode())
        if number % 10 == 2:
            return
        with suppress(trio.BrokenResourceError):
            async for _ in stream:
                pass


async def crowd(port: int, hour: int) -> None:
    """An hour's guests."""
    numbers = iter(range(hour * GUESTS, (hour + 1) * GUESTS))

    async def one_after_the_other() -> None:
        for number in numbers:
            with trio.fail_after(PATIENCE):
                await visit(port, number)

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(one_after_the_other)


class Operator:
    """Does to a server what operators do in a day, and looks at it."""

    def __init__(self, server: Running, folder: Path) -> None:
        self._folder, self._pid = folder, server.process.pid

    async def work(self, hour: int) -> None:
        given = ("--env-file", str(write_settings(self._folder, hour)))
        level = ("debug", "warning")[hour % 2]
        copy = str(self._folder / "copy.db")
        for command in (
            ("admin", *given, "reload"),
            ("admin", *given, "log", level),
            ("history", "backup", *given, "--replace", copy),
        ):
            done = await run(*command, **store(self._folder))
            assert done.code == 0, done.err

    def fill_disk(self, *, full: bool) -> None:
        """Let no file grow any more, or let them grow again."""
        _, hard = resource.prlimit(self._pid, resource.RLIMIT_FSIZE)
        most = 0 if full else resource.RLIM_INFINITY
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (most, hard))

    async def size(self) -> dict[str, int]:
        """What the server takes, when nobody is left but the residents."""
        with trio.fail_after(PATIENCE):
            figures = await self._figures()
            while figures["connections"] > RESIDENTS:
                await trio.sleep(0.1)  # whoever has just left is being seen off
                figures = await self._figures()
        return {**figures, **self._seen_from_outside()}

    def _seen_from_outside(self) -> dict[str, int]:
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return {
            "resident": pages * os.sysconf("SC_PAGE_SIZE"),
            "files": len(os.listdir(f"/proc/{self._pid}/fd")),
            "threads": len(os.listdir(f"/proc/{self._pid}/task")),
        }

    async def _figures(self) -> dict[str, int]:
        async with await trio.open_unix_socket(self._folder / "ops") as stream:
            await stream.send_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            told = b"".join([data async for data in stream]).decode()
        figures = Counter[str]()
        for name, value in re.findall(r"(?m)^trio_chat_(connections|tasks)\b\S* (\d+)", told):
            figures[name] += int(value)
        return figures


async def test_a_day(tmp_path: Path) -> None:
    file = write_settings(tmp_path, 0)
    sizes: list[dict[str, int]] = []
    async with (
        AsyncExitStack() as stack,
        running_server("--env-file", str(file), patience=3600, **store(tmp_path)) as server,
        trio.open_nursery() as nursery,
    ):
        operator = Operator(server, tmp_path)
        residents = []
        for n in range(RESIDENTS):
            stream = await stack.enter_async_context(
                await connect(server.port, over_tls=n % 2 == 1)
            )
            residents.append(Resident(f"r{n}", stream))
            await residents[-1].come()
            nursery.start_soon(residents[-1].listen)
            await residents[-1].inside.wait()
        for hour in range(HOURS):
            async with trio.open_nursery() as busy:
                busy.start_soon(crowd, server.port, hour)
                busy.start_soon(operator.work, hour)
                for resident in residents:
                    busy.start_soon(resident.say, SAID)
            operator.fill_disk(full=True)
            await residents[0].say_in_vain()
            operator.fill_disk(full=False)
            await residents[0].say(1)
            sizes.append(await operator.size())
            print(f"hour {hour}: {sizes[-1]}", flush=True)
        for resident in residents:
            await resident.until_shown("r0", residents[0].said - 1)
        nursery.cancel_scope.cancel()
    for resident in residents:
        check_shown(resident, residents)
    check_sizes(sizes)


def check_shown(resident: Resident, residents: list[Resident]) -> None:
    """All that all have said, once and in order, and nothing else."""
    by: dict[str, list[str]] = {other.nick: [] for other in residents}
    for text in resident.shown:
        by[text.partition("/")[0]].append(text)
    for other in residents:
        assert by[other.nick] == [f"{other.nick}/{n}" for n in range(other.said)]


def check_sizes(sizes: list[dict[str, int]]) -> None:
    """The evening is as the morning: memory may differ by what the allocator leaves unused."""
    morning, evening = sizes[MORNING : 2 * MORNING], sizes[-MORNING:]
    for name in ("files", "threads", "tasks", "connections"):
        assert min(hour[name] for hour in evening) <= max(hour[name] for hour in morning), name
    first, last = (median(hour["resident"] for hour in some) for some in (morning, evening))
    assert last < 1.1 * first
