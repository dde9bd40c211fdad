"""The headers of the PROXY protocol, whole and in pieces, and everything that is none."""

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.protocols.proxy import BadHeader, Header, read_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LONGEST = b"PROXY UNKNOWN " + b"f" * 91 + b"\r\n"


def binary(command: int, kind: int, rest: bytes) -> bytes:
    return SIGNATURE + bytes([command, kind]) + len(rest).to_bytes(2, "big") + rest


def addresses(source: str, target: str = "", *, more: bytes = b"") -> bytes:
    one, other = (ipaddress.ip_address(end).packed for end in (source, target or source))
    return one + other + b"\x12\x34\x01\xbb" + more


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "192.0.2.7"),
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
        (b"PROXY TCP6 2001:DB8::7 2001:db8::1 0 443\r\n", "2001:db8::7"),
        (b"PROXY TCP6 " + b":".join([b"ffff"] * 8) + b" ::1 65535 65535\r\n", "ffff:" * 7 + "ffff"),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7"),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY UNKNOWN whatever there is\r\n", ""),
        (LONGEST, ""),
        (binary(0x21, 0x11, addresses("192.0.2.7")), "192.0.2.7"),
        (binary(0x21, 0x21, addresses("2001:db8::7")), "2001:db8::7"),
        (binary(0x21, 0x21, addresses("::ffff:192.0.2.7", "::1")), "192.0.2.7"),
        (binary(0x21, 0x11, addresses("192.0.2.7", more=b"\x04\0\x01x")), "192.0.2.7"),
        (binary(0x21, 0x11, addresses("192.0.2.7").ljust(65_535, b"\0")), "192.0.2.7"),
        (binary(0x20, 0x00, b""), ""),
        (binary(0x20, 0x11, addresses("192.0.2.7")), ""),
        (binary(0x21, 0x00, b"anything"), ""),
        (binary(0x21, 0x31, bytes(216)), ""),
        (binary(0x21, 0x12, addresses("192.0.2.7")), ""),
    ],
)
@pytest.mark.parametrize("rest", [b"", b"NICK alice\r\n", b"\x16\x03\x01"])
def test_a_header_tells_the_source_and_what_follows_it(
    data: bytes, source: str, rest: bytes
) -> None:
    assert read_header(data + rest) == Header(source, rest)
    for size in {*range(min(len(data), 120)), len(data) - 1}:
        assert read_header(data[:size]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"NICK alice\r\n",
        b"\x16\x03\x01",
        b"PROXy",
        b"proxy TCP4 192.0.2.7 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3\r\n",
        b"PROXY  TCP4 192.0.2.7 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.07 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 nowhere 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 65536 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 -1 2\r\n",
        b"PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n",
        b"PROXY UNKNOWNS\r\n",
        LONGEST[:-2] + b"f\r\n",
        binary(0x11, 0x11, addresses("192.0.2.7")),
        binary(0x22, 0x11, addresses("192.0.2.7")),
        binary(0x21, 0x41, addresses("192.0.2.7")),
        binary(0x21, 0x13, addresses("192.0.2.7")),
        binary(0x21, 0x11, addresses("192.0.2.7")[:-1]),
        binary(0x21, 0x21, addresses("192.0.2.7")),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(BadHeader):
        read_header(data + b"NICK alice\r\n" * 10)


@given(st.ip_addresses(), st.booleans(), st.binary(max_size=40), st.data())
def test_a_header_in_pieces_is_the_same_header(
    source: ipaddress.IPv4Address | ipaddress.IPv6Address,
    in_words: bool,
    rest: bytes,
    data: st.DataObject,
) -> None:
    if in_words:
        header = f"PROXY TCP{source.version} {source} {source} 1 65535\r\n".encode()
    else:
        kind = {4: 0x11, 6: 0x21}[source.version]
        header = binary(0x21, kind, addresses(str(source), more=data.draw(st.binary())))
    mapped = getattr(source, "ipv4_mapped", None)
    size = data.draw(st.integers(0, len(header) - 1))
    assert read_header(header[:size]) is None
    assert read_header(header + rest) == Header(str(mapped or source), rest)


BEGINNINGS = [b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11"]


@given(st.sampled_from(BEGINNINGS), st.binary())
def test_junk_is_a_header_or_refused_and_never_anything_else(begin: bytes, junk: bytes) -> None:
    data, header = begin + junk, None
    with suppress(BadHeader):
        header = read_header(data)
    header = header or Header("", b"")
    assert data.endswith(header.rest)
    assert not header.source or ipaddress.ip_address(header.source)
