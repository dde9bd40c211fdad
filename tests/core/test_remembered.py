"""What a room remembers of those who come again, and what it hides from those who come first."""

import pytest

from returning import House
from ring import changes
from trio_chat.core.commands import Invite, Join, Kick, Leave, SetModes, SetUserModes
from trio_chat.core.events import Arrived, Change, Joined, ModesSet
from trio_chat.core.invitations import INVITED_MAX
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import LEFT_MAX, REGULARS_MAX, SPANS_MAX, spans
from trio_chat.core.views import RoomWelcome


@pytest.fixture
def house() -> House:
    return House()


# ── who enters an empty room ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("modes", "code"),
    [
        ("+i", Code.INVITE_ONLY),
        ("+k key", Code.BAD_KEY),
        ("+b stranger", Code.BANNED),
        ("+b *!*@*", Code.BANNED),
        ("+l 1", None),
        ("+iI stranger", None),
        ("+be *!*@* stranger", None),
    ],
)
def test_a_stranger_enters_an_empty_room_as_any_other(
    house: House, modes: str, code: Code | None
) -> None:
    house.come("olga", "#den", known=False)
    house.set("#den", *modes.split())
    house.go("olga")
    house.restart()
    house.come("stranger")
    assert house.refused("stranger", "#den") is code
    assert house.refused("stranger", "#den", "key") in (None, code)


@pytest.mark.parametrize(
    ("modes", "code"), [("+i", None), ("+k key", None), ("+ik key", None), ("+b mark", Code.BANNED)]
)
def test_who_was_there_before_needs_nobody_to_ask_them_in(
    house: House, modes: str, code: Code | None
) -> None:
    house.come("olga", "#den")
    house.come("mark", "#den")
    house.set("#den", *modes.split())
    house.ask("id-mark", Leave("#den"))
    inside = house.refused("mark", "#den")
    assert inside in (Code.INVITE_ONLY, Code.BAD_KEY, Code.BANNED)
    house.go("olga")
    house.restart()
    house.come("mark")
    assert house.refused("mark", "#den") is code


@pytest.mark.parametrize("modes", ["+i", "+k key", "+b *!*@*", "+l 1", "+bikl *!*@* key 1"])
@pytest.mark.parametrize("empty", [True, False])
def test_an_operator_of_the_room_can_always_come_back(
    house: House, modes: str, empty: bool
) -> None:
    house.come("olga", "#den")
    house.come("mark", "#den")
    house.set("#den", *modes.split())
    house.go("olga")
    if empty:
        house.go("mark")
        house.restart()
    house.come("olga", "#den")
    assert house.status("olga", "#den") == "o"


def test_who_was_sent_out_or_is_not_told_the_new_key_stays_outside(house: House) -> None:
    house.come("olga", "#den", known=False)
    for nick in ("mark", "vera", "hank"):
        house.come(nick, "#den")
    house.set("#den", "+k", "old")
    house.ask("id-olga", Kick("#den", "mark"))
    house.ask("id-vera", Leave("#den"))
    house.set("#den", "+k", "new")
    house.go("olga")
    house.go("hank")
    assert house.refused("mark", "#den") is Code.BAD_KEY
    assert house.refused("vera", "#den") is Code.BAD_KEY
    house.come("hank")
    assert house.refused("hank", "#den") is None


def test_who_was_banned_while_there_does_not_come_back_under_another_name(house: House) -> None:
    house.come("olga", "#den", known=False)
    house.come("fred", "#den")
    house.set("#den", "+i")
    house.set("#den", "+b", "fred!*@*")
    house.go("fred")
    house.go("olga")
    house.restart()
    house.happen(Arrived("fred2", "id-fred2", identity="~fred"))
    house.chat.open_room(house.state_from_log("#den")) if "#den" not in house.chat.rooms else None
    assert house.refused("fred2", "#den") is Code.INVITE_ONLY


def test_of_those_who_are_banned_only_whom_the_room_remembers_are_written_down(
    house: House,
) -> None:
    house.come("olga", "#den", known=False)
    for nick in ("fred", "mark"):
        house.come(nick, "#den")
    assert _banned(house, "+b", "*!*@*") == ()
    house.set("#den", "-b", "*!*@*")
    assert _banned(house, "+bi", "f*!*@*") == ("~fred",)
    assert [*house.chat.rooms["#den"].state.regulars] == ["~mark"]
    house.ask("id-fred", Leave("#den"))
    assert _banned(house, "+b", "*!*@*") == ("~mark",)
    assert [*house.chat.rooms["#den"].state.regulars] == []


def _banned(house: House, modes: str, *arguments: str) -> tuple[str, ...]:
    [modes_set] = house.decide("id-olga", SetModes("#den", changes(modes, *arguments)))
    assert isinstance(modes_set, ModesSet)
    house.happen(modes_set)
    return modes_set.banned


def test_a_new_room_that_begins_invite_only_lets_the_first_one_in() -> None:
    house = House(room_modes="i")
    house.come("olga", "#den", known=False)
    assert house.status("olga", "#den") == "o"
    house.come("mark", known=False)
    assert house.refused("mark", "#den") is Code.INVITE_ONLY
    house.go("olga")
    house.restart()
    house.come("mark", known=False)
    assert house.refused("mark", "#den") is Code.INVITE_ONLY


# ── invitations ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def invited() -> House:
    """Olga, who leads #den with Vera, has invited Eve."""
    house = House()
    for nick in ("olga", "vera"):
        house.come(nick, "#den", known=False)
    house.set("#den", "+io", "vera")
    house.come("eve", known=False)
    house.ask("id-olga", Invite("#den", "eve"))
    return house


def test_an_invitation_ends_with_the_power_of_who_gave_it(invited: House) -> None:
    assert invited.refused("eve", "#den") is None
    invited.ask("id-vera", Invite("#den", "eve"))
    invited.go("olga")
    assert invited.refused("eve", "#den") is None  # as good as the last one
    invited.set("#den", "-o", "vera")
    assert invited.refused("eve", "#den") is Code.INVITE_ONLY
    assert not invited.person("eve").invited


@pytest.mark.parametrize("how", ["leave", "kick", "depart"])
def test_an_invitation_ends_when_who_gave_it_goes(invited: House, how: str) -> None:
    if how == "leave":
        invited.ask("id-olga", Leave("#den"))
    elif how == "kick":
        invited.ask("id-vera", Kick("#den", "olga"))
    else:
        invited.go("olga")
    assert invited.refused("eve", "#den") is Code.INVITE_ONLY


def test_an_operator_of_the_server_invites_for_as_long_as_they_are_one(house: House) -> None:
    house.come("olga", "#den", known=False)
    house.set("#den", "+i")
    for nick in ("boss", "eve"):
        house.come(nick, known=False)
    for end in (
        lambda: house.go("boss"),
        lambda: house.ask("id-boss", SetUserModes((Change(False, "o"),))),
    ):
        house.come("boss", known=False)
        house.make_operator("boss")
        house.ask("id-boss", Invite("#den", "eve"))
        assert house.refused("eve", "#den") is None
        end()
        assert house.refused("eve", "#den") is Code.INVITE_ONLY


def test_nobody_can_be_made_to_remember_more_than_so_many_invitations(house: House) -> None:
    house.chat.rooms_each = INVITED_MAX + 10
    house.come("eve", known=False)
    house.come("olga", known=False)
    for number in range(INVITED_MAX + 1):
        house.ask("id-olga", Join(f"#r{number}"))
        house.ask("id-olga", Invite(f"#r{number}", "eve"))
    assert [*house.person("eve").invited] == [f"#r{n}" for n in range(1, INVITED_MAX + 1)]
    house.go("eve")
    assert not any(room.invited for room in house.chat.rooms.values())


def test_a_room_that_closes_takes_its_invitations_along(invited: House) -> None:
    invited.come("boss", known=False)
    invited.make_operator("boss")
    invited.ask("id-boss", Invite("#den", "eve"))
    for nick in ("olga", "vera"):
        invited.go(nick)
    invited.close("#den")
    assert not invited.person("eve").invited
    invited.go("eve")


# ── what may be read ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shut(house: House) -> House:
    """In #den something was said before, while, and after it was shut; Vera was invited then."""
    house.come("olga", "#den")
    house.come("mark", "#den")
    house.say("mark", "#den", "open")
    house.set("#den", "+i")
    house.say("mark", "#den", "secret")
    house.come("vera")
    house.ask("id-olga", Invite("#den", "vera"))
    house.come("vera", "#den")
    house.say("mark", "#den", "to vera too")
    house.set("#den", "-i")
    house.say("mark", "#den", "open again")
    return house


EVERYTHING = ["open", "secret", "to vera too", "open again"]


@pytest.mark.parametrize("restarted", [True, False])
@pytest.mark.parametrize(
    ("nick", "read"),
    [
        ("olga", EVERYTHING),
        ("mark", EVERYTHING),
        ("vera", ["open", "to vera too", "open again"]),
        ("eve", ["open", "open again"]),
    ],
)
def test_what_was_said_while_a_room_was_shut_is_for_those_who_were_there(
    shut: House, nick: str, read: list[str], restarted: bool
) -> None:
    if nick != "eve":
        assert shut.readable(nick, "#den") == read
    for member in ("olga", "mark", "vera"):
        shut.go(member, up_to_date=False)
    if restarted:
        shut.restart()
    [entered] = shut.come(nick, "#den")
    assert shut.readable(nick, "#den") == read
    assert [entry.event.text for entry in entered.recent] == read  # type: ignore[union-attr]
    if restarted:  # the first visit is kept
        shut.go(nick)
        shut.restart()
        shut.come(nick, "#den")
        assert shut.readable(nick, "#den") == read


def test_who_is_not_known_has_what_this_connection_saw(shut: House) -> None:
    shut.come("eve", known=False)
    shut.set("#den", "+i")
    shut.say("mark", "#den", "second secret")
    shut.ask("id-olga", Invite("#den", "eve"))
    shut.ask("id-eve", Join("#den"))
    shut.say("mark", "#den", "to eve too")
    read = ["open", "open again", "to eve too"]
    assert shut.readable("eve", "#den") == read
    shut.ask("id-eve", Leave("#den"))
    shut.ask("id-olga", Invite("#den", "eve"))
    shut.ask("id-eve", Join("#den"))
    assert shut.readable("eve", "#den") == read
    shut.go("eve")
    shut.come("eve", known=False)
    shut.ask("id-olga", Invite("#den", "eve"))
    shut.ask("id-eve", Join("#den"))
    assert shut.readable("eve", "#den") == ["open", "open again"]


def test_a_room_that_was_always_shut_hides_all_from_who_comes_later() -> None:
    house = House(room_modes="i")
    house.come("olga", "#den", known=False)
    house.say("olga", "#den", "secret")
    house.come("mark")
    house.ask("id-olga", Invite("#den", "mark"))
    assert house.come("mark", "#den")[0].recent == ()
    assert house.readable("mark", "#den") == []


def test_spans_are_bounded_and_hide_rather_more(house: House) -> None:
    house.come("olga", "#den", known=False)
    for number in range(SPANS_MAX + 2):
        house.say("olga", "#den", f"open {number}")
        house.set("#den", "+i")
        house.say("olga", "#den", f"secret {number}")
        house.set("#den", "-i")
    assert len(spans(house.chat.rooms["#den"].state)) == SPANS_MAX
    house.come("eve", "#den", known=False)
    read = house.readable("eve", "#den")
    assert read == [f"open {n}" for n in (0, *range(3, SPANS_MAX + 2))]


def test_regulars_are_bounded_and_then_nobody_is_in_the_way_of_others(house: House) -> None:
    house.come("olga", "#den")
    house.set("#den", "+i")
    house.set("#den", "-i")
    for number in range(REGULARS_MAX - 1):
        house.come(f"n{number}", "#den")
    assert len(house.chat.rooms["#den"].state.regulars) == REGULARS_MAX
    house.come("late")
    [joined] = house.decide("id-late", Join("#den"))
    assert isinstance(joined, Joined)
    assert not joined.guarded


# ── what has been seen ─────────────────────────────────────────────────────────────────────────


def texts(entered: RoomWelcome) -> list[str]:
    return [entry.event.text for entry in entered.recent]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("known", "up_to_date", "shown"),
    [(True, True, ["new"]), (True, False, ["old", "new"]), (False, True, ["old", "new"])],
)
def test_who_comes_again_is_shown_what_they_have_missed(
    house: House, known: bool, up_to_date: bool, shown: list[str]
) -> None:
    house.come("olga", "#den")
    house.come("mark", "#den", known=known)
    house.say("olga", "#den", "old")
    house.go("mark", up_to_date=up_to_date)
    house.say("olga", "#den", "new")
    assert texts(house.come("mark", "#den", known=known)[0]) == shown


@pytest.mark.parametrize(("how", "shown"), [("leave", ["new"]), ("kick", ["old", "new"])])
def test_so_is_who_left_the_room_alone(house: House, how: str, shown: list[str]) -> None:
    """But not who was sent out: they may have been cut off for a while."""
    house.come("olga", "#den")
    house.come("mark", "#den")
    house.say("olga", "#den", "old")
    if how == "leave":
        house.ask("id-mark", Leave("#den"))
    else:
        house.ask("id-olga", Kick("#den", "mark"))
    house.say("olga", "#den", "new")
    assert texts(house.come("mark", "#den")[0]) == shown


def test_what_is_seen_is_remembered_of_so_many(house: House) -> None:
    house.come("olga", "#den")
    room = house.chat.rooms["#den"]
    for number in range(LEFT_MAX + 1):
        house.come(f"n{number}", "#den")
        house.go(f"n{number}")
    assert len(room.left) == LEFT_MAX
    assert "~n0" not in room.left
