"""``trio-chat client`` on a terminal: the screen, its server, and what is remembered."""

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from netcat import guest
from netcat import netcat as irc_peer
from processes import PATIENCE, free_port, running_server
from terminals import CTRL_C, Terminal, terminal
from trio_chat.client.state import open_state
from trio_chat.settings.places import Address

IN = "You are in #lobby."
ENTERED = "\x1b[?1049h"  # the alternate screen
RESTORED = "\x1b[?1049l"


@asynccontextmanager
async def screen(
    port: int, folder: Path, *arguments: str, **how: object
) -> AsyncIterator[Terminal]:
    command = ["client", "-p", str(port), "-n", "bob", *arguments]
    async with terminal(command, {"XDG_STATE_HOME": str(folder)}, **how) as it:
        yield it


@asynccontextmanager
async def joined(
    port: int, folder: Path, *arguments: str, **how: object
) -> AsyncIterator[Terminal]:
    async with screen(port, folder, *arguments, **how) as it:
        await it.until(IN)
        yield it


def last_words(it: Terminal) -> str:
    """What stands on the terminal after the screen has gone."""
    before, _, words = it.raw.text.rpartition(RESTORED)
    assert ENTERED in before
    return words


async def test_two_people_talk(port, tmp_path):
    async with guest(port, "al") as al, joined(port, tmp_path, fresh=True) as bob:
        await bob.type("grüße 😀\r")
        await al.until("bob: grüße 😀\n")
        await al.send("hello \x1b[2J bob\n")
        await bob.until("hello ␛[2J bob")
        await bob.type("/quit bye\r")
        assert await bob.ended() == 0
        await al.until("bob left!\n")
    assert "\x07" in bob.raw.text  # it was called by its name
    assert "Traceback" not in last_words(bob)


async def test_what_is_typed_before_the_screen_is_there_is_read_line_by_line(port, tmp_path):
    """That is what waits for the terminal's mode, and then for the line that takes it."""
    async with guest(port, "al") as al, screen(port, tmp_path) as bob:
        await bob.type("/msg al one\r/msg al two\r")
        await bob.raw.until(ENTERED)
        await bob.type("/msg al three\r/msg al four\n\r")
        for number in ("one", "two", "three", "four"):
            await al.until(f"bob -> al: {number}\n")
        await bob.type("/quit\r")
        assert await bob.ended() == 0


@pytest.mark.slow
async def test_what_has_not_arrived_is_sent_the_next_time_and_once(tmp_path):
    store = {"TRIO_CHAT_HISTORY__STORE": str(tmp_path / "chat.db")}
    async with running_server(**store) as server, joined(server.port, tmp_path) as bob:
        async with guest(server.port, "al") as al:
            await bob.type("the first\r")
            await al.until("bob: the first\n")
            await al.send("go on\n")
            await bob.until("go on")  # so what was said before it has arrived
        server.process.kill()
        await bob.screen.until_match("closed|was lost")
        await bob.type("the second\r/quit\r")
        assert await bob.ended() == 0
        assert "1 text has not arrived: will be sent next time" in last_words(bob)
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


@pytest.mark.parametrize("how", ["SIGHUP", "SIGKILL", "Ctrl-C"])
@pytest.mark.slow
async def test_however_it_ends_what_was_typed_and_read_is_remembered(port, tmp_path, how):
    saves = {"trio_chat.cli.screen._SAVE_EVERY": 0.1 if how == "SIGKILL" else 100}
    async with guest(port, "al") as al, joined(port, tmp_path, constants=saves) as bob:
        await al.send("read me\n")
        await bob.until("read me")
        await bob.type("remember me\r")
        await al.until("bob: remember me\n")
        if how == "Ctrl-C":
            await bob.type(CTRL_C * 2)
            assert await bob.ended() == 130
        elif how == "SIGKILL":
            with trio.fail_after(PATIENCE):
                while "remember me" not in str(kept_in(tmp_path)):  # noqa: ASYNC110
                    await trio.sleep(0.1)
            bob.process.kill()
            await bob.process.wait()
        else:
            await bob.type("half a sent")
            await bob.until("half a sent")
            bob.process.send_signal(signal.Signals[how])
            assert await bob.ended() == 128 + signal.Signals[how]
            assert "Traceback" not in last_words(bob)
        await al.until("bob left!\n")
    kept = kept_in(tmp_path)
    assert kept["inputs"][0] == "remember me"
    assert kept["buffers"] == ["#lobby"]
    assert [target for target, _ in kept["read"]] == ["#lobby"]
    assert kept["unsent"] == []
    assert kept["drafts"] == ([["#lobby", "half a sent"]] if how == "SIGHUP" else [])


def kept_in(folder: Path) -> dict:
    files = list(folder.glob("trio-chat/*.json"))
    return json.loads(files[0].read_text()) if files else {}


@pytest.mark.slow
async def test_what_was_read_here_is_known_elsewhere(port, tmp_path):
    async with guest(port, "al") as al, joined(port, tmp_path) as bob:
        await al.send("read me\n")
        await bob.until("read me")
        bob.process.terminate()
        await bob.ended()
    kept = kept_in(tmp_path)
    caps = "CAP REQ :draft/read-marker trio-chat/identity"
    async with irc_peer(port) as peer:
        await peer.send(f"{caps}\r\nIDENTITY {kept['secret']}\r\nNICK bob\r\nUSER b 0 * :b\r\n")
        await peer.send("CAP END\r\nJOIN #lobby\r\n")
        await peer.until(f"MARKREAD #lobby timestamp={kept['read'][0][1]}\r\n")


async def test_a_server_that_is_not_there_makes_nothing_forgotten(port, tmp_path):
    async with joined(port, tmp_path) as bob:
        await bob.type("/join #tea\r")
        await bob.until("You are in #tea.")
        await bob.type("/quit\r")
        await bob.ended()
    before = kept_in(tmp_path)
    other = tmp_path / "other"
    (file,) = tmp_path.glob("trio-chat/*.json")
    with free_port() as gone:
        with open_state(other / "trio-chat", str(Address("127.0.0.1", gone))) as state:
            state.save(state.kept)
        next(other.glob("trio-chat/*.json")).write_bytes(file.read_bytes())
        async with screen(gone, other) as bob:
            assert await bob.ended() == 69
    assert kept_in(other) == before


@pytest.mark.slow
async def test_a_room_that_is_named_is_the_one_that_is_shown(port, tmp_path):
    async with joined(port, tmp_path) as bob:
        await bob.type("/quit\r")
        assert await bob.ended() == 0
    async with guest(port, "al") as al, screen(port, tmp_path, "--room", "tea") as bob:
        await al.send("/join #tea\n")
        await al.until("in #tea;")
        await bob.until("You are in #tea.")
        await bob.type("for tea\r")
        await al.until("bob: for tea\n")


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


@pytest.mark.slow
async def test_it_is_as_large_as_the_terminal_whatever_the_environment_says(port, tmp_path):
    variables = {"XDG_STATE_HOME": str(tmp_path), "COLUMNS": "30", "LINES": "10"}
    async with terminal(["client", "-p", str(port), "-n", "bob"], variables) as bob:
        await bob.until(IN)
        await bob.type("x" * 60)
        await bob.until("x" * 60)
