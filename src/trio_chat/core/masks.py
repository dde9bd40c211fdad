"""Addresses and accounts with wildcards, as on a room's list of bans.

They are compared by their folds, as all names are. A mask is kept and shown as it was set; two with
the same fold are one.
"""

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from trio_chat.core.events import Origin
from trio_chat.core.modes import ACCOUNT, MUTE
from trio_chat.core.names import fold, is_partly_invisible
from trio_chat.core.room_state import Mask

MASK_MAX = 200  # bytes

# People for whom a room's lists remember the verdict, at about 200 bytes each.
_FOUND_MAX = 1000


def address(nick: str, origin: Origin) -> str:
    """The address ``nick!user@host``."""
    return f"{nick}!{origin.user}@{origin.host}"


def full_mask(mask: str) -> str:
    """A whole mask: ``alice`` is ``alice!*@*``, ``*@host`` is ``*!*@host``."""
    nick, bang, rest = mask.partition("!")
    if not bang and "@" in mask:
        nick, rest = "*", mask
    user, _, host = rest.partition("@")
    return f"{nick or '*'}!{user or '*'}@{host or '*'}"


def mask_problem(mask: str) -> str:
    """Why this cannot be a mask, as a sentence; empty if it can."""
    if len(mask.encode()) > MASK_MAX:
        return f"A mask has at most {MASK_MAX} bytes."
    if not mask.isprintable() or is_partly_invisible(mask):
        return "A mask cannot have characters that nobody can see."
    return ""


def entry_mask(written: str) -> str:
    """An entry as it stands on a list: a full mask, or ``a:`` and an account's name.

    One that only mutes keeps the prefix that says so.
    """
    muting = _prefix(written, MUTE)
    rest = written[len(muting) :]
    if _prefix(rest, ACCOUNT):
        return f"{muting}{ACCOUNT}{rest[len(ACCOUNT) :] or '*'}"
    return muting + full_mask(rest)


def _prefix(written: str, prefix: str) -> str:
    return prefix if written[: len(prefix)].lower() == prefix else ""


def names_somebody(entry: str, nick: str, account: str) -> bool:
    """Whether an entry of a list says somebody's nickname or account without a wildcard."""
    rest = entry.removeprefix(MUTE)
    if rest.startswith(ACCOUNT):
        return fold(rest.removeprefix(ACCOUNT)) == fold(account)
    return fold(rest.partition("!")[0]) == fold(nick)


def fits_everybody(entry: str) -> bool:
    """Whether an entry of a list fits all, or all with an account, short names aside."""
    parts = _SEPARATORS.split(_bare(entry))
    return all("*" in part and not part.strip("*?") for part in parts)


@lru_cache(maxsize=1000)  # several full lists: each change of one is compared with all of it
def fold_mask(mask: str) -> str:
    """The form in which masks are compared: ``BOB!*@*`` and ``bob!*@*`` are the same."""
    return "".join(part if part in "*?" else fold(part) for part in _WILDCARDS.split(mask))


class Piece(NamedTuple):
    """A piece of a mask without stars: its words, folded, each with its place; and its length."""

    words: Sequence[tuple[int, str]]
    length: int

    @classmethod
    def read(cls, text: str) -> "Piece":
        """Read it; each ``?`` is one character."""
        words, place = [], 0
        for word in map(fold, text.split("?")):
            if word:
                words.append((place, word))
            place += len(word) + 1
        return cls(words, place - 1)

    def is_at(self, place: int, text: str) -> bool:
        """Whether the piece fits a text at this place, which leaves room for it."""
        return all(text.startswith(word, place + offset) for offset, word in self.words)

    def find(self, text: str, begin: int, end: int) -> int:
        """The first place in a part of a text that the piece fits; -1 if there is none."""
        offset, word = self.words[0] if self.words else (0, "")
        while begin + self.length <= end:
            begin = text.find(word, begin + offset) - offset
            if begin < 0 or begin + self.length > end:
                return -1
            if self.is_at(begin, text):
                return begin
            begin += 1
        return -1


class Pattern:
    """A mask of ``*`` (anything) and ``?`` (one character), to compare texts with.

    It is no regular expression: to compile one takes up to half a millisecond, and a room has 300
    masks. Each piece between stars is taken where it first fits, and never elsewhere; so a mask
    with many stars cannot be made to backtrack for ever.
    """

    def __init__(self, mask: str) -> None:
        first, *others = map(Piece.read, mask.split("*"))
        self._first, self._open = first, bool(others)
        self._last = others.pop() if others else first
        self._middle = [piece for piece in others if piece.length]
        words = [word for piece in (first, *self._middle, self._last) for _, word in piece.words]
        self._longest = max(words, key=len, default="")

    def fits(self, text: str) -> bool:
        """Whether a text, folded, fits the mask."""
        if self._longest not in text:  # most masks end here
            return False
        place, end = self._first.length, len(text) - self._last.length
        if not (place <= end if self._open else end == 0):
            return False
        if not (self._first.is_at(0, text) and self._last.is_at(end, text)):
            return False
        for piece in self._middle:
            if (place := piece.find(text, place, end)) < 0:
                return False
            place += piece.length
        return True


@lru_cache(maxsize=64)
def pattern(mask: str) -> Pattern:
    """The pattern of a mask."""
    return Pattern(mask)


def matches(mask: str, text: str) -> bool:
    """Whether a name or an address fits a mask of ``*`` (anything) and ``?`` (one character)."""
    return pattern(mask).fits(fold(text))


class Lists:
    """A room's lists, ready for comparing people with them.

    Patterns made ``before``, for an earlier state of the lists, are reused. ``end`` is the moment
    at which the time of the first entry is up; 0 if there is none.
    """

    def __init__(self, masks: Sequence[tuple[str, Mask]], before: "Lists | None" = None) -> None:
        self.masks = masks
        self.end = min((entry.until for _, entry in masks if entry.until), default=0)
        known = before._patterns if before else {}
        self._patterns: dict[str, Pattern] = {
            entry.mask: known.get(entry.mask) or pattern(_bare(entry.mask)) for _, entry in masks
        }
        self._found: dict[tuple[str, bool, str, tuple[str, ...]], Mask | None] = {}

    def fitting(
        self,
        mode: str,
        nick: str,
        origin: Origin,
        *,
        mutes: bool = False,
        past: tuple[str, ...] = (),
    ) -> Mask | None:
        """The entry of one of the lists that counts for somebody; None if no entry fits them.

        Accounts that they have left count if they are named as ``past``. With ``mutes``, entries
        count too that only forbid to speak. Of several that fit, one that does more counts, and
        then the one that lasts longest.
        """
        who = (mode, mutes, address(nick, origin), (origin.account, *past))
        try:
            return self._found[who]
        except KeyError:
            if len(self._found) >= _FOUND_MAX:
                self._found.clear()
            found = self._found[who] = max(self._all_fitting(*who), key=_rank, default=None)
            return found

    def _all_fitting(
        self, mode: str, mutes: bool, address: str, accounts: tuple[str, ...]
    ) -> Iterator[Mask]:
        shown, known = (fold(address),), tuple(map(fold, filter(None, accounts)))
        for listed, entry in self.masks:
            if listed == mode and (mutes or not entry.mask.startswith(MUTE)):
                texts = known if _is_of_accounts(entry.mask) else shown
                if any(map(self._patterns[entry.mask].fits, texts)):
                    yield entry


def _rank(entry: Mask) -> tuple[bool, float]:
    return not entry.mask.startswith(MUTE), entry.until or math.inf


def _is_of_accounts(entry: str) -> bool:
    return entry.removeprefix(MUTE).startswith(ACCOUNT)


def _bare(entry: str) -> str:
    return entry.removeprefix(MUTE).removeprefix(ACCOUNT)


_SEPARATORS = re.compile("[!@]")
_WILDCARDS = re.compile("([*?])")
