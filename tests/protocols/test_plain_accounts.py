"""Accounts in the plain dialect: what is typed, what is told, and what never goes anywhere."""

import pytest

from runs import following, next_command
from trio_chat.core.commands import (
    ComeBack,
    Command,
    DropAccount,
    DropKey,
    Enter,
    LogIn,
    LogOut,
    MakeKey,
    Register,
    Rename,
    Say,
    SetPassword,
)
from trio_chat.core.events import (
    AccountDropped,
    AccountMade,
    AccountSet,
    Arrived,
    Event,
    Joined,
    KeyDropped,
    Origin,
    PasswordSet,
    Renamed,
)
from trio_chat.core.queries import ExportAccount, ShowAccount
from trio_chat.core.refusals import Code
from trio_chat.core.views import AccountView, NewKey, Refused
from trio_chat.protocols.confidential import NOT_SAID, is_confidential
from trio_chat.protocols.plain.server import PlainSession
from trio_chat.protocols.plain.wording import ASK_TO_UNLOCK

OWNED = Refused("bob is somebody's: /login PASSWORD if it is you.", Code.NICK_OWNED, ("bob",))
BOBS = Origin(account="bob")


def arriving(nick: str = "bob", *, question: str = "") -> PlainSession:
    """A session that has asked to be let in under this nickname."""
    session = PlainSession(encoding="utf-8", line_bytes=400, lobby="#lobby", question=question)
    session.receive_data(f"{nick}\n".encode())
    return session


def inside(nick: str = "bob", *, asked: str = "bob") -> PlainSession:
    session = arriving(asked)
    assert isinstance(next_command(session), Enter)
    session.done(Arrived(nick))
    session.done(Joined("#lobby", nick))
    session.data_to_send()
    return session


def asks(session: PlainSession, line: str) -> Command | None:
    session.receive_data(f"{line}\n".encode())
    return next_command(session)


def told(session: PlainSession) -> str:
    return session.data_to_send().decode()


#: What keys that are no letters leave at the beginning of a line: ↑, F1, Del, Ctrl-A, a BOM.
KEYS = ["\x1b[A", "\x1b[1;5D", "\x1bOA", "\x1b[[A", "\x1b[3~\x1b[3~", "\x01", "\ufeff", "\u200b"]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/register hunter22", Register("hunter22")),
        ("/login hunter22", LogIn("bob", "hunter22")),
        ("/login carol hunter22", LogIn("carol", "hunter22")),
        ("/login carol  two words ", LogIn("carol", "two words")),
        ("/LOGIN hunter22", LogIn("bob", "hunter22")),
        ("/login\u200b hunter22", LogIn("bob", "hunter22")),
        ("/logout", LogOut()),
        ("/password hunter22", SetPassword("hunter22")),
        ("/token new my phone", MakeKey("my phone")),
        ("/token drop my phone", DropKey("my phone")),
        ("/token list", ShowAccount()),
        ("/account", ShowAccount()),
        ("/account export", ExportAccount()),
        ("/account carol", ShowAccount("carol")),
        ("/account delete bob", DropAccount("bob")),
    ],
)
def test_verb(line: str, command: Command) -> None:
    assert asks(inside(), line) == command


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/register", "*** Usage: /register PASSWORD\n"),
        ("/login", "*** Usage: /login [NAME] PASSWORD\n"),
        ("/register two words", "*** A password is one word here, without spaces.\n"),
        ("/password two words", "*** A password is one word here, without spaces.\n"),
        ("/token", "*** Usage: /token new NAME|list|drop NAME\n"),
        ("/token new", "*** Usage: /token new NAME|list|drop NAME\n"),
        *(
            (
                f"/{line}",
                "*** /login [NAME] PASSWORD logs in here, and /register PASSWORD makes an account."
                "\n",
            )
            for line in (
                "msg NickServ IDENTIFY hunter22",
                "ns identify hunter22",
                "identify hunter22",
            )
        ),
        ("/token list hunter22", "*** Usage: /token new NAME|list|drop NAME\n"),
    ],
)
def test_complaint(line: str, answer: str) -> None:
    session = inside()
    assert asks(session, line) is None
    assert told(session) == answer


LINES_WITH_PASSWORD = [
    *(f"{key}/login hunter22" for key in KEYS),
    *(" /login hunter22", "\t/register hunter22", "/ login hunter22x", ". /login hunter22"),
    *(
        " /msg NickServ IDENTIFY hunter22",
        "./msg nikserv identify hunter22",
        " /ns identify hunter22",
    ),
    *("login hunter22", "Identify bob hunter22", "register hunter22", " password hunter22 "),
    *("ns identify hunter22", "msg NickServ SET PASSWORD hunter22", "PASS hunter22"),
    *("/me /login hunter22", "/msg bob /login hunter22", "/topic /login hunter22"),
    *("/w bob /register hunter22", "\x1b[A /login hunter22", "/quote PASS hunter22"),
]


@pytest.mark.parametrize("line", LINES_WITH_PASSWORD)
def test_a_password_that_slips_is_said_to_nobody(line: str) -> None:
    session = inside()
    assert asks(session, line) is None
    assert "hunter22" not in (answer := told(session))
    assert answer == f"*** {NOT_SAID}\n" or "no command" in answer


@pytest.mark.parametrize(
    "text",
    [
        *("login hunter22", "login", "the login page works", "login does not work here"),
        *("pass hunter22", "PASS on the salt", " /taken", "./passing"),
        *("logins cost 3", "NS records are slow", "nickserv is down", "./configure /login"),
    ],
)
def test_what_only_sounds_like_it_is_said(text: str) -> None:
    session = inside()
    twice = "//" if is_confidential(text) else ""
    assert asks(session, f"{twice}{text}") == Say("#lobby", f"{twice[1:]}{text}")


@pytest.mark.parametrize("line", ["/login hunter22", "/register hunter22", "/password hunter22"])
@pytest.mark.parametrize("question", ["", ASK_TO_UNLOCK])
def test_a_password_is_no_nickname(line: str, question: str) -> None:
    session = PlainSession(encoding="utf-8", line_bytes=400, lobby="#lobby", question=question)
    assert asks(session, line) is None
    assert told(session) == (
        "*** First your nickname, then /register PASSWORD or /login PASSWORD; or "
        "/login NAME PASSWORD right now. Nobody was sent that line.\n"
    )
    session.receive_data(b"bob\n")
    if question:
        assert next_command(session) is None
        session.receive_data(b"/login hunter22\n")
    assert isinstance(next_command(session), Enter)


@pytest.mark.parametrize(
    "line", ["/login bob hunter22", "/LOGIN  bob hunter22 ", "/login bob two  words"]
)
@pytest.mark.parametrize("question", ["", ASK_TO_UNLOCK])
def test_a_login_may_come_first(line: str, question: str) -> None:
    session = PlainSession(encoding="utf-8", line_bytes=400, lobby="#lobby", question=question)
    _, _, password = line.strip().split(maxsplit=2)
    assert asks(session, line) == Enter("bob", password=password, account="bob", near=True)
    session.reply(Refused("The nickname bob is taken.", Code.NICK_TAKEN, ("bob",)))
    assert told(session) == "*** The nickname bob is taken.\n"
    assert asks(session, "bobby") == Enter("bobby", password=password)  # not asked again


def test_words_about_it_are_said() -> None:
    assert asks(inside(), "//logins are /login things") is not None


# ── a nickname that is somebody's ──────────────────────────────────────────────────────────────


def test_whose_nickname_is_an_accounts_comes_in_under_a_near_one() -> None:
    session = arriving()
    assert next_command(session) == Enter("bob")
    session.reply(OWNED)
    assert told(session) == ""
    assert next_command(session) == Enter("bob", near=True)
    session.done(Arrived("bob_2"))
    assert asks(session, "/login hunter22") == LogIn("bob", "hunter22")


def test_with_the_servers_password_as_well() -> None:
    session = arriving(question=ASK_TO_UNLOCK)
    assert next_command(session) is None  # they are asked for it
    session.receive_data(b"sesame\n")
    assert next_command(session) == Enter("bob", password="sesame")
    session.reply(OWNED)
    assert next_command(session) == Enter("bob", near=True, password="sesame")


def test_who_is_logged_in_takes_the_nickname_that_was_refused() -> None:
    session = inside("bob_2")
    asked = [*session.done(AccountSet("bob_2", "1", BOBS, "=bob"))]
    assert [ask.command for ask in asked] == [Rename("bob"), ComeBack("#lobby")]
    assert told(session) == "*** You are logged in as bob.\n"
    assert asked[0].on_refused
    asked[0].on_refused(Refused("The nickname bob is taken.", Code.NICK_TAKEN, ("bob",)))
    assert told(session) == "*** You are bob elsewhere, too, and bob_2 here.\n"


def test_a_nickname_that_was_refused_later_counts_as_well() -> None:
    session = inside("alice", asked="alice")
    asks(session, "/nick bob")
    session.reply(OWNED)
    assert told(session) == f"*** {OWNED.why}\n"
    assert asks(session, "/login hunter22") == LogIn("bob", "hunter22")
    done = following(session.done(AccountSet("alice", "1", BOBS, "=bob")))
    assert done == [Rename("bob"), ComeBack("#lobby")]


def test_who_is_called_something_else_stays_so() -> None:
    session = inside("alice", asked="alice")
    done = following(session.done(AccountSet("alice", "1", BOBS, "=bob")))
    assert done == [ComeBack("#lobby")]
    assert asks(session, "/login hunter22") == LogIn("bob", "hunter22")  # after /logout, say


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (AccountMade("bob", "=bob"), "Your nickname is yours now. When you come again: /login"),
        (AccountSet("bob", "1"), "You are logged out."),
        (AccountDropped("bob"), "Your account is deleted. Nobody else can have its name."),
        (
            PasswordSet("bob"),
            "Your password has been changed. Everybody who came by the old one is logged out. "
            "Tokens, and devices that are kept, log in until you drop them.",
        ),
        (KeyDropped("bob", "~x"), "That token no longer works."),
    ],
)
def test_what_has_become_of_it_is_told(event: Event, words: str) -> None:
    session = inside()
    assert following(session.done(event)) == []
    assert words in told(session)


def test_after_another_nickname_was_registered_that_is_meant() -> None:
    session = inside("alice", asked="alice")
    session.done(Renamed("alice", "carol"))
    session.done(AccountMade("carol", "=carol"))
    assert asks(session, "/login hunter22") == LogIn("carol", "hunter22")


def test_answers() -> None:
    session = inside()
    session.reply(AccountView("bob", 1_700_000_000_000, (("phone", 1_700_000_060_000),)))
    assert told(session) == (
        "*** bob is an account, made 2023-11-14 22:13:20 UTC.\n"
        "*** Token phone, made 2023-11-14 22:14:20 UTC, logs in to it.\n"
    )
    session.reply(NewKey("phone", "s3cret"))
    assert told(session) == (
        "*** phone: s3cret\n"
        "*** Keep it: it is shown only once. It works instead of your password.\n"
    )
