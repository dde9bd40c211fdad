"""TLS on a link: bytes are sealed on their way out and opened on their way in.

OpenSSL works on memory alone here, so it never waits and never sees a socket. What an outbox posts
becomes records at once, and these are sent or queued as any bytes are: one system call each.
"""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from trio_chat.server.transport import LINGER, Link

#: Steps of handshakes in a pass of trio's loop: each takes it up to half a millisecond.
STEPS_AT_ONCE = 4

_RECORD = 16 * 1024  # bytes: the longest record (RFC 8446, section 5.1)

# Bytes that OpenSSL is given at a time: its buffers in memory never become smaller again.
_PIECE = 2 * 1024

# Answers to a peer's KeyUpdates go out with the next text. A peer that asks for so many of them
# before there is one wants to fill our memory.
_OWED = 4 * 1024  # bytes


class TlsLink(Link):
    """The server's end of TLS, over another link; ``first`` has been received from that already.

    Nothing else may be called before ``shake_hands`` has returned, except ``finish`` and
    ``aclose``. ``write_now`` and ``send_all`` take only what ``seal`` has returned, in its order.
    """

    __slots__ = ("_in", "_link", "_opened", "_out", "_tls")

    def __init__(self, link: Link, context: ssl.SSLContext, first: bytes) -> None:
        self._link, self.peer, self.write_now = link, link.peer, link.write_now
        self.is_direct = link.is_direct
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._in.write(first)
        self._opened: bytes | None = None

    @property
    def seal(self) -> Callable[[bytes], bytes]:
        return self._seal

    async def shake_hands(self, steps: trio.CapacityLimiter) -> None:
        """Shake hands, each step within the limiter. Raises trio.BrokenResourceError."""
        done = False
        while not done:
            async with steps:
                done = self._step()
            if self._out.pending:
                await self._link.send_all(self._out.read())
            if not done:
                data = await self._link.receive()
                if not data:
                    raise trio.BrokenResourceError("it has gone in the middle of a handshake")
                self._in.write(data)

    def _step(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise trio.BrokenResourceError(_why(error)) from error
        return True

    def _seal(self, data: bytes) -> bytes:
        if len(data) <= _PIECE:
            self._tls.write(data)
            return self._out.read()
        sealed, view = [], memoryview(data)
        for begin in range(0, len(data), _PIECE):
            self._tls.write(view[begin : begin + _PIECE])
            sealed.append(self._out.read())
        return b"".join(sealed)

    async def send_all(self, data: bytes) -> None:
        await self._link.send_all(data)

    def readable(self) -> Awaitable[None]:
        self._opened = self._open(b"")  # what came with the end of the handshake, or our peer's end
        if self._opened is None:
            return self._link.readable()
        return trio.lowlevel.checkpoint()  # noqa: ASYNC105 - who reads awaits it

    def wake(self) -> None:
        self._link.wake()

    def receive_now(self) -> bytes | None:
        if self._opened is not None:
            opened, self._opened = self._opened, None
            return opened
        sealed = self._link.receive_now()
        return self._open(sealed) if sealed else sealed  # few say farewell before they hang up

    def _open(self, sealed: bytes) -> bytes | None:
        """Open what has come; returns the text, empty at the peer's end, None if none is whole."""
        texts = []
        try:
            for begin in range(0, len(sealed) + 1, _PIECE):
                self._in.write(sealed[begin : begin + _PIECE])
                with suppress(ssl.SSLWantReadError):
                    while text := self._tls.read(_RECORD):
                        texts.append(text)
                    return b"".join(texts)
        except ssl.SSLZeroReturnError:
            return b"".join(texts)
        except ssl.SSLError as error:
            raise trio.BrokenResourceError(_why(error)) from error
        if self._out.pending > _OWED:
            raise trio.BrokenResourceError("too many new keys are asked for")
        return b"".join(texts) or None

    def has_finished(self) -> bool:
        return self._link.has_finished()

    def on_end(self, call: Callable[[], object] | None) -> None:
        self._link.on_end(call)

    async def answers(self, seconds: float) -> bool:
        return await self._link.answers(seconds)

    def unacknowledged(self) -> int:
        return self._link.unacknowledged()

    async def finish(self) -> bool:
        """Say farewell, by an alert if something was wrong, and finish the link below."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        with trio.move_on_after(LINGER), suppress(trio.BrokenResourceError):
            await self._link.send_all(self._out.read())
        return await self._link.finish()

    async def aclose(self) -> None:
        await self._link.aclose()


def _why(error: ssl.SSLError) -> str:
    return (error.reason or "no TLS").replace("_", " ").lower()
