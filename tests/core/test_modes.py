"""The modes of a room: which changes are made, what is refused, and what is left of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring, changes
from trio_chat.core.commands import KEY_MAX, SetModes
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import Change, ModesSet, Origin
from trio_chat.core.masks import fold_mask
from trio_chat.core.modes import (
    ARGUED,
    COUNTED,
    FLAGS,
    KEYED,
    LISTS,
    ROOM_MODES,
    STATUS,
    prefixes,
    with_letter,
)
from trio_chat.core.refusals import Code
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Refused

OLGA = Origin("uolga", "olga.net")


@pytest.fixture
def ring() -> Ring:
    """In #Den are Olga, its operator, and Mark; Eve is outside."""
    ring = Ring(room_modes="")
    ring.enter("olga", "#Den", origin=OLGA)
    ring.enter("mark", "#Den")
    ring.enter("eve")
    return ring


def asked(ring: Ring, modes: str, *arguments: str) -> Outcomes:
    return ring.decide("id-olga", SetModes("#DEN", changes(modes, *arguments)))


def made(*made: Change) -> list[ModesSet]:
    return [ModesSet("#Den", "olga", made, "id-olga", OLGA)] if made else []


# ── letters ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "expected"), [("", ""), ("o", "@"), ("v", "+"), ("ov", "@+"), ("vo", "@+")]
)
def test_prefixes(status: str, expected: str) -> None:
    assert prefixes(status) == expected


@given(st.text("abc").map(lambda text: "".join(sorted({*text}))), st.sampled_from("abcd"))
def test_a_letter_more_or_less(letters: str, letter: str) -> None:
    more, less = (with_letter(letters, letter, add=add) for add in (True, False))
    assert {*more} == {*letters, letter}
    assert {*less} == {*letters} - {letter}
    for some in (more, less):
        assert list(some) == sorted({*some})


def test_each_mode_of_a_room_is_of_one_kind() -> None:
    kinds = [*LISTS, *KEYED, *COUNTED, *FLAGS, *STATUS]
    assert sorted(kinds) == list(ROOM_MODES)
    assert ARGUED[True] - ARGUED[False] == {*COUNTED}


# ── flags, key and limit ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flag", "imnst")
def test_a_flag_is_set_and_removed_and_twice_is_nothing(ring: Ring, flag: str) -> None:
    assert asked(ring, f"-{flag}") == []
    assert asked(ring, f"+{flag}") == made(Change(True, flag))
    ring.set("#den", f"+{flag}")
    assert ring.chat.rooms["#den"].state.flags == {flag}
    assert asked(ring, f"+{flag}") == []
    assert asked(ring, f"-{flag}") == made(Change(False, flag))
    ring.set("#den", f"-{flag}")
    assert ring.chat.rooms["#den"].state.flags == frozenset()


def test_what_is_no_mode_of_a_room_changes_nothing(ring: Ring) -> None:
    assert asked(ring, "+xBw-z") == []
    assert asked(ring, "") == []


def test_changes_are_made_together_without_those_that_change_nothing(ring: Ring) -> None:
    ring.set("#den", "+m")
    outcomes = asked(ring, "+mi-n+kl-m", "sesame", "5")
    assert outcomes == made(
        Change(True, "i"), Change(True, "k", "sesame"), Change(True, "l", "5"), Change(False, "m")
    )


def test_what_is_refused_keeps_nothing_else_from_being_made(ring: Ring) -> None:
    event, *refused = asked(ring, "+okilo", "nobody", "a b", "none", "eve")
    assert [event] == made(Change(True, "i"))
    assert refused == [
        Refused(refused[0].why, Code.NO_SUCH_NICK, ("nobody",)),  # type: ignore[union-attr]
        Refused(refused[1].why, Code.BAD_ARGUMENT, ("#Den", "k", "*")),  # type: ignore[union-attr]
        Refused(refused[2].why, Code.BAD_ARGUMENT, ("#Den", "l", "none")),  # type: ignore[union-attr]
        Refused(refused[3].why, Code.TARGET_NOT_IN_ROOM, ("eve", "#Den")),  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize("key", ["s", "a:b", "é", "x" * KEY_MAX, "*"])
def test_a_key(ring: Ring, key: str) -> None:
    assert asked(ring, "-k", key) == []
    assert asked(ring, "+k", key) == made(Change(True, "k", key))
    ring.set("#den", "+k", key)
    assert ring.chat.rooms["#den"].state.key == key
    assert asked(ring, "+k", key) == []
    assert asked(ring, "+k", "other") == made(Change(True, "k", "other"))
    for said in (key, "other", ""):  # whoever may remove it could look it up
        assert asked(ring, "-k", said) == made(Change(False, "k", key))
    ring.set("#den", "-k", "other")
    assert ring.chat.rooms["#den"].state.key == ""


@pytest.mark.parametrize("key", ["", "a b", "a,b", ":a", "x" * (KEY_MAX + 1)])
def test_no_key(ring: Ring, key: str) -> None:
    [refused] = asked(ring, "+k", key)
    assert isinstance(refused, Refused)
    assert refused.code == Code.BAD_ARGUMENT
    assert key not in refused.about


@pytest.mark.parametrize(
    ("said", "limit"), [("1", 1), ("007", 7), ("999999999", 999999999), ("000000010", 10)]
)
def test_a_limit(ring: Ring, said: str, limit: int) -> None:
    assert asked(ring, "-l") == []
    assert asked(ring, "+l", said) == made(Change(True, "l", str(limit)))
    ring.set("#den", "+l", said)
    assert ring.chat.rooms["#den"].state.limit == limit
    assert asked(ring, "+l", said) == []
    assert asked(ring, "+l", "42") == made(Change(True, "l", "42"))
    assert asked(ring, "-l") == made(Change(False, "l"))
    ring.set("#den", "-l")
    assert ring.chat.rooms["#den"].state.limit == 0


@pytest.mark.parametrize("said", ["", "0", "000", "-1", "+1", "1.5", "x", "٣", "²", "1000000000"])
def test_no_limit(ring: Ring, said: str) -> None:
    [refused] = asked(ring, "+l", said)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.about) == (Code.BAD_ARGUMENT, ("#Den", "l", said))


# ── several changes of one thing ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "said", "left"),
    [
        ("", "+l-l 5", []),
        ("+l 7", "+l-l 5", [Change(False, "l")]),
        ("", "-l+l 5", [Change(True, "l", "5")]),
        ("", "+ll 5 6", [Change(True, "l", "6")]),
        ("+l 7", "-l+l 7", []),
        ("", "+k-k x *", []),
        ("+k old", "+k-k x *", [Change(False, "k", "old")]),
        ("", "-k+k * x", [Change(True, "k", "x")]),
        ("+k x", "+kk y x", []),
        ("", "+i-i", []),
        ("+i", "-i+i", []),
        ("", "+i-i+i", [Change(True, "i")]),
        ("", "+o-o mark MARK", []),
        ("", "-o+o mark MARK", [Change(True, "o", "mark", "id-mark")]),
        ("", "-o+o olga OLGA", []),
        ("", "+b-b eve EVE!*", []),
        ("+b eve", "-b+b EVE eve", []),
        ("", "+b-b+b eve eve eve", [Change(True, "b", "eve!*@*")]),
        ("", "+bb eve EVE", [Change(True, "b", "eve!*@*")]),
        ("", "+b-e eve eve", [Change(True, "b", "eve!*@*")]),
    ],
)
def test_each_change_is_judged_by_those_before_it(
    ring: Ring, before: str, said: str, left: list[Change]
) -> None:
    """And what is told of is what is another now than it was before."""
    if before:
        ring.set("#den", *before.split())
    assert asked(ring, *said.split()) == made(*left)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["+", "-"]),
            st.sampled_from(
                ["i", "l,5", "l,6", "k,x", "k,y", "v,mark", "v,MARK", "b,eve", "b,EVE", "b,m:eve"]
            ),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_a_line_of_changes_is_as_a_line_for_each(parts: list[tuple[str, str]]) -> None:
    together, apart = (Ring(room_modes="") for _ in range(2))
    for one in (together, apart):
        one.enter("olga", "#den")
        one.enter("mark", "#den")
    said = tuple(
        Change(sign == "+", part[0], "" if (sign, part[0]) == ("-", "l") else part[2:])
        for sign, part in parts
    )
    if outcomes := together.decide("id-olga", SetModes("#den", said)):
        [event] = outcomes
        assert isinstance(event, ModesSet)
        together.happen(event)
    for change in said:
        for outcome in apart.decide("id-olga", SetModes("#den", (change,))):
            assert isinstance(outcome, ModesSet)
            apart.happen(outcome)
    one, other = together.chat.rooms["#den"], apart.chat.rooms["#den"]
    assert one.status == other.status
    assert (one.state.flags, one.state.key, one.state.limit) == (
        other.state.flags, other.state.key, other.state.limit,
    )  # fmt: skip
    assert {(mode, fold_mask(entry.mask)) for mode, entry in one.state.masks} == {
        (mode, fold_mask(entry.mask)) for mode, entry in other.state.masks
    }


# ── status ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("letter", "ov")
def test_a_member_is_given_a_status_and_loses_it(ring: Ring, letter: str) -> None:
    assert asked(ring, f"-{letter}", "mark") == []
    change = Change(True, letter, "mark", "id-mark")
    assert asked(ring, f"+{letter}", "MARK") == made(change)
    ring.set("#den", f"+{letter}", "mark")
    assert ring.chat.rooms["#den"].status == {"id-olga": "o", "id-mark": letter}
    assert asked(ring, f"+{letter}", "mark") == []
    change = Change(False, letter, "mark", "id-mark")
    assert asked(ring, f"-{letter}", "mark") == made(change)
    ring.set("#den", f"-{letter}", "mark")
    assert ring.chat.rooms["#den"].status == {"id-olga": "o"}


def test_somebody_may_have_both(ring: Ring) -> None:
    ring.set("#den", "+vo", "mark", "mark")
    assert ring.chat.rooms["#den"].status["id-mark"] == "ov"
    ring.set("#den", "-o", "mark")
    assert ring.chat.rooms["#den"].status["id-mark"] == "v"


def test_an_operator_may_give_it_up_and_then_has_no_power(ring: Ring) -> None:
    ring.set("#den", "-o", "olga")
    [refused] = asked(ring, "+o", "olga")
    assert isinstance(refused, Refused)
    assert refused.code == Code.NEED_OP


@pytest.mark.parametrize("sign", "+-")
@pytest.mark.parametrize(
    ("nick", "code", "about"),
    [
        ("nobody", Code.NO_SUCH_NICK, ("nobody",)),
        ("", Code.NO_SUCH_NICK, ("",)),
        ("EVE", Code.TARGET_NOT_IN_ROOM, ("eve", "#Den")),
    ],
)
def test_only_members_have_a_status(
    ring: Ring, sign: str, nick: str, code: Code, about: tuple[str, ...]
) -> None:
    [refused] = asked(ring, f"{sign}v", nick)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.about) == (code, about)


# ── lists ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", LISTS)
def test_a_mask_is_listed_in_full_and_once(ring: Ring, mode: str) -> None:
    assert asked(ring, f"-{mode}", "eve") == []
    for mask in ("eve", "eve!*@*", "eve!*", "eve!@"):
        assert asked(ring, f"+{mode}", mask) == made(Change(True, mode, "eve!*@*"))
    ring.set("#den", f"+{mode}", "eve")
    at = len(ring.entries) - 1
    assert ring.chat.rooms["#den"].state.masks == ((mode, Mask("eve!*@*", "olga", at, 1)),)
    for mask in ("eve", "eve!*@*"):
        assert asked(ring, f"+{mode}", mask) == []
        assert asked(ring, f"-{mode}", mask) == made(Change(False, mode, "eve!*@*"))
    ring.set("#den", f"-{mode}", "eve")
    assert ring.chat.rooms["#den"].state.masks == ()


@pytest.mark.parametrize(
    ("listed", "same"),
    [
        ("ÉMILE", "émile"),
        ("bob", "bоb"),
        ("bob", "ｂｏｂ"),
        ("Bob!*@*.Net", "bOB!*@*.nET"),
        ("m:Bob", "m:BOB"),
        ("m:Bob", "M:bob!*@*"),
        ("B?b*", "b?B*!*"),
    ],
)
def test_what_folds_the_same_is_the_same_mask(ring: Ring, listed: str, same: str) -> None:
    """It is listed as it was set, and removed by any name for it."""
    ring.set("#den", "+b", listed)
    [(_, entry)] = ring.chat.rooms["#den"].state.masks
    assert asked(ring, "+b", same) == []
    assert asked(ring, "-b", same) == made(Change(False, "b", entry.mask))
    ring.set("#den", "-b", same)
    assert ring.chat.rooms["#den"].state.masks == ()


def test_a_mask_may_be_on_several_lists(ring: Ring) -> None:
    ring.set("#den", "+beI", "eve", "eve", "eve")
    ring.set("#den", "-e", "eve")
    assert [mode for mode, _ in ring.chat.rooms["#den"].state.masks] == ["b", "I"]


@pytest.mark.parametrize("mode", LISTS)
def test_a_list_has_an_end(ring: Ring, mode: str) -> None:
    for number in range(100):
        ring.set("#den", f"+{mode}", f"eve{number}")
    [refused] = asked(ring, f"+{mode}", "eve")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.about) == (Code.LIST_FULL, ("#Den", "eve!*@*", mode))
    assert asked(ring, f"+{mode}", "eve7") == []
    other = next(other for other in LISTS if other != mode)
    assert asked(ring, f"+{other}", "eve") == made(Change(True, other, "eve!*@*"))
    assert asked(ring, f"-{mode}+{mode}", "eve7", "eve") == made(
        Change(False, mode, "eve7!*@*"), Change(True, mode, "eve!*@*")
    )
    one_too_many = asked(ring, f"-{mode}+{mode}{mode}", "eve7", "eve", "eva")
    assert one_too_many[1].code is Code.LIST_FULL  # type: ignore[union-attr]
    ring.set("#den", f"-{mode}", "eve7")
    assert asked(ring, f"+{mode}", "eve") == made(Change(True, mode, "eve!*@*"))


def test_a_mask_is_no_longer_than_it_may_be(ring: Ring) -> None:
    longest = "漢" * 65 + "x"  # with its ending, 200 bytes
    assert asked(ring, "+b", longest) == made(Change(True, "b", f"{longest}!*@*"))
    [refused] = asked(ring, "+b", longest + "x")
    assert isinstance(refused, Refused)
    assert refused.code is Code.BAD_ARGUMENT
