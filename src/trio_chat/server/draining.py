"""The quiet end of a server: nobody else is let in, those who are here are told, and the server
ends once they have left, or their time is up.
"""

import logging
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import trio

from trio_chat.core.refusals import Code
from trio_chat.core.views import Notice, Refused
from trio_chat.core.words import reason, waiting
from trio_chat.protocols.session import Dialect
from trio_chat.server.connection import Connection
from trio_chat.server.sources import Sources

logger = logging.getLogger(__name__)

_AT_ONCE = 100  # are told before others may run: a millisecond

# When those may try again who come after the time is up, and before the server has ended.
_SOON = 5  # seconds

_GOES_ON = Notice("This server will not shut down after all.")


@dataclass
class _Drain:
    """One that goes on ``until`` a moment of trio's clock, unless its scope is cancelled."""

    until: float
    why: str
    scope: trio.CancelScope


class Draining:
    """Ends a server by ``stop``. Its ``connections`` and ``sources`` tell who is here, and
    ``nursery`` outlives them.
    """

    def __init__(
        self,
        connections: Collection[Connection],
        sources: Sources,
        nursery: trio.Nursery,
        stop: Callable[[], None],
    ) -> None:
        self._connections, self._sources = connections, sources
        self._nursery, self._stop = nursery, stop
        self._drain: _Drain | None = None

    @property
    def is_on(self) -> bool:
        """Whether nobody else is let in."""
        return self._drain is not None

    @property
    def left(self) -> int:
        """The number of those who have still to leave."""
        return self._sources.total

    def begin(self, seconds: int, why: str) -> None:
        """Let nobody else in, and end the server once it is empty, or after so many seconds; also
        if it is draining already, by other terms.
        """
        self.forget()
        until = trio.current_time() + seconds
        self._drain = _Drain(until, why, trio.CancelScope(deadline=until))
        when = f"within {waiting(seconds)}" if seconds else "now"
        told = f"This server will shut down {when}{reason(why)}."
        logger.warning(
            "draining: nobody else is let in, and it ends within %d s",
            seconds,
            extra={"event": "draining", "audit": True, "seconds": seconds, "reason": why},
        )
        self._nursery.start_soon(self._run, self._drain, Notice(told))

    def end(self) -> bool:
        """Let everybody in again; False if nobody was kept out."""
        if not self.forget():
            return False
        logger.warning(
            "no longer draining: everybody is let in again",
            extra={"event": "draining-ended", "audit": True},
        )
        self._nursery.start_soon(self._tell, _GOES_ON, None)
        return True

    def refusal(self) -> Refused | None:
        """Why somebody who comes now is not let in, and when to try again; None if they are."""
        if self._drain is None:
            return None
        left = max(_SOON, self._drain.until - trio.current_time())
        why = f"This server is about to shut down{reason(self._drain.why)}"
        again = f"Try again in {waiting(left)}."
        return Refused(f"{why}. {again}", Code.SHUTTING_DOWN, (str(math.ceil(left)),))

    def forget(self) -> bool:
        """End it, and tell nobody; False if it was not on."""
        drain, self._drain = self._drain, None
        if drain is None:
            return False
        drain.scope.cancel("it is called off")
        return True

    async def _run(self, drain: _Drain, told: Notice) -> None:
        await self._tell(told, drain)  # all of them, even if there is no time left
        with drain.scope:
            await self._sources.until_empty()
        if drain is self._drain:
            logger.info(
                "drained, so it stops; connections left: %d",
                self.left,
                extra={"event": "stopping", "number": self.left},
            )
            self._stop()

    async def _tell(self, notice: Notice, drain: _Drain | None) -> None:
        """Tell everybody who is in the chat, each in their dialect, as long as it is so."""
        written: dict[Dialect, bytes] = {}
        for number, connection in enumerate([*self._connections], 1):
            if drain is not self._drain:
                return
            if connection in self._connections:  # it may have ended while others ran
                connection.tell(notice, written)
            if number % _AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
