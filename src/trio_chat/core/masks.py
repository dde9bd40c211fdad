"""Addresses with wildcards, as on a room's list of bans.

They are compared by their folds, as all names are. A mask is kept and shown as it was set; two with
the same fold are one.
"""

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from trio_chat.core.events import Origin
from trio_chat.core.modes import MUTE
from trio_chat.core.names import fold
from trio_chat.core.views import Mask

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


def entry_mask(written: str) -> str:
    """A full mask as it stands on a list; one that only mutes keeps the prefix that says so."""
    muting = MUTE if written[: len(MUTE)].lower() == MUTE else ""
    return muting + full_mask(written[len(muting) :])


@lru_cache(maxsize=1000)  # several full lists: each change of one is compared with all of it
def fold_mask(mask: str) -> str:
    """The form in which masks are compared: ``BOB!*@*`` and ``bob!*@*`` are the same."""
    return "".join(part if part in "*?" else fold(part) for part in _WILDCARDS.split(mask))


class Pattern:
    """A mask of ``*`` (anything) and ``?`` (one character), to compare many texts with.

    To compile one of 190 bytes takes 90 µs. So it is done for the first text that has all the words
    between the wildcards: most masks never meet one.
    """

    def __init__(self, mask: str) -> None:
        self._mask = mask
        words = {fold(word) for word in {*re.split("[*?]+", mask)}}
        self._words = sorted(words, key=len, reverse=True)  # the longest is the rarest

    def fits(self, text: str) -> bool:
        """Whether a text, folded, fits the mask."""
        for word in self._words:
            if word not in text:
                return False
        return self._compiled.fullmatch(text) is not None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        """Each piece between stars matches where it first fits, and never elsewhere.

        That is what atomic groups are for: a mask with many stars cannot be made to backtrack for
        ever.
        """
        pieces = [""]
        for part in _WILDCARDS.split(self._mask):
            if part == "*":
                pieces.append("")
            else:
                pieces[-1] += "." if part == "?" else re.escape(fold(part))
        first, *others = pieces
        middle = "".join(f"(?>.*?{piece})" for piece in others[:-1])
        last = f".*{others[-1]}" if others else ""
        return re.compile(first + middle + last, re.DOTALL)


@lru_cache(maxsize=64)
def pattern(mask: str) -> Pattern:
    """The pattern of a mask."""
    return Pattern(mask)


def matches(mask: str, text: str) -> bool:
    """Whether a name or an address fits a mask of ``*`` (anything) and ``?`` (one character)."""
    return pattern(mask).fits(fold(text))


class Lists:
    """A room's lists, ready for comparing people with them.

    Patterns made ``before``, for an earlier state of the lists, are reused.
    """

    def __init__(self, masks: Sequence[tuple[str, Mask]], before: "Lists | None" = None) -> None:
        self.masks = masks
        known = before._patterns if before else {}
        self._patterns: dict[str, Pattern] = {
            entry.mask: known.get(entry.mask) or pattern(entry.mask.removeprefix(MUTE))
            for _, entry in masks
        }
        self._found: dict[tuple[str, bool, str], bool] = {}

    def fit(self, mode: str, nick: str, origin: Origin, *, mutes: bool = False) -> bool:
        """Whether an entry of one of the lists fits somebody.

        With ``mutes``, entries count too that only forbid to speak.
        """
        full = address(nick, origin)
        found = self._found.get((mode, mutes, full))
        if found is None:
            if len(self._found) >= _FOUND_MAX:
                self._found.clear()
            found = self._found[mode, mutes, full] = self._fit(mode, mutes, fold(full))
        return found

    def _fit(self, mode: str, mutes: bool, address: str) -> bool:
        return any(
            self._patterns[entry.mask].fits(address)
            for listed, entry in self.masks
            if listed == mode and (mutes or not entry.mask.startswith(MUTE))
        )


_WILDCARDS = re.compile("([*?])")
