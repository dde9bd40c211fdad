"""The screen on a real terminal: what it leaves there, and what keys become on the way."""

import os
import signal
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from processes import PATIENCE, Output, end, environment

DEMO = str(Path(__file__).with_name("demo.py"))
_LIKE_A_SHELL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


_LIKE_NOBODY = "import os, sys; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


class Terminal:
    process: trio.Process

    def __init__(self, stream: trio.lowlevel.FdStream, slave: int) -> None:
        self.screen = Output()
        self._stream, self._slave = stream, slave
        self._before = termios.tcgetattr(slave)

    async def type(self, keys: str) -> None:
        await self.write(keys.encode())

    async def write(self, keys: bytes) -> None:
        await self._stream.send_all(keys)

    async def close(self) -> None:
        await self._stream.aclose()

    async def ended(self) -> int:
        with trio.fail_after(PATIENCE):
            code = await self.process.wait()
        assert termios.tcgetattr(self._slave) == self._before
        await self.screen.until("\x1b[?1049l")  # out of the alternate screen
        await self.screen.until("\x1b[?25h")  # with a cursor
        return code

    async def read(self) -> None:
        await self.screen.collect(self._stream)


@asynccontextmanager
async def terminal(
    *arguments: str, start: str = _LIKE_A_SHELL, **variables: str
) -> AsyncIterator[Terminal]:
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    async with trio.lowlevel.FdStream(master) as stream, trio.open_nursery() as nursery:
        it = Terminal(stream, slave)
        nursery.start_soon(it.read)
        it.process = await trio.lowlevel.open_process(
            [sys.executable, "-c", start, *(arguments or (DEMO,))],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=environment({"TERM": "xterm-256color", "NO_COLOR": "", **variables}),
        )
        try:
            with trio.fail_after(2 * PATIENCE):
                await it.screen.until("F1: help" if arguments else "are typing")
                yield it
        finally:
            await end(it.process)
            os.close(slave)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_signal_leaves_the_terminal_as_it_was(number):
    async with terminal() as it:
        it.process.send_signal(number)
        assert await it.ended() == 128 + number


@pytest.mark.parametrize("keys", ["\x03\x03", "\x04", "/quit bye\r"])
async def test_ways_to_quit(keys):
    async with terminal() as it:
        await it.type(keys)
        assert await it.ended() == 0


async def test_keys_in_one_piece_do_what_they_say():
    """Esc 1 is Alt+1, also when something follows at once."""
    async with terminal() as it:
        await it.type("to the lobby\r\x1b3to python\x1b\rand more\r\x1b1\x1b2end")
        await it.screen.until("end")
        assert "^" not in it.screen.text
        assert "¡" not in it.screen.text
        await it.type("\x03\x03\x03")
        assert await it.ended() == 0


async def test_a_byte_that_is_no_text_is_an_odd_letter():
    async with terminal() as it:
        await it.write(b"a\xffb\xc3")
        await it.screen.until("a\ufffdb")
        await it.type("\x03\x04")
        assert await it.ended() == 0


@pytest.mark.parametrize("start", [_LIKE_A_SHELL, _LIKE_NOBODY], ids=["signal", "no signal"])
async def test_it_ends_when_the_window_is_closed(start):
    """The kernel sends a signal only to those whose controlling terminal it was."""
    async with terminal(start=start) as it:
        await it.close()
        with trio.fail_after(PATIENCE):
            assert await it.process.wait() > 0


async def test_the_windows_title_is_given_back():
    async with terminal() as it:
        assert "\x1b[22;2t" in it.screen.text
        await it.type("x")
        await it.screen.until("x")
        assert "\x1b]2;(@2) #lobby - trio-chat\x1b\\" in it.screen.text
        await it.type("\x03\x04")
        assert await it.ended() == 0
        await it.screen.until("\x1b[23;2t")


BROKEN = """
import sys
sys.path.insert(0, {tests!r})
from screens import DEFAULT, FakeModel, silent
from trio_chat.cli.exits import exit_on_error
from trio_chat.client.tui.app import show
from trio_chat.errors import ConnectionLost

class Broken(FakeModel):
    def typed(self, now):
        secret = "hunter2"
        raise RuntimeError("somebody's message")

async def lost(news, wanted):
    with news, wanted:
        await wanted.receive()
        raise ConnectionLost("the server has gone")

with exit_on_error(debug={debug}):
    show({model}, {network}, DEFAULT)
"""


def script(tmp_path: Path, **parts: object) -> str:
    path = tmp_path / "broken.py"
    tests = str(Path(__file__).parents[2])
    path.write_text(BROKEN.format(**{"tests": tests, "network": "silent", "debug": False} | parts))
    return str(path)


async def test_a_mistake_of_ours_is_one_line_without_anybodys_words(tmp_path):
    async with terminal(script(tmp_path, model="Broken()")) as it:
        await it.type("x")
        assert await it.ended() == 70
        last = it.screen.text.rpartition("\x1b[?1049l")[2]
        assert "trio-chat: the screen failed (RuntimeError); --debug shows where" in last
        assert "Traceback" not in last
        assert "hunter2" not in it.screen.text
        assert "somebody's" not in it.screen.text


async def test_debug_shows_where_the_mistake_was(tmp_path):
    async with terminal(script(tmp_path, model="Broken()", debug=True)) as it:
        await it.type("x")
        assert await it.ended() == 70
        await it.screen.until("in typed")
        assert "hunter2" not in it.screen.text.replace('secret = "hunter2"', "")


async def test_what_ends_the_chat_is_said_on_the_terminal_as_it_was(tmp_path):
    async with terminal(script(tmp_path, model="FakeModel()", network="lost")) as it:
        await it.type("x\r")
        assert await it.ended() == 69
        last = it.screen.text.rpartition("\x1b[?1049l")[2]
        assert "trio-chat: the server has gone\r\n" in last
