"""A process that has imported trio-chat, and forks one that runs it when ``warm.py`` asks."""

import atexit
import fcntl
import gc
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module

DIGITS = 12  # of a number as it is told
PASSED = 8  # sockets at most, as a service manager passes them

_codes: list[int] = []  # what to exit with


def main() -> None:
    assert "logging" not in sys.modules
    atexit.register(_leave)  # the first, so it comes last
    import trio_chat

    for module in pkgutil.walk_packages(trio_chat.__path__, "trio_chat."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.collect()
    gc.freeze()  # nobody copies a page only to look for garbage
    asked = socket.socket(fileno=0)
    while given := socket.recv_fds(asked, 1, 4 + PASSED)[1]:
        if os.fork() == 0:
            return _keep(*given)
        for number in given:
            os.close(number)
        _reap(os.WNOHANG)
    return _reap(0)


def _reap(how: int) -> None:
    """Those who kept a child and have ended, so that what they took is counted as ours."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def _keep(stdin: int, stdout: int, stderr: int, answer: int, *passed: int) -> None:
    """Run it in a child, and tell what becomes of that. Its number is its own until we are left."""
    link = socket.socket(fileno=answer)
    with link.makefile() as wishes:
        command, cwd, env, session, terminal, fresh, constants = json.loads(wishes.readline())
    child = os.fork()
    if child == 0:
        link.close()
        _settle((stdin, stdout, stderr), cwd, env, session=session, terminal=terminal)
        _pass_on(passed)
        if fresh:
            os.execv(command[0], command)  # noqa: S606
        for name, value in constants.items():
            module, _, constant = name.rpartition(".")
            assert hasattr(sys.modules[module], constant)
            setattr(sys.modules[module], constant, value)
        return _run(command[1:])
    os.closerange(0, link.fileno())
    for number in passed:
        os.close(number)
    link.send(b"%*d" % (DIGITS, child))
    end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert end
    code = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
    link.send(b"%*d" % (DIGITS, code))
    link.recv(1)
    os.waitpid(child, 0)
    os._exit(0)


def _settle(
    streams: Sequence[int], cwd: str, env: Mapping[str, str], *, session: bool, terminal: bool
) -> None:
    """Be as if this had been started there."""
    if session:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs the tests may ignore it (nohup)
    for number, given in enumerate(streams):
        os.dup2(given, number)
        os.close(given)
    if terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        mode = "w" if number else "r"
        new = open(number, mode, -1, old.encoding, old.errors, "\n", closefd=False)  # noqa: SIM115
        new.reconfigure(line_buffering=number == 2 or os.isatty(number))
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def _pass_on(sockets: Sequence[int]) -> None:
    """Have these as a service manager passes them (sd_listen_fds(3))."""
    if sockets:
        aside = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 100) for number in sockets]
        for number, there in enumerate(aside, 3):
            os.dup2(there, number)
            os.close(there)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)))


def _run(command: Sequence[str]) -> None:
    try:
        if command[0] == "-m":
            sys.argv = ["", *command[2:]]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [*command]
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            _codes.append(end.code or 0)
        raise


def _leave() -> None:
    """Without taking each object apart, which takes longer than most of what is run here."""
    if _codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_codes[0] & 0xFF)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is meant for who runs the tests
    main()
