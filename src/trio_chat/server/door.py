"""The door: what happens to a connection before it has a session.

The first byte tells whether TLS is spoken. If it is, hands are shaken here, so everything behind
the door is told of a link that is ready, whether it seals what is sent or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from trio_chat.protocols.sniff import begins_tls
from trio_chat.server.certificate import Certificate
from trio_chat.server.tls import STEPS_AT_ONCE, TlsLink
from trio_chat.server.transport import Link
from trio_chat.settings import Settings


class NoEntry(Exception):
    """A connection that does not get through the door; the text says why, for the log."""


@dataclass(frozen=True)
class Entered:
    """A link that is ready for a session. ``first`` has been received from it already; ``silent``
    says that the peer waits to be greeted.
    """

    link: Link
    first: bytes = b""
    silent: bool = False

    @property
    def how(self) -> str:
        """How the peer is connected, for the log."""
        return " over TLS" if isinstance(self.link, TlsLink) else ""


class Door:
    """The door of a server that shows this certificate. Without one, it knows no TLS."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._steps = trio.CapacityLimiter(STEPS_AT_ONCE)
        self._waiting: set[trio.CancelScope] = set()
        self._is_shut = False

    def shut(self) -> None:
        """Let nobody in any more, not even those who are in the door."""
        self._is_shut = True
        for scope in list(self._waiting):
            scope.cancel("the server stops")

    async def enter(self, link: Link, settings: Settings) -> Entered:
        """Find out what is spoken over a link. Raises NoEntry, and trio.BrokenResourceError."""
        context = self._certificate.context
        if context is None:
            return Entered(link)
        with self._within(settings.server.greeting_delay) as scope:
            first = await link.receive()
        if scope.cancelled_caught:
            return Entered(link, silent=True)
        if not begins_tls(first):
            return Entered(link, first)
        secured = TlsLink(link, context, first)
        with self._within(settings.tls.handshake) as scope:
            try:
                await secured.shake_hands(self._steps)
            except trio.BrokenResourceError as error:
                await secured.finish()  # with an alert that says why
                raise NoEntry(f"no TLS: {error}") from error
        if scope.cancelled_caught:
            raise NoEntry(f"no TLS within {settings.tls.handshake:g} seconds")
        return Entered(secured)

    @contextmanager
    def _within(self, seconds: float) -> Iterator[trio.CancelScope]:
        """Wait for so long, unless the door is shut before. Raises NoEntry then."""
        with trio.move_on_after(seconds) as scope:
            self._waiting.add(scope)
            try:
                yield scope
            finally:
                self._waiting.remove(scope)
        if self._is_shut:
            raise NoEntry("the server stops")
