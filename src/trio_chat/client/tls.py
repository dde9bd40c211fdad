"""TLS at the client's end: nothing is said to a server before it is known whom we talk to.

- With a pin, its certificate is that one, whoever has signed it.
- Without, this system trusts the certificate, and it is for the server's name.
- Anything else is an error, and never a reason to go on in clear.
"""

import ssl
from functools import cache

import trio

from trio_chat.errors import CannotConnect, NotTrusted
from trio_chat.settings.pins import pin_of, shown_pin
from trio_chat.settings.places import Address

#: A connection over TLS.
TlsStream = trio.SSLStream[trio.SocketStream]

_HANDSHAKE_TIMEOUT = 10.0  # seconds


class NotVerified(Exception):
    """This system does not trust the certificate; the text says why."""


def uses_tls(wanted: str, address: Address, pin: str) -> bool:
    """Whether to speak TLS, as ``client.tls`` wants it. Raises ValueError: nobody speaks in clear
    with a server whose certificate is known.
    """
    if wanted == "off" and pin:
        raise ValueError(f"{address} has the pin {shown_pin(pin)}, so it is not spoken to in clear")
    return wanted == "on" or (wanted == "auto" and (bool(pin) or not address.is_local))


async def secure_pinned(stream: trio.SocketStream, address: Address, pin: str) -> TlsStream:
    """Shake hands with the server that has the certificate of this pin. Raises CannotConnect and
    NotTrusted; then the caller closes the ``stream``.
    """
    secured = await _shake_hands(stream, address, _any_certificate(), about="pinned")
    if (seen := pin_of(_certificate(secured))) != pin:
        raise NotTrusted(
            f"{address} shows another certificate ({shown_pin(seen)}) than the one whose pin you "
            f"have ({shown_pin(pin)}). It was renewed, or somebody in between listens in: ask its "
            "operator whether the new one is right",
            about="changed",
        )
    return secured


async def secure_verified(stream: trio.SocketStream, address: Address) -> TlsStream:
    """Shake hands with a server whose certificate this system trusts. Raises CannotConnect and
    NotVerified; then the caller closes the ``stream``.
    """
    return await _shake_hands(stream, address, _trusted_certificates())


async def read_certificate(stream: trio.SocketStream, address: Address) -> bytes:
    """Return the certificate (DER) that a server shows, whatever it is worth. Raises
    CannotConnect.
    """
    return _certificate(await _shake_hands(stream, address, _any_certificate()))


def untrusted(address: Address, certificate: bytes, why: str) -> NotTrusted:
    """Say that somebody has to decide about a certificate."""
    what = f"{address} shows a certificate that is not trusted here ({why})"
    return NotTrusted(
        f"{what}. Ask its operator whether {shown_pin(pin_of(certificate))} is right",
        about="pin",
        certificate=certificate,
        what=what,
    )


def _certificate(secured: TlsStream) -> bytes:
    certificate: bytes = secured.getpeercert(binary_form=True)
    return certificate


# Loading all that the system trusts takes a while.
@cache
def _trusted_certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _shake_hands(
    stream: trio.SocketStream, address: Address, context: ssl.SSLContext, *, about: str = "tls"
) -> TlsStream:
    """``about`` is what an error is about: the setting, or that there is a pin."""
    # ``https_compatible``: many servers hang up without the farewell of TLS.
    secured = trio.SSLStream(stream, context, server_hostname=_name(address), https_compatible=True)
    try:
        with trio.fail_after(_HANDSHAKE_TIMEOUT):
            await secured.do_handshake()
    except trio.TooSlowError:
        why = f"no answer within {_HANDSHAKE_TIMEOUT:g} seconds"
    except trio.BrokenResourceError as error:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise NotVerified(cause.verify_message) from error
        why = _why(cause)
    else:
        return secured
    if "access denied" in why:
        raise CannotConnect(f"{address} lets nobody else in from here for now")
    raise CannotConnect(f"{address} does not speak TLS ({why})", about=about)


def _name(address: Address) -> str:
    """The name that the certificate has to be for; that of an interface is no part of it."""
    return "localhost" if address.unix_path else address.host.partition("%")[0].rstrip(".")


def _why(cause: BaseException | None) -> str:
    """OpenSSL's reason, such as WRONG_VERSION_NUMBER, in words."""
    if not isinstance(cause, ssl.SSLError) or "EOF" in (cause.reason or ""):
        return "it hangs up"
    return (cause.reason or "no reason").replace("_", " ").lower()
