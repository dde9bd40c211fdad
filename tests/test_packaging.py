"""What ships beside the program: its manual and completions."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from trio_chat.cli.exits import CANNOT_WRITE, EXIT_CODES, INTERRUPTED, OUTPUT_GONE
from trio_chat.protocols.metrics import Kind
from trio_chat.server.metrics import METRICS

PACKAGING = Path(__file__).parent.parent / "packaging"
PROGRAM = Path(sys.executable).with_name("trio-chat")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", PACKAGING / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_generated_is_up_to_date(generate: ModuleType) -> None:
    for name, text in generate.files():
        why = f"run 'python packaging/generate.py': packaging/{name} is not what it would write"
        assert (PACKAGING / name).read_text() == text, why


def test_the_manual_tells_of_each_exit_code(generate: ModuleType) -> None:
    of_shells = {0, 1, 2}  # well, not well, and wrong usage
    others = {CANNOT_WRITE, INTERRUPTED, OUTPUT_GONE}
    assert {*EXIT_CODES.values(), *of_shells, *others} == generate.EXITS.keys()


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        ("trio-chat ser", ["server"]),
        ("trio-chat client --protocol p", ["plain"]),
        ("trio-chat history export --format ", ["text", "jsonl"]),
        ("trio-chat server --set limits.rooms", ["limits.rooms=", "limits.rooms_each="]),
        ("trio-chat admin ki", ["kick", "kill"]),
    ],
)
def test_tab_completes(words: str, proposed: list[str]) -> None:
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_TRIO_CHAT_COMPLETE": "complete_bash",
    }
    done = subprocess.run([PROGRAM], env=asked, text=True, stdout=subprocess.PIPE, timeout=60)
    assert done.stdout.split() == proposed


# ── figures ────────────────────────────────────────────────────────────────────────────────


def queries_of_dashboard() -> list[str]:
    dashboard = json.loads((PACKAGING / "grafana.json").read_text())
    variables = [one["query"] for one in dashboard["templating"]["list"]]
    targets = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [query for query in (*variables, *targets) if query != "prometheus"]


def queries_of_rules() -> list[str]:
    return re.findall(r"^ +expr: (.*)$", (PACKAGING / "prometheus-rules.yml").read_text(), re.M)


@pytest.mark.parametrize("queries", [queries_of_dashboard, queries_of_rules])
def test_each_query_is_about_figures_that_there_are(queries: Callable[[], list[str]]) -> None:
    known = {
        f"{name}{suffix}"
        for name, metric in METRICS.items()
        for suffix in (["_bucket"] if metric.kind is Kind.HISTOGRAM else [""])
    }
    asked = [set(re.findall(r"\b(?:trio_chat|process)_\w+", query)) for query in queries()]
    assert [names - known for names in asked] == [set() for _ in asked]
    assert sum(not names for names in asked) == sum(
        re.search(r"\bup\{", query) is not None for query in queries()
    )


def test_the_dashboard_shows_all_figures() -> None:
    asked = " ".join(queries_of_dashboard())
    assert [name for name in METRICS if name not in asked] == []


def test_the_panels_of_the_dashboard_are_side_by_side() -> None:
    panels = json.loads((PACKAGING / "grafana.json").read_text())["panels"]
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len({*places})
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("query", [*queries_of_dashboard(), *queries_of_rules()])
def test_what_labels_are_chosen_by_is_one_there_is(query: str) -> None:
    known = {metric.label for metric in METRICS.values()} | {"instance", "job", "le"}
    chosen = re.findall(r"[{,] *(\w+)=~?\"", query) + re.findall(r"by \((\w+)\)", query)
    assert {*chosen} <= known
