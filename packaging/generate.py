"""Write the man pages and the completions: ``python packaging/generate.py``.

The pages say what ``--help`` says, so do this after a change of the command line or of a setting;
a test compares them. Roff is read by man(7)'s macros.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from typer.main import get_command

from trio_chat.cli import app
from trio_chat.cli.configure import about
from trio_chat.cli.env_file import is_harmless
from trio_chat.settings import Settings
from trio_chat.settings.described import Setting, all_settings

FOLDER = Path(__file__).parent

EXITS = {
    0: "All went well. A server was stopped by SIGTERM or Ctrl-C, or drained.",
    1: "An error of another kind.",
    2: "The command line is wrong.",
    65: "Some of what was typed was not said, a command was refused, or the history is damaged.",
    69: "There is no server, or it was lost.",
    70: "The full screen failed.",
    71: "The server cannot listen there.",
    73: "The history cannot be opened.",
    74: "Input or output failed.",
    77: "Not let in: a wrong password, no invitation, another user than the server's; or its "
    "certificate is not trusted.",
    78: "A setting is wrong.",
    130: "Ctrl-C, of all but a server.",
    141: "Nobody reads the output any more.",
}

_SIGNALS = """\
A server stops on SIGTERM and SIGINT, when everybody has got what was sent to them; a second one
ends it at once. On SIGHUP it reads its settings again."""

_ENVIRONMENT = {
    "TRIO_CHAT_ENV_FILE": "The file with settings, as --env-file.",
    "TRIO_CHAT_...": "Each setting has a variable; trio-chat.env(5) lists them.",
    "NO_COLOR": "If it is set, nothing is coloured.",
    "XDG_DATA_HOME": "The folder of trio-chat's own, with all that is kept; else ~/.local/share.",
}

_SECTIONS = {
    "": "General",
    "server": "The server",
    "accounts": "Accounts",
    "tls": "TLS",
    "web": "The page in the browser",
    "ops": "Operation",
    "nodes": "Several servers",
    "irc": "IRC",
    "rooms": "Rooms",
    "history": "History",
    "limits": "Limits",
    "client": "The client",
    "screen": "The full screen",
    "log": "The log",
}


def files() -> Iterator[tuple[str, str]]:
    """Each file's name in this folder, and its text."""
    yield "man/trio-chat.1", _lines(_program())
    yield "man/trio-chat.env.5", _lines(_settings())
    for name, shell in (("trio-chat", "bash"), ("_trio-chat", "zsh"), ("trio-chat.fish", "fish")):
        yield f"completions/{name}", _completion(shell)


# zsh runs the file when the words are first completed, and from then on what it has defined.
_WHEN_LOADED = '[[ $zsh_eval_context[-1] == loadautofunc ]] && _trio_chat_completion "$@"\n'


def _completion(shell: str) -> str:
    """The script that makes a shell ask the program."""
    program = Path(sys.executable).with_name("trio-chat")
    asked = os.environ | {"_TRIO_CHAT_COMPLETE": f"source_{shell}"}
    script = subprocess.run([program], env=asked, text=True, stdout=subprocess.PIPE, check=True)  # noqa: S603 - ourselves
    return script.stdout.strip() + "\n" + (_WHEN_LOADED if shell == "zsh" else "")


def _lines(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


# ── trio-chat(1) ──────────────────────────────────────────────────────────────────────────────


def _program() -> Iterator[str]:
    root: Any = get_command(app)
    yield from _head("trio-chat", 1, "a small chat server and its client")
    yield from (".SH SYNOPSIS", ".B trio\\-chat", ".I COMMAND", "[OPTION]... [ARGUMENT]...")
    yield from (".SH DESCRIPTION", _escaped(root.help or ""), ".PP")
    yield _escaped(
        "One command starts a server, and the same port is for every kind of client: ours, IRC's, "
        "netcat and browsers."
    )
    yield ".SH COMMANDS"
    for name, command in _leaves(root):
        yield from _command(name, command)
    yield from (".SH EXIT STATUS", *_tagged({str(code): text for code, text in EXITS.items()}))
    yield from (".SH SIGNALS", _escaped(_SIGNALS))
    yield from (".SH ENVIRONMENT", *_tagged(_ENVIRONMENT))
    yield from (".SH SEE ALSO", ".BR trio\\-chat.env (5)")


def _leaves(group: Any, prefix: str = "trio-chat") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [
        p.metavar if p.required or "[" in p.metavar else f"[{p.metavar}]"
        for p in command.params
        if p.param_type_name == "argument"
    ]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, "[OPTION]...", *arguments])
    yield from (f".SS {_escaped(usage)}", *_paragraphs(command.help or ""))
    yield from _tagged({_spelled(option): option.help or "" for option in options})


def _spelled(option: Any) -> str:
    """``-n, --nick NAME``"""
    names = ", ".join(sorted(option.opts, key=len))
    return f"{names} {option.metavar}" if option.metavar else names


def _paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a help text; one that begins with \\b keeps its lines."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            lines = map(_escaped, paragraph.removeprefix("\b\n").splitlines())
            yield from (".nf", *lines, ".fi")
        else:
            yield _escaped(paragraph)


# ── trio-chat.env(5) ──────────────────────────────────────────────────────────────────────────


def _settings() -> Iterator[str]:
    yield from _head("trio-chat.env", 5, "settings of trio-chat")
    yield from (".SH DESCRIPTION", *_paragraphs(_ABOUT_SETTINGS))
    for section, some in groupby(all_settings(Settings), lambda one: one.name.rpartition(".")[0]):
        yield f".SH {_escaped(_SECTIONS[section].upper())}"
        yield from _tagged({f"{s.variable}={s.default}": _told(s) for s in some})
    yield from (".SH SEE ALSO", ".BR trio\\-chat (1)")


_ABOUT_SETTINGS = """\
Each setting is a line NAME=VALUE of a file that --env-file or TRIO_CHAT_ENV_FILE names, or a
variable of the environment, which wins over the file. On the command line,
--set limits.line_bytes=1000 wins over both. 'trio-chat config' shows what is in force and where it
comes from, and 'trio-chat config --example' prints a file to begin with.

A file .env in the current folder is read without being named, but not trusted with the settings
that are marked with a star. Defaults are shown here."""


def _told(setting: Setting) -> str:
    star = "" if is_harmless(setting.name) else " (*)"
    return f"{about(setting)}{star}"


# ── roff ──────────────────────────────────────────────────────────────────────────────────────


def _head(name: str, section: int, what: str) -> Iterator[str]:
    yield '.\\" Written by packaging/generate.py'
    yield f'.TH {_escaped(name).upper()} {section} "" trio\\-chat "trio\\-chat manual"'
    yield from (".SH NAME", f"{_escaped(name)} \\- {_escaped(what)}")


def _tagged(texts: Mapping[str, str]) -> Iterator[str]:
    for tag, text in texts.items():
        yield from (".TP", f"\\fB{_escaped(tag)}\\fR", _escaped(text))


def _escaped(text: str) -> str:
    """Text as it is to be shown, in lines that are no requests."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    lines: Sequence[str] = textwrap.wrap(text, 98, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", "\n".join(lines))


if __name__ == "__main__":
    for name, text in files():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
