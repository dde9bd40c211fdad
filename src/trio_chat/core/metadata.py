"""Metadata: values under keys, which describe people and rooms (ircv3.net, "metadata")."""

import re

#: Keys with their values, in the order of keys; an empty value removes its key.
Values = tuple[tuple[str, str], ...]

#: The most keys of a person or of a room, and of one subscription.
KEYS_MAX, SUBS_MAX = 20, 50

#: The longest value, in bytes.
VALUE_MAX = 300

# A key, its value and what has them share a line with the names of the server and of the reader.
_TOGETHER_MAX = 380  # bytes

_KEY = re.compile(r"[a-z0-9_./-]{1,50}")


def is_key(text: str) -> bool:
    """Whether this can be a key."""
    return _KEY.fullmatch(text) is not None


def fits(target: str, key: str, value: str) -> bool:
    """Whether a value is short enough."""
    size = len(value.encode())
    return size <= VALUE_MAX and len(f"{target}{key}".encode()) + size <= _TOGETHER_MAX


def with_values(before: Values, changes: Values) -> Values:
    """Return metadata after these changes."""
    after = {**dict(before), **dict(changes)}
    return tuple(sorted((key, value) for key, value in after.items() if value))


def changed(before: Values, after: Values) -> Values:
    """Return the changes that make of metadata what it is ``after`` them."""
    gone = {key: "" for key, _ in before}
    return tuple((key, value) for key, value in {**gone, **dict(after)}.items()
                 if dict(before).get(key, "") != value)  # fmt: skip
