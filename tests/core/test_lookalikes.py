"""Which nicknames look alike."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core.lookalikes import (
    PROTOTYPES,
    RESERVED,
    all_looks,
    looks,
    skeleton,
    without_accents,
)
from trio_chat.core.names import alternate_nick, fold, nick_problem


def alike(one: str, other: str) -> bool:
    return not looks(one).isdisjoint(looks(other))


@pytest.mark.parametrize(
    "twin",
    ["ɑlice", "alıce", "Ꭺlice", "ꓮlice", "ᴀlice", "ꭺlice", "aIice", "a1ice", "aӏice", "a|ice",
     "alɪce", "аlісе", "ALICE", "ALlCE", "AL1CE", "AIice", "ａlice", "𝐀𝐈ice", "aʟice"],
)  # fmt: skip
@pytest.mark.parametrize("nick", ["alice", "Alice"])
def test_what_looks_like_alice(nick: str, twin: str) -> None:
    assert alike(nick, twin)
    assert alike(twin, nick)


@pytest.mark.parametrize(
    ("one", "other"),
    [("bob1", "bobl"), ("bob0", "bobO"), ("bob0", "bobo"), ("corn", "com"), ("Ian", "lan"),
     ("İ", "i"), ("İan", "ian"), ("i\u0307an", "ian"), ("\u012f\u0307", "\u012f"),
     ("j\u0307o", "jo"),
     ("\u0237o", "jo"), ("straße", "STRASSE"), ("ŉo", "ʼno"), ("ﬁn", "fin"), ("ῼ", "ωι"),
     ("rnick", "mick"), ("al\u0131\u0307ce", "alice"), ("x_y", "x\N{NKO LAJANYALAN}y")],
)  # fmt: skip
def test_what_looks_alike_without_other_scripts(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("bob", "bob1"), ("bob1", "bob2"), ("Neil", "Nell"), ("neil", "nell"), ("Alia", "Aila"),
     ("Will", "Wiii"), ("anna", "hanna"), ("bob_2", "bob_3"), ("bob_10", "bob_11"),
     ("José", "Jose"), ("маша", "Masha"), ("иван", "ivan"), ("王", "玉"), ("user5", "users")],
)  # fmt: skip
def test_what_does_not_look_alike(one: str, other: str) -> None:
    assert not alike(one, other)


@given(st.text("abIl10OoArnm|ɑıᴀ", min_size=1, max_size=6))
def test_equal_folds_look_alike_and_a_skeleton_is_its_own(nick: str) -> None:
    assert alike(nick, nick.swapcase())
    assert fold(nick) in looks(nick)
    assert skeleton(skeleton(nick)) == skeleton(nick)


CASES = [char for char in map(chr, range(0x20000)) if len({char, char.lower(), char.upper()}) > 1]


@given(st.text(st.sampled_from(CASES) | st.sampled_from("iıİjß\u0307\u0328"), min_size=1))
def test_whatever_its_case_and_form_it_looks_alike(nick: str) -> None:
    """Also where a letter has other letters, or more of them, in another case."""
    compatible = unicodedata.normalize("NFKC", nick)
    for text in (nick, compatible):
        for other in (text.lower(), text.upper(), text.title(), text.casefold()):
            assert alike(nick, other), (nick, other)


NAMES = st.text(st.sampled_from("iıİIl1jȷß\u0307aаɑ") | st.sampled_from(CASES), max_size=3)


@given(NAMES, NAMES)
@example("\u0130", "i")
def test_of_two_with_one_skeleton_without_case_only_one_is_let_in(one: str, other: str) -> None:
    first, second = (
        skeleton(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", nick).casefold()))
        for nick in (one, other)
    )
    assert first != second or alike(one, other)


@given(st.sampled_from(sorted(PROTOTYPES)))
def test_a_prototype_looks_like_nothing_but_itself(char: int) -> None:
    assert skeleton(skeleton(chr(char))) == skeleton(chr(char))


def test_the_table_is_that_of_unicode() -> None:
    assert len(PROTOTYPES) > 2000
    assert PROTOTYPES[ord("m")] == "rn"


@pytest.mark.parametrize(
    "nick",
    [
        *("NickServ", "nickserv", "NıckServ", "SERVER", "аdmin", "adrnin"),
        *("NíckServ", "ChánSerṽ", "ADMÍN", "Ađmin", "Sërvices", "glóbal"),
    ],
)
def test_what_is_reserved(nick: str) -> None:
    assert not without_accents(looks(nick)).isdisjoint(all_looks(RESERVED))


@given(st.text("alI1o0O_2", min_size=1, max_size=20))
def test_what_is_offered_instead_does_not_look_like_what_is_taken(wanted: str) -> None:
    taken = all_looks([wanted, *RESERVED])
    near = alternate_nick(wanted, lambda nick: not looks(nick).isdisjoint(taken))
    assert looks(near).isdisjoint(taken)
    assert not nick_problem(near)
