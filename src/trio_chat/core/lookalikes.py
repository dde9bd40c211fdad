"""Nicknames that cannot be told apart, of which only one can be taken.

What looks alike, Unicode says: two texts do whose skeletons are the same (UTS #39, section 4). That
decides which nicknames are taken, and nothing else: rooms, bans, and all that is kept by name are
known by their folds.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from trio_chat.core.confusables import PROTOTYPES
from trio_chat.core.names import fold

#: Nicknames that nobody can have, nor any that looks like one: they would speak for the server.
RESERVED = (
    "server", "services", "system", "operator", "admin", "administrator",
    "NickServ", "ChanServ", "MemoServ", "OperServ", "HostServ", "BotServ", "HelpServ", "SaslServ",
    "AuthServ", "Global",
)  # fmt: skip


def _small_capitals() -> Iterator[tuple[int, str]]:
    """Unicode does not count them as confusable; but next to others, many take them for letters."""
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        try:
            char = unicodedata.lookup(f"LATIN LETTER SMALL CAPITAL {letter}")
        except KeyError:
            continue
        yield ord(char), letter.lower()


_SMALL_CAPITALS = dict(_small_capitals())


def looks(nick: str) -> frozenset[str]:
    """Two nicknames that have one of these in common look alike, whatever case they are in.

    In capitals an i looks like a small l. But that would make Neil look like Nell if it counted in
    each case: so it does only where others are written so.
    """
    in_capitals = f"={skeleton(nick.upper())}"
    return frozenset({fold(nick), fold(skeleton(nick)), f"={skeleton(nick)}", in_capitals})


def skeleton(text: str) -> str:
    """Once more, as some prototypes are letters with accents, of which the letter has another."""
    return unicodedata.normalize("NFC", _prototypes(_prototypes(text)))


def _prototypes(text: str) -> str:
    letters = unicodedata.normalize("NFD", text).replace("\u0131\u0307", "i")  # a dot on dotless i
    return letters.translate(PROTOTYPES).translate(_SMALL_CAPITALS)


def all_looks(nicks: Iterable[str]) -> frozenset[str]:
    return frozenset(look for nick in nicks for look in looks(nick))
