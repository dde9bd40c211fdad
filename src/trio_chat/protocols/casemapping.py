"""Which names a server takes for the same (modern.ircdocs.horse, "CASEMAPPING").

Nobody at the client's end compares names of people or rooms, or keeps something by them, but by
these two: so what a server says of itself holds everywhere, also for what was kept before it said
so.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TypeVar

from trio_chat.core.names import fold as fold_of_ours

V = TypeVar("V")

Fold = Callable[[str], str]

#: As trio-chat itself compares, and so all who speak plain. Its CASEMAPPING tells IRC clients less.
OURS = "trio-chat"

#: What servers mean that do not tell; and that of one with which we have not talked yet.
UNTOLD, UNKNOWN = "rfc1459", ""

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ASCII = str.maketrans(_CAPITALS, _CAPITALS.lower())
_STRICT = _ASCII | str.maketrans("[]\\", "{}|")
_RFC1459 = _STRICT | str.maketrans("~", "^")


def _by_unicode(name: str) -> str:
    """As PRECIS has it for names (RFC 8265, "UsernameCaseMapped"): width, case, composition."""
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
    """That of the server that we talk with."""

    def __init__(self, name: str = OURS) -> None:
        self.learn(name)

    def learn(self, name: str) -> None:
        """Of one that we do not know, what all have in common: to take two people for one would be
        worse than to take one for two.
        """
        self.name = name
        self.fold: Fold = _FOLDS.get(name.lower(), _FOLDS["ascii"])

    def same(self, one: str, other: str) -> bool:
        return self.fold(one) == self.fold(other)


class ByName(MutableMapping[str, V]):
    """A dict whose keys are names. It is iterated over as they were written first."""

    def __init__(self, names: Casemapping, items: Mapping[str, V] | None = None) -> None:
        self._names, self._fold = names, names.fold
        self._items: dict[str, tuple[str, V]] = {}
        self.update(items or {})

    def _now(self) -> dict[str, tuple[str, V]]:
        """Where the server has another casemapping than before, all are put where they belong."""
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

    def __iter__(self) -> Iterator[str]:
        return (written for written, _ in self._now().values())

    def __len__(self) -> int:
        return len(self._now())
