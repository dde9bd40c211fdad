"""The PROXY protocol, versions 1 and 2: the header by which a proxy says for whom it connects.

The specification is proxy-protocol.txt of HAProxy. A header is complete or wrong, and nothing is
guessed: whoever reads one knows that the peer is a proxy and has to send it.
"""

import ipaddress
import re
from typing import NamedTuple

# A line of version 1, and the longest there is with its CRLF.
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|"
    rb"(?P<family>TCP[46]) (?P<ends>[\dA-Fa-f.:]+ [\dA-Fa-f.:]+ \d{1,5} \d{1,5}))\r\n"
)
_LINE_MAX = 107  # bytes
_PORT_MAX = 65_535

# What a header of version 2 begins with; then come version and command, family and protocol, and
# the length of the rest: addresses, and after them extensions (TLVs).
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = 16  # bytes
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_FAMILIES, _TRANSPORTS = range(4), range(3)

# The two addresses and ports, and the first of the addresses.
_ADDRESSES = {_TCP4: (12, 4), _TCP6: (36, 16)}  # bytes

_IP: dict[bytes, type[ipaddress.IPv4Address | ipaddress.IPv6Address]] = {
    b"TCP4": ipaddress.IPv4Address,
    b"TCP6": ipaddress.IPv6Address,
}


class BadHeader(ValueError):
    """A proxy sends no header, or a wrong one; the text says what is wrong."""


class Header(NamedTuple):
    """The header of a proxy. ``source`` is the address that the connection comes from, empty if the
    proxy speaks for itself or does not know; ``rest`` followed the header. Of a request that the
    proxy hands on (``is_request``) it may know that it came over TLS (``is_secure``).
    """

    source: str
    rest: bytes
    is_request: bool = False
    is_secure: bool = False


def read_header(data: bytes) -> Header | None:
    """The header at the beginning of what a proxy has sent; None if it is not complete yet. Raises
    BadHeader.
    """
    if _SIGNATURE.startswith(data[: len(_SIGNATURE)]):
        return _read_binary(data)
    if b"PROXY ".startswith(data[:6]):
        return _read_line(data)
    raise BadHeader("it sends no PROXY header")


def _read_line(data: bytes) -> Header | None:
    end = data.find(b"\n", 0, _LINE_MAX) + 1
    if not end:
        if len(data) >= _LINE_MAX:
            raise BadHeader("its PROXY line is too long")
        return None
    found = _LINE.fullmatch(data[:end])
    if not found:
        raise BadHeader("its PROXY line is wrong")
    if not found["family"]:
        return Header("", data[end:])
    read, (source, target, *ports) = _IP[found["family"]], found["ends"].decode("ascii").split(" ")
    if any(int(port) > _PORT_MAX or str(int(port)) != port for port in ports):
        raise BadHeader("a port in its PROXY line is wrong")
    try:
        read(target)
        return Header(name_of(read(source)), data[end:])
    except ValueError:
        raise BadHeader("an address in its PROXY line is wrong") from None


def _read_binary(data: bytes) -> Header | None:
    if len(data) < _FIXED:
        return None
    command, kind, length = data[12], data[13], int.from_bytes(data[14:_FIXED], "big")
    if command not in (_LOCAL, _PROXY):
        raise BadHeader("its PROXY header is of an unknown version or command")
    if kind >> 4 not in _FAMILIES or kind & 15 not in _TRANSPORTS:
        raise BadHeader("its PROXY header is of an unknown family")
    needed, first = _ADDRESSES.get(kind, (0, 0)) if command == _PROXY else (0, 0)
    if length < needed:
        raise BadHeader("its PROXY header is too short")
    if len(data) < _FIXED + length:
        return None
    source = data[_FIXED : _FIXED + first]
    return Header(name_of(ipaddress.ip_address(source)) if source else "", data[_FIXED + length :])


def name_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as text; one of IPv4 as such, even if written as IPv6."""
    return str(getattr(address, "ipv4_mapped", None) or address)
