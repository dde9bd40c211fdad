"""With the real netcat, as people type it; needs Debian's netcat-openbsd."""

import pytest
import trio

from peers import running, settings

pytestmark = pytest.mark.programs


async def netcat(port: int, script: str) -> str:
    """What a shell prints that runs the script, in which $PORT is the server's port."""
    with trio.fail_after(30):
        done = await trio.run_process(
            ["sh", "-c", script],
            capture_stdout=True,
            env={"PORT": str(port), "PATH": "/usr/bin:/bin"},
        )
    return done.stdout.decode()


async def test_a_line_in_a_pipe_is_said_and_its_echo_seen() -> None:
    async with running() as house:
        seen = await netcat(house.port, r"printf 'bob\nhello\n' | nc -q1 127.0.0.1 $PORT")
        assert seen.splitlines()[-1] == "bob: hello"


async def test_whoever_types_slowly_is_asked_for_a_nickname() -> None:
    async with running(settings(server={"greeting_delay": 0.5})) as house:
        seen = await netcat(
            house.port, r"(sleep 1; echo bob; sleep 1; echo hello) | nc -q1 127.0.0.1 $PORT"
        )
        assert seen.startswith("NICKbob joined!\nConnected to server!\n")
        assert seen.endswith("bob: hello\n")


async def test_a_file_can_be_said() -> None:
    async with running() as house:
        alice = await house.connect("alice")
        await netcat(house.port, r"(echo bob; seq 50) | nc -N 127.0.0.1 $PORT")
        await alice.until("bob: 50\n")
