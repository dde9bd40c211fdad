"""How long a connection lasts: until it is ended, or its peer takes too long to come in."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from trio_chat.core.views import Refused


class Lifetime:
    """The time of one connection; reading ends with its ``scope``.

    ``reason`` says why it ended, for the log, ``last_words`` say it to the peer, with what they are
    ``refused``, if that is why. A peer that says goodbye itself sets ``said_goodbye``, and its
    ``parting_words`` are for the others. It was last heard at ``heard_at`` (trio's clock), or until
    then nobody listened.
    """

    __slots__ = (
        "_is_over",
        "heard_at",
        "last_words",
        "parting_words",
        "reason",
        "refused",
        "said_goodbye",
        "scope",
    )

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.reason = "cut off"
        self.last_words = self.parting_words = ""
        self.refused: Refused | None = None
        self.said_goodbye = self._is_over = False
        self.heard_at = trio.current_time()

    def finish(self, reason: str, last_words: str = "", refused: Refused | None = None) -> None:
        """End it: stop reading. Only the first call counts."""
        if not self._is_over:
            self._is_over = True
            self.reason, self.last_words, self.refused = reason, last_words, refused
            self.scope.cancel(reason)

    def allow(self, seconds: float) -> None:
        """Let the peer come in within so many seconds from now."""
        self.scope.deadline = trio.current_time() + seconds

    def let_in(self) -> None:
        """Let it last as long as nobody ends it."""
        self.scope.deadline = math.inf

    def was_busy(self) -> None:
        """Note that until now nobody listened to the peer, so it was not silent."""
        self.heard_at = trio.current_time()

    @contextmanager
    def time_out(self) -> Iterator[None]:
        """Stop the clocks of registration and silence: the peer is not to blame for this wait."""
        began, deadline = trio.current_time(), self.scope.deadline
        self.scope.deadline = math.inf
        try:
            yield
        finally:
            self.heard_at = now = trio.current_time()
            self.scope.deadline = deadline + now - began
