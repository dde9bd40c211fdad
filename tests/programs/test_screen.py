"""The client on the full screen of a terminal, beside people with netcat and irssi."""

import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio

import trio_chat
from netcat import guest
from processes import PATIENCE, environment, running_server
from tmux import Tmux, irssi, tmux

pytestmark = pytest.mark.programs

PASTE = [f"verse {number} of a poem" for number in range(30)]
LINES = 5000


@asynccontextmanager
async def client(
    port: int, folder: Path, columns: int, rows: int, *options: str, shell: Sequence[str] = ()
) -> AsyncIterator[Tmux]:
    """Bob's, in the lobby; the ``shell``, if it is given, starts it."""
    state = {"XDG_STATE_HOME": str(folder), "TERM": "tmux-256color"}
    variables = [f"{n}={v}" for n, v in environment(state).items() if n.startswith(("XDG", "TERM"))]
    # Said, not found out: on a machine that is busy enough our greeting may come too late.
    arguments = ["client", "--protocol", "irc", "-p", str(port), "-n", "bob", *options]
    program = [sys.executable, "-m", "trio_chat", *arguments]
    command = ["env", *variables, *shell, *program]
    async with tmux(folder / "bob.tmux", columns, rows, *command) as it:
        await it.until("You are in #lobby.")
        yield it


async def test_an_evening_in_a_small_terminal(tmp_path: Path) -> None:
    store = {"TRIO_CHAT_HISTORY__STORE": str(tmp_path / "chat.db")}
    async with running_server(**store) as server:
        port = server.port
        async with client(port, tmp_path, 80, 24) as bob:
            async with guest(port, "annabel") as nettie, irssi(port, "irina", tmp_path) as irina:
                # People talk, and a nickname is completed.
                await nettie.send("hello to all\n")
                await bob.until("annabel │ hello to all")
                await bob.write("ann")
                await bob.press("Tab")
                await bob.until("❯ annabel:")
                await bob.type("how are you?")
                await nettie.until("bob: annabel: how are you?\n")
                await irina.until("bob> annabel: how are you?")
                await irina.type("/me bows")
                await bob.until("irina bows")
                # A paste is shown before it is sent.
                await bob.paste("\n".join(PASTE))
                await bob.until("30")
                await bob.press("Enter")
                heard = await nettie.until(f"bob: {PASTE[-1]}\n")
                assert re.findall(r"^bob: (verse .*)$", heard, re.M) == PASTE
                # Somebody is somewhere else, and is called.
                await bob.type("/join #tea")
                await bob.until("You are in #tea.")
                await nettie.send("bob, are you there?\n")
                await bob.until("2:#lobby @1")
                await bob.press("M-2")
                await bob.until("bob, are you there?")
                # Whatever the size.
                for columns, rows in [(20, 6), (300, 60), (80, 24)]:
                    await bob.resize(columns, rows)
                    await bob.until("there?")
                await irina.type("/quit")
            # The server goes and comes back.
            server.process.kill()
            await server.process.wait()
            await bob.until("server closed")
            await bob.type("said to nobody yet")
            await bob.until("said to nobody yet ⋯")
            async with running_server(port=port, **store), guest(port, "annabel") as nettie:
                await nettie.until("bob: said to nobody yet\n")
                screen = await bob.gone("yet ⋯")
                assert screen.count("said to nobody yet") == 1
                await bob.type("/quit see you")
                await nettie.until("bob left!")
                screen = await bob.gone("❯")
                assert "Traceback" not in screen


async def test_five_thousand_lines_back_on_a_large_one(tmp_path: Path) -> None:
    limits = {"TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "100000"}
    async with running_server(**limits) as server:
        await say(server.port, LINES)
        async with client(server.port, tmp_path, 200, 50) as bob:
            while 0 not in (seen := await without_gap(bob)):
                await bob.press("PageUp")
                await other_than(bob, seen)
            await bob.press("End")
            await bob.until(f"line {LINES - 1} ")


async def say(port: int, lines: int) -> None:
    """Returns when the server has all of them."""
    async with trio_chat.open_chat(port=port, nick="al", protocol="plain") as al:
        for number in range(lines):
            await al.say(f"line {number} of the past")


async def other_than(terminal: Tmux, before: list[int]) -> None:
    """Wait until something else is seen; not for ever, as a page may not have come yet."""
    with trio.move_on_after(1):
        while await numbers_in(terminal) == before:  # noqa: ASYNC110
            await trio.sleep(0.02)


async def without_gap(terminal: Tmux) -> list[int]:
    """The numbers of the lines that are seen, once there is none missing between them."""
    with trio.fail_after(PATIENCE):
        while True:
            seen = await numbers_in(terminal)
            if seen and seen == [*range(seen[0], seen[0] + len(seen))]:
                return seen
            await trio.sleep(0.02)


async def numbers_in(terminal: Tmux) -> list[int]:
    return [int(number) for number in re.findall(r"│ line (\d+) ", await terminal.screen())]


async def test_it_ends_with_the_window_also_if_a_shell_has_started_it(tmp_path: Path) -> None:
    """The shell leads the session: the hang-up brings a SIGCONT, and Textual writes anew."""
    pid = tmp_path / "pid"
    inner = f'echo $$ >{pid}; exec "$@"'
    shell = ["sh", "-c", f"sh -c '{inner}' sh \"$@\"; :", "sh"]
    mouse = ("--set", "screen.mouse=true")
    async with (
        running_server() as server,
        client(server.port, tmp_path, 100, 30, *mouse, shell=shell) as bob,
        guest(server.port, "al") as al,
    ):
        ended = os.pidfd_open(int(pid.read_text()))
        try:
            for number in range(40):
                await al.send(f"{number} bob\n")
            await bob.until("39 bob")
            await bob.stop()
            with trio.fail_after(PATIENCE):
                await trio.lowlevel.wait_readable(ended)
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(ended, signal.SIGKILL)
            os.close(ended)
