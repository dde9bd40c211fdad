"""What is said: where it is shown, what counts as new, and what rings."""

import pytest

from desk import Desk, at, said, told
from trio_chat.client import requests
from trio_chat.client.model import Model, SavedState
from trio_chat.core.events import Renamed, Said
from trio_chat.core.views import Notice
from trio_chat.protocols.client import (
    Earlier,
    InRoom,
    Linked,
    Look,
    MarkedRead,
    Message,
    OutOfRoom,
    PageEnd,
    Run,
    Stamped,
    Unlinked,
)


def test_a_line_tells_who_said_what_when_and_how(desk: Desk) -> None:
    desk.hear(said("alice", "hello", "m1", at(1)))
    (line,) = desk.lines("#lobby")
    assert (line.nick, line.text, line.id, line.prefix) == ("alice", "hello", "m1", "@")
    assert (line.kind, line.state, line.own, line.mention) == ("said", "sent", False, False)
    assert line.time == desk.now + 60


@pytest.mark.parametrize(
    ("message", "buffer", "kind"),
    [
        (Said("#lobby", "bob", "hi"), "#lobby", "said"),
        (Said("#lobby", "bob", "waves", action=True), "#lobby", "action"),
        (Said("#lobby", "bob", "beep", notice=True), "#lobby", "notice"),
        (Said("#other", "bob", "hi"), "#other", "said"),
        (Said("", "bob", "psst", to="me"), "bob", "said"),
        (Said("", "me", "psst", to="bob"), "bob", "said"),
        (Said("", "me", "note to self", to="me"), "me", "said"),
        (Said("", "NickServ", "who are you", to="me", notice=True), "net", "notice"),
        (Said("", "bob", "nowhere"), "net", "said"),
        (Notice("welcome"), "net", "notice"),
        (Notice("it is full", room="#lobby"), "#lobby", "notice"),
        (Notice("there is no such room", room="#none"), "net", "notice"),
    ],
)
def test_each_text_is_shown_where_it_belongs(
    desk: Desk, message: Said | Notice, buffer: str, kind: str
) -> None:
    desk.hear(message)
    line = desk.lines(buffer)[-1]
    assert (line.text, line.kind) == (message.text, kind)
    assert line.time == desk.now


def test_what_is_for_some_members_only_says_so(desk: Desk) -> None:
    desk.hear(Said("#lobby", "alice", "between us", status="@"))
    assert desk.texts() == ["(to @ only) between us"]


def test_formatting_is_of_what_was_said(desk: Desk) -> None:
    bold = Look(bold=True)
    for status, place in (("", 8), ("@", 20)):
        desk.hear(Stamped("#lobby", "alice", "between us", status=status, runs=(Run(8, 10, bold),)))
        assert desk.lines("#lobby")[-1].runs == (Run(place, place + 2, bold),)


def test_formatting_goes_where_its_places_may_be_others(desk: Desk) -> None:
    runs = (Run(1, 2, Look(bold=True)),)
    desk.hear(Stamped("#lobby", "alice", "a\u202eb", runs=runs))
    (line,) = desk.lines("#lobby")
    assert (line.text, line.runs) == ("ab", ())


@pytest.mark.parametrize(
    "message",
    [
        Said("#lobby", "ev\x1b[2Jil", "te\x1b[31mxt\u202e", to=""),
        Notice("te\x1b[31mxt\u202e", room="#lobby"),
    ],
)
def test_what_steers_a_terminal_is_not_shown(desk: Desk, message: Said | Notice) -> None:
    desk.hear(message)
    (line,) = desk.lines("#lobby")
    assert line.text == "te␛[31mxt"
    assert "\x1b" not in line.nick


def test_without_ids_all_is_shown(desk: Desk) -> None:
    desk.hear(Said("#lobby", "bob", "hi"), Said("#lobby", "bob", "hi"))
    assert desk.texts() == ["hi", "hi"]


# ── mentions ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("nick", "text", "mention"),
    [
        ("me", "me: hello", True),
        ("me", "hello, ME!", True),
        ("me", "(me)", True),
        ("me", "me", True),
        ("me", "ask @me's friend", True),
        ("me", "some text", False),
        ("me", "home", False),
        ("me", "me-too", False),
        ("me", "me_2 said it", False),
        ("me", "me2", False),
        ("me", "me\u0301 is another word", False),
        ("straße", "STRASSE?", True),
        ("Élodie", "salut élodie", True),
        ("Élodie", "salut e\u0301lodie", True),
        ("[x]", "hi [x]!", True),
        ("a.b", "axb", False),
    ],
)
def test_we_are_named_by_a_whole_word_in_any_case(
    desk: Desk, nick: str, text: str, mention: bool
) -> None:
    desk.hear(Renamed("me", nick))
    call = desk.hear(said("bob", text))
    assert desk.lines("#lobby")[-1].mention == mention
    assert desk["#lobby"].mentions == mention
    assert (call is not None) == mention
    assert [line.text for line in desk.model.mentions] == [text] * mention


def test_we_do_not_name_ourselves(desk: Desk) -> None:
    assert desk.hear(said("me", "it is me")) is None
    assert not desk.lines("#lobby")[0].mention
    assert desk.lines("#lobby")[0].own
    assert desk["#lobby"].unread == 0


# ── unread ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_said_here_is_read(desk: Desk) -> None:
    desk.go("#lobby")
    call = desk.hear(said("bob", "hi me", "m1", at(1)))
    lobby = desk["#lobby"]
    assert (lobby.unread, lobby.mentions, lobby.unread_from) == (0, 0, "")
    assert call is lobby.lines[-1]


def test_nobody_reads_a_screen_that_has_no_focus(desk: Desk) -> None:
    desk.go("#lobby")
    desk.model.focus(False, desk.now)
    desk.hear(said("bob", "hi", "m1", at(1)))
    assert (desk["#lobby"].unread, desk["#lobby"].unread_from) == (1, "m1")
    assert desk.model.focus(True, desk.now) == [requests.ReadUpTo("#lobby", at(1))]
    assert (desk["#lobby"].unread, desk["#lobby"].unread_from) == (0, "m1")
    assert desk.model.focus(True, desk.now) == ()


def test_the_place_where_the_new_begins_stays_until_one_goes_on(desk: Desk) -> None:
    desk.hear(said("bob", "hi", "m1"), said("bob", "ho", "m2"))
    desk.go("#lobby")
    assert (desk["#lobby"].unread, desk["#lobby"].unread_from) == (0, "m1")
    desk.hear(said("bob", "hm", "m3"))
    assert desk["#lobby"].unread_from == "m1"
    desk.go("net")
    assert desk["#lobby"].unread_from == ""
    desk.hear(said("bob", "oh", "m4"))
    assert desk["#lobby"].unread_from == "m4"


def test_all_that_a_person_says_to_us_is_a_mention(desk: Desk) -> None:
    call = desk.hear(told("bob", "psst"), told("bob", "listen"))
    assert (desk["bob"].unread, desk["bob"].mentions) == (2, 2)
    assert call is desk["bob"].lines[-1]


def test_what_rings_is_live(desk: Desk) -> None:
    earlier = said("bob", "me 1", "m1", at(1))
    assert desk.hear(Earlier(earlier, at(1))) is None
    assert desk.hear(said("bob", "me 2", "m2", at(2), late=True)) is None
    assert desk.hear(Earlier(told("bob", "psst", msgid="m3"), at(1))) is None
    assert desk.hear(Notice("me?", room="#lobby")) is None


# ── read markers ───────────────────────────────────────────────────────────────────────────────


def test_going_to_a_buffer_tells_the_server_what_is_read(desk: Desk) -> None:
    desk.hear(said("bob", "hi", "m1", at(1)))
    assert desk.go("#lobby") == [requests.ReadUpTo("#lobby", at(1))]
    assert desk.go("#lobby") == []
    desk.hear(said("bob", "ho", "m2", at(2)))
    assert desk.go("net") == [requests.ReadUpTo("#lobby", at(2))]
    assert desk.go("#lobby") == []


def test_who_sits_in_a_room_and_reads_tells_it_now_and_then(desk: Desk) -> None:
    desk.go("#lobby")
    desk.hear(said("bob", "hi", "m1", at(1)))
    assert desk.model.kept().read == (("#lobby", at(1)),)
    assert desk.read_on() == [requests.ReadUpTo("#lobby", at(1))]
    desk.hear(said("bob", "ho", "m2", at(2)))
    assert desk.model.kept().read == (("#lobby", at(2)),)
    assert desk.read_on(4) == []
    assert desk.read_on(1) == [requests.ReadUpTo("#lobby", at(2))]
    assert desk.read_on(60) == []
    desk.model.focus(False, desk.now)
    desk.hear(said("bob", "hm", "m3", at(3)))
    assert desk.read_on(60) == []
    assert desk.model.kept().read == (("#lobby", at(2)),)


def test_what_the_server_may_not_know_it_is_told_again(desk: Desk) -> None:
    """As after a cut, or if another server has its name now."""
    desk.hear(told("bob", "psst", msgid="m1", time=at(1)))
    assert desk.go("bob") == [requests.ReadUpTo("bob", at(1))]
    desk.hear(Unlinked("lost", 1))
    assert desk.read_on(60) == []
    desk.hear(Linked("me", "net", frozenset()))
    assert desk.read_on(60) == [requests.ReadUpTo("bob", at(1))]
    desk.hear(MarkedRead("bob", at(1)))
    assert desk.read_on(60) == []
    desk.hear(MarkedRead("bob", at(0)))
    assert desk.read_on(60) == [requests.ReadUpTo("bob", at(1))]
    desk.hear(MarkedRead("bob", ""))
    assert desk.read_on(60) == [requests.ReadUpTo("bob", at(1))]
    desk.hear(MarkedRead("bob", at(5)))
    assert desk.read_on(60) == []


def test_after_a_cut_the_server_is_not_told_of_hundreds_at_once(desk: Desk) -> None:
    for number in range(25):
        nick = f"b{number}"
        desk.hear(told(nick, "psst", msgid=nick, time=at(1)))
        desk.go(nick)
    desk.hear(Unlinked("lost", 1), Linked("me", "net", frozenset()))
    assert [len(desk.read_on(60)) for _ in range(4)] == [10, 10, 5, 0]


def test_where_we_are_not_nobody_is_told_what_we_have_read_there(desk: Desk) -> None:
    desk.go("#lobby")
    desk.hear(said("bob", "hi", "m1", at(1)), OutOfRoom("#lobby"))
    assert desk.read_on() == []


@pytest.mark.parametrize("time", ["", "*", "yesterday"])
def test_a_marker_without_a_time_says_nothing(desk: Desk, time: str) -> None:
    desk.hear(said("bob", "hi", "m1", at(1)), MarkedRead("#lobby", time))
    assert desk["#lobby"].unread == 1


def lobby_again(first: Message, *more: Message) -> Desk:
    """The program was started anew, and what it shows is the room that was shown when it ended."""
    kept = SavedState(read=(("#lobby", at(2)),), buffers=("#lobby",), current="#lobby")
    desk = Desk(Model("me", kept=kept))
    desk.hear(Linked("me", "net", frozenset()), InRoom("#lobby"), first, *more)
    return desk


def before(minute: int, nick: str = "bob") -> Earlier:
    return Earlier(said(nick, "hi", f"m{minute}", at(minute)), at(minute))


def test_in_the_room_that_is_shown_first_it_is_seen_where_the_new_begins() -> None:
    desk = lobby_again(before(1), before(2), before(3, "me"), before(4), before(5))
    lobby = desk["#lobby"]
    assert desk.model.current is lobby
    assert (lobby.unread, lobby.mentions, lobby.unread_from) == (0, 0, "m4")
    desk.hear(MarkedRead("#lobby", at(5)), said("bob", "ho", "m6", at(6)))
    assert lobby.unread_from == "m4"
    desk.go("net")
    desk.go("#lobby")
    assert lobby.unread_from == ""
    desk.hear(said("bob", "ho", "m7", at(7)), before(0))
    assert lobby.unread_from == ""


def test_where_the_new_begins_is_known_once_the_page_has_come() -> None:
    desk = lobby_again(before(6), before(7), PageEnd("#lobby", 2, False))
    lobby = desk["#lobby"]
    assert lobby.unread_from == "m6"
    desk.hear(before(4), before(5), PageEnd("#lobby", 2, False))
    assert lobby.unread_from == "m4"
    desk.hear(before(1), before(2), before(3), PageEnd("#lobby", 2, False))
    assert lobby.unread_from == "m3"
    desk.model.clear(lobby)
    assert lobby.unread_from == ""
    desk.hear(before(3), before(4))
    assert lobby.unread_from == ""


def test_where_the_new_begins_is_known_also_if_all_was_said_at_once() -> None:
    desk = lobby_again(*(Earlier(said("bob", "hi", f"m{i}", at(3)), at(3)) for i in (6, 7)))
    desk.hear(PageEnd("#lobby", 2, False))
    desk.hear(*(Earlier(said("bob", "hi", f"m{i}", at(3)), at(3)) for i in (4, 5)))
    assert [line.id for line in desk.lines("#lobby")] == ["m4", "m5", "m6", "m7"]
    assert desk["#lobby"].unread_from == "m4"


def test_where_the_new_begins_is_known_also_of_a_room_that_one_goes_to(desk: Desk) -> None:
    desk.hear(MarkedRead("#lobby", at(2)), before(6), before(7))
    desk.go("#lobby")
    desk.hear(before(1), before(4), before(5))
    assert (desk["#lobby"].unread, desk["#lobby"].unread_from) == (0, "m4")


def newcomer() -> Desk:
    """Somebody who has never been here looks at the room, and is shown what was said before."""
    desk = Desk(Model("me"))
    desk.hear(Linked("me", "net", frozenset()), InRoom("#lobby"), MarkedRead("#lobby", ""))
    desk.hear(before(1), before(2), before(3), PageEnd("#lobby", 3, False))
    return desk


def test_to_a_newcomer_nothing_is_new_that_was_said_before() -> None:
    desk = newcomer()
    lobby = desk["#lobby"]
    assert (lobby.unread, lobby.unread_from) == (0, "")


def test_to_a_newcomer_is_new_what_is_said_while_we_are_cut_off() -> None:
    desk = newcomer()
    desk.hear(Unlinked("lost", 1), Linked("me", "net", frozenset()), InRoom("#lobby"))
    desk.hear(*(said("bob", "late", f"m{i}", at(i), late=True) for i in (4, 5)))
    assert desk["#lobby"].unread_from == "m4"


def test_to_a_newcomer_who_left_is_new_what_was_said_until_the_return() -> None:
    desk = newcomer()
    desk.hear(OutOfRoom("#lobby"), InRoom("#lobby"), *map(before, (2, 3, 4, 5)))
    assert desk["#lobby"].unread_from == "m4"


def test_what_was_missed_while_we_were_cut_off_is_new_where_one_looks() -> None:
    desk = lobby_again(before(2))
    desk.hear(said("bob", "hi", "m3", at(3)), Unlinked("lost", 1))
    desk.hear(Linked("me", "net", frozenset()), InRoom("#lobby"))
    desk.hear(*(said("bob", "late", f"m{i}", at(i), late=True) for i in (3, 4, 5)))
    assert (desk["#lobby"].unread, desk["#lobby"].unread_from) == (0, "m4")


def test_what_was_said_before_we_came_is_not_news_if_no_marker_says_so(desk: Desk) -> None:
    desk.hear(Earlier(said("bob", "me", "m1", at(1)), at(1)))
    assert (desk["#lobby"].unread, desk["#lobby"].mentions) == (0, 0)
    assert desk.lines("#lobby")[0].mention
