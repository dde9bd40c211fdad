"""Metadata: values under keys, which describe people and rooms (ircv3.net, "metadata")."""

import re

from trio_chat.core.letters import cut
from trio_chat.core.refusals import Code

#: Keys with their values, in the order of keys; an empty value removes its key.
Values = tuple[tuple[str, str], ...]

#: The most keys of a person or of a room, and of one subscription.
KEYS_MAX, SUBS_MAX = 20, 50

#: The longest value, in bytes.
VALUE_MAX = 300

# A key, its value and what has them share a line with the names of the server and of the reader.
_TOGETHER_MAX = 380  # bytes

_KEY = re.compile(r"[a-z0-9_./-]{1,50}")


class BadMetadata(ValueError):
    """A key or a value that cannot be: why, the ``code``, and what it is ``about``."""

    def __init__(self, why: str, code: Code, about: str) -> None:
        super().__init__(why)
        self.code, self.about = code, about


def is_key(text: str) -> bool:
    """Whether this can be a key."""
    return _KEY.fullmatch(text) is not None


def check_key(text: str) -> None:
    """Raise BadMetadata if this cannot be a key."""
    if not is_key(text):
        why = f"{cut(text, 50)} cannot be a key: it has 1 to 50 of a-z, 0-9 and _./-."
        raise BadMetadata(why, Code.BAD_METADATA_KEY, text)


def judged(target: str, before: Values, changes: Values) -> Values:
    """Return the metadata of ``target`` after changes that somebody wants. Raises BadMetadata."""
    for key, value in changes:
        check_key(key)
        size = len(value.encode())
        if size > VALUE_MAX or len(f"{target}{key}".encode()) + size > _TOGETHER_MAX:
            why = f"A value has at most {VALUE_MAX} bytes."
            raise BadMetadata(why, Code.BAD_METADATA_VALUE, key)
    after = with_values(before, changes)
    if len(after) > max(KEYS_MAX, len(before)):
        raise BadMetadata(f"There are at most {KEYS_MAX} keys.", Code.METADATA_FULL, target)
    return after


def with_values(before: Values, changes: Values) -> Values:
    """Return metadata after these changes."""
    after = {**dict(before), **dict(changes)}
    return tuple(sorted((key, value) for key, value in after.items() if value))


def changed(before: Values, after: Values) -> Values:
    """Return the changes that make of metadata what it is ``after`` them."""
    gone = {key: "" for key, _ in before}
    return tuple((key, value) for key, value in {**gone, **dict(after)}.items()
                 if dict(before).get(key, "") != value)  # fmt: skip
