"""The removal of what a telnet mixes into what is typed (RFC 854).

Commands begin with IAC (0xFF), which no UTF-8 text has. In encodings where it is a letter, it is
one until the peer negotiates as only a telnet does: it asks for an option by a control character.
"""

import re
from enum import Enum, auto
from functools import cache

_IAC, _SB, _SE = b"\xff", 0xFA, 0xF0
_WILL, _DONT = 0xFB, 0xFE
_FIRST_COMMAND = 0xEC  # EOF (RFC 1184); the last is IAC itself

# Options have values of a few bytes. A longer one is given up, or its peer would never be heard.
_VALUE_MAX = 1024  # bytes

# In text these letters are never followed by a control character but a line ending or a tab.
_NEGOTIATION = re.compile(rb"\xff[\xfb-\xfe][\x00-\x08\x0b\x0c\x0e-\x1f]")
_MAY_BE_ONE = re.compile(rb"\xff[\xfb-\xfe]?\Z")


class _In(Enum):
    TEXT = auto()
    COMMAND = auto()  # after IAC
    OPTION = auto()  # after WILL, WONT, DO or DONT
    VALUE = auto()  # after SB
    VALUE_COMMAND = auto()  # after IAC in a value


class Telnet:
    """Takes bytes, and gives what was typed. CR NUL, a key that ends a line, becomes CR LF."""

    __slots__ = (
        "_certain", "_ended_with_cr", "_held", "_in", "_text", "_value_left", "_verb",
    )  # fmt: skip

    def __init__(self, encoding: str) -> None:
        self._certain = not _is_letter(encoding)
        self._held = b""  # may be the beginning of the first negotiation, or letters
        self._in = _In.TEXT
        self._verb = b""  # of which the option is to come
        self._value_left = 0
        self._ended_with_cr = False

    def feed(self, data: bytes) -> bytes:
        """The typed bytes in ``data``; some may be held back until more come."""
        data, self._held = self._held + data, b""
        if self._in is _In.TEXT and _IAC not in data:
            return self._with_lines_ended(data)
        if not self._certain:
            self._certain = bool(_NEGOTIATION.search(data))
        if not self._certain:
            if begun := _MAY_BE_ONE.search(data):
                self._held = begun[0]
                data = data[: begun.start()]
            return self._with_lines_ended(data)
        first, *others = data.split(_IAC)
        self._text = bytearray()  # of this piece
        self._take(first)
        for part in others:
            self._take_iac()
            self._take(part)
        text = bytes(self._text)
        del self._text
        return self._with_lines_ended(text)

    def rest(self) -> bytes:
        """The bytes that were held back, now that no more come."""
        held, self._held = self._held, b""
        return held

    def _take_iac(self) -> None:
        match self._in:
            case _In.TEXT:
                self._in = _In.COMMAND
            case _In.COMMAND:  # twice is the letter
                self._text += _IAC
                self._in = _In.TEXT
            case _In.OPTION:
                self._in = _In.TEXT
            case _In.VALUE:
                self._in = _In.VALUE_COMMAND
            case _In.VALUE_COMMAND:
                self._in = _In.VALUE

    def _take(self, part: bytes) -> None:
        """Take the bytes after the last IAC, or before the first."""
        if part and self._in is _In.COMMAND:
            part = self._after_command(part)
        elif part and self._in is _In.VALUE_COMMAND:
            self._in = _In.TEXT if part[0] == _SE else _In.VALUE
            part = part[1:]
        if part and self._in is _In.OPTION:
            part = self._after_verb(part)
        if self._in is _In.VALUE:
            self._value_left -= len(part)
            if self._value_left < 0:
                self._in = _In.TEXT
        elif self._in is _In.TEXT:
            self._text += part

    def _after_command(self, part: bytes) -> bytes:
        command = part[0]
        self._in = _In.TEXT
        if command < _FIRST_COMMAND:  # it is none, and IAC a letter of another encoding
            self._text += _IAC
            return part
        if command == _SB:
            self._in, self._value_left = _In.VALUE, _VALUE_MAX
        elif _WILL <= command <= _DONT:
            self._in, self._verb = _In.OPTION, part[:1]
        return part[1:]

    def _after_verb(self, part: bytes) -> bytes:
        self._in = _In.TEXT
        if part[:1] in (b"\r", b"\n"):  # is no option, and these were letters
            self._text += _IAC + self._verb
            return part
        return part[1:]

    def _with_lines_ended(self, text: bytes) -> bytes:
        if self._ended_with_cr and text.startswith(b"\0"):
            text = b"\n" + text[1:]
        if text:
            self._ended_with_cr = text.endswith(b"\r")
        return text.replace(b"\r\0", b"\r\n")


@cache  # asked of each connection
def _is_letter(encoding: str) -> bool:
    try:
        return _IAC.decode(encoding) != "\ufffd"
    except UnicodeDecodeError:
        return False


def without_erased(text: str) -> str:
    """A line that was sent key by key, without what backspaces have erased."""
    if "\b" not in text and "\x7f" not in text:
        return text
    kept: list[str] = []
    for char in text:
        if char not in "\b\x7f":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)
