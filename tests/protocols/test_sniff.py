"""What the first bytes of a connection mean."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.protocols.sniff import Spoken, sniff

PLAIN, IRC, HTTP, TLS = Spoken.PLAIN, Spoken.IRC, Spoken.HTTP, Spoken.TLS

OPENINGS = {
    **dict.fromkeys(["CAP ", "NICK ", "USER ", "PASS "], IRC),
    **dict.fromkeys(
        ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "TRACE ", "CONNECT "],
        HTTP,
    ),
    "PRI * HTTP/2.0": HTTP,
    "\x16\x03": TLS,
}

#: The first bytes, what they mean if more may come, and what if not.
TABLE = [
    (b"", None, PLAIN),
    (b"alice", PLAIN, PLAIN),
    (b"alice\n", PLAIN, PLAIN),
    (b"\n", PLAIN, PLAIN),
    ("é".encode(), PLAIN, PLAIN),
    (b"\x00", PLAIN, PLAIN),
    (b"\xff\xfb\x1f", PLAIN, PLAIN),
    (b"N", None, PLAIN),
    (b"NICK", None, PLAIN),
    (b"NICK\n", PLAIN, PLAIN),
    (b"NICKY", PLAIN, PLAIN),
    (b"nick", None, PLAIN),
    (b"Nick alice\r\n", IRC, IRC),
    (b"nick alice\r\n", IRC, IRC),
    (b"cap LS 302\r\nNICK alice\r\n", IRC, IRC),
    (b"CAPTAIN", PLAIN, PLAIN),
    (b" NICK alice", PLAIN, PLAIN),
    (b"P", None, PLAIN),
    (b"PA", None, PLAIN),
    (b"PASTA", PLAIN, PLAIN),
    (b"GET", None, PLAIN),
    (b"GET / HTTP/1.1\r\n", HTTP, HTTP),
    (b"GET\n", PLAIN, PLAIN),
    (b"Get together", PLAIN, PLAIN),
    (b"POSTMAN", PLAIN, PLAIN),
    (b"CONNECT example.org:443 HTTP/1.1\r\n", HTTP, HTTP),
    (b"\x16", None, PLAIN),
    (b"\x16\x03\x01\x02\x00", TLS, TLS),
    (b"\x16\x04", PLAIN, PLAIN),
    (b"\x15\x03\x01", PLAIN, PLAIN),
]

openings = st.sampled_from([opening.encode() for opening in OPENINGS])
first_bytes = st.one_of(
    st.binary(),
    openings,
    openings.map(bytes.lower),
    st.tuples(openings, st.integers(1, 9)).map(lambda cut: cut[0][: cut[1]]),
)


@pytest.mark.parametrize(("data", "spoken", "at_last"), TABLE)
def test_first_bytes(data: bytes, spoken: Spoken | None, at_last: Spoken) -> None:
    assert sniff(data) is spoken
    assert sniff(data, more=False) is at_last


@pytest.mark.parametrize(("opening", "spoken"), OPENINGS.items())
def test_an_opening_is_known_at_its_end_and_not_before(opening: str, spoken: Spoken) -> None:
    data = opening.encode()
    known = data.index(b" ") + 1 if b" " in data else len(data)
    for count in range(known):
        assert sniff(data[:count]) is None
    assert sniff(data[:known]) is spoken
    assert sniff(data + b"and more") is spoken


@given(first=first_bytes, rest=st.binary())
def test_an_answer_stays(first: bytes, rest: bytes) -> None:
    answer = sniff(first)
    assert answer in (None, sniff(first + rest))


@given(first=first_bytes, rest=st.binary())
def test_what_is_known_does_not_depend_on_whether_more_comes(first: bytes, rest: bytes) -> None:
    answer = sniff(first + rest)
    assert answer in (None, sniff(first + rest, more=False))


@given(first=first_bytes)
def test_there_is_an_answer_when_no_more_comes(first: bytes) -> None:
    assert sniff(first, more=False) in Spoken


@given(first=first_bytes, rest=st.binary(min_size=9))
@example(first=b"connect ", rest=b"the dots")
@example(first=b"options ", rest=b"are good")
def test_nine_bytes_are_enough(first: bytes, rest: bytes) -> None:
    assert sniff(first + rest) is not None
