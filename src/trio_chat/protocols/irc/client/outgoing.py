"""Lines out, no faster than the server allows; and texts cut to fit into lines."""

import math
from collections import deque
from collections.abc import Sequence

from trio_chat.protocols.irc.client.penalty import Penalty
from trio_chat.protocols.irc.info import LINE_MAX
from trio_chat.protocols.irc.text import FRAMES, pieces
from trio_chat.protocols.unacked import Unacked, lines_of, on_its_way, token_of

#: The client-only tag with the token.
ID_TAG = "+trio-chat/id"

# The address that others see before our text: the longest one, until we know ours.
LONGEST_ADDRESS = "x" * (10 + 1 + 63)  # user, "@" and host

# The same with the longest nickname, as ours may change before a text is sent.
_LONGEST_SOURCE = f"{'x' * 64}!{LONGEST_ADDRESS}"

# The least that fits into a line, even to a name of hundreds of bytes: let the server refuse that.
_SHORTEST = 10  # bytes in a piece

# Answers to other clients that may be queued. More are dropped: nobody may make us send too much.
_ANSWERS_MAX = 3


class Outgoing:
    """``lines`` is the queue. It is ``paced`` if the server closes connections that write too
    fast.
    """

    def __init__(self) -> None:
        self.paced = True
        self.lines: deque[str] = deque()
        self._at_once: list[str] = []
        self._answers: deque[str] = deque()
        self._penalty = Penalty()
        self._uncounted = 0  # lines not yet counted by the penalty

    @property
    def due(self) -> float:
        """The time from which the next line may be sent; infinity if there is none."""
        return self._penalty.over_at if self.lines or self._answers else math.inf

    def send(self, line: str, *, counts: bool = True) -> None:
        """Send a line ahead of the queue."""
        self._at_once.append(line)
        self._uncounted += counts

    def answer(self, line: str) -> None:
        """Queue an answer to another client, or drop it if there are too many."""
        if len(self._answers) < _ANSWERS_MAX:
            self._answers.append(line)

    def at_once(self, now: float) -> list[str]:
        """Take the lines that do not wait."""
        lines, self._at_once = self._at_once, []
        for _ in range(self._uncounted):
            self._penalty.count(now)
        self._uncounted = 0
        return lines

    def next_line(self, now: float) -> str:
        """Take the next line of the queue; empty if it has to wait."""
        line = next(iter(self.lines or self._answers), "")
        if not line or (self.paced and now < self._penalty.over_at):
            return ""
        (self.lines or self._answers).popleft()
        for _ in line.split("\n"):  # of a batch
            self._penalty.count(now)
        return line


def texts_of(
    target: str,
    text: str,
    action: bool,
    token: str = "",
    source: str = _LONGEST_SOURCE,
    *,
    notice: bool = False,
) -> Sequence[Unacked]:
    """Cut a text into pieces that fit into lines from ``source``. The same text with the same
    ``token`` gives the same pieces with the same tokens.
    """
    most = text_bytes(target, action, source)
    said = [piece for line in lines_of(text) for piece in pieces(line, most)]
    return [
        on_its_way(token_of(token, number), target, piece, action, notice)
        for number, piece in enumerate(said, 1)
    ]


def text_bytes(target: str, action: bool, source: str = _LONGEST_SOURCE) -> int:
    """Return how many bytes of text fit into a line as others get it."""
    start, end = FRAMES[action]
    empty = f":{source} PRIVMSG {target} :{start}{end}\r\n"
    return max(LINE_MAX - len(empty.encode("utf-8", "replace")), _SHORTEST)


def encoded(lines: Sequence[str]) -> bytes:
    return "".join([line + "\r\n" for line in lines]).encode("utf-8", "replace")
