"""Requests about the server itself, byte for byte."""

import pytest

from trio_chat.protocols.web.health import HealthSite

GET = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def site(state: str = "ok") -> HealthSite:
    return HealthSite(lambda: state, lambda: b"people 3\n")


def response(data: bytes, state: str = "ok") -> bytes:
    """The response to a request that comes whole, and no other if it comes byte by byte."""
    whole = site(state).answer(data)
    assert whole is not None
    pieces = [site(state).answer(data[:end]) for end in range(1, len(data) + 1)]
    assert next(filter(None, pieces)) == whole
    return whole


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/readyz?verbose"])
def test_all_is_well(path: str) -> None:
    head, _, body = response(GET.replace(b"/readyz", path.encode())).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"Connection: close",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: 3",
        b"X-Content-Type-Options: nosniff",
        b"Cache-Control: no-store",
    ]
    assert body == b"ok\n"


def test_it_is_not_ready_but_lives() -> None:
    told = response(GET, "starting")
    assert told.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert told.endswith(b"\r\n\r\nstarting\n")
    assert response(GET.replace(b"/readyz", b"/healthz"), "starting").endswith(b"\r\n\r\nok\n")


def test_figures_are_told_in_the_type_of_prometheus() -> None:
    told = response(GET.replace(b"/readyz", b"/metrics"))
    assert b"\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n" in told
    assert b"\r\nContent-Length: 9\r\n" in told
    assert told.endswith(b"\r\n\r\npeople 3\n")


def test_head_is_the_same_without_a_body() -> None:
    assert response(GET) == response(GET.replace(b"GET", b"HEAD")) + b"ok\n"


def test_what_follows_a_request_is_not_looked_at() -> None:
    assert site().answer(GET + b"anything") == response(GET)


@pytest.mark.parametrize(
    ("request_", "status", "why"),
    [
        (
            b"GET / HTTP/1.1\r\n\r\n",
            404,
            "no such page here, but /healthz, /readyz and /metrics.",
        ),
        (b"GET /readyz/ HTTP/1.1\r\n\r\n", 404, "There is no such page"),
        (b"POST /readyz HTTP/1.1\r\n\r\n", 405, "Only GET and HEAD are answered here."),
        (b"get /readyz HTTP/1.1\r\n\r\n", 405, "Only GET and HEAD"),
        (b"\x16\x03\x01\x02\x00\x01\x00", 405, "Only GET and HEAD"),
        (b"NICK bob\r\n", 405, "Only GET and HEAD"),
        (b"GET readyz HTTP/1.1\r\n\r\n", 400, "Only GET and HEAD of a path"),
        (b"GET /readyz\r\n\r\n", 400, "Only GET and HEAD of a path"),
        (b"GET /readyz HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 400, "without a body"),
        (b"GET /readyz HTTP/1.1\r\n" + b"x" * 4096, 431, "longer than 4096 bytes"),
    ],
)
def test_anything_else_is_refused_in_words(request_: bytes, status: int, why: str) -> None:
    told = response(request_)
    assert told.startswith(b"HTTP/1.1 %d " % status)
    assert why.encode() in told
    assert told.count(b"\r\n") < 10
    assert (b"Allow: GET, HEAD\r\n" in told) is (status == 405)


def test_a_request_may_have_4096_bytes() -> None:
    head, end = b"GET /readyz HTTP/1.1\r\nX: ", b"\r\n\r\n"
    longest = head + b"x" * (4096 - len(head + end)) + end
    assert response(longest) == response(GET)
    assert response(longest.replace(b"X: ", b"XX: ")).startswith(b"HTTP/1.1 431 ")
