"""Starts Python programs at a tenth of the price: ``forks.py`` has imported trio-chat already.

They are processes like any other, with streams, signals, a terminal and an end of their own. What
only a new Python can show (what it imports when, how it reads its environment) needs a new one.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

import trio

import forks

# What Python and others read only once, when they start.
_TOO_LATE = ("PYTHON", "LANG", "LC_", "TEXTUAL")


class Process:
    """What there is of a trio.Process."""

    stdin: trio.lowlevel.FdStream | None = None
    stdout: trio.lowlevel.FdStream | None = None
    stderr: trio.lowlevel.FdStream | None = None

    def __init__(self, link: trio.socket.SocketType) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self._link = link
        self._waiting = trio.Lock()

    async def begin(self) -> None:
        self.pid = int(await self._link.recv(forks.DIGITS))

    async def wait(self) -> int:
        async with self._waiting:
            if self.returncode is None:
                self.returncode = int(await self._link.recv(forks.DIGITS))
                self._link.close()  # until then, nobody else gets its number
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def open_process(
    command: Sequence[str],
    *,
    stdin: int | IO[bytes],
    stdout: int,
    stderr: int,
    cwd: Path,
    env: Mapping[str, str],
    session: bool = False,
    terminal: bool = False,
    fresh: bool = False,
    constants: Mapping[str, float] = {},
    passed: Sequence[socket.socket] = (),
) -> Process:
    """As ``trio.lowlevel.open_process``, for this Python. It may lead a ``session``, and have what
    its input is as the ``terminal`` of that. A ``fresh`` one is a new process, and may be another
    Python. In any other, ``constants`` can be set, such as "trio_chat.cli.screen._SAVE_EVERY".
    Sockets can be ``passed`` to it, as systemd does.
    """
    assert fresh or command[0] == sys.executable
    late = [
        name for name in env if name.startswith(_TOO_LATE) and env[name] != os.environ.get(name)
    ]
    assert not (fresh and constants)
    assert fresh or not late, f"{late} mean nothing but to a fresh one"
    ours, theirs = socket.socketpair()
    link = trio.socket.from_stdlib_socket(ours)
    process = Process(link)
    given = []
    for name, what in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
        if what == subprocess.PIPE:
            reading, writing = os.pipe()
            our_end, what = (writing, reading) if name == "stdin" else (reading, writing)
            setattr(process, name, trio.lowlevel.FdStream(our_end))
        elif what == subprocess.DEVNULL:
            what = os.open(os.devnull, os.O_RDWR)
        else:
            what = os.dup(what if isinstance(what, int) else what.fileno())
        given.append(what)
    sockets = [each.fileno() for each in passed]
    socket.send_fds(_warm(), [b"!"], [*given, theirs.fileno(), *sockets])
    for number in given:
        os.close(number)
    theirs.close()
    wish = [*command], str(cwd), dict(env), session, terminal, fresh, dict(constants)
    with trio.CancelScope(shield=True):
        await trio.SocketStream(link).send_all(json.dumps(wish).encode() + b"\n")
        await process.begin()
    return process


@cache
def _warm() -> socket.socket:
    """To the process that forks. It ends when this is closed."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, forks.__file__], stdin=theirs)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
