"""``python -m benchmarks``: run scenarios against all servers found here, and report.

Without names all scenarios run, which takes about an hour. What has been measured replaces the
same scenarios and servers in docs/benchmarks.json, .svg and .md; a quick run writes nothing.
"""

import argparse
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import machine, report
from benchmarks.results import measure
from benchmarks.scenarios import SCENARIOS
from benchmarks.servers import SERVERS, Server
from benchmarks.stage import FULL, QUICK, Bench

_DOCS = Path(__file__).parent.parent / "docs"
_QUICK = ["trio-chat", "trio-chat-irc", "bare", "c-loop", "asyncio", "redis"]
_QUIET = 0.3  # a load average above this is somebody else's work


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _stop)  # so that what was started is ended
    bench = Bench(QUICK if arguments.quick else FULL)
    description = machine.description()
    _warn(bench)
    usual = _QUICK if arguments.quick else [server.name for server in SERVERS]
    chosen = [server for server in SERVERS if server.name in (arguments.servers or usual)]
    found = [server for server in chosen if not server.missing()]
    scenarios = [s for s in SCENARIOS if s.name in (arguments.scenarios or [s.name])]
    with machine.on_core(bench.cores.load):
        results = measure(scenarios, found, bench, _tell)
    made: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": description,
        "quick": arguments.quick,
        "size": asdict(bench.size),
        "servers": {server.name: _about(server) for server in chosen},
        "results": results,
    }
    print(report.tables(made))
    if not (arguments.quick or arguments.no_write):
        report.write(report.merged(made, _DOCS), _DOCS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure trio-chat beside its peers."
    )
    names = [server.name for server in SERVERS]
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        help=f"what to measure, of {', '.join(s.name for s in SCENARIOS)}; all if none is named",
    )
    parser.add_argument(
        "--servers",
        type=lambda text: text.split(","),
        metavar="A,B",
        help=f"which servers, of {', '.join(names)}",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"small numbers, of {', '.join(_QUICK)} if no servers are named; nothing is written",
    )
    parser.add_argument("--no-write", action="store_true", help="only print the tables")
    arguments = parser.parse_args()
    known = {*names, *(scenario.name for scenario in SCENARIOS)}
    if unknown := {*arguments.scenarios, *(arguments.servers or ())} - known:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return arguments


def _about(server: Server) -> dict[str, str]:
    if missing := server.missing():
        return {"missing": missing}
    return {"version": server.version_here()}


def _warn(bench: Bench) -> None:
    needed = bench.size.crowd + 100
    if (files := machine.allow_files(needed)) < needed:
        sys.exit(f"{needed} open files are needed, and only {files} are allowed (ulimit -n)")
    if bench.cores.load is None:
        _tell("there is only one core: the servers share it with the load generator")
    if (load := os.getloadavg()[0]) > _QUIET:
        _tell(
            f"this machine is busy (load average {load:.2f}): figures will be worse than they are"
        )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
