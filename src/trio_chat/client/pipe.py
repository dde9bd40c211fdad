"""Standard input and output as pipes, files, or a dumb terminal."""

import os
import stat
import sys
from collections import deque
from collections.abc import Callable
from itertools import chain, islice
from typing import TypeVar

import trio

from trio_chat.client.channels import put, waiting
from trio_chat.protocols.client import Message
from trio_chat.protocols.lines import LineBuffer

#: The longest line of input.
LINE_BYTES = 1024 * 1024

_READ = 64 * 1024  # bytes
_WRITE = 1000  # messages printed at a time

_STDIN, _STDOUT = 0, 1

_T = TypeVar("_T")


class OutputGone(Exception):
    """The reader of our output has gone, as ``head`` does."""


class Pipe:
    """Lines in, lines out. ``text`` formats a message; ``dropped`` counts input lines that were too
    long, or not UTF-8.
    """

    def __init__(self, text: Callable[[Message], str]) -> None:
        self._text = text
        self.dropped = 0

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        """Hand on each line of the input; close the channel at its end."""
        with lines:
            async for line in InputLines():
                try:
                    text = _text_of(line)
                except ValueError as error:
                    self.dropped += 1
                    print(f"trio-chat: a line was {error}, and was not sent", file=sys.stderr)
                else:
                    await put(lines, text)

    async def write(self, messages: trio.MemoryReceiveChannel[Message]) -> None:
        """Print messages until their channel is closed. Raises OutputGone."""
        await print_each(messages, self._text)


def _text_of(line: bytes | None) -> str:
    """Raises ValueError."""
    if line is None:
        raise ValueError("too long")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


class InputLines:
    """An iterator over the lines of standard input, without their ends; None stands for a line of
    more than ``LINE_BYTES``.
    """

    def __init__(self) -> None:
        self._buffer = LineBuffer(LINE_BYTES)
        self._lines: deque[bytes | None] = deque()
        self._ended = False

    def __aiter__(self) -> "InputLines":
        return self

    async def __anext__(self) -> bytes | None:
        while not self._lines:
            if self._ended:
                raise StopAsyncIteration
            await self._read_more()
        return self._lines.popleft()

    async def _read_more(self) -> None:
        data = await _read_input()
        self._ended = not data
        if data:
            self._lines.extend(self._buffer.feed(data))
        elif (rest := self._buffer.take()) != b"":
            self._lines.append(rest)


async def print_each(items: trio.MemoryReceiveChannel[_T], text: Callable[[_T], str]) -> None:
    """Print items until their channel is closed. Raises OutputGone, which cancels the senders: they
    would fail if the channel were closed here.
    """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch_output)
        async for item in items:
            together = chain([item], islice(waiting(items), _WRITE))
            await print_text("".join(text(each) + "\n" for each in together))
        nursery.cancel_scope.cancel("everything is printed")


async def print_text(text: str) -> None:
    """Print in a thread, since the reader of our output may pause. Raises OutputGone."""
    try:
        await trio.to_thread.run_sync(_write_all, text.encode(), abandon_on_cancel=True)
    except BrokenPipeError:
        raise OutputGone from None


async def _read_input() -> bytes:
    """Read standard input; nothing means its end. Leaves its mode alone, as others share it.

    Files and /dev/null cannot be waited for, as they are always ready.
    """
    if not stat.S_ISREG(os.fstat(_STDIN).st_mode):
        try:
            await trio.lowlevel.wait_readable(_STDIN)
        except PermissionError:
            await trio.lowlevel.checkpoint()
    return os.read(_STDIN, _READ)


def _write_all(data: bytes) -> None:
    while data:
        data = data[os.write(_STDOUT, data) :]


async def _watch_output() -> None:
    """Raise OutputGone if the reader goes while there is nothing to print."""
    if stat.S_ISFIFO(os.fstat(_STDOUT).st_mode):
        await trio.lowlevel.wait_readable(_STDOUT)  # the writing end: readable once it is broken
        raise OutputGone
