"""A real terminal of 80 by 24 characters, with a program of ours and somebody who types."""

import codecs
import os
import re
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import trio

import warm
from processes import FOLDER, PATIENCE, PROGRAM, Output, end, environment

CTRL_C, CTRL_D = "\x03", "\x04"

_SEQUENCE = re.compile(
    rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|P[^\x1b]*\x1b\\|[=>78])"
)

_END = b"\0"  # which no program of ours writes


class Terminal:
    """``raw`` is all that was written there, ``screen`` the same without escape sequences."""

    process: warm.Process

    def __init__(self, stream: trio.lowlevel.FdStream, slave: int) -> None:
        self.raw, self.screen = Output(), Output()
        self._stream, self._slave = stream, slave
        self._before = termios.tcgetattr(slave)
        self._all_read = trio.Event()

    async def type(self, keys: str) -> None:
        await self.write(keys.encode())

    async def write(self, keys: bytes) -> None:
        await self._stream.send_all(keys)

    async def until(self, expected: str) -> str:
        return await self.screen.until(expected)

    async def ended(self) -> int:
        """Wait until it has ended and left the terminal as it was, and all that it wrote is read;
        returns the exit code.
        """
        with trio.fail_after(PATIENCE):
            code = await self.process.wait()
            assert termios.tcgetattr(self._slave) == self._before
            if not self.raw.ended:
                os.write(self._slave, _END)
                await self._all_read.wait()
        return code

    async def close(self) -> None:
        """As one closes a window."""
        await self._stream.aclose()

    async def show(self) -> None:
        """Read what is written."""
        await self.screen.collect(self._read())

    async def _read(self) -> AsyncIterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        waiting = b""
        try:
            async for data in self._stream:
                if _END in data:
                    data = data.replace(_END, b"")
                    self._all_read.set()
                self.raw.add(decoder.decode(data))
                text = _SEQUENCE.sub(b"", waiting + data)
                begun = text.rfind(b"\x1b")
                text, waiting = (text, b"") if begun < 0 else (text[:begun], text[begun:])
                yield text
        finally:
            self._all_read.set()
            self.raw.finish()


@asynccontextmanager
async def terminal(
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
    *,
    as_a_shell: bool = True,
    fresh: bool = False,
    constants: Mapping[str, float] = {},
) -> AsyncIterator[Terminal]:
    """A terminal on which somebody has started ``trio-chat``, or another program, with these
    arguments: ``as_a_shell`` does, or a program to which the terminal is but a file. A ``fresh``
    one is a new Python; in any other, ``constants`` can be set.
    """
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    async with trio.lowlevel.FdStream(master) as stream, trio.open_nursery() as nursery:
        it = Terminal(stream, slave)
        nursery.start_soon(it.show)
        it.process = await warm.open_process(
            [*program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            session=True,
            terminal=as_a_shell,
            fresh=fresh,
            constants=constants,
            cwd=FOLDER,
            env=environment({"TERM": "xterm-256color", "NO_COLOR": "", **(variables or {})}),
        )
        try:
            with trio.fail_after(3 * PATIENCE):
                yield it
        finally:
            await end(it.process)
            os.close(slave)
            nursery.cancel_scope.cancel()
