"""``trio-chat client`` on a real terminal, with somebody who types."""

import os
import re
import signal
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from netcat import guest
from processes import FOLDER, PATIENCE, PROGRAM, Output, end, environment, free_port, running_server

CTRL_C, CTRL_D = "\x03", "\x04"
ENTRY = "tells more."
PROMPT = ">"
SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>])")
CURSOR_QUESTION = b"\x1b[6n"

# What a shell does for its child: the terminal becomes the one that Ctrl-C and hang-up come from.
_LIKE_A_SHELL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """80 by 24 characters, and ``trio-chat client`` on them.

    ``raw`` is all that was written there, ``screen`` the same without escape sequences.
    """

    process: trio.Process

    def __init__(self, stream: trio.lowlevel.FdStream, slave: int) -> None:
        self.raw = ""
        self.screen = Output()
        self._stream, self._slave = stream, slave
        self._typing = trio.Lock()
        self._before = termios.tcgetattr(slave)

    async def type(self, keys: str) -> None:
        async with self._typing:
            await self._stream.send_all(keys.encode())

    async def until(self, expected: str) -> str:
        return await self.screen.until(expected)

    async def ended(self) -> int:
        """Wait until it has ended and left the terminal as it was; returns the exit code."""
        with trio.fail_after(PATIENCE):
            code = await self.process.wait()
        assert termios.tcgetattr(self._slave) == self._before
        return code

    async def close(self) -> None:
        """As one closes a window."""
        await self._stream.aclose()

    async def show(self) -> None:
        """Read what is written, and say where the cursor is when that is asked for."""
        await self.screen.collect(self._read())

    async def _read(self) -> AsyncIterator[bytes]:
        waiting = b""
        async for data in self._stream:
            self.raw += data.decode(errors="replace")
            waiting += data
            for _ in range(data.count(CURSOR_QUESTION)):
                await self.type("\x1b[24;1R")
            text = SEQUENCE.sub(b"", waiting)
            begun = text.rfind(b"\x1b")
            text, waiting = (text, b"") if begun < 0 else (text[:begun], text[begun:])
            yield text


@asynccontextmanager
async def terminal(port: int, *arguments: str, **variables: str) -> AsyncIterator[Terminal]:
    """A terminal on which somebody has started the client as bob."""
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    client = [*PROGRAM, "client", "--port", str(port), "--nick", "bob", *arguments]
    async with trio.lowlevel.FdStream(master) as stream, trio.open_nursery() as nursery:
        it = Terminal(stream, slave)
        nursery.start_soon(it.show)
        it.process = await trio.lowlevel.open_process(
            [sys.executable, "-c", _LIKE_A_SHELL, *client],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=FOLDER,
            env=environment({"TERM": "xterm", "NO_COLOR": "", **variables}),
        )
        try:
            with trio.fail_after(3 * PATIENCE):
                yield it
        finally:
            await end(it.process)
            os.close(slave)


@asynccontextmanager
async def joined(port: int, *arguments: str, **variables: str) -> AsyncIterator[Terminal]:
    """The same, once it is in the chat and somebody can type."""
    async with terminal(port, *arguments, **variables) as it:
        await it.until(ENTRY)
        if variables.get("TERM") != "dumb":
            await it.until(PROMPT)
        yield it


# ── typing and reading ─────────────────────────────────────────────────────────────────────


async def test_what_is_typed_corrected_and_recalled_is_said(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.type("grüße 😀\r")
        await bob.until("bob: grüße 😀\r\n>")
        await bob.type("hallo\x7f\x7f\x7f\x7fello\r")
        await bob.until("bob: hello\r\n>")
        await bob.type("\x1b[A")
        await bob.until("hello")
        await bob.type("\r")
        await al.until("bob: grüße 😀\nbob: hello\nbob: hello\n")


async def test_a_half_typed_line_stays_in_one_piece(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.until("al joined!\r\n>")
        await bob.type("half a l")
        await bob.until("half a l")
        await al.send("meanwhile\n")
        await bob.until("al: meanwhile\r\n> half a l")
        await bob.type("ine\r")
        await al.until("bob: half a line\n")


async def test_what_others_say_has_a_colour_and_steers_nothing(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await al.send("\x1b[2J\x1b]0;title\x07\x9b5m\rbob: me\n")
        await bob.until("al: ␛[2J␛]0;title␇\ufffd5m bob: me\r\n")
    assert re.search(r"\x1b\[38;5;\d+mal\x1b\[0m: ␛", bob.raw)


async def test_what_is_typed_before_the_prompt_is_there_is_said(port):
    async with terminal(port) as bob, guest(port, "al") as al:
        await bob.type("early\r")
        await al.until("bob: early\n")


async def test_many_messages_come_out_whole_and_in_order(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.type("half")
        await al.send("".join(f"number {n}\n" for n in range(300)))
        await bob.until("number 299\r\n")
        await bob.type(" typed\r")
        await al.until("bob: half typed\n")
    assert re.findall(r": number (\d+)\r\n", bob.screen.text) == [str(n) for n in range(300)]


# ── how it ends ────────────────────────────────────────────────────────────────────────────


async def test_lines_that_are_pasted_are_all_said_before_ctrl_d(port):
    lines = [f"line {number}" for number in range(20)]
    async with guest(port, "al") as al, joined(port) as bob:
        await bob.type("".join(f"{line}\r" for line in lines) + CTRL_D)
        assert await bob.ended() == 0
        heard = await al.until("bob left!\n")
    assert re.findall(r"^bob: (.*)$", heard, re.M) == lines


async def test_quit_leaves(port):
    async with joined(port) as bob:
        await bob.type("/quit\r")
        assert await bob.ended() == 0


async def test_ctrl_c_leaves_at_once(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.type("half a line")
        await bob.until("half a line")
        await bob.type(CTRL_C)
        assert await bob.ended() == 130
        await al.until("bob left!\n")
    assert "Traceback" not in bob.screen.text


async def test_sigterm_leaves(port):
    async with joined(port) as bob:
        bob.process.send_signal(signal.SIGTERM)
        assert await bob.ended() == 143
    assert "Traceback" not in bob.screen.text


async def test_a_closed_window_leaves(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.close()
        await al.until("bob left!\n")
        with trio.fail_after(PATIENCE):
            await bob.process.wait()


async def test_a_lost_server_ends_it_with_a_line():
    async with running_server() as server, joined(server.port) as bob:
        await bob.type("half")
        await bob.until("half")
        server.process.kill()
        assert await bob.ended() == 69
        await bob.until("trio-chat: the server closed the connection\r\n")
    assert "Traceback" not in bob.screen.text


async def test_no_server_ends_it_with_a_line():
    with free_port() as port:
        async with terminal(port) as bob:
            await bob.until("no server is running there. 'trio-chat server' starts one\r\n")
            assert await bob.ended() == 69
        assert "Traceback" not in bob.screen.text


# ── colours and plain terminals ────────────────────────────────────────────────────────────


async def test_no_color_means_no_colour(port):
    async with joined(port, NO_COLOR="1") as bob, guest(port, "al") as al:
        await al.send("hello\n")
        await bob.until("al: hello\r\n>")
        await bob.type(CTRL_D)
        assert await bob.ended() == 0
    assert not re.search(r"\x1b\[[\d;]*[1-9][\d;]*m", bob.raw)


async def test_a_dumb_terminal_gets_lines_alone(port):
    async with joined(port, TERM="dumb") as bob, guest(port, "al") as al:
        await bob.type("hello\n")
        await al.until("bob: hello\n")
        await bob.type("half")
        await al.send("meanwhile\n")
        await bob.until("meanwhile")
        await bob.type(" typed\n")
        await al.until("bob: half typed\n")
        await bob.until("typed")
        await bob.type(CTRL_D)
        assert await bob.ended() == 0
    assert "\x1b" not in bob.raw


async def test_ctrl_c_leaves_a_dumb_terminal(port):
    async with joined(port, TERM="dumb") as bob:
        await bob.type(CTRL_C)
        assert await bob.ended() == 130
    assert "Traceback" not in bob.screen.text
