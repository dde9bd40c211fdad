"""What one peer is told: in order, and no faster than it reads.

Several of its messages may be under way while the next are read; but what the session has to say
first waits until they have been shown (``catch_up``), and goes out before the run that follows
(``_flush``).
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import trio

from trio_chat.core.commands import Say
from trio_chat.core.views import (
    AllMetadata,
    Answer,
    Bans,
    Connections,
    Members,
    Notice,
    People,
    Refused,
    Rooms,
)
from trio_chat.core.words import parting
from trio_chat.protocols.session import Ask, Session
from trio_chat.server.audience import Subscriber
from trio_chat.server.counts import Ending
from trio_chat.server.lifetime import Lifetime
from trio_chat.server.shared import Shared
from trio_chat.server.transport import Link
from trio_chat.storage.base import START

logger = logging.getLogger(__name__)

# The piece of an answer that is posted at a time: a quarter of the smallest outbox.
_PIECE = 64 * 1024  # bytes

# Answers that may come in parts.
_IN_PARTS = Members | People | Rooms | AllMetadata | Bans | Connections

_CHECKING = Notice("Many are logging in just now: your password is checked in its turn.")


class Responder:
    """Tells the peer of a ``subscriber`` what its ``session`` has to say, which may be set to
    another until it asks for something. It may end the ``lifetime``.
    """

    __slots__ = (
        "_ahead", "_hub", "_last_said", "_lifetime", "_link", "_shared", "_subscriber", "session",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        subscriber: Subscriber,
        link: Link,
        lifetime: Lifetime,
        shared: Shared,
    ) -> None:
        self.session = session
        self._subscriber, self._link, self._lifetime = subscriber, link, lifetime
        self._shared, self._hub = shared, shared.hub
        self._ahead, self._last_said = 0, START  # messages under way, and the id of the last one

    def ping(self) -> bool:
        """Send a PING; returns whether the peer's protocol has one."""
        self.session.ping()
        data = self.session.data_to_send()
        self._subscriber.outbox.answer(data)
        return bool(data)

    async def end(self, ending: Ending, reason: str, last_words: str = "") -> None:
        """Send what the session has to say, and end the connection, as ``Lifetime.finish`` does."""
        await self._flush()
        self._lifetime.finish(ending, reason, last_words)
        await trio.lowlevel.checkpoint()  # the cancellation takes effect here

    async def catch_up(self) -> None:
        """Wait until everything that was said has been shown."""
        if self._ahead:
            await self._hub.progress.until_shown(self._last_said)
            self._ahead = 0

    async def _flush(self) -> None:
        """Send what the session has to say, after everything said before it has been shown.

        From then on the peer is written to in the session's dialect.
        """
        session, subscriber = self.session, self._subscriber
        data = session.data_to_send()
        # What was said before is still written in the old dialect, and comes before this.
        if data or session.dialect is not subscriber.dialect:
            await self.catch_up()
        self._hub.write_to(subscriber, session.dialect, session.own)
        while len(data) > _PIECE:
            end = session.cut(data, _PIECE)
            subscriber.outbox.answer(data[:end])
            data = data[end:]
            await self._until_sent()
        if data:
            subscriber.outbox.answer(data)

    async def _until_sent(self) -> None:
        await self._subscriber.outbox.until_sent()
        self._lifetime.was_busy()

    def _refuse(self, refused: Refused) -> None:
        self._hub.counts.refused[refused.code] += 1
        self.session.reply(refused)

    async def _turn_away(self, refused: Refused, reason: str) -> None:
        """Refuse to let the peer in, and end the connection for this ``reason``."""
        self._refuse(refused)
        await self.end(Ending.REFUSED, reason, parting(refused.why))

    def _reply(self, answer: Answer, ask: Ask | None = None) -> None:
        tell = ask.on_answer if ask else None
        if isinstance(answer, Refused):
            # Not in words: they may repeat a password that was typed in the wrong place.
            what = (type(ask.command) if ask else Say).__name__
            code = answer.code.name.lower()
            logger.debug(
                "refused: %s, %s",
                what,
                code,
                extra={"event": "refused", "action": what, "code": code},
            )
            self._hub.counts.refused[answer.code] += 1
            tell = ask.on_refused if ask else None
        (tell or self.session.reply)(answer)

    async def _answer_in_parts(self, parts: Iterable[Answer], ask: Ask) -> None:
        """Tell an answer part by part if it is long: others have their turns in between."""
        for part in parts:
            self._reply(part, ask)
            if isinstance(part, _IN_PARTS) and part.more:
                await self._flush()
                await self._until_sent()
                async with self._shared.turns:  # handed on once in each pass of the loop
                    pass

    # ── is it still there? ─────────────────────────────────────────────────────────────────

    def _ask_if_hung_up(self) -> None:
        """Send something to a peer that has ended its side, to learn whether it is still there.

        It may still listen, as a pipe does; or it may have gone, and its flood would be worked off
        for a long time. If it has gone, sending fails.
        """
        if self._link.has_finished():
            self.ping()

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """Wait for a password to be checked, unless the peer goes meanwhile: those who are gone
        keep nobody waiting.
        """
        with self._lifetime.time_out():
            self._link.on_end(self._ask_in_line)
            if self._link.has_finished():
                self._ask_in_line()
            try:
                yield
            finally:
                self._link.on_end(None)

    def _ask_in_line(self) -> None:
        """Send something to a peer that has ended its side, if others wait, as above."""
        if self._shared.is_hashing and not self.ping():
            self.session.reply(_CHECKING)
            self._subscriber.outbox.answer(self.session.data_to_send())
