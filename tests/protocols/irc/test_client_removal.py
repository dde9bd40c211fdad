"""Our client's sessions and messages that are removed."""

import pytest

from irc_session import hear, new_session, offer, sent
from keeping_client import connected
from trio_chat.core.events import Origin, Redacted
from trio_chat.core.views import Notice
from trio_chat.protocols.client import Acknowledged, Failed
from trio_chat.protocols.irc.client.lately import _MOST
from trio_chat.protocols.irc.client.session import IrcClientSession

CAPS = ("message-tags", "echo-message", "draft/message-redaction")
SAID = (
    "@msgid=1 :al!al@home PRIVMSG #lobby :one",
    "@msgid=2 :bob!bob@host PRIVMSG #lobby :mine",
    "@msgid=3 :al!al@home PRIVMSG #lobby :three",
    "@msgid=4 :al!al@home PRIVMSG bob :psst",
    "@msgid=5 :bob!bob@host PRIVMSG al :what?",
    "@msgid=6 :al!al@home PRIVMSG #other :elsewhere",
)


ALICE = Origin("al", "home")


def let_in(*caps: str) -> IrcClientSession:
    session = new_session()
    offer(session, *caps)
    hear(session, ":s 001 bob :Hi", ":s 422 bob :None", ":bob!bob@host JOIN #lobby")
    hear(session, ":s PONG s entered")
    session.own_messages()
    return session


@pytest.fixture
def session() -> IrcClientSession:
    found = let_in(*CAPS)
    hear(found, *SAID)
    sent(found)
    return found


def refusals(session: IrcClientSession) -> list[str]:
    return [told.text for told in session.own_messages() if isinstance(told, Notice)]


@pytest.mark.parametrize(
    ("line", "target", "lines"),
    [
        ("/remove last", "#lobby", ["REDACT #lobby 2"]),
        ("/remove LAST al", "#Lobby", ["REDACT #Lobby 3"]),
        ("/remove last AL too loud", "#lobby", ["REDACT #lobby 3 :too loud"]),
        ("/remove last", "al", ["REDACT al 5"]),
        ("/remove last al", "al", ["REDACT al 4"]),
        ("/remove 1", "#lobby", ["REDACT #lobby 1"]),
        ("/remove unheard-of why not", "#lobby", ["REDACT #lobby unheard-of :why not"]),
    ],
)
def test_a_command_names_a_message(
    session: IrcClientSession, line: str, target: str, lines: list[str]
) -> None:
    session.command(line, target)
    assert sent(session) == lines
    assert refusals(session) == []


def test_only_our_own_server_removes_topics(session: IrcClientSession) -> None:
    ours = let_in(*CAPS, "trio-chat/identity")
    sent(ours)
    for each in (ours, session):
        each.command("/remove topic no fish", "#lobby")
    assert sent(ours) == ["REMOVE #lobby topic :no fish"]
    assert sent(session) == []


@pytest.mark.parametrize(
    ("line", "target", "why"),
    [
        ("/remove last nobody", "#lobby", "nobody has said nothing here lately."),
        ("/remove last", "#other", "You have said nothing here lately."),
        ("/remove", "#lobby", "Usage: /remove last|last NAME|topic|ID [WHY]"),
        ("/remove last", "", "Nobody hears you here. /msg NAME TEXT says something to one person."),
    ],
)
def test_or_it_is_refused(session: IrcClientSession, line: str, target: str, why: str) -> None:
    session.command(line, target)
    assert sent(session) == []
    assert refusals(session) == [why]


def test_the_last_one_is_none_before_it_while_it_is_on_its_way(session: IrcClientSession) -> None:
    session.say_to("#lobby", "oops")
    session.own_messages()
    for _ in range(2):
        session.command("/remove last", "#LOBBY")
        assert refusals(session) == ["Your last message has not arrived yet."]
        session.command("/remove last", "al")
        session.command("/remove last al", "#lobby")
        assert refusals(session) == []
        sent(session)


def test_where_the_server_cannot_do_that_it_is_refused() -> None:
    session = let_in("message-tags")
    session.command("/remove 1", "#lobby")
    assert refusals(session) == ["Messages cannot be removed here."]


def test_what_is_removed_is_told_and_the_one_before_is_the_last(session: IrcClientSession) -> None:
    told = hear(session, "@msgid=9 :al!al@home REDACT #lobby 3 :too loud")
    assert told == [Redacted("#lobby", "al", "3", "al", "too loud", origin=ALICE)]
    session.command("/remove last al", "#lobby")
    assert sent(session) == ["REDACT #lobby 1"]
    assert hear(session, ":al!al@home REDACT #lobby unheard-of", ":al!al@home REDACT bob 4") == [
        Redacted("#lobby", "al", "unheard-of", "", origin=ALICE),
        Redacted("", "al", "4", "al", to="bob", origin=ALICE),
    ]


def test_what_the_server_refuses_is_told_where_it_was_asked(session: IrcClientSession) -> None:
    assert hear(session, ":s FAIL REDACT REDACT_FORBIDDEN #lobby 3 :You may not") == [
        Notice("You may not", room="#lobby", refusal=True)
    ]


def test_messages_of_long_ago_are_forgotten(session: IrcClientSession) -> None:
    for number in range(_MOST):
        hear(session, f"@msgid=x{number} :carl!c@c PRIVMSG #lobby :{number}")
    session.command("/remove last al", "#lobby")
    assert refusals(session) == ["al has said nothing here lately."]


def test_what_was_removed_before_it_was_sent_again_has_arrived() -> None:
    client = connected()
    client.say_here("oops")
    client.send()
    [text] = client.state.unacked
    told = client.session.receive_data(
        b":s NOTE PRIVMSG ALREADY_SENT 17-0 :That was already sent\r\n"
    )
    assert told == [Acknowledged(text.token, "17-0")]
    client.settle()
    assert client.of(Failed) == []


@pytest.mark.parametrize(
    ("line", "target", "told"),
    [
        ("/report last al too loud", "#lobby", "REPORT #lobby 3 :too loud"),
        ("/report last al", "al", "REPORT al 4"),
        ("/report unheard-of", "#lobby", "REPORT #lobby unheard-of"),
    ],
)
def test_messages_are_reported_in_the_same_way(line: str, target: str, told: str) -> None:
    session = let_in(*CAPS, "trio-chat/identity")
    hear(session, *SAID)
    sent(session)
    session.command(line, target)
    assert (sent(session), refusals(session)) == ([told], [])
    session.command("/report last", target)
    assert refusals(session) == ["Usage: /report last NAME|ID [WHY]"]
