"""A browser's connection, byte for byte: requests, the upgrade, frames."""

import gzip
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode

from browsers import BINARY, TEXT, Socket, frame, get, has_ended, opened, runs, site, web_session
from trio_chat.protocols.forwarded import HEAD_MAX
from trio_chat.protocols.session import HANDLED, Ask, Run
from trio_chat.protocols.web.files import load_files
from trio_chat.protocols.web.frames import MESSAGE_MAX, frame_end, framed


def asked(*pieces: bytes, secure: bool = False, **names: list[str]) -> tuple[str, bytes, bool]:
    """The head and the body of the answer, and whether the connection ends."""
    session = web_session(site(**names), secure=secure)
    found = []
    for piece in pieces:
        session.receive_data(piece)
        found += runs(session)
    head, _, body = session.data_to_send().partition(b"\r\n\r\n")
    return head.decode(), body, has_ended(found)


# ── requests ───────────────────────────────────────────────────────────────────────────────────


def test_the_page_comes_with_its_policy() -> None:
    head, body, ended = asked(get())
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; " in head
    assert "\r\nX-Content-Type-Options: nosniff" in head
    assert body.startswith(b"<!doctype html>")
    assert f"\r\nContent-Length: {len(body)}\r\n" in head
    assert not ended


def test_it_comes_compressed_and_only_if_it_has_changed() -> None:
    plain, page, _ = asked(get())
    head, body, _ = asked(get("/?from=a-link", "Accept-Encoding: br, gzip;q=0.5"))
    assert "\r\nContent-Encoding: gzip\r\n" in head
    assert gzip.decompress(body) == page
    for none in ("gzip;q=0", "identity", "gzipped"):
        assert "Content-Encoding" not in asked(get("/", f"Accept-Encoding: {none}"))[0]
    [tag] = re.findall("\r\nETag: (.*)\r\n", plain)
    head, body, ended = asked(get("/", f'If-None-Match: "other", {tag}'))
    assert head.startswith("HTTP/1.1 304 Not Modified\r\n")
    assert (body, ended) == (b"", False)
    head, body, _ = asked(get(method="HEAD"))
    assert (head, body) == (plain, b"")


def test_another_protocol_is_not_upgraded_to() -> None:
    head, _, _ = asked(get("/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"))
    assert head.startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize("last", ["Connection: close", "Connection: Keep-Alive, Close"])
def test_it_ends_when_the_browser_wants(last: str) -> None:
    head, _, ended = asked(get("/", last))
    assert head.startswith("HTTP/1.1 200 ")
    assert ended


def test_all_that_the_page_needs_is_there_and_has_its_type() -> None:
    files = load_files("Tea & <cake>").by_path
    page = files["/"].data.decode()
    assert "<title>Tea &amp; &lt;cake&gt;</title>" in page
    assert "<h1>Tea &amp; &lt;cake&gt;</h1>" in page
    named = re.findall(r'(?:src|href)="([^":]+)"', page)
    assert all(f"/{name}" in files for name in named), named
    types = {path.rpartition(".")[2]: file.type.partition(";")[0] for path, file in files.items()}
    assert types == {
        "/": "text/html",
        "css": "text/css",
        "js": "text/javascript",
        "svg": "image/svg+xml",
    }


def test_the_page_stays_light() -> None:
    """Whoever lets it grow beyond this has a reason, and says so here."""
    files = load_files().by_path.values()
    assert sum(len(file.data) for file in files) <= 235_000
    assert sum(len(file.compressed) for file in files) <= 75_000


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
        (get("/", method="POST"), 400),
    ],
)
def test_what_is_no_request_for_the_page_is_refused_and_ends(request_: bytes, status: int) -> None:
    head, body, ended = asked(request_)
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert body.endswith(b".\r\n")
    assert ended


def test_after_a_request_nothing_is_irc_but_in_frames() -> None:
    session = web_session()
    session.receive_data(get() + b"NICK bob\r\nUSER b 0 * :B\r\n")
    assert has_ended(runs(session))
    assert session.data_to_send().startswith(b"HTTP/1.1 200 ")


HERE, ELSEWHERE = "https://chat.example", "https://evil.example"


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("chat.example", HERE, 101),
        ("Chat.Example", HERE, 101),
        ("chat.example", "", 101),  # no browser
        ("chat.example", "https://other.example", 101),
        ("chat.example", ELSEWHERE, 403),
        ("chat.example", "http://chat.example", 403),
        ("chat.example", f"{HERE}:8443", 403),
        ("chat.example", "null", 403),
        ("chat.example", f"{HERE}.evil.example", 403),
        ("chat.example:55555", f"{HERE}:55555", 101),
        ("evil.example", ELSEWHERE, 421),
        ("[::1]:55555", "https://[::1]:55555", 101),
        ("127.0.0.2", "https://127.0.0.2", 101),
        ("127.0.0.2.evil.example", "https://127.0.0.2.evil.example", 421),
    ],
)
def test_only_pages_of_our_own_open_a_socket(host: str, origin: str, status: int) -> None:
    names = {"hosts": ["chat.example"], "origins": ["https://other.example"]}
    request = Socket(host=host, origin=origin).written()
    head, _, ended = asked(request, secure=True, **names)
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert ended == (status != 101)


# ── frames ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("offered", "chosen", "first"),
    [((TEXT,), TEXT, 0x81), ((BINARY, TEXT), BINARY, 0x82), (("soap", TEXT), TEXT, 0x81)],
)
def test_irc_goes_in_messages_of_the_subprotocol(
    offered: tuple[str, ...], chosen: str, first: int
) -> None:
    socket, session = opened(*offered)
    assert socket.protocol.subprotocol == chosen
    session.receive_data(socket.says("CAP LS 302", "NICK bob"))
    runs(session)
    answer = session.data_to_send()
    assert answer[0] == first
    line, *_ = socket.reads(answer)
    assert line.startswith(":chat.local CAP * LS ")


@given(st.binary(max_size=300), st.sampled_from([b"", b"GET / HTTP/1.1\r\nHost: ", get()[:-2]]))
def test_junk_for_a_request_is_answered_or_waited_for(junk: bytes, before: bytes) -> None:
    session = web_session()
    session.receive_data(before + junk)
    ended, answer = has_ended(runs(session)), session.data_to_send()
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert answer or not ended


@given(st.lists(st.binary(max_size=100)))
def test_junk_for_frames_ends_it_or_is_read(pieces: list[bytes]) -> None:
    socket, session = opened()
    for piece in pieces:
        session.receive_data(piece)
        runs(session)
    session.farewell("Enough.")
    socket.reads(session.data_to_send())
    assert socket.protocol.close_rcvd


def test_all_with_the_same_capabilities_are_sent_the_same_bytes() -> None:
    dialects = {}
    for caps in ("batch", "server-time", "batch"):
        socket, session = opened()
        session.receive_data(socket.says(f"CAP REQ {caps}", "CAP END"))
        runs(session)
        dialects.setdefault(caps, set()).add(session.dialect)
    assert [len(found) for found in dialects.values()] == [1, 1]
    assert dialects["batch"] != dialects["server-time"]


def test_another_subprotocol_is_refused() -> None:
    head, _, ended = asked(Socket("soap").written())
    assert head.startswith("HTTP/1.1 400 ")
    assert ended


LINES = st.lists(st.sampled_from(["NICK al", "PING é👋", "", "CAP LS", "PING " + "x" * 300]))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Frames that a client sends: lines in one or more fragments, and PINGs between them."""
    out = b""
    for line in draw(LINES):
        data, fragments = line.encode(), draw(st.integers(1, 3))
        ends = [len(data) * number // fragments for number in range(fragments + 1)]
        for number, (begin, end) in enumerate(pairwise(ends)):
            opcode = Opcode.CONT if number else Opcode.TEXT
            out += frame(opcode, data[begin:end], fin=end == len(data) and number == fragments - 1)
            if draw(st.booleans()):
                out += frame(Opcode.PING, b"there?")
    return out


@given(messages(), st.data())
def test_the_same_is_asked_however_the_bytes_are_cut(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=10).map(sorted))
    _, whole = opened()
    whole.receive_data(data)
    expected, said = asks(runs(whole)), whole.data_to_send()
    _, cut = opened()
    found, answer = [], b""
    for begin, end in pairwise([0, *cuts, len(data)]):
        cut.receive_data(data[begin:end])
        found += runs(cut)
        answer += cut.data_to_send()
    assert asks(found) == expected
    assert sorted(frames_of(answer)) == sorted(frames_of(said))


def asks(found: list[Run]) -> list[object]:
    return [run.command if isinstance(run, Ask) else run for run in found]


def frames_of(data: bytes) -> list[bytes]:
    found = []
    while data:
        end = frame_end(data, 0)
        found.append(data[:end])
        data = data[end:]
    return found


@given(st.lists(st.binary(min_size=1, max_size=300).filter(lambda line: b"\r\n" not in line)))
def test_what_the_server_says_is_cut_where_a_frame_ends(lines: list[bytes]) -> None:
    lines = [line.replace(b"\r", b"").replace(b"\n", b"") or b"x" for line in lines]
    frames = frames_of(framed(b"".join(line + b"\r\n" for line in lines), 0x81))
    assert [frame[-len(line) :] for frame, line in zip(frames, lines, strict=True)] == lines


BROKEN = {
    "not masked": (b"\x81\x01x", 1002),
    "goes on with nothing": (frame(Opcode.CONT, b"x"), 1002),
    "compressed": (b"\xc1\x81\0\0\0\0x", 1002),
    "of no kind": (b"\x83\x80\0\0\0\0", 1002),
    "too long a ping": (frame(Opcode.PING, bytes(256)), 1002),
    "not UTF-8": (frame(Opcode.TEXT, b"NICK \xff"), 1007),
    "two lines": (frame(Opcode.TEXT, b"NICK al\nQUIT"), 1008),
    "too long": (b"\x81\xff" + (MESSAGE_MAX + 1).to_bytes(8, "big") + bytes(4), 1009),
    "too many fragments": (b"\x01\x81\0\0\0\0x" + b"\0\x81\0\0\0\0x" * MESSAGE_MAX, 1009),
    "closed": (b"\x88\x82\0\0\0\0\x03\xe9", 1001),
    "closed without a code": (b"\x88\x80\0\0\0\0", 1005),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_the_rules_ends_it_with_their_code(data: bytes, code: int) -> None:
    socket, session = opened()
    session.receive_data(data + frame(Opcode.TEXT, b"NICK later"))
    found = runs(session)
    assert [run for run in found if isinstance(run, Ask)] == found[-1:]
    session.farewell("")
    socket.reads(session.data_to_send())
    assert socket.protocol.close_rcvd.code == code


def test_each_frame_without_a_line_is_charged_as_one() -> None:
    _, session = opened()
    session.receive_data(frame(Opcode.PING, b"") * 500)
    found = runs(session)
    assert found == [HANDLED] * 500
    session.receive_data(b"\x01\x80\0\0\0\0" + b"\0\x80\0\0\0\0" * 99)
    assert runs(session) == [HANDLED] * 100


def test_a_ping_is_answered_and_a_line_may_have_its_ending() -> None:
    socket, session = opened()
    waiter = frame(Opcode.PING, b"there?")
    session.receive_data(waiter + socket.says("PING x\r\n", "PING y"))
    runs(session)
    answer = session.data_to_send()
    assert answer.startswith(b"\x8a\x06there?")
    assert [line.rpartition(" ")[2] for line in socket.reads(answer)] == [":x", ":y"]


def test_the_last_words_come_before_the_end() -> None:
    socket, session = opened()
    session.farewell("Go away.")
    assert socket.reads(session.data_to_send()) == ["ERROR :Closing link: Go away."]
    assert socket.protocol.close_rcvd
    assert socket.protocol.close_rcvd.code == 1008


def test_after_a_quit_it_ends_normally() -> None:
    socket, session = opened()
    session.receive_data(socket.says("QUIT :bye"))
    assert has_ended(runs(session))
    session.farewell("Quit: bye")
    assert socket.reads(session.data_to_send()) == ["ERROR :Closing link: Quit: bye"]
    assert socket.protocol.close_rcvd
    assert socket.protocol.close_rcvd.code == 1000
