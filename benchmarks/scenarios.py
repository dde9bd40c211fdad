"""What is measured: a scenario starts a server, fills a room, and gives the figures of one run."""

import json
import os
import select
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import dialects
from benchmarks.beside import over_tls
from benchmarks.crowd import Crowd, crowd
from benchmarks.load import READ, Probe, Rate, Window
from benchmarks.machine import on_core
from benchmarks.nodes import nodes
from benchmarks.servers import SERVERS, Server, own_environment, running
from benchmarks.stage import Bench, Figures, Setting, figures_of, fill, setting
from benchmarks.transcript import Failed

# What trio-chat does by default, and the same switched off as far as it can be.
_FEATURES_ON = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "10",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "100",
}
_FEATURES_OFF = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_HISTORY__REPLAY": "0",
    "TRIO_CHAT_HISTORY__PER_ROOM": "1",
    "TRIO_CHAT_LOG__LEVEL": "error",
}


_IN_MEMORY = {"TRIO_CHAT_HISTORY__STORE": "memory:"}
_ON_DISK = {"TRIO_CHAT_HISTORY__STORE": "history/chat.db"}  # in a folder that is gone afterwards


Measure = Callable[[Server, Bench, int], Figures]


@dataclass(frozen=True)
class Scenario:
    """``measure(server, bench, run)`` makes one run; ``servers`` are those it makes sense for.

    ``choose`` makes one figure of those of several runs.
    """

    name: str
    what: str
    measure: Measure
    servers: Sequence[str]
    choose: Callable[[Iterable[float]], float] = statistics.median


# ── fan-out ────────────────────────────────────────────────────────────────────────────────────


def _fan_out(*, senders: int, outstanding: int, in_one_write: bool = False) -> Measure:
    def measure(server: Server, bench: Bench, run: int) -> Figures:
        with setting(server, bench, members=bench.size.members, senders=senders) as it:
            room, meter = it.room(in_one_write=in_one_write), it.running.meter
            room.run(Window(outstanding), seconds=bench.size.warm_up)
            before = meter.usage()
            result = room.run(Window(outstanding), seconds=bench.size.seconds)
            return figures_of(result, meter.usage() - before)

    return measure


# ── ten thousand ───────────────────────────────────────────────────────────────────────────────


def _storm(server: Server, bench: Bench, run: int) -> Figures:
    """All come as fast as they are let in. One run serves both scenarios that ask for it."""
    if figures := bench.storms.get((server.name, run)):
        return figures
    with running(server, bench.cores.server) as it, crowd(it.port) as clients:
        empty, before = it.meter.resident(), it.meter.usage()
        filled = fill(it, clients, bench.size.crowd, 1)
        used = it.meter.usage() - before
        connections = len(filled.members)
        figures = bench.storms[server.name, run] = {
            "cpu_s": used.cpu,
            "cpu_us_each": used.cpu / connections * 1e6,
            "connections": connections,
            "kib_each": (it.meter.resident() - empty) / connections,
            "peak_mib": it.meter.peak() / 1024,
        }
    return figures


def _arrivals(server: Server, bench: Bench, run: int) -> Figures:
    """People of IRC connect and register as fast as they are let in, and go nowhere."""
    figures = Figures()
    for name, number in (("few", bench.size.crowd // 5), ("many", bench.size.crowd)):
        hellos = [server.dialect.register(f"u{client:05}") for client in range(number)]
        with running(server, bench.cores.server) as it, crowd(it.port) as clients:
            empty, before = it.meter.resident(), it.meter.usage()
            clients.enter(hellos, server.dialect.welcomed, at_once=server.at_once)
            figures[f"{name}_us"] = (it.meter.usage() - before).cpu / number * 1e6
            figures[f"{name}_kib"] = (it.meter.resident() - empty) / number
    return figures


def _other_room(server: Server, bench: Bench, run: int) -> Figures:
    size, dialect = bench.size, server.dialect
    with setting(server, bench, members=size.crowd) as it:
        [stranger] = it.crowd.enter([dialect.elsewhere("w00000")], dialect.marker)
        it.settle()
        it.crowd.forget(stranger)
        probe = Probe(stranger, dialect.question, interval=0.005)
        room, meter = it.room(), it.running.meter
        room.run(Rate(size.crowd_rate), messages=2)
        before = meter.usage()
        result = room.run(Rate(size.crowd_rate), messages=size.crowd_messages, probe=probe)
        used = meter.usage() - before
    return {
        "answer_p50_ms": probe.latencies.percentile(50) * 1e3,
        "answer_p99_ms": probe.latencies.percentile(99) * 1e3,
        "answer_max_ms": probe.latencies.percentile(100) * 1e3,
        "questions": probe.latencies.total,
        "last_ms": result.latencies.percentile(100) * 1e3,
        "cpu_us": used.cpu / result.deliveries * 1e6,
    }


# ── slow readers ───────────────────────────────────────────────────────────────────────────────

SLOW, FAST = 10, 90


def _slow_readers(server: Server, bench: Bench, run: int) -> Figures:
    alone = _with_slow(server, bench, 0)
    beside = _with_slow(server, bench, SLOW)
    again = _with_slow(server, bench, 0)  # so that a machine that grows slower does not show
    alone_per_second = (alone["per_second"] + again["per_second"]) / 2
    return {
        "alone_per_second": alone_per_second,
        "beside_per_second": beside["per_second"],
        "speed": beside["per_second"] / alone_per_second,
        "growth_kib": (growth := beside["growth_kib"] - alone["growth_kib"]),
        "growth_each_mib": growth / 1024 / SLOW,
        "cpu_us": beside["cpu_us"],
        "messages": beside["messages"],
        **{name: beside[name] for name in ("told", "closed", "counted")},
    }


def _with_slow(server: Server, bench: Bench, number: int) -> Figures:
    """90 members who read, and so many who do not, until the server has given them up."""
    size = bench.size
    with setting(server, bench, members=FAST) as it:
        slow = _Slow(it.crowd, _slow_members(it, number))
        room = it.room(
            in_one_write=True, text_bytes=100, on_aside=slow.gone, elsewhere=slow.reads, patience=5
        )
        room.run(Window(64), seconds=size.warm_up)
        meter = it.running.meter
        meter.forget_peak()
        resident, before = meter.resident(), meter.usage()
        result = room.run(Window(64), messages=size.slow_messages, seconds=size.slow_seconds)
        figures = figures_of(result, meter.usage() - before)
        figures["growth_kib"] = meter.peak() - resident
        figures["messages"] = result.messages
        slow.read_on()
        last_words, counted = server.dialect.last_words, server.dialect.counted
        log = it.running.log.read_bytes()
    figures["closed"] = len(slow.ends)
    figures["told"] = sum(bool(last_words and last_words.search(e)) for e in slow.ends)
    figures["counted"] = len(counted.findall(log)) if counted else 0
    return figures


def _slow_members(it: Setting, number: int) -> dict[str, socket.socket]:
    """Members who read until they are inside, and then no more."""
    server, dialect = it.running.server, it.running.server.dialect
    nicks = [f"z{slow:05}" for slow in range(number)]
    hellos = [dialect.enter(nick) for nick in nicks]
    inside = it.crowd.enter(hellos, dialect.marker, at_once=server.at_once)
    it.settle()
    for sock in inside:
        it.crowd.forget(sock)
    return dict(zip(nicks, inside, strict=True))


class _Slow:
    """The members who do not read. When the others are told that one has gone, that one reads on:
    so it is seen whether they were told why, and closed.
    """

    def __init__(self, clients: Crowd, members: dict[str, socket.socket]) -> None:
        self._epoll = clients.epoll
        self._members = members
        self._tails: dict[int, bytes] = {}  # of those who read on
        self.ends: list[bytes] = []  # the last that each of them read, once it is closed

    def gone(self, line: bytes) -> None:
        for nick, sock in self._members.items():
            if nick.encode() in line and sock.fileno() not in self._tails:
                self._tails[sock.fileno()] = b""
                self._epoll.register(sock, select.EPOLLIN)

    def reads(self, fd: int, data: bytes) -> None:
        if fd not in self._tails:
            return
        self._tails[fd] = (self._tails[fd] + data)[-1000:]
        if not data:
            self._epoll.unregister(fd)
            self.ends.append(self._tails[fd])

    def read_on(self) -> None:
        """Let those who are still reading come to their end, if it is near."""
        for _ in range(30):
            if len(self.ends) == len(self._tails):
                return
            for fd, _ in self._epoll.poll(0.1):
                if fd in self._tails:
                    self.reads(fd, _receive(fd))


def _receive(fd: int) -> bytes:
    try:
        return os.read(fd, READ)
    except ConnectionError:
        return b""


# ── features ───────────────────────────────────────────────────────────────────────────────────


def _features(server: Server, bench: Bench, run: int) -> Figures:
    """By default one sender may say 100 messages at once: 64 say as many as that lets pass."""
    settings = (_FEATURES_OFF, _FEATURES_ON, _FEATURES_ON, _FEATURES_OFF)
    off, on, on_again, off_again = (_all_said(server, bench, one) for one in settings)
    on, off = (on + on_again) / 2, (off + off_again) / 2
    return {"on_cpu_us": on, "off_cpu_us": off, "ratio": on / off}


def _all_said(server: Server, bench: Bench, environment: Mapping[str, str]) -> float:
    size = bench.size
    with setting(server, bench, members=size.members, senders=64, environment=environment) as it:
        room, meter = it.room(), it.running.meter
        room.run(Window(64), messages=64 * size.feature_messages // 10)
        before = meter.usage()
        result = room.run(Window(64), messages=64 * size.feature_messages)
        return (meter.usage() - before).cpu / result.deliveries * 1e6


# ── history on the disk ────────────────────────────────────────────────────────────────────────

_FEW = 10  # members of a small room


def _stored(server: Server, bench: Bench, run: int) -> Figures:
    """Beside each other: all that is said is on the disk before it is seen, and it is forgotten."""
    figures = Figures()
    for name, members in (("many", bench.size.members), ("few", _FEW)):
        memory, disk = _both(server, bench, members=members, outstanding=64)
        figures |= {
            f"{name}_per_second": disk["messages_per_second"],
            f"{name}_speed": disk["per_second"] / memory["per_second"],
            f"{name}_cpu": disk["cpu_us"] / memory["cpu_us"],
        }
    return figures


def _lone(server: Server, bench: Bench, run: int) -> Figures:
    memory, disk = _both(server, bench, members=_FEW, outstanding=1)
    return {
        "cpu_us": disk["cpu_us"] * _FEW,
        "memory_cpu_us": memory["cpu_us"] * _FEW,
        "p50_ms": disk["p50_ms"],
        "memory_p50_ms": memory["p50_ms"],
        "more_ms": disk["p50_ms"] - memory["p50_ms"],
    }


def _both(server: Server, bench: Bench, *, members: int, outstanding: int) -> Iterator[Figures]:
    """The figures in memory and those on the disk, each the mean of two in turns."""
    turns = [
        [_said(server, bench, store, members=members, outstanding=outstanding) for store in both]
        for both in [(_IN_MEMORY, _ON_DISK)] * 2
    ]
    for one, again in zip(*turns, strict=True):
        yield {name: (one[name] + again[name]) / 2 for name in one}


def _floor(server: Server, bench: Bench, run: int) -> Figures:
    few, many = min(100, bench.size.members), bench.size.members
    loads = {"few": (few, 1), "many": (many, 1), "loaded": (many, 64)}
    return {
        name: _said(server, bench, _ON_DISK, members=members, outstanding=outstanding)["cpu_us"]
        for name, (members, outstanding) in loads.items()
    }


def _said(
    server: Server, bench: Bench, environment: Mapping[str, str], *, members: int, outstanding: int
) -> Figures:
    with setting(server, bench, members=members, environment=environment) as it:
        room, meter = it.room(in_one_write=outstanding > 1), it.running.meter
        room.run(Window(outstanding), seconds=bench.size.warm_up)
        before = meter.usage()
        result = room.run(Window(outstanding), seconds=bench.size.seconds)
        figures = figures_of(result, meter.usage() - before)
        return figures | {"messages_per_second": result.messages / result.seconds}


# ── in a browser ──────────────────────────────────────────────────────────────────────────────


def _web(server: Server, bench: Bench, run: int) -> Figures:
    """Raw IRC and IRC over WebSocket in turns: what a delivery costs, and a member."""
    web = replace(server, dialect=dialects.Web())
    turns = [[_idle_members(one, bench) for one in (server, web)] for _ in range(2)]
    irc, over_web = ({n: (a[n] + b[n]) / 2 for n in a} for a, b in zip(*turns, strict=True))
    return {
        **{f"irc_{name}": value for name, value in irc.items()},
        **{f"web_{name}": value for name, value in over_web.items()},
        "times": over_web["cpu_us"] / irc["cpu_us"],
        "more_kib": over_web["kib"] - irc["kib"],
    }


def _idle_members(server: Server, bench: Bench) -> Figures:
    with running(server, bench.cores.server) as it, crowd(it.port) as clients:
        empty = it.meter.resident()
        filled = fill(it, clients, bench.size.members, 1)
        kib = (it.meter.resident() - empty) / len(filled.members)
        room = filled.room()
        room.run(Window(1), seconds=bench.size.warm_up)
        before = it.meter.usage()
        result = room.run(Window(1), seconds=bench.size.seconds)
        return {"kib": kib, "cpu_us": (it.meter.usage() - before).cpu / result.deliveries * 1e6}


# ── in one process ─────────────────────────────────────────────────────────────────────────────


def _inside(name: str) -> Measure:
    """A scenario of ``inside``, in a process that ends with it."""

    def measure(server: Server, bench: Bench, run: int) -> Figures:
        with on_core(bench.cores.server):
            done = subprocess.run(  # noqa: S603 - ourselves
                [sys.executable, "-m", "benchmarks.inside", name, str(bench.size.scale)],
                cwd=Path(__file__).parent.parent,
                env=own_environment(),
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise Failed((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])
        return Figures(json.loads(done.stdout))

    return measure


# ── the table ──────────────────────────────────────────────────────────────────────────────────

_OVER_TLS = tuple(server.name for server in SERVERS if server.over_tls)
_ALL = tuple(server.name for server in SERVERS if server.name != "inspircd")
# ngircd tells everybody of each join by itself: fifty million lines, which take it minutes.
_FOR_THOUSANDS = ("trio-chat", "bare", "asyncio", "uvloop", "redis", "nats")
_THAT_ANSWER = ("trio-chat", "redis", "nats")
# Those with a system call for each delivery take minutes for so many messages.
_THAT_BATCH = ("trio-chat", "bare-batch", "threads", "redis", "ngircd", "ncat", "nats")

#: What runs in one process with its clients (``inside``), and what happens there.
INSIDE = {
    "joins": "people of IRC go into a large room and are told who is there",
    "names": "all of a large room ask at once who is there",
    "lookups": "one person asks, where 10,000 are in one room, and in 10,000 rooms of two; "
    "20,000 messages have been said",
    "leaves": "a large room leaves at once; people leave who are in many rooms together",
    "crowds": "people of IRC come, go into rooms of a hundred, speak and leave",
    "short": "people of IRC connect, register and leave, 1,000 at a time",
    "search": "1,000 messages a second; one in a hundred has a word that is then looked for",
    "retention": "1,000 messages a second, of which only the last 1,000 are kept, beside all",
    "tls": "1,000 people come at once over sockets, in clear or over TLS; then one speaks to all",
    "logins": "16 people register, log in and fail to, all at once; servers start with accounts",
    "raid": "200 guests from 50 networks flood; an operator locks the chat, then bans them",
    "devices": "one speaks to 1,000 people on two devices each, and to 2,000 people",
    "scrapes": "somebody reads the server's figures, with few connections and with very many",
}

SCENARIOS = [
    Scenario(
        "idle",
        "{members:,} members, one message outstanding",
        _fan_out(senders=1, outstanding=1),
        _ALL,
    ),
    Scenario(
        "loaded",
        "{members:,} members, 64 messages outstanding, one sender, a write for each message",
        _fan_out(senders=1, outstanding=64),
        _ALL,
    ),
    Scenario(
        "piped",
        "{members:,} members, 64 messages outstanding, one sender, as many in a write as may be",
        _fan_out(senders=1, outstanding=64, in_one_write=True),
        _ALL,
    ),
    Scenario(
        "senders",
        "{members:,} members, 64 messages outstanding, 64 senders",
        _fan_out(senders=64, outstanding=64),
        _ALL,
    ),
    Scenario("memory", "{crowd:,} idle members of one room", _storm, _FOR_THOUSANDS),
    Scenario(
        "storm", "{crowd:,} clients connect, register and join one room", _storm, _FOR_THOUSANDS
    ),
    Scenario(
        "other-room",
        "{crowd:,} members of one room, {crowd_rate:g} messages a second; while one goes out, "
        "somebody in another room asks something every 5 ms",
        _other_room,
        _THAT_ANSWER,
    ),
    Scenario(
        "slow-readers",
        "10 of 100 members never read, {slow_messages:,} messages of 100 bytes",
        _slow_readers,
        _THAT_BATCH,
    ),
    Scenario(
        "features",
        "log, limits and replay as by default, beside the same switched off; "
        "{members:,} members, 64 senders",
        _features,
        ("trio-chat",),
    ),
    Scenario(
        "stored",
        "history on the disk beside history in memory: {members:,} members and 10, with 64 "
        "messages outstanding",
        _stored,
        ("trio-chat",),
    ),
    Scenario(
        "lone",
        "one message outstanding to 10 members, on the disk beside in memory",
        _lone,
        ("trio-chat",),
    ),
    Scenario(
        "floor",
        "history on the disk, beside a loop that does nothing but read and send",
        _floor,
        ("trio-chat", "c-loop"),
    ),
    Scenario(
        "arrivals",
        "people of IRC connect and register, a fifth of {crowd:,} and all",
        _arrivals,
        ("trio-chat-irc", "ngircd"),
    ),
    Scenario(
        "over-tls",
        "{members:,} people of IRC come over sockets, in clear or over TLS; then one speaks to all",
        lambda server, bench, run: over_tls(server, bench.cores.server, bench.size.members),
        _OVER_TLS,
    ),
    Scenario(
        "web",
        "{members:,} members over IRC, and as many over WebSocket: one message outstanding",
        _web,
        ("trio-chat-irc",),
    ),
    Scenario(
        "nodes",
        "one server beside two nodes that are one chat, all on one core: 10 members, half of "
        "{crowd:,} and all, one message outstanding",
        nodes,
        ("trio-chat",),
    ),
    # The clock paces retention, and it tells a difference: the least of that would mean nothing.
    # Of raids the worst counts, or a line that is let through now and then would not be seen.
    *(
        Scenario(
            name,
            what,
            _inside(name),
            ("trio-chat",),
            choose={"retention": statistics.median, "raid": max}.get(name, min),
        )
        for name, what in INSIDE.items()
    ),
]
