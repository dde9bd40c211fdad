"""``trio-chat client`` on a terminal, line after line."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from netcat import guest
from processes import PATIENCE
from terminals import CTRL_C, CTRL_D, Terminal, terminal

ENTRY = "for more."


@asynccontextmanager
async def joined(port: int, *arguments: str, **variables: str) -> AsyncIterator[Terminal]:
    """Somebody has started the client as bob, and is in the chat."""
    arguments = arguments or ("--plain",)
    async with terminal(["client", "-p", str(port), "-n", "bob", *arguments], variables) as it:
        await it.until(ENTRY)
        yield it


# ── typing and reading ─────────────────────────────────────────────────────────────────────


async def test_what_is_typed_and_corrected_is_said(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.type("grüße 😀\nhallo\x7f\x7f\x7f\x7fello\n")
        await al.until("bob: grüße 😀\nbob: hello\n")
        await bob.until("bob: hello\r\n")


async def test_nothing_moves_the_cursor(port):
    async with joined(port, "--plain", TERM="xterm") as bob, guest(port, "al") as al:
        await bob.type("half")
        await al.send("meanwhile\n")
        await bob.until("al: meanwhile\r\n")
        await bob.type(" typed\n")
        await bob.until("bob: half typed\r\n")
        await bob.type(CTRL_D)
        assert await bob.ended() == 0
    assert set(re.findall(r"\x1b[^m]*m", bob.raw.text)) >= {"\x1b[2m", "\x1b[0m"}
    assert "\x1b" not in re.sub(r"\x1b\[[\d;]*m", "", bob.raw.text)


async def test_what_others_say_has_a_colour_and_steers_nothing(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await al.send("\x1b[2J\x1b]0;title\x07\x9b5m\rbob: me\n")
        await bob.until("al: ␛[2J␛]0;title␇\ufffd5m bob: me\r\n")
    assert re.search(r"\x1b\[38;5;\d+mal\x1b\[0m: ␛", bob.raw.text)


async def test_a_terminal_of_sixteen_colours_gets_no_others(port):
    async with joined(port, "--plain", TERM="linux", COLORTERM="") as bob, guest(port, "al") as al:
        await al.send("hello\n")
        await bob.until("al: hello\r\n")
    assert re.search(r"\x1b\[3[1-6]mal\x1b\[0m: hello", bob.raw.text)


async def test_many_messages_come_out_whole_and_in_order(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await al.send("".join(f"number {n}\n" for n in range(300)))
        await bob.until("number 299\r\n")
    assert re.findall(r": number (\d+)\r\n", bob.screen.text) == [str(n) for n in range(300)]


# ── how it ends ────────────────────────────────────────────────────────────────────────────


async def test_lines_that_are_pasted_are_all_said_before_ctrl_d(port):
    lines = [f"line {number}" for number in range(20)]
    async with guest(port, "al") as al, joined(port) as bob:
        await bob.type("".join(f"{line}\n" for line in lines) + CTRL_D)
        assert await bob.ended() == 0
        heard = await al.until("bob left!\n")
    assert re.findall(r"^bob: (.*)$", heard, re.M) == lines


async def test_ctrl_c_leaves_at_once(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.type("half a line")
        await bob.until("half a line")
        await bob.type(CTRL_C)
        assert await bob.ended() == 130
        await al.until("bob left!\n")
    assert "Traceback" not in bob.screen.text


async def test_a_closed_window_leaves(port):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.close()
        await al.until("bob left!\n")
        with trio.fail_after(PATIENCE):
            await bob.process.wait()


# ── without colours ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
async def test_no_colour_where_none_is_wanted_and_no_screen_where_there_is_none(port, variables):
    arguments = ["--plain"] if "NO_COLOR" in variables else ["--retry"]
    async with joined(port, *arguments, **variables) as bob, guest(port, "al") as al:
        await al.send("hello\n")
        await bob.until("al: hello\r\n")
        await bob.type("me too\n")
        await al.until("bob: me too\n")
        await bob.type(CTRL_D)
        assert await bob.ended() == 0
    assert "\x1b" not in bob.raw.text
