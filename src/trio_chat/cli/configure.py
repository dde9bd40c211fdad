"""Reads the settings, and knows of each whether it is from the command line or from where else."""

import difflib
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from trio_chat.errors import SettingsError
from trio_chat.settings import PREFIX, Settings

# Names with our prefix in the environment that are no settings.
_OTHER_NAMES = frozenset({"TRIO_CHAT_ENV_FILE"})

_DEFAULT_FILE = Path(".env")


@dataclass(frozen=True)
class Setting:
    """One setting: its dotted name and what the model says of it."""

    name: str
    field: FieldInfo

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.replace(".", "__").upper()

    @property
    def unit(self) -> str:
        extra = self.field.json_schema_extra
        return str(extra.get("unit", "")) if isinstance(extra, dict) else ""

    @property
    def default(self) -> str:
        return shown(self.field.default)


@dataclass(frozen=True)
class Configuration:
    """The settings, and for each dotted name where its value comes from."""

    settings: Settings
    origins: Mapping[str, str]


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
    file = _DEFAULT_FILE if env_file is None and _DEFAULT_FILE.exists() else env_file
    layers = {
        "command line": _from_command_line(options, assignments),
        "environment": _ours(os.environ, "the environment"),
        str(file): _ours(_read(file), str(file)) if file else {},
    }
    origins = {
        setting.name: next(
            (origin for origin in layers if setting.name in layers[origin]), "default"
        )
        for setting in all_settings()
    }
    try:
        settings = Settings(**{"_env_file": file, **_nested(layers["command line"])})
    except ValidationError as error:
        lines = [_explain(details, layers, origins) for details in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    return Configuration(settings, origins)


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
        about = textwrap.wrap(f"{setting.field.description} Takes {_requirement(setting)}.", 98)
        comment = "\n".join(f"# {line}" for line in about)
        parts.append(f"{comment}\n#{setting.variable}={setting.default}\n")
    return "\n".join(parts)


_EXAMPLE_HEAD = """\
# All settings of trio-chat with their defaults: copy this file to .env and change what you like.
# The environment wins over this file, and the command line over both.
# 'trio-chat config' shows what is in force, 'trio-chat config --check' checks it.
"""


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


def _ours(variables: Mapping[str, str | None], where: str) -> Mapping[str, str]:
    """The settings among some variables, by dotted name; SettingsError if one is misspelt."""
    names = {setting.variable: setting.name for setting in all_settings()}
    ours = {name.upper(): value for name, value in variables.items()}
    ours = {name: value for name, value in ours.items() if name.startswith(PREFIX)}
    unknown = [name for name in ours if name not in names and name not in _OTHER_NAMES]
    if unknown:
        lines = [f"{name} in {where} is not a setting{_like(name, names)}" for name in unknown]
        raise SettingsError("\n".join(lines))
    return {names[name]: value or "" for name, value in ours.items() if name in names}


def _like(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f". Did you mean {near[0]}?" if near else ". 'trio-chat config' lists all of them"


def _read(file: Path) -> Mapping[str, str | None]:
    try:
        with file.open(encoding="utf-8") as stream:
            return dotenv_values(stream=stream)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"cannot read the settings in {file}: {reason}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"cannot read the settings in {file}: it is not UTF-8") from error


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
    details: ErrorDetails, layers: Mapping[str, Mapping[str, str]], origins: Mapping[str, str]
) -> str:
    """One line: which setting, its value if that is no secret, where from, and what it takes."""
    location = ".".join(map(str, details["loc"]))
    setting = next(s for s in all_settings() if f"{location}.".startswith(f"{s.name}."))
    origin = origins[setting.name]
    secret = setting.field.annotation is SecretStr
    given = layers[origin][setting.name]
    value = "" if secret else f"={given if given.isprintable() else repr(given)}"
    if details["type"] == "value_error":
        problem = str(details["ctx"]["error"])
    else:
        problem = f"it takes {_requirement(setting)}"
    return f"{setting.variable}{value} ({origin}): {problem}"


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
