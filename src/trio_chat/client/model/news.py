"""Cleaning of everything that the session tells, before it is shown."""

from dataclasses import fields, is_dataclass, replace
from operator import is_
from typing import Any, TypeVar

from trio_chat.core.events import Said
from trio_chat.core.letters import cut
from trio_chat.protocols.clean import clean, clean_lines
from trio_chat.protocols.client import Sent, Stamped

_T = TypeVar("_T")

# People's texts, which may have several lines.
_SEVERAL = (Said, Sent)

# Longer than any server allows; a buffer keeps 50,000 texts.
_TEXT_MAX = 65_536  # characters

# Fields that are never shown and must stay exact; runs are numbers.
_OPAQUE = {"token", "msgid", "time", "runs"}


def cleaned(news: _T) -> _T:
    """Remove from every field whatever controls a terminal, or hides or reverses text."""
    changes: dict[str, Any] = {}
    for name in _names(news):
        value = getattr(news, name)
        several = name == "text" and isinstance(news, _SEVERAL)
        if value and (safe := _safe(value, several=several)) is not value:
            changes[name] = safe
    if "text" in changes and isinstance(news, Stamped):
        changes["runs"] = ()  # they are offsets into the old text
    return replace(news, **changes) if changes else news  # type: ignore[type-var]


def _names(news: Any) -> tuple[str, ...]:
    """The fields that may be shown, remembered because finding them is slow."""
    kind = type(news)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(f.name for f in fields(news) if f.name not in _OPAQUE)
    return _NAMES[kind]


_NAMES: dict[type, tuple[str, ...]] = {}


def _safe(value: object, *, several: bool = False) -> object:
    """Clean a value; returns the same object if it is clean. ``several`` allows line feeds."""
    if isinstance(value, str):
        safe_text = clean_lines if several else clean
        text = safe_text(value if len(value) <= _TEXT_MAX else f"{cut(value, _TEXT_MAX)}…")
        return value if text == value else text
    if isinstance(value, tuple):
        safe = tuple(map(_safe, value))
        return value if all(map(is_, value, safe)) else safe
    return cleaned(value) if is_dataclass(value) and not isinstance(value, type) else value
