"""Addresses with wildcards."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core import masks
from trio_chat.core.events import Origin
from trio_chat.core.masks import (
    Lists,
    address,
    entry_mask,
    fits_everybody,
    full_mask,
    matches,
)
from trio_chat.core.names import fold
from trio_chat.core.room_state import Mask

LONG = 2000  # characters


def reference(mask: str, text: str) -> bool:
    """Wildcards, by the table of which beginnings of the mask fit which beginnings of the text."""
    fits = [True] + [False] * len(fold(text))
    for char in unicodedata.normalize("NFC", mask):
        if char == "*":
            fits = [any(fits[: end + 1]) for end in range(len(fits))]
        else:
            same = [char == "?" or fold(char) == other for other in fold(text)]
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
        ("ÉMILE!*@*", "émile!u@h", True),
        ("e\u0301mile!*@*", "émile!u@h", True),
        ("bob!*@*", "bоb!u@h", True),
        ("bоb!*@*", "BOB!u@h", True),
        ("b?b!*@*", "ｂｏｂ!u@h", True),
        ("＊", "x", False),
        ("?", "é", True),
        ("#café*", "#CAFÉ-bar", True),
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


# An accent at the start of a text belongs to what is before it.
@given(st.text(st.characters(exclude_characters="*?", exclude_categories=["M", "Cs"])))
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


def lists(*masks: str, before: Lists | None = None) -> Lists:
    """``b:mask`` is on the list of bans."""
    entries = [(mask[0], Mask(mask[2:], "olga", 0)) for mask in masks]
    return Lists(entries, before)


@pytest.mark.parametrize(
    ("masks", "nick", "fits", "fits_with_mutes"),
    [
        ([], "bob", False, False),
        (["b:bob!*@*"], "BOB", True, True),
        (["b:m:bob!*@*"], "BOB", False, True),
        (["e:bob!*@*"], "bob", False, False),
        (["b:*!U@*"], "bob", True, True),
        (["b:*!*@H.NET"], "bob", True, True),
        (["b:ann!*@*", "b:m:*!*@h.*"], "bob", False, True),
    ],
)
def test_whom_a_list_fits(masks: list[str], nick: str, fits: bool, fits_with_mutes: bool) -> None:
    found = lists(*masks)
    for _ in range(2):  # the second time it is remembered
        assert bool(found.fitting("b", nick, Origin("u", "h.net"))) is fits
        assert bool(found.fitting("b", nick, Origin("u", "h.net"), mutes=True)) is fits_with_mutes


def test_lists_that_have_changed_remember_no_verdict_of_before() -> None:
    before = lists("b:bob!*@*", "b:ann!*@*")
    assert before.fitting("b", "bob", Origin())
    after = lists("b:ann!*@*", before=before)
    assert not after.fitting("b", "bob", Origin())
    assert after.fitting("b", "ann", Origin())


def test_a_mask_is_made_ready_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    ready = masks.Pattern
    monkeypatch.setattr(masks, "Pattern", lambda mask: made.append(mask) or ready(mask))  # type: ignore[func-returns-value]
    first = lists(*(f"b:once{number}!*@*" for number in range(5)))
    then = lists(*(f"b:once{number}!*@*" for number in range(6)), before=first)
    assert then.fitting("b", "once5", Origin())
    assert len(made) == 6


@pytest.mark.parametrize(
    ("written", "entry"),
    [
        ("bob", "bob!*@*"),
        ("M:bob", "m:bob!*@*"),
        ("a:Bob", "a:Bob"),
        ("A:Bob", "a:Bob"),
        ("a:", "a:*"),
        ("m:A:bob", "m:a:bob"),
        ("m:a:", "m:a:*"),
        ("a:m:bob", "a:m:bob"),  # an account that nobody can have
    ],
)
def test_an_entry_is_about_an_address_or_an_account(written: str, entry: str) -> None:
    assert entry_mask(written) == entry
    assert entry_mask(entry) == entry


@pytest.mark.parametrize(
    ("masks", "account", "fits", "fits_with_mutes"),
    [
        (["b:a:bob"], "BOB", True, True),
        (["b:a:bob"], "", False, False),
        (["b:a:*"], "", False, False),
        (["b:a:*"], "ann", True, True),
        (["b:a:b?b"], "bob", True, True),
        (["b:m:a:bob"], "bob", False, True),
        (["e:a:bob"], "bob", False, False),
        (["b:bob!*@*"], "bob", False, False),
    ],
)
def test_which_account_a_list_fits(
    masks: list[str], account: str, fits: bool, fits_with_mutes: bool
) -> None:
    found = lists(*masks)
    for _ in range(2):
        assert bool(found.fitting("b", "ann", Origin(account=account))) is fits
        assert (
            bool(found.fitting("b", "ann", Origin(account=account), mutes=True)) is fits_with_mutes
        )
    assert not found.fitting("b", "ann", Origin())


@pytest.mark.parametrize(
    ("written", "all_of_them"),
    [
        ("*", True),
        ("?*", True),
        ("m:*@*", True),
        ("a:*", True),
        ("m:a:**", True),
        ("?", False),
        ("*!u@*", False),
        ("*.example@*", False),
        ("*@*.example", False),
        ("a:mark", False),
    ],
)
def test_which_masks_fit_everybody(written: str, all_of_them: bool) -> None:
    assert fits_everybody(entry_mask(written)) is all_of_them
