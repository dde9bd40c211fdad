"""One line of IRC (modern.ircdocs.horse, "Message Format"; ircv3.net, "Message Tags")."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

# Escaping of tag values (message-tags, "Escaping values").
_ESCAPES = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
_ESCAPED = str.maketrans(_ESCAPES | {"\0": "\\s"})
_UNESCAPED = {escape[1]: char for char, escape in _ESCAPES.items()}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)

# Characters that would end a line, or be taken for its end, wherever they come from.
_FORGING = str.maketrans("\r\n\0", "   ")
_NO_WORD = re.compile(r"[\r\n\0 ]")
_NO_KEY = re.compile(r"[\r\n\0 ;=]")


@dataclass(slots=True)
class Message:
    """A line, parsed. ``command`` is in capitals, or three digits.

    ``source`` is the server's name or a person's ``nick!user@host``; clients send none. ``tags``
    without a value have an empty one.
    """

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def nick(self) -> str:
        """The nickname in the source; all of the source if it is no person."""
        return self.source.partition("!")[0].partition("@")[0]

    def param(self, index: int) -> str:
        """A parameter by its index; empty if it is missing."""
        try:
            return self.params[index]
        except IndexError:
            return ""


def parse(line: str) -> Message | None:
    """Parse a line without its ending; None if it has no command.

    There may be several blanks between parameters. Raises nothing: anything else is a parameter.
    """
    tags: dict[str, str] = {}
    source = ""
    if line.startswith("@"):
        text, _, line = line[1:].partition(" ")
        tags = parse_tags(text)
        line = line.lstrip(" ")
    if line.startswith(":"):
        source, _, line = line[1:].partition(" ")
    # "The final parameter … may be prepended by a colon": that and no other can have blanks.
    middle, colon, trailing = f" {line}".partition(" :")
    params = [word for word in middle.split(" ") if word]
    if not params:
        return None
    params += [trailing] if colon else []
    return Message(params[0].upper(), tuple(params[1:]), source, tags)


def parse_tags(text: str) -> dict[str, str]:
    """Parse the tags between ``@`` and the blank; of two with the same key the last counts."""
    pairs = (tag.partition("=") for tag in text.split(";") if tag)
    return {key: _unescape(value) for key, _, value in pairs}


def render_tags(tags: dict[str, str]) -> str:
    """Write tags as they stand in a line. Raises ValueError for a key that cannot be one."""
    for key in tags:
        if not key or _NO_KEY.search(key):
            raise ValueError(f"{key!r} cannot be the key of a tag")
    pairs = ((key, escape(value)) for key, value in tags.items())
    return ";".join([f"{key}={value}" if value else key for key, value in pairs])


def render(message: Message) -> str:
    """Write a line, without its ending.

    Raises ValueError if the source, the command, a tag's key or a parameter before the last is
    malformed.
    """
    if _NO_WORD.search(message.source) or _NO_WORD.search(message.command):
        raise ValueError(f"{message.source!r} and {message.command!r} must be words")
    tags = f"@{render_tags(message.tags)} " if message.tags else ""
    source = f":{message.source} " if message.source else ""
    return tags + source + body(message.command, *message.params)


def body(command: str, *params: str) -> str:
    """Write a command and its parameters; the last gets a colon if it needs one.

    Characters that end a line become blanks, so that nothing anybody says can begin another line.
    """
    if not params:
        return command
    return f"{_before(command, params[:-1])} {last(params[-1])}"


def trailing(command: str, *params: str) -> str:
    """Write the same as ``body``, always with a colon before the last parameter."""
    return f"{_before(command, params[:-1])} :{safe(params[-1])}"


def last(text: str) -> str:
    """A text as the last parameter of a line, with a colon if it needs one."""
    text = safe(text)
    return f":{text}" if not text or " " in text or text.startswith(":") else text


def _before(command: str, params: Sequence[str]) -> str:
    """Write a command and the parameters before the last one."""
    words = [safe(param) for param in params]
    for text in words:
        if not text or text.startswith(":") or " " in text:
            raise ValueError(f"{text!r} cannot stand before other parameters of {command}")
    return " ".join([command, *words])


def safe(text: str) -> str:
    """The text without anything that would end its line early."""
    return text if text.isprintable() else text.translate(_FORGING)


def word(text: str) -> str:
    """The text up to its first blank, so that others can follow it; never empty. A short address of
    IPv6 is written as ``0::1``, as a colon at the beginning would be lost.
    """
    if text.isprintable() and text and " " not in text and text[0] != ":":
        return text
    first = (safe(text).split(maxsplit=1) or ["*"])[0]
    return f"0{first}" if first.startswith("::") else first.lstrip(":") or "*"


def number(text: str) -> int:
    """A number of at most five digits; 0 if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def escape(value: str) -> str:
    """A tag's value as it stands in a line."""
    return value.translate(_ESCAPED)


def _unescape(value: str) -> str:
    r"""A tag's value without its escapes.

    "If a lone \ exists at the end of an escaped value …, it SHOULD be dropped"; and "if a \ exists
    with no valid escape character …, then the invalid backslash SHOULD be dropped".
    """
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: _UNESCAPED.get(found[1], found[1]), value)
