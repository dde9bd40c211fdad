"""What a telnet sends beside what is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.protocols.telnet import Telnet, without_erased

PUTTY = bytes.fromhex("fffb1ffffb20fffb18fffb27fffd01fffb03fffd03")

#: Bytes, and what was typed.
TABLE = [
    (b"hi\r\n", b"hi\r\n"),
    ("漢字\n".encode(), "漢字\n".encode()),
    (PUTTY + b"alice\r\n", b"alice\r\n"),
    (b"al" + PUTTY + b"ice\r\n", b"alice\r\n"),
    (b"\xff\xf4\xff\xfd\x06hi\n", b"hi\n"),  # Ctrl-C
    (b"a\xff\xf1b\xff\xf9c\n", b"abc\n"),
    (b"\xff\xfa\x1f\x00\x50\x00\x0a\xff\xf0hi\n", b"hi\n"),  # a window of ten rows
    (b"\xff\xfa\x18\x00xterm\xff\xff\xf0\x01\xff\xf0hi\n", b"hi\n"),
    (b"\xff\xfa\x18\xff\xf4\xff\xf0hi\n", b"hi\n"),
    (b"\xff\xfb\xffhi\n", b"hi\n"),
    (b"\xff\xfe\n\xff\xfb\r\n", b"\xff\xfe\n\xff\xfb\r\n"),
    (b"\xff\xffhi\n", b"\xffhi\n"),
    (b"\xffhi\xff\n", b"\xffhi\xff\n"),
    (b"one\r\0two\r\nthree\r\0", b"one\r\ntwo\r\nthree\r\n"),
    (b"\r\0\r\0", b"\r\n\r\n"),
    (b"a\0b\rc", b"a\0b\rc"),
    (b"\xff", b""),
    (b"\xff\xfb", b""),
    (b"\xff\xfa\x18xterm", b""),
    (b"", b""),
]


def typed(encoding: str, *pieces: bytes) -> bytes:
    telnet = Telnet(encoding)
    return b"".join([telnet.feed(piece) for piece in pieces]) + telnet.rest()


@pytest.mark.parametrize(("data", "text"), TABLE)
def test_only_what_was_typed_is_left(data: bytes, text: bytes) -> None:
    """Whole, byte by byte, and in two pieces at each place."""
    assert typed("utf-8", data) == text
    assert typed("utf-8", *(data[i : i + 1] for i in range(len(data)))) == text
    for i in range(len(data)):
        assert typed("utf-8", data[:i], data[i:]) == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("latin-1", "ÿÿüû\n"), ("cp1251", "я ясно яъюя\n"), ("cp1251", "яяя\r\n"), ("latin-1", "ÿ")],
)
def test_where_iac_is_a_letter_it_is_one(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    assert typed(encoding, data) == data
    assert typed(encoding, *(data[i : i + 1] for i in range(len(data)))) == data


def test_where_iac_is_a_letter_a_telnet_says_it_twice() -> None:
    data = PUTTY + b"\xff\xff \xff\xf1\xff\xff\n"
    assert typed("latin-1", data) == "ÿ ÿ\n".encode("latin-1")
    assert typed("latin-1", *(data[i : i + 1] for i in range(len(data)))) == b"\xff \xff\n"


def test_a_value_without_an_end_is_given_up() -> None:
    telnet = Telnet("utf-8")
    assert telnet.feed(b"\xff\xfa\x18" + b"x" * 2000) == b""
    assert telnet.feed(b"hi\n") == b"hi\n"


@given(st.lists(st.binary(max_size=20)), st.sampled_from(["utf-8", "ascii", "latin-1", "cp1251"]))
def test_it_is_the_same_in_pieces_as_whole(pieces: list[bytes], encoding: str) -> None:
    if encoding in ("utf-8", "ascii"):  # else letters are given back before they are known
        assert typed(encoding, *pieces) == typed(encoding, b"".join(pieces))
    text = b"".join(pieces).translate(None, b"\xff")
    assert typed(encoding, text) == text.replace(b"\r\0", b"\r\n")


@pytest.mark.parametrize(
    ("keys", "text"),
    [("hi", "hi"), ("ho\bi", "hi"), ("ho\x7fi", "hi"), ("\b\bhi", "hi"), ("abc\b\b\b\bhi", "hi")],
)
def test_what_was_erased_is_gone(keys: str, text: str) -> None:
    assert without_erased(keys) == text
