"""Where a text may be cut, such that no letter is torn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.letters import cut, cut_bytes, is_between, last_cut

FAMILY = "👨‍👩‍👧‍👦"

#: One letter each, as people see it.
LETTERS = [
    "a", "é", "e\u0301", "a\u0301\u0302\u0303", "漢", FAMILY, "👍🏽", "❤️", "🏳️‍🌈", "1️⃣", "🇩🇪",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "👩🏽‍🚀", "한",
    "\u1112\u1161\u11ab", "க்", "நி", "क्षि", "กำ", "ກຳ", "\u0600\u0661", "ก\u0e34\u0e48",
]  # fmt: skip


@pytest.mark.parametrize("letter", LETTERS)
def test_no_letter_is_cut(letter: str) -> None:
    text = f"x{letter * 3}x"
    cuts = {0, 1, *(1 + len(letter) * count for count in (1, 2, 3)), len(text)}
    for most in range(len(text) + 2):
        shorter = cut(text, most)
        assert text.startswith(shorter)
        assert len(shorter) <= most
        assert len(shorter) in cuts
        size = cut_bytes(text, most)
        assert len(size.encode()) <= most
        assert len(size) in cuts


@pytest.mark.parametrize("one", [letter for letter in LETTERS if letter != "க்"])  # joins
def test_between_two_letters_it_may_be_cut(one: str) -> None:
    for other in ("b", "漢", "👨", "🇩🇪", " "):
        assert is_between(one + other, len(one))
        assert is_between(other + one, len(other))


def test_flags_are_counted_in_pairs() -> None:
    text = "🇩🇪🇫🇷🇬🇧"
    assert [place for place in range(1, 6) if is_between(text, place)] == [2, 4]


def test_what_is_longer_than_it_may_be_is_cut_all_the_same() -> None:
    assert cut("a" + "\u0301" * 100, 50) == "a" + "\u0301" * 49
    assert cut(FAMILY, 3) == FAMILY[:3]


@given(st.text(st.characters() | st.sampled_from("".join(LETTERS)), min_size=1), st.integers(0, 50))
def test_a_cut_is_near_enough_and_never_beyond(text: str, most: int) -> None:
    place = last_cut(text, most)
    assert place <= min(most, len(text))
    assert place > 0 or most == 0
    assert cut(text, most) == text[:place]
    assert cut(text, len(text)) == text
