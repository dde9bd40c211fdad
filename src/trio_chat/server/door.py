"""The door: what happens to a connection before it has a session.

A proxy that is known says first for whom it connects, and from then on nothing else counts. Then
the first byte tells whether TLS is spoken. If it is, hands are shaken here, so everything behind
the door is told of a link that is ready, whether it seals what is sent or not. If it is not, those
who come from where ``tls.clear`` does not allow that are told so, and nobody hears of them.
"""

import math
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, NoReturn

import trio

from trio_chat.core.refusals import Code
from trio_chat.core.views import Notice, Refused
from trio_chat.protocols import http
from trio_chat.protocols.forwarded import may_be_request, read_forwarded
from trio_chat.protocols.irc.numerics import REFUSALS
from trio_chat.protocols.plain.server import plain_dialect
from trio_chat.protocols.proxy import BadHeader, Header, read_header
from trio_chat.protocols.sniff import Opening, Spoken, begins_tls, page_over_tls
from trio_chat.server.addresses import is_among, is_local, may_be_clear
from trio_chat.server.certificate import Certificate
from trio_chat.server.tls import STEPS_AT_ONCE, TlsLink
from trio_chat.server.transport import Link
from trio_chat.settings import Settings
from trio_chat.settings.places import Address

# The time for telling somebody why there is no way in.
_TURNING_AWAY = 2.0  # seconds

# The time that a proxy has for its header; it has time to send it again if that gets lost.
_INTRODUCTION = 5.0  # seconds

# So many connections of proxies may wait for that at once. A good proxy sends it at once.
_UNINTRODUCED_MAX = 1000

# What peers that speak TLS are told: an alert, fatal, access_denied (RFC 8446, section 6.2). Words
# would cost a handshake for each connection of a flood.
_DENIED = b"\x15\x03\x01\x00\x02\x02\x31"


class NoEntry(Exception):
    """A connection that does not get through the door; the text says why, for the log."""


@dataclass(frozen=True)
class Entered:
    """A link that is ready for a session. ``first`` has been received from it already; ``silent``
    says that the peer waits to be greeted. ``handed_on`` is set if its request comes by a proxy.
    """

    link: Link
    first: bytes = b""
    silent: bool = False
    handed_on: "Introduced | None" = None

    @property
    def how(self) -> str:
        """How the peer is connected, for the log."""
        return " over TLS" if isinstance(self.link, TlsLink) else ""


@dataclass(frozen=True)
class Introduced:
    """A peer that has come, perhaps by a proxy; ``first`` has been received from it already.

    A proxy that hands on requests (``is_request``) says whether they came over TLS (``is_secure``);
    ``is_private`` says that then nobody can read them on their way from the proxy, either.
    """

    first: bytes = b""
    is_request: bool = False
    is_secure: bool = False
    is_private: bool = False


class Door:
    """The door of a server that shows this certificate. Without one, it knows no TLS, and everybody
    is let in: such a server listens on this machine only. ``proxies`` are the networks of proxies.
    """

    def __init__(
        self, certificate: Certificate, port: int, *, proxies: tuple[str, ...] = ()
    ) -> None:
        self._certificate, self._port, self._proxies = certificate, port, proxies
        self._unintroduced = 0
        self._steps = trio.CapacityLimiter(STEPS_AT_ONCE)
        self.waiting: set[trio.CancelScope] = set()
        self.is_shut = False

    def shut(self) -> None:
        """Let nobody in any more, not even those who are in the door."""
        self.is_shut = True
        for scope in list(self.waiting):
            scope.cancel("the server stops")

    async def introduce(self, link: Link) -> Introduced:
        """Let a proxy say for whom it connects: that is the peer from then on. Raises NoEntry, and
        trio.BrokenResourceError.
        """
        if not is_among(link.peer, self._proxies):
            return Introduced()
        if self._unintroduced >= _UNINTRODUCED_MAX:
            raise NoEntry("too many of its connections have sent no PROXY header")
        self._unintroduced += 1
        try:
            with _Wait(self, _INTRODUCTION):
                return await self._introduced(link)
        finally:
            self._unintroduced -= 1
        raise NoEntry(f"no PROXY header within {_INTRODUCTION:g} seconds")

    async def _introduced(self, link: Link) -> Introduced:
        """Receive the header of a proxy, and what follows it. Raises as ``introduce`` does."""
        data, by = b"", link.peer
        try:
            while (header := self._header(data)) is None:
                if not (more := await link.receive()):
                    raise NoEntry("it has gone without a PROXY header")
                data += more
        except BadHeader as error:
            raise NoEntry(str(error)) from error
        link.peer, link.is_direct = header.source or link.peer, False
        is_private = header.is_secure and is_local(by)
        return Introduced(header.rest, header.is_request, header.is_secure, is_private)

    def _header(self, data: bytes) -> Header | None:
        if data and may_be_request(data):
            return read_forwarded(data, lambda address: is_among(address, self._proxies))
        return read_header(data)

    async def first(self, link: Link) -> bytes:
        """The first that an operator sends, who has all the time that there is; empty at the end.
        Raises NoEntry, and trio.BrokenResourceError.
        """
        with _Wait(self, math.inf):
            return await link.receive()
        raise NoEntry("nothing has come")

    async def enter(
        self, link: Link, settings: Settings, introduced: Introduced = Introduced()
    ) -> Entered:
        """Find out what is spoken over a link. Raises NoEntry, and trio.BrokenResourceError."""
        first = introduced.first
        if introduced.is_request:
            if not (introduced.is_secure or may_be_clear(link.peer, settings.tls.clear)):
                await self._turn_away(link, first, settings)
            return Entered(link, first, handed_on=replace(introduced, first=b""))
        context, silent = self._certificate.context, False
        if context is None:
            return Entered(link, first)
        is_clear = may_be_clear(link.peer, settings.tls.clear)
        if not first:
            patience = settings.server.greeting_delay if is_clear else settings.tls.handshake
            with _Wait(self, patience) as scope:
                first = await link.receive()
            if scope.cancelled_caught:
                late = link.receive_now()
                first, silent = late or b"", late is None
        if begins_tls(first):
            return await self._secured(TlsLink(link, context, first), settings.tls.handshake)
        if not is_clear:
            location = page_over_tls(first) if settings.web.enabled else ""
            await self._turn_away(link, first, settings, location)
        return Entered(link, first, silent=silent)

    async def _secured(self, link: TlsLink, seconds: float) -> Entered:
        with _Wait(self, seconds) as scope:
            try:
                await link.shake_hands(self._steps)
            except trio.BrokenResourceError as error:
                await link.finish()  # with an alert that says why
                raise NoEntry(f"no TLS: {error}") from error
        if scope.cancelled_caught:
            raise NoEntry(f"no TLS within {seconds:g} seconds")
        return Entered(link)

    async def refuse(
        self,
        link: Link,
        refused: Refused,
        settings: Settings,
        first: bytes = b"",
        *,
        over_tls: bool = False,
    ) -> None:
        """Tell a peer, in its own language, why it may not come in; ``over_tls`` says whether hands
        are shaken for that. Raises NoEntry, and trio.BrokenResourceError.
        """
        opening, context = Opening(settings.encoding), self._certificate.context
        if over_tls and context is not None:
            if not first:
                with _Wait(self, settings.server.greeting_delay):
                    first = await link.receive()
            if begins_tls(first):
                secured = TlsLink(link, context, first)
                link, first = (await self._secured(secured, settings.tls.handshake)).link, b""
        if first:
            opening.feed(first)
        spoken = await self._hear(link, opening, settings)
        await self._tell(link, _refusal(spoken, refused, settings))

    async def _turn_away(
        self, link: Link, first: bytes, settings: Settings, location: str = ""
    ) -> NoReturn:
        """Tell a peer that speaks in clear, in its own language, to use TLS. Raises NoEntry."""
        opening = Opening(settings.encoding)
        opening.feed(first)  # nothing, if nothing has come
        spoken = await self._hear(link, opening, settings)
        await self._tell(link, _only_tls(spoken, settings, self._port, location))
        raise NoEntry("it speaks no TLS")

    async def _hear(self, link: Link, opening: Opening, settings: Settings) -> Spoken | None:
        """The protocol that a peer speaks; None if that does not come out in time."""
        with _Wait(self, settings.server.greeting_delay):
            while (spoken := opening.spoken(asked=False, silent=False)) is None:
                opening.feed(await link.receive())
            return spoken
        return None

    async def _tell(self, link: Link, words: bytes) -> None:
        with _Wait(self, _TURNING_AWAY), suppress(trio.BrokenResourceError):
            await link.send_all(link.seal(words) if link.seal else words)
            await link.finish()


class _Wait(AbstractContextManager[trio.CancelScope]):
    """A wait of so many seconds, unless the door is shut before. Raises NoEntry then.

    A generator would do, but from Python 3.12 on it leaves the exception of a cancelled wait in a
    circle of objects.
    """

    def __init__(self, door: Door, seconds: float) -> None:
        self._door, self._scope = door, trio.move_on_after(seconds)

    def __enter__(self) -> trio.CancelScope:
        self._door.waiting.add(self._scope)
        return self._scope.__enter__()

    def __exit__(self, *error: Any) -> bool:
        self._door.waiting.remove(self._scope)
        is_over = bool(self._scope.__exit__(*error))
        if self._door.is_shut and (is_over or error[0] is None):
            raise NoEntry("the server stops")
        return is_over


def _only_tls(spoken: Spoken | None, settings: Settings, port: int, location: str) -> bytes:
    """How a peer is told, in the protocol that it speaks, to speak TLS. Browsers are sent to the
    location, if that is known.
    """
    way = _way_by_tls(spoken, settings.server.public_name, port)
    why = f"From where you are, you need encryption. Use TLS: {way}"
    if spoken is Spoken.HTTP and location:
        return _http(HTTPStatus.TEMPORARY_REDIRECT, why, {"Location": location})
    words = _refusal(spoken, Refused(why), settings)
    if spoken is Spoken.IRC and settings.tls.sts_days:
        return f":{settings.irc.server_name} CAP * LS :sts=port={port}\r\n".encode() + words
    return words


def _way_by_tls(spoken: Spoken | None, name: str, port: int) -> str:
    """How to come over TLS, in the protocol that a peer speaks; for plain, by netcat."""
    if spoken not in (Spoken.IRC, Spoken.HTTP):
        return f"ncat --ssl {f'{name} {port}' if name else f'with the same host and port {port}'}"
    scheme = "https" if spoken is Spoken.HTTP else "ircs"
    return f"{scheme}://{Address(name, port) if name else f' and the same host, port {port}'}"


def _refusal(spoken: Spoken | None, refused: Refused, settings: Settings) -> bytes:
    """Say in a protocol why somebody is not let in."""
    why = refused.why
    match spoken:
        case Spoken.TLS:
            return _DENIED
        case Spoken.HTTP:
            return _http_refusal(refused)
        case Spoken.IRC:
            numeric = REFUSALS.get(refused.code)
            told = f":{settings.irc.server_name} {numeric} * :{why}\r\n" if numeric else ""
            return f"{told}ERROR :Closing link: {why}\r\n".encode()
        case _:
            return plain_dialect(settings.encoding).render(Notice(why))


def _http_refusal(refused: Refused) -> bytes:
    match refused:
        case Refused(code=Code.BANNED_FROM_CHAT):
            return _http(HTTPStatus.FORBIDDEN, refused.why)
        case Refused(code=Code.TOO_MANY_CONNECTIONS | Code.SHUTTING_DOWN, about=(seconds,)):
            return _http(HTTPStatus.SERVICE_UNAVAILABLE, refused.why, {"Retry-After": seconds})
        case _:
            return _http(HTTPStatus.BAD_REQUEST, refused.why)


def _http(status: HTTPStatus, why: str, headers: dict[str, str] | None = None) -> bytes:
    return http.refusal(status, f"This is a chat server. {why}", headers or {})
