"""Which nickname a client takes if somebody has the one that it would like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.names import fold, nick_problem
from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.resume_state import ResumeState


def refuse_all(nicks: Alternates) -> list[str]:
    tried = [nicks.nick]
    while nicks.next(nicks.nick):
        tried.append(nicks.nick)
    return tried


def test_they_are_like_the_wanted_one_and_come_to_an_end() -> None:
    tried = refuse_all(Alternates("bob", allowed=True))
    assert tried[:3] == ["bob", "bob_2", "bob_3"]
    assert len(tried) == 31


def test_there_is_none_for_who_insists() -> None:
    assert refuse_all(Alternates("bob", allowed=False)) == ["bob"]


@given(st.text(min_size=1, max_size=40))
def test_each_can_be_a_nickname_and_comes_once(wanted: str) -> None:
    first, *others = refuse_all(Alternates(wanted, allowed=True))
    assert first == wanted
    assert not any(map(nick_problem, others))
    assert len({fold(nick) for nick in others}) == len(others)


def test_a_server_that_cuts_names_is_offered_what_fits() -> None:
    nicks = Alternates("alexander", allowed=True)
    assert nicks.next("alexander")
    assert nicks.nick == "alexander_2"
    assert nicks.next("alexander")  # nine letters, and the rest is gone
    assert nicks.nick == "alexan"
    assert nicks.next("alexan")
    assert nicks.nick == "alexan_2"


def irc(*, allowed: bool) -> IrcClientSession:
    nicks = Alternates("bob", allowed=allowed)
    session = IrcClientSession(nicks, rooms=["#lobby"], encoding="utf-8", state=ResumeState())
    session.data_to_send(0)
    return session


@pytest.mark.parametrize("number", ["432", "433", "436", "437"])
def test_on_irc(number) -> None:
    session = irc(allowed=True)
    session.receive_data(f":s {number} * bob :Taken\r\n".encode())
    assert session.data_to_send(0) == b"NICK bob_2\r\n"
    session.receive_data(f":s {number} * bob_2 :Taken\r\n".encode())
    assert session.data_to_send(0) == b"NICK bob_3\r\n"
    session.receive_data(b":s 001 bob_3 :Welcome\r\n")
    assert session.nick == "bob_3"
    told = session.receive_data(b":bob_3!b@h JOIN #lobby\r\n:s PONG s entered\r\n")
    notice = "The nickname bob is taken. You are bob_3 for now; /nick changes that."
    assert told[-1] == Notice(notice, room="#lobby")  # where the person looks
    with pytest.raises(NotAdmitted):
        irc(allowed=False).receive_data(f":s {number} * bob :Taken\r\n".encode())


TAKEN = b"*** The nickname bob is taken.\n"
NEAR = b"*** The nickname bob is taken. You are bob_2 for now; /nick changes that.\n"
ASKED = b"*** This chat has a password. Enter it now, or /login NAME PASSWORD.\n"
IN = (
    b"Connected to server!\n"
    b"*** You are bob_2 in #lobby; one other person is here. /help for more.\n"
)


def plain(*, allowed: bool = True, password: str = "") -> PlainClientSession:
    nicks = Alternates("bob", allowed=allowed)
    session = PlainClientSession(
        nicks, only_room="#lobby", encoding="utf-8", password=password, state=ResumeState()
    )
    session.speak_first()
    assert session.data_to_send(0) == b"bob\n"
    return session


def test_where_plain_is_spoken() -> None:
    session = plain()
    assert session.receive_data(TAKEN) == [Notice("The nickname bob is taken.")]
    assert session.data_to_send(0) == b"bob_2\n"
    session.receive_data(IN)
    assert (session.admitted, session.nick) == (True, "bob_2")
    with pytest.raises(NotAdmitted, match="is taken"):
        plain(allowed=False).receive_data(TAKEN)


def test_a_near_one_that_the_server_has_given_is_as_good() -> None:
    session = plain()
    session.receive_data(NEAR + IN)
    assert session.data_to_send(0) == b"/who\n"
    assert (session.admitted, session.nick) == (True, "bob_2")
    with pytest.raises(NotAdmitted, match="is taken"):
        plain(allowed=False).receive_data(NEAR)


def test_the_password_is_said_once_for_each() -> None:
    session = plain(password="sesame")
    session.receive_data(ASKED)
    assert session.data_to_send(0) == b"sesame\n"
    session.receive_data(TAKEN)
    assert session.data_to_send(0) == b"bob_2\n"
    session.receive_data(ASKED)
    assert session.data_to_send(0) == b"sesame\n"
    with pytest.raises(NotAdmitted):
        session.receive_data(ASKED)
