"""A setting described for people: its names, the kind of value it takes, and what is wrong with
one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from trio_chat.errors import SettingsError
from trio_chat.settings.values import HASHED

PREFIX = "TRIO_CHAT_"

_KINDS = ((int, "a whole number"), (float, "a number"), (bool, "true or false"))
_BOUNDS = (
    ("from", "ge"),
    ("above", "gt"),
    ("up to", "le"),
    ("of a length up to", "max_length"),
    ("matching", "pattern"),
)


@dataclass(frozen=True)
class Setting:
    """A setting: its dotted name and what the model says of it."""

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

    @property
    def requirement(self) -> str:
        """The kind of value it takes, and its bounds."""
        field = self.field
        if get_origin(field.annotation) is Literal:
            return f"one of {', '.join(get_args(field.annotation))}"
        kind = next((text for type_, text in _KINDS if field.annotation is type_), "text")
        for word, attribute in _BOUNDS:
            for bound in field.metadata:
                if (limit := getattr(bound, attribute, None)) is not None:
                    kind += f" {word} {limit}"
        return f"{kind} ({self.unit})" if self.unit else kind

    @property
    def is_secret(self) -> bool:
        """Whether it is not shown to anybody."""
        return self.field.annotation is SecretStr

    @property
    def lets_in(self) -> bool:
        """Whether who reads it gets in, as others may read the command line."""
        return self.is_secret and HASHED not in self.field.metadata


def variable(name: str) -> str:
    """``limits.rooms`` as ``TRIO_CHAT_LIMITS__ROOMS``."""
    return PREFIX + name.replace(".", "__").upper()


def all_settings(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Every setting there is, in the order of the model."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_settings(field.annotation, f"{prefix}{name}.")
        else:
            yield Setting(prefix + name, field)


def settings_error(error: ValidationError, model: type[BaseModel]) -> SettingsError:
    """Say of each setting that is wrong how it is called, also in the environment, and why."""
    found = list(_problems(error, model))
    lines = [f"{name} ({variable(name)}): {why}" if name else why for name, why in found]
    return SettingsError("\n".join(lines), problems=found)


def _problems(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The name of each setting that is wrong, and why; no name if several contradict."""
    for details in error.errors():
        place = ".".join(map(str, details["loc"])) + "."
        setting = next((s for s in all_settings(model) if place.startswith(f"{s.name}.")), None)
        if details["type"] == "value_error":
            problem = str(details["ctx"]["error"])
        else:
            problem = f"must be {setting.requirement}" if setting else details["msg"]
        yield setting.name if setting else place[:-1], problem


def shown(value: Any) -> str:
    """A value as one would write it in the environment; secrets are hidden."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, SecretStr):
        return "(hidden)" if value.get_secret_value() else ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
