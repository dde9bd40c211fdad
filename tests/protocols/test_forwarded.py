"""What a proxy of HTTP says of those for whom it asks."""

import pytest

from trio_chat.protocols.forwarded import HEAD_MAX, may_be_request, read_forwarded
from trio_chat.protocols.proxy import BadHeader

PROXIES = {"10.0.0.1", "10.0.0.2"}


def asked(*headers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("GET / HTTP/1.1", *headers, "")).encode()


@pytest.mark.parametrize(
    ("headers", "source", "is_secure"),
    [
        (["X-Forwarded-For: 192.0.2.7"], "192.0.2.7", False),
        (["x-forwarded-for:192.0.2.7", "X-Forwarded-Proto: https"], "192.0.2.7", True),
        (["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https, http"], "192.0.2.7", False),
        # What stands before the proxies' own entries is anybody's.
        (["X-Forwarded-For: 127.0.0.1, 192.0.2.7"], "192.0.2.7", False),
        (["X-Forwarded-For: nobody", "X-Forwarded-For: 192.0.2.7"], "192.0.2.7", False),
        (["X-Forwarded-For: 192.0.2.6, 192.0.2.7, 10.0.0.2"], "192.0.2.7", False),
        (["X-Forwarded-For: 10.0.0.2"], "10.0.0.2", False),
        (["X-Forwarded-For: 192.0.2.7:4711"], "192.0.2.7", False),
        (["X-Forwarded-For: [2001:db8::7]:4711"], "2001:db8::7", False),
        (["X-Forwarded-For: 2001:db8::7"], "2001:db8::7", False),
        (["X-Forwarded-For: ::ffff:192.0.2.7"], "192.0.2.7", False),
    ],
)
def test_the_last_address_that_is_no_proxy_counts(
    headers: list[str], source: str, is_secure: bool
) -> None:
    data = asked("Host: x", *headers) + b"rest"
    header = read_forwarded(data, PROXIES.__contains__)
    assert header
    assert (header.source, header.is_secure) == (source, is_secure)
    assert header.is_request
    assert header.rest == data
    assert read_forwarded(data[:20], PROXIES.__contains__) is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (asked("Host: x"), "no X-Forwarded-For"),
        (asked("X-Forwarded-For: "), "no X-Forwarded-For"),
        (asked("X-Forwarded-For: unknown"), "names no address"),
        (asked("X-Forwarded-For: 192.0.2.7, ["), "names no address"),
        (b"GET / HTTP/1.1\r\n" + b"x" * HEAD_MAX, "too long"),
    ],
)
def test_otherwise_nobody_knows_for_whom_it_asks(data: bytes, why: str) -> None:
    with pytest.raises(BadHeader, match=why):
        read_forwarded(data, PROXIES.__contains__)


def test_only_requests_for_the_page_are_read() -> None:
    assert all(map(may_be_request, (b"G", b"GET ", b"HEAD / HTTP/1.1")))
    assert not any(map(may_be_request, (b"POST / HTTP/1.1", b"PROXY ", b"GETTING", b"nick")))
