"""``trio-chat client`` as a process in a pipe: what it prints, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import pytest
import trio

from netcat import guest
from processes import (
    IMPATIENT,
    PATIENCE,
    PROGRAM,
    Finished,
    environment,
    free_port,
    run,
    running,
    running_server,
)

ALONE = "You are bob in #lobby; nobody else is here yet. /help for more."
WELCOME = f"*** Welcome to the trio-chat network, bob\nbob joined!\n*** {ALONE}\n"

# For a server as a process: it lets a client that is held up speak first.
PATIENT = {"TRIO_CHAT_SERVER__GREETING_DELAY": "10"}


async def chat(port: int, stdin: object, *arguments: str, **how: object) -> Finished:
    return await run("client", *_as_bob(port), *arguments, stdin=stdin, **how)


@asynccontextmanager
async def client(port: int, *arguments: str, **variables: str):
    command = ["client", *_as_bob(port), *arguments]
    async with running(*command, constants=IMPATIENT, **variables) as process:
        yield process


@asynccontextmanager
async def joined(port: int, *arguments: str, **variables: str):
    """The same, once it is in the chat."""
    async with client(port, *arguments, **variables) as process:
        await process.out.until("for more.")
        yield process


def _as_bob(port: int) -> list[str]:
    return ["--port", str(port), "--nick", "bob"]


def only_line(done: Finished) -> str:
    """What it says on standard error, which is one line."""
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("trio-chat: ")
    return done.err


# ── in a pipe ──────────────────────────────────────────────────────────────────────────────


async def test_what_is_piped_in_is_said_and_comes_back(port):
    done = await chat(port, b"\n  \r\none\r\n\ntwo", fresh=True)
    assert done == Finished(0, WELCOME + "bob: one\nbob: two\n", "")


async def test_others_hear_it(port):
    async with guest(port, "al") as al:
        await chat(port, "grüße\n//slash\n/me waves\n/quit\nnothing after that".encode())
        heard = await al.until("bob left!\n")
    assert heard == "bob joined!\nbob: grüße\nbob: /slash\n* bob waves\nbob left!\n"


async def test_300_lines_arrive_complete_and_in_order(port):
    lines = [f"line {number}" for number in range(300)]
    async with guest(port, "al") as al:
        done = await chat(port, "\n".join(lines).encode())
        await al.until("bob left!\n")
    said = [f"bob: {line}" for line in lines]
    assert (done.code, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if line.startswith("bob: ")] == said
    assert [line for line in al.heard.text.splitlines() if line.startswith("bob: ")] == said


async def test_input_from_dev_null(port):
    assert await chat(port, subprocess.DEVNULL) == Finished(0, WELCOME, "")


async def test_each_message_is_printed_at_once(port):
    async with joined(port) as bob:
        await bob.write("one\n")
        await bob.out.until("bob: one\n")
        async with guest(port, "al") as al:
            await bob.out.until("al joined!\n")
            await al.send("hello\n")
            await bob.out.until("al: hello\n")
        await bob.out.until("al left!\n")
        await bob.end_input()
        assert await bob.ended() == 0
        assert bob.err.text == ""


# ── errors ─────────────────────────────────────────────────────────────────────────────────


async def test_no_server():
    with free_port() as port:
        done = await chat(port, b"one\n")
    assert (done.code, done.out) == (69, "")
    assert f"cannot connect to 127.0.0.1:{port}: no server is running there" in only_line(done)


async def test_an_unknown_host():
    host = "no-such-host.invalid"
    done = await run("client", "--host", host, RES_OPTIONS="timeout:1 attempts:1")
    assert (done.code, done.out) == (69, "")
    assert f"there is no host named {host}" in only_line(done)


async def test_a_nickname_that_is_taken(port):
    async with guest(port, "Bob"):
        done = await chat(port, b"one\n")
    assert (done.code, done.out) == (77, "")
    assert "The nickname bob is taken." in only_line(done)


@pytest.mark.parametrize(
    "arguments",
    [(), ("--json", "--protocol", "plain")],
    ids=str,
)
async def test_a_nickname_that_is_taken_and_was_not_given(port, arguments):
    text = b'{"type": "say", "text": "hi"}\n' if "--json" in arguments else b"hi\n"
    async with guest(port, "jane") as jane:
        command = ("client", "--port", str(port), *arguments)
        done = await run(*command, stdin=text, LOGNAME="jane")
        await jane.until("jane_2: hi\n")
    assert (done.code, done.err) == (0, "")
    assert "The nickname jane is taken." in done.out
    assert "jane_2" in done.out


async def test_a_nickname_of_the_environment_is_given(port):
    async with guest(port, "jane"):
        done = await run("client", "--port", str(port), TRIO_CHAT_CLIENT__NICK="jane")
    assert done.code == 77
    assert "is taken" in only_line(done)


async def test_a_server_that_stops(server, port):
    async with joined(port) as bob:
        server.stop()
        assert await bob.ended() == 69
        assert bob.out.text.endswith("*** The server is shutting down. Goodbye!\n")
        assert bob.err.text == "trio-chat: the server closed the connection\n"


# ── what is not said ───────────────────────────────────────────────────────────────────────

SAY = '{"type": "say", "text": "red"}\n'


UNSAID = "trio-chat: 1 message or command was refused or cut, or may not have arrived\n"
KEPT_OUT = "trio-chat: You need an invitation to enter #closed. Somebody in it can /invite you.\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--room", "#mod"), "red\n"),
        (("--protocol", "plain", "--room", "#mod"), "red\n"),
        (("--json", "--room", "#mod"), SAY),
        ((), "/msg nobody red\n"),
        (("--json", "--room", "#closed"), SAY),
    ],
    ids=str,
)
async def test_what_is_refused_makes_it_65_or_77_and_a_line(port, arguments, text):
    async with await trio.open_tcp_stream("127.0.0.1", port) as op:
        commands = (
            b"NICK op\nUSER o 0 * :o\nJOIN #mod,#closed\nMODE #mod +m\nMODE #closed +i\nPING x\n"
        )
        await op.send_all(commands)
        heard = b""
        while b"PONG" not in heard:
            heard += await op.receive_some()
        done = await chat(port, text.encode(), *arguments)
    out = "#closed" in arguments
    assert (done.code, only_line(done)) == ((77, KEPT_OUT) if out else (65, UNSAID))
    if out:
        *_, linked, sent, failed, notice = map(json.loads, done.out.splitlines())
        kinds = [told["type"] for told in (linked, sent, failed)]
        assert (kinds, notice["room"]) == (["linked", "sent", "failed"], "#closed")
        assert f"trio-chat: {notice['text']}\n" == KEPT_OUT


@pytest.mark.parametrize("line", [b"x" * 1_048_577, b"caf\xe9"])
async def test_a_line_that_is_too_long_or_no_text_makes_it_65(port, line):
    done = await chat(port, line + b"\nfine\n")
    assert done.code == 65
    assert done.out.endswith("bob: fine\n")
    assert done.err.splitlines()[-1] == (
        "trio-chat: 1 line of the input was not understood, or too long"
    )


def is_writing(pid: int, *, to: int) -> bool:
    """Whether one of its threads is in a write to this file descriptor. Linux tells."""
    calls = (file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/syscall"))
    return any(re.match(rf"(1|64) 0x{to:x} ", call) for call in calls)


async def test_ctrl_c_ends_it_while_nobody_takes_its_output(port):
    async with await trio.open_tcp_stream("127.0.0.1", port) as al:
        await al.send_all(b"al\n")
        reader, writer = os.pipe()  # and nobody reads it
        process = await trio.lowlevel.open_process(
            [*PROGRAM, "client", *_as_bob(port), "--protocol", "plain"],
            stdin=subprocess.PIPE,
            stdout=writer,
            env=environment({}),
        )
        heard = b""
        while b"bob joined!" not in heard:
            heard += await al.receive_some()
        os.set_blocking(writer, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(65536))  # it is full
        os.set_blocking(writer, True)
        await al.send_all(b"hello\n")
        with trio.fail_after(PATIENCE):
            while not is_writing(process.pid, to=1):  # noqa: ASYNC110
                await trio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        with trio.fail_after(PATIENCE):
            assert await process.wait() == 130
    os.close(reader)
    os.close(writer)


# ── --retry ────────────────────────────────────────────────────────────────────────────────


async def test_retry_waits_for_a_server_to_start():
    with free_port() as port:
        async with client(port, "--retry") as bob:
            await bob.write("hello\n")
            await bob.out.until_match(
                r"\*\*\* Cannot connect to .*\. Trying again in \d+ seconds?\.\n"
            )
            async with running_server(port=port), guest(port, "al") as al:
                await al.until("bob joined!\nbob: hello\n")
                await bob.end_input()
                assert await bob.ended() == 0
        assert bob.err.text == ""


async def test_retry_comes_back_to_a_server_that_was_restarted():
    with free_port() as port:
        async with client(port, "--retry") as bob:
            async with running_server(port=port, **PATIENT) as first:
                await bob.out.until(WELCOME)
                await bob.write("before\n")
                await bob.out.until("bob: before\n")
                first.process.kill()
                await bob.out.until("Trying again")
            await bob.write("between\n")
            async with running_server(port=port, **PATIENT):
                await bob.out.until(WELCOME)
                await bob.write("after\n")
                await bob.end_input()
                assert await bob.ended() == 0
        assert bob.out.text.endswith("bob: between\nbob: after\n")
        assert bob.err.text == ""


# ── how it is stopped ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_it_without_a_word(port, number, code):
    async with joined(port) as bob, guest(port, "al") as al:
        await bob.out.until("al joined!\n")
        bob.process.send_signal(number)
        assert await bob.ended() == code
        assert bob.err.text == ""
        await al.until("bob left!\n")


async def test_ctrl_c_ends_it_while_it_waits_for_a_server():
    with free_port() as port:
        async with client(port, "--retry") as bob:
            await bob.out.until("Trying again")
            bob.process.send_signal(signal.SIGINT)
            assert await bob.ended() == 130
            assert bob.err.text == ""


@pytest.mark.slow
async def test_it_can_stand_before_head(port):
    pipeline = 'set -o pipefail; yes | "$0" -m trio_chat client -n bob -p "$1" | head -n 1'
    with trio.fail_after(PATIENCE):
        done = await trio.run_process(
            ["bash", "-c", pipeline, sys.executable, str(port)],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env=environment({}),
        )
    first_line = WELCOME.splitlines()[0].encode() + b"\n"
    assert (done.returncode, done.stdout, done.stderr) == (141, first_line, b"")


# ── help ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", [(), ("server",), ("client",), ("config",)], ids=str)
async def test_help(command):
    done = await run(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert " ".join([*command, "[OPTIONS]"]) in done.out.splitlines()[0]
    assert "<" not in done.out  # not "--room <str>"


@pytest.mark.parametrize("option", ["--version", "-V"])
async def test_version(option):
    done = await run(option)
    assert done == Finished(0, f"trio-chat {version('trio-chat')}\n", "")


async def test_the_nickname_is_the_accounts(port):
    done = await run("client", "--port", str(port), LOGNAME="jane doe")
    assert "\njanedoe joined!\n" in done.out
