"""The cleaning of text for terminals: nothing is left that steers one, hides in it or reverses
text.

Letters of every script, combining marks and emoji sequences stay as they are. The rest:

- control characters become pictures of themselves (ESC is ␛), C1 ones U+FFFD, a tab four blanks;
- bidirectional embeddings, overrides, isolates and marks, and everything invisible, are dropped;
- a joiner (ZWJ, ZWNJ) stays only where it joins two visible characters that are not ASCII: emoji
  and the scripts that need it; a tag sequence only at the end of a flag;
- of a pile of combining marks the first four stay, which is more than any language needs.
"""

import re
import unicodedata

from trio_chat.core.letters import is_between
from trio_chat.core.names import ACCENTS_MAX

_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINED = r"[^\s\x00-\x7f\u200c\u200d" + _INVISIBLE + "]"
_UNSAFE = re.compile(
    f"(?P<keep>{_FLAG}|(?<={_JOINED})[\u200c\u200d](?={_JOINED}))"
    "|(?P<control>[\x00-\x1f\x7f-\x9f])"
    f"|[\u200c\u200d{_INVISIBLE}]+"
)
_UNSEEN = re.compile(f"[\u200c\u200d{_INVISIBLE}]")

# What the keys of a terminal send that are no letters, ↑ and F1 among them: CSI and SS3 sequences
# (ECMA-48), the form of F1 on a Linux console; control characters; and what cannot be seen.
_KEYS = re.compile(
    r"(?:\x1b\[\[?[0-?]*[@-~]|\x1bO[A-Za-z]"
    f"|[\x00-\x08\x0e-\x1f\x7f-\x9f\u200c\u200d{_INVISIBLE}])+"
)


def clean(text: str) -> str:
    """The text as it may be printed, on one line, beside other people's text."""
    if text.isascii() and text.isprintable():
        return text
    return _without_piles(_UNSAFE.sub(_replacement, text))


def without_keys(line: str) -> str:
    """A line without keys that are no letters, such as ↑, and without what cannot be seen."""
    return line if line.isprintable() else _KEYS.sub("", line)


def clean_lines(text: str) -> str:
    """The same for a text that may have several lines."""
    return "\n".join(map(clean, text.split("\n"))) if "\n" in text else clean(text)


def is_seam(text: str, place: int) -> bool:
    """Whether a text can be cleaned in two parts, before and after this place.

    That is so if together they are the same as the whole, and no letter is torn.
    """
    if not 0 < place < len(text):
        return True
    apart = text[place - 1] not in "\u200c\u200d" and not _UNSEEN.match(text[place])
    return apart and is_between(text, place)


def _replacement(found: re.Match[str]) -> str:
    if found["keep"]:
        return found["keep"]
    if not (control := found["control"]):
        return ""
    if control == "\t":
        return "    "
    code = ord(control)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def _without_piles(text: str) -> str:
    """Drop the marks on a letter beyond the first few; joiners do not begin a new letter.

    Variation selectors, such as the one that makes an emoji of a letter, are marks that cannot be
    seen: one is enough.
    """
    kept: list[str] = []
    marks = 0
    for char in text:
        if "\ufe00" <= char <= "\ufe0f":
            if kept and "\ufe00" <= kept[-1] <= "\ufe0f":
                continue
        elif unicodedata.category(char) in ("Mn", "Me"):
            marks += 1
            if marks > ACCENTS_MAX:
                if kept[-1] in "\u200c\u200d":
                    kept.pop()  # it would join nothing
                continue
        elif char not in "\u200c\u200d":
            marks = 0
        kept.append(char)
    return "".join(kept)
