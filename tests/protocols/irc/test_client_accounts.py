"""What our own client says of accounts to servers that speak IRC, and what it tells people."""

from base64 import b64decode, b64encode

import pytest

from irc_session import hear, offer, sent
from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.client import LOG_IN_AGAIN, Message
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.scram import ScramServer, make_verifier

PASSWORD = "open sesame, please"
KEY = "0123456789abcdef" * 2  # as /token makes them
OURS = ("trio-chat/identity", "sasl=PLAIN,SCRAM-SHA-256", "draft/account-registration")
ASKED = "CAP REQ sasl"


def entered(
    *caps: str, secure: bool = True, device: str = "laptop", refused: str = ""
) -> IrcClientSession:
    """A session that has been let in and has nothing more to say."""
    state = ResumeState(device=device)
    session = IrcClientSession("bob", encoding="utf-8", state=state, secure=secure)
    offer(session, *(caps or OURS))
    hear(session, ":srv 001 bob :Welcome", ":srv 376 bob :End", ":srv PONG srv entered")
    sent(session)
    return session


def say(session: IrcClientSession, line: str) -> list[str]:
    session.command(line)
    return sent(session)


def refusals(session: IrcClientSession) -> list[str]:
    told = session.own_messages()
    assert all(isinstance(message, Notice) and message.refusal for message in told)
    return [message.text for message in told if isinstance(message, Notice)]


def words(messages: list[Message]) -> list[str]:
    return [message.text for message in messages if isinstance(message, Notice)]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("/register x:y", "REGISTER * * x:y"),
        ("/login x", ASKED),
        ("/logout", "NS LOGOUT FORGET"),
        ("/password :x", "NS SET PASSWORD ::x"),
        ("/token new my bot", "NS TOKEN NEW :my bot"),
        ("/token list", "NS TOKEN LIST"),
        ("/token drop laptop", "NS TOKEN DROP laptop"),
        ("/set", "NS SET"),
        ("/set rooms off", "NS SET rooms off"),
        ("/account", "NS INFO"),
        ("/account al", "NS INFO al"),
        ("/account delete bob", "NS DROP bob"),
        ("/account export", "NS EXPORT"),
        ("/invitation 3 7", "INVITATION 3 7"),
        ("/ login x", ASKED),
    ],
)
def test_what_is_asked_of_our_own_server(typed: str, line: str) -> None:
    session = entered()
    assert say(session, typed) == [line]
    assert refusals(session) == []


def test_a_client_that_is_not_kept_forgets_nothing() -> None:
    assert say(entered(device=""), "/logout") == ["NS LOGOUT"]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("/msg NickServ identify bob x", "Not said, as the password would be shown here."),
        ("/notice nickserv@services ID x", "Not said, as the password would be shown here."),
        ("/register a b", "A password is one word here"),
        ("/password a b", "A password is one word here"),
        ("/token new", "Usage: /token new NAME|list|drop NAME"),
        ("/token list all", "Usage: /token"),
        ("/set rooms", "Usage: /set [rooms|always-on on|off]"),
        ("/account a b", "Usage: /account"),
        ("/account delete a b", "Usage: /account"),
        ("/account delete", "Usage: /account"),
        ("/register", "Usage: /register PASSWORD"),
        ("/invitation a b", "Usage: /invitation TOKEN|"),
        ("/regsiter x", "There is no command /regsiter. Did you mean /register?"),
    ],
)
def test_what_cannot_be_meant_is_not_sent(typed: str, why: str) -> None:
    session = entered()
    assert say(session, typed) == []
    [told] = refusals(session)
    assert told.startswith(why)


@pytest.mark.parametrize(
    "typed",
    [
        "/register x", "/logout", "/password x", "/token list", "/set", "/account",
        "/account delete bob", "/invitation list",
    ],
)  # fmt: skip
def test_other_servers_do_not_have_it(typed: str) -> None:
    session = entered("batch")
    assert say(session, typed) == []
    [told] = refusals(session)
    assert told.startswith("Only trio-chat has that.")


def test_other_servers_may_have_the_standard_ways() -> None:
    session = entered("sasl", "draft/account-registration")
    assert say(session, "/register x") == ["REGISTER * * x"]
    told = hear(session, ":srv REGISTER VERIFICATION_REQUIRED bob :Look into your mail")
    assert words(told) == ["Look into your mail."]
    hear(session, ":srv REGISTER SUCCESS bob :Done")
    assert sent(session) == []  # it has no words for devices
    assert say(session, "/login x") == [ASKED]


def test_there_may_be_no_accounts() -> None:
    session = entered("batch")
    assert say(session, "/login x") == []
    assert "the server has no accounts" in refusals(session)[0]
    session = entered()
    say(session, "/login x")
    hear(session, ":srv CAP bob NAK :sasl")
    assert "the server has no accounts" in refusals(session)[0]


@pytest.mark.parametrize("typed", ["/register x", "/password x"])
def test_no_password_goes_out_in_clear(typed: str) -> None:
    session = entered(secure=False)
    assert say(session, typed) == []
    assert "Without TLS" in refusals(session)[0]


def test_a_login_in_clear_shows_no_password_and_keeps_no_device() -> None:
    session = entered(secure=False)
    log_in(session)
    assert sent(session) == []


def log_in(session: IrcClientSession, name: str = "bob", password: str = PASSWORD) -> list[str]:
    """Log in by SCRAM; returns what is told of it."""
    assert say(session, f"/login {name} {password}") == [ASKED]
    hear(session, ":srv CAP bob ACK :sasl")
    assert sent(session) == ["AUTHENTICATE SCRAM-SHA-256"]
    server = ScramServer("nonce")
    hear(session, "AUTHENTICATE +")
    assert server.receive_first(_message(session)) == name
    hear(session, f"AUTHENTICATE {_base64(server.challenge(make_verifier(PASSWORD, 4096, b's')))}")
    final = server.check(_message(session))
    hear(session, f"AUTHENTICATE {_base64(final)}")
    assert sent(session) == ["AUTHENTICATE +"]
    logged_in = f":srv 900 bob bob!b@h {name} :You are now logged in"
    return words(hear(session, logged_in, ":srv 903 bob :Done"))


def _message(session: IrcClientSession) -> bytes:
    [line] = sent(session)
    return b64decode(line.removeprefix("AUTHENTICATE "))


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def test_a_login_by_scram_keeps_this_device() -> None:
    session = entered()
    assert log_in(session, "al") == ["You are logged in as al."]
    assert sent(session) == ["NS TOKEN KEEP laptop"]
    assert log_in(session, "bob") == ["You are logged in as bob."]  # and again


def test_a_registration_keeps_this_device() -> None:
    session = entered()
    hear(session, ":srv REGISTER SUCCESS bob :Nobody has asked")
    assert sent(session) == []
    say(session, "/register x")
    told = hear(session, ":srv REGISTER SUCCESS bob :Your nickname is yours now")
    assert words(told) == ["Your nickname is yours now."]
    assert sent(session) == ["NS TOKEN KEEP laptop"]


def test_who_registers_where_nothing_is_kept_is_told_how_to_come_again() -> None:
    session = entered(device="")
    say(session, "/register x")
    told = hear(session, ":srv REGISTER SUCCESS bob :Your nickname is yours now")
    assert words(told) == ["Your nickname is yours now.", LOG_IN_AGAIN]
    assert sent(session) == []


def test_a_refused_registration_is_no_message_about_the_nickname() -> None:
    session = entered()
    say(session, "/register x")
    told = hear(session, ":srv FAIL REGISTER WEAK_PASSWORD bob :A password has 8 characters.")
    assert [(notice.text, notice.refusal) for notice in told if isinstance(notice, Notice)] == [
        ("A password has 8 characters.", True)
    ]


def test_the_account_is_known_by_whose_name_to_come_again() -> None:
    session = entered()
    log_in(session, "al")
    assert session.state.account == "al"
    hear(session, ":srv 901 bob bob!b@h :You are now logged out")
    assert session.state.account == ""


def test_elsewhere_no_name_is_taken_of_an_account() -> None:
    session = entered("sasl")
    log_in(session, "al")
    assert session.state.account == ""


def test_without_an_account_its_nickname_is_refused_with_the_way_in() -> None:
    session = IrcClientSession("al", encoding="utf-8", state=ResumeState())
    with pytest.raises(NotAdmitted, match="If it is yours, log in"):
        hear(session, ":srv NOTE NICK NICKNAME_RESERVED al :al is somebody's", ":srv 433 * al :No")


@pytest.mark.parametrize(
    ("password", "why"), [("", "Ask for a link"), ("hello", "no invitation to this chat")]
)
def test_who_is_not_invited_is_told_what_to_do(password: str, why: str) -> None:
    session = IrcClientSession("al", encoding="utf-8", state=ResumeState(), password=password)
    refused = "This chat is for those who have an account or an invitation. Log in."
    with pytest.raises(NotAdmitted, match=why):
        hear(session, f":srv FAIL * ACCOUNT_REQUIRED :{refused}")


def test_who_is_kept_out_by_the_lock_is_told_its_reason() -> None:
    session = IrcClientSession("al", encoding="utf-8", state=ResumeState())
    locked = "This chat is locked (no invitation helps): only people with an account are let in"
    with pytest.raises(NotAdmitted) as caught:
        hear(session, f":srv FAIL * ACCOUNT_REQUIRED :{locked}.")
    assert (str(caught.value), caught.value.about) == (locked, "account")


def test_a_wrong_password_is_told_and_may_be_said_again() -> None:
    session = entered()
    say(session, "/login al x")
    hear(session, ":srv CAP bob ACK :sasl", "AUTHENTICATE +", ":srv 904 bob :That is wrong")
    assert refusals(session) == ["Cannot log in as al: that is wrong"]
    sent(session)
    log_in(session)


def test_what_follows_waits_until_the_login_is_over() -> None:
    session = entered()
    assert say(session, "/login al x") == [ASKED]
    session.finish("")
    assert say(session, "/token list") == []
    hear(session, ":srv CAP bob ACK :sasl", "AUTHENTICATE +", ":srv 904 bob :That is wrong")
    assert sent(session)[-2:] == ["NS TOKEN LIST", "PING finish"]


def test_a_server_that_does_not_answer_holds_up_nothing() -> None:
    session = entered()
    session.ping()
    assert say(session, "/login al x") == [ASKED]
    assert say(session, "/token list") == []
    hear(session, ":srv PONG srv lag")
    assert sent(session) == ["NS TOKEN LIST"]


def test_one_login_at_a_time() -> None:
    session = entered()
    say(session, "/login al x")
    assert say(session, "/login al y") == []
    assert refusals(session) == ["You are logging in already."]


def test_a_server_that_does_not_prove_itself_is_told_of() -> None:
    session = entered()
    say(session, "/login al x")
    hear(session, ":srv CAP bob ACK :sasl", "AUTHENTICATE +", "AUTHENTICATE ====")
    assert "does not log people in as it should" in refusals(session)[0]
    assert sent(session)[-1] == "AUTHENTICATE *"
    assert words(hear(session, ":srv 906 bob :Aborted")) == []


def test_a_token_goes_the_way_that_takes_it() -> None:
    session = entered()
    say(session, f"/login al {KEY}")
    hear(session, ":srv CAP bob ACK :sasl", "AUTHENTICATE +", ":srv 904 bob :No")
    assert sent(session)[-1] == "AUTHENTICATE PLAIN"
    hear(session, "AUTHENTICATE +", ":srv 903 bob :Done")
    assert sent(session) == [
        f"AUTHENTICATE {_base64(f'{chr(0)}al{chr(0)}{KEY}'.encode())}", "NS TOKEN KEEP laptop",
    ]  # fmt: skip


def test_the_name_is_the_nickname_that_was_asked_for_last() -> None:
    session = entered()
    hear(session, ":srv 433 bob al :al is somebody's")
    say(session, "/login x")
    hear(session, ":srv CAP bob ACK :sasl", "AUTHENTICATE +")
    assert ",n=al," in _last(session)
    hear(session, ":srv 904 bob :No", ":bob!b@h NICK :carl")
    say(session, "/login x")
    hear(session, ":srv CAP bob ACK :sasl", "AUTHENTICATE +")
    assert ",n=carl," in _last(session)


def _last(session: IrcClientSession) -> str:
    return b64decode(sent(session)[-1].removeprefix("AUTHENTICATE ")).decode()


def test_the_words_of_its_own_nickserv_are_the_servers() -> None:
    session = entered()
    said = hear(session, ":NickServ!NickServ@srv NOTICE bob :Done")
    assert said == [Notice("Done")]
    assert hear(session, ":NickServ!NickServ@services NOTICE bob :Done") != [Notice("Done")]


def test_who_logs_out_on_one_of_several_devices_is_logged_out_when_that_is_cut() -> None:
    session = entered()
    hear(session, ":srv 900 bob bob!b@h bob :You are now logged in as bob")
    session.command("/logout")
    hear(session, "ERROR :Closing link: You are logged out here. Goodbye!")
    assert session.state.logged_out
    assert session.state.account == ""


def test_no_password_outlives_its_connection() -> None:
    state = ResumeState()
    session = IrcClientSession("bob", encoding="utf-8", state=state, secure=True)
    offer(session, *OURS)
    hear(session, ":srv 001 bob :Welcome")  # what is typed waits now
    session.command("/nick al")
    session.command("/register x")
    told = [*session.own_messages(), *session.cut()]
    assert words(told) == ["The connection was lost before all of it was done: say it again."]
    assert [*state.unsent] == ["NICK al"]
