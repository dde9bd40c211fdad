"""The server's end of the plain dialect: what bytes ask for, and what is written back."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runs import commands, following, next_command
from trio_chat.core.commands import (
    Command,
    DirectMessage,
    Enter,
    Invite,
    Join,
    Kick,
    Leave,
    Quit,
    Rename,
    Say,
    SetTopic,
)
from trio_chat.core.events import Arrived, Entry, Event, Joined, Left, Renamed, Said, TopicSet
from trio_chat.core.queries import ListMembers, ListRooms, ShowTopic
from trio_chat.core.views import AwayReply, Copy, Notice, Refused, RoomWelcome, Shown, Topic
from trio_chat.protocols.lines import ENDLESS
from trio_chat.protocols.plain.server import PlainSession, plain_dialect
from trio_chat.protocols.plain.wording import ASK_TO_UNLOCK
from trio_chat.protocols.session import Handled

LINE_BYTES = 40
SESAME = "open sesame"

Asked = Command | Notice | Refused


def new_session(encoding: str = "utf-8", *, password: bool = False) -> PlainSession:
    return PlainSession(
        encoding=encoding,
        line_bytes=LINE_BYTES,
        lobby="#lobby",
        question=ASK_TO_UNLOCK if password else "",
    )


def in_the_lobby(hello: bytes, encoding: str = "utf-8") -> PlainSession:
    """A session whose first bytes were a nickname, with a newline or without."""
    session = new_session(encoding)
    session.receive_data(hello)
    entering = all_asked(session)
    assert isinstance(entering[0], Enter)
    assert entering[1:] == [Join("#lobby")]
    return session


def all_asked(session: PlainSession) -> list[Asked]:
    """All that is asked for now, and in its place what the session answers by itself; everybody
    is let in, everywhere."""
    asked: list[Asked] = []
    refusals = session.refusals
    while (run := session.next_run()) is not None:
        if isinstance(run, Handled):
            answer = Refused if session.refusals > refusals else Notice
            asked.append(answer(answered(session)))
            refusals = session.refusals
            continue
        assert session.data_to_send() == b""
        asked += each_done(session, commands(run))
        if isinstance(asked[-1], Quit):
            break
    return asked


def each_done(session: PlainSession, asked: Sequence[Command]) -> list[Command]:
    """These, and what follows from them."""
    result = []
    for command in asked:
        result.append(command)
        match command:
            case Enter(nick):
                result += each_done(session, following(session.done(Arrived(nick, "id"))))
            case Join(room):
                result += each_done(session, following(session.done(Joined(room, "alice", "id"))))
    return result


def answered(session: PlainSession) -> str:
    """The server's own sentences that wait to be sent, without what marks them."""
    lines = session.data_to_send().decode("utf-8", "replace").splitlines()
    assert lines
    assert all(line.startswith("*** ") for line in lines)
    return "\n".join(line.removeprefix("*** ") for line in lines)


def asked_by(session: PlainSession, *pieces: bytes) -> list[Asked]:
    asked = []
    for piece in pieces:
        session.receive_data(piece)
        asked += all_asked(session)
    return asked


def asked_in_lines(data: bytes) -> list[Asked]:
    """What lines ask for: the same whole, byte by byte, and with something unfinished behind."""
    whole = asked_by(in_the_lobby(b"alice\n"), data)
    each = [data[i : i + 1] for i in range(len(data))]
    assert asked_by(in_the_lobby(b"alice\n"), *each) == whole
    assert asked_by(in_the_lobby(b"alice\n"), data + b"unfinished") == whole
    return whole


# ── the nickname ───────────────────────────────────────────────────────────────────────────────


def test_the_greeting_is_four_bytes() -> None:
    assert new_session().greeting() == b"NICK"


@pytest.mark.parametrize(
    ("hello", "enter"),
    [
        (b"alice\n", Enter("alice")),
        (b"alice\r\n", Enter("alice")),
        (b"  alice \r\n", Enter("alice")),
        ("zoé\n".encode(), Enter("zoé")),
        (b"\xff\n", Enter("\ufffd")),
        (b"/help\n", Enter("/help")),
        (b"alice", Enter("alice", near=True)),
        (b" alice ", Enter("alice", near=True)),
        (b"alice\nhi\n", Enter("alice", near=True)),
        (b"\n\n\nalice\n", Enter("alice")),
        (b"\r\n\nalice\nhi\n", Enter("alice", near=True)),
    ],
)
def test_the_first_words_are_the_nickname(hello: bytes, enter: Enter) -> None:
    session = new_session()
    session.receive_data(hello)
    assert next_command(session) == enter


def test_whoever_is_gone_after_the_nickname_takes_a_near_one() -> None:
    session = new_session()
    session.receive_data(b"\nalice")
    assert next_command(session) is None
    session.receive_eof()
    assert next_command(session) == Enter("alice", near=True)


def test_a_person_is_asked_again() -> None:
    session = new_session()
    session.receive_data(b"alice\n")
    assert next_command(session) == Enter("alice")
    assert next_command(session) is None
    session.receive_data(b"ann\n")
    assert next_command(session) == Enter("ann")


def test_nothing_is_asked_by_nothing() -> None:
    session = new_session()
    assert next_command(session) is None
    session.receive_eof()
    assert next_command(session) is None


# ── lines ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (b"hi\n", [Say("#lobby", "hi")]),
        (b"hi\r\n", [Say("#lobby", "hi")]),
        (b" hi \n", [Say("#lobby", " hi ")]),
        (b"one\ntwo\r\nthree\n", [Say("#lobby", text) for text in ("one", "two", "three")]),
        (b"\n\r\n   \n\t\n", []),
        ("\u3000\n".encode(), []),
        ("漢字\n".encode(), [Say("#lobby", "漢字")]),
        (b"\xe9\xff\n", [Say("#lobby", "\ufffd\ufffd")]),
        (b"\x1b[2J\n", [Say("#lobby", "\x1b[2J")]),
        (b"alice: hi\n", [Say("#lobby", "alice: hi")]),
        (b"//slashed\n", [Say("#lobby", "/slashed")]),
        (b"///slashed\n", [Say("#lobby", "//slashed")]),
        (b"//\n", [Say("#lobby", "/")]),
        (b" /who\n", [Say("#lobby", " /who")]),
        (b"/join tea\nhi\n", [Join("#tea"), Leave("#lobby"), Say("#tea", "hi")]),
        (b"x" * LINE_BYTES + b"\n", [Say("#lobby", "x" * LINE_BYTES)]),
        (b"x" * LINE_BYTES + b"\r\n", [Say("#lobby", "x" * LINE_BYTES)]),
    ],
)
def test_lines(data: bytes, asked: list[Asked]) -> None:
    assert asked_in_lines(data) == asked


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/nick ann", Rename("ann")),
        ("/nick  ann ", Rename("ann")),
        ("/nick ann lee", Rename("ann lee")),
        ("/NICK ann", Rename("ann")),
        ("/me waves", Say("#lobby", "waves", action=True)),
        ("/me  waves  back ", Say("#lobby", "waves  back", action=True)),
        ("/msg bob hi", DirectMessage("bob", "hi")),
        ("/msg  bob  hi there ", DirectMessage("bob", "hi there")),
        ("/join #tea", Join("#tea")),
        ("/join tea", Join("#tea")),
        ("/join tea time", Join("#tea time")),
        ("/invite bob", Invite("#lobby", "bob")),
        ("/kick bob", Kick("#lobby", "bob")),
        ("/kick  bob  for good ", Kick("#lobby", "bob", "for good")),
        ("/rooms", ListRooms()),
        ("/rooms please", ListRooms()),
        ("/who", ListMembers("#lobby")),
        ("/who else", ListMembers("#lobby")),
        ("/topic", ShowTopic("#lobby")),
        ("/topic   ", ShowTopic("#lobby")),
        ("/topic tea: green", SetTopic("#lobby", "tea: green")),
        ("/topic -", SetTopic("#lobby", "")),
        ("/topic -5 degrees", SetTopic("#lobby", "-5 degrees")),
        ("/quit", Quit()),
        ("/quit now", Quit()),
    ],
)
def test_verb(line: str, command: Command) -> None:
    asked = asked_in_lines(line.encode() + b"\n")
    assert asked[0] == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/names", ListMembers("#lobby")),
        ("/who #sec", ListMembers("#sec")),
        ("/names #sec", ListMembers("#sec")),
        ("/list", ListRooms()),
        ("/topic #sec", ShowTopic("#sec")),
        ("/t #sec is", SetTopic("#lobby", "#sec is")),
        ("/topic #1?", SetTopic("#lobby", "#1?")),
        ("/inv bob", Invite("#lobby", "bob")),
        ("/exit", Quit()),
    ],
)
def test_what_fingers_know_from_elsewhere(line: str, command: Command) -> None:
    assert asked_by(in_the_lobby(b"alice\n"), line.encode() + b"\n") == [command]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("/part", "/join"),
        ("/leave", "/quit"),
        ("/PART #lobby bye", "/quit"),
        ("/away tea", "IRC client"),
        ("/notice bob hi", "/msg"),
        ("/whois bob", "/who"),
        ("/wi bob", "/who"),
        ("/mode +i", "IRC client"),
        ("/whoo", "/who"),
    ],
)
def test_who_asks_for_what_there_is_not_is_told_what_there_is(line: str, instead: str) -> None:
    [refused] = asked_by(in_the_lobby(b"alice\n"), line.encode() + b"\n")
    assert isinstance(refused, Refused)
    assert instead in refused.why


@pytest.mark.parametrize("line", ["/help", "/help me", "/HELP"])
def test_help_lists_every_verb(line: str) -> None:
    [notice] = asked_in_lines(line.encode() + b"\n")
    assert isinstance(notice, Notice)
    verbs = "help nick me msg join invite kick rooms who topic quit"
    for verb in verbs.split():
        assert f"/{verb} " in notice.text


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("/nick", "/nick NAME"),
        ("/nick  ", "/nick NAME"),
        ("/me", "/me TEXT"),
        ("/me \t", "/me TEXT"),
        ("/msg", "/msg NAME TEXT"),
        ("/msg bob", "/msg NAME TEXT"),
        ("/MSG bob ", "/msg NAME TEXT"),
        ("/join", "/join ROOM"),
        ("/invite", "/invite NAME"),
        ("/kick ", "/kick NAME [WHY]"),
    ],
)
def test_a_missing_argument_is_told(line: str, usage: str) -> None:
    [refused] = asked_in_lines(line.encode() + b"\n")
    assert isinstance(refused, Refused)
    assert refused.why.endswith(usage)


@pytest.mark.parametrize(
    ("line", "meant"),
    [("/jion tea", "/join?"), ("/quti", "/quit?"), ("/topics", "/topic?"), ("/NICKK a", "/nick?")],
)
def test_an_unknown_verb_is_told_with_the_nearest(line: str, meant: str) -> None:
    [refused] = asked_in_lines(line.encode() + b"\n")
    assert isinstance(refused, Refused)
    assert f"Did you mean {meant}" in refused.why
    assert "/help" in refused.why


@pytest.mark.parametrize("line", ["/", "/ who", "/xyzzy", "/漢", "/\x1b"])
def test_an_unknown_verb_that_is_near_to_nothing(line: str) -> None:
    [refused] = asked_in_lines(line.encode() + b"\n")
    assert isinstance(refused, Refused)
    assert "no command" in refused.why
    assert "mean" not in refused.why


def test_whoever_goes_to_a_room_leaves_the_one_before() -> None:
    session = in_the_lobby(b"alice\n")
    assert following(session.done(Joined("#tea", "alice", "id"))) == [Leave("#lobby")]
    assert following(session.done(Left("#lobby", "alice", "id"))) == []
    assert following(session.done(Joined("#Bar", "alice", "id"))) == [Leave("#tea")]


@pytest.mark.parametrize("room", ["#lobby", "#Lobby"])
def test_whoever_was_kicked_and_comes_back_stays(room: str) -> None:
    """They have not left the room themselves, but it is the one to which they go."""
    session = in_the_lobby(b"alice\n")
    assert following(session.done(Joined(room, "alice", "id"))) == []
    assert asked_by(session, b"hi\n") == [Say(room, "hi")]


@pytest.mark.parametrize(
    "event",
    [
        Said("#lobby", "alice", "hi", "id"),
        Left("#lobby", "alice", "id"),
        Renamed("alice", "ann", "id"),
        TopicSet("#lobby", "alice", "tea", "id"),
    ],
)
def test_nothing_follows_from_other_events(event: Event) -> None:
    session = in_the_lobby(b"alice\n")
    assert following(session.done(event)) == []


# ── the end ────────────────────────────────────────────────────────────────────────────────────


def test_an_unfinished_line_counts_at_the_end() -> None:
    session = in_the_lobby(b"alice\n")
    assert asked_by(session, b"one\ntw", b"o") == [Say("#lobby", "one")]
    session.receive_eof()
    assert all_asked(session) == [Say("#lobby", "two")]


def test_nothing_counts_twice_at_the_end() -> None:
    session = in_the_lobby(b"alice\n")
    assert asked_by(session, b"one\n") == [Say("#lobby", "one")]
    session.receive_eof()
    assert all_asked(session) == []


# ── too long ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_line_too_long_is_refused_and_the_next_is_not(ending: bytes) -> None:
    refused, said = asked_in_lines(b"x" * (LINE_BYTES + 1) + ending + b"hi" + ending)
    assert isinstance(refused, Refused)
    assert f"longer than {LINE_BYTES} bytes" in refused.why
    assert said == Say("#lobby", "hi")


def test_bytes_count_and_not_characters() -> None:
    assert isinstance(asked_in_lines("é".encode() * LINE_BYTES + b"\n")[0], Refused)


def test_a_nickname_too_long_for_a_line_is_refused_and_the_next_is_not() -> None:
    session = new_session()
    refused, *entering = asked_by(session, b"x" * (LINE_BYTES + 1) + b"\n", b"alice\n")
    assert isinstance(refused, Refused)
    assert entering == [Enter("alice"), Join("#lobby")]


def test_a_piece_too_long_is_refused_and_the_next_is_not() -> None:
    session = in_the_lobby(b"tom")
    refused, said = asked_by(session, b"x" * (LINE_BYTES + 1), b"tom: hi")
    assert isinstance(refused, Refused)
    assert said == Say("#lobby", "hi")


@pytest.mark.parametrize("hello", [b"alice\n", b"alice"], ids=["framed", "unframed"])
def test_whoever_never_ends_a_line_is_sent_away(hello: bytes) -> None:
    session = in_the_lobby(hello)
    pieces = [b"x" * 4096] * (ENDLESS // 4096)
    assert not any(isinstance(asked, Quit) for asked in asked_by(session, *pieces))
    last = asked_by(session, b"x" * 4096)[-1]
    assert isinstance(last, Quit)
    assert str(ENDLESS) in last.why


# ── without newlines, as the tutorial's client speaks ──────────────────────────────────────────


@pytest.mark.parametrize(
    ("piece", "asked"),
    [
        (b"tom: hi", [Say("#lobby", "hi")]),
        (b"hi", [Say("#lobby", "hi")]),
        (b"tom: hitom: there", [Say("#lobby", "hi"), Say("#lobby", "there")]),
        (b"tom: tom: tom: hi", [Say("#lobby", "hi")]),
        (b"tom: ", []),
        (b"tom:  ", []),
        (b"tom: a: b", [Say("#lobby", "a: b")]),
        (b"bob: hi", [Say("#lobby", "bob: hi")]),
        (b"tom: /who", [ListMembers("#lobby")]),
        (b"tom: //who", [Say("#lobby", "/who")]),
        (b"tom: /quit", [Quit()]),
        (b"tom: caf\xc3\xa9", [Say("#lobby", "café")]),
    ],
)
def test_without_newlines_a_piece_is_a_message(piece: bytes, asked: list[Asked]) -> None:
    assert asked_by(in_the_lobby(b"tom"), piece) == asked
    assert asked_by(in_the_lobby(b"tom"), piece, b"tom: bye")[: len(asked)] == asked


def test_what_was_said_before_the_greeting_is_said_after_the_nickname() -> None:
    asked = asked_by(new_session(), b"tom: hitom: there", b"tom: you")
    assert asked == [
        Enter("tom", near=True),
        Join("#lobby"),
        *(Say("#lobby", text) for text in ("hi", "there", "you")),
    ]


def test_who_sends_single_keys_is_no_program() -> None:
    asked = asked_by(in_the_lobby(b"c"), *(b"%c" % key for key in b"hi\r\nho\r\n"))
    assert asked == [Say("#lobby", "hi"), Say("#lobby", "ho")]


def test_the_prefix_is_the_nickname_that_was_asked_for() -> None:
    session = new_session()
    session.receive_data(b"tom")
    assert next_command(session) == Enter("tom", near=True)
    session.done(Arrived("tom_2", "id"))
    session.done(Joined("#lobby", "tom_2", "id"))
    assert asked_by(session, b"tom: hi") == [Say("#lobby", "hi")]


def test_the_prefix_is_in_the_encoding() -> None:
    session = in_the_lobby("zoé".encode("latin-1"), "latin-1")
    assert asked_by(session, "zoé: hé".encode("latin-1")) == [Say("#lobby", "hé")]


def test_from_the_first_newline_on_lines_count() -> None:
    session = in_the_lobby(b"tom")
    asked = asked_by(session, b"tom: one", b"two\nth", b"ree\nfour")
    assert asked == [Say("#lobby", "one"), Say("#lobby", "two"), Say("#lobby", "three")]
    session.receive_eof()
    assert all_asked(session) == [Say("#lobby", "four")]


# ── what only telnet and browsers send ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (b"\xff\xf4\xff\xfd\x06hi\r\n", [Say("#lobby", "hi")]),
        (b"h\xff\xfb\x1fi\r\0ho\r\0", [Say("#lobby", "hi"), Say("#lobby", "ho")]),
        (b"\xff\xfa\x1f\x00\x50\x00\x0a\xff\xf0hi\n", [Say("#lobby", "hi")]),
    ],
)
def test_what_a_telnet_sends_beside_what_is_typed_is_not_said(
    data: bytes, asked: list[Asked]
) -> None:
    assert asked_in_lines(data) == asked


def test_what_was_erased_key_by_key_is_not_said() -> None:
    keys = [b"%c" % key for key in b"ho\x7fi\x08\x08hey\nx\x7f\n"]
    assert asked_by(in_the_lobby(b"ax\x7flice\n"), *keys) == [Say("#lobby", "hey")]
    assert asked_by(in_the_lobby(b"alice\n"), b"a\x7fb\n") == [Say("#lobby", "a\x7fb")]


def test_where_iac_is_a_letter_it_is_said() -> None:
    session = in_the_lobby(b"alice\n", "cp1251")
    assert asked_by(session, "я\n".encode("cp1251")) == [Say("#lobby", "я")]
    session = in_the_lobby(b"alice\n", "latin-1")
    session.receive_data(b"\xff")
    session.receive_eof()
    assert all_asked(session) == [Say("#lobby", "ÿ")]


GOODBYE = Quit("This is a chat server, not a web server. Goodbye!")
HOST = b"Host: x\r\n\r\nbody\r\n"

#: A request in pieces, each after so long a pause that it is read alone. A nickname may be taken
#: from it, but nothing that follows is said.
REQUESTS = [
    [b"FOO bar\r\n", HOST],
    [b"FOO\r\n", HOST],
    [b"FOO\r\n", b"user-agent: x\r\n"],
    [b"a\n", b"FOO /x HTTP/1.1\r\n", HOST],
    [b"a b\n", b"GET /x", b" HTTP/1.1\r\n", HOST],
    [b"PO", b"ST / HTTP/1.1\r\n", HOST],
    [b"PO", b"ST /x", b" HTTP/1.1\r\n", HOST],
    [b"PO", b"S", b"T /x", b" HTTP/1.1\r\n", HOST],
    [b"post /", b"x HTTP/1.1\r\n", HOST],
    [b"PO", b"ST /" + b"x" * 60, HOST],
    [b"PRI", b" * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
]

#: The first that somebody says, with a newline behind it.
PEOPLE = [
    "x-y: z", "say /x", "GET /status is slow", "GET well soon", "Host: db1 is down",
    "Connection: lost", "Accept: all of it", "Cookie: yes, please", "Authorization: ask for it now",
    "Upgrade: done", "Pragma: what is it", "Content: none", "look http://x", "POST it",
    "let us use HTTP/1.1", "http://x", "host: that one", "Ghost: x",
]  # fmt: skip


@pytest.mark.parametrize("pieces", REQUESTS)
def test_a_request_in_pieces_is_never_said(pieces: list[bytes]) -> None:
    session = new_session()
    asked: list[Asked] = []
    left = iter(pieces)
    while GOODBYE not in asked:
        asked += asked_by(session, next(left))
    assert not any(isinstance(command, Say) for command in asked)


@pytest.mark.parametrize("text", PEOPLE)
def test_people_may_talk_of_requests(text: str) -> None:
    asked = asked_by(in_the_lobby(b"alice\n"), text.encode() + b"\n")
    assert asked == [Say("#lobby", text)]
    tutorial = asked_by(in_the_lobby(b"alice"), b"alice: hi", f"alice: {text}".encode())
    assert tutorial == [Say("#lobby", "hi"), Say("#lobby", text)]


@pytest.mark.parametrize("text", ["Host: x", "GET /x HTTP/1.1", "Accept: */*"])
def test_who_has_said_something_may_say_what_no_client_sends(text: str) -> None:
    asked = asked_by(in_the_lobby(b"alice\n"), b"hi\n", text.encode() + b"\n")
    assert asked == [Say("#lobby", "hi"), Say("#lobby", text)]


# ── a password ─────────────────────────────────────────────────────────────────────────────────


def test_whoever_has_said_a_nickname_is_asked_for_the_password() -> None:
    session = new_session(password=True)
    asked = asked_by(session, b"alice\n", b"open sesame\n", b"hi\n")
    assert asked[:1] == [Notice("This chat has a password. Enter it now, or /login NAME PASSWORD.")]
    assert asked[1:] == [
        Enter("alice", password=SESAME),
        Join("#lobby"),
        Say("#lobby", "hi"),
    ]


def test_whoever_says_both_at_once_need_not_wait() -> None:
    session = new_session(password=True)
    notice, *asked = asked_by(session, b"alice\nopen sesame\nhi\n")
    assert isinstance(notice, Notice)
    entering = Enter("alice", near=True, password=SESAME)
    assert asked == [entering, Join("#lobby"), Say("#lobby", "hi")]


def test_whoever_is_asked_for_another_nickname_is_not_taken_to_say_the_password() -> None:
    session = new_session(password=True)
    session.receive_data(b"alice\nopen sesame\n")
    assert isinstance(session.next_run(), Handled)
    assert next_command(session) == Enter("alice", password=SESAME)
    session.reply(Refused("The nickname alice is taken."))
    session.data_to_send()
    assert asked_by(session, b"ann\nopen sesame\n") == [
        Notice("This chat has a password. Enter it now, or /login NAME PASSWORD."),
        Enter("ann", password=SESAME),
        Join("#lobby"),
    ]


def test_without_newlines_too_the_prefix_is_no_part_of_the_password() -> None:
    session = new_session(password=True)
    notice, *asked = asked_by(session, b"tom", b"tom: open sesame", b"tom: hi")
    assert isinstance(notice, Notice)
    entering = Enter("tom", near=True, password=SESAME)
    assert asked == [entering, Join("#lobby"), Say("#lobby", "hi")]


# ── what it answers ────────────────────────────────────────────────────────────────────────────


def test_what_is_said_in_a_row_goes_together_up_to_something_else() -> None:
    session = in_the_lobby(b"alice\n")
    session.receive_data(b"hi\n/me waves\n\nyou\n/msg bob hi\n/xyzzy\nhi\n")
    runs = [commands(run) for run in iter(session.next_run, None)]
    said = [Say("#lobby", "hi"), Say("#lobby", "waves", action=True), Say("#lobby", "you")]
    assert runs == [said, [DirectMessage("bob", "hi")], [], [Say("#lobby", "hi")]]


def test_what_is_replied_waits_to_be_sent_once_and_refusals_are_counted() -> None:
    session = in_the_lobby(b"alice\n")
    session.reply(Refused("No."))
    session.reply(AwayReply("bob", "tea"))
    session.reply(Refused("Never."))
    assert session.refusals == 2
    assert session.data_to_send() == b"*** No.\n*** bob is away: tea\n*** Never.\n"
    assert session.data_to_send() == b""


@pytest.mark.parametrize(("hello", "reply"), [(b"tom\n", "*** é\n".encode()), (b"tom", b"*** ?\n")])
def test_a_reply_is_in_the_encoding_that_the_peer_can_read(hello: bytes, reply: bytes) -> None:
    session = in_the_lobby(hello)
    session.reply(Notice("é"))
    assert session.data_to_send() == reply


@pytest.mark.parametrize(("words", "data"), [("", b""), ("Goodbye!", b"*** Goodbye!\n")])
def test_the_last_words_are_a_sentence_of_the_servers(words: str, data: bytes) -> None:
    session = in_the_lobby(b"alice\n")
    session.farewell(words)
    assert session.data_to_send() == data


def test_nobody_plain_is_asked_whether_they_are_there() -> None:
    session = in_the_lobby(b"alice\n")
    session.ping()
    assert session.data_to_send() == b""
    assert session.own is None


# ── how it is written to ───────────────────────────────────────────────────────────────────────


def test_without_newlines_and_beyond_ascii_nothing_but_ascii_is_written() -> None:
    session = new_session()
    assert session.dialect is plain_dialect("ascii")
    session.receive_data(b"tom")
    assert session.dialect is plain_dialect("ascii")
    session.receive_data(b"tom: hi")
    assert session.dialect is plain_dialect("ascii")


@pytest.mark.parametrize("data", [b"\n", b"alice\r\n", "zoé".encode(), b"\xfe"])
def test_with_a_newline_or_beyond_ascii_the_encoding_is_written(data: bytes) -> None:
    session = new_session()
    session.receive_data(data)
    assert session.dialect is plain_dialect("utf-8")
    session.receive_data(b"tom: hi")
    assert session.dialect is plain_dialect("utf-8")


def test_there_is_one_dialect_for_each_encoding() -> None:
    assert plain_dialect("utf-8") is plain_dialect("utf-8")
    assert plain_dialect("utf-8") is not plain_dialect("latin-1")


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8", "zoé: é 漢字 👩\n".encode()),
        ("latin-1", b"zo\xe9: \xe9 ?? ?\n"),
        ("ascii", b"zo?: ? ?? ?\n"),
        ("shift_jis", b"zo?: ? \x8a\xbf\x8e\x9a ?\n"),
    ],
)
def test_what_an_encoding_cannot_write_is_a_question_mark(encoding: str, data: bytes) -> None:
    assert plain_dialect(encoding).render(Said("#lobby", "zoé", "é 漢字 👩")) == data


@pytest.mark.parametrize(
    ("shown", "data"),
    [
        (Joined("#lobby", "alice"), b"alice joined!\n"),
        (Arrived("alice"), b""),
        (Notice("one\ntwo"), b"*** one\n*** two\n"),
        (Copy(Said("#lobby", "eve", "from outside")), b""),
        (Said("#lobby", "eve", "\x01VERSION\x01"), b""),
        (Said("#lobby", "eve", "\x02bold\x02 \x0304,01red\x0f"), b"eve: bold red\n"),
        (
            RoomWelcome(
                "#lobby", "alice", recent=(Entry("#lobby", "1", Said("#lobby", "bob", "hi")),)
            ),
            b"Connected to server!\n"
            b"*** You are alice in #lobby; nobody else is here yet. /help for more.\n"
            b"*** The last message:\n"
            b"bob: hi\n",
        ),
    ],
)
def test_each_line_ends_in_a_newline(shown: Shown, data: bytes) -> None:
    assert plain_dialect("utf-8").render(shown) == data


# What begins with a 0x01 is said by one IRC client to another, and is not shown.
TEXTS = st.text(
    st.characters(exclude_categories=[]) | st.sampled_from("\n\r\x1b\x85\u2028")
).filter(lambda text: not text.startswith("\x01"))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "shift_jis"])
@given(text=TEXTS)
def test_whatever_is_said_is_clean_lines(encoding: str, text: str) -> None:
    """A line for each that was said, and all of them say who has said them."""
    for said, start in (
        (Said("#lobby", "bob", text), "bob: "),
        (Said("#lobby", "bob", text, action=True), "* bob "),
        (Said("alice,bob", "bob", text, to="alice"), "bob -> alice: "),
        (TopicSet("#lobby", "bob", text), "*** "),
        (Topic("#lobby", text), "*** "),
    ):
        *lines, rest = plain_dialect(encoding).render(said).decode(encoding).split("\n")
        assert rest == ""
        parts = text.split("\n") if isinstance(said, Said) and "\n" in text else [""]
        shown = [part for part in parts if part and part[0] != "\x01"]
        assert len(lines) == (1 if parts == [""] else len(shown))
        assert all(line.startswith(start) for line in lines)
        assert "Cc" not in {unicodedata.category(char) for line in lines for char in line}


# ── anything ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"alice\n", b"hi ho\n", b"/me a\n", b"/msg b c\n", b"tom: a"])
@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis"])
def test_every_byte_is_borne_everywhere(encoding: str, line: bytes) -> None:
    for position in range(len(line)):
        for byte in range(256):
            data = line[:position] + bytes([byte]) + line[position + 1 :]
            for pieces in ([data], [b"tom", data], [b"alice\n", data]):
                assert_borne(new_session(encoding), pieces)


@given(st.lists(st.binary() | st.sampled_from([b"\n", b"/", b"/msg ", b"tom: ", b"x" * 99])))
@example([b"A ", b"/"])  # half a request of HTTP
def test_all_bytes_are_borne(pieces: list[bytes]) -> None:
    for password in (False, True):
        assert_borne(new_session(password=password), pieces)


def assert_borne(session: PlainSession, pieces: list[bytes]) -> None:
    asked = asked_by(session, *pieces)
    session.receive_eof()
    asked += all_asked(session)
    assert all(isinstance(each, Asked) for each in asked)
    assert next_command(session) is None


@given(st.lists(st.binary() | st.just(b"\n")))
def test_lines_ask_for_the_same_whole_and_in_pieces(pieces: list[bytes]) -> None:
    """But for keys that erase: only who sends each key by itself has typed them."""
    pieces = [piece.translate(None, b"\b\x7f") for piece in pieces]
    whole = asked_by(in_the_lobby(b"alice\n"), b"".join(pieces))
    assert asked_by(in_the_lobby(b"alice\n"), *pieces) == whole
