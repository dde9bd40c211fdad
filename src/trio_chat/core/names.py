"""Nicknames and rooms: which names are valid, which are the same, and what to offer instead.

Two names are the same if a person could take one for the other: letter case, compatibility forms
and the Cyrillic and Greek letters that look like Latin ones make no difference. That is what
``fold`` computes, and everything that looks up a name looks up its fold.

A name never holds anything invisible, a space, or a character by which the protocols tell a name
from the text around it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

from trio_chat.core.letters import cut

# Accents on one letter: more than any language needs, and still no higher than a line.
ACCENTS_MAX = 4

NICK_MAX = 20  # characters; ssh-chat allows 16, most IRC networks 30
NAME_MAX = 150  # characters of a "real name"
ROOM_MAX = 50  # characters with the '#', as the oldest IRC servers have it
LABEL_MAX = 40  # characters of what a key to an account is called

# Besides letters and digits, what IRC allows in a nickname (RFC 2812, 2.3.1: "special" and "-").
_NICK_EXTRA = "-_[]\\`^{|}"
_ROOM_EXTRA = "-_.+"

# Characters that Unicode counts as letters or marks and nobody can see: the grapheme joiner,
# Hangul and Khmer fillers, Mongolian and other variation selectors.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# Cyrillic and Greek letters that look like Latin ones in one of their cases, casefolded:
# Unicode's confusables (UTS #39), cut down to the alphabets that share most shapes with ours.
_LOOKALIKES = str.maketrans(
    "авсԁенһіјӏкморԛѕтѵԝхуαβεζηικμνορτυχϲϳ",
    "abcdehhijlkmopqstvwxyabezhikmnoptyxcj",
)


def fold(name: str) -> str:
    """The form under which a name is looked up: equal folds are the same name."""
    if name.isascii():
        folded = name.lower()
        return name if name == folded else folded  # most are equal: keep one text instead of two
    # Decompose first, then drop case, so that look-alikes are found which appear only when letters
    # have been taken apart; and so that a fold is its own fold.
    letters = unicodedata.normalize("NFKD", name.translate(_LOOKALIKES)).casefold()
    alike = unicodedata.normalize("NFKD", letters).translate(_LOOKALIKES)
    return unicodedata.normalize("NFKC", alike)


def composed(name: str) -> str:
    """A name as it is kept and shown: in NFC, however a keyboard writes its accents."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def distinct(names: Iterable[str]) -> list[str]:
    """The names without repetitions: of several that are the same only the first."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(fold(name), name)
    return list(first.values())


def nick_problem(nick: str) -> str:
    """Why this cannot be a nickname, as a sentence; empty if it can."""
    problem = _problem(composed(nick), _NICK_EXTRA, NICK_MAX)
    return problem and f"{_cut(nick)} cannot be a nickname: {problem}."


def room_problem(room: str) -> str:
    """Why this cannot be a room's name, as a sentence; empty if it can."""
    room = composed(room)
    name = room.lstrip("#")  # ##python is another room than #python
    problem = _problem(name, _ROOM_EXTRA, ROOM_MAX - (len(room) - len(name)))
    if not room.startswith("#"):
        problem = "it does not begin with #"
    return problem and f"{_cut(room)} cannot be a room: {problem}."


def alternate_nick(wanted: str, taken: Callable[[str], bool]) -> str:
    """A valid and free nickname that resembles the wanted one as much as possible.

    ``taken(nick)`` says whether somebody has it. One is always found: a number at its end counts
    up.
    """
    kept = "".join(c for c in composed(wanted) if _allowed(c, _NICK_EXTRA))
    kept = _INVISIBLE.sub("", kept)
    parts = (cut(kept[i : i + NICK_MAX + 1], NICK_MAX) for i in range(len(kept)))
    base = next((part for part in parts if not nick_problem(part)), "guest")
    nick, count = base, 1
    while taken(nick):
        count += 1
        nick = f"{cut(base, NICK_MAX - len(str(count)) - 1)}_{count}"
    return nick


def private_room(one: str, other: str) -> str:
    """The log of a conversation between two identities; no other name contains a comma."""
    return ",".join(sorted((one, other)))


def accents_pile_up(name: str) -> bool:
    """Whether more than ACCENTS_MAX marks stand on one letter."""
    run = 0
    for char in name:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if run > ACCENTS_MAX:
            return True
    return False


def is_partly_invisible(text: str) -> bool:
    """Whether a text has letters or marks that nobody can see."""
    return bool(_INVISIBLE.search(text) or _INVISIBLE.search(unicodedata.normalize("NFKC", text)))


def is_private(room: str) -> bool:
    """Whether this is the log of a conversation between two."""
    return "," in room


def _cut(name: str) -> str:
    return repr(name) if len(name) <= ROOM_MAX else repr(cut(name, ROOM_MAX)) + "…"


def _problem(name: str, extra: str, longest: int) -> str:
    if not name:
        return "it is empty"
    if len(name) > longest:
        return f"it is longer than {longest} characters"
    if unicodedata.category(name[0])[0] == "M":
        return "it begins with an accent that stands on nothing"
    if accents_pile_up(name):
        return f"it has more than {ACCENTS_MAX} accents on a letter"
    if is_partly_invisible(name):
        return "it has a character that nobody can see"
    if bad := next((c for c in name if not _allowed(c, extra)), None):
        what = "a space" if bad.isspace() else repr(bad)
        return f"it has {what}; letters, digits and {extra} are fine"
    return ""


def _allowed(char: str, extra: str) -> bool:
    """Whether a character is a letter, a digit, an accent, or one of ``extra``."""
    return char in extra or unicodedata.category(char) in _CATEGORIES


_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"})
