"""Lines out of a stream of bytes, with a maximum, in time linear in what arrives."""

from collections.abc import Sequence

# A peer that sends a mebibyte without a line ending is not chatting.
ENDLESS = 1024 * 1024  # bytes


class LineBuffer:
    """Splits at LF, and drops one CR before it.

    ``maximum`` is the longest line in bytes, without its ending. Of a longer one nothing is kept:
    None stands in its place, as soon as it is known to be too long; or, with ``beginnings``, its
    first ``maximum`` + 1 bytes. So the buffer holds no more than that between two pieces.
    """

    __slots__ = ("_beginnings", "_discarded", "_maximum", "_partial")

    def __init__(self, maximum: int, *, beginnings: bool = False) -> None:
        self._maximum, self._beginnings = maximum, beginnings
        self._partial: bytes | bytearray = b""
        self._discarded = 0  # bytes of the present line; not 0 only once it is too long

    @property
    def endless(self) -> bool:
        """Whether so much has come without an ending that it is no line at all: give up."""
        return self._discarded > ENDLESS

    def feed(self, data: bytes) -> Sequence[bytes | None]:
        """The lines that are complete with ``data``, or known to be too long (None)."""
        *ended, rest = data.split(b"\n")
        lines: list[bytes | None] = []
        for piece in ended:
            self._end(piece, lines)
        self._begin(rest, lines)
        return lines

    def take(self) -> bytes:
        """Take out the line that has begun and not ended."""
        line = bytes(self._partial)
        self._partial, self._discarded = b"", 0
        return line

    def _end(self, piece: bytes, lines: list[bytes | None]) -> None:
        told, self._discarded = self._discarded > 0, 0
        if not told:
            line = (self.take() + piece).removesuffix(b"\r")
            lines.append(line if len(line) <= self._maximum else self._in_place_of(line))

    def _begin(self, piece: bytes, lines: list[bytes | None]) -> None:
        if self._discarded:
            self._discarded += len(piece)
            return
        if piece and not self._partial:  # most lines are whole, and need no array
            self._partial = bytearray()
        self._partial += piece
        # The byte after the maximum may still be the CR of an ending.
        if len(self._partial) - self._partial.endswith(b"\r") > self._maximum:
            line = self.take()
            lines.append(self._in_place_of(line))
            self._discarded = len(line)

    def _in_place_of(self, line: bytes) -> bytes | None:
        return line[: self._maximum + 1] if self._beginnings else None
