"""Addresses with wildcards."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core.events import Origin
from trio_chat.core.masks import address, full_mask, matches

LONG = 2000  # characters


def reference(mask: str, text: str) -> bool:
    """Wildcards, by the table of which beginnings of the mask fit which beginnings of the text."""
    fits = [True] + [False] * len(text)
    for char in mask:
        if char == "*":
            fits = [any(fits[: end + 1]) for end in range(len(text) + 1)]
        else:
            same = [char == "?" or char.lower() == other.lower() for other in text]
            fits = [False, *(before and ok for before, ok in zip(fits, same, strict=False))]
    return fits[-1]


@pytest.mark.parametrize(
    ("mask", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*", "a\nb", True),
        ("?", "a", True),
        ("?", "\n", True),
        ("?", "", False),
        ("a*", "ba", False),
        ("*a", "ab", False),
        ("a*b*c", "abbcc", True),
        ("*ab*ab*", "xabx", False),
        ("*ab*ab*", "ababx", True),
        ("*aba*ba", "ababa", True),
        ("*aba*ba", "aba", False),
        ("ALICE!*@*", "alice!u@h", True),
        ("alice!*@*", "Alice!u@h", True),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a|b\\", "a|b\\", True),
        ("\\?", "\\x", True),
        ("\\?", "x", False),
        ("(a+)+", "(a+)+", True),
        ("{a}^", "{A}^", True),
        ("漢?", "漢字", True),
    ],
)
def test_what_a_mask_fits(mask: str, text: str, fits: bool) -> None:
    assert matches(mask, text) is fits
    assert reference(mask, text) is fits


@given(mask=st.text("ab*?", max_size=8), text=st.text("aAb", max_size=10))
@example(mask="*?*?a*", text="aa")
def test_masks_agree_with_the_reference(mask: str, text: str) -> None:
    assert matches(mask, text) == reference(mask, text)


@given(mask=st.text("a*?.\\[]|(+){^$", max_size=8), text=st.text("a.\\[]|(+){^$\n", max_size=8))
def test_nothing_else_means_anything_in_a_mask(mask: str, text: str) -> None:
    assert matches(mask, text) == reference(mask, text)


@given(st.text(st.characters(exclude_characters="*?")))
def test_every_text_fits_itself(text: str) -> None:
    assert matches(text, text)
    assert matches(f"*{text}*", f"x{text}x")


@pytest.mark.parametrize(
    ("mask", "letter", "fits"),
    [
        ("*a*a*a*a*b", "a", False),
        ("*a" * 100 + "*b", "a", False),
        ("*a" * 100 + "*", "a", True),
        ("*?" * 100 + "b", "a", False),
        ("*a?a" * 50 + "*b", "a", False),
        ("?*" * 100, "a", True),
        ("*" * 200, "a", True),
        ("*" * 199 + "b", "a", False),
        ("*aaab" * 40, "a", False),
    ],
)
def test_a_mask_with_many_stars_soon_has_an_answer(mask: str, letter: str, fits: bool) -> None:
    """With backtracking, the first would take 10 to the 12th steps; this test would not return."""
    assert matches(mask, letter * LONG) is fits


@pytest.mark.parametrize(
    ("mask", "full"),
    [
        ("", "*!*@*"),
        ("*", "*!*@*"),
        ("alice", "alice!*@*"),
        ("alice!", "alice!*@*"),
        ("alice!u", "alice!u@*"),
        ("alice!u@", "alice!u@*"),
        ("alice!@h", "alice!*@h"),
        ("!u@h", "*!u@h"),
        ("u@h", "*!u@h"),
        ("*@h", "*!*@h"),
        ("@h", "*!*@h"),
        ("alice!u@h", "alice!u@h"),
        ("a.b", "a.b!*@*"),
    ],
)
def test_what_is_left_out_matches_anything(mask: str, full: str) -> None:
    assert full_mask(mask) == full


@given(st.text("a!@*?"))
def test_a_full_mask_is_full(mask: str) -> None:
    full = full_mask(mask)
    assert full_mask(full) == full
    nick, _, rest = full.partition("!")
    user, _, host = rest.partition("@")
    assert nick
    assert user
    assert host


@given(st.text("ab", min_size=1), st.text("ab", min_size=1), st.text("ab.", min_size=1))
def test_a_part_of_an_address_is_mask_enough(nick: str, user: str, host: str) -> None:
    whole = address(nick, Origin(user, host))
    assert whole == f"{nick}!{user}@{host}"
    for mask in (nick, f"{nick}!{user}", f"{user}@{host}", f"@{host}", whole, ""):
        assert matches(full_mask(mask), whole)
    assert not matches(full_mask(f"c{nick}"), whole)
