"""The beginning of a connection: its first bytes tell which protocol its session will speak."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import trio

from trio_chat.protocols import http
from trio_chat.protocols.sniff import Opening, Spoken
from trio_chat.server.door import Entered
from trio_chat.server.transport import Link
from trio_chat.settings import Settings

# The answer to protocols that this server does not speak, in their own language. The last is a TLS
# alert: fatal, protocol_version (RFC 8446, section 6.2).
_NOT_SPOKEN = {
    Spoken.HTTP: http.refusal(HTTPStatus.BAD_REQUEST, "This is a chat server, not a web server."),
    Spoken.TLS: b"\x15\x03\x01\x00\x02\x02\x46",
}


@dataclass(frozen=True)
class Opened:
    """What a peer speaks, and the ``pieces`` to feed its session with.

    ``asked`` ends a greeting for those who take it for a line; it is empty if there was none.
    """

    spoken: Spoken
    pieces: Sequence[bytes]
    asked: bytes

    @property
    def asks_for_page(self) -> bool:
        """Whether it is a request that the page answers: no browser reads on after a greeting."""
        if self.spoken is not Spoken.HTTP or self.asked:
            return False
        return b"".join(self.pieces).lstrip(b"\r\n").startswith((b"GET ", b"HEAD "))

    @property
    def refusal(self) -> bytes:
        """The answer to a protocol that is not spoken here; empty for the others."""
        return _NOT_SPOKEN.get(self.spoken, b"")


async def open_up(entered: Entered, settings: Settings, greet: Callable[[], None]) -> Opened:
    """Wait for enough bytes to tell the protocol; ``greet`` a peer that waits for that."""
    opening, silent, asked = Opening(settings.encoding), entered.silent, b""
    if entered.first:
        opening.feed(entered.first)
    while (spoken := opening.spoken(asked=bool(asked), silent=silent)) is None:
        if silent and not (asked or opening.has_begun):
            greet()
            asked = b"\r\n"
        link, delay = entered.link, settings.server.greeting_delay
        data = await (link.receive() if silent else _receive_soon(link, delay))
        silent = data is None
        if data is not None:
            opening.feed(data)
    return Opened(spoken, opening.pieces(spoken), asked)


async def _receive_soon(link: Link, delay: float) -> bytes | None:
    """Receive within the greeting delay; None if nothing comes."""
    with trio.move_on_after(delay):
        return await link.receive()
    return link.receive_now()
