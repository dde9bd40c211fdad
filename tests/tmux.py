"""Programs in terminals of their own, which a test types into and looks at; needs Debian's tmux."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import trio

_PATIENCE = 60  # seconds


class Tmux:
    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    async def start(self, columns: int, rows: int, *command: str) -> None:
        """The terminal stays when the program has ended, with what it has left there."""
        size = ["-x", str(columns), "-y", str(rows)]
        await self._run("new-session", "-d", *size, *command, ";", "set", "remain-on-exit", "on")

    async def start_again(self, *command: str) -> None:
        """Another program in the terminal of one that has ended; the screen is empty then."""
        await self._run("respawn-pane", *command)

    async def type(self, line: str) -> None:
        """And Enter."""
        await self._run("send-keys", "-l", line)
        await self.press("Enter")

    async def write(self, text: str) -> None:
        await self._run("send-keys", "-l", text)

    async def press(self, *keys: str) -> None:
        """As tmux calls them."""
        await self._run("send-keys", *keys)

    async def paste(self, text: str) -> None:
        """As a terminal does that tells programs where a paste begins and ends."""
        await self._run("set-buffer", text)
        await self._run("paste-buffer", "-p")

    async def resize(self, columns: int, rows: int) -> None:
        await self._run("resize-window", "-x", str(columns), "-y", str(rows))

    async def screen(self) -> str:
        return await self._run("capture-pane", "-p")

    async def until(self, wanted: str, times: int = 1) -> str:
        """What the screen shows once it shows ``wanted`` so many times."""
        screen = ""
        with trio.move_on_after(_PATIENCE):
            while (screen := await self.screen()).count(wanted) < times:  # noqa: ASYNC110
                await trio.sleep(0.05)
            return screen
        raise AssertionError(f"no {wanted!r} in:\n{screen}")

    async def gone(self, unwanted: str) -> str:
        """What the screen shows once it does not show that any more."""
        screen = ""
        with trio.move_on_after(_PATIENCE):
            while unwanted in (screen := await self.screen()):  # noqa: ASYNC110
                await trio.sleep(0.05)
            return screen
        raise AssertionError(f"still {unwanted!r} in:\n{screen}")

    async def ended(self) -> None:
        """Wait until the program has."""
        with trio.fail_after(_PATIENCE):
            while "1" not in await self._run("display-message", "-p", "#{pane_dead}"):  # noqa: ASYNC110
                await trio.sleep(0.05)

    async def stop(self) -> None:
        await trio.run_process([*self._tmux, "kill-server"], check=False, capture_stderr=True)

    async def _run(self, *arguments: str) -> str:
        done = await trio.run_process([*self._tmux, *arguments], capture_stdout=True)
        return done.stdout.decode()


@asynccontextmanager
async def tmux(socket: Path, columns: int, rows: int, *command: str) -> AsyncIterator[Tmux]:
    it = Tmux(socket)
    try:
        await it.start(columns, rows, *command)
        yield it
    finally:
        with trio.CancelScope(shield=True):
            await it.stop()


@contextmanager
def terminal(socket: Path, columns: int, rows: int, *command: str) -> Iterator["Terminal"]:
    """``tmux``, for tests that are not asynchronous."""
    it = Tmux(socket)
    try:
        trio.run(it.start, columns, rows, *command)
        yield Terminal(it)
    finally:
        trio.run(it.stop)


class Terminal:
    def __init__(self, tmux: Tmux) -> None:
        self._tmux = tmux

    def type(self, line: str) -> None:
        trio.run(self._tmux.type, line)

    def until(self, wanted: str) -> str:
        return trio.run(self._tmux.until, wanted)


# A screen that is high enough for everything that is to be seen.
IRSSI_SIZE = (150, 80)

# What irssi shows once it is connected.
IRSSI_IS_IN = "There is no message of the day"


def irssi_command(port: int, nick: str, folder: Path) -> list[str]:
    """Irssi with its stock settings, which connects."""
    return [
        "env", "TERM=screen", f"HOME={folder}", "irssi", f"--home={folder / nick}", "-n", nick,
        "-c", "127.0.0.1", "-p", str(port),
    ]  # fmt: skip


@asynccontextmanager
async def irssi(port: int, nick: str, folder: Path, room: str = "#lobby") -> AsyncIterator[Tmux]:
    """Irssi, connected and in a room."""
    command = irssi_command(port, nick, folder)
    async with tmux(folder / f"{nick}.tmux", *IRSSI_SIZE, *command) as it:
        await it.until(IRSSI_IS_IN)
        await it.type(f"/join {room}")
        await it.until(f"{nick} [")
        yield it
