"""A text of several lines as one message (ircv3.net, "multiline"): into lines of IRC, and back."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from trio_chat.protocols.irc.text import FRAMES, pieces

#: The capability, and the type of the batch.
MULTILINE = "draft/multiline"

#: The tag of a line that continues the one before.
CONCAT = "draft/multiline-concat"

#: The capabilities without which a client is sent no such batch: the first depends on the others.
NEEDED = frozenset({MULTILINE, "batch", "message-tags"})

# What one message may hold. As many bytes as the longest plain line has by default, so no dialect
# can say more at once than another; and lines that fill a terminal and no more, for each is sent
# to everybody with an address of its own: some 20 KB, of an outbox of at least 256.
MAX_BYTES = 4096
MAX_LINES = 32


class Limits(NamedTuple):
    """The size that a server accepts of one message."""

    size: int  # bytes
    lines: int


class Piece(NamedTuple):
    """A line of a batch; ``joined`` if no line feed stands between it and the one before."""

    text: str
    joined: bool = False


def framed(parts: Sequence[Piece], action: bool) -> Sequence[Piece]:
    """The lines with the frame of an action (CTCP ACTION) around all of them."""
    before, end = FRAMES[action]
    first, *others = parts
    *most, last = [first._replace(text=before + first.text), *others]
    return [*most, last._replace(text=last.text + end)]


def tags_of(batch: str, piece: Piece) -> str:
    """The tags before a line of the batch with this name."""
    return f"@batch={batch}{f';{CONCAT}' if piece.joined else ''} "


def combined(parts: Iterable[Piece]) -> tuple[str, tuple[int, ...]]:
    """Join a batch's lines into a text; also returns the places in it (in characters) where two
    lines were joined without a line feed.
    """
    text = ""
    concat_at: list[int] = []
    for number, (part, joined) in enumerate(parts):
        if number and joined:
            concat_at.append(len(text))
        text += part if joined or not number else f"\n{part}"
    return text, tuple(concat_at)


def parted(text: str, concat_at: Sequence[int], most: int) -> Sequence[Piece]:
    """Cut a text into lines of at most ``most`` bytes, first at the places in ``concat_at``."""
    found: list[Piece] = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        cuts = [start, *sorted({place for place in concat_at if start < place < end}), end]
        parts = [text[a:b] for a, b in pairwise(cuts)]
        some = [piece for part in parts for piece in pieces(part, most)]
        found += [Piece(piece, joined=number > 0) for number, piece in enumerate(some)]
        start = end + 1
    return found
