"""Addresses with wildcards, as on a room's list of bans."""

import re
from functools import lru_cache

from trio_chat.core.events import Origin

MASK_MAX = 200  # bytes


def address(nick: str, origin: Origin) -> str:
    """``nick!user@host``."""
    return f"{nick}!{origin.user}@{origin.host}"


def full_mask(mask: str) -> str:
    """What is left out matches anything: ``alice`` is ``alice!*@*``, ``*@host`` is ``*!*@host``."""
    nick, bang, rest = mask.partition("!")
    if not bang and "@" in mask:
        nick, rest = "*", mask
    user, _, host = rest.partition("@")
    return f"{nick or '*'}!{user or '*'}@{host or '*'}"


def matches(mask: str, text: str) -> bool:
    """Whether ``*`` (anything) and ``?`` (one character) can stand for the rest; in any case."""
    return _pattern(mask).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _pattern(mask: str) -> re.Pattern[str]:
    """Each piece between stars is taken where it first fits, and that is never taken back (atomic
    groups): so a mask with many stars cannot be made to take for ever to fail.
    """
    first, *others = [re.escape(piece).replace(r"\?", ".") for piece in mask.split("*")]
    middle = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    last = f".*{others[-1]}" if others else ""
    return re.compile(first + middle + last, re.IGNORECASE | re.ASCII | re.DOTALL)
