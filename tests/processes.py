"""Runs trio-chat as a process of its own, on 127.0.0.1 and a port that the kernel chooses."""

import codecs
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import trio

import warm

#: A client that comes back at once.
IMPATIENT = {"trio_chat.client.backoff._FIRST": 0.1}

PATIENCE = 30  # seconds: far more than anything here takes, even on a busy machine

PROGRAM = [sys.executable, "-m", "trio_chat"]
FOLDER = Path(__file__).parent  # to run in: it holds no env file

# In the background of a shell SIGINT is ignored, and what is ignored would be inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


_count = itertools.count()


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what sets up trio-chat, and with these variables. Unless these say otherwise, a
    server keeps its history in memory, and a client knows nothing of those before it: the kernel
    gives the ports of their servers to others.
    """
    ours = {n: value for n, value in os.environ.items() if not n.upper().startswith("TRIO_CHAT_")}
    own = {
        "TRIO_CHAT_HISTORY__STORE": "memory:",
        "XDG_STATE_HOME": f"{os.environ['HOME']}/state/{next(_count)}",
    }
    return {**ours, **own, **variables}


@dataclass(frozen=True)
class Finished:
    """What has become of a process."""

    code: int
    out: str
    err: str


async def run(
    *arguments: str,
    stdin: bytes | int | IO[bytes] = b"",
    fresh: bool = False,
    **variables: str,
) -> Finished:
    """Run ``trio-chat`` to its end; ``variables`` are added to its environment."""
    given = subprocess.PIPE if isinstance(stdin, bytes) else stdin
    async with running(*arguments, stdin=given, fresh=fresh, **variables) as it:
        if isinstance(stdin, bytes):
            with suppress(trio.BrokenResourceError):
                await it.process.stdin.send_all(stdin)
            await it.end_input()
        code = await it.ended()
    return Finished(code, it.out.text, it.err.text)


class Output:
    """What has come out of a stream so far. A task reads it, so that its writer never waits."""

    def __init__(self) -> None:
        self.text = ""
        self.ended = False
        self._seen = 0
        self._more = trio.Event()

    async def collect(self, stream: AsyncIterable[bytes | bytearray]) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            async for data in stream:
                self.add(decoder.decode(data))
        except (trio.ClosedResourceError, trio.BrokenResourceError):
            pass
        finally:
            self.finish()

    def add(self, text: str) -> None:
        self.text += text
        self._wake()

    def finish(self) -> None:
        self.ended = True
        self._wake()

    async def until(self, expected: str) -> str:
        """Wait for this text; return all that came since the last time, up to its end."""
        return await self.until_match(re.escape(expected))

    async def until_match(self, pattern: str) -> str:
        """The same for a regular expression."""
        regex = re.compile(pattern)
        with trio.move_on_after(PATIENCE):
            while not regex.search(self.text, self._seen) and not self.ended:
                await self._more.wait()
        found = regex.search(self.text, self._seen)
        assert found, f"{pattern!r} never came, but {self.text[self._seen :]!r}"
        begin, self._seen = self._seen, found.end()
        return self.text[begin : self._seen]

    async def line(self) -> str:
        """The next line, without its ending."""
        return (await self.until("\n")).removesuffix("\n")

    async def rest(self) -> str:
        """Wait for the end; return all that came since the last time."""
        await self.end()
        begin, self._seen = self._seen, len(self.text)
        return self.text[begin:]

    async def end(self) -> None:
        """Wait until nothing more can come."""
        while not self.ended:
            await self._more.wait()

    def _wake(self) -> None:
        waiting, self._more = self._more, trio.Event()
        waiting.set()


class Running:
    """A process that runs, and what it has written. ``port`` is where a server listens."""

    def __init__(self, process: warm.Process) -> None:
        self.process = process
        self.out, self.err = Output(), Output()
        self.port = 0

    async def write(self, text: str) -> None:
        await self.process.stdin.send_all(text.encode())

    async def end_input(self) -> None:
        await self.process.stdin.aclose()

    async def ended(self) -> int:
        """Wait until it has ended and all it wrote has come; returns the exit code."""
        code = await self.process.wait()
        await self.out.end()
        await self.err.end()
        return code


@asynccontextmanager
async def running(
    *arguments: str,
    stdin: int | IO[bytes] = subprocess.PIPE,
    patience: float = 3 * PATIENCE,
    fresh: bool = False,
    constants: Mapping[str, float] = {},
    passed: Sequence[socket.socket] = (),
    program: Sequence[str] = PROGRAM,
    **variables: str,
) -> AsyncIterator[Running]:
    """A process ``trio-chat`` as long as this lasts, with ``variables`` in its environment; it must
    not last longer than ``patience`` seconds. A ``fresh`` one is a new Python; in any other,
    ``constants`` can be set. Sockets can be ``passed`` to it, as systemd does.
    Another ``program`` than ours is always a new process.
    """
    async with trio.open_nursery() as nursery:
        process = await warm.open_process(
            [*program, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=FOLDER,
            env=environment(variables),
            fresh=fresh or program != PROGRAM,
            constants=constants,
            passed=passed,
        )
        it = Running(process)
        nursery.start_soon(it.out.collect, process.stdout)
        nursery.start_soon(it.err.collect, process.stderr)
        try:
            with trio.fail_after(patience):
                yield it
        finally:
            await end(process)


@asynccontextmanager
async def running_server(
    *arguments: str,
    port: int = 0,
    patience: float = 3 * PATIENCE,
    fresh: bool = False,
    passed: Sequence[socket.socket] = (),
    program: Sequence[str] = PROGRAM,
    **variables: str,
) -> AsyncIterator[Running]:
    """A server that listens already."""
    command = ("server", "--port", str(port), *arguments)
    how = {"patience": patience, "fresh": fresh, "passed": passed, "program": program}
    async with running(*command, **how, **variables) as server:
        server.port = int((await server.out.until("\n")).rpartition(":")[2])
        yield server


async def end(process: warm.Process) -> None:
    """Ask it to end; make it, and complain, if it does not."""
    with trio.CancelScope(shield=True):
        if process.stdin:
            await process.stdin.aclose()
        process.terminate()
        with trio.move_on_after(PATIENCE):
            await process.wait()
            return
        process.kill()
        await process.wait()
        raise AssertionError("it did not end when it was asked to")


@contextmanager
def free_port() -> Iterator[int]:
    """A port that nobody listens on, and that nobody but a server of ours will be given."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]
