"""Nicknames that cannot be told apart, of which only one can be taken.

Two texts look alike if their skeletons are the same (Unicode's UTS #39, section 4): ``aIice`` and
``a1ice`` are ``alice``, and ``rn`` is ``m``. This decides which nicknames are taken, and nothing
else: rooms, bans, and all that is stored by name are known by their folds, which must not change
when Unicode does.

The table (``confusables.txt``) is made from Unicode's own file by
``tests/core/make_confusables.py``: a library would read a megabyte of JSON at each start.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files

from trio_chat.core.names import fold

#: Nicknames that nobody can have, nor one that looks like them, accents or not: they would speak
#: for the server.
RESERVED = (
    "server", "services", "system", "operator", "admin", "administrator",
    "NickServ", "ChanServ", "MemoServ", "OperServ", "HostServ", "BotServ", "HelpServ", "SaslServ",
    "AuthServ", "Global",
)  # fmt: skip


def _read_table() -> Iterator[tuple[int, str]]:
    """Each code point that looks like something else, and its prototype."""
    for line in files(__package__).joinpath("confusables.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            prototype, lookalikes = (map(_code_point, codes.split()) for codes in line.split(":"))
            text = "".join(map(chr, prototype))
            yield from ((lookalike, text) for lookalike in lookalikes)


def _code_point(digits: str) -> int:
    return int(digits, 16)


#: For str.translate.
PROTOTYPES = dict(_read_table())


_OF_ASCII = {code: text for code, text in PROTOTYPES.items() if code < 128}


def _letters() -> Iterator[tuple[int, str]]:
    """Letters that Unicode does not count as confusable, but that many take for others.

    Nor does it count a j without its dot, though it does an i.
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


@lru_cache(maxsize=1024)
def looks(nick: str) -> frozenset[str]:
    """The looks of a nickname, in any case: two that share one of them look alike.

    A capital i looks like a small l. If that counted in every case, Neil would look like Nell; so
    it counts only where a nickname is written that way.
    """
    in_each_case = (skeleton(text) for text in (nick, nick.upper(), _without_case(nick)))
    return frozenset({fold(nick), fold(skeleton(nick)), *(f"={each}" for each in in_each_case)})


def _without_case(text: str) -> str:
    """Unicode's toNFKC_Casefold, for a text without the characters that it ignores."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def skeleton(text: str) -> str:
    """The skeleton of a text, of its own skeleton once more.

    Some prototypes are letters with accents, whose bare letter has a prototype of its own.
    """
    if text.isascii():  # as most are, and so are their prototypes
        return text.translate(_OF_ASCII).translate(_OF_ASCII)
    return unicodedata.normalize("NFC", _prototypes(_prototypes(text)))


def _prototypes(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return _DOTTED.sub(r"\1", letters.translate(PROTOTYPES).translate(_LETTERS))


def without_accents(looks: Iterable[str]) -> frozenset[str]:
    """Looks, and what is left of them without marks."""
    return frozenset(text for look in looks for text in (look, _bare(look)))


def _bare(look: str) -> str:
    if look.isascii():
        return look
    letters = unicodedata.normalize("NFD", look)
    return "".join(char for char in letters if unicodedata.category(char) != "Mn")


def all_looks(nicks: Iterable[str]) -> frozenset[str]:
    """The looks of all of these nicknames."""
    return frozenset(look for nick in nicks for look in looks(nick))
