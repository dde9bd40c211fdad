"""What may reach a terminal: text without anything that steers it, hides in it or turns it round.

Letters of every script, combining marks and emoji sequences stay as they are. The rest:

- control characters become pictures of themselves (ESC is ␛), C1 ones U+FFFD, a tab four blanks;
- bidirectional embeddings, overrides, isolates and marks, and what nobody can see, are dropped;
- a joiner (ZWJ, ZWNJ) stays only where it joins two visible characters that are not ASCII: emoji
  and the scripts that need it; a tag sequence only as the end of a flag;
- of a pile of combining marks the first four stay, which is more than any language needs.
"""

import re

_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff"
)
_JOINED = r"[^\s\x00-\x7f\u200c\u200d" + _INVISIBLE + "]"
_MARK = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e47-\u0e4e"
    "\u0f71-\u0f84\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)

_UNSAFE = re.compile(
    f"(?P<keep>{_FLAG}|(?<={_JOINED})[\u200c\u200d](?={_JOINED}))"
    f"|(?P<pile>(?<=[{_MARK}]{{4}})[{_MARK}]+)"
    "|(?P<control>[\x00-\x1f\x7f-\x9f])"
    f"|[\u200c\u200d{_INVISIBLE}]+"
)


def clean(text: str) -> str:
    """``text`` as it may be printed, on one line, beside other people's text."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    if found["keep"]:
        return found["keep"]
    if not (control := found["control"]):
        return ""
    if control == "\t":
        return "    "
    code = ord(control)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
