"""Any of our dataclasses as JSON and back, by the types of their fields.

Only what differs from its default is written. So a field that is added later, with a default, is
none to an older server, and an older text lacks it. Dicts keep their order, and sets are sorted:
equal values that came about in the same way are equal texts.
"""

import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from trio_chat.storage.checked import is_sound

_T = TypeVar("_T")
_Read = Callable[[Any], Any]


class Unsound(ValueError):
    """A text that is not of this kind: damaged, or none of ours."""


def to_json(value: Any) -> str:
    """Write a dataclass."""
    return _to_json(value)


def from_json(kind: type[_T], text: str | bytes) -> _T:
    """Read a dataclass. Raises Unsound."""
    hint: Any = kind
    try:
        value = _reader(hint)(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # The text of the error would have in it what others have written.
        raise Unsound(type(error).__name__) from error
    if not is_sound(value, kind):
        raise Unsound("it has values of other types")
    sound: _T = value
    return sound


def _written(value: Any) -> Any:
    if isinstance(value, Set):
        return sorted(value)
    found = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: one for field, one in found if one != _default(field)}


def _default(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


_to_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_written, check_circular=False
).encode


@cache
def _reader(hint: Any) -> _Read:
    """What makes a value of this type of what JSON has for it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType and NoneType in inner:
        [read] = [_reader(each) for each in inner if each is not NoneType]
        return lambda found: None if found is None else read(found)
    if origin is tuple and Ellipsis not in inner:
        return _tuple([_reader(each) for each in inner])
    if origin in (tuple, frozenset):
        return _all(origin, _reader(inner[0]))
    if origin in (dict, Mapping):
        return _values(_reader(inner[1]))
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return _dataclass(hint, {field.name: hints[field.name] for field in fields(hint)})
    if hasattr(hint, "_fields"):  # a NamedTuple
        read = _tuple([_reader(each) for each in get_type_hints(hint).values()])
        return lambda found: hint(*read(found))
    return lambda found: found


def _tuple(readers: Sequence[_Read]) -> _Read:
    return lambda found: tuple(read(one) for read, one in zip(readers, _list(found), strict=True))


def _all(kind: type, read: _Read) -> _Read:
    return lambda found: kind(map(read, _list(found)))


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):  # or a text would be one of its letters
        raise TypeError("it is no list")
    return found


def _values(read: _Read) -> _Read:
    return lambda found: {key: read(value) for key, value in found.items()}


def _dataclass(kind: type, hints: Mapping[str, Any]) -> _Read:
    # A field is looked up when it is needed: a type may be a part of itself.
    return lambda found: kind(
        **{name: _reader(hints[name])(value) for name, value in found.items() if name in hints}
    )
