"""What the README shows is what there is."""

import re
from pathlib import Path

import trio_chat
from trio_chat.cli.exits import EXIT_CODES
from trio_chat.protocols.irc.client.slash import SLASHES
from trio_chat.protocols.plain.verbs import VERBS

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text()
# Its table for the client, and its sentence for the server.
EXITS = "".join(re.findall(r"^\| \d.*\n|It exits with 0.*\n(?:.+\n)+", README, re.M))


def test_the_bot_is_the_example() -> None:
    bot = (TOP / "examples" / "echo_bot.py").read_text()
    assert f"```python\n{bot}```" in README


def test_what_it_names_of_the_library_is_there() -> None:
    section = README.partition("## As a library")[2].partition("\n## ")[0]
    names = set(re.findall(r"`(?:trio_chat\.)?([A-Z][a-z]\w+)[`(]", section))
    assert {"ConnectionLost", "Member"} <= names
    assert names - {"ValueError", "TypeError"} <= set(trio_chat.__all__)


def test_every_command_of_the_chat_is_listed() -> None:
    assert set(re.findall(r"`/(\w+)", README)) == {*VERBS, *SLASHES}


def test_every_exit_code_is_explained() -> None:
    assert {str(code) for code in EXIT_CODES.values()} <= set(re.findall(r"\b\d+\b", EXITS))


def test_the_two_commands_are_there_word_for_word() -> None:
    start = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/trio-chat server"
    test = (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest"
    )
    assert f"\n{start}\n" in README
    assert f"\n{test}\n" in README
