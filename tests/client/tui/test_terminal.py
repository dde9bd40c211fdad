"""The screen on a real terminal: what it leaves there, and what keys become on the way."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from processes import PATIENCE
from terminals import Terminal, terminal

DEMO = str(Path(__file__).with_name("demo.py"))


@asynccontextmanager
async def screen(script: str = DEMO, *, as_a_shell: bool = True) -> AsyncIterator[Terminal]:
    async with terminal([script], program=[sys.executable], as_a_shell=as_a_shell) as it:
        await it.raw.until("are typing" if script == DEMO else "F1: help")
        yield it


async def ended(it: Terminal) -> int:
    code = await it.ended()
    await it.raw.until("\x1b[?1049l")  # out of the alternate screen
    await it.raw.until("\x1b[?25h")  # with a cursor
    return code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_signal_leaves_the_terminal_as_it_was(number):
    async with screen() as it:
        it.process.send_signal(number)
        assert await ended(it) == 128 + number


@pytest.mark.parametrize(("keys", "code"), [("\x03\x03", 130), ("\x04", 0), ("/quit bye\r", 0)])
async def test_ways_to_quit(keys, code):
    async with screen() as it:
        await it.type(keys)
        assert await ended(it) == code


async def test_keys_in_one_piece_do_what_they_say():
    """Esc 1 is Alt+1, also when something follows at once."""
    async with screen() as it:
        await it.type("to the lobby\r\x1b3to python\x1b\rand more\r\x1b1\x1b2end")
        await it.raw.until("end")
        assert "^" not in it.raw.text
        assert "¡" not in it.raw.text
        await it.type("\x03\x03\x03")
        assert await ended(it) == 130


async def test_a_byte_that_is_no_text_is_an_odd_letter():
    async with screen() as it:
        await it.write(b"a\xffb\xc3")
        await it.raw.until("a\ufffdb")
        await it.type("\x03\x04")
        assert await ended(it) == 0


@pytest.mark.parametrize("as_a_shell", [True, False], ids=["signal", "no signal"])
async def test_it_ends_when_the_window_is_closed(as_a_shell):
    """The kernel sends a signal only to those whose controlling terminal it was."""
    async with screen(as_a_shell=as_a_shell) as it:
        await it.close()
        with trio.fail_after(PATIENCE):
            assert await it.process.wait() > 0


HUNG_UP = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from screens import DEFAULT, FakeModel
from trio_chat.client import requests
from trio_chat.client.tui.app import show

async def network(news, wanted):
    with news, wanted:
        async for request in wanted:
            if isinstance(request, requests.Leave):
                os.kill(os.getpid(), signal.SIGHUP)
                return

code = show(FakeModel(), network, DEFAULT)
os.kill(os.getpid(), signal.SIGHUP)
sys.exit(code)
"""


async def test_a_window_may_hang_up_as_often_as_it_likes(tmp_path):
    """The kernel does, and the shell: while we say goodbye, and when the screen has gone."""
    path = tmp_path / "hung_up.py"
    path.write_text(HUNG_UP.format(tests=str(Path(__file__).parents[2])))
    async with screen(str(path)) as it:
        it.process.send_signal(signal.SIGHUP)
        assert await ended(it) == 128 + signal.SIGHUP


async def test_the_windows_title_is_given_back():
    async with screen() as it:
        assert "\x1b[22;2t" in it.raw.text
        await it.type("x")
        await it.raw.until("x")
        assert "\x1b]2;(@2) #lobby - trio-chat\x1b\\" in it.raw.text
        await it.type("\x03\x04")
        assert await ended(it) == 0
        await it.raw.until("\x1b[23;2t")


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
    async with screen(script(tmp_path, model="Broken()")) as it:
        await it.type("x")
        assert await ended(it) == 70
        last = it.raw.text.rpartition("\x1b[?1049l")[2]
        assert "trio-chat: the screen failed (RuntimeError); --debug shows where" in last
        assert "Traceback" not in last
        assert "hunter2" not in it.raw.text
        assert "somebody's" not in it.raw.text


async def test_debug_shows_where_the_mistake_was(tmp_path):
    async with screen(script(tmp_path, model="Broken()", debug=True)) as it:
        await it.type("x")
        assert await ended(it) == 70
        await it.raw.until("in typed")
        assert "hunter2" not in it.raw.text.replace('secret = "hunter2"', "")


async def test_what_ends_the_chat_is_said_on_the_terminal_as_it_was(tmp_path):
    async with screen(script(tmp_path, model="FakeModel()", network="lost")) as it:
        await it.type("x\r")
        assert await ended(it) == 69
        last = it.raw.text.rpartition("\x1b[?1049l")[2]
        assert "trio-chat: the server has gone\r\n" in last
