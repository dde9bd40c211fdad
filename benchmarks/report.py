"""The figures as tables, for a terminal and for docs/benchmarks.md."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chart import chart
from benchmarks.results import Results, median, targets
from benchmarks.scenarios import SCENARIOS
from benchmarks.servers import SERVERS
from benchmarks.stage import Figures

_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"

Row = list[str]


@dataclass(frozen=True)
class Column:
    heading: str
    cell: Callable[[Figures], str]


def _number(name: str, places: int = 0, factor: float = 1.0) -> Callable[[Figures], str]:
    return lambda figures: f"{figures[name] * factor:,.{places}f}"


def _significant(value: float) -> str:
    """Three digits, as long as there are places to show them in."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _user_and_system(figures: Figures) -> str:
    return f"{figures['user_share']:.0%} / {1 - figures['user_share']:.0%}"


_FAN_OUT = [
    Column("µs of CPU per delivery", lambda figures: _significant(figures["cpu_us"])),
    Column("user / system", _user_and_system),
    Column("deliveries per CPU second", _number("per_cpu_second")),
    Column("deliveries per second", _number("per_second")),
    Column("latency p50, ms", _number("p50_ms", 1)),
    Column("p99, ms", _number("p99_ms", 1)),
    Column("messages per read", _number("per_read", 1)),
]

_COLUMNS = {
    "idle": _FAN_OUT,
    "loaded": _FAN_OUT,
    "piped": _FAN_OUT,
    "senders": _FAN_OUT,
    "memory": [
        Column("connections", _number("connections")),
        Column("KiB each", _number("kib_each", 1)),
    ],
    "storm": [
        Column("clients", _number("connections")),
        Column("CPU seconds", _number("cpu_s", 2)),
        Column("µs each", _number("cpu_us_each")),
        Column("MiB at the peak", _number("peak_mib")),
    ],
    "other-room": [
        Column("answer p50, ms", _number("answer_p50_ms", 1)),
        Column("p99, ms", _number("answer_p99_ms", 1)),
        Column("longest, ms", _number("answer_max_ms", 1)),
        Column("questions", _number("questions")),
        Column("until all have the message, ms", _number("last_ms")),
    ],
    "slow-readers": [
        Column("deliveries per second without them", _number("alone_per_second")),
        Column("with them", _number("beside_per_second")),
        Column("ratio", _number("speed", 2)),
        Column("MiB more", _number("growth_kib", 1, 1 / 1024)),
        Column("told", _number("told")),
        Column("closed", _number("closed")),
        Column("counted", _number("counted")),
        Column("messages", _number("messages")),
    ],
    "features": [
        Column("µs per delivery, on", lambda figures: _significant(figures["on_cpu_us"])),
        Column("off", lambda figures: _significant(figures["off_cpu_us"])),
        Column("ratio", _number("ratio", 3)),
    ],
    "stored": [
        Column("many: speed", _number("many_speed", 2)),
        Column("CPU", _number("many_cpu", 2)),
        Column("10: messages a second", _number("few_per_second")),
        Column("speed", _number("few_speed", 2)),
    ],
    "lone": [
        Column("µs of CPU a message", _number("cpu_us")),
        Column("in memory", _number("memory_cpu_us")),
        Column("latency p50, ms", _number("p50_ms", 2)),
        Column("in memory", _number("memory_p50_ms", 2)),
        Column("more", _number("more_ms", 2)),
    ],
    "floor": [
        Column("µs per delivery: 100, one outstanding", lambda f: _significant(f["few"])),
        Column("1,000, one", lambda f: _significant(f["many"])),
        Column("1,000, 64", lambda f: _significant(f["loaded"])),
    ],
    "arrivals": [
        Column("µs each, a fifth", _number("few_us")),
        Column("KiB each", _number("few_kib", 1)),
        Column("µs each, all", _number("many_us")),
        Column("KiB each", _number("many_kib", 1)),
    ],
    "web": [
        Column("µs per delivery, IRC", lambda f: _significant(f["irc_cpu_us"])),
        Column("WebSocket", lambda f: _significant(f["web_cpu_us"])),
        Column("times", _number("times", 3)),
        Column("KiB each, IRC", _number("irc_kib", 1)),
        Column("WebSocket", _number("web_kib", 1)),
        Column("more", _number("more_kib", 1)),
    ],
    "over-tls": [
        Column("come: µs each in clear", _number("clear_come_us")),
        Column("over TLS", _number("tls_come_us")),
        Column("KiB each in clear", _number("clear_kib", 1)),
        Column("over TLS", _number("tls_kib", 1)),
        Column("µs per delivery in clear", lambda f: _significant(f["clear_delivery_us"])),
        Column("over TLS", lambda f: _significant(f["tls_delivery_us"])),
        Column("times", lambda f: _significant(f["times"])),
    ],
}

_WHAT = {server.name: server.what for server in SERVERS}


def tables(report: dict[str, Any]) -> str:
    """All of it, in Markdown that is also readable as it is."""
    parts = [_about(report)]
    results = report["results"]
    for scenario in SCENARIOS:
        if scenario.name in results:
            what = scenario.what.format(**report["size"])
            parts += [f"### {scenario.name}", f"{what}.", _scenario_table(results, scenario.name)]
    rows = [_target_row(target) for target in targets(results)]
    if rows and not report["quick"]:
        heading = ["scenario", "trio-chat", "measured", "target", "met", "margin"]
        parts += ["### Targets", _aligned([heading, *rows], left=(0, 1, 4))]
    return "\n\n".join(parts)


def _about(report: dict[str, Any]) -> str:
    rows = [["", ""], ["measured", report["when"]], *map(list, report["machine"].items())]
    for name, about in report["servers"].items():
        rows.append([name, about.get("missing") or f"{_WHAT[name]} {about['version']}".strip()])
    return _aligned(rows, left=(0, 1))


def _scenario_table(results: Results, scenario: str) -> str:
    if scenario not in _COLUMNS:
        return _inside_table(results[scenario])
    columns, ours = _COLUMNS[scenario], median(results, scenario)
    compared = "cpu_us" if columns is _FAN_OUT else ""
    headings = ["server", *(column.heading for column in columns)]
    rows = [[*headings, *(["CPU, trio-chat = 1"] if compared else [])]]
    failures = []
    for server, row in results[scenario].items():
        if figures := row.get("median"):
            cells = [server, *(column.cell(figures) for column in columns)]
            if compared:
                cells.append(_significant(figures[compared] / ours[compared]) if ours else "")
            rows.append(cells)
        else:
            failures.append(f"- {server}: {row['failed']}")
    return "\n\n".join([_aligned(rows), *(["\n".join(failures)] if failures else [])])


def _inside_table(rows: dict[str, Any]) -> str:
    """What is told of one server only: its figures are named by row and column."""
    [one] = rows.values()
    if not (figures := one.get("median")):
        return f"- {one['failed']}"
    cells: dict[str, Figures] = {}
    for name, figure in figures.items():
        row, _, column = name.partition(": ")
        cells.setdefault(row, {})[column] = figure
    columns = list(dict.fromkeys(column for of_row in cells.values() for column in of_row))
    return _aligned(
        [
            ["", *columns],
            *(
                [row, *(_plain(of_row[c]) if c in of_row else "" for c in columns)]
                for row, of_row in cells.items()
            ),
        ]
    )


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else _significant(value)


def _target_row(target: Any) -> Row:
    limit = f"{'≥' if target.at_least else '≤'} {target.limit:g}"
    met = "yes" if target.met else "**no**"
    margin = f"{target.margin:.2f}" if target.margin < 100 else "–"
    return [target.scenario, target.what, _significant(target.value), limit, met, margin]


def _aligned(rows: Sequence[Row], left: Iterable[int] = (0,)) -> str:
    """A Markdown table, the first row its heading; numbers stand to the right."""
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]

    def line(row: Row) -> str:
        cells = [
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join([line(rows[0]), line(rule), *map(line, rows[1:])])


# ── files ──────────────────────────────────────────────────────────────────────────────────────


def write(report: dict[str, Any], docs: Path) -> None:
    """The figures, the chart, and the tables between their markers."""
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (docs / "benchmarks.json").write_text(f"{text}\n")
    (docs / "benchmarks.svg").write_text(chart(report["results"]))
    page = docs / "benchmarks.md"
    before = page.read_text() if page.exists() else f"{_BEGIN}\n{_END}\n"
    page.write_text(_between_markers(before, tables(report)))


def _between_markers(page: str, text: str) -> str:
    marked = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    if not marked.search(page):
        raise ValueError(f"there is no place for the tables: {_BEGIN} … {_END}")
    return marked.sub(lambda found: f"{_BEGIN}\n{text}\n{_END}", page, count=1)


def merged(report: dict[str, Any], docs: Path) -> dict[str, Any]:
    """``report``, and what it lacks from the one written last, if that is of this machine."""
    path = docs / "benchmarks.json"
    if not path.exists():
        return report
    before = json.loads(path.read_text())
    machines = before["machine"], report["machine"]
    if any(len({m.get(name) for m in machines}) > 1 for name in ("CPU", "cores", "Python")):
        return report
    results = {
        name: before["results"].get(name, {}) | report["results"].get(name, {})
        for name in (scenario.name for scenario in SCENARIOS)
        if name in before["results"] or name in report["results"]
    }
    return report | {"results": results, "servers": before["servers"] | report["servers"]}
