"""What ships beside the program: its manual and completions."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from trio_chat.cli.exits import CANNOT_WRITE, EXIT_CODES, INTERRUPTED, OUTPUT_GONE

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
