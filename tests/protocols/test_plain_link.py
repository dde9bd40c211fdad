"""A client's connection where plain is spoken: how it is greeted and let in, and what is framed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runs import commands, next_command
from trio_chat.core.commands import Enter, Say
from trio_chat.core.events import Arrived, Joined, Left, Renamed, Said
from trio_chat.core.views import Notice, Topic
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.client import UNINVITED, Linked, Message, Roster
from trio_chat.protocols.irc.text import is_invisible
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.plain.server import PlainSession
from trio_chat.protocols.plain.wording import ASK_FOR_INVITATION
from trio_chat.protocols.resume_state import ResumeState

WELCOME = (
    b"bob joined!\n"
    b"Connected to server!\n"
    b"*** You are bob in #lobby; nobody else is here yet. /help for more.\n"
)
LINKED = Linked("bob", "", frozenset())


def new_session(nick: str = "bob", encoding: str = "utf-8", **how: str) -> PlainClientSession:
    return PlainClientSession(
        nick, only_room="#lobby", encoding=encoding, state=ResumeState(), **how
    )


def with_trio_chat(encoding: str = "utf-8") -> PlainClientSession:
    """A session that has been let in by a server which frames by newlines."""
    session = new_session(encoding=encoding)
    session.speak_first()
    heard(session, WELCOME, b"*** In #lobby (1): bob\n")
    session.data_to_send(0)
    return session


def with_the_tutorial(encoding: str = "utf-8") -> PlainClientSession:
    """A session that has been let in by a server which does not frame."""
    session = new_session(encoding=encoding)
    heard(session, b"NICK", b"bob joined!Connected to server!")
    session.data_to_send(0)
    return session


def said(session: PlainClientSession, text: str) -> bytes:
    """What is sent for a text."""
    session.say_to("#lobby", text)
    return session.data_to_send(0)


def heard(session: PlainClientSession, *pieces: bytes) -> list[Message]:
    told = [message for piece in pieces for message in session.receive_data(piece)]
    return [message for message in told if not isinstance(message, Roster)]


def heard_in_lines(data: bytes) -> list[Message]:
    """What lines tell: the same whole, byte by byte, and with something unfinished behind."""
    whole = heard(with_trio_chat(), data)
    each = [data[i : i + 1] for i in range(len(data))]
    assert heard(with_trio_chat(), *each) == whole
    assert heard(with_trio_chat(), data + b"unfinished") == whole
    return whole


# ── a server that frames by newlines ───────────────────────────────────────────────────────────


def test_whoever_is_not_greeted_speaks_first_with_a_newline_and_once() -> None:
    session = new_session()
    assert session.data_to_send(0) == b""
    session.speak_first()
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"
    assert session.data_to_send(0) == b""


@pytest.mark.parametrize("pieces", [[b"NICK" + WELCOME], [b"NICK", WELCOME]])
def test_a_late_greeting_is_not_answered_again(pieces: list[bytes]) -> None:
    session = new_session()
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"
    assert heard(session, *pieces)[0] == LINKED
    assert session.data_to_send(0) == b"/who\n"
    assert session.framed


def test_a_nick_that_begins_like_a_greeting_is_none() -> None:
    session = new_session("NICKY")
    session.speak_first()
    session.data_to_send(0)
    heard(session, b"NICKY joined!\nConnected to server!\n")
    assert (session.admitted, session.data_to_send(0)) == (True, b"")


def test_whoever_is_greeted_answers_and_then_knows_that_there_are_lines() -> None:
    session = new_session()
    assert heard(session, b"NICK") == []
    assert session.data_to_send(0) == b"bob"
    assert not session.framed
    heard(session, WELCOME)
    assert (session.framed, session.admitted, session.room) == (True, True, "#lobby")


def test_whoever_is_asked_for_a_password_says_it_once() -> None:
    session = new_session(password="open sesame")
    session.speak_first()
    session.data_to_send(0)
    asked = b"*** This chat has a password. Enter it now, or /login NAME PASSWORD.\n"
    assert heard(session, asked) == []  # nobody else need answer it
    assert session.data_to_send(0) == b"open sesame\n"
    with pytest.raises(NotAdmitted, match="This chat has a password"):
        heard(session, asked)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"*** The nickname bob is taken.\n", r"^The nickname bob is taken\.$"),
        (
            b"*** The nickname bob is taken. You are bob_2 for now; /nick changes that.\n",
            r"^The nickname bob is taken\.$",  # whoever runs us has chosen another
        ),
        (
            b"*** This chat has a password. Enter it now, or /login NAME PASSWORD.\n",
            "This chat has a password",
        ),
        (
            b"*** bob is somebody's: /login PASSWORD if it is you. You are bob_2 for now; /nick "
            b"changes that.\n",
            "If it is yours, log in",
        ),
    ],
)
def test_whoever_is_refused_is_told_why(line: bytes, why: str) -> None:
    session = new_session()
    session.speak_first()
    with pytest.raises(NotAdmitted, match=why):
        heard(session, line)
    assert not session.admitted


@pytest.mark.parametrize(
    ("answer", "is_refused"),
    [
        ("Cannot log in as bob: that is not the password.", True),
        ("You are logged in as bob.", False),
    ],
)
def test_a_refused_login_is_known_as_one(answer: str, is_refused: bool) -> None:
    session = with_trio_chat()
    session.command("/login bob open-sesame")
    [told] = heard(session, f"*** {answer}\n".encode())
    assert isinstance(told, Notice)
    assert (told.text, told.refusal) == (answer, is_refused)


def test_a_topic_cannot_refuse_us() -> None:
    session = new_session()
    session.speak_first()
    heard(session, WELCOME)
    text = "x You are bob for now; /nick changes that."
    line = f"The topic of #lobby: {text}"
    told = heard(session, f"*** {line}\n".encode())
    assert told == [Topic("#lobby", text), Notice(line, room="#lobby")]


def test_how_many_are_missing_is_told_if_the_server_says_goodbye() -> None:
    session = with_trio_chat()
    said(session, "one\ntwo\nthree")
    heard(session, b"bob: one\n*** The server is shutting down. Goodbye!\n")
    assert session.undelivered == "The server is shutting down. 2 messages were not confirmed"
    heard(session, b"bob: two\nbob: three\n*** The server is shutting down. Goodbye!\n")
    assert session.undelivered == ""


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"alice: hi\r\n", [Said("#lobby", "alice", "hi")]),
        (b"alice: a\nzoe: b\n", [Said("#lobby", "alice", "a"), Said("#lobby", "zoe", "b")]),
        ("zoé: 漢字\n".encode(), [Said("#lobby", "zoé", "漢字")]),
        (b"alice: \xff\n", [Said("#lobby", "alice", "\ufffd")]),
        (b"*** The server stops.\n", [Notice("The server stops.", room="#lobby")]),
        (b"NICK\n", [Notice("NICK", room="#lobby")]),
        (b"\n", [Notice("", room="#lobby")]),
    ],
)
def test_what_lines_tell(data: bytes, messages: list[Message]) -> None:
    assert heard_in_lines(data) == messages


def test_a_line_that_is_too_long_is_a_notice() -> None:
    session = with_trio_chat()
    told = heard(session, *[b"x" * 65536] * 17, b"\nalice: hi\n")
    assert told == [
        Notice("A line was too long.", room="#lobby"),
        Said("#lobby", "alice", "hi"),
    ]


def test_the_server_says_what_our_nick_is() -> None:
    session = with_trio_chat()
    heard(session, b"*** You are Bob in #tea; nobody else is here yet. /help for more.\n")
    assert session.nick == "Bob"
    assert heard(session, b"*** Bob is now rob.\n") == [Renamed("Bob", "rob")]
    heard(session, b"*** alice is now bob.\n")
    assert session.nick == "rob"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("hi there: you", b"hi there: you\n"),
        ("/shrug", b"//shrug\n"),
        ("//", b"///\n"),
        (" /me", b" /me\n"),
        ("\none\n  \n/two\n\n", b"one\n//two\n"),
        ("", b""),
        ("é漢", "é漢\n".encode()),
    ],
)
def test_say(text: str, data: bytes) -> None:
    assert said(with_trio_chat(), text) == data


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\x01") | st.sampled_from("/\n ")))
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


@pytest.mark.parametrize("token", ["A" * 43, ""])
def test_an_invitation_is_shown_to_a_server_that_asks_for_one(token: str) -> None:
    session = new_session(password=token)
    session.speak_first()
    session.data_to_send(0)
    if token:
        assert heard(session, f"*** {ASK_FOR_INVITATION}\n".encode()) == []
        assert session.data_to_send(0) == f"{token}\n".encode()
        return
    with pytest.raises(NotAdmitted, match=UNINVITED):
        heard(session, f"*** {ASK_FOR_INVITATION}\n".encode())


def test_who_would_have_to_log_in_is_told_where_that_is_possible() -> None:
    session = new_session()
    session.speak_first()
    locked = "This chat is locked (raid): only people with an account are let in"
    with pytest.raises(NotAdmitted) as caught:
        heard(session, f"*** {locked}.\n".encode())
    assert (str(caught.value), caught.value.about) == (locked, "irc")


# ── a server that does not ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (b"alice: /who", Said("#lobby", "alice", "/who")),
        ("zoé: 漢字".encode(), Said("#lobby", "zoé", "漢字")),
        (b"alice joined!", Joined("#lobby", "alice")),
        (b"alice left!", Left("#lobby", "alice")),
        (b"whatever", Notice("whatever", room="#lobby")),
        (b"carol: from netcat\n", Said("#lobby", "carol", "from netcat")),
        (b"NICKY: not a greeting", Said("#lobby", "NICKY", "not a greeting")),
    ],
)
def test_without_newlines_a_piece_is_a_message(piece: bytes, message: Message) -> None:
    session = with_the_tutorial()
    assert heard(session, piece, piece) == [message, message]
    assert (session.framed, session.data_to_send(0)) == (False, b"")
