"""What the members of a room are shown, and whether it is what was said.

All members of a room are shown the same stream of bytes. So the stream is kept once, as far as
the first of them has read it, and is itself read line by line: each message must be there whole,
once, and in its sender's order. What any other member reads is compared with the stream, which is
one memcmp; and since all messages are equally long, a member who has read so many bytes has had so
many messages.
"""

import re
from collections.abc import Callable


class Failed(Exception):
    """The server lost, doubled, reordered or changed something, cut somebody off, or stopped."""


class Transcript:
    """``shown(sender, text)`` is what a member reads when that sender says this text.

    Message ``n`` is from sender ``n % senders``, and its text of ``text_bytes`` begins with n.
    ``aside`` fits lines that may stand between messages: the server's own, the same for all. Each
    is handed to ``on_aside`` when the first member has read it. ``foretold`` makes what could be
    known beforehand of a line that was read.
    """

    def __init__(
        self,
        shown: Callable[[int, bytes], bytes],
        *,
        senders: int,
        text_bytes: int,
        aside: re.Pattern[bytes] | None = None,
        on_aside: Callable[[bytes], None] = lambda line: None,
        foretold: Callable[[bytes], bytes] = lambda line: line,
    ) -> None:
        self._shown, self._senders, self._text_bytes = shown, senders, text_bytes
        self._aside, self._on_aside = aside, on_aside
        self._foretold = foretold
        self.length = len(self.line(0))
        self._number_at = self.line(0).index(self.text(0))
        self._next = list(range(senders))  # the number that is due from each sender
        self._read = 0  # bytes of the stream that have been understood
        self._asides: list[tuple[int, int]] = []  # where they begin, and their lengths
        self.stream = bytearray()
        self.order: list[int] = []  # the numbers of the messages as they stand in the stream
        self.highest = -1  # of these numbers

    def text(self, number: int) -> bytes:
        return (b"%09d" % number).ljust(self._text_bytes, b".")

    def line(self, number: int) -> bytes:
        """What every member must read."""
        return self._shown(number % self._senders, self.text(number))

    def count(self, offset: int) -> int:
        """How many whole messages the first ``offset`` bytes are."""
        for begin, size in reversed(self._asides):
            if offset > begin:
                offset = max(begin, offset - size)
        return offset // self.length

    def learn(self, offset: int, data: bytes) -> None:
        """A member has read ``data`` at ``offset``, which is not in the stream, or not yet."""
        known = self.stream[offset : offset + len(data)]
        if not data.startswith(known):
            raise Failed(self._difference(offset, data))
        self.stream += data[len(known) :]
        while self._understand():
            pass

    def _understand(self) -> bool:
        """Read the next line of the stream, if it is there."""
        line = bytes(self.stream[self._read : self._read + self.length])
        if (number := self._number(line)) is not None:
            self._expect(number)
            self.order.append(number)
            self.highest = max(self.highest, number)
            self._read += self.length
            return True
        if self._aside and (found := self._aside.match(self.stream, self._read)):
            self._asides.append((self._read, len(found[0])))
            self._read = found.end()
            self._on_aside(found[0])
            return True
        if len(line) == self.length:
            raise Failed(f"changed: {line!r} was never said")
        return False

    def _expect(self, number: int) -> None:
        due = self._next[number % self._senders]
        if number != due:
            raise Failed(_verdict(number, due))
        self._next[number % self._senders] = due + self._senders

    def _number(self, line: bytes) -> int | None:
        """The number of the message that this line is, if it is one."""
        digits = line[self._number_at : self._number_at + 9]
        if digits.isdigit() and self.line(int(digits)) == self._foretold(line):
            return int(digits)
        return None

    def _difference(self, offset: int, data: bytes) -> str:
        """In which way what one member has read is not what others have."""
        here = next(i for i, byte in enumerate(data) if byte != self.stream[offset + i])
        index = self.count(offset + here)
        begin = offset + here
        while begin and self.count(begin - 1) == index:
            begin -= 1
        line = (bytes(self.stream[begin:offset]) + data)[max(0, begin - offset) :][: self.length]
        if (number := self._number(line)) is None:
            return f"changed: a member read {line!r}"
        due = self.order[index]
        return _verdict(number, due, doubled=number in self.order[:index])


def _verdict(number: int, due: int, *, doubled: bool | None = None) -> str:
    if doubled if doubled is not None else number < due:
        return f"doubled: message {number} came again, where {due} was due"
    return f"lost or out of order: message {number} came where {due} was due"
