"""Emoji, by the short names of other chats and by their Unicode names."""

import unicodedata
from collections.abc import Mapping
from functools import cache

from trio_chat.protocols.emoji import COMMON

# Unicode's blocks of emoji: symbols, faces, transport, and later additions.
_BLOCKS = ((0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FB00))


@cache
def emoji() -> Mapping[str, str]:
    """Emoji by name; those in common use first."""
    return {**COMMON, **_others(set(COMMON))}


def _others(known: set[str]) -> dict[str, str]:
    """Emoji that are not among the ``known``, without skin tones, which only modify others."""
    names = {
        unicodedata.name(chr(code), "").lower(): chr(code)
        for first, end in _BLOCKS
        for code in range(first, end)
    }
    return {
        name.replace(" ", "_"): picture
        for name, picture in names.items()
        if name and name.replace(" ", "_") not in known and "modifier" not in name
    }
