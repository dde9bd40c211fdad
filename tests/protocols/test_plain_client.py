"""The client's end of the plain dialect, against servers like ours and like the tutorial's."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runs import commands, next_command
from trio_chat.core.commands import Enter, Say
from trio_chat.core.events import Arrived, Joined, Left, Notice, Renamed, Said, TopicSet
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.irc.text import is_invisible
from trio_chat.protocols.plain.client import Earlier, Message, PlainClientSession
from trio_chat.protocols.plain.server import PlainSession

WELCOME = (
    b"bob joined!\n"
    b"Connected to server!\n"
    b"*** You are bob in #lobby; nobody else is here yet. /help tells more.\n"
)
YOU_ARE_BOB = Notice("You are bob in #lobby; nobody else is here yet. /help tells more.")


def new_session(encoding: str = "utf-8") -> PlainClientSession:
    return PlainClientSession("bob", encoding=encoding)


def with_trio_chat(encoding: str = "utf-8") -> PlainClientSession:
    """A session that has been let in by a server which frames by newlines."""
    session = new_session(encoding)
    session.speak_first()
    session.data_to_send(0)
    session.receive_data(WELCOME)
    return session


def with_the_tutorial(encoding: str = "utf-8") -> PlainClientSession:
    """A session that has been let in by a server which does not frame."""
    session = new_session(encoding)
    session.receive_data(b"NICK")
    session.data_to_send(0)
    session.receive_data(b"bob joined!Connected to server!")
    return session


def said(session: PlainClientSession, text: str) -> bytes:
    """What is sent for a text."""
    session.say(text)
    return session.data_to_send(0)


def heard(session: PlainClientSession, *pieces: bytes) -> list[Message]:
    return [message for piece in pieces for message in session.receive_data(piece)]


def heard_in_lines(data: bytes) -> list[Message]:
    """What lines tell: the same whole, byte by byte, and with something unfinished behind."""
    whole = heard(with_trio_chat(), data)
    each = [data[i : i + 1] for i in range(len(data))]
    assert heard(with_trio_chat(), *each) == whole
    assert heard(with_trio_chat(), data + b"unfinished") == whole
    return whole


# ── a server that frames by newlines ───────────────────────────────────────────────────────────


def test_whoever_is_not_greeted_speaks_first_with_a_newline() -> None:
    session = new_session()
    assert session.data_to_send(0) == b""
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"
    assert session.data_to_send(0) == b""


def test_nobody_speaks_first_twice() -> None:
    session = new_session()
    session.speak_first()
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"


def test_whoever_is_let_in_knows_where_and_as_whom() -> None:
    session = new_session()
    session.speak_first()
    assert (session.admitted, session.framed, session.room) == (False, False, "")
    assert heard(session, WELCOME) == [
        Joined("", "bob"),
        Notice("Connected to server!"),
        YOU_ARE_BOB,
    ]
    assert (session.admitted, session.framed) == (True, True)
    assert (session.nick, session.room) == ("bob", "#lobby")


@pytest.mark.parametrize("pieces", [[b"NICK" + WELCOME], [b"NICK", WELCOME]])
def test_a_late_greeting_is_not_answered_again(pieces: list[bytes]) -> None:
    session = new_session()
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"
    assert heard(session, *pieces)[0] == Joined("", "bob")
    assert session.data_to_send(0) == b""
    assert session.framed


def test_a_nick_that_begins_like_a_greeting_is_none() -> None:
    session = PlainClientSession("NICKY", encoding="utf-8")
    session.speak_first()
    session.data_to_send(0)
    assert heard(session, b"NICKY joined!\nConnected to server!\n")[0] == Joined("", "NICKY")


def test_whoever_is_greeted_answers_and_then_knows_that_there_are_lines() -> None:
    session = new_session()
    assert heard(session, b"NICK") == []
    assert session.data_to_send(0) == b"bob"
    assert not session.framed
    assert len(heard(session, WELCOME)) == 3
    assert (session.framed, session.admitted, session.room) == (True, True, "#lobby")


def test_whoever_is_refused_is_told_why() -> None:
    session = new_session()
    session.speak_first()
    with pytest.raises(NotAdmitted, match=r"^The nickname bob is taken\.$"):
        session.receive_data(b"*** The nickname bob is taken.\n")
    assert not session.admitted


def test_whoever_is_asked_for_a_password_says_it_once() -> None:
    session = PlainClientSession("bob", encoding="utf-8", password="open sesame")
    session.speak_first()
    session.data_to_send(0)
    asked = b"*** This chat has a password. Write it now.\n"
    assert heard(session, asked) == [Notice("This chat has a password. Write it now.")]
    assert session.data_to_send(0) == b"open sesame\n"
    with pytest.raises(NotAdmitted, match="This chat has a password"):
        session.receive_data(asked)


def test_whoever_has_no_password_is_told_that_there_is_one() -> None:
    session = new_session()
    session.speak_first()
    with pytest.raises(NotAdmitted, match="This chat has a password"):
        session.receive_data(b"*** This chat has a password. Write it now.\n")


def test_what_has_not_come_back_may_be_lost() -> None:
    session = with_trio_chat()
    session.say("one\ntwo")
    heard(session, b"bob: one\n")
    assert (session.doubtful, session.unsaid) == (1, 1)
    heard(session, b"al: two\n")
    assert session.unsaid == 1
    heard(session, b"bob: two\n")
    assert session.unsaid == 0


def test_one_text_may_be_several_messages_and_blank_lines_are_none() -> None:
    session = with_trio_chat()
    session.say("one\n\ntwo\n \nthree")
    assert (session.doubtful, session.unsaid) == (3, 3)
    heard(session, b"bob: one\nbob: two\nbob: three\nbob: of another device\n")
    assert (session.doubtful, session.unsaid) == (0, 0)
    session.say("four")
    assert session.doubtful == 1


def test_of_several_rooms_that_we_go_to_the_last_one_counts() -> None:
    session = with_trio_chat()
    session.data_to_send(0)
    session.command("/join tea")
    session.say("hi")
    session.command("/join den")
    session.say("/hi")
    assert session.data_to_send(0) == b"/join tea\n/who\n"
    assert (session.doubtful, session.waiting) == (4, True)
    heard(session, IN.replace(b"#den", b"#tea") + b"*** In #tea (1): bob\n")
    assert session.data_to_send(0) == b"hi\n/join den\n/who\n"
    heard(session, b"bob: hi\n", IN)
    assert (session.doubtful, session.waiting) == (1, True)
    heard(session, b"*** In #den (1): bob\n")
    assert session.data_to_send(0) == b"//hi\n"
    heard(session, b"bob: /hi\n")
    assert (session.doubtful, session.waiting) == (0, False)


@pytest.mark.parametrize("text", ["\x02", "\u200b", "\x01"])
@pytest.mark.parametrize("command", ["", "/me ", "/msg al "])
def test_what_nobody_could_see_is_not_said(command: str, text: str) -> None:
    session = with_trio_chat()
    session.data_to_send(0)
    with pytest.raises(Unsupported, match="Nothing could be seen of that"):
        (session.command if command else session.say)(command + text)
    assert (session.data_to_send(0), session.unsaid) == (b"", 0)


IN = b"*** You are bob in #den; nobody else is here yet. /help tells more.\n"


def test_what_was_meant_for_a_room_that_lets_nobody_in_is_not_for_another() -> None:
    session = with_trio_chat()
    heard(session, IN)
    session.command("/who")
    session.command("/join tea")
    session.say("for tea")
    session.command("/topic tea")
    session.data_to_send(0)
    told = heard(session, b"*** In #den (1): bob\n*** #tea is full.\n*** In #den (1): bob\n")
    assert told == [Notice("In #den (1): bob"), Notice("#tea is full.")]
    not_there = Notice("You are not in #tea. /join #den goes on in #den.")
    assert session.own_messages() == [not_there, not_there]
    assert (session.data_to_send(0), session.unsaid) == (b"", 3)
    with pytest.raises(Unsupported, match=not_there.text):
        session.say("for tea, too")
    session.command("/msg al psst")
    session.command("/join den")
    session.say("hi")
    assert session.data_to_send(0) == b"/msg al psst\n/join den\nhi\n"


def test_without_lines_the_bytes_are_counted_that_come_back() -> None:
    """The tutorial's server sends texts as they come, and says nothing of whose they are."""
    session = new_session()
    heard(session, b"NICK")
    session.data_to_send(0)
    session.say("one\ntwo")
    assert session.data_to_send(0) == b"bob: onebob: two"
    heard(session, b"bob: one")
    assert session.doubtful == 2  # it may be that of somebody else
    heard(session, b"bob: tw")
    assert session.doubtful == 2
    heard(session, b"o")
    assert session.doubtful == 0
    heard(session, b"al: hello")
    session.say("three")
    assert session.doubtful == 1


def test_how_many_are_missing_is_told_if_the_server_says_goodbye() -> None:
    session = with_trio_chat()
    session.say("one\ntwo\nthree")
    heard(session, b"bob: one\n*** The server stops. Goodbye!\n")
    assert session.undelivered == "The server stops. 2 of our messages did not come back"
    heard(session, b"bob: two\nbob: three\n*** The server stops. Goodbye!\n")
    assert session.undelivered == ""


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/me waves", b"* bob waves\n"),
        ("/ME waves", b"* bob waves\n"),
        ("/msg al hi", b"bob -> al: hi\n"),
        ("/join #tea", b"*** You are bob in #tea; nobody else is here yet. /help tells more.\n"),
        ("/join tea", b"*** You are bob in #tea; nobody else is here yet. /help tells more.\n"),
    ],
)
def test_commands_that_say_something_or_go_somewhere_count_until_they_are_done(
    command, answer
) -> None:
    session = with_trio_chat()
    session.command(command)
    assert session.unsaid == 1
    heard(session, b"*** No.\n")
    assert session.unsaid == 1
    heard(session, answer)
    assert session.unsaid == 0


@pytest.mark.parametrize("command", ["/topic tea", "/who", "/nick al", "/join #LOBBY"])
def test_other_commands_do_not(command) -> None:
    session = with_trio_chat()
    session.command(command)
    assert session.unsaid == 0


def test_a_command_that_the_server_does_not_know_counts() -> None:
    session = with_trio_chat()
    session.command("/notice nobody x")
    heard(session, b"*** There is no command /notice. Did you mean /nick? /help lists all.\n")
    assert session.unsaid == 1


def test_the_tutorials_server_sends_back_each_byte_or_something_is_missing() -> None:
    session = with_the_tutorial()
    heard(session, b"al: before")
    session.say("one\ntwo")
    heard(session, b"bob: oneal: h")
    assert session.unsaid == 2
    heard(session, b"i")
    assert session.unsaid == 2
    heard(session, b"bob: two")
    assert session.unsaid == 0


def test_a_room_that_is_asked_for_is_entered_before_anything_is_said() -> None:
    session = PlainClientSession("bob", encoding="utf-8", room="#tea")
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"
    heard(session, WELCOME)
    assert session.data_to_send(0) == b"/join #tea\n"
    assert not session.admitted
    heard(session, b"*** You are bob in #tea; nobody else is here yet. /help tells more.\n")
    assert (session.admitted, session.room, session.unsaid) == (True, "#tea", 0)


def test_a_room_that_does_not_let_us_in_keeps_us_out() -> None:
    session = PlainClientSession("bob", encoding="utf-8", room="#tea")
    session.speak_first()
    heard(session, WELCOME)
    with pytest.raises(NotAdmitted, match="To enter #tea you must be invited"):
        heard(session, b"*** To enter #tea you must be invited.\n")


def test_a_topic_cannot_refuse_us() -> None:
    session = new_session()
    session.speak_first()
    heard(session, WELCOME)
    line = "The topic of #lobby: x You are bob for now; /nick changes that."
    assert heard(session, f"*** {line}\n".encode()) == [Notice(line)]


def test_a_near_nick_is_not_the_one_that_was_chosen() -> None:
    session = new_session()
    session.receive_data(b"NICK")
    with pytest.raises(NotAdmitted, match=r"^The nickname bob is taken\.$"):
        session.receive_data(
            b"*** The nickname bob is taken. You are bob_2 for now; /nick changes that.\n"
        )
    assert not session.admitted


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"alice: hi\n", [Said("#lobby", "alice", "hi")]),
        (b"alice: hi\r\n", [Said("#lobby", "alice", "hi")]),
        (b"alice: a\nbob: b\n", [Said("#lobby", "alice", "a"), Said("#lobby", "bob", "b")]),
        (b"* alice waves\n", [Said("#lobby", "alice", "waves", action=True)]),
        (b"alice -> bob: psst\n", [Said("", "alice", "psst", to="bob")]),
        ("zoé: 漢字\n".encode(), [Said("#lobby", "zoé", "漢字")]),
        (b"alice: \xff\n", [Said("#lobby", "alice", "\ufffd")]),
        (b"alice joined!\n", [Joined("#lobby", "alice")]),
        (b"alice left!\n", [Left("#lobby", "alice")]),
        (b"*** alice is now ann.\n", [Renamed("alice", "ann")]),
        (b"*** alice set the topic: tea\n", [TopicSet("#lobby", "alice", "tea")]),
        (b"*** alice removed the topic.\n", [TopicSet("#lobby", "alice", "")]),
        (b"*** The server stops.\n", [Notice("The server stops.")]),
        (b"NICK\n", [Notice("NICK")]),
        (b"\n", [Notice("")]),
    ],
)
def test_what_lines_tell(data: bytes, messages: list[Message]) -> None:
    assert heard_in_lines(data) == messages


def test_what_is_replayed_was_said_earlier() -> None:
    replay = b"*** The last 2 messages:\nalice: one\n* alice waves\nalice: two\n"
    assert heard_in_lines(replay) == [
        Notice("The last 2 messages:"),
        Earlier(Said("#lobby", "alice", "one")),
        Earlier(Said("#lobby", "alice", "waves", action=True)),
        Said("#lobby", "alice", "two"),
    ]


def test_a_single_message_is_replayed() -> None:
    assert heard_in_lines(b"*** The last message:\nalice: one\nalice: two\n") == [
        Notice("The last message:"),
        Earlier(Said("#lobby", "alice", "one")),
        Said("#lobby", "alice", "two"),
    ]


def test_a_line_that_is_too_long_is_a_notice() -> None:
    session = with_trio_chat()
    told = heard(session, *[b"x" * 65536] * 17, b"\nalice: hi\n")
    assert told == [Notice("A line was too long."), Said("#lobby", "alice", "hi")]


def test_another_room_is_where_we_are_from_then_on() -> None:
    session = with_trio_chat()
    told = heard(
        session,
        b"bob joined!\n*** You are bob in #tea; 2 others are here. /help tells more.\nalice: hi\n",
    )
    assert told[-1] == Said("#tea", "alice", "hi")
    assert session.room == "#tea"


def test_the_server_says_what_our_nick_is() -> None:
    session = with_trio_chat()
    session.receive_data(b"*** You are Bob in #tea; nobody else is here yet. /help tells more.\n")
    assert session.nick == "Bob"


def test_our_new_nick_is_ours() -> None:
    session = with_trio_chat()
    assert heard(session, b"*** bob is now rob.\n") == [Renamed("bob", "rob")]
    assert session.nick == "rob"
    session.receive_data(b"*** rob is now ron.\n")
    assert session.nick == "ron"


def test_the_new_nick_of_another_is_not_ours() -> None:
    session = with_trio_chat()
    session.receive_data(b"*** alice is now rob.\n")
    assert session.nick == "bob"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("hi", b"hi\n"),
        ("hi there: you", b"hi there: you\n"),
        ("/shrug", b"//shrug\n"),
        ("//", b"///\n"),
        (" /me", b" /me\n"),
        ("one\ntwo", b"one\ntwo\n"),
        ("one\n/two\n", b"one\n//two\n"),
        ("\none\n  \ntwo\n\n", b"one\ntwo\n"),
        ("", b""),
        ("\n", b""),
        ("é漢", "é漢\n".encode()),
    ],
)
def test_say(text: str, data: bytes) -> None:
    assert said(with_trio_chat(), text) == data


def test_what_the_encoding_cannot_write_is_a_question_mark() -> None:
    assert said(with_trio_chat("latin-1"), "é漢") == b"\xe9?\n"


@pytest.mark.parametrize(
    ("line", "data"),
    [("/who", b"/who\n"), ("/topic a\nb", b"/topic a b\n"), ("/me é", "/me é\n".encode())],
)
def test_command(line: str, data: bytes) -> None:
    session = with_trio_chat()
    session.command(line)
    assert session.data_to_send(0) == data


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r") | st.sampled_from("/\n ")))
def test_our_server_understands_what_our_client_says(text: str) -> None:
    assume(not is_invisible(text))
    server = PlainSession(encoding="utf-8", line_bytes=8192, lobby="#lobby")
    server.receive_data(b"bob\n")
    assert isinstance(next_command(server), Enter)
    server.done(Arrived("bob", "id"))
    server.done(Joined("#lobby", "bob", "id"))
    server.receive_data(said(with_trio_chat(), text))
    expected = [Say("#lobby", line) for line in text.split("\n") if line.strip()]
    assert [*commands(server.next_run()), *commands(server.next_run())] == expected


# ── a server that does not ─────────────────────────────────────────────────────────────────────


def test_a_greeting_is_answered_without_a_newline() -> None:
    session = new_session()
    assert heard(session, b"NICK") == []
    assert session.data_to_send(0) == b"bob"
    session.speak_first()
    assert session.data_to_send(0) == b""


def test_what_the_server_glues_is_told_apart() -> None:
    session = new_session()
    assert heard(session, b"NICK", b"bob joined!Connected to server!") == [
        Joined("", "bob"),
        Notice("Connected to server!"),
    ]
    assert (session.admitted, session.framed) == (True, False)
    assert (session.nick, session.room) == ("bob", "")


def test_what_is_said_while_we_are_let_in_is_heard() -> None:
    session = new_session()
    assert heard(session, b"NICK", b"bob joined!", b"Connected to server!alice: hi") == [
        Joined("", "bob"),
        Notice("Connected to server!"),
        Said("", "alice", "hi"),
    ]


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (b"alice: hi", Said("", "alice", "hi")),
        (b"alice: /who", Said("", "alice", "/who")),
        ("zoé: 漢字".encode(), Said("", "zoé", "漢字")),
        (b"alice joined!", Joined("", "alice")),
        (b"alice left!", Left("", "alice")),
        (b"whatever", Notice("whatever")),
    ],
)
def test_without_newlines_a_piece_is_a_message(piece: bytes, message: Message) -> None:
    session = with_the_tutorial()
    assert heard(session, piece, piece) == [message, message]
    assert not session.framed


def test_only_the_first_greeting_is_one() -> None:
    session = with_the_tutorial()
    assert heard(session, b"NICKY joined!", b"NICKY: hi") == [
        Joined("", "NICKY"),
        Said("", "NICKY", "hi"),
    ]
    assert session.data_to_send(0) == b""


def test_whoever_is_told_anything_has_been_let_in() -> None:
    session = new_session()
    assert heard(session, b"NICK") == []
    assert not session.admitted
    assert heard(session, b"Welcome, bob") == [Notice("Welcome, bob")]
    assert session.admitted


def test_a_newline_of_somebody_else_does_not_make_lines_of_all() -> None:
    session = with_the_tutorial()
    assert heard(session, b"carol: from netcat\n", b"alice: hi") == [
        Said("", "carol", "from netcat"),
        Said("", "alice", "hi"),
    ]
    assert said(session, "hi") == b"bob: hi"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("hi", b"bob: hi"),
        ("/shrug", b"bob: /shrug"),
        ("one\n\ntwo\n", b"bob: onebob: two"),
        ("", b""),
        ("é", "bob: é".encode()),
    ],
)
def test_without_lines_whoever_speaks_says_so(text: str, data: bytes) -> None:
    assert said(with_the_tutorial(), text) == data


def test_what_the_tutorial_cannot_read_is_a_question_mark() -> None:
    assert said(with_the_tutorial("ascii"), "é!") == b"bob: ?!"


def test_without_lines_there_are_no_commands() -> None:
    with pytest.raises(Unsupported):
        with_the_tutorial().command("/who")


# ── anything ───────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.binary() | st.sampled_from([b"NICK", b"\n", b"*** ", WELCOME, b"a: b\n"])))
def test_no_bytes_are_too_odd(pieces: list[bytes]) -> None:
    for session in (with_trio_chat(), with_the_tutorial()):
        for message in heard(session, *pieces):
            assert isinstance(message, Message)
