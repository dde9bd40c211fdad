"""The words of texts, as search knows them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.storage.words import has, phrases, words

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
# Of languages that people chat in, with what is special about them.
LIVING = st.text(
    st.one_of(
        st.characters(max_codepoint=0x17F, exclude_categories=["Cc"]),
        st.sampled_from("\u0301\u0308\u0327ßİıſﬁœǆΣςΩЁйאבّ한글각\u1100\u1161ไม้ดีがガｶﾞ茶神Ａ１②½"),
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Tea, please!", ["tea", "please"]),
        ("snake_case x86-64", ["snake", "case", "x86", "64"]),
        ("Ärger in Århus", ["arger", "in", "arhus"]),
        ("ＷＩＤＥ ﬁne", ["wide", "fine"]),
        ("绿茶 tea", ["绿", "茶", "tea"]),
        ("한국어", ["한", "국", "어"]),
        ("IŞIK ışık İŞ", ["isik", "isik", "is"]),
        ("ΟΔΟΣ οδος", ["οδοσ", "οδοσ"]),
        ("👍 --", []),
    ],
)
def test_letters_and_digits_in_rows(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(text=TEXTS)
def test_the_words_of_words_are_themselves(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found


@given(text=LIVING)
def test_it_makes_no_difference_how_accents_are_written(text: str) -> None:
    assert words(unicodedata.normalize("NFC", text)) == words(unicodedata.normalize("NFD", text))


@given(text=LIVING)
def test_case_makes_no_difference(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert words(composed.upper()) == words(composed.lower()) == words(composed)


@given(text=TEXTS)
def test_words_hold_nothing_that_an_index_could_take_for_anything_else(text: str) -> None:
    found = words(text)
    assert all(found)
    assert all(char.isalnum() or not char.isascii() for word in found for char in word)


@given(text=TEXTS)
def test_every_text_has_itself(text: str) -> None:
    quoted = '"' + text.replace('"', " ") + '"'
    assert all(has(words(text), phrase) for phrase in phrases(text))
    assert all(has(words(text.replace('"', " ")), phrase) for phrase in phrases(quoted))


@given(before=LIVING, part=LIVING, after=LIVING)
def test_a_part_between_blanks_is_found(before: str, part: str, after: str) -> None:
    assert all(has(words(f"{before} {part} {after}"), phrase) for phrase in phrases(part))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("green tea", [["green"], ["tea"]]),
        ('"green tea" now', [["green", "tea"], ["now"]]),
        ('"green tea', [["green", "tea"]]),
        ("can't stop", [["can", "t"], ["stop"]]),
        ("绿茶", [["绿", "茶"]]),
        ('"" - "!" *', []),
        ("a b " * 500, [["a"], ["b"]] * 16),
        ('tea "' + "a " * 500 + '" milk', [["tea"], ["a"] * 31]),
    ],
)
def test_phrases_are_what_stands_between_blanks_or_in_quotation_marks(
    query: str, expected: list[list[str]]
) -> None:
    assert phrases(query) == expected
