"""What TLS costs the servers: people come over sockets, in clear or over TLS; then one speaks to
all. Each server is a process, so it is told from outside when it is done: when it rests.
"""

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.far import WELCOMED, trusting_all
from benchmarks.load import PATIENCE
from benchmarks.machine import Meter, Usage
from benchmarks.servers import Running, Server, own_environment, running
from benchmarks.transcript import Failed

_FIRST = 20  # people who come before the others: what the first ones take is for all
_MESSAGES = 20
_REST = 0.05  # seconds, in which a server uses no more CPU than
_NOTHING = 0.0005
_LONGEST = 120.0  # seconds until it rests


def over_tls(server: Server, core: int | None, number: int) -> dict[str, float]:
    """What ``number`` people cost, by ``clear_`` and ``tls_`` before each figure's name."""
    figures: dict[str, float] = {}
    for how in ("clear", "tls"):
        with running(server, core, tls=how == "tls") as it:
            figures |= {f"{how}_{name}": cost for name, cost in _costs(it, number, how).items()}
    return figures | {"times": figures["tls_delivery_us"] / figures["clear_delivery_us"]}


def _costs(it: Running, number: int, how: str) -> dict[str, float]:
    with ExitStack() as stack:
        stack.enter_context(_far(it, _FIRST, f"{how}-"))
        before, resident = _at_rest(it.meter), it.meter.resident()
        people = stack.enter_context(_far(it, number, how))
        came = _at_rest(it.meter) - before
        kib = (it.meter.resident() - resident) / number
        _tell(people, "joined")
        speaker = stack.enter_context(_speaker(it, over_tls=how == "tls"))
        said = [_message(it, speaker, n) for n in range(_MESSAGES)]
    return {
        "come_us": came.cpu / number * 1e6,
        "kib": kib,
        "delivery_us": statistics.median(said) / number * 1e6,
    }


@contextmanager
def _far(it: Running, number: int, how: str) -> Iterator[subprocess.Popen[str]]:
    """So many people in a process of their own, who have registered."""
    at_once = str(min(_FIRST, it.server.at_once))
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "benchmarks.far", str(it.port), str(number), at_once, how],
        cwd=Path(__file__).parent.parent,
        env=own_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _wait_for(process, "registered")
            yield process
        finally:
            process.kill()


def _tell(process: subprocess.Popen[str], answer: str) -> None:
    """Let people go into the room."""
    assert process.stdin  # noqa: S101
    process.stdin.write("\n")
    process.stdin.flush()
    _wait_for(process, answer)


def _wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout  # noqa: S101
    if process.stdout.readline().strip() != word:
        raise Failed(f"not all have {word}")


@contextmanager
def _speaker(it: Running, *, over_tls: bool) -> Iterator[socket.socket]:
    """Somebody who is in the room and hears nothing of what they say."""
    with socket.create_connection(("127.0.0.1", it.port), timeout=PATIENCE) as sock:
        speaker = trusting_all().wrap_socket(sock) if over_tls else sock
        speaker.sendall(b"NICK speaker\r\nUSER speaker 0 * :x\r\n")
        _hear(speaker, *WELCOMED)
        speaker.sendall(b"JOIN #big\r\n")
        _hear(speaker, b" 366 ")
        _at_rest(it.meter)
        yield speaker


def _hear(speaker: socket.socket, *markers: bytes) -> None:
    heard = b""
    while not any(marker in heard for marker in markers):
        data = speaker.recv(65_536)
        if not data:
            raise Failed("cut off: the speaker saw the end")
        heard += data


def _message(it: Running, speaker: socket.socket, number: int) -> float:
    """The CPU seconds of a message to all."""
    before = it.meter.usage()
    speaker.sendall(b"PRIVMSG #big :message %d, of as many letters as people write\r\n" % number)
    return (_at_rest(it.meter) - before).cpu


def _at_rest(meter: Meter) -> Usage:
    """What a server has used once it has nothing more to do."""
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until:
        before = meter.usage()
        time.sleep(_REST)
        after = meter.usage()
        if (after - before).cpu < _NOTHING:
            return after
    raise Failed("it comes to no rest")
