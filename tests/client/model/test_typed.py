"""What a person does at the screen: texts, commands, completion, the history of inputs."""

import unicodedata

import pytest

from desk import Desk, at, said, told
from trio_chat.client import requests
from trio_chat.client.model import Model, SavedState, Unsent, preview
from trio_chat.client.model.emoji import emoji
from trio_chat.core.events import Said
from trio_chat.core.views import Notice
from trio_chat.protocols.clean import clean
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Linked,
    MarkedRead,
    Member,
    OutOfRoom,
    Roster,
    Sent,
    Stamped,
)


@pytest.fixture
def here(desk: Desk) -> Desk:
    """In #lobby."""
    desk.go("#lobby")
    return desk


# ── texts and commands ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("hello", [requests.Say("hello", "#lobby")]),
        ("  hello ", [requests.Say("  hello ", "#lobby")]),
        ("", []),
        (" \n\t\n", []),
        ("\none\n\ntwo\r\nthree\n", [requests.Say("one\n\ntwo\nthree", "#lobby")]),
        ("//etc", [requests.Say("/etc", "#lobby")]),
        ("/etc\n//etc", [requests.Say("/etc\n//etc", "#lobby")]),
        ("/me waves", [requests.SlashCommand("/me waves", "#lobby")]),
        ("/topic", [requests.SlashCommand("/topic", "#lobby")]),
        ("/part bye\n", [requests.SlashCommand("/part bye", "#lobby")]),
        ("/nonsense", [requests.SlashCommand("/nonsense", "#lobby")]),
        ("/", [requests.SlashCommand("/", "#lobby")]),
        ("/quit so long", [requests.Leave("so long")]),
        ("/QUIT", [requests.Leave()]),
    ],
)
def test_what_is_entered_is_said_or_done(
    here: Desk, text: str, asked: list[requests.Request]
) -> None:
    assert list(here.enter(text)) == asked


def test_nobody_hears_what_is_said_to_the_server(desk: Desk) -> None:
    assert desk.enter("hello") == ()
    assert desk.notes() == ["Nobody can read that here. /join ROOM enters a room."]
    assert desk.enter("/whois bob") == [requests.SlashCommand("/whois bob", "")]


@pytest.mark.parametrize("text", ["hello", "//path", "one\ntwo", "/one\n/two"])
def test_what_would_be_said_there_is_known_before(desk: Desk, text: str) -> None:
    assert desk.model.is_for_nobody(text)


def test_in_a_room_it_is_for_somebody(here: Desk) -> None:
    assert not here.model.is_for_nobody("hello")


@pytest.mark.parametrize("text", ["/whois bob", "", " ", "/login al secret"])
def test_what_is_done_there_is_for_somebody(desk: Desk, text: str) -> None:
    assert not desk.model.is_for_nobody(text)


def test_a_book_is_not_said(here: Desk) -> None:
    assert here.enter("line\n" * 501) == ()
    assert here.notes() == ["That is 501 lines; at most 500 can be sent at once."]
    assert len(here.enter("line\n" * 500)) == 1


@pytest.mark.parametrize(
    ("text", "one_by_one", "together"),
    [
        ("a\nb", "2 messages", "1 message of 2 lines"),
        ("a\n\n b\n", "2 messages", "1 message of 2 lines"),
        ("a\n\n", "1 message", "1 message"),
        ("a\n" * 31 + "a", "32 messages", "1 message of 32 lines"),
        ("a\n" * 32 + "a", "33 messages", "33 lines in several messages"),
        ("ä" * 2047 + "\nb", "2 messages", "1 message of 2 lines"),
        ("ä" * 2048 + "\nb", "2 messages", "2 lines in several messages"),
    ],
)
def test_it_is_told_how_many_messages_it_would_be(
    here: Desk, text: str, one_by_one: str, together: str
) -> None:
    assert preview(here.model, text) == one_by_one
    here.hear(Linked("me", "net", frozenset({"batch", "draft/multiline", "message-tags"})))
    assert preview(here.model, text) == together


def test_a_text_of_several_lines_is_one_line_of_the_log(here: Desk) -> None:
    """And nothing in it steers a terminal. It can be kept, and is found."""
    here.hear(Sent("t", "#lobby", "one\n\x1btwo"))
    assert [text.text for text in here.model.kept().unsent] == ["one\n␛two"]
    here.hear(Stamped("#lobby", "bob", "tea\n\x1bmilk", msgid="m1", time=at(1)))
    assert [line.text for line in here.model.current.lines if line.nick] == [
        "tea\n␛milk",
        "one\n␛two",
    ]
    assert [line.text for line in here.model.search("milk")] == ["tea\n␛milk"]
    here.enter("/search milk")
    assert here.notes()[-1].endswith("bob: tea ␛milk")


def test_leaving_tells_what_has_been_read(here: Desk) -> None:
    here.hear(said("bob", "hi", "m1", at(1)))
    assert here.enter("/quit") == [requests.ReadUpTo("#lobby", at(1)), requests.Leave()]


def test_who_asks_to_enter_a_room_goes_there(desk: Desk) -> None:
    assert desk.enter("/join new") == [requests.SlashCommand("/join new", "")]
    assert desk.model.current.name == "net"
    desk.hear(InRoom("#other"))
    assert desk.model.current.name == "net"
    desk.hear(InRoom("#new"))
    assert desk.model.current.name == "#new"


def test_query_opens_a_buffer_for_a_person(desk: Desk) -> None:
    assert list(desk.enter("/query bob")) == []
    assert desk.model.current.name == "bob"
    assert list(desk.enter("/query alice hi there")) == [requests.Say("hi there", "alice")]
    assert list(desk.enter("hello")) == [requests.Say("hello", "alice")]
    desk.enter("/query")
    assert desk.notes() == ["Usage: /query NAME [TEXT]"]


def test_a_room_that_is_closed_is_left(here: Desk) -> None:
    here.hear(said("bob", "hi", "m1", at(1)))
    assert here.enter("/close") == [requests.ReadUpTo("#lobby", at(1)), requests.Part("#lobby")]
    assert here.names() == ["net"]
    assert here.model.current.name == "net"
    here.hear(said("bob", "still here"), OutOfRoom("#lobby"))
    assert here.names() == ["net"]
    here.hear(InRoom("#lobby"), said("bob", "again"))
    assert here.texts() == ["again"]


def test_what_is_closed_is_not_in_between_any_more(desk: Desk) -> None:
    desk.hear(told("bob", "hi"), told("alice", "hi"), Sent("t1", "bob", "x"), Failed("t1", "no"))
    failed = desk.lines("bob")[1]
    assert desk.model.close(desk["bob"], desk.now) == ()
    assert desk.model.where(failed) is None
    assert desk.model.resend(failed) == ()
    desk.hear(Acknowledged("t1", "m1"))
    desk.go("alice")
    desk.enter("/close")
    assert desk.model.current.name == "#lobby"


def test_the_servers_buffer_stays(desk: Desk) -> None:
    assert desk.enter("/close") == ()
    assert desk.model.close(desk["net"], desk.now) == ()
    assert desk.notes() == ["The server's page cannot be closed. /quit leaves."]


@pytest.mark.parametrize(
    ("which", "name"),
    [("1", "net"), ("2", "#lobby"), ("#lob", "#lobby"), ("LOB", "#lobby"), ("lobby", "#lobby")],
)
def test_a_buffer_is_gone_to_by_number_or_name(desk: Desk, which: str, name: str) -> None:
    desk.hear(InRoom("#lobby-two"), told("bob", "hi"))
    desk.enter(f"/buffer {which}")
    assert desk.model.current.name == name


@pytest.mark.parametrize("which", ["0", "99", "#none", "99999999999999999999"])
def test_there_is_no_such_buffer(desk: Desk, which: str) -> None:
    desk.enter(f"/page {which}")
    assert desk.notes() == [f"There is no page {which}."]


def test_ignoring_is_a_command(desk: Desk) -> None:
    for line in ("/ignore", "/ignore bob", "/ignore bob", "/ignore", "/unignore bob"):
        assert desk.enter(line) == ()
    desk.enter("/unignore bob")
    assert desk.notes() == [
        "Ignored: nobody.",
        "bob is ignored from now on. /unignore bob ends that.",
        "bob is already ignored, or too many are.",
        "Ignored: bob!*@*.",
        "bob is no longer ignored.",
        "bob is not ignored.",
    ]


def test_help_lists_the_sessions_commands_and_ours(desk: Desk) -> None:
    desk.enter("/help")
    assert any(note.startswith("/query NAME [TEXT]  ") for note in desk.notes())
    assert any(note.startswith("/join ROOM [KEY]  ") for note in desk.notes())


def test_searching_finds_all_words_in_any_case(desk: Desk) -> None:
    desk.hear(said("bob", "Hello old World", time=at(1)), told("alice", "hello", time=at(2)))
    desk.hear(said("bob", "the world says HELLO", time=at(3)))
    found = desk.model.search("world hello")
    assert [line.text for line in found] == ["Hello old World", "the world says HELLO"]
    assert desk.model.search(" ") == []
    assert desk.model.where(found[0]) is desk["#lobby"]
    desk.enter("/search hello alice")
    assert desk.notes() == ["Found: 1", "2024-12-31 12:02 alice alice: hello"]


# ── typing ─────────────────────────────────────────────────────────────────────────────────────


def test_typing_is_told_only_to_those_who_want_it_and_seldom(here: Desk) -> None:
    assert here.model.typed(here.now) == ()
    here.model._tells_typing = True
    assert here.model.typed(here.now) == [requests.TypingState("#lobby", True)]
    assert here.model.typed(here.now + 2.9) == ()
    assert here.model.typed(here.now + 3) == [requests.TypingState("#lobby", True)]
    here.enter("hello")
    assert here.model.typed(here.now + 4) == [requests.TypingState("#lobby", True)]
    assert here.go("net") == [requests.TypingState("#lobby", False)]
    assert here.go("#lobby") == []
    assert here.model.typed(here.now + 5) == [requests.TypingState("#lobby", True)]


def test_nobody_is_told_that_one_types_to_the_server(desk: Desk) -> None:
    desk.model._tells_typing = True
    assert desk.model.typed(desk.now) == ()


# ── completion ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def crowd(here: Desk) -> Desk:
    nicks = ("Bea", "ben", "bob", "Bär", "Carol", "me")
    here.hear(Roster("#lobby", tuple(map(Member, nicks))), said("bob", "1"), said("ben", "2"))
    here.hear(InRoom("#linux"), InRoom("#lisp"))
    return here


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("b", ["ben: ", "bob: ", "Bär: ", "Bea: "]),
        ("B", ["ben: ", "bob: ", "Bär: ", "Bea: "]),
        ("hi b", ["ben ", "bob ", "Bär ", "Bea "]),
        ("hi\nb", ["ben ", "bob ", "Bär ", "Bea "]),
        ("/msg be", ["ben ", "Bea "]),
        ("m", []),
        ("", []),
        ("hi ", []),
        ("see #li", ["#linux ", "#lisp "]),
        ("#L", ["#lobby ", "#linux ", "#lisp "]),
        ("/qu", ["/query ", "/quit "]),
        ("/TOP", ["/topic "]),
        ("see /qu", []),
        (":tad", ["🎉"]),
        ("hm :+", []),
        ("hm :+1", ["👍"]),
        (":D", []),
    ],
)
def test_a_word_is_completed(crowd: Desk, text: str, candidates: list[str]) -> None:
    found = list(crowd.model.complete(text, len(text)))
    assert sorted(found) == sorted(candidates)
    assert found[:2] == candidates[:2]


def test_only_what_is_before_the_cursor_counts(crowd: Desk) -> None:
    assert crowd.model.complete("caand bob", 2) == ["Carol: "]
    assert crowd.model.complete("see caand bob", 6) == ["Carol "]


def test_there_are_no_two_blanks_behind_it(crowd: Desk) -> None:
    assert crowd.model.complete("ca and bob", 2) == ["Carol:"]
    assert crowd.model.complete("see ca and bob", 6) == ["Carol"]


def test_commands_and_emoji_say_what_they_are(crowd: Desk) -> None:
    (topic,) = crowd.model.complete("/top", 4)
    assert topic.note == "[ROOM|TEXT]: show the room's topic or set it; - removes it"
    (tada,) = crowd.model.complete(":tad", 4)
    assert tada.note == ":tada:"


def test_who_one_talks_with_can_be_completed(desk: Desk) -> None:
    desk.enter("/query Bob")
    assert desk.model.complete("bo", 2) == ["Bob: "]
    desk.go("net")
    assert desk.model.complete("bo", 2) == []


def test_emoji_have_names_and_one_picture_each() -> None:
    names = emoji()
    assert len(names) > 1000
    assert list(names)[:2] == ["smile", "smiley"]
    assert names["smile"] == "😄"
    assert names["snow_capped_mountain"] == "🏔"
    for name, picture in names.items():
        assert name.isascii()
        assert clean(picture) == picture
        assert not picture.isascii()
        assert unicodedata.category(picture[0]) in ("So", "Sm", "Po"), name


# ── the history of inputs ──────────────────────────────────────────────────────────────────────


def test_inputs_can_be_had_again(here: Desk) -> None:
    model = here.model
    assert model.before("draft") == "draft"
    for text in ("one", "two", "two", "three\nlines", " "):
        here.enter(text)
    assert [model.before(text) for text in ("draft", "", "", "")] == [
        "three\nlines", "two", "one", ""
    ]  # fmt: skip
    assert [model.after("") for _ in range(3)] == ["two", "three\nlines", "draft"]
    assert model.after("draft") == "draft"


def test_the_last_five_hundred_inputs_are_kept(here: Desk) -> None:
    for number in range(600):
        here.enter(str(number))
    here.enter("x" * 100_000)
    kept = here.model.kept().inputs
    assert (len(kept), kept[0], kept[-1]) == (500, "100", "599")


@pytest.mark.parametrize(
    "secret",
    [
        "/raw PRIVMSG ChanServ x", "/msg ChanServ IDENTIFY x", "/join #room key", "/j #room key",
        "/q chanserv identify x",
    ],
)  # fmt: skip
def test_passwords_are_not_kept(here: Desk, secret: str) -> None:
    here.enter(secret)
    assert here.model.before("") == secret
    assert here.model.kept().inputs == ()


@pytest.mark.parametrize(
    "line",
    [
        "/login x",
        "/LOGIN bob x",
        "/register x",
        " /password x",
        "/ login x",
        "/regsiter x",
        "/logn x",
        "/msg NickServ IDENTIFY x",
        "/q nickserv identify x",
        "/raw NS IDENTIFY x",
        "/ns set",
        "login foobarbaz",
        *("/PASS x", "/quote PASS x", "/raw oper a b", "/raw REGISTER * * x", "PASS x"),
        *("/raw PRIVMSG #a :/login x", "/me /login x", "/topic /login x", "/msg al /login x"),
    ],
)
def test_the_password_of_an_account_is_not_even_remembered(here: Desk, line: str) -> None:
    here.enter("hello")
    here.enter(line)
    assert here.model.before("") == "hello"
    assert here.model.kept().inputs == ("hello",)


@pytest.mark.parametrize(
    "line",
    [
        *(" /login x", "\u00a0/ login x", "login foobarbaz", " /ns identify x", "PASS x"),
        *("/me /login x", "/topic /login x", "/msg al /login x", "/query al /register x"),
        *("/raw PRIVMSG #a :/login x", "/quote NOTICE al :/ns identify x"),
    ],
)
def test_a_password_that_slips_is_not_said(here: Desk, line: str) -> None:
    assert here.enter(line) == ()
    assert "a password may be in that line" in here.notes()[-1]


@pytest.mark.parametrize("line", ["login failed", "password please", "register for it tomorrow"])
def test_a_line_without_a_password_is_said(here: Desk, line: str) -> None:
    assert here.enter(line) == [requests.Say(line, "#lobby")]


def test_what_begins_with_two_slashes_is_a_text_also_with_such_a_word(here: Desk) -> None:
    """With both slashes, as our server would hold it back with one."""
    assert here.enter("//login is a command") == [requests.Say("//login is a command", "#lobby")]
    assert here.enter("//etc") == [requests.Say("/etc", "#lobby")]


@pytest.mark.parametrize("line", ["/msg NickServ IDENTIFY foobarbaz", "/msg X login al foobarbaz"])
def test_who_asks_another_network_to_be_logged_in_may_do_so(here: Desk, line: str) -> None:
    assert here.enter(line) == [requests.SlashCommand(line, "#lobby")]


@pytest.mark.parametrize("line", [f"/invitation {'x' * 43}"])
def test_other_secrets_are_kept_in_no_file(here: Desk, line: str) -> None:
    here.enter(line)
    assert here.model.before("") == line
    assert here.model.kept().inputs == ()


# ── what outlives the program ──────────────────────────────────────────────────────────────────


def test_what_is_kept_is_there_again(here: Desk) -> None:
    here.hear(told("bob", "hi"), Sent("t1", "bob", "psst"), Sent("t2", "#lobby", "waves", True))
    here.hear(Sent("t3", "#lobby", "x"), Acknowledged("t3", "m1", at(1)), MarkedRead("bob", at(2)))
    here.hear(Sent("t4", "#lobby", "x"), Failed("t4", "no"))
    here.enter("hello")
    here.go("bob")
    here.model.ignore("carol")
    kept = here.model.kept()
    assert kept == SavedState(
        inputs=("hello",),
        read=(("#lobby", at(1)), ("bob", at(2))),
        unsent=(Unsent("t1", "bob", "psst"), Unsent("t2", "#lobby", "waves", True)),
        buffers=("#lobby", "bob"),
        ignored=("carol!*@*",),
        current="bob",
    )
    again = Desk(Model("me", kept=kept))
    assert again.model.start(again.now) == [requests.Join("#lobby")]
    assert again.model.kept() == kept
    assert again.names() == ["server", "#lobby", "bob"]
    assert [line.state for line in again.lines("bob")] == ["pending"]
    assert again.model.current.name == "bob"
    again.hear(InRoom("#lobby"))
    assert again.model.current.name == "bob"
    again.hear(Acknowledged("t1", "m5", at(5)))
    assert again.lines("bob")[0].state == "sent"
    assert again.model.before("") == "hello"


def test_what_is_begun_and_not_sent_is_kept(here: Desk) -> None:
    here.hear(told("bob", "hi"))
    drafts = {"net": "/join #t", "#lobby": "one\ntwo", "bob": "x" * 5000}
    for name, text in drafts.items():
        here[name].draft = text, 1
    kept = here.model.kept()
    assert kept.drafts == (("", "/join #t"), ("#lobby", "one\ntwo"), ("bob", "x" * 5000))
    again = Model("me", kept=kept)
    assert [buffer.draft for buffer in again.buffers] == [(t, len(t)) for t in drafts.values()]
    assert again.kept() == kept


@pytest.mark.parametrize(
    "text", ["", "/raw PASS x", "/msg nickserv identify x", "/login x", " /register x", "x" * 5001]
)
def test_a_password_that_is_being_written_is_not_kept_nor_a_book(here: Desk, text: str) -> None:
    here["#lobby"].draft = text, 0
    assert here.model.kept().drafts == ()


def test_what_was_begun_in_a_room_that_is_closed_is_not_kept(here: Desk) -> None:
    here["#lobby"].draft = "hello", 5
    here.model.close(here["#lobby"], here.now)
    assert here.model.kept().drafts == ()
    here.hear(InRoom("#lobby"))
    assert here["#lobby"].draft == ("", 0)


def test_what_was_open_is_kept_even_if_nothing_has_begun_yet(here: Desk) -> None:
    kept = SavedState(buffers=("#lobby", "bob"), current="bob", read=(("bob", at(2)),))
    assert Model("me", kept=kept).kept() == kept


def test_what_would_show_nickserv_a_password_is_neither_said_nor_kept(here: Desk) -> None:
    before = here.names()
    assert not here.enter("/query NickServ identify bob hunter22")
    assert here.names() == before
    here.enter("/query NickServ")
    for text in ("id x", "ghost bob x", "SET PASSWORD x", "set password x\nand more"):
        assert not here.enter(text)
        assert "/login NAME PASSWORD logs in" in here.texts("NickServ")[-1]
    assert here.model.before("") == ""
    assert here.enter("help") == [requests.Say("help", "NickServ")]


def test_a_room_that_was_named_is_kept_once_we_have_been_in_it() -> None:
    before = SavedState(buffers=("#lobby",), current="#lobby")
    here = Desk(Model("me", kept=before, room="#tea"))
    assert here.model.current.name == "#tea"
    assert here.model.start(here.now) == [requests.Join("#lobby"), requests.Join("#tea")]
    assert here.model.kept() == before
    here.hear(InRoom("#tea"))
    assert here.model.kept() == SavedState(buffers=("#lobby", "#tea"), current="#tea")


def test_what_comes_too_late_to_be_seen_is_not_read_but_known(here: Desk) -> None:
    """Nobody was told that a text has failed: so it counts as on its way."""
    here.hear(said("bob", "hi", "m1", at(1)), Sent("t1", "#lobby", "x"), Sent("t2", "#lobby", "y"))
    last = said("bob", "ho", "m4", at(4))
    new = Sent("t3", "#lobby", "z")
    here.model.miss([Acknowledged("t1", "m2", at(2)), Failed("t2", "no"), new, last], here.now)
    kept = here.model.kept()
    assert [text.token for text in kept.unsent] == ["t2", "t3"]
    assert kept.read == (("#lobby", at(1)),)


def test_the_secret_is_kept() -> None:
    assert Model("me", kept=SavedState(secret="s3cr3t")).kept().secret == "s3cr3t"


def test_what_is_asked_is_answered_where_it_was_asked(desk: Desk) -> None:
    desk.go("#lobby")
    assert desk.enter("/whois bob") == [requests.SlashCommand("/whois bob", "#lobby")]
    desk.hear(Notice("bob is somebody"))
    assert desk.texts("#lobby")[-1] == "bob is somebody"
    desk.now += 6
    desk.hear(Notice("The server will stop at noon."))
    assert desk.texts("net")[-1] == "The server will stop at noon."


def test_a_server_that_can_search_does_that(desk: Desk) -> None:
    desk.hear(Linked("me", "net", frozenset({"soju.im/search"})))
    desk.go("#lobby")
    assert desk.enter("/search tea") == [requests.SlashCommand("/search tea", "#lobby")]
    found = Stamped("#tea", "al", "green tea", msgid="m9", time=at(7))
    desk.hear(Notice("Found:"), Earlier(found, at(7), found=True))
    assert desk.texts("#lobby")[-1].endswith("#tea al: green tea")
    psst = Said("", "al", "tea?", to="me")
    desk.hear(Earlier(psst, found=True))
    assert desk.texts("#lobby")[-1].startswith("al ")
    assert desk.texts("#lobby")[-1].endswith("tea?")
    assert "#tea" not in desk.names()
