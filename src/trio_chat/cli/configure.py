"""Reads the settings, and knows where each of them comes from."""

import difflib
import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from trio_chat.cli.env_file import is_harmless, is_ours, read_env_file
from trio_chat.errors import SettingsError
from trio_chat.settings import Settings
from trio_chat.settings.checks import read_room
from trio_chat.settings.described import Setting, all_settings, shown
from trio_chat.settings.pins import read_pins
from trio_chat.settings.places import read_place, without_password
from trio_chat.settings.reload import needs_restart

_COMMAND_LINE = "command line"

#: The argument that says where to go: a host without its name.
LINK = "link"

# More addresses of the chat that ``host`` leads to.
_OTHERS = "client.others"

# Options with another name than their setting's.
_OPTIONS = {"client.json_lines": "--json", "client.state": "--no-state"}

# Variables with our prefix that are no settings.
_OTHER_NAMES = frozenset({"TRIO_CHAT_ENV_FILE"})


@dataclass(frozen=True)
class Configuration:
    """The settings, and for each dotted name where its value comes from.

    ``of_folder`` were taken from an env file that nobody has named; those it was not trusted with
    are ``distrusted``.
    """

    settings: Settings
    origins: Mapping[str, str]
    of_folder: frozenset[str] = frozenset()
    distrusted: tuple[str, ...] = ()


_SETTINGS = {setting.name: setting for setting in all_settings(Settings)}


@dataclass(frozen=True)
class _Given:
    """A value as somebody has given it: behind a ``label``, in a place called ``origin``."""

    value: str
    label: str
    origin: str


#: What was given in one place, by dotted name.
_Layer = Mapping[str, _Given]


def load(
    options: Mapping[str, str | None], assignments: Sequence[str], env_file: Path | None
) -> Configuration:
    """Put options over the environment over the env file over the defaults.

    ``options`` are by dotted name, None if not given; ``assignments`` have the form NAME=VALUE.
    Raises SettingsError with a line for each thing that is wrong.
    """
    file = read_env_file(env_file)
    in_file = _from_variables(file.variables, str(file.path), file.lines)
    taken = {name: given for name, given in in_file.items() if file.named or is_harmless(name)}
    layers = [
        taken,
        _from_variables(os.environ, "environment"),
        _from_command_line(options, assignments),
    ]
    nearest = next((layer for layer in reversed(layers) if "host" in layer), {})
    given = _default_port(nearest)
    for layer in layers:
        if layer is nearest and _OTHERS in given:  # of another chat
            given[_OTHERS] = replace(layer["host"], value="")
        given |= _with_parts_of_host(layer) if layer is nearest else layer
    origins = {name: given[name].origin if name in given else "default" for name in _SETTINGS}
    return Configuration(
        _validated(given),
        origins,
        frozenset()
        if file.named
        else frozenset(n for n in origins if origins[n] == str(file.path)),
        tuple(sorted(in_file.keys() - taken.keys())),
    )


def _from_command_line(options: Mapping[str, str | None], assignments: Sequence[str]) -> _Layer:
    layer = {
        name: _Given(value, f"{_OPTIONS.get(name) or '--' + name.split('.')[-1]} ", _COMMAND_LINE)
        for name, value in options.items()
        if value is not None and name != LINK
    }
    problems = []
    if link := options.get(LINK):
        if "host" in layer:
            problems.append("where to go is either a link or --host, not both")
        layer["host"] = _Given(link, "", _COMMAND_LINE)
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        layer[name] = _Given(value, f"--set {name}=", _COMMAND_LINE)
        if not equals:
            problems.append(f"--set {assignment}: write it as NAME=VALUE")
        elif name not in _SETTINGS:
            problems.append(f"--set {name}: there is no such setting{_like(name, _SETTINGS)}")
        elif value and _SETTINGS[name].lets_in:
            problems.append(_not_for_all_to_read(name))
    if problems:
        raise SettingsError("\n".join(problems))
    return layer


def _not_for_all_to_read(name: str) -> str:
    """Why a secret is not accepted by ``--set``, and where to put it."""
    command = f"{name}_command"
    return (
        f"--set {name}: everybody on this machine can read the command line; set "
        f"{_SETTINGS[name].variable} in the environment or a file"
        + (f", or {command}" if command in _SETTINGS else "")
    )


def _from_variables(
    variables: Mapping[str, str], origin: str, lines: Mapping[str, int] | None = None
) -> _Layer:
    """The settings among some variables. Raises SettingsError for misspelt ones."""
    names = {setting.variable: setting.name for setting in _SETTINGS.values()}
    ours = {name: value for name, value in variables.items() if is_ours(name)}
    problems = []
    for name in ours:
        if name.upper() not in (*names, *_OTHER_NAMES):
            where = f"{origin}, line {lines[name]}" if lines else f"the {origin}"
            like = _like(name.upper(), names)
            problems.append(f"{name.upper()} in {where} is not a setting{like}")
    if problems:
        raise SettingsError("\n".join(problems))
    return {
        names[name.upper()]: _Given(value, f"{name.upper()}=", origin)
        for name, value in ours.items()
        if name.upper() in names
    }


def _like(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f". Did you mean {near[0]}?" if near else ". 'trio-chat config' lists all of them"


def _default_port(layer: _Layer) -> dict[str, _Given]:
    """The port of a link that names none, unless it is given in any other place."""
    try:
        place = read_place(layer["host"].value)
    except (KeyError, ValueError):
        return {}
    return {"port": _Given(place.default_port, "", f"{place.scheme}://")} if place.scheme else {}


def _with_parts_of_host(layer: _Layer) -> _Layer:
    """Take a port, a room and more out of a host: they count as given there, and not twice."""
    host = layer["host"]
    try:
        place = read_place(host.value)
    except ValueError:
        return layer  # validation complains about it
    parts = {
        "port": place.port,
        "client.room": place.room,
        "client.tls": place.tls,
        "client.pin": place.pin,
        "client.invitation": place.invite,
        _OTHERS: ",".join(place.others),
    }
    for name, value in parts.items():
        if value and name in layer and not _is_same(name, layer[name].value, value):
            raise SettingsError(
                f"{_written('host', host)}: {_written(name, layer[name])} contradicts it"
            )
    parts = {"host": place.host} | {name: value for name, value in parts.items() if value}
    return {**layer, **{name: replace(host, value=value) for name, value in parts.items()}}


def _is_same(name: str, one: str, other: str) -> bool:
    """Whether two ways to write a setting mean the same."""
    try:
        read = {"client.room": read_room, "client.pin": read_pins}.get(name, str)
        return read(one) == read(other)
    except ValueError:
        return False


def _written(name: str, given: _Given) -> str:
    """A value as it was given, and where unless that is obvious; but no password."""
    value = without_password(given.value) if name == "host" else given.value
    value = value if value.isprintable() else repr(value)
    text = given.label.rstrip("= ") if _SETTINGS[name].is_secret else given.label + value
    return text if given.origin == _COMMAND_LINE else f"{text} ({given.origin})"


def _validated(given: _Layer) -> Settings:
    """Validate all that was given: everything in the environment is part of it."""
    nested: dict[str, Any] = {}
    for name, one in given.items():
        section, _, field = name.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[field] = one.value
    try:
        return Settings(**nested)
    except SettingsError as error:
        lines = [
            f"{_written(name, given[name]) if name in given else name}: {problem}"
            for name, problem in error.problems
        ]
        raise SettingsError("\n".join(lines)) from None


def table(configuration: Configuration) -> str:
    """A line for each setting: name, value, unit, origin."""
    rows = []
    for name, setting in _SETTINGS.items():
        value = shown(reduce(getattr, name.split("."), configuration.settings))
        rows.append((setting.variable, value, setting.unit, configuration.origins[name]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def about(setting: Setting) -> str:
    """What a setting is for, and what it takes."""
    text = f"{setting.field.description} Takes {setting.requirement}."
    return text + (_NOT_SET if setting.lets_in else "")


def example_file() -> str:
    """An env file that lists every setting with its description, its bounds and its default."""
    parts = [_EXAMPLE_HEAD]
    for setting in _SETTINGS.values():
        text = about(setting) + (_RESTART if needs_restart(setting.name) else "")
        lines = textwrap.wrap(text + ("" if is_harmless(setting.name) else _ONLY_NAMED), 98)
        comment = "\n".join(f"# {line}" for line in lines)
        parts.append(f"{comment}\n#{setting.variable}={setting.default}\n")
    return "\n".join(parts)


_EXAMPLE_HEAD = """\
# Every setting of trio-chat with its default. Copy this file, change what you like, and name it by
# --env-file or TRIO_CHAT_ENV_FILE. The environment wins over it, and the command line over both.
# A file .env in the current folder is read without being named, but not trusted with all of this.
# 'trio-chat config' shows what is in force; 'trio-chat config --check' checks it.
"""

_RESTART = " A change needs a restart of the server."
_NOT_SET = " Not accepted by --set: others can read the command line."
_ONLY_NAMED = " Not accepted from a .env that was not named."
