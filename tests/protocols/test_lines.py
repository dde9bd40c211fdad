"""Lines out of pieces of bytes."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.protocols.lines import ENDLESS, LineBuffer

MAXIMUM = 5

#: Bytes, the lines that they hold, and what has begun and not ended.
TABLE = [
    (b"", [], b""),
    (b"hi", [], b"hi"),
    (b"\n", [b""], b""),
    (b"\r\n", [b""], b""),
    (b"\n\n\n", [b"", b"", b""], b""),
    (b"hi\n", [b"hi"], b""),
    (b"hi\r\n", [b"hi"], b""),
    (b"hi\r\r\n", [b"hi\r"], b""),
    (b"\rhi\n", [b"\rhi"], b""),
    (b"h\ri\n", [b"h\ri"], b""),
    (b"hi\r", [], b"hi\r"),
    (b"one\ntwo\r\nthr", [b"one", b"two"], b"thr"),
    (b"\x00\xff\x85\n", [b"\x00\xff\x85"], b""),
    (b"12345\n", [b"12345"], b""),
    (b"12345\r\n", [b"12345"], b""),
    (b"12345\r", [], b"12345\r"),
    (b"1234\r\r\n", [b"1234\r"], b""),
    (b"12345", [], b"12345"),
    (b"123456\n", [None], b""),
    (b"123456\r\n", [None], b""),
    (b"12345\r\r\n", [None], b""),
    (b"12345\r6\n", [None], b""),
    (b"123456", [None], b""),
    (b"123456789\nhi\n", [None, b"hi"], b""),
    (b"hi\n" + b"x" * 100 + b"\nho\n", [b"hi", None, b"ho"], b""),
    (b"123456\n123456\n", [None, None], b""),
    (b"123456\n\n", [None, b""], b""),
    (b"123456\nhi", [None], b"hi"),
]

pieces_of_data = st.lists(
    st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"aaa", b"\x00"])).map(b"".join)
)


def feed(buffer: LineBuffer, pieces: Iterable[bytes]) -> list[bytes | None]:
    return [line for piece in pieces for line in buffer.feed(piece)]


def cut_in_every_way(data: bytes) -> list[Sequence[bytes]]:
    """Whole, byte by byte, and in two pieces at each place."""
    each = [data[i : i + 1] for i in range(len(data))]
    return [[data], each, *([data[:i], data[i:]] for i in range(len(data) + 1))]


@pytest.mark.parametrize(("data", "lines", "rest"), TABLE)
def test_lines(data: bytes, lines: list[bytes | None], rest: bytes) -> None:
    for pieces in cut_in_every_way(data):
        buffer = LineBuffer(MAXIMUM)
        assert feed(buffer, pieces) == lines
        assert buffer.take() == rest


@pytest.mark.parametrize(("data", "lines", "rest"), [row for row in TABLE if b"\n" in row[0][-1:]])
def test_lines_with_more_behind_them(data: bytes, lines: list[bytes | None], rest: bytes) -> None:
    for pieces in cut_in_every_way(data + b"more"):
        buffer = LineBuffer(MAXIMUM)
        assert feed(buffer, pieces) == lines
        assert buffer.take() == b"more"


@given(pieces=pieces_of_data, maximum=st.integers(0, 6))
def test_the_same_lines_in_pieces_as_whole(pieces: list[bytes], maximum: int) -> None:
    piecewise, whole = LineBuffer(maximum), LineBuffer(maximum)
    assert feed(piecewise, pieces) == whole.feed(b"".join(pieces))
    assert piecewise.take() == whole.take()


@given(pieces=st.lists(st.binary()), maximum=st.integers(0, 6))
def test_what_is_not_too_long_is_what_was_sent(pieces: list[bytes], maximum: int) -> None:
    *ended, _ = b"".join(pieces).split(b"\n")
    sent = [line.removesuffix(b"\r") for line in ended]
    expected = [line if len(line) <= maximum else None for line in sent]
    assert feed(LineBuffer(maximum), pieces)[: len(expected)] == expected


@given(pieces=pieces_of_data, maximum=st.integers(0, 6))
def test_no_more_is_held_than_the_maximum_and_a_cr(pieces: list[bytes], maximum: int) -> None:
    for count in range(len(pieces) + 1):
        buffer = LineBuffer(maximum)
        feed(buffer, pieces[:count])
        assert len(buffer.take()) <= maximum + 1


def test_of_big_data_nothing_is_held() -> None:
    buffer = LineBuffer(MAXIMUM)
    assert feed(buffer, [b"x" * 65536] * 8) == [None]
    assert buffer.take() == b""


def test_a_line_that_is_too_long_is_told_of_before_it_ends() -> None:
    buffer = LineBuffer(MAXIMUM)
    assert buffer.feed(b"12345") == []
    assert buffer.feed(b"6") == [None]
    assert buffer.feed(b"7" * 100) == []
    assert buffer.feed(b"\nhi\n") == [b"hi"]


def test_what_was_taken_is_forgotten() -> None:
    buffer = LineBuffer(MAXIMUM)
    buffer.feed(b"one")
    assert buffer.take() == b"one"
    assert buffer.take() == b""
    assert buffer.feed(b"two\n") == [b"two"]


# ── endless ────────────────────────────────────────────────────────────────────────────────────


def test_endless_is_a_line_of_more_than_so_many_bytes() -> None:
    buffer = LineBuffer(MAXIMUM)
    feed(buffer, [b"x" * 1024] * (ENDLESS // 1024))
    assert not buffer.endless
    buffer.feed(b"x")
    assert buffer.endless


def test_a_line_that_is_only_too_long_is_not_endless() -> None:
    buffer = LineBuffer(MAXIMUM)
    buffer.feed(b"123456")
    assert not buffer.endless


def test_many_lines_are_not_endless() -> None:
    buffer = LineBuffer(MAXIMUM)
    assert feed(buffer, [b"x" * 1023 + b"\n"] * (2 * ENDLESS // 1024)) == [None] * 2048
    assert not buffer.endless


def test_a_new_line_is_not_endless() -> None:
    buffer = LineBuffer(MAXIMUM)
    buffer.feed(b"x" * (ENDLESS + 1))
    assert buffer.endless
    assert buffer.feed(b"\nhi\n") == [b"hi"]
    assert not buffer.endless
