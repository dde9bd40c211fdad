"""What the client on a terminal costs: ``python -m benchmarks.screen`` (``--quick`` takes seconds).

The real client runs in a pseudo-terminal of 200 by 50 cells, against a real server in which others
talk. How long a key takes is from when it is written until what it shows has come back; for what
ends with a whole screen, until the last of it has come. CPU is the client's own.
"""

import argparse
import fcntl
import os
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.machine import Meter
from benchmarks.servers import SERVERS, running

_TEXT = "The quick brown fox jumps over the lazy dog, and then once more."  # 64 characters
_PATIENCE = 30.0  # seconds
_BATCH = 500  # messages that are sent before we look whether the screen has shown them
_QUIET = 0.1  # seconds without a byte: the screen is complete
_PAGE_UP, _END = b"\x1b[5~", b"\x1b[F"
_CLEAR = b"\x15"  # Ctrl+U
_CLIENT = [sys.executable, "-m", "trio_chat", "client"]


class Terminal:
    """The client in a terminal. A thread notes what comes, and when."""

    def __init__(self, port: int, home: Path, *options: str) -> None:
        self._master, slave = os.openpty()
        self.resize(200, 50)
        self.process = subprocess.Popen(  # noqa: S603 - our own client
            [*_CLIENT, "--port", str(port), "--nick", "meter", *options],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
                **dict.fromkeys(("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"), str(home)),
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "PYTHONUTF8": "1",
            },
        )
        os.close(slave)
        self.meter = Meter(self.process.pid)
        self._came = threading.Condition()
        self._text, self._last = bytearray(), 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while data := self._some():
            with self._came:
                self._text += data
                self._last = time.perf_counter()
                self._came.notify_all()

    def _some(self) -> bytes:
        try:
            return os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            return b""

    def write(self, keys: bytes) -> float:
        """Returns when. What came before is forgotten."""
        with self._came:
            self._text.clear()
        os.write(self._master, keys)
        return time.perf_counter()

    def until(self, text: str) -> float:
        """When it was there."""
        with self._came:
            if not self._came.wait_for(lambda: text.encode() in self._text, _PATIENCE):
                raise TimeoutError(f"{text!r} was not shown")
            return self._last

    def until_quiet(self) -> float:
        """When the last of it came."""
        with self._came:
            if not self._came.wait_for(lambda: self._text, _PATIENCE):
                raise TimeoutError("nothing was shown")
            while self._came.wait(_QUIET):
                pass
            return self._last

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def took(self, keys: bytes, text: str = "") -> float:
        """Milliseconds until this text is shown, or if there is none until all is."""
        began = self.write(keys)
        return ((self.until(text) if text else self.until_quiet()) - began) * 1000

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


@contextmanager
def client(port: int, *options: str) -> Iterator[Terminal]:
    with tempfile.TemporaryDirectory(prefix="trio-chat-benchmark-") as home:
        terminal = Terminal(port, Path(home), *options)
        try:
            terminal.until("#lobby")
            yield terminal
        finally:
            terminal.close()


class Talker:
    """Somebody who talks in the room."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(b"talker\n")
        threading.Thread(target=self._swallow, daemon=True).start()
        self._said = 0

    def _swallow(self) -> None:
        while self._socket.recv(65_536):
            pass

    def say(self, count: int) -> str:
        """Returns how the last message begins."""
        numbers = range(self._said, self._said + count)
        self._said += count
        self._socket.sendall("".join(f"m{n:06} {_TEXT}\n" for n in numbers).encode())
        return f"m{self._said - 1:06}"

    def keep_talking(self, rate: int, stop: threading.Event) -> None:
        """So many messages in a second, evenly."""
        while not stop.wait(1 / rate):
            self.say(1)


def starts(port: int, times: int) -> list[float]:
    """CPU seconds until one can write in the room."""
    seconds = []
    for _ in range(times):
        with client(port) as terminal:
            terminal.until_quiet()
            seconds.append(terminal.meter.usage().cpu)
    return seconds


def idle(terminal: Terminal, seconds: float) -> float:
    """Percent of a core."""
    terminal.until_quiet()
    before = terminal.meter.usage()
    time.sleep(seconds)
    return (terminal.meter.usage() - before).cpu / seconds * 100


def keys(terminal: Terminal, count: int, *, lines: bool = False) -> list[float]:
    """Each at another moment of the client's rhythm. In line mode they come back one by one."""
    times, written = [], ""
    for _ in range(count):
        time.sleep(random.uniform(0.05, 0.15))  # noqa: S311 - no secret
        if len(written) == 40:
            terminal.write(_CLEAR)
            written = ""
        written += random.choice("QXZ")  # noqa: S311
        times.append(terminal.took(written[-1].encode(), written[-1] if lines else written))
    terminal.write(_CLEAR)
    return times


def report(what: str, values: list[float], unit: str = "ms", cpu: str = "") -> None:
    ordered = sorted(values)
    p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    more = f"{p95:.3g} {unit} | {ordered[-1]:.3g} {unit}" if len(ordered) > 1 else "|"
    print(f"| {what} | {statistics.median(ordered):.3g} {unit} | {more} | {cpu} |", flush=True)


def report_each(terminal: Terminal, what: str, steps: Iterable[Callable[[], float]]) -> None:
    """How long each step took, and the CPU of one of them, with what it leaves to be done later."""
    before = terminal.meter.usage()
    times = [step() for step in steps]
    time.sleep(_QUIET)
    used = (terminal.meter.usage() - before).cpu / len(times) * 1000
    report(what, times, cpu=f"{used:.3g} ms")


def measure(port: int, *, lines: int, times: int) -> None:
    print("| | median | 95th percentile | longest | CPU each |\n|---|---|---|---|---|")
    report("start, CPU", starts(port, max(times // 10, 1)), "s")
    with client(port) as terminal:
        terminal.write(b"\x1b2")  # Alt+2, and so on: to the lobby, wherever we are
        time.sleep(_QUIET)
        terminal.took(b"\x1b1", "/join #room")
        terminal.took(b"\x1b2", "Message #lobby")
        report("idle, CPU", [idle(terminal, times / 5)], "%")
        report("a key", keys(terminal, times))
        talker = Talker(port)
        for _ in range(lines // _BATCH):
            terminal.write(b"")
            terminal.until(talker.say(_BATCH))
        report(f"memory with {lines:,} lines", [terminal.meter.resident() / 1024], "MiB")
        many(terminal, times)
        busy(terminal, talker, times)
    with client(port, "--plain") as terminal:
        busy(terminal, talker, times, lines=True)


def busy(terminal: Terminal, talker: Talker, times: int, *, lines: bool = False) -> None:
    """What is written while much is said."""
    stop = threading.Event()
    talking = threading.Thread(target=talker.keep_talking, args=(200, stop), daemon=True)
    talking.start()
    time.sleep(1)
    before, began = terminal.meter.usage(), time.perf_counter()
    where = " in line mode" if lines else ""
    report(f"a key{where}, while 200 messages come in a second", keys(terminal, times, lines=lines))
    used = (terminal.meter.usage() - before).cpu / (time.perf_counter() - began) * 100
    report("CPU of that", [used], "%")
    stop.set()
    talking.join()


def many(terminal: Terminal, times: int) -> None:
    """What is done in a room with many lines."""
    time.sleep(2 * _QUIET)
    took = terminal.took
    report_each(terminal, "page up", [partial(took, _PAGE_UP)] * (times // 2))
    took(_END)
    widths = [partial(_resized, terminal, 199 + number % 2) for number in range(times // 5)]
    report_each(terminal, "another width", widths)
    took(b"\x06")  # Ctrl+F
    word = "zebra"
    search = [partial(took, word[n : n + 1].encode(), word[: n + 1]) for n in range(len(word))]
    report_each(terminal, "a key of a search for what is nowhere", search)
    took(b"\x1b")
    text = "\n".join(f"{number:02} {_TEXT}" for number in range(30))
    paste = f"\x1b[200~{text}\x1b[201~".encode()
    report_each(terminal, "30 pasted lines", [partial(took, paste, "Enter sends 1")])
    took(b"\x1b")


def _resized(terminal: Terminal, width: int) -> float:
    began = terminal.write(b"")
    terminal.resize(width, 50)
    terminal.process.send_signal(signal.SIGWINCH)  # it is nobody's controlling terminal
    return (terminal.until_quiet() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screen", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers")
    quick = parser.parse_args().quick
    signal.signal(
        signal.SIGTERM, lambda number, frame: sys.exit(128 + number)
    )  # end what we started
    server = next(server for server in SERVERS if server.name == "trio-chat")
    with running(server, None) as at:
        measure(at.port, lines=1000 if quick else 50_000, times=10 if quick else 100)


if __name__ == "__main__":
    main()
