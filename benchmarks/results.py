"""Runs scenarios against servers, takes medians, and holds them to the targets."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.scenarios import Scenario
from benchmarks.servers import Server
from benchmarks.stage import Bench, Figures
from benchmarks.transcript import Failed

OURS = "trio-chat"

#: By scenario and server: the figures of each "run", and their "median" or why it "failed".
Results = dict[str, dict[str, Any]]


def measure(
    scenarios: Iterable[Scenario],
    servers: Sequence[Server],
    bench: Bench,
    tell: Callable[[str], None],
) -> Results:
    """All runs, the servers in turn within each scenario: so a noisy minute meets all of them."""
    results: Results = {}
    for scenario in scenarios:
        fit = [server for server in servers if server.name in scenario.servers]
        rows: dict[str, Any] = {server.name: {"runs": []} for server in fit}
        for run in range(bench.size.runs):
            for server in fit:
                tell(f"{scenario.name}: {server.name}, run {run + 1} of {bench.size.runs}")
                _run(scenario, server, bench, run, rows[server.name])
        if rows:
            results[scenario.name] = rows
    return results


def _run(scenario: Scenario, server: Server, bench: Bench, run: int, row: dict[str, Any]) -> None:
    if "failed" in row:
        return
    try:
        row["runs"].append(scenario.measure(server, bench, run))
    except (Failed, OSError) as error:
        row.pop("median", None)
        row["failed"] = str(error)
    else:
        runs = row["runs"]
        row["median"] = {name: scenario.choose([run[name] for run in runs]) for name in runs[0]}


def median(results: Results, scenario: str, server: str = OURS) -> Figures | None:
    """The figures of a server in a scenario, if it was measured there."""
    found: Figures | None = results.get(scenario, {}).get(server, {}).get("median")
    return found


# ── the targets ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Target:
    """``value`` should be at least (or at most) ``limit``."""

    scenario: str
    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def margin(self) -> float:
        """How many times better than need be; below 1 it is not met."""
        if self.at_least:
            return self.value / self.limit
        return self.limit / self.value if self.value > 0 else float("inf")


def targets(results: Results) -> Iterator[Target]:
    """Those for which everything has been measured."""
    yield from _fan_out_targets(results)
    if storm := median(results, "memory"):
        yield Target("memory", "KiB for an idle connection", storm["kib_each"], 6)
    if storm := median(results, "storm"):
        yield Target("storm", "CPU seconds", storm["cpu_s"], 10)
    if other := median(results, "other-room"):
        yield Target("other-room", "ms at the 99th percentile", other["answer_p99_ms"], 25)
    if slow := median(results, "slow-readers"):
        yield Target("slow-readers", "times the speed without them", slow["speed"], 0.9, True)
        yield Target("slow-readers", "MiB more for each of them", slow["growth_each_mib"], 1)
        for what in ("told", "closed", "counted"):
            yield Target("slow-readers", f"of them {what}", slow[what], 10, True)
    if features := median(results, "features"):
        yield Target("features", "times the CPU with all of it off", features["ratio"], 1.1)
    if stored := median(results, "stored"):
        yield Target("stored", "times the speed in memory", stored["many_speed"], 0.85, True)
        yield Target("stored", "messages a second to 10", stored["few_per_second"], 10_000, True)
    if lone := median(results, "lone"):
        yield Target("lone", "µs of CPU a message", lone["cpu_us"], 250)
        yield Target("lone", "ms more than in memory, p50", lone["more_ms"], 0.35)
    ours, theirs = median(results, "floor"), median(results, "floor", "c-loop")
    if ours and theirs:
        for name, what, most in _ABOVE_THE_FLOOR:
            yield Target("floor", f"times the CPU, {what}", ours[name] / theirs[name], most)
    if arrivals := median(results, "arrivals", "trio-chat-irc"):
        yield Target("arrivals", "µs each", arrivals["many_us"], 200)
        yield Target(
            "arrivals", "times a fifth of them", arrivals["many_us"] / arrivals["few_us"], 1.2
        )
        yield Target("arrivals", "KiB for an idle connection", arrivals["many_kib"], 8)
    if web := median(results, "web", "trio-chat-irc"):
        yield Target("web", "times the CPU of raw IRC", web["times"], 1.15)
        yield Target("web", "KiB more for a connection", web["more_kib"], 6)
    if tls := median(results, "tls"):
        more = tls["over TLS: KiB each"] - tls["in clear: KiB each"]
        yield Target("tls", "KiB more for a connection", more, 18)
    if nodes := median(results, "nodes"):
        yield from _nodes_targets(nodes)
    for scenario, limits in _INSIDE.items():
        for name, figure in (median(results, scenario) or {}).items():
            for ending, most in limits.items():
                if name.endswith(ending):
                    yield Target(scenario, name, figure, most)
    yield from _flat(median(results, "crowds") or {})
    if search := median(results, "search"):
        [complete] = [search[name] for name in search if name.endswith(": complete")]
        yield Target("search", "part of the searches that is complete", complete, 1, True)


# By the end of a figure's name: the most that it should be. A thousand messages are what is said
# in a second: so far behind may be what removes them.
_INSIDE: dict[str, dict[str, float]] = {
    "joins": {"2,000: one of 100 at once, CPU, ms": 0.25, "10,000: one of 100 at once, CPU, ms": 1},
    "names": {": longest hold, ms": 10},
    "lookups": {": longest hold, ms": 10},
    "leaves": {
        "leave a room at once: longest hold, ms": 20,
        "one leaves: longest hold, ms": 10,
        "all leave: longest hold, ms": 10,
    },
    "crowds": {"50,000: come, µs each": 200},
    "short": {": growth": 1.1, ": longest look for garbage, CPU, ms": 20},
    "tls": {
        "over TLS: longest hold then, ms": 50,
        "times: a message to all, CPU, µs each": 2.1,
    },
    "logins": {
        ": hashed at a time": 2,
        "a wrong proof (SCRAM): CPU in all, µs": 300,
        "20,000 accounts: s more": 0.5,
    },
    "scrapes": {"10,000 connections: longest hold, ms": 5},
    "devices": {"on two devices each: times": 1.05},
    "retention": {": others still there": 1000, ": ms more": 1},
}
_ABOVE_THE_FLOOR = (
    ("few", "100 members", 1.8),
    ("many", "1,000 members", 1.3),
    ("loaded", "1,000 members, 64 outstanding", 1.1),
)


def _nodes_targets(figures: Figures) -> Iterator[Target]:
    few = {name.removeprefix("10 members: "): figure for name, figure in figures.items()}
    yield Target("nodes", "10 members: the speaker's node, µs", few["speaker's node, µs"], 900)
    more = few["with two, ms"] - few["p50 with one, ms"]
    yield Target("nodes", "ms more than with one server, p50", more, 3)
    for name, figure in figures.items():
        if name.endswith("by the model"):
            yield Target("nodes", f"{name}: times one server", figure, 1.9, True)


_FLAT = 1.2  # how many times as dear as with 2,000 each thing may be with 100,000


def _flat(crowds: Figures) -> Iterator[Target]:
    for name in crowds:
        number, _, what = name.partition(": ")
        if number == "100,000" and "µs" in what and (few := crowds.get(f"2,000: {what}")):
            yield Target("crowds", f"{what}: times those of 2,000", crowds[name] / few, _FLAT)


# How many times the deliveries per CPU second of these servers ours should be, under load.
_TIMES_BETTER = {"asyncio": 20, "uvloop": 20, "redis": 2, "ngircd": 4}


def _fan_out_targets(results: Results) -> Iterator[Target]:
    loaded, senders = median(results, "loaded"), median(results, "senders")
    for scenario, (name, times) in itertools.product(("piped", "loaded"), _TIMES_BETTER.items()):
        ours, theirs = median(results, scenario), median(results, scenario, name)
        if ours and theirs:
            ratio = ours["per_cpu_second"] / theirs["per_cpu_second"]
            yield Target(scenario, f"times {name}", ratio, times, True)
    if loaded:
        millions = loaded["per_cpu_second"] / 1e6
        yield Target("loaded", "million deliveries per CPU second", millions, 3, True)
    if loaded and senders:
        ratio = senders["cpu_us"] / loaded["cpu_us"]
        yield Target("senders", "times the CPU of one sender", ratio, 1.6)
    for scenario in ("idle", "loaded", "piped"):
        plain, irc = median(results, scenario), median(results, scenario, "trio-chat-irc")
        if plain and irc:
            ratio = irc["cpu_us"] / plain["cpu_us"]
            yield Target(scenario, "times the CPU, IRC", ratio, 1.3)
    irc, ngircd = median(results, "loaded", "trio-chat-irc"), median(results, "loaded", "ngircd")
    if irc and ngircd:
        ratio = irc["per_cpu_second"] / ngircd["per_cpu_second"]
        yield Target("loaded", "times ngircd, IRC", ratio, 4, True)
    idle = median(results, "idle")
    for name, most in {"bare": 1.3, "asyncio": 1.0}.items():
        theirs = median(results, "idle", name)
        if idle and theirs:
            ratio = idle["cpu_us"] / theirs["cpu_us"]
            yield Target("idle", f"times the CPU of {name}", ratio, most)
