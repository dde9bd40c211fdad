"""Connects to a server: TCP or a Unix socket, and TLS on top where it is wanted."""

import socket
from dataclasses import dataclass, field

import trio

from trio_chat.client.tls import (
    NotVerified,
    TlsStream,
    read_certificate,
    secure_pinned,
    secure_verified,
    untrusted,
)
from trio_chat.errors import CannotConnect
from trio_chat.settings.places import Address

_CONNECT_TIMEOUT = 15.0  # seconds; until a server answers at all

#: A link that breaks somewhere says nothing. So after a silence we ask for a sign of life, and give
#: the answer time for the slowest of links.
QUIET = 20.0  # seconds
ANSWER = 10.0  # seconds

#: What a connection runs over.
Stream = trio.SocketStream | TlsStream


@dataclass(frozen=True)
class Remote:
    """A server to connect to. ``protocol`` is ``plain``, ``irc``, or ``auto``: found out by
    listening for a moment. ``pin`` is that of its certificate, if it is known. ``rooms_back`` says
    whether a login brings us into the rooms where we were.
    """

    host: str
    port: int
    encoding: str = "utf-8"
    protocol: str = "auto"
    tls: bool = False
    pin: str = ""
    password: str = field(default="", repr=False)
    account: str = ""
    account_password: str = field(default="", repr=False)
    rooms_back: bool = True

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what is said there."""
        return self.tls or self.address.is_local


async def dial(address: Address, *, tls: bool = False, pin: str = "") -> Stream:
    """Connect; the caller closes the stream. Raises CannotConnect and NotTrusted."""
    stream = await _connect(address)
    if not tls:
        return stream
    try:
        if pin:
            return await secure_pinned(stream, address, pin)
        return await secure_verified(stream, address)
    except NotVerified as error:
        await trio.aclose_forcefully(stream)
        why = str(error)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    # What OpenSSL does not trust it does not show either: that takes another connection.
    raise untrusted(address, await _certificate_of(address), why)


async def _certificate_of(address: Address) -> bytes:
    stream = await _connect(address)
    try:
        return await read_certificate(stream, address)
    finally:
        await trio.aclose_forcefully(stream)


def socket_of(stream: Stream) -> trio.SocketStream:
    """The connection under TLS, if there is any."""
    return stream.transport_stream if isinstance(stream, trio.SSLStream) else stream


async def _connect(address: Address) -> trio.SocketStream:
    try:
        with trio.fail_after(_CONNECT_TIMEOUT):
            if path := address.unix_path:
                return await trio.open_unix_socket(path)
            stream = await trio.open_tcp_stream(address.host, address.port)
            _let_tcp_ask(stream)
            return stream
    except trio.TooSlowError:
        why, about = f"no answer within {_CONNECT_TIMEOUT:g} seconds", ""
    except (socket.gaierror, UnicodeError):
        why, about = f"there is no host named {address.host}", "host"
    except OSError as error:
        why, about = _why(error)
    raise CannotConnect(f"cannot connect to {address}: {why}", about=about)


def _let_tcp_ask(stream: trio.SocketStream) -> None:
    """Let TCP notice a dead link just as soon, for when we have no PING, or cannot send."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": int(QUIET),
        "TCP_KEEPINTVL": int(ANSWER / 2),
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": int((QUIET + ANSWER) * 1000),  # milliseconds
    }
    for name, value in options.items():
        if hasattr(socket, name):  # each system has its own of these
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _why(error: OSError) -> tuple[str, str]:
    """Return the reason, and what is wrong. trio groups attempts; the first has the reason."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    reason = cause if isinstance(cause, OSError) else error
    if isinstance(reason, ConnectionRefusedError | FileNotFoundError):
        return "no server is running there", "server"
    return (reason.strerror or str(reason)).lower(), ""
