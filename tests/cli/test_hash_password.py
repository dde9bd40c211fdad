"""``trio-chat hash-password``, in a pipe and on a terminal."""

import io
import math
import sys

import pytest
import trio

from processes import run
from terminals import CTRL_C, Terminal, terminal
from trio_chat.cli.configure import load
from trio_chat.cli.passwords import run_hash_password
from trio_chat.server.passwords import is_password


async def test_a_line_of_the_input(monkeypatch: pytest.MonkeyPatch):
    done = await run("hash-password", stdin="grüße you\r\nnot this\n".encode())
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert is_password("grüße you", done.out.strip())
    monkeypatch.setenv("TRIO_CHAT_SERVER__PASSWORD", done.out.strip())
    assert load({}, [], None)


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """The line that it says in this process, and nothing else."""
    with pytest.raises(SystemExit) as ended:
        run_hash_password(debug=False)
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (78, "", 1)
    return said.err


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "no password"), (b"\n", "no password"), (b"  \n", "no password"), (b"\xff\n", "UTF-8")],
)
def test_what_is_no_password(data, why, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert why in refusal(capsys)


async def keep_pressing(key: str, it: Terminal) -> None:
    """Until the program ends, press Ctrl-C again, if it is that, as a person would.

    Python has a moment, just before it waits in a read, in which a signal does not end that wait.
    """
    with trio.move_on_after(math.inf if key != CTRL_C else 1) as waited:
        await it.process.wait()
    if waited.cancelled_caught:
        await it.type(key)
        await keep_pressing(key, it)


async def typed(*lines: str) -> tuple[int, str]:
    """The exit code, and what a terminal shows, after these lines were typed one by one."""
    async with terminal(["hash-password"]) as it:
        for line in lines:
            await it.until(": ")
            await it.type(line)
        await keep_pressing(lines[-1], it)
        code = await it.ended()
    return code, it.screen.text


async def test_a_person_is_asked_twice_and_sees_nothing():
    code, screen = await typed("grüße\n", "grüße\n")
    *_, hashed = screen.split()
    assert code == 0
    assert "grüße" not in screen
    assert is_password("grüße", hashed)


async def test_two_that_differ_are_refused():
    code, screen = await typed("one\n", "two\n")
    assert code == 78
    assert "trio-chat: the two passwords differ" in screen
    assert "one" not in screen


async def test_ctrl_c_ends_it():
    code, screen = await typed(CTRL_C)
    assert code == 130
    assert "Traceback" not in screen
