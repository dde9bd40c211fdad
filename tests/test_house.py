"""The rooms of the house: who may import whom (docs/architecture.md has the table)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import trio_chat

HOUSE = Path(trio_chat.__file__).parent
ROOMS = ["core", "protocols", "storage", "server", "client", "cli"]

VOCABULARY = {
    f"core.{name}"
    for name in (
        *("commands", "events", "fact", "letters", "masks", "mentions", "metadata", "modes"),
        *("names", "preferences", "queries", "refusals", "room_state", "views", "words"),
    )
}

# Our own modules and rooms that each room may import; a room stands for all of its modules.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": {"settings", "errors"},
    "core": {"core", "errors"},
    "protocols": {"protocols", "errors", *VOCABULARY},
    "storage": {
        "storage",
        "errors",
        "settings",
        "core.realm",
        "core.room",
        "core.checkpoint",
        *VOCABULARY,
    },
    "server": {
        *("server", "core", "protocols", "errors", "settings"),
        *("storage.base", "storage.tail", "storage.private"),
    },
    "client": {"client", "protocols", "errors", "settings", *VOCABULARY},
    "app": {"server", "storage", "errors", "settings"},
    "cli": {*ROOMS, "app", "errors", "settings"},
    "__main__": {"cli"},
    "__init__": {*ROOMS, "app", "errors", "settings"} - {"cli"},
}

# What else a room may import beside the standard library.
FOREIGN: dict[str, set[str]] = {
    "settings": {"pydantic", "pydantic_settings"},
    "storage": {"trio"},
    "server": {"trio", "cryptography"},
    "client": {"trio", "pydantic", "pydantic_core"},
    "app": {"trio", "platformdirs"},
    "cli": {"trio", "typer", "cryptography", "platformdirs", "pydantic", "pydantic_core", "dotenv"},
}

# And what only one part of a room may.
PARTS: dict[str, set[str]] = {
    "client/tui": {"textual", "rich", "outcome"},
    "protocols/web": {"websockets"},
    "storage/shared": {"redis", "cryptography"},
}

# The standard library's ways to wait, and its clocks: not in core and protocols.
WAITING = {"asyncio", "socket", "threading", "time", "select", "os", "subprocess"}

STANDARD_LIBRARY = set(sys.stdlib_module_names)

FILES = sorted(HOUSE.rglob("*.py"))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def imports(file: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found.append(str(node.module))
    return found


def room_of(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def foreign_to_part(file: Path) -> set[str]:
    return PARTS.get(file.parent.relative_to(HOUSE).as_posix(), set())


def allowed(module: str, may_import: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in may_import)


def may(file: Path, module: str) -> bool:
    room = room_of(file)
    top, _, rest = module.partition(".")
    if top == "trio_chat":
        return allowed(rest, MAY_IMPORT[room])
    if room in ("core", "protocols"):  # they wait for nobody
        return top in STANDARD_LIBRARY - WAITING | foreign_to_part(file)
    return top in STANDARD_LIBRARY | FOREIGN.get(room, set()) | foreign_to_part(file)


def test_imports_point_where_they_may() -> None:
    assert [(file, m) for file in FILES for m in imports(file) if not may(file, m)] == []


def name_of(file: Path) -> str:
    return ".".join(["trio_chat", *file.relative_to(HOUSE).with_suffix("").parts]).removesuffix(
        ".__init__"
    )


def imported_by(file: Path, known: set[str]) -> set[str]:
    """Modules of ours, also those that are needed for types alone."""
    found = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else str(node.module) for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & known


def test_nothing_imports_in_a_circle() -> None:
    known = {name_of(file) for file in FILES}
    graph = {name_of(file): imported_by(file, known) for file in FILES}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError, which tells the circle


IRC = HOUSE / "protocols" / "irc"
BOTH_ENDS = {"info", "message", "multiline", "text", "times"}
SERVERS_END = {file.stem for file in IRC.glob("*.py")} - BOTH_ENDS


def is_clients(file: Path) -> bool:
    return room_of(file) == "client" or file.parent == IRC / "client"


def of_the_other_end(file: Path) -> set[str]:
    if is_clients(file):
        return {f"trio_chat.protocols.irc.{name}" for name in SERVERS_END}
    if room_of(file) == "server" or file.parent == IRC:
        return {"trio_chat.protocols.irc.client"}
    return set()


def test_the_ends_of_irc_know_nothing_of_each_other() -> None:
    wrong = [(f, m) for f in FILES for m in imports(f) if allowed(m, of_the_other_end(f))]
    assert wrong == []


def texts(tree: ast.Module) -> Iterator[str]:
    """All that is written in a module but its docstrings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_only_the_command_line_speaks_of_its_options() -> None:
    """What the library says is also read where there is none. The title of the schema is its."""
    library = [file for file in FILES if room_of(file) != "cli" and file.name != "schema.py"]
    said = [(file, text) for file in library for text in texts(parsed(file)) if "--" in text]
    assert [each for each in said if re.search(r"(?<![\w-])(?<!ncat )--[a-z]", each[1])] == []


def test_only_dialects_and_clients_speak_of_their_commands() -> None:
    """The core and the server are the same for all; a dialect adds the command that helps."""
    neutral = [file for file in FILES if room_of(file) in ("core", "server")]
    command = re.compile(r"(?<!\w)/(login|register|invitation|nick|msg|join)\b")
    assert [text for file in neutral for text in texts(parsed(file)) if command.search(text)] == []


def test_what_takes_long_to_load_waits_until_somebody_wants_it() -> None:
    late = "{'websockets', 'textual', 'cryptography'}"
    program = f"import sys, trio_chat.cli, trio_chat.app; assert not {late} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
