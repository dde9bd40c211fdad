"""What goes out: lines on their way to the server, no faster than it wants them; and texts, cut
such that they fit into lines.
"""

import math
from collections import deque
from collections.abc import Sequence

from trio_chat.protocols.irc.client.penalty import Penalty
from trio_chat.protocols.irc.info import LINE_MAX
from trio_chat.protocols.irc.text import FRAMES, pieces
from trio_chat.protocols.unacked import Unacked, lines_of, on_its_way, token_of

#: The client-only tag that has the token.
ID_TAG = "+trio-chat/id"

# What others see before our text: until we know our address, the longest that servers make of it.
LONGEST_ADDRESS = "x" * (10 + 1 + 63)  # user, "@" and host

# That, with the longest nickname: we may have another one by the time that a text is sent.
_LONGEST_SOURCE = f"{'x' * 64}!{LONGEST_ADDRESS}"

# Of a text that goes to a name of hundreds of bytes: the server may refuse that, not we.
_SHORTEST = 10  # bytes in a piece

# Questions of other clients whose answers wait to be sent; more are not answered, lest somebody
# who asks much makes us send too much.
_ANSWERS_MAX = 3


class Outgoing:
    """``paced`` is whether the server closes connections that write too fast, ``lines`` what we
    are to say or do, in this order.
    """

    def __init__(self) -> None:
        self.paced = True
        self.lines: deque[str] = deque()
        self._at_once: list[str] = []
        self._answers: deque[str] = deque()
        self._penalty = Penalty()
        self._uncounted = 0  # lines of which the penalty does not know yet

    @property
    def due(self) -> float:
        """When the next line may be sent, in seconds; infinity if there is none."""
        return self._penalty.over_at if self.lines or self._answers else math.inf

    def send(self, line: str, *, counts: bool = True) -> None:
        """Before everything that waits."""
        self._at_once.append(line)
        self._uncounted += counts

    def answer(self, line: str) -> None:
        """To somebody whom nothing keeps from asking much: so it has to wait, or is dropped."""
        if len(self._answers) < _ANSWERS_MAX:
            self._answers.append(line)

    def at_once(self, now: float) -> list[str]:
        """What does not wait."""
        lines, self._at_once = self._at_once, []
        for _ in range(self._uncounted):
            self._penalty.count(now)
        self._uncounted = 0
        return lines

    def next_line(self, now: float) -> str:
        """What is to be sent next; nothing if it has to wait."""
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
    """What to send so that ``text`` is said to a room or a person by who is seen as ``source``.

    With the same ``token``, the same text is cut into the same pieces with the same tokens.
    """
    most = text_bytes(target, action, source)
    said = [piece for line in lines_of(text) for piece in pieces(line, most)]
    return [
        on_its_way(token_of(token, number), target, piece, action, notice)
        for number, piece in enumerate(said, 1)
    ]


def text_bytes(target: str, action: bool, source: str = _LONGEST_SOURCE) -> int:
    """How much of a text fits into a line, as others are sent it."""
    start, end = FRAMES[action]
    empty = f":{source} PRIVMSG {target} :{start}{end}\r\n"
    return max(LINE_MAX - len(empty.encode("utf-8", "replace")), _SHORTEST)


def encoded(lines: Sequence[str]) -> bytes:
    return "".join([line + "\r\n" for line in lines]).encode("utf-8", "replace")
