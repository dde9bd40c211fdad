"""What the first bytes of a connection mean."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.protocols.sniff import Opening, Spoken

PLAIN, IRC, HTTP, TLS = Spoken.PLAIN, Spoken.IRC, Spoken.HTTP, Spoken.TLS

#: The first bytes, what they mean at once to who has spoken first and to who was asked, and what
#: they mean if nothing more comes.
TABLE: list[tuple[bytes, Spoken | None, Spoken | None, Spoken]] = [
    (b"alice", None, PLAIN, PLAIN),
    (b"alice\n", PLAIN, PLAIN, PLAIN),
    ("漢字".encode(), None, PLAIN, PLAIN),
    (b"\x00\n", None, None, PLAIN),
    (b"\xef\xbb\xbfPASS x\r\n", IRC, IRC, IRC),
    (b"\0PASS x\r\n", IRC, IRC, IRC),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", IRC, IRC, IRC),
    (b"\n\r\n", None, None, PLAIN),
    (b"\nalice\n", PLAIN, PLAIN, PLAIN),
    (b"alice: /me waves", None, PLAIN, PLAIN),
    # commands of IRC
    (b"N", None, None, PLAIN),
    (b"NICK", None, None, PLAIN),
    (b"NICKY", None, PLAIN, PLAIN),
    (b"NICK ", None, None, PLAIN),
    (b"NICK a", IRC, IRC, IRC),
    (b"Nick alice\r\n", IRC, IRC, IRC),
    (b"nick alice", IRC, IRC, IRC),
    (b"cap LS 302\r\nNICK alice\r\n", IRC, IRC, IRC),
    (b"\r\nNICK alice\r\n", IRC, IRC, IRC),
    (b" NICK alice\r\n", IRC, IRC, IRC),
    (b"CAPTAIN\n", PLAIN, PLAIN, PLAIN),
    (b"WEBIRC secret gw host 192.0.2.1\r\n", IRC, IRC, IRC),
    (b"webirc secret gw host 192.0.2.1\r\n", IRC, IRC, IRC),
    (b"PING x\r\n", IRC, IRC, IRC),
    (b"ping :x\n", IRC, IRC, IRC),
    (b"PONG x\r\n", IRC, IRC, IRC),
    (b"STARTTLS\r\n", IRC, IRC, IRC),
    (b"NS identify hunter2\r\n", IRC, IRC, IRC),
    (b"nickserv identify hunter2\n", IRC, IRC, IRC),
    (b"identify hunter2\n", IRC, IRC, IRC),
    (b"ns\n", PLAIN, PLAIN, PLAIN),
    (b"QUIT\r\n", IRC, IRC, IRC),
    (b"QUIT :bye\r\n", IRC, IRC, IRC),
    (b"quit :bye\r\n", IRC, IRC, IRC),
    (b"AUTHENTICATE PLAIN\r\n", IRC, IRC, IRC),
    (b"IDENTITY secret\r\n", IRC, IRC, IRC),
    (b"JOIN #x\r\n", IRC, IRC, IRC),
    (b"join #x\r\n", IRC, IRC, IRC),
    (b"MODE\r\n", IRC, IRC, IRC),
    (b"mode x +i\n", IRC, IRC, IRC),
    (b"privmsg #x :hi\r\n", IRC, IRC, IRC),
    (b":me NICK me\r\n", IRC, IRC, IRC),
    (b":me!u@h nick me\n", IRC, IRC, IRC),
    (b"@tag NICK me\r\n", IRC, IRC, IRC),
    (b"@a=b :me NICK me\r\n", IRC, IRC, IRC),
    (b"@label=1 QUIT\r\n", IRC, IRC, IRC),
    (b"@tag NICK\r\n", IRC, IRC, IRC),
    (b":me user\n", IRC, IRC, IRC),
    (b"@a=b;c", None, None, PLAIN),
    (b"PASS /secret\r\n", IRC, IRC, IRC),
    (b"PASS /sec", None, None, PLAIN),
    # nicknames
    (b"quit\n", PLAIN, PLAIN, PLAIN),
    (b"ping\r\n", PLAIN, PLAIN, PLAIN),
    (b"Nick\n", PLAIN, PLAIN, PLAIN),
    (b"time lord", None, PLAIN, PLAIN),
    (b":-)\n", PLAIN, PLAIN, PLAIN),
    (b":) hello\n", PLAIN, PLAIN, PLAIN),
    (b"@alice\n", PLAIN, PLAIN, PLAIN),
    (b"NICK\n", PLAIN, PLAIN, PLAIN),
    (b"NICK1\n", PLAIN, PLAIN, PLAIN),
    # requests
    (b"G", None, None, PLAIN),
    (b"GET", None, None, PLAIN),
    (b"GET\n", PLAIN, PLAIN, PLAIN),
    (b"GET / HTTP/1.1\r\n", HTTP, HTTP, HTTP),
    (b"GET ", None, None, PLAIN),
    (b"GET /", HTTP, HTTP, HTTP),
    (b"post /x HTTP/1.1\r\n", HTTP, HTTP, HTTP),
    (b"get /x http/1.1\r\n", HTTP, HTTP, HTTP),
    (b"OPTIONS sip:nm SIP/2.0\r\n", HTTP, HTTP, HTTP),
    (b"DESCRIBE rtsp://h/x RTSP/1.0\r\n", HTTP, HTTP, HTTP),
    (b"PROPFIND /x HTTP/1.1\r\n", HTTP, HTTP, HTTP),
    (b"PROPFIND /", HTTP, HTTP, HTTP),
    (b"x-y  /z HTTP/1.1\n", HTTP, HTTP, HTTP),
    (b"\r\n\r\nPURGE /", HTTP, HTTP, HTTP),
    (b"FOO http://x", HTTP, HTTP, HTTP),
    (b"FOO * HTTP/1.1\r\n", HTTP, HTTP, HTTP),
    (b"SEARCH /x HTTP/1.1\r\n", HTTP, HTTP, HTTP),
    (b"CONNECT example.org:443 HTTP/1.1\r\n", HTTP, HTTP, HTTP),
    (b"PRI * HTTP/2.0\r\n", HTTP, HTTP, HTTP),
    # and what people write, who see at once that this is no nickname
    (b"Get together\n", PLAIN, PLAIN, PLAIN),
    (b"GET well soon\n", PLAIN, PLAIN, PLAIN),
    (b"say /x\n", PLAIN, PLAIN, PLAIN),
    (b"look http://x\n", PLAIN, PLAIN, PLAIN),
    (b"we use HTTP/1.1\n", HTTP, HTTP, HTTP),
    (b"let us use HTTP/1.1\n", PLAIN, PLAIN, PLAIN),
    (b"bob\nx-y: z\n", PLAIN, PLAIN, PLAIN),
    (b"bob\nHost: x\n", PLAIN, PLAIN, PLAIN),
    (b"alice\nGET / is slow\n", PLAIN, PLAIN, PLAIN),
    (b"alice\nbob: hi\n", PLAIN, PLAIN, PLAIN),
    # TLS
    (b"\x16", None, None, PLAIN),
    (b"\x16\x03\x01\x02\x00", TLS, TLS, TLS),
    (b"\x16\x04\n", PLAIN, PLAIN, PLAIN),
    (b"\x15\x03\x01\n", PLAIN, PLAIN, PLAIN),
    # telnet
    (bytes.fromhex("fffb1ffffb20fffd03"), None, None, PLAIN),
    (bytes.fromhex("fffb1ffffb20fffd03") + b"NICK x\r\n", IRC, IRC, IRC),
    (b"\xff\xfb\x1fGET / HTTP/1.1\r\n", HTTP, HTTP, HTTP),
]  # fmt: skip


def opened(*pieces: bytes) -> Opening:
    opening = Opening("utf-8")
    for piece in pieces:
        opening.feed(piece)
    return opening


def look(*pieces: bytes, asked: bool = False, silent: bool = False) -> Spoken | None:
    return opened(*pieces).spoken(asked=asked, silent=silent)


@pytest.mark.parametrize(("data", "first", "asked", "ended"), TABLE)
def test_first_bytes(
    data: bytes, first: Spoken | None, asked: Spoken | None, ended: Spoken
) -> None:
    assert look(data) is first
    assert look(data, b"") is ended
    assert look(data, asked=True) is asked


OTHERS = [row for row in TABLE if row[3] is not PLAIN]


@pytest.mark.parametrize("row", OTHERS)
def test_what_comes_in_pieces_is_known_as_the_same(
    row: tuple[bytes, Spoken | None, Spoken | None, Spoken],
) -> None:
    """At each place; and never taken for a nickname before, if it did not wait to be asked."""
    data, *_, spoken = row
    for cut in range(1, len(data)):
        assert look(data[:cut]) in (None, spoken)
        assert look(data[:cut], data[cut:]) is spoken


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_keys_are_waited_for_until_the_line_ends(encoding: str) -> None:
    """However long it takes; they are one nickname then."""
    for asked in (False, True):
        opening = Opening(encoding)
        for key in "zoé":
            assert opening.spoken(asked=asked, silent=False) is None
            opening.feed(key.encode(encoding))
        assert opening.spoken(asked=asked, silent=True) is None
        opening.feed(b"\r\n")
        assert opening.spoken(asked=asked, silent=False) is PLAIN
        assert opening.pieces(PLAIN) == ["zoé\r\n".encode(encoding)]


def test_a_nickname_of_one_letter_is_not_waited_for_without_end() -> None:
    """The tutorial's client answers with it, and then puts it before what is said."""
    assert look(b"x", asked=True) is None
    assert look(b"x", asked=True, silent=True) is PLAIN
    assert look(b"x", silent=True) is None
    opening = opened(b"x", b"x: hi")
    assert opening.spoken(asked=True, silent=False) is PLAIN
    assert opening.pieces(PLAIN) == [b"x", b"x: hi"]


def test_who_negotiates_has_typed_nothing_yet() -> None:
    opening = opened(b"\xff\xfb\x1f", b"\r\n")
    assert not opening.has_begun
    assert opening.spoken(asked=False, silent=True) is None
    opening.feed(b"a")
    assert opening.has_begun


def test_what_never_ends_is_not_waited_for() -> None:
    assert look(b"@" + b"x" * 9000) is PLAIN
    assert look(b"\xff\xf1" * 5000) is PLAIN
    assert look(b"\n" * 9000) is PLAIN
    assert look(b"x", *[b"x"] * 9000) is PLAIN


first_bytes = st.one_of(st.binary(), st.sampled_from([row[0] for row in TABLE]))


@given(first=first_bytes, rest=st.binary())
@example(first=b"connect ", rest=b"the dots")
def test_there_is_an_answer_at_the_end(first: bytes, rest: bytes) -> None:
    assert look(first, rest, b"") in Spoken
    assert look(first + rest + b"x\n" * 5000) in Spoken


@given(first=first_bytes, rest=st.binary(min_size=1))
def test_what_speaks_something_else_is_not_taken_for_chat_by_what_follows(
    first: bytes, rest: bytes
) -> None:
    known = look(first)
    if known in (HTTP, TLS):
        assert look(first, rest) is known
