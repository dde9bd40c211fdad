"""The names that a server takes for the same (modern.ircdocs.horse, "CASEMAPPING").

Nothing at the client's end compares names of people or rooms, or keeps something by them, but
through these two classes. So what a server says of itself holds everywhere, even for what was kept
before it said so.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TypeVar

from trio_chat.core.names import fold as fold_of_ours

V = TypeVar("V")

Fold = Callable[[str], str]

#: The casemapping of trio-chat itself, and so of plain. Its CASEMAPPING promises IRC clients less.
OURS = "trio-chat"

#: The casemapping of servers that name none, and of one with which we have not talked yet.
UNTOLD, UNKNOWN = "rfc1459", ""

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ASCII = str.maketrans(_CAPITALS, _CAPITALS.lower())
_STRICT = _ASCII | str.maketrans("[]\\", "{}|")
_RFC1459 = _STRICT | str.maketrans("~", "^")


def _by_unicode(name: str) -> str:
    """Fold a name as PRECIS does (RFC 8265, "UsernameCaseMapped"): width, case, composition."""
    narrow = "".join(unicodedata.normalize("NFKC", c) if _is_wide(c) else c for c in name)
    return unicodedata.normalize("NFC", narrow.lower())


def _is_wide(char: str) -> bool:
    return unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))


_FOLDS: dict[str, Fold] = {
    OURS: fold_of_ours,
    "ascii": lambda name: name.translate(_ASCII),
    "rfc1459": lambda name: name.translate(_RFC1459),
    "rfc1459-strict": lambda name: name.translate(_STRICT),
    "strict-rfc1459": lambda name: name.translate(_STRICT),
    **dict.fromkeys(("rfc3454", "rfc7613", "rfc8265", "precis"), _by_unicode),
    **dict.fromkeys(("utf8", "utf-8", "utf8mapping", "unicode"), _by_unicode),
}


class Casemapping:
    """The casemapping of the server that we talk with."""

    def __init__(self, name: str = OURS) -> None:
        self.learn(name)

    def learn(self, name: str) -> None:
        """Switch to the casemapping of this name.

        For an unknown one, take what all have in common: to take two people for one would be worse
        than to take one for two.
        """
        self.name = name
        self.fold: Fold = _FOLDS.get(name.lower(), _FOLDS["ascii"])

    def same(self, one: str, other: str) -> bool:
        """Whether two names are the same to the server."""
        return self.fold(one) == self.fold(other)


class ByName(MutableMapping[str, V]):
    """A dict whose keys are names. Iterating gives them as they were first written."""

    def __init__(self, names: Casemapping, items: Mapping[str, V] | None = None) -> None:
        self._names, self._fold = names, names.fold
        self._items: dict[str, tuple[str, V]] = {}
        self.update(items or {})

    def _now(self) -> dict[str, tuple[str, V]]:
        """The entries by folded name, folded anew if the server has another casemapping than
        before.
        """
        if self._fold is not self._names.fold:
            self._fold = self._names.fold
            self._items = {self._fold(written): (written, v) for written, v in self._items.values()}
        return self._items

    def __getitem__(self, name: str) -> V:
        return self._now()[self._names.fold(name)][1]

    def __setitem__(self, name: str, value: V) -> None:
        items, key = self._now(), self._names.fold(name)
        written, _ = items.get(key, (name, value))
        items[key] = written, value

    def __delitem__(self, name: str) -> None:
        del self._now()[self._names.fold(name)]

    def rename(self, name: str, to: str) -> None:
        """Let an entry go by another name, in the same place; one that had that name is dropped."""
        items, old, new = self._now(), self._names.fold(name), self._names.fold(to)
        if old in items:
            self._items = {
                (new if key == old else key): ((to, entry[1]) if key == old else entry)
                for key, entry in items.items()
                if key == old or key != new
            }

    def __iter__(self) -> Iterator[str]:
        return (written for written, _ in self._now().values())

    def __len__(self) -> int:
        return len(self._now())
