"""A browser's connection, byte for byte: requests, the upgrade, frames."""

import pytest

from browsers import BINARY, TEXT, Socket, get, has_ended, runs, site, web_session
from trio_chat.protocols.session import Ask
from trio_chat.protocols.web.site import HEAD_MAX


def asked(*pieces: bytes, **names: list[str]) -> tuple[str, bytes, bool]:
    """The head and the body of the answer, and whether the connection ends."""
    session = web_session(site(**names))
    found = []
    for piece in pieces:
        session.receive_data(piece)
        found += runs(session)
    head, _, body = session.data_to_send().partition(b"\r\n\r\n")
    return head.decode(), body, has_ended(found)


def test_the_page_comes_with_its_policy() -> None:
    head, body, ended = asked(get())
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; " in head
    assert "\r\nX-Content-Type-Options: nosniff" in head
    assert body.startswith(b"<!doctype html>")
    assert f"\r\nContent-Length: {len(body)}\r\n" in head
    assert not ended


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/nothing"), 404),
        (get("/../session.py"), 404),
        (get("/%2e%2e/session.py"), 404),
        (get("//etc/passwd"), 404),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (get("/", "Host: two"), 400),
        (get("http://localhost/"), 400),
        (b"GET / HTTP/3\r\n\r\n", 400),
        (get("/", "Content-Length: 5"), 400),
        (get("/", *(f"X-{number}: y" for number in range(200))), 400),
        (b"GET / HTTP/1.1\r\nHost: " + b"x" * HEAD_MAX, 431),
    ],
)
def test_what_is_no_request_for_the_page_is_refused_and_ends(request_: bytes, status: int) -> None:
    head, body, ended = asked(request_)
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert body.endswith(b".\r\n")
    assert ended


@pytest.mark.parametrize(
    ("offered", "chosen", "first"),
    [((TEXT,), TEXT, 0x81), ((BINARY, TEXT), BINARY, 0x82), (("soap", TEXT), TEXT, 0x81)],
)
def test_irc_goes_in_messages_of_the_subprotocol(
    offered: tuple[str, ...], chosen: str, first: int
) -> None:
    socket, session = Socket(*offered), web_session()
    session.receive_data(socket.written())
    assert not has_ended(runs(session))
    assert socket.reads(session.data_to_send()) == []
    assert socket.protocol.subprotocol == chosen
    session.receive_data(socket.says("CAP LS 302", "NICK bob"))
    runs(session)
    answer = session.data_to_send()
    assert answer[0] == first
    line, *_ = socket.reads(answer)
    assert line.startswith(":chat.local CAP * LS ")


def test_a_closed_socket_is_a_goodbye_that_is_answered() -> None:
    socket, session = Socket(), web_session()
    session.receive_data(socket.written())
    runs(session)
    socket.reads(session.data_to_send())
    socket.protocol.send_close(1001)
    session.receive_data(socket.written())
    [run] = [run for run in runs(session) if isinstance(run, Ask)]
    assert has_ended([run])
    session.farewell("")
    socket.reads(session.data_to_send())
    assert socket.protocol.close_rcvd.code == 1001
