"""Real IRC clients, each behind the same few words: join, say, hear, come back, quit.

Those from Debian are installed already. Bots from PyPI get an environment of their own each, which
is kept outside of the repository: in TRIO_CHAT_TEST_CLIENTS, or else in the user's cache.
"""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import platformdirs
import trio

from processes import PATIENCE, Output, end
from tmux import Tmux, tmux

PROGRAMS = Path(__file__).parent / "programs" / "bots"
# Found when this is imported: tests have a home that ends with them.
KEPT = os.environ.get("TRIO_CHAT_TEST_CLIENTS") or platformdirs.user_cache_dir("trio-chat-tests")
NICK, ROOM = "bob", "#lobby"
WELCOME = "There is no message of the day"
INSTALLING = 240  # seconds


class Client(Protocol):
    async def join(self) -> None: ...
    async def say(self, text: str) -> None: ...
    async def hear(self, text: str) -> None: ...
    async def come_back(self) -> None:
        """After the server has: by itself, if it can; else as its user would do it."""

    async def quit(self) -> None: ...
    def complaints(self) -> list[str]:
        """What it shows and nobody should have to see."""


Start = Callable[[int, Path], AbstractAsyncContextManager[Client]]
StartBot = Callable[..., AbstractAsyncContextManager["Bot"]]  # and variables of its environment


# ── in a terminal ────────────────────────────────────────────────────────────────────────────

_COMPLAINT = re.compile(r"unknown|invalid|illegal|unhandled|\berror\b(?! \(\): Closing)", re.I)


class Typed:
    """A client that people see and type into. ``again`` is what they type when it was cut off;
    without that it ends then, and is started again.
    """

    def __init__(self, screen: Tmux, command: list[str], lines: "Lines") -> None:
        self._screen, self._command, self._lines = screen, command, lines
        self._shown: list[str] = []

    async def join(self) -> None:
        await self._type(self._lines.join)

    async def say(self, text: str) -> None:
        await self._screen.type(text)

    async def hear(self, text: str) -> None:
        self._shown += (await self._screen.until(text)).splitlines()

    async def come_back(self) -> None:
        if self._lines.again:
            await self._type(self._lines.again)
            await self._screen.until(WELCOME, times=2)
        else:
            await self._screen.ended()
            await self._screen.start_again(*self._command)
            await self._screen.until(WELCOME)

    async def quit(self) -> None:
        await self._screen.type(self._lines.quit)
        await self._screen.ended()

    def complaints(self) -> list[str]:
        return [line for line in self._shown if _COMPLAINT.search(line)]

    async def _type(self, lines: Sequence[str]) -> None:
        for line in lines:
            await self._screen.type(line)


@dataclass(frozen=True)
class Lines:
    """What is typed into a client; ``again`` when it was cut off, if it does not end then."""

    start: Sequence[str] = ()
    join: Sequence[str] = (f"/join {ROOM}",)
    again: Sequence[str] = ()
    quit: str = "/quit"


def typed(*command: str, lines: Lines = Lines()) -> Start:
    @asynccontextmanager
    async def start(port: int, folder: Path) -> AsyncIterator[Client]:
        variables = ["TERM=screen", f"HOME={folder}", "LOGNAME=bob", "MAIL=/dev/null"]
        filled = [word.format(port=port, folder=folder) for word in command]
        whole = ["env", *variables, *filled]
        async with tmux(folder / "t", 130, 110, *whole) as screen:
            for line in lines.start:
                await screen.type(line.format(port=port))
            await screen.until(WELCOME)
            again = [line.format(port=port) for line in lines.again]
            yield Typed(screen, whole, replace(lines, again=again))

    return start


# ── with files ───────────────────────────────────────────────────────────────────────────────


class Ii:
    """ii, which is driven by files: orders go into FIFOs, and what comes is in files."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port, self._folder = port, folder / "127.0.0.1"
        self._process: trio.Process

    async def start(self) -> None:
        where = ["-s", "127.0.0.1", "-p", str(self._port), "-i", str(self._folder.parent)]
        self._process = await trio.lowlevel.open_process(["ii", *where, "-n", NICK])
        await self._until(self._folder / "out", WELCOME)

    async def join(self) -> None:
        self._order(self._folder, f"/j {ROOM}")
        await self._until(self._folder / ROOM / "out", f"{NICK}")

    async def say(self, text: str) -> None:
        self._order(self._folder / ROOM, text)

    async def hear(self, text: str) -> None:
        await self._until(self._folder / ROOM / "out", text)

    async def come_back(self) -> None:
        """It ends with its connection, and leaves its files."""
        with trio.fail_after(PATIENCE):
            await self._process.wait()
        (self._folder / "out").unlink()
        await self.start()

    async def quit(self) -> None:
        self._order(self._folder, "/q")
        with trio.fail_after(PATIENCE):
            await self._process.wait()

    def complaints(self) -> list[str]:
        shown = (file.read_text() for file in self._folder.rglob("out"))
        return [line for text in shown for line in text.splitlines() if _COMPLAINT.search(line)]

    async def stop(self) -> None:
        if self._process.returncode is None:
            await end(self._process)

    def _order(self, where: Path, order: str) -> None:
        (where / "in").write_text(f"{order}\n")

    async def _until(self, file: Path, text: str) -> None:
        with trio.fail_after(PATIENCE):
            while text not in _content(file):  # noqa: ASYNC110
                await trio.sleep(0.05)


def _content(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@asynccontextmanager
async def ii(port: int, folder: Path) -> AsyncIterator[Client]:
    client = Ii(port, folder)
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


# ── from PyPI ────────────────────────────────────────────────────────────────────────────────


def environment_of(requirement: str) -> Path:
    """An environment that has this and what it needs, made unless it is there already."""
    folder = Path(KEPT) / f"{requirement}-{sys.implementation.cache_tag}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for command in (
                [sys.executable, "-m", "venv", "--clear", folder / "venv"],
                [folder / "venv/bin/python", "-m", "pip", "install", "-q", requirement],
            ):
                subprocess.run(command, check=True, timeout=INSTALLING, stdin=subprocess.DEVNULL)
            (folder / "done").touch()
    return folder / "venv" / "bin"


class Bot:
    """A program of a few lines with a library; see ``bots/remote.py`` for what it understands."""

    # What goes wrong when a server goes away for a while is no surprise.
    _expected: re.Pattern[str]

    def __init__(self, process: trio.Process, expected: str) -> None:
        self.process = process
        self.out, self.err = Output(), Output()
        self._expected = re.compile(expected)

    async def join(self) -> None:
        await self._order(f"join {ROOM}")

    async def say(self, text: str) -> None:
        await self._order(f"say {ROOM} {text}")

    async def hear(self, text: str) -> None:
        await self.out.until(f"heard nettie {text}\n")

    def heard(self) -> list[str]:
        """What it would answer."""
        return re.findall("^heard nettie (.*)$", self.out.text, re.M)

    async def come_back(self) -> None:
        await self.out.until("ready\n")

    async def quit(self) -> None:
        await self._order("quit")

    def complaints(self) -> list[str]:
        odd = [line for line in self.out.text.splitlines() if line.startswith("odd ")]
        return odd + [line for line in self.err.text.splitlines() if not self._expected.match(line)]

    async def _order(self, order: str) -> None:
        await self.process.stdin.send_all(f"{order}\n".encode())


def bot(requirement: str, expected: str = "(?!)") -> StartBot:
    name = requirement.partition("==")[0]

    @asynccontextmanager
    async def start(port: int, folder: Path, **environment: str) -> AsyncIterator[Bot]:
        bin = await trio.to_thread.run_sync(environment_of, requirement)
        async with trio.open_nursery() as nursery:
            process = await trio.lowlevel.open_process(
                [bin / "python", PROGRAMS / f"{name}_bot.py", str(port), NICK],
                env=os.environ | environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
            )
            it = Bot(process, expected)
            nursery.start_soon(it.out.collect, process.stdout)
            nursery.start_soon(it.err.collect, process.stderr)
            try:
                await it.out.until("ready\n")
                yield it
            finally:
                with trio.CancelScope(shield=True):
                    process.kill()
                    await process.wait()

    return start


BOTS: dict[str, StartBot] = {
    "irc3": bot(
        "irc3==1.1.12", expected=r"INFO |CRITICAL \S+ +(connection lost|closing old transport)"
    ),
    "miniirc": bot("miniirc==1.10.0"),
    "irc": bot("irc==20.5.0"),
    "pydle": bot(
        "pydle==1.2.0",
        expected="Encountered error|pydle.*: Closing link|Unexpected disconnect",
    ),
    "ircrobots": bot("ircrobots==0.7.2", expected="Traceback|  |ConnectionRefusedError"),
    "limnoria": bot(
        "limnoria==2026.10.4",
        expected=r"ERROR \S+ (Invalid|Exact error: FileNotFound)|WARNING \S+ .*(ignore database"
        "|connect)",
    ),
}

CLIENTS: dict[str, Start] = {
    "irssi": typed(
        *("irssi", "--home={folder}", "-n", "bob"),
        lines=Lines(
            # Else its flood control holds back what is typed, so often it answers a PING.
            start=("/set cmd_queue_speed 10msec", "/connect 127.0.0.1 {port}"),
            again=("/connect 127.0.0.1 {port}", "/window 1"),
        ),
    ),
    "tinyirc": typed("tinyirc", "bob", "127.0.0.1", "{port}"),
    "sic": typed(
        *("sic", "-n", "bob", "-h", "127.0.0.1", "-p", "{port}"),
        lines=Lines(join=(f":j {ROOM}", f":s {ROOM}"), quit=":QUIT"),
    ),
    "ircii": typed(
        *("ircII", "-q", "bob", "127.0.0.1:{port}"),
        lines=Lines(again=("/server 127.0.0.1:{port}",)),
    ),
    "epic5": typed(
        *("epic5", "-q", "-n", "bob", "127.0.0.1:{port}"),
        lines=Lines(again=("/server 127.0.0.1:{port}",)),
    ),
    "ii": ii,
    **BOTS,
}
