"""What our own client says to servers of IRC for /uban, /lock and /why."""

import pytest

from irc_session import hear, offer, sent
from trio_chat.core.views import Notice
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState


def entered(*caps: str) -> IrcClientSession:
    session = IrcClientSession("bob", encoding="utf-8", state=ResumeState())
    offer(session, *caps)
    hear(session, ":srv 001 bob :Welcome", ":srv 376 bob :End", ":srv PONG srv entered")
    sent(session)
    return session


def told(session: IrcClientSession) -> list[str]:
    return [message.text for message in session.own_messages() if isinstance(message, Notice)]


BANS = [
    ("/uban al 2h no more spam", "UBAN ADD al DURATION 2h :no more spam"),
    ("/uban 192.0.2.0/24", "UBAN ADD 192.0.2.0/24"),
    ("/uban al spam", "UBAN ADD al spam"),
    ("/uban al mute 90m", "UBAN ADD al MUTE DURATION 1h30m"),
    ("/uban", "UBAN LIST"),
    ("/uban list", "UBAN LIST"),
    ("/uban list al", "UBAN INFO al"),
    ("/uban del 17", "UBAN DEL 17"),
]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        *BANS,
        ("/lock 10m raid", "LOCK 10m raid"),
        ("/lock off", "LOCK off"),
        ("/lock", "LOCK"),
        ("/why", "WHY"),
    ],
)
def test_what_is_asked_of_our_own_server(typed: str, line: str) -> None:
    session = entered("trio-chat/identity")
    session.command(typed)
    assert (sent(session), told(session)) == ([line], [])


@pytest.mark.parametrize(("typed", "line"), BANS)
def test_other_servers_may_have_uban(typed: str, line: str) -> None:
    session = entered("batch")
    session.command(typed)
    assert sent(session) == [line]


@pytest.mark.parametrize("typed", ["/lock", "/why"])
def test_other_servers_have_no_lock(typed: str) -> None:
    session = entered("batch")
    session.command(typed)
    assert sent(session) == []
    assert told(session)[0].startswith("Only trio-chat has that.")


def test_what_cannot_be_meant_is_not_sent() -> None:
    session = entered("trio-chat/identity")
    session.command("/uban del")
    assert sent(session) == []
    assert told(session) == ["Usage: /uban WHOM [2h] [mute] [WHY]|list|del N"]
