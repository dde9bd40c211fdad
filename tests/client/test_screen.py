"""``trio-chat client`` on a terminal: the screen, its server, and what is remembered."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from netcat import guest
from processes import free_port, running_server
from terminals import CTRL_C, Terminal, terminal

IN = "You are in #lobby."
ENTERED = "\x1b[?1049h"  # the alternate screen
RESTORED = "\x1b[?1049l"


@asynccontextmanager
async def screen(port: int, folder: Path, *arguments: str) -> AsyncIterator[Terminal]:
    command = ["client", "-p", str(port), "-n", "bob", *arguments]
    async with terminal(command, {"XDG_STATE_HOME": str(folder)}) as it:
        yield it


@asynccontextmanager
async def joined(port: int, folder: Path, *arguments: str) -> AsyncIterator[Terminal]:
    async with screen(port, folder, *arguments) as it:
        await it.until(IN)
        yield it


def last_words(it: Terminal) -> str:
    """What stands on the terminal after the screen has gone."""
    before, _, words = it.raw.text.rpartition(RESTORED)
    assert ENTERED in before
    return words


async def test_two_people_talk(port, tmp_path):
    async with guest(port, "al") as al, joined(port, tmp_path) as bob:
        await bob.type("grüße 😀\r")
        await al.until("bob: grüße 😀\n")
        await al.send("hello \x1b[2J bob\n")
        await bob.until("hello ␛[2J bob")
        await bob.type("/quit bye\r")
        assert await bob.ended() == 0
        await al.until("bob left!\n")
    assert "\x07" in bob.raw.text  # it was called by its name
    assert "Traceback" not in last_words(bob)


async def test_what_has_not_arrived_is_sent_the_next_time_and_once(tmp_path):
    store = {"TRIO_CHAT_HISTORY__STORE": str(tmp_path / "chat.db")}
    async with running_server(**store) as server, joined(server.port, tmp_path) as bob:
        await bob.type("the first\r")
        await bob.until("the first")
        server.process.kill()
        await bob.until("closed")
        await bob.type("the second\r/quit\r")
        assert await bob.ended() == 0
        assert "1 text has not arrived: will be sent the next time" in last_words(bob)
    port = server.port
    async with running_server(port=port, **store), guest(port, "al") as al:
        async with joined(port, tmp_path) as bob:
            await al.until("bob: the second\n")
            await bob.type("/quit\r")
            assert await bob.ended() == 0
            assert "arrived" not in last_words(bob)
        async with joined(port, tmp_path) as bob:
            await bob.type("the third\r")
            assert "second" not in await al.until("bob: the third\n")


@pytest.mark.parametrize("how", ["SIGHUP", "SIGTERM", "Ctrl-C"])
async def test_however_it_ends_what_was_typed_is_remembered(port, tmp_path, how):
    async with joined(port, tmp_path) as bob:
        await bob.type("remember me\r")
        await bob.until("remember me")
        if how == "Ctrl-C":
            await bob.type(CTRL_C * 2)
            assert await bob.ended() == 0
        else:
            bob.process.send_signal(signal.Signals[how])
            assert await bob.ended() == 128 + signal.Signals[how]
        assert "Traceback" not in last_words(bob)
    (kept,) = tmp_path.glob("trio-chat/*.json")
    assert "remember me" in kept.read_text()


async def test_what_was_typed_is_there_the_next_time_and_ones_own(port, tmp_path):
    async with joined(port, tmp_path) as bob:
        await bob.type("remember me\r/quit\r")
        assert await bob.ended() == 0
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    async with guest(port, "al") as al, joined(port, tmp_path) as bob:
        await bob.type("\x1b[A\x1b[A!\r")
        await al.until("bob: remember me!\n")


async def test_without_state_nothing_is_written(port, tmp_path):
    async with joined(port, tmp_path, "--no-state") as bob:
        await bob.type("forget me\r/quit\r")
        assert await bob.ended() == 0
    assert not list(tmp_path.iterdir())


async def test_no_server_ends_it_with_a_line(tmp_path):
    with free_port() as port:
        async with screen(port, tmp_path) as bob:
            assert await bob.ended() == 69
    assert "no server is running there. 'trio-chat server' starts one\r\n" in last_words(bob)
    assert "Traceback" not in last_words(bob)


async def test_it_is_as_large_as_the_terminal_whatever_the_environment_says(port, tmp_path):
    variables = {"XDG_STATE_HOME": str(tmp_path), "COLUMNS": "30", "LINES": "10"}
    async with terminal(["client", "-p", str(port), "-n", "bob"], variables) as bob:
        await bob.until(IN)
        await bob.type("x" * 60)
        await bob.until("x" * 60)
