"""Nicknames that cannot be told apart, of which only one can be taken.

What looks alike, Unicode says: two texts do whose skeletons are the same (UTS #39, section 4). That
decides which nicknames are taken, and nothing else: rooms, bans, and all that is kept by name are
known by their folds.
"""

import re
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


def _letters() -> Iterator[tuple[int, str]]:
    """Unicode does not count them as confusable; but next to others, many take them for letters.
    Nor does it count a j without its dot, as it does an i.
    """
    yield ord("ȷ"), "j"
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        try:
            char = unicodedata.lookup(f"LATIN LETTER SMALL CAPITAL {letter}")
        except KeyError:
            continue
        yield ord(char), letter.lower()


# A dot above a letter that has one is not seen, as in what is left of İ without its case. Between
# the two there may be marks that are written elsewhere.
_DOTTED = re.compile("([ij][\u0316-\u0333]*)\u0307")

_LETTERS = dict(_letters())


def looks(nick: str) -> frozenset[str]:
    """Two nicknames that have one of these in common look alike, whatever case they are in.

    In capitals an i looks like a small l. But that would make Neil look like Nell if it counted in
    each case: so it does only where others are written so.
    """
    in_each_case = (skeleton(text) for text in (nick, nick.upper(), _without_case(nick)))
    return frozenset({fold(nick), fold(skeleton(nick)), *(f"={each}" for each in in_each_case)})


def _without_case(text: str) -> str:
    """Unicode's toNFKC_Casefold, of a text without what is ignored in it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def skeleton(text: str) -> str:
    """Once more, as some prototypes are letters with accents, of which the letter has another."""
    return unicodedata.normalize("NFC", _prototypes(_prototypes(text)))


def _prototypes(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return _DOTTED.sub(r"\1", letters.translate(PROTOTYPES).translate(_LETTERS))


def all_looks(nicks: Iterable[str]) -> frozenset[str]:
    return frozenset(look for nick in nicks for look in looks(nick))
