"""What it costs to be several: one server beside two nodes that are one chat, with equal histories.

One person speaks, who is on the first node; the members are on both in turn. All processes share a
core, so what each of them uses is what it would use alone, and only latency suffers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.crowd import crowd
from benchmarks.load import Window
from benchmarks.servers import SERVERS, Running, Server, running
from benchmarks.stage import Bench, Figures, fill

_FEW = 10
_REDIS = next(server for server in SERVERS if server.name == "redis")


@dataclass(frozen=True)
class _Costs:
    """Of a message: the CPU of each server, the one of the speaker first, and that of the engine,
    in seconds; and the median of how long a delivery took.
    """

    servers: tuple[float, ...]
    engine: float
    p50: float


def nodes(server: Server, bench: Bench, run: int) -> Figures:
    """Few and many people with one server and with two nodes, in turns."""
    few = _alone(server, bench, _FEW), _both(server, bench, _FEW)
    figures = _told(_FEW, *few)
    for number in (bench.size.crowd // 2, bench.size.crowd):
        alone = _alone(server, bench, number)
        figures |= _told(number, alone, _both(server, bench, number))
        figures[f"{number:,} members: by the model"] = _model(number, *few, alone)
    return figures


def _told(number: int, alone: _Costs, both: _Costs) -> Figures:
    [one], [speakers, other] = alone.servers, both.servers
    told = {
        "one server, µs": one * 1e6,
        "speaker's node, µs": speakers * 1e6,
        "other node, µs": other * 1e6,
        "engine, µs": both.engine * 1e6,
        "p50 with one, ms": alone.p50 * 1e3,
        "with two, ms": both.p50 * 1e3,
        "one / busier node": one / max(speakers, other),
    }
    return {f"{number:,} members: {name}": figure for name, figure in told.items()}


def _model(number: int, few_alone: _Costs, few_both: _Costs, alone: _Costs) -> float:
    """How many times as much one server does as the busier of two nodes if each of these has a
    machine of its own: a delivery then costs both of them what it costs one server.
    """
    [fixed], [one] = few_alone.servers, alone.servers
    delivery = (one - fixed) / (number - _FEW)
    return one / (max(few_both.servers) + delivery * (number - _FEW) / 2)


def _alone(server: Server, bench: Bench, number: int) -> _Costs:
    with running(server, bench.cores.server, _node("alone")) as it:
        return _costs([it], None, bench, number)


def _both(server: Server, bench: Bench, number: int) -> _Costs:
    core = bench.cores.server
    with (
        running(_REDIS, core) as engine,
        running(server, core, _node("a", engine)) as one,
        running(server, core, _node("b", engine)) as other,
    ):
        return _costs([one, other], engine, bench, number)


def _node(name: str, engine: Running | None = None) -> Mapping[str, str]:
    """The settings of a server with a history on the disk, and of a node, if it has an engine."""
    history = {"TRIO_CHAT_HISTORY__STORE": "history/chat.db"}  # in a folder that is gone afterwards
    if engine is None:
        return history
    return history | {
        "TRIO_CHAT_SERVER__KEY": str(engine.log.parent / "key"),
        "TRIO_CHAT_NODES__THROUGH": f"redis://127.0.0.1:{engine.port}/benchmark",
        "TRIO_CHAT_NODES__NAME": name,
    }


def _costs(servers: Sequence[Running], engine: Running | None, bench: Bench, number: int) -> _Costs:
    meters = [it.meter for it in (*servers, *([engine] if engine else []))]
    with crowd(*(it.port for it in servers)) as clients:
        room = fill(servers[0], clients, number).room()
        room.run(Window(1), seconds=bench.size.warm_up)
        before = [meter.usage() for meter in meters]
        result = room.run(Window(1), seconds=bench.size.seconds)
        after = [meter.usage() for meter in meters]
    each = [(a - b).cpu / result.messages for a, b in zip(after, before, strict=True)]
    return _Costs(
        tuple(each[: len(servers)]), sum(each[len(servers) :]), result.latencies.percentile(50)
    )
