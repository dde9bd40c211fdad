"""How long a connection lasts: until it is ended, or its peer takes too long to come in."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trio

from trio_chat.core.views import Refused
from trio_chat.server.counts import Ending
from trio_chat.server.transport import Link


class Lifetime:
    """The time of one connection, until it ``is_over``.

    All work for the peer is done in this context, and cut off when the time is over. Outside, the
    reader only waits for its ``link``, and is woken: a cancel scope takes 0.7 KiB, and most
    connections are idle.

    ``ending`` and ``reason`` say why it ended, for figures and the log; ``last_words`` say it to
    the peer, with what they are ``refused``, if that is why. A peer that says goodbye itself sets
    ``said_goodbye``, and its ``parting_words`` are for the others. It was last heard at
    ``heard_at`` (trio's clock), or until then nobody listened.
    """

    __slots__ = (
        "_link", "_scope", "ending", "heard_at", "is_let_in", "is_over", "last_words",
        "parting_words", "reason", "refused", "said_goodbye",
    )  # fmt: skip

    def __init__(self, link: Link) -> None:
        self._link = link
        self._scope: trio.CancelScope | None = None
        self.ending, self.reason = Ending.ERROR, "cut off"
        self.last_words = self.parting_words = ""
        self.refused: Refused | None = None
        self.said_goodbye = self.is_over = self.is_let_in = False
        self.heard_at = trio.current_time()

    def __enter__(self) -> None:
        self._scope = trio.CancelScope()
        self._scope.__enter__()

    def __exit__(self, *error: Any) -> bool:
        scope, self._scope = self._scope, None
        return bool(scope and scope.__exit__(*error))

    @property
    def is_entered(self) -> bool:
        """Whether somebody is in this context."""
        return self._scope is not None

    def finish(
        self, ending: Ending, reason: str, last_words: str = "", refused: Refused | None = None
    ) -> None:
        """End it: stop reading. Only the first call counts."""
        if self.is_over:
            return
        self.is_over = True
        self.ending, self.reason = ending, reason
        self.last_words, self.refused = last_words, refused
        if self._scope:
            self._scope.cancel(reason)
        self._link.wake()

    def allow(self, seconds: float) -> None:
        """Let the peer come in within so many seconds from now."""
        self._deadline = trio.current_time() + seconds

    def let_in(self) -> None:
        """Let it last as long as nobody ends it."""
        self.is_let_in, self._deadline = True, math.inf

    @property
    def _deadline(self) -> float:
        return self._scope.deadline if self._scope else math.inf

    @_deadline.setter
    def _deadline(self, at: float) -> None:
        if self._scope:
            self._scope.deadline = at

    def was_busy(self) -> None:
        """Note that until now nobody listened to the peer, so it was not silent."""
        self.heard_at = trio.current_time()

    @contextmanager
    def time_out(self) -> Iterator[None]:
        """Stop the clocks of registration and silence: the peer is not to blame for this wait."""
        began, deadline = trio.current_time(), self._deadline
        self._deadline = math.inf
        try:
            yield
        finally:
            self.heard_at = now = trio.current_time()
            self._deadline = deadline + now - began
