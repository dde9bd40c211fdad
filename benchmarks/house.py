"""A server in one process with its clients, whose links are no sockets.

What the server writes is counted and forgotten. So there may be more clients than descriptors, and
the kernel's part of the cost is left out.
"""

import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.transcript import Failed
from trio_chat.app import serve
from trio_chat.server.certificate import Certificate
from trio_chat.server.own_certificate import use_own
from trio_chat.server.poller import READERS
from trio_chat.server.server import Server
from trio_chat.server.transport import Link
from trio_chat.settings import Settings

Figures = dict[str, float]
OnAnswer = Callable[[bytes], object]

_PATIENCE = 900.0  # seconds until all that was asked must have been answered
WAVE = 1000  # people who come at once
MANY = 1_000_000

# What those can do who only fill a room: they do not ask who is there. And somebody who searches.
QUIET = "no-implicit-names echo-message"
READER = f"{QUIET} batch server-time message-tags soju.im/search draft/chathistory"


class Wire(Link):
    """The server's end of a link whose peer is the benchmark."""

    __slots__ = ("_expected", "_fed", "_on_end", "_waiting")

    def __init__(self) -> None:
        self.peer = "127.0.0.1"
        self.write_now = self._take
        self._waiting: bytes | None = b""  # None: the peer has ended
        self._fed = trio.Event()
        self._expected: list[tuple[bytes, OnAnswer]] = []
        self._on_end: OnAnswer = len

    def ask(self, line: bytes, marker: bytes, on_answer: OnAnswer) -> None:
        """Let the peer send a line; ``on_answer`` is given what has ``marker`` in it."""
        self._expected.append((marker, on_answer))
        self._waiting = (self._waiting or b"") + line + b"\r\n"
        self._fed.set()

    def hang_up(self, on_end: OnAnswer) -> None:
        self._waiting, self._on_end = None, on_end
        self._fed.set()

    def _take(self, data: bytes) -> int:
        while self._expected and self._expected[0][0] in data:
            self._expected.pop(0)[1](data)
        return len(data)

    def readable(self) -> Awaitable[None]:
        return self._fed.wait()

    def wake(self) -> None:
        self._fed.set()

    def receive_now(self) -> bytes | None:
        if self._waiting is None:
            return b""
        data, self._waiting, self._fed = self._waiting, b"", trio.Event()
        return data or None

    async def finish(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self.write_now = len  # no cycle, as a socket's link has none
        self._on_end(b"")
        await trio.lowlevel.checkpoint()


class Countdown:
    """Waits until it has been called so many times."""

    def __init__(self, number: int) -> None:
        self._left, self._over = number, trio.Event()

    def __call__(self, data: bytes) -> None:
        self._left -= 1
        if not self._left:
            self._over.set()

    async def over(self) -> None:
        with trio.move_on_after(_PATIENCE):
            await self._over.wait()
            return
        raise Failed(f"{self._left} have no answer after {_PATIENCE:g} s")


class Holds(trio.abc.Instrument):
    """The longest pass of trio's loop: so long somebody who is ready waits for a turn.

    It is seen from outside the loop, where looking costs the loop nothing.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was, and what this pass has done so far: it was the benchmark's own."""
        self.longest = self.longest_cpu = 0.0  # seconds
        self.after_io_wait(0)

    def after_io_wait(self, timeout: float) -> None:
        self._began, self._cpu = time.perf_counter(), time.thread_time()

    def before_io_wait(self, timeout: float) -> None:
        self.longest = max(self.longest, time.perf_counter() - self._began)
        self.longest_cpu = max(self.longest_cpu, time.thread_time() - self._cpu)


@dataclass(frozen=True)
class Cost:
    """``hold`` is the longest pass of the loop, ``hold_cpu`` the most CPU that one took."""

    cpu: float  # seconds
    hold: float
    hold_cpu: float


def best(costs: Iterable[Cost], choose: Callable[[Iterable[float]], float] = min) -> Cost:
    """The least of each, as whatever else runs on the machine only adds to it."""
    all_of = zip(*((c.cpu, c.hold, c.hold_cpu) for c in costs), strict=True)
    return Cost(*map(choose, all_of))


def hold(what: str, cost: Cost) -> Figures:
    return {
        f"{what}: longest hold, ms": cost.hold * 1e3,
        f"{what}: its CPU, ms": cost.hold_cpu * 1e3,
        f"{what}: CPU in all, ms": cost.cpu * 1e3,
    }


class House:
    """A running server, and what its people do."""

    def __init__(self, server: Server) -> None:
        self._server, self._holds = server, Holds()
        trio.lowlevel.add_instrument(self._holds)

    @property
    def port(self) -> int:
        return self._server.addresses[0].port

    def take(self, wire: Wire) -> None:
        """Let somebody connect."""
        self._server.take(wire)

    async def until(self, happens: Callable[[], Awaitable[object]]) -> Cost:
        """The cost of what the server does until something has happened elsewhere."""
        self._holds.begin()
        cpu = time.thread_time()
        await happens()
        return Cost(time.thread_time() - cpu, self._holds.longest, self._holds.longest_cpu)

    async def ask(self, wires: Sequence[Wire], lines: bytes | Sequence[bytes], end: bytes) -> Cost:
        """All say a line at once, the same or each their own; ``end`` is in what each is told."""
        answered = Countdown(len(wires))
        each = itertools.cycle([lines] if isinstance(lines, bytes) else lines)
        asking = zip(wires, each, strict=False)
        return await self.until_all(
            answered, (partial(w.ask, line, end, answered) for w, line in asking)
        )

    async def hang_up(self, wires: Sequence[Wire]) -> Cost:
        gone = Countdown(len(wires))
        return await self.until_all(gone, (partial(wire.hang_up, gone) for wire in wires))

    async def until_all(self, countdown: Countdown, acts: Iterable[Callable[[], None]]) -> Cost:
        """Let all act; in a pass of the loop as many readers are woken as with sockets."""
        self._holds.begin()
        cpu = time.thread_time()
        for number, act in enumerate(acts, 1):
            act()
            if number % READERS == 0:
                await trio.lowlevel.checkpoint()
        await countdown.over()
        await wait_all_tasks_blocked()
        return Cost(time.thread_time() - cpu, self._holds.longest, self._holds.longest_cpu)

    async def come(
        self, number: int, letter: str = "u", caps: str = QUIET
    ) -> tuple[list[Wire], Cost]:
        """So many people of IRC, who connect and register, a thousand at a time."""
        names = [f"{letter}{n:06}" for n in range(number)]
        hellos = [
            f"CAP REQ :{caps}\r\nNICK {name}\r\nUSER {name} 0 * :x\r\nCAP END".encode()
            for name in names
        ]
        wires: list[Wire] = []
        costs: list[Cost] = []
        while len(wires) < number:
            wave = [Wire() for _ in hellos[len(wires) :][:WAVE]]
            for wire in wave:
                self._server.take(wire)
            costs.append(await self.ask(wave, hellos[len(wires) :], b" 422 "))
            wires += wave
        most = best(costs, max)
        return wires, Cost(sum(cost.cpu for cost in costs), most.hold, most.hold_cpu)

    async def come_in_plain(self, number: int) -> list[Wire]:
        """So many people who type, each from another address of this machine."""
        wires = [Wire() for _ in range(number)]
        for n, wire in enumerate(wires, 1):
            wire.peer = f"127.0.1.{n}"
            self._server.take(wire)
        await self.ask(wires, [b"p%04d" % n for n in range(number)], b"/help for more")
        return wires

    async def enter(self, wires: Sequence[Wire], rooms: Sequence[bytes]) -> float:
        """Each goes into one of the rooms in turn, a thousand at a time; returns the CPU."""
        joins = [b"JOIN " + rooms[n % len(rooms)] for n in range(len(wires))]
        waves = [slice(begin, begin + WAVE) for begin in range(0, len(wires), WAVE)]
        return sum([(await self.ask(wires[w], joins[w], b" JOIN ")).cpu for w in waves])


@asynccontextmanager
async def house(
    *,
    tls: bool = False,
    iterations: int = 600_000,
    sections: Mapping[str, object] | None = None,
    **history: Any,
) -> AsyncIterator[House]:
    """A server as by default, but for how much one sender, and all from one address, may do; it
    speaks TLS if it is to. Passwords are hashed with so many ``iterations``. ``sections`` are
    settings in place of these.
    """
    raised = ("connections", "connections_per_address", "messages_per_second", "message_burst")
    limits = dict.fromkeys([*raised, "writers_per_address", "rooms"], MANY)
    with tempfile.TemporaryDirectory(prefix="trio-chat-benchmark-") as folder:
        if tls:
            use_own(Certificate(), Path(folder, "certificate.pem"), "localhost")
        history = {"store": str(Path(folder, "chat.db"))} | history
        default = {"limits": limits, "history": history, "accounts": {"iterations": iterations}}
        settings = Settings.model_validate({"port": 0, **default, **(sections or {})})
        async with trio.open_nursery() as nursery:
            yield House(await nursery.start(serve, settings))
            nursery.cancel_scope.cancel("all is measured")
