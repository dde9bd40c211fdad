"""Reads the settings, and knows of each whether it is from the command line or from where else."""

import difflib
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from trio_chat.cli.env_file import is_harmless, is_ours, read_env_file
from trio_chat.errors import SettingsError
from trio_chat.settings import (
    IRC_PORT,
    PREFIX,
    Settings,
    read_place,
    read_room,
    without_password,
)

_COMMAND_LINE = "command line"

# Options that are not called as their setting is.
_OPTIONS = {"client.json_lines": "--json", "client.state": "--no-state"}

# Names with our prefix in the environment that are no settings.
_OTHER_NAMES = frozenset({"TRIO_CHAT_ENV_FILE"})


@dataclass(frozen=True)
class Setting:
    """One setting: its dotted name and what the model says of it."""

    name: str
    field: FieldInfo

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return variable(self.name)

    @property
    def unit(self) -> str:
        extra = self.field.json_schema_extra
        return str(extra.get("unit", "")) if isinstance(extra, dict) else ""

    @property
    def default(self) -> str:
        return shown(self.field.default)


@dataclass(frozen=True)
class Configuration:
    """The settings, and for each dotted name where its value comes from.

    ``of_folder`` are those that an env file has which nobody has named, and ``distrusted`` those
    that it has and that have not been taken from it.
    """

    settings: Settings
    origins: Mapping[str, str]
    of_folder: frozenset[str] = frozenset()
    distrusted: tuple[str, ...] = ()


def variable(name: str) -> str:
    """``limits.rooms`` as ``TRIO_CHAT_LIMITS__ROOMS``."""
    return PREFIX + name.replace(".", "__").upper()


def all_settings(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[Setting]:
    """Every setting there is, in the order of the model."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_settings(field.annotation, f"{prefix}{name}.")
        else:
            yield Setting(prefix + name, field)


def load(
    options: Mapping[str, str | None], assignments: Sequence[str], env_file: Path | None
) -> Configuration:
    """Options over the environment over the env file over the defaults.

    ``options`` are by dotted name, None if not given; ``assignments`` have the form NAME=VALUE.
    Raises SettingsError with a line for each thing that is wrong.
    """
    file = read_env_file(env_file)
    in_file = _ours(file.variables, str(file.path), file.lines)
    taken = {name: value for name, value in in_file.items() if file.named or is_harmless(name)}
    labels = _labels(options, assignments)
    layers = {
        _COMMAND_LINE: _from_command_line(options, assignments),
        "environment": _ours(os.environ, "the environment"),
        str(file.path): taken,
    }
    host = next((values["host"] for values in layers.values() if "host" in values), "")
    layers = {origin: _taken_apart(values, origin, labels) for origin, values in layers.items()}
    if host.lower().startswith("irc://"):
        layers["irc://"] = {"port": IRC_PORT}
    origins = {
        setting.name: next(
            (origin for origin in layers if setting.name in layers[origin]), "default"
        )
        for setting in all_settings()
    }
    values = {name: layers[at][name] for name, at in origins.items() if at in layers}
    return Configuration(
        _validated(values, origins, labels),
        origins,
        frozenset() if file.named else frozenset(n for n in taken if origins[n] == str(file.path)),
        tuple(sorted(in_file.keys() - taken.keys())),
    )


def _labels(options: Mapping[str, str | None], assignments: Sequence[str]) -> Mapping[str, str]:
    """How each setting of the command line is written there, up to its value."""
    given = [name for name, value in options.items() if value is not None]
    flags = {name: _OPTIONS.get(name, f"--{name.rpartition('.')[2]}") + " " for name in given}
    names = [assignment.partition("=")[0] for assignment in assignments]
    return {**flags, **{name: f"--set {name}=" for name in names}}


def _written(name: str, value: str, origin: str, labels: Mapping[str, str]) -> str:
    """A setting as it was given where it is from. No password is shown that a host holds."""
    if name == "host":
        value = without_password(value)
    value = value if value.isprintable() else repr(value)
    label = labels.get(name, "") if origin == _COMMAND_LINE else ""
    return f"{label or variable(name) + '='}{value}"


def _taken_apart(
    values: Mapping[str, str], origin: str, labels: Mapping[str, str]
) -> Mapping[str, str]:
    """A host may hold a port and a room: they count as given where it is, and not twice."""
    try:
        place = read_place(values.get("host", ""))
    except ValueError:
        return values  # what is wrong with it is told when all are validated
    more = {"port": place.port, "client.room": place.room}
    for name, value in more.items():
        if value and read_room(values.get(name, value)) != read_room(value):
            host = _written("host", values["host"], origin, labels)
            other = _written(name, values[name], origin, labels)
            raise SettingsError(f"{host}{_from(origin)}: {other} contradicts it")
    return {**values, "host": place.host, **{name: value for name, value in more.items() if value}}


def _from(origin: str) -> str:
    """What an option is needs no saying."""
    return "" if origin == _COMMAND_LINE else f" ({origin})"


def _validated(
    values: Mapping[str, str], origins: Mapping[str, str], labels: Mapping[str, str]
) -> Settings:
    """All values that are given; so pydantic-settings finds nothing in the environment that is not
    among them, and reads no file.
    """
    try:
        return Settings(**_nested(values))
    except ValidationError as error:
        lines = [_explain(details, values, origins, labels) for details in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def shown(value: Any) -> str:
    """A value as one would write it in the environment; secrets are hidden."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, SecretStr):
        return "(hidden)" if value.get_secret_value() else ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def table(configuration: Configuration) -> str:
    """A line for each setting: name, value, unit, origin."""
    rows = []
    for setting in all_settings():
        value = _value(configuration.settings, setting.name)
        row = (setting.variable, shown(value), setting.unit, configuration.origins[setting.name])
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def example_file() -> str:
    """An env file that lists every setting with its text, its bounds and its default."""
    parts = [_EXAMPLE_HEAD]
    for setting in all_settings():
        text = f"{setting.field.description} Takes {_requirement(setting)}."
        about = textwrap.wrap(text + ("" if is_harmless(setting.name) else _ONLY_NAMED), 98)
        comment = "\n".join(f"# {line}" for line in about)
        parts.append(f"{comment}\n#{setting.variable}={setting.default}\n")
    return "\n".join(parts)


_EXAMPLE_HEAD = """\
# All settings of trio-chat with their defaults: copy this file, change what you like, and name it
# by --env-file or TRIO_CHAT_ENV_FILE. The environment wins over it, and the command line over both.
# A file .env in the current folder is read without that, and so is not trusted with all of this.
# 'trio-chat config' shows what is in force, 'trio-chat config --check' checks it.
"""

_ONLY_NAMED = " Not from a .env that was not named."


def _from_command_line(
    options: Mapping[str, str | None], assignments: Sequence[str]
) -> Mapping[str, str]:
    values = {name: value for name, value in options.items() if value is not None}
    names = [setting.name for setting in all_settings()]
    problems = []
    for assignment in assignments:
        name, equals, values[name] = assignment.partition("=")
        if not equals:
            problems.append(f"--set {assignment}: it takes NAME=VALUE")
        elif name not in names:
            problems.append(f"--set {name}: there is no such setting{_like(name, names)}")
    if problems:
        raise SettingsError("\n".join(problems))
    return values


def _ours(
    variables: Mapping[str, str | None], where: str, lines: Mapping[str, int] | None = None
) -> Mapping[str, str]:
    """The settings among some variables, by dotted name; SettingsError if one is misspelt."""
    names = {setting.variable: setting.name for setting in all_settings()}
    ours = {name.upper(): value for name, value in variables.items() if is_ours(name)}
    unknown = [n for n in variables if is_ours(n) and n.upper() not in (*names, *_OTHER_NAMES)]
    if unknown:
        raise SettingsError("\n".join(_misspelt(n, where, (lines or {}).get(n)) for n in unknown))
    return {names[name]: value or "" for name, value in ours.items() if name in names}


def _misspelt(name: str, where: str, line: int | None) -> str:
    at = f"{where}, line {line}" if line else where
    like = _like(name.upper(), [setting.variable for setting in all_settings()])
    return f"{name.upper()} in {at} is not a setting{like}"


def _like(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f". Did you mean {near[0]}?" if near else ". 'trio-chat config' lists all of them"


def _nested(values: Mapping[str, str]) -> dict[str, Any]:
    """``{"limits.rooms": "5"}`` as ``{"limits": {"rooms": "5"}}``."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        section, _, field = name.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[field] = value
    return nested


def _value(settings: Settings, name: str) -> Any:
    return reduce(getattr, name.split("."), settings)


def _explain(
    details: ErrorDetails,
    values: Mapping[str, str],
    origins: Mapping[str, str],
    labels: Mapping[str, str],
) -> str:
    """One line: which setting, its value if that is no secret, where from, and what it takes."""
    location = ".".join(map(str, details["loc"]))
    setting = next(s for s in all_settings() if f"{location}.".startswith(f"{s.name}."))
    origin = origins[setting.name]
    secret = setting.field.annotation is SecretStr
    value = "" if secret else values[setting.name]
    given = _written(setting.name, value, origin, labels).rstrip("=" if secret else "")
    if details["type"] == "value_error":
        problem = str(details["ctx"]["error"])
    else:
        problem = f"it takes {_requirement(setting)}"
    return f"{given}{_from(origin)}: {problem}"


def _requirement(setting: Setting) -> str:
    """What kind of value it takes, within which bounds."""
    field = setting.field
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(get_args(field.annotation))}"
    kind = next((text for type_, text in _KINDS if field.annotation is type_), "a text")
    for word, attribute in (("from", "ge"), ("above", "gt"), ("up to", "le")):
        for bound in field.metadata:
            if (number := getattr(bound, attribute, None)) is not None:
                kind += f" {word} {number}"
    return f"{kind} ({setting.unit})" if setting.unit else kind


_KINDS = ((int, "a whole number"), (float, "a number"), (bool, "true or false"))
