"""A check of the types of what was read: a file may be damaged anywhere."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Check = Callable[[Any], bool]

# Surrogates, halves of characters, which no encoding can write.
_HALVES = re.compile("[\ud800-\udfff]")


def is_sound(value: Any, hint: Any) -> bool:
    """Whether a value and all in it has this type, and its texts can be written."""
    return _check(hint)(value)


@cache
def _check(hint: Any) -> Check:
    if hint is str:
        return lambda value: type(value) is str and not _HALVES.search(value)
    if hint is None:  # as in ``dict[str, None]``
        return lambda value: value is None
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _any_of([_check(each) for each in inner])
    if origin is tuple and Ellipsis not in inner:
        return _tuple([_check(each) for each in inner])
    if origin in (tuple, list, frozenset, set, Sequence):
        return _all_of(_check(inner[0]))
    if origin in (dict, Mapping):
        return _mapping(_check(inner[0]), _check(inner[1]))
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return _fields(hint, {field.name: _check(hints[field.name]) for field in fields(hint)})
    if hasattr(hint, "_fields"):  # a NamedTuple
        return _tuple([_check(each) for each in get_type_hints(hint).values()])
    return lambda value: type(value) is hint


def _any_of(checks: Sequence[Check]) -> Check:
    return lambda value: any(check(value) for check in checks)


def _all_of(check: Check) -> Check:
    return lambda value: not isinstance(value, str | bytes) and all(map(check, value))


def _tuple(checks: Sequence[Check]) -> Check:
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(checks)
        and all(check(each) for check, each in zip(checks, value, strict=True))
    )


def _mapping(key: Check, value: Check) -> Check:
    return lambda found: (
        isinstance(found, Mapping) and all(key(k) and value(v) for k, v in found.items())
    )


def _fields(kind: type, checks: Mapping[str, Check]) -> Check:
    return lambda value: (
        type(value) is kind and all(check(getattr(value, name)) for name, check in checks.items())
    )
