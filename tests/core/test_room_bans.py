"""Bans of a room by name: whom they fit, how long, how they are told, and how they end."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returning import House
from ring import Ring, changes, refusal
from trio_chat.core.commands import (
    Join,
    Kick,
    Leave,
    LiftRoomBan,
    LogIn,
    LogOut,
    Rename,
    Request,
    Say,
    SetModes,
    SetRoomBan,
)
from trio_chat.core.events import (
    AccountDropped,
    AccountSet,
    Arrived,
    Change,
    Entry,
    Event,
    Kicked,
    ModesSet,
    Origin,
    Said,
)
from trio_chat.core.explain import explain_room
from trio_chat.core.masks import entry_mask
from trio_chat.core.refusals import Code
from trio_chat.core.room_bans import over_in
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Notice, Refused
from trio_chat.storage.codec import decode_state, encode_state

HOUR = 3_600_000
FAR = Origin("u", "5d1abb1794.ip")


@pytest.fixture
def house() -> House:
    """Olga founded #den, Mark has an account; Gus and Gina have one address, Lou is on loopback."""
    house = House("olga", "mark")
    house.come("olga", "#den")
    house.come("mark", "#den")
    for nick in ("gus", "gina"):
        house.happen(Arrived(nick, f"id-{nick}", FAR, address="203.0.113.9"))
        house.ask(f"id-{nick}", Join("#den"))
    house.happen(Arrived("lou", "id-lou", Origin("u", "cafe.ip"), address="127.0.0.1"))
    house.ask("id-lou", Join("#den"))
    return house


def ban(house: House, whom: str, by: str = "olga", **terms: object) -> list[str]:
    """Set a ban, with the removals that follow; who is removed, and what the operator is told."""
    asked = SetRoomBan("#den", whom, **terms)  # type: ignore[arg-type]
    event, *rest = house.decide(f"id-{by}", asked)
    assert isinstance(event, ModesSet), event
    kicks = [one for one in rest if isinstance(one, Kicked)]
    for each in (event, *kicks):
        house.happen(each)
    return [kick.target for kick in kicks] + [one.text for one in rest if isinstance(one, Notice)]


def masks(house: House) -> list[Mask]:
    return [mask for _, mask in house.chat.rooms["#den"].state.masks]


def lift(house: House, which: str, by: str = "olga") -> list[str]:
    before = {mask.mask for mask in masks(house)}
    house.ask(f"id-{by}", LiftRoomBan("#den", which))
    return sorted(before - {mask.mask for mask in masks(house)})


# ── whom it is about ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("whom", "entry"),
    [
        ("mark", "a:mark"),
        ("gus", "*!*@5d1abb1794.ip"),
        ("lou", "lou!*@*"),
        ("a:Eve", "a:Eve"),
        ("*@*.example", "*!*@*.example"),
        ("spam*", "spam*!*@*"),
    ],
)
def test_a_name_stands_for_an_account_or_an_address(house: House, whom: str, entry: str) -> None:
    ban(house, whom)
    assert [mask.mask for mask in masks(house)] == [entry]


def test_who_has_gone_is_known_by_the_last_nickname(house: House) -> None:
    house.ask("id-gus", Rename("gustav"))
    assert ban(house, "gus")[0] == "gustav"
    house.go("lou")
    ban(house, "lou")
    house.go("mark")
    assert ban(house, "Mark") == []
    assert [mask.mask for mask in masks(house)] == ["*!*@5d1abb1794.ip", "lou!*@*", "a:mark"]


def test_a_name_that_nobody_has_is_refused_with_a_way(house: House) -> None:
    refused = refusal(house.decide("id-olga", SetRoomBan("#den", "nobody")))
    assert refused.code is Code.NO_SUCH_NICK
    assert "name nobody!*@*." in refused.why
    refused = refusal(house.decide("id-olga", LiftRoomBan("#den", "nobody")))
    assert refused.why == "There is no ban of nobody in #den. /bans lists them."


def test_nobody_bans_themselves(house: House) -> None:
    assert "yourself" in refusal(house.decide("id-olga", SetRoomBan("#den", "olga"))).why


@pytest.mark.parametrize("whom", ["olga", "a:olga", "olga!*@*", "*"])
def test_the_founder_is_not_banned_by_other_operators(house: House, whom: str) -> None:
    house.set("#den", "+o", "mark")
    outcomes = house.decide("id-mark", SetRoomBan("#den", whom))
    if whom != "*":
        assert refusal(outcomes).code is Code.NEED_OP
        return
    ban(house, "*", by="mark")
    assert not isinstance(house.decide("id-olga", Say("#den", "still here"))[0], Refused)
    house.go("olga")
    assert len(house.come("olga", "#den")) == 1


@pytest.mark.parametrize("asked", [SetRoomBan("#den", "gina"), LiftRoomBan("#den", "1")])
def test_only_operators_of_the_room_set_and_lift_bans(house: House, asked: Request) -> None:
    ban(house, "a:eve")
    assert refusal(house.decide("id-gus", asked)).code is Code.NEED_OP
    house.enter("stranger")
    assert refusal(house.decide("id-stranger", asked)).code is Code.NEED_OP
    house.make_operator("stranger")
    assert house.chat.is_repair("id-stranger", asked)


# ── who is removed ─────────────────────────────────────────────────────────────────────────────


ONE = "It fits 1 of the 4 others in #den; it does nothing to operators.\n"


def test_who_is_named_is_removed_and_those_who_share_the_address_are_told(house: House) -> None:
    """Two of five fit; had it been three, nobody beside Gus would have been removed."""
    assert ban(house, "gus") == [
        "gus",
        "gina",
        "It fits 2 of the 4 others in #den; it does nothing to operators.\n"
        "/unban *!*@5d1abb1794.ip undoes it.",
    ]
    house.enter("gil", origin=FAR)
    assert house.refused("gil", "#den") is Code.BANNED


def test_who_is_banned_on_several_devices_leaves_on_all_of_them(house: House) -> None:
    again = Origin(account="mark")
    house.happen(Arrived("mark_2", "id-mark_2", again, "=mark", password_id=1))
    house.ask("id-mark_2", Join("#den"))
    assert ban(house, "mark") == ["mark", "mark_2"]


def test_an_operator_who_is_banned_is_none_any_more(house: House) -> None:
    house.set("#den", "+o", "mark")
    assert ban(house, "mark") == ["mark"]
    assert house.refused("mark", "#den") is Code.BANNED


def test_a_ban_of_most_is_taken_for_a_mistake_and_can_be_undone(house: House) -> None:
    [told] = ban(house, "*")
    assert told == (
        "It fits all 4 others in #den; it does nothing to operators.\n"
        "Nobody is removed, but they may not speak. /unban *!*@* undoes it."
    )
    assert isinstance(house.decide("id-gus", Say("#den", "hi"))[0], Refused)
    assert lift(house, "*!*@*") == ["*!*@*"]
    assert not isinstance(house.decide("id-gus", Say("#den", "hi"))[0], Refused)


@pytest.mark.parametrize(
    ("whom", "everybody"),
    [("*", "everybody"), ("*!*@*", "everybody"), ("a:*", "everybody with an account")],
)
def test_a_ban_of_everybody_is_told_though_nobody_is_hit_now(
    house: House, whom: str, everybody: str
) -> None:
    for nick in ("mark", "gus", "gina", "lou"):
        house.go(nick)
    [told] = ban(house, whom)
    assert told == (
        f"It fits {everybody}; it does nothing to operators.\n/unban {entry_mask(whom)} undoes it."
    )
    assert lift(house, told.split()[-3]) == [entry_mask(whom)]


def test_nobody_becomes_in_a_room_who_is_banned_from_it(house: House) -> None:
    house.happen(Arrived("eve", "id-eve", FAR))
    house.ask("id-eve", Join("#den"))
    ban(house, "mark", why="spam")
    ban(house, "spam*")
    banned = "leave it first. You are banned from #den"
    login = refusal(house.decide("id-eve", LogIn("mark", password_id=1))).why
    assert login == f"As mark you cannot stay in #den: {banned} (spam). Ask its operators."
    assert banned in refusal(house.decide("id-eve", Rename("spammer"))).why
    house.ask("id-eve", Leave("#den"))
    assert isinstance(house.decide("id-eve", LogIn("mark", password_id=1))[0], AccountSet)


def test_operators_are_no_others_of_whom_most_are_hit(house: House) -> None:
    house.set("#den", "+oo", "mark", "lou")
    assert ban(house, "*") == [
        "It fits both others in #den; it does nothing to operators.\n"
        "Nobody is removed, but they may not speak. /unban *!*@* undoes it."
    ]


def test_of_whom_an_exception_lets_in_that_is_told(house: House) -> None:
    house.set("#den", "+e", "mark!*@*")
    assert ban(house, "mark") == [
        "mark",
        "It does nothing to mark while mark!*@* is an exception (mode +e).",
    ]


@pytest.mark.parametrize(
    ("letter", "told"),
    [("o", "are an operator here (mode +o)"), ("v", "have a voice here (mode +v)")],
)
def test_who_may_speak_although_muted_is_told_of(house: House, letter: str, told: str) -> None:
    house.set("#den", f"+{letter}", "mark")
    assert ban(house, "mark", mute=True) == [f"It does nothing to mark while they {told}."]
    assert not isinstance(house.decide("id-mark", Say("#den", "hi"))[0], Refused)


def test_that_operators_of_the_server_can_come_back_is_told(house: House) -> None:
    house.chat.is_open = True
    house.chat.operators = frozenset({"mark"})
    house.make_operator("lou")
    for nick in ("mark", "lou"):
        assert ban(house, nick) == [
            nick,
            f"{nick} is an operator of this server, and can come back.",
        ]


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("founder", ["olga", "a:olga"])
def test_that_the_founder_can_come_back_is_told_to_both(
    house: House, founder: str, there: bool
) -> None:
    """Only an operator of the server can remove them. They are not told that they are banned."""
    house.chat.is_open = True
    house.make_operator("lou")
    if not there:
        house.go("olga")
    told = ban(house, founder, by="lou")
    assert told == ["olga"] * there + ["olga founded #den, and can come back."]
    house.come("olga")
    assert [*explain_room(house.chat, house.person("olga"), house.chat.rooms["#den"])] == []
    assert len(house.come("olga", "#den")) == 1


def test_only_whom_a_ban_keeps_out_is_told_of_it_when_removed(house: House) -> None:
    house.set("#den", "+o", "mark")
    house.make_operator("lou")
    ban(house, "a:*", by="lou")
    kicks = [Kick("#den", nick) for nick in ("olga", "lou", "mark")]
    told = {kick.nick: house.ask("id-lou", kick) for kick in kicks}
    notices = [nick for nick, shown in told.items() if isinstance(shown[-1].shown, Notice)]
    assert notices == ["mark"]


def test_of_an_operator_who_is_not_there_it_is_told_that_a_ban_does_nothing(house: House) -> None:
    house.set("#den", "+o", "mark")
    house.go("mark")
    assert ban(house, "mark", mute=True) == [
        "It does nothing to mark while they are an operator here (mode +o)."
    ]
    assert ban(house, "mark") == ["mark is an operator of #den, and can come back: kick them then."]
    house.come("mark", "#den")
    house.ask("id-olga", Kick("#den", "mark"))
    assert house.refused("mark", "#den") is Code.BANNED


@pytest.mark.parametrize(("mute", "letter"), [(False, "R"), (True, "M")])
def test_where_guests_come_in_it_is_told_what_keeps_them_out(
    house: House, mute: bool, letter: str
) -> None:
    house.chat.is_open = True
    told = ban(house, "mark", mute=mute)[-1]
    assert told.startswith("They can ")
    assert f"mode +{letter} of #den" in told
    house.set("#den", f"+{letter}")
    assert ban(house, "a:eve", mute=mute) == []


def test_who_has_logged_out_is_removed_by_the_name_of_the_account(house: House) -> None:
    house.ask("id-mark", Rename("marcus"))
    house.ask("id-mark", LogOut())
    for nick in ("gus", "gina", "lou"):
        house.go(nick)
    assert ban(house, "mark") == ["marcus"]
    assert house.refused("mark", "#den") is Code.BANNED


def test_who_is_excepted_is_not_removed(house: House) -> None:
    house.set("#den", "+e", "gina")
    assert ban(house, "*@5d1abb1794.ip") == [
        "gus",
        f"{ONE}/unban *!*@5d1abb1794.ip undoes it.",
    ]


def test_a_mute_removes_nobody(house: House) -> None:
    assert ban(house, "mark", mute=True) == []
    assert ban(house, "m:lou") == [f"{ONE}/unban m:lou!*@* undoes it."]
    assert [mask.mask for mask in masks(house)] == ["m:a:mark", "m:lou!*@*"]


# ── until when, and why ────────────────────────────────────────────────────────────────────────


def test_an_entry_says_who_when_until_when_and_why(house: House) -> None:
    ban(house, "mark", seconds=7200, why="spam")
    [mask] = masks(house)
    at = mask.at
    assert mask == Mask("a:mark", "olga", at, 1, at + 2 * HOUR, "spam", account="olga")
    state = house.chat.rooms["#den"].state
    assert decode_state(encode_state(state)) == state == house.state_from_log("#den")


def test_another_time_or_reason_replaces_the_entry(house: House) -> None:
    ban(house, "lou", seconds=60, why="spam")
    ban(house, "lou", seconds=7200)
    [mask] = masks(house)
    assert (mask.number, mask.until - mask.at, mask.why) == (2, 2 * HOUR, "spam")
    house.set("#den", "+b", "lou")
    [mask] = masks(house)
    assert (mask.number, mask.until, mask.why) == (3, 0, "spam")
    assert house.decide("id-olga", SetModes("#den", changes("+b", "lou"))) == []
    already = refusal(house.decide("id-olga", SetRoomBan("#den", "lou!*@*")))
    assert already.why == "There is such a ban already."


def test_what_somebody_asks_for_is_bounded(house: House) -> None:
    ban(house, "lou", seconds=10**12, why="w" * 1000)
    [mask] = masks(house)
    assert mask.until - mask.at == 10 * 366 * 24 * HOUR
    assert len(mask.why) == 200


UNTIL = "until 1970-01-01 02:01 UTC (spam). Ask its operators."


def test_who_is_banned_is_told_until_when_and_why(house: House) -> None:
    [event, *_] = house.decide("id-olga", SetRoomBan("#den", "mark", 7200, why="spam"))
    house.happen(event)  # type: ignore[arg-type]
    banned = f"You are banned from #den {UNTIL}"
    assert refusal(house.decide("id-mark", Say("#den", "hi"))).why == banned
    renamed = refusal(house.decide("id-mark", Rename("marcus")))
    assert renamed.why == f"You cannot change your nickname now. {banned}"
    told = house.ask("id-olga", Kick("#den", "mark", "spam"))[-1]
    assert (told.shown, told.people) == (Notice(banned, "#den"), ("id-mark",))
    assert refusal(house.decide("id-mark", Join("#den"))).why == banned


def test_who_is_muted_is_told_until_when_and_why(house: House) -> None:
    ban(house, "mark", seconds=7200, mute=True, why="spam")
    muted = f"You may not speak in #den {UNTIL}"
    assert refusal(house.decide("id-mark", Say("#den", "hi"))).why == muted
    house.set("#den", "+b", "a:mark")
    banned = "You are banned from #den. Ask its operators."
    assert refusal(house.decide("id-mark", Say("#den", "hi"))).why == banned


def test_of_several_the_one_that_lasts_longest_is_told(house: House) -> None:
    ban(house, "gus", seconds=7200, mute=True, why="spam")
    ban(house, "gus!*@*", seconds=60, mute=True)
    assert refusal(house.decide("id-gus", Say("#den", "hi"))).why.endswith(UNTIL)


# ── lifted, and over ───────────────────────────────────────────────────────────────────────────


def test_bans_are_lifted_by_number_or_by_whom_they_are_about(house: House) -> None:
    for whom, mute in [("mark", False), ("mark", True), ("gus", False), ("lou", True)]:
        ban(house, whom, mute=mute)
    assert lift(house, "mark") == ["a:mark", "m:a:mark"]
    assert lift(house, "GUS") == ["*!*@5d1abb1794.ip"]
    why = refusal(house.decide("id-olga", LiftRoomBan("#den", "3"))).why
    assert why == "There is no ban 3 in #den. /bans lists them."
    why = refusal(house.decide("id-olga", LiftRoomBan("#den", "gus"))).why
    assert why == "There is no ban of *!*@5d1abb1794.ip in #den. /bans lists them."
    assert lift(house, "4") == ["m:lou!*@*"]
    ban(house, "mark")
    house.happen(AccountDropped("mark", "id-mark"))
    house.go("mark")
    assert lift(house, "mark") == ["a:mark"]


def test_a_number_is_not_used_again(house: House) -> None:
    ban(house, "lou", mute=True)
    lift(house, "1")
    ban(house, "lou", mute=True)
    assert [mask.number for mask in masks(house)] == [2]
    state = house.chat.rooms["#den"].state
    assert decode_state(encode_state(state)).last_entry == 2


def test_entries_end_at_their_moment_and_not_before(house: House) -> None:
    room = house.chat.rooms["#den"]
    ban(house, "mark", seconds=60, mute=True)
    ban(house, "lou", seconds=120, mute=True)
    ban(house, "gus", mute=True)
    first, second, _ = (mask.until for mask in masks(house))
    assert over_in(room, first - 1) is None
    over = over_in(room, first)
    assert over == ModesSet("#den", "", (Change(False, "b", "m:a:mark"),))
    [delivery] = house.happen(over)
    assert (delivery.rooms, delivery.people) == (("#den",), ())
    assert not isinstance(house.decide("id-mark", Say("#den", "hi"))[0], Refused)
    assert isinstance(house.decide("id-lou", Say("#den", "hi"))[0], Refused)
    both = over_in(room, second + HOUR)
    assert both == ModesSet("#den", "", (Change(False, "b", "m:lou!*@*"),))
    house.happen(both)
    assert over_in(room, second + 100 * HOUR) is None


# ── whatever somebody without rights does ──────────────────────────────────────────────────────

_WORDS = st.sampled_from(["olga", "mark", "gus", "#den", "a:mark", "*", "1", "", "hi"])
_MEANT = {
    "room": st.sampled_from(["#den", "#hall"]),
    "nick": st.sampled_from(["olga", "mark", "gus", "eve"]),
    "status": st.sampled_from(["", "@", "+"]),
    "entry": st.just(Entry("#den", "000001-0", Said("#den", "olga", "hi", "id-olga"), 1)),
    "changes": st.lists(
        st.builds(Change, st.booleans(), st.sampled_from([*"beIklimnstCMRov"]), _WORDS), max_size=3
    ).map(tuple),
}
_OF_TYPE = {str: _WORDS, int: st.integers(0, 100), bool: st.booleans()}


def _requests(kind: type) -> st.SearchStrategy[Request]:
    """Requests of a kind, with the words that may do harm."""
    made = {}
    for name, field in kind.__dataclass_fields__.items():  # type: ignore[attr-defined]
        if (found := _MEANT.get(name, _OF_TYPE.get(field.type))) is not None:
            made[name] = found
    return st.builds(kind, **made)


ASKED = st.one_of([_requests(kind) for kind in get_args(Request)])


def rights(ring: Ring) -> object:
    """All that says what anybody may do, but for the accounts of those who do this."""
    rooms = [
        (
            *(room.state.founder, room.state.flags, room.state.key, room.state.limit),
            *(room.state.masks, {who: one.letters for who, one in room.state.standing.items()}),
            *(dict(room.status), dict(room.invited)),
        )
        for name, room in ring.chat.rooms.items()
        if name in ("#den", "#hall")
    ]
    chat, realm = ring.chat, ring.chat.realm
    accounts = [realm.account(name) for name in ("olga", "mark")]
    people = {p.user_id: p.modes for p in chat.people.values() if "o" in p.modes}
    return rooms, accounts, people, dict(realm.bans.all), realm.lock


@given(st.lists(st.tuples(st.sampled_from(["id-gus", "id-eve"]), ASKED), min_size=20, max_size=60))
def test_nobody_without_rights_changes_anybodys_rights(
    steps: list[tuple[str, Request]],
) -> None:
    house = House("olga", "mark", "eve")
    for room in ("#den", "#hall"):
        house.come("olga", room)
        house.come("mark", room)
        house.set(room, "+v", "mark")
    house.set("#hall", "+bMi", "m:a:mark")
    house.come("eve", "#den")
    house.come("gus", "#den", known=False)
    house.happen(Arrived("root", "id-root", Origin(), "~root"))
    house.make_operator("root")
    before = rights(house)
    for user_id, asked in steps:
        if isinstance(asked, Rename) and house.chat.person(asked.nick):
            continue  # the server gives nobody a nickname that somebody has
        for event in house.decide(user_id, asked):
            if isinstance(event, Event):
                house.happen(event)
        assert rights(house) == before
