"""Rooms and who is in them: who comes, goes, types, is away, is called otherwise or is ignored."""

from typing import get_args

import pytest

from desk import NOON, Desk, at, said, told
from trio_chat.client.model import Model, SavedState
from trio_chat.client.model.reducer import _HEARD
from trio_chat.core.events import (
    AwaySet,
    Change,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Origin,
    Renamed,
    RoomRenamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Topic
from trio_chat.protocols.client import (
    Earlier,
    InRoom,
    Lag,
    Linked,
    MarkedRead,
    Member,
    Message,
    Operator,
    OutOfRoom,
    Roster,
    Stamped,
    Typing,
    Unlinked,
)


def members(desk: Desk, room: str = "#lobby") -> list[str]:
    return sorted(member.prefixes + member.nick for member in desk[room].members.values())


def test_all_that_the_session_may_tell_means_something() -> None:
    assert {*get_args(Message), Stamped} == set(_HEARD)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def test_the_server_comes_first_and_then_what_was_opened(desk: Desk) -> None:
    desk.hear(InRoom("#b"), told("bob", "hi"), InRoom("#a"), InRoom("#lobby"))
    assert desk.names() == ["net", "#lobby", "#b", "bob", "#a"]
    assert [buffer.kind for buffer in desk.model.buffers[:4]] == [
        "server",
        "room",
        "room",
        "person",
    ]


def test_names_are_the_same_in_any_case(desk: Desk) -> None:
    desk.hear(InRoom("#LOBBY"), Said("#Lobby", "bob", "hi"), told("Bob", "a"), told("bob", "b"))
    assert desk.names() == ["net", "#lobby", "Bob"]


def test_to_be_in_a_room_again_after_a_cut_is_no_news(desk: Desk) -> None:
    desk.hear(Unlinked("lost", 1), Linked("me", "net", frozenset()), InRoom("#lobby"))
    assert desk.events() == []
    assert desk["#lobby"].joined


@pytest.mark.parametrize("late", [True, False])
def test_who_leaves_the_room_where_they_only_began_sees_another(late: bool) -> None:
    """As a guest who logs in to an account that is in others."""
    model = Model()
    desk = Desk(model)
    desk.hear(Linked("me", "net", frozenset()), InRoom("#lobby"))
    rooms = [InRoom("#a"), InRoom("#b"), InRoom("#c"), MarkedRead("#b", at(1))]
    left = OutOfRoom("#lobby")
    desk.hear(*([left, *rooms] if late else [*rooms, left]))
    assert model.current is desk["#a" if late else "#b"]


@pytest.mark.parametrize("how", ["named", "kept", "asked", "gone"])
def test_a_room_that_somebody_has_gone_to_stays_when_it_is_left(how: str) -> None:
    kept = SavedState(buffers=("#den",), current="#den") if how == "kept" else SavedState()
    desk = Desk(Model(kept=kept, room="#den" if how == "named" else ""))
    if how == "asked":
        desk.enter("/join #den")
    desk.hear(Linked("me", "net", frozenset()))
    if how == "gone":
        desk.hear(InRoom("#lobby"))
    desk.hear(InRoom("#den"), InRoom("#a"))
    if how == "gone":
        desk.go("#den")
    desk.hear(OutOfRoom("#den"))
    assert desk.model.current is desk["#den"]


def test_who_leaves_a_room_keeps_what_was_said_there(desk: Desk) -> None:
    desk.hear(said("bob", "hi"), OutOfRoom("#lobby", "bye"), OutOfRoom("#lobby"))
    assert desk.texts() == ["hi"]
    assert desk.events() == ["You have left #lobby: bye"]
    assert (desk["#lobby"].joined, members(desk)) == (False, [])
    desk.hear(InRoom("#lobby"))
    assert desk.events()[-1] == "You are in #lobby."


def test_a_roster_takes_the_place_of_what_was_known(desk: Desk) -> None:
    desk.hear(Roster("#lobby", (Member("Carol", "@+", away=True, bot=True), Member("me"))))
    assert members(desk) == ["@+Carol", "me"]
    assert desk["#lobby"].members["carol"] == Member("Carol", "@+", True, True)
    desk.hear(said("carol", "hi"))
    assert desk.lines("#lobby")[0].prefix == "@"


def test_the_topic_is_known(desk: Desk) -> None:
    desk.hear(Topic("#lobby", "be kind", by="bob"))
    assert (desk["#lobby"].topic, desk.events()) == ("be kind", [])
    desk.hear(TopicSet("#lobby", "alice", "be \x1bkinder"), TopicSet("#lobby", "alice", ""))
    assert desk["#lobby"].topic == ""
    assert desk.events() == ["alice set the topic: be ␛kinder", "alice removed the topic."]


def test_modes_give_and_take_prefixes(desk: Desk) -> None:
    give = (Change(True, "v", "bob"), Change(True, "o", "bob"), Change(True, "t"))
    desk.hear(ModesSet("#lobby", "alice", give))
    assert members(desk) == ["@+bob", "@alice", "me"]
    desk.hear(ModesSet("#lobby", "alice", (Change(False, "o", "bob"), Change(True, "b", "x!*@*"))))
    assert members(desk) == ["+bob", "@alice", "me"]
    assert desk.events() == [
        "alice set mode +v bob +o bob +t.",
        "alice banned x!*@*.",
        "alice set mode -o bob.",
    ]


def test_who_is_sent_out_is_not_there_any_more(desk: Desk) -> None:
    desk.hear(Kicked("#lobby", "alice", "bob", "noise"))
    assert members(desk) == ["@alice", "me"]
    assert desk.events() == ["alice kicked bob out of #lobby: noise"]


@pytest.mark.parametrize("ignored", [False, True])
def test_that_we_are_sent_out_is_told_once(desk: Desk, ignored: bool) -> None:
    desk.model.ignore("alice", ignored)
    desk.hear(Kicked("#lobby", "alice", "me", "noise"), OutOfRoom("#lobby", "noise"))
    told = "You have left #lobby: noise" if ignored else "alice kicked me out of #lobby: noise"
    assert desk.events() == [told]
    assert not desk["#lobby"].joined
    assert members(desk) == []
    desk.hear(InRoom("#lobby"))
    assert desk["#lobby"].joined


@pytest.mark.parametrize(
    "message",
    [
        Joined("#none", "bob"),
        Left("#none", "bob"),
        Kicked("#none", "alice", "bob"),
        TopicSet("#none", "alice", "hi"),
        Topic("#none", "hi"),
        ModesSet("#none", "alice", ()),
        Roster("#none", ()),
        OutOfRoom("#none"),
        Typing("#none", "bob", True),
        Typing("", "bob", True, to="me"),
        Departed("nobody"),
        Renamed("nobody", "somebody"),
        AwaySet("nobody", "gone"),
        MarkedRead("#none", at(1)),
        Left("#lobby", "nobody"),
        Departed(""),
    ],
)
def test_what_happens_where_nothing_is_open_opens_nothing(desk: Desk, message) -> None:
    before = [len(buffer.lines) for buffer in desk.model.buffers]
    assert desk.hear(message) is None
    assert desk.names() == ["net", "#lobby"]
    assert [len(buffer.lines) for buffer in desk.model.buffers] == before


def test_beyond_the_last_buffer_the_server_s_takes_all(desk: Desk) -> None:
    desk.hear(*(told(f"n{number}", "hi") for number in range(600)))
    assert len(desk.model.buffers) == 500
    desk.hear(said("bob", "over there", room="#over"))
    assert desk.texts("net")[-1] == "(#over) over there"


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def test_strangers_who_come_and_go_share_a_line(desk: Desk) -> None:
    desk.hear(Joined("#lobby", "dan"), Joined("#lobby", "eve"))
    desk.hear(Left("#lobby", "bob", why="bye"), Departed("alice"))
    assert desk.events() == ["dan, eve joined; bob, alice left"]
    assert members(desk) == ["dan", "eve", "me"]


def test_another_line_ends_the_run(desk: Desk) -> None:
    desk.hear(Joined("#lobby", "dan"), said("bob", "hi"), Joined("#lobby", "eve"))
    assert desk.events() == ["dan joined", "eve joined"]


def test_another_day_ends_the_run(desk: Desk) -> None:
    desk.hear(Joined("#lobby", "dan"))
    desk.now += 86_400
    desk.hear(Joined("#lobby", "eve"))
    assert desk.events() == ["dan joined", "eve joined"]


@pytest.mark.parametrize(
    ("did", "amounts_to"),
    [
        ("jl", "dan came and went"),
        ("jlj", "dan joined"),
        ("lj", "dan left and came back"),
        ("ljl", "dan left"),
        ("jljl", "dan came and went"),
    ],
)
def test_who_comes_and_goes_on_one_line_is_named_once(
    desk: Desk, did: str, amounts_to: str
) -> None:
    desk["#lobby"].put(Member("dan"))
    for letter in did:
        desk.hear((Joined if letter == "j" else Left)("#lobby", "dan"))
    assert desk.events() == [amounts_to]


def test_of_many_only_some_are_named(desk: Desk) -> None:
    desk.hear(*(Joined("#lobby", f"n{number:03}") for number in range(250)))
    (event,) = desk.events()
    assert event.startswith("n000, n001, ")
    assert event.endswith(", n009 and 240 more joined")


def test_who_has_spoken_lately_is_worth_a_line(desk: Desk) -> None:
    desk.hear(said("bob", "hi"), said("alice", "hi", time=at(0)))
    desk.hear(Left("#lobby", "bob", why="lunch"), Joined("#lobby", "bob"))
    desk.now += 3600
    desk.hear(Departed("alice", why="bed"))
    assert desk.events() == ["bob left: lunch", "bob joined.", "alice left"]


def test_who_departs_is_gone_from_all_rooms(desk: Desk) -> None:
    desk.hear(InRoom("#b"), Roster("#b", (Member("bob"),)), InRoom("#c"), told("bob", "hi"))
    desk.hear(Departed("bob", why="ping timeout"))
    assert (members(desk), members(desk, "#b")) == (["@alice", "me"], [])
    assert desk.events("#lobby") == desk.events("#b") == ["bob left"]
    assert desk.events("#c") == []
    assert desk["bob"].lines[-1].text == "bob left: ping timeout"


def test_our_own_coming_and_going_is_told_once(desk: Desk) -> None:
    desk.hear(Joined("#b", "me"), InRoom("#b"), Left("#b", "me"), OutOfRoom("#b"), Departed("me"))
    assert [line.text for line in desk["#b"].lines] == ["You are in #b.", "You have left #b."]


def test_a_renamed_room_stays_where_it_is_with_all_that_is_in_it(desk: Desk) -> None:
    desk.hear(InRoom("#b"), InRoom("#old"))
    desk["#lobby"].draft = "half a", 6
    desk.go("#b")
    desk.hear(said("alice", "hi", "m1", at(1)), RoomRenamed("#lobby", "alice", "#tea", "better"))
    assert desk.names() == ["net", "#tea", "#b", "#old"]
    assert desk.events("#tea") == ["alice renamed #lobby to #tea (better)."]
    desk.hear(said("bob", "there", "m2", at(2), room="#TEA"))
    assert desk.texts("#tea") == ["hi", "there"]
    assert (desk["#tea"].unread, desk["#tea"].joined) == (2, True)
    assert desk["#tea"].draft == ("half a", 6)
    assert members(desk, "#tea") == ["@alice", "bob", "me"]
    # How far it was read is known by its name, and a page of another room that had it is closed.
    desk.go("#tea")
    assert dict(desk.model.read) == {"#tea": at(2)}
    desk.hear(RoomRenamed("#tea", "alice", "#Old"))
    assert desk.names() == ["net", "#Old", "#b"]
    assert dict(desk.model.read) == {"#Old": at(2)}


def test_of_a_renamed_room_more_can_be_asked_for(desk: Desk) -> None:
    assert desk.model.older(desk["#lobby"])
    desk.hear(RoomRenamed("#lobby", "alice", "#tea"))
    assert desk.model.older(desk["#tea"])


def test_that_another_room_was_renamed_is_told_as_an_answer(desk: Desk) -> None:
    desk.hear(RoomRenamed("#far", "me", "#away"))
    assert desk.names() == ["net", "#lobby"]
    assert desk["net"].lines[-1].text == "me renamed #far to #away."


# ── nicknames ──────────────────────────────────────────────────────────────────────────────────


def test_who_is_called_otherwise_keeps_their_place(desk: Desk) -> None:
    desk.hear(told("bob", "hi"), Renamed("bob", "rob"))
    assert members(desk) == ["@alice", "me", "rob"]
    assert desk.names() == ["net", "#lobby", "rob"]
    assert desk.events() == ["bob is now rob."]
    assert desk["rob"].lines[-1].text == "bob is now rob."
    desk.hear(told("rob", "it is me"))
    assert desk.texts("rob") == ["hi", "it is me"]


def test_a_name_that_somebody_else_had_stays_theirs(desk: Desk) -> None:
    desk.hear(told("bob", "1"), told("rob", "2"), Renamed("bob", "rob"))
    assert desk.names()[2:] == ["bob", "rob"]


def test_only_the_case_of_a_name_may_change(desk: Desk) -> None:
    desk.hear(told("bob", "1"), Renamed("bob", "BOB"))
    assert desk.names()[2:] == ["BOB"]
    assert "BOB" in members(desk)


def test_our_own_new_name_is_known(desk: Desk) -> None:
    desk.hear(Renamed("me", "you"))
    assert desk.model.nick == "you"
    assert members(desk) == ["@alice", "bob", "you"]
    assert desk.events() == ["me is now you."]
    desk.hear(said("you", "hi"), said("bob", "you?"))
    assert [line.own for line in desk.lines("#lobby")] == [True, False]
    assert desk["#lobby"].mentions == 1


# ── away ───────────────────────────────────────────────────────────────────────────────────────


def test_who_is_away_is_so_everywhere(desk: Desk) -> None:
    desk.hear(told("bob", "hi"), AwaySet("bob", "lunch"))
    assert desk["#lobby"].members["bob"].away
    assert desk["bob"].lines[-1].text == "bob is away: lunch"
    desk.hear(AwaySet("bob", ""))
    assert not desk["#lobby"].members["bob"].away
    assert desk["bob"].lines[-1].text == "bob is back."


def test_that_we_are_away_is_known(desk: Desk) -> None:
    desk.hear(AwaySet("me", "lunch"))
    assert desk.model.away == "lunch"
    desk.hear(AwaySet("me", ""))
    assert desk.model.away == ""


# ── typing ─────────────────────────────────────────────────────────────────────────────────────


def test_who_types_is_shown_until_they_stop_or_say_it(desk: Desk) -> None:
    lobby = desk["#lobby"]
    bob, alice = Typing("#lobby", "bob", True), Typing("#lobby", "alice", True)
    desk.hear(bob, bob, alice)
    assert lobby.typing == ["bob", "alice"]
    desk.hear(said("bob", "hi"))
    assert lobby.typing == ["alice"]
    desk.hear(Typing("#lobby", "alice", False), Typing("#lobby", "carol", False))
    assert lobby.typing == []


def test_typing_ends_by_itself_after_six_seconds(desk: Desk) -> None:
    desk.hear(Typing("#lobby", "bob", True))
    desk.model.tick(desk.now + 5.9)
    assert desk["#lobby"].typing == ["bob"]
    desk.model.tick(desk.now + 6)
    assert desk["#lobby"].typing == []


@pytest.mark.parametrize("end", [Left("#lobby", "bob"), Departed("bob"), Unlinked("lost", 1)])
def test_who_goes_types_no_more(desk: Desk, end) -> None:
    desk.hear(Typing("#lobby", "bob", True), end)
    assert desk["#lobby"].typing == []


def test_typing_is_shown_where_it_will_be_said(desk: Desk) -> None:
    desk.hear(told("bob", "hi"), Typing("", "bob", True, to="me"), Typing("#lobby", "me", True))
    assert (desk["bob"].typing, desk["#lobby"].typing) == (["bob"], [])


def test_of_a_crowd_that_types_some_are_shown(desk: Desk) -> None:
    desk.hear(*(Typing("#lobby", f"n{number}", True) for number in range(1000)))
    assert len(desk["#lobby"].typing) == 50


# ── ignored ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mask", ["bob", "BOB", "b?b", "*!*@spam.example", "*@*.example", "*!~u@*"])
def test_of_who_is_ignored_nothing_is_shown(desk: Desk, mask: str) -> None:
    desk.hear(said("bob", "before"))
    assert desk.model.ignore(mask)
    message = said("bob", "me?", "m1", at(1), host="spam.example")
    private = Said("", "bob", "me?", to="me", origin=Origin("~u", "spam.example"))
    assert desk.hear(message, Earlier(message, at(1)), private) is None
    assert (desk["#lobby"].unread, desk["net"].unread) == (1, 0)
    assert desk.names() == ["net", "#lobby"]
    assert desk.texts() == ["before"]
    assert desk.model.ignore(mask, on=False)
    desk.hear(message)
    assert desk.texts() == ["before", "me?"]


def test_who_is_ignored_is_still_known_to_be_there(desk: Desk) -> None:
    desk.model.ignore("dan")
    desk.hear(Joined("#lobby", "dan"), Typing("#lobby", "dan", True))
    assert list(desk["#lobby"].typing) == []
    assert "dan" in members(desk)
    desk.hear(TopicSet("#lobby", "dan", "spam"), Renamed("dan", "don"), Left("#lobby", "don"))
    assert desk.events() == ["don left"]
    assert desk["#lobby"].topic == "spam"


def test_others_and_ourselves_are_not_ignored(desk: Desk) -> None:
    desk.model.ignore("b*")
    desk.hear(said("alice", "1"), said("bob", "2"))
    desk.model.ignore("*")
    desk.hear(said("me", "3"), said("alice", "4"))
    assert desk.texts() == ["1", "3"]


def test_a_mask_is_there_once(desk: Desk) -> None:
    assert desk.model.ignore("bob")
    assert not desk.model.ignore("bob!*@*")
    assert desk.model.ignored == ["bob!*@*"]
    assert not desk.model.ignore("alice", on=False)


# ── the connection ─────────────────────────────────────────────────────────────────────────────


def test_a_reason_that_the_status_would_cut_is_told_once_on_the_page() -> None:
    desk = Desk(Model("me", kept=SavedState(buffers=("#tea",), current="#tea")))
    banned = "you are banned from this chat until 2026-12-01 10:00 UTC (spam), ban 17."
    desk.hear(Unlinked(banned, 2), Unlinked(banned, 4))
    assert [line.text for line in desk["#tea"].lines] == [f"Y{banned[1:]}"]


def test_the_status_is_that_of_the_connection(desk: Desk) -> None:
    assert (desk.model.linked, desk.model.network, desk.model.nick) == (True, "net", "me")
    assert desk.model.status == "Connected to net as me."
    desk.hear(Operator(True))
    assert desk.model.rules
    desk.hear(Unlinked("the server\x1b is gone", 2.4))
    assert (desk.model.linked, desk.model.rules) == (False, False)
    assert desk.model.status == "The server␛ is gone. Trying again in 2 seconds."
    assert desk["net"].lines[-1].text == desk.model.status
    desk.hear(Linked("me_2", "", frozenset()))
    assert (desk.model.nick, desk.names()[0]) == ("me_2", "net")
    desk.hear(Lag(0.25))
    assert (desk.model.lag, desk.now) == (0.25, NOON)


def test_the_first_room_is_where_one_goes() -> None:
    desk = Desk(Model("me"))
    desk.hear(Linked("me", "net", frozenset()), InRoom("#lobby"), InRoom("#tea"))
    assert desk.model.current.name == "#lobby"


def test_who_has_gone_elsewhere_stays_there() -> None:
    desk = Desk(Model("me"))
    desk.model.select(desk.model.buffers[0], desk.now)
    desk.hear(InRoom("#lobby"))
    assert desk.model.current.kind == "server"
