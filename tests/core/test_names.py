"""Names: which are good, which are the same, and what is offered instead."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core.events import PEOPLE
from trio_chat.core.names import (
    NICK_MAX,
    ROOM_MAX,
    alternate_nick,
    composed,
    fold,
    is_private,
    nick_problem,
    private_room,
    room_problem,
)

NAME_CHARS = st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"])
GOOD_NICKS = st.text(
    NAME_CHARS | st.sampled_from("abcXYZ019-_[]\\`^{|}"), max_size=NICK_MAX
).filter(lambda nick: not nick_problem(nick))
WANTED = st.text() | st.text(st.sampled_from("aé漢e\u0301\u3164 :")) | GOOD_NICKS

NOBODY = frozenset[str]()

GOOD_ANYWHERE = [
    "a",
    "7",
    "alice",
    "Alice",
    "4lice",
    "zoé",
    "Ñandú",
    "漢字",
    "가나다",
    "Олег",
    "Ωμέγα",
    "שלום",
    "नमस्ते",
    "हिन्दी",
    "สวัสดี",
    "a-b_c",
]

BAD_ANYWHERE = [
    (" ", "a space"),
    ("a b", "a space"),
    ("a\u00a0b", "a space"),
    ("a\u3000b", "a space"),
    ("a\n", "a space"),
    ("a\tb", "a space"),
    ("a\x00", r"'\x00'"),
    ("\x1b[31m", r"'\x1b'"),
    ("a\x7f", r"'\x7f'"),
    ("a\x9b", r"'\x9b'"),
    ("a:", "':'"),
    ("*a", "'*'"),
    ("a>b", "'>'"),
    ("a,b", "','"),
    ("a!b", "'!'"),
    ("a@b", "'@'"),
    ("a/b", "'/'"),
    ("a😀", "'😀'"),
    ("a½", "'½'"),
    ("a\u200bb", r"'\u200b'"),
    ("a\u200db", r"'\u200d'"),
    ("a\u202eb", r"'\u202e'"),
    ("a\u2066b", r"'\u2066'"),
    ("a\U000e0061", r"'\U000e0061'"),
    ("\u3164", "nobody can see"),
    ("a\u115f", "nobody can see"),
    ("a\uffa0", "nobody can see"),
    ("a\u034fb", "nobody can see"),
    ("a\ufe0f", "nobody can see"),
    ("a\U000e0100", "nobody can see"),
    ("\u0301a", "an accent that stands on nothing"),
    ("\u093fa", "an accent that stands on nothing"),
]


# ── good or bad ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "nick", [*GOOD_ANYWHERE, "[a]\\`^{|}_-", "a" * NICK_MAX, "漢" * NICK_MAX, "é" * NICK_MAX]
)
def test_good_nick(nick: str) -> None:
    assert nick_problem(nick) == ""


@pytest.mark.parametrize(
    ("nick", "why"),
    [
        *BAD_ANYWHERE,
        ("", "empty"),
        ("a" * (NICK_MAX + 1), "longer than 20"),
        ("漢" * (NICK_MAX + 1), "longer than 20"),
        ("#a", "'#'"),
        ("a.b", "'.'"),
    ],
)
def test_bad_nick(nick: str, why: str) -> None:
    problem = nick_problem(nick)
    assert why in problem
    assert problem.startswith(repr(nick))


@pytest.mark.parametrize(
    "room", ["#" + name for name in [*GOOD_ANYWHERE, "v1.0+x", "#python", "a" * (ROOM_MAX - 1)]]
)
def test_good_room(room: str) -> None:
    assert room_problem(room) == ""


@pytest.mark.parametrize(
    ("room", "why"),
    [
        *(("#" + name, why) for name, why in BAD_ANYWHERE),
        ("", "begin with #"),
        ("lobby", "begin with #"),
        ("&lobby", "begin with #"),
        ("＃lobby", "begin with #"),
        ("#", "empty"),
        ("##", "empty"),
        ("#a#b", "'#'"),
        ("##" + "a" * (ROOM_MAX - 1), "longer than 48"),
        ("#[a]", "'['"),
        ("#" + "a" * ROOM_MAX, "longer than 49"),
        (PEOPLE, "begin with #"),
    ],
)
def test_bad_room(room: str, why: str) -> None:
    assert why in room_problem(room)


def test_no_letter_is_cut_in_two_where_a_name_is_cut() -> None:
    """A syllable of two consonants is one."""
    syllable = "\u0915\u094d\u0937"
    assert f"{'a' * (ROOM_MAX - 1)}'…" in nick_problem("a" * (ROOM_MAX - 1) + syllable)
    near = alternate_nick("a" * (NICK_MAX - 1) + syllable, lambda nick: False)
    assert near == "a" * (NICK_MAX - 1)
    taken = alternate_nick("a" * (NICK_MAX - 4) + syllable, lambda nick: "_" not in nick)
    assert taken == "a" * (NICK_MAX - 4) + "_2"


@pytest.mark.parametrize("problem_of", [nick_problem, room_problem])
@given(name=st.text())
def test_a_problem_is_told_in_characters_that_can_be_seen(problem_of, name) -> None:
    assert problem_of(name).isprintable()


@pytest.mark.parametrize("problem_of", [nick_problem, room_problem])
def test_a_problem_does_not_repeat_all_of_a_long_name(problem_of) -> None:
    assert len(problem_of("x" * 100_000)) < 200


# ── the same or not ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "alice"),
        ("Alice", "aLICE"),
        ("ÉMILE", "émile"),
        ("STRASSE", "straße"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("ａｌｉｃｅ", "alice"),
        ("ﬁona", "fiona"),
        ("аlice", "alice"),
        ("АLICE", "alice"),
        ("αlice", "alice"),
        ("ΑLICE", "alice"),
        ("сосо", "coco"),
        ("#lоbby", "#LOBBY"),
    ],
)
def test_same_name(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "bob"),
        ("alice", "alice_"),
        ("alice", "al1ce"),
        ("zoe", "zoé"),
        ("олег", "oleg"),
        ("漢", "汉"),
        ("[a]", "{a}"),
    ],
)
def test_different_names(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("lookalike", "latin"),
    [
        *zip("АВСԀЕНҺІЈКМОРԚЅТѴԜХУ", "ABCDEHHIJKMOPQSTVWXY", strict=True),
        *zip("асԁеһіјорԛѕѵԝху", "acdehijopqsvwxy", strict=True),
        *zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True),
        *zip("αοϲϳ", "aocj", strict=True),
    ],
)
def test_lookalike_of_a_latin_letter(lookalike: str, latin: str) -> None:
    assert lookalike != latin
    assert fold(f"x{lookalike}x") == fold(f"x{latin}x")


@pytest.mark.parametrize(
    ("lookalike", "latin"),
    [
        ("zoё", "zoë"),
        ("нaїve", "hаïve"),
        ("ό", "ó"),
        ("а\u0301lice", "álice"),
        ("е\u0302", "ê"),
    ],
)
def test_lookalike_with_an_accent(lookalike: str, latin: str) -> None:
    assert nick_problem(lookalike) == nick_problem(latin) == ""
    assert fold(lookalike) == fold(latin)


@pytest.mark.parametrize("nick", ["ΐ", "ΰ"])
def test_letter_case_of_a_letter_that_has_no_composed_capital(nick: str) -> None:
    assert fold(nick.upper()) == fold(nick)


@given(GOOD_NICKS)
@example("ΐ")
@example("а\u0301")
def test_a_folded_nick_is_folded(nick: str) -> None:
    assert fold(fold(nick)) == fold(nick)


@given(GOOD_NICKS)
def test_a_folded_nick_holds_nothing_that_the_protocols_need(nick: str) -> None:
    assert not set(fold(nick)) & set(",:!@*>#\r\n")


# ── near ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wanted", "taken", "nick"),
    [
        ("alice", NOBODY, "alice"),
        ("alice", {"bob"}, "alice"),
        ("alice", {"alice"}, "alice_2"),
        ("Alice", {"alice", "alice_2", "alice_3"}, "Alice_4"),
        (" al ice ", NOBODY, "alice"),
        ("tom: hi", NOBODY, "tomhi"),
        ("\x1b[31mred", NOBODY, "[31mred"),
        ("e\u0301mile", NOBODY, "émile"),
        ("\u0301alice", NOBODY, "alice"),
        ("a\u200bb", NOBODY, "ab"),
        ("al\ufe0fice", NOBODY, "alice"),
        ("alice\u3164", NOBODY, "alice"),
        ("al\uffa0ice", NOBODY, "alice"),
        ("a" * 30, NOBODY, "a" * 20),
        ("a" * 30, {"a" * 20}, "a" * 18 + "_2"),
        ("", NOBODY, "guest"),
        (":::", NOBODY, "guest"),
        ("😀", {"guest"}, "guest_2"),
    ],
)
def test_alternate_nick(wanted: str, taken: frozenset[str], nick: str) -> None:
    assert alternate_nick(wanted, lambda nick: fold(nick) in taken) == nick


@given(wanted=WANTED, others=st.sets(GOOD_NICKS), times=st.integers(1, 12))
def test_an_alternate_nick_is_good_and_free(wanted: str, others: set[str], times: int) -> None:
    taken = {fold(nick) for nick in others}
    for _ in range(times):
        nick = alternate_nick(wanted, lambda nick: fold(nick) in taken)
        assert nick_problem(nick) == ""
        assert fold(nick) not in taken
        taken.add(fold(nick))


@given(wanted=GOOD_NICKS, others=st.sets(GOOD_NICKS))
def test_a_good_and_free_nick_is_kept(wanted: str, others: set[str]) -> None:
    taken = {fold(nick) for nick in others} - {fold(wanted)}
    assert alternate_nick(wanted, lambda nick: fold(nick) in taken) == composed(wanted)


# ── private rooms ──────────────────────────────────────────────────────────────────────────────


@given(GOOD_NICKS, GOOD_NICKS)
def test_a_private_room_is_the_same_for_both(one: str, other: str) -> None:
    assert private_room(one, other) == private_room(other, one)


@given(GOOD_NICKS, GOOD_NICKS)
def test_a_private_room_has_a_name_that_nothing_else_can_have(one: str, other: str) -> None:
    name = private_room(one, other)
    assert is_private(name)
    assert room_problem(name)
    assert nick_problem(name)
    assert name != PEOPLE


@given(GOOD_NICKS)
def test_a_good_name_is_not_private(name: str) -> None:
    assert not is_private(fold(name))
    assert not is_private(fold(f"#{name}"))
    assert not is_private(PEOPLE)


def test_each_two_have_a_private_room_of_their_own() -> None:
    pairs = [("a", "b"), ("a", "c"), ("b", "c"), ("a", "a"), ("ab", "c"), ("a", "bc")]
    assert len({private_room(*pair) for pair in pairs}) == len(pairs)
