"""One connection, from its first byte to its last.

The connection's task is the reader. It feeds the session, and does what the session's commands ask
for, one after the other. It ends when the peer has finished, or asks to, or breaks a rule; then
what still waits for the peer is sent, and the link closed.
"""

import logging
import math
from collections.abc import Sequence

import trio

from trio_chat.core.commands import (
    Command,
    Enter,
    ListMembers,
    ListRooms,
    Quit,
    Request,
    Say,
    ShowTopic,
)
from trio_chat.core.events import Notice, Refused
from trio_chat.protocols.plain.server import PlainSession
from trio_chat.protocols.session import Session
from trio_chat.protocols.sniff import Spoken, sniff
from trio_chat.server.audience import Listener
from trio_chat.server.hub import Hub
from trio_chat.server.links import Link
from trio_chat.server.outbox import Outbox
from trio_chat.server.pace import Pace
from trio_chat.settings import Settings

logger = logging.getLogger(__name__)

# Messages submitted together at the most: others wait while so many are decided and appended.
_RUN = 128

# Time for a departure to be stored and shown while everything around it is being cancelled.
_PARTING = 5.0  # seconds

# For those who speak what this server does not, in their own language. The last is a TLS alert:
# fatal, protocol_version (RFC 8446, section 6.2).
_NOT_SPOKEN = {
    Spoken.IRC: b"ERROR :This server does not speak IRC.\r\n",
    Spoken.HTTP: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\n\r\nThis is a chat, and no web server.\r\n",
    Spoken.TLS: b"\x15\x03\x01\x00\x02\x02\x46",
}


class Connection:
    """``who`` is the id of the person on it; its outbox drains in ``drains``."""

    def __init__(
        self,
        link: Link,
        hub: Hub,
        drains: trio.Nursery,
        settings: Settings,
        *,
        who: str,
    ) -> None:
        self._link, self._hub = link, hub
        self._limits = limits = settings.limits
        self._greeting_delay = settings.server.greeting_delay
        self._pace = Pace(rate=limits.messages_per_second, burst=limits.message_burst)
        self._session: Session = PlainSession(
            encoding=settings.encoding,
            line_bytes=limits.line_bytes,
            lobby=settings.server.lobby,
        )
        self._reading = trio.CancelScope()
        self.reason = "cut off"  # why it ended
        self.refusals = 0
        self._finished = False
        self._last_words = ""
        self._lost = False
        self._slowed = False
        outbox = Outbox(link, drains, self, max_bytes=limits.outbox_bytes)
        self._listener = Listener(who, outbox, self._session.dialect)

    def finish(self, reason: str, last_words: str = "") -> None:
        """End it: stop reading, send what waits and then the last words, close."""
        if not self._finished:
            self._finished = True
            self.reason, self._last_words = reason, last_words
            self._reading.cancel(reason)

    async def serve(self) -> None:
        """Talk with the peer to the end. The link is left open; ``reason`` says why it ended."""
        try:
            with self._reading:
                self._reading.deadline = trio.current_time() + self._limits.registration
                await self._converse()
            if self._reading.cancelled_caught:
                self._on_silence()
        except trio.BrokenResourceError:
            self.on_lost()
        finally:
            with trio.move_on_after(_PARTING, shield=True):
                await self._hub.depart(self._listener)
        words = self._last_words and self._listener.dialect.render(Notice(self._last_words))
        await self._listener.outbox.finish(words or b"")
        if not self._lost:
            await self._link.finish()

    async def _converse(self) -> None:
        data = await self._first_data()
        while data:
            self._session.receive_data(data)
            self._hub.write_to(self._listener, self._session.dialect)
            await self._obey()
            data = await self._link.receive()
        self._session.receive_eof()
        await self._obey()
        self.finish("closed by the peer")

    # ── reading ────────────────────────────────────────────────────────────────────────────

    async def _first_data(self) -> bytes:
        """Wait for enough to know what is spoken; ask whoever waits for the server to speak."""
        outbox = self._listener.outbox
        data = await self._receive_soon()
        if data is None:
            outbox.post(self._session.greeting())
            data = await self._link.receive()
            stray_greeting = b"\r\n"
        else:
            stray_greeting = b""
        while data and sniff(data) is None and (more := await self._receive_soon()):
            data += more
        spoken = sniff(data, more=False)
        if spoken in _NOT_SPOKEN:
            outbox.post(stray_greeting + _NOT_SPOKEN[spoken])
            await self._end(f"speaks {spoken.name}")
        return data

    async def _receive_soon(self) -> bytes | None:
        """What comes within the greeting delay; None if nothing does."""
        with trio.move_on_after(self._greeting_delay):
            return await self._link.receive()
        return None

    # ── doing what they ask ────────────────────────────────────────────────────────────────

    async def _obey(self) -> None:
        """Do everything that has come; what is said in a row is submitted together."""
        run: list[Request] = []
        while (command := self._session.next_command()) is not None:
            wait = self._pace.take(trio.current_time())
            if run and (wait or not isinstance(command, Say) or len(run) == _RUN):
                await self._submit(run)
                run = []
            if wait or self._slowed:
                await self._slow_down(wait)
            if isinstance(command, Say):
                run.append(command)
            else:
                await self._do(command)
        if run:
            await self._submit(run)

    async def _slow_down(self, wait: float) -> None:
        """Reading stops meanwhile: a flood stays where it comes from."""
        if wait and not self._slowed:
            rate = self._limits.messages_per_second
            self._listener.show(Notice(f"That was fast: from now on {rate:g} messages a second."))
        self._slowed = wait > 0
        if wait:
            await trio.sleep(wait)

    async def _do(self, command: Command | Notice | Refused) -> None:
        match command:
            case Refused():
                self._refuse(command)
            case Notice():
                self._listener.show(command)
            case Enter():
                await self._enter(command)
            case Quit(why):
                await self._end("quit", why)
            case ListMembers() | ListRooms() | ShowTopic():
                self._listener.show(self._hub.answer(command))
            case _:
                await self._submit([command])

    async def _enter(self, enter: Enter) -> None:
        outcome = await self._hub.admit(self._listener, enter)
        if isinstance(outcome, Refused):
            self._refuse(outcome)
        else:
            logger.info("admitted as %s", outcome.nick)
            self._reading.deadline = math.inf
            self._session.done(outcome)

    async def _submit(self, requests: Sequence[Request]) -> None:
        for outcome in await self._hub.submit(self._listener, requests):
            if isinstance(outcome, Refused):
                self._refuse(outcome)
            else:
                self._session.done(outcome)

    def _refuse(self, refused: Refused) -> None:
        self.refusals += 1
        logger.debug("refused: %s", refused.why)
        self._listener.show(refused)

    # ── the end ────────────────────────────────────────────────────────────────────────────

    async def _end(self, reason: str, last_words: str = "") -> None:
        self.finish(reason, last_words)
        await trio.lowlevel.checkpoint()  # where the cancellation takes effect

    def on_lost(self) -> None:
        """The outbox says: the peer has gone."""
        self._lost = True
        self.finish("connection lost")

    def on_slow(self) -> None:
        """The outbox says: the peer reads too slowly."""
        limit = self._limits.outbox_bytes
        self.finish("reads too slowly", f"More than {limit} bytes waited for you. Goodbye!")

    def _on_silence(self) -> None:
        limit = self._limits.registration
        self.finish("no nickname", f"No nickname came within {limit:g} seconds. Goodbye!")
