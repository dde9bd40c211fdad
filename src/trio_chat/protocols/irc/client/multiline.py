"""Texts of several lines at the client's end (ircv3.net, "multiline"): to a batch, and back."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from trio_chat.protocols.client import LINE_BYTES
from trio_chat.protocols.irc.client.outgoing import text_bytes
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.irc.multiline import (
    CONCAT,
    MULTILINE,
    NEEDED,
    Limits,
    Piece,
    combined,
    framed,
    parted,
    tags_of,
)
from trio_chat.protocols.irc.text import CTCP, FRAMES
from trio_chat.protocols.unacked import Unacked, on_its_way, token_of

# One name will do, as only one batch of ours is open at a time.
_NAME = "m"

# Batches of the server that may be open at a time.
_OPEN_MAX = 16

# Lines in a message, if the server does not limit them.
_LINES = 100


def limits(caps: AbstractSet[str], values: Mapping[str, str]) -> Limits | None:
    """Read the server's limits for a message; None if it takes single lines only."""
    if not caps >= NEEDED:
        return None
    pairs = (word.partition("=") for word in values.get(MULTILINE, "").split(","))
    numbers = {key: int(value[:9]) for key, _, value in pairs if value.isdecimal()}
    size = numbers.get("max-bytes", 0)
    return Limits(size, max(numbers.get("max-lines", _LINES), 1)) if size else None


def messages_of(
    target: str, text: str, action: bool, token: str, most: Limits
) -> Sequence[Unacked]:
    """Cut a text into as few messages as possible. Raises ValueError if nobody can be called
    ``target``.
    """
    lines = (line.replace(CTCP, "").removesuffix("\r") for line in text.split("\n"))
    pieces = parted("\n".join(lines), (), text_bytes(target, action))
    wholes = [whole for group in _grouped(pieces, most, action) if (whole := _stripped(group))]
    return [
        one_message(token_of(token, number), target, combined(whole)[0], action)
        for number, whole in enumerate(wholes, 1)
    ]


def one_message(token: str, target: str, text: str, action: bool) -> Unacked:
    """Write one message, as a batch if it needs several lines."""
    pieces = parted(text, (), text_bytes(target, action))
    if len(pieces) == 1:
        return on_its_way(token, target, text, action)
    lines = [
        f"BATCH +{_NAME} {MULTILINE} {target}",
        *(tags_of(_NAME, p) + body("PRIVMSG", target, p.text) for p in framed(pieces, action)),
        f"BATCH -{_NAME}",
    ]
    return Unacked(token, target, text, "\r\n".join(lines), action)


def is_batch(text: Unacked) -> bool:
    return "\n" in text.line


def _grouped(pieces: Sequence[Piece], most: Limits, action: bool) -> Sequence[Sequence[Piece]]:
    """Put as many lines into each message as the server takes."""
    before, end = FRAMES[action]
    room = most.size - len(before + end)
    groups: list[list[Piece]] = []
    size = 0
    for piece in pieces:
        length = len(piece.text.encode("utf-8", "replace"))
        if not groups or len(groups[-1]) == most.lines or size + 1 + length > room:
            groups.append([])
            size = 0
        groups[-1].append(piece)
        size += 1 + length
    return groups


def _stripped(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Drop blank lines at the beginning and the end."""
    said = [number for number, piece in enumerate(pieces) if piece.text.strip()]
    return pieces[said[0] : said[-1] + 1] if said else ()


@dataclass
class _Open:
    opening: Line
    command: str = ""
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0


class Reassembly:
    """Turns each of the server's batches into one line."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def take(self, line: Line) -> Line | None:
        """Return a line that is in no batch as it is, and a batch as one line at its end."""
        if line.command == "BATCH":
            return self._batch(line)
        batch = self._open.get(line.tags.get("batch", ""))
        if batch is None:
            return line
        text = line.param(1)
        batch.size += len(text) + 1
        if line.command in ("PRIVMSG", "NOTICE") and batch.size <= LINE_BYTES:
            batch.command = batch.command or line.command
            batch.pieces.append(Piece(text, CONCAT in line.tags))
        return None

    def _batch(self, line: Line) -> Line | None:
        sign, name = line.param(0)[:1], line.param(0)[1:]
        if sign == "+" and line.param(1) == MULTILINE and len(self._open) < _OPEN_MAX:
            self._open[name] = _Open(line)
            return None
        if sign == "+" or name not in self._open:
            return line
        batch = self._open.pop(name)
        if not batch.pieces:
            return None
        text, _ = combined(batch.pieces)
        opening = batch.opening
        return Line(batch.command, (opening.param(2), text), opening.source, opening.tags)
