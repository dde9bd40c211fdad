"""The stage of a scenario: how much there is of everything, and a room full of people."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.crowd import Crowd, crowd
from benchmarks.load import PATIENCE, Result, Room
from benchmarks.machine import Cores, Usage, two_cores
from benchmarks.servers import Running, Server, running
from benchmarks.transcript import Transcript

TEXT = 64  # bytes of a message's text

#: Figures of one run, by name; what they are is told by the columns in ``report``.
Figures = dict[str, float]


@dataclass(frozen=True)
class Size:
    """How much of everything; ``seconds`` are those of one run."""

    runs: int
    seconds: float
    warm_up: float
    members: int
    crowd: int  # members of the largest room
    crowd_messages: int
    crowd_rate: float  # messages a second
    slow_messages: int
    slow_seconds: float  # what is not said by then is left out
    feature_messages: int  # of each of 64 senders: no more than the flood limit lets pass at once
    scale: int  # how many times fewer people there are where all is in one process


FULL = Size(
    runs=3,
    seconds=2.0,
    warm_up=0.3,
    members=1000,
    crowd=10_000,
    crowd_messages=20,
    crowd_rate=1.0,
    slow_messages=200_000,
    slow_seconds=60.0,
    feature_messages=80,
    scale=1,
)
QUICK = Size(
    runs=1,
    seconds=0.1,
    warm_up=0.02,
    members=50,
    crowd=200,
    crowd_messages=4,
    crowd_rate=20.0,
    slow_messages=500,
    slow_seconds=0.1,
    feature_messages=10,
    scale=100,
)


@dataclass
class Bench:
    """What all runs have in common."""

    size: Size
    cores: Cores = field(default_factory=two_cores)
    storms: dict[tuple[str, int], Figures] = field(default_factory=dict)  # by server and run


@dataclass
class Setting:
    """A server and its clients, who are all inside; nothing is on its way to anybody."""

    running: Running
    crowd: Crowd
    members: list[socket.socket]
    senders: list[socket.socket]
    nicks: list[str]  # of the senders

    def room(
        self,
        *,
        text_bytes: int = TEXT,
        in_one_write: bool = False,
        on_aside: Callable[[bytes], None] = lambda line: None,
        elsewhere: Callable[[int, bytes], None] | None = None,
        patience: float = PATIENCE,
    ) -> Room:
        dialect, nicks = self.running.server.dialect, self.nicks
        transcript = Transcript(
            lambda sender, text: dialect.shown(nicks[sender], text),
            senders=len(nicks),
            text_bytes=text_bytes,
            aside=dialect.aside,
            on_aside=on_aside,
            foretold=dialect.foretold,
        )
        return Room(
            self.crowd.epoll,
            self.members,
            self.senders,
            lambda sender, text: dialect.say(nicks[sender], text),
            transcript,
            in_one_write=in_one_write,
            elsewhere=elsewhere,
            patience=patience,
        )

    def settle(self) -> None:
        dialect = self.running.server.dialect
        sender, nick = self.senders[0], self.nicks[0]

        def text(attempt: int) -> bytes:
            return (b"are you all there? %d" % attempt).ljust(TEXT, b".")

        self.crowd.settle(
            self.members,
            lambda attempt: sender.sendall(dialect.say(nick, text(attempt))),
            lambda attempt: dialect.ending(nick, text(attempt)),
        )


@contextmanager
def setting(
    server: Server,
    bench: Bench,
    *,
    members: int,
    senders: int = 1,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Setting]:
    """So many members in one room, and senders, who are among them where a sender hears all."""
    with running(server, bench.cores.server, environment) as it, crowd(it.port) as clients:
        yield fill(it, clients, members, senders)


def fill(it: Running, clients: Crowd, members: int, senders: int = 1) -> Setting:
    """Let so many come into one room, and wait until all hear what is said there."""
    server, dialect = it.server, it.server.dialect
    members = min(members, server.most - (0 if dialect.echo else senders))
    nicks = [f"u{number:05}" for number in range(members)]
    hellos = [dialect.enter(nick) for nick in nicks]
    inside = clients.enter(hellos, dialect.marker, at_once=server.at_once)
    if dialect.echo:
        speakers, nicks = inside[:senders], nicks[:senders]
    else:
        nicks = [f"s{number:05}" for number in range(senders)]
        hellos = [dialect.stand_by(nick) for nick in nicks]
        speakers = clients.enter(hellos, dialect.marker, at_once=server.at_once)
    time.sleep(dialect.pause)
    filled = Setting(it, clients, inside, speakers, nicks)
    filled.settle()
    return filled


def figures_of(result: Result, used: Usage) -> Figures:
    """What a run has cost a server, by delivery."""
    deliveries, took = result.deliveries, used.user + used.system
    return {
        "cpu_us": used.cpu / deliveries * 1e6,
        "user_share": used.user / took if took else 0.0,
        "per_cpu_second": deliveries / used.cpu,
        "per_second": deliveries / result.seconds,
        "p50_ms": result.latencies.percentile(50) * 1e3,
        "p99_ms": result.latencies.percentile(99) * 1e3,
        "per_read": deliveries / result.reads,
        "deliveries": deliveries,
        "waited_share": used.waited / (used.waited + used.cpu),
    }
