"""Our account on an IRC server: logging in before anybody sees us, or not going in at all."""

from pathlib import Path

import pytest
import trio

import trio_chat
from certificates import issue
from irc_peers import irc_peer
from peers import running, settings
from processes import PATIENCE, run
from sasl_server import PASSWORD, SaslServer
from trio_chat import LoginFailed, NotAdmitted, Notice, Settings, SettingsError, Uninvited
from trio_chat.cli import trust
from trio_chat.cli.configure import load
from trio_chat.cli.password_command import with_passwords
from trio_chat.protocols.client import Message
from trio_chat.protocols.irc.client.sasl import Account
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.server import accounts
from trio_chat.settings import ClientSettings


async def enter(server: SaslServer, password: str = PASSWORD, **more: object) -> list[Message]:
    """What is told until we are in."""
    told: list[Message] = []
    account = {"account": "al", "account_password": password}
    chat = trio_chat.open_chat(port=server.port, nick="al", protocol="irc", **account, **more)
    with trio.fail_after(PATIENCE):
        async with chat as al:
            async for message in al:
                told.append(message)
                if isinstance(message, trio_chat.InRoom):
                    return told
    raise AssertionError("the chat has ended")


def asked_for(server: SaslServer) -> list[str]:
    """The mechanisms that the client has asked for."""
    return [
        line.partition(" ")[2]
        for line in server.received
        if line in ("AUTHENTICATE PLAIN", "AUTHENTICATE SCRAM-SHA-256")
    ]


@pytest.mark.parametrize(
    ("mechanisms", "has", "asked"),
    [
        ("=PLAIN,SCRAM-SHA-256", ("PLAIN", "SCRAM-SHA-256"), ["SCRAM-SHA-256"]),
        ("=EXTERNAL,PLAIN", ("PLAIN",), ["PLAIN"]),
        ("", ("PLAIN", "SCRAM-SHA-256"), ["SCRAM-SHA-256"]),
        ("", ("PLAIN",), ["SCRAM-SHA-256", "PLAIN"]),  # one that does not tell what it has
    ],
)
async def test_the_safest_way_that_both_have_is_taken(nursery, mechanisms, has, asked):
    server = await nursery.start(SaslServer(mechanisms, has=has).run)
    told = await enter(server)
    assert Notice("You are logged in as al.") in told
    assert asked_for(server) == asked
    assert PASSWORD not in str(server.received)


async def test_we_are_logged_in_before_we_are_seen(nursery):
    server = await nursery.start(SaslServer().run)
    await enter(server)
    commands = [line.partition(" ")[0] for line in server.received]
    assert commands[:8] == ["CAP", "NICK", "USER", "CAP", *["AUTHENTICATE"] * 4]
    assert server.received[8] == "CAP END"


@pytest.mark.parametrize("has", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_wrong_password_is_told_once_and_not_tried_again(nursery, has):
    server = await nursery.start(SaslServer(f"={has}", has=(has,)).run)
    with pytest.raises(LoginFailed, match="cannot log in as al: that is not the password"):
        await enter(server, "open barley", retry=True)
    assert asked_for(server) == [has]
    assert "CAP END" not in server.received


async def test_one_that_is_wrong_later_ends_the_chat(nursery, monkeypatch):
    """Nor is it tried again and again after a lost connection: that may lock the account."""
    monkeypatch.setattr("trio_chat.client.backoff._FIRST", 0.01)
    server = await nursery.start(
        SaslServer("=SCRAM-SHA-256", PRIVMSG="ERROR :Closing Link: (Restart)").run
    )
    account = {"account": "al", "account_password": PASSWORD}

    async def talk() -> None:
        where = {"port": server.port, "protocol": "irc"}
        async with trio_chat.open_chat(nick="al", retry=True, **where, **account) as al:
            server._has = ()  # the account is gone
            await al.say("hello")
            async for _ in al:
                pass

    with trio.fail_after(PATIENCE), pytest.raises(LoginFailed):
        await talk()
    assert len(asked_for(server)) == 2


async def test_a_server_that_poses_as_ours_is_found_out(nursery):
    server = await nursery.start(SaslServer(poses=True).run)
    with pytest.raises(LoginFailed, match="the server does not know the password either"):
        await enter(server)
    assert "CAP END" not in server.received


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"CAP LS 302": ":irc.test CAP * LS :sasl=EXTERNAL"}, "only EXTERNAL"),
        (
            {
                "CAP LS 302": ":irc.test CAP * LS :batch",
                "CAP REQ batch": ":irc.test CAP * ACK :batch",
            },
            "the server has no accounts",
        ),
        ({"AUTHENTICATE": ":irc.test 903 * :Done"}, "it did not ask for a password"),
        ({"AUTHENTICATE": "AUTHENTICATE +\n:irc.test 903 * :Done"}, "as RFC 5802 has it"),
        ({"AUTHENTICATE": "AUTHENTICATE +\nAUTHENTICATE ====="}, "as it should"),
        ({"AUTHENTICATE": "AUTHENTICATE +\nAUTHENTICATE \u00e9"}, "as it should"),
        ({"AUTHENTICATE": "AUTHENTICATE +\n" + f"AUTHENTICATE {'A' * 400}\n" * 11}, "too much"),
        ({"AUTHENTICATE": ":irc.test 902 * :You must use a nick assigned to you"}, "a nick ass"),
        ({"AUTHENTICATE": ":irc.test 905 * :Too long"}, "too long"),
    ],
)
async def test_odd_servers(nursery, answers, why):
    server = await nursery.start(SaslServer("=SCRAM-SHA-256", **answers).run)
    with pytest.raises(NotAdmitted, match=why) as caught:
        await enter(server)
    assert "\n" not in str(caught.value)
    assert "CAP END" not in server.received


@pytest.mark.parametrize(
    "answers", [{}, {"CAP LS 302": "", "USER": ":irc.test 001 al :Welcome"}], ids=["NAK", "no CAP"]
)
async def test_nobody_goes_in_as_a_stranger_by_mistake(nursery, answers):
    refused = {"CAP REQ sasl": ":irc.test CAP * NAK :sasl"}
    server = await nursery.start(SaslServer(**(answers or refused)).run)
    with pytest.raises(NotAdmitted, match="the server has no accounts"):
        await enter(server)
    assert "JOIN" not in str(server.received)


# ── what others could read ─────────────────────────────────────────────────────────────────


def session(*, secure: bool, password: str = PASSWORD) -> IrcClientSession:
    account = Account("al", password, secure=secure)
    return IrcClientSession("al", encoding="utf-8", state=ResumeState(), account=account)


@pytest.mark.parametrize("mechanisms", ["=PLAIN", "=PLAIN,EXTERNAL", ""])
def test_the_password_itself_goes_to_nobody_in_clear(mechanisms):
    al = session(secure=False)
    al.receive_data(f":irc.test CAP * LS :sasl{mechanisms}\r\n".encode())
    with pytest.raises(LoginFailed) as caught:
        al.receive_data(
            b":irc.test CAP * ACK :sasl\r\nAUTHENTICATE +\r\n:irc.test 904 * :Failed\r\n"
        )
    sent = al.data_to_send(0)
    assert b"AUTHENTICATE PLAIN" not in sent
    if mechanisms:
        assert "this connection is in clear" in str(caught.value)
        assert b"AUTHENTICATE" not in sent


def test_a_server_that_asks_out_of_turn_gets_nothing():
    al = session(secure=True)
    al.receive_data(b"AUTHENTICATE +\r\n:irc.test 904 * :No\r\n:irc.test 903 * :Yes\r\n")
    al.receive_data(b":irc.test CAP * LS :sasl\r\nAUTHENTICATE +\r\n")
    assert b"AUTHENTICATE" not in al.data_to_send(0)


def test_a_long_password_takes_several_lines():
    al = session(secure=True, password="x" * 297)  # 302 bytes with the name: 404 of base64
    al.receive_data(
        b":irc.test CAP * LS :sasl=PLAIN\r\n:irc.test CAP * ACK :sasl\r\nAUTHENTICATE +\r\n"
    )
    sent = al.data_to_send(0).decode().splitlines()
    assert [len(line) - len("AUTHENTICATE ") for line in sent[-2:]] == [400, 4]
    al = session(secure=True, password="x" * 295)  # 300: all of a line, so an empty one ends it
    al.receive_data(
        b":irc.test CAP * LS :sasl=PLAIN\r\n:irc.test CAP * ACK :sasl\r\nAUTHENTICATE +\r\n"
    )
    sent = al.data_to_send(0).decode().splitlines()
    assert [len(line) - len("AUTHENTICATE ") for line in sent[-2:]] == [400, 1]


# ── the command, and arguments ─────────────────────────────────────────────────────────────


async def test_the_command_has_it_from_the_environment(nursery):
    server = await nursery.start(SaslServer().run)
    where = ("client", "-p", str(server.port), "--set", "client.account=al")
    command = {"TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD_COMMAND": f"echo '{PASSWORD}'"}
    done = await run(*where, "--protocol", "irc", stdin=b"hello\n", **command)
    assert (done.code, done.err) == (0, "")
    assert "*** You are logged in as al.\n" in done.out
    assert "al: hello\n" in done.out  # its name is the nickname, too
    wrong = {"TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD": "open barley"}
    done = await run(*where, "--json", "--retry", "--protocol", "irc", **wrong)
    assert (done.code, done.err.count("\n")) == (77, 1)
    assert "cannot log in as al: that is not the password" in done.err
    assert "barley" not in done.out + done.err


def test_an_account_without_its_password_is_a_wrong_setting():
    with pytest.raises(SettingsError, match="TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD or"):
        with_passwords(Settings(client=ClientSettings(account="al")))


def test_its_command_is_not_run_without_an_account():
    settings = Settings(client=ClientSettings(account_password_command="false"))
    assert with_passwords(settings) is settings


def test_a_folder_that_names_the_server_gets_no_account(monkeypatch, tmp_path, capsys):
    (tmp_path / ".env").write_text("TRIO_CHAT_HOST=there.example\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIO_CHAT_CLIENT__ACCOUNT", "al")
    monkeypatch.setenv("TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD", PASSWORD)
    client = trust.for_client(load({}, (), None)).client
    assert (client.account, client.account_password.get_secret_value()) == ("", "")
    assert "no account is sent to there.example:55555" in capsys.readouterr().err


@pytest.mark.parametrize("account", [" al", "a\nb", "x" * 201])
def test_what_can_be_no_account(account):
    with pytest.raises(ValueError, match="cannot be an account"):
        trio_chat.open_chat(nick="al", account=account, account_password=PASSWORD)
    with pytest.raises(SettingsError, match="cannot be an account"):
        load({}, [f"client.account={account}"], None)


@pytest.mark.parametrize("given", [{"account": "al"}, {"account_password": "x"}])
def test_an_account_and_its_password_need_each_other(given):
    with pytest.raises(ValueError, match="need each other"):
        trio_chat.open_chat(nick="al", **given)


# ── on our own server ──────────────────────────────────────────────────────────────────────────

HORSE = "correct-horse"


@pytest.mark.parametrize("tls", [False, True])
async def test_our_own_server_takes_our_proof(
    tmp_path: Path, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = issue(tmp_path)
    async with running(settings(tls=files.settings if tls else {})) as house:
        bob = await house.connect("al")
        await bob.send(f"/register {HORSE}\n/quit\n".encode())
        await bob.rest()
        monkeypatch.setattr(accounts, "opens", lambda *how: pytest.fail("it saw the password"))
        where = {"port": house.port, "tls": "on", "pin": files.pin} if tls else {"port": house.port}
        account = {"account": "al", "account_password": HORSE}
        async with trio_chat.open_chat(nick="al", protocol="irc", **where, **account):
            alice = await irc_peer(house, "alice", rooms="")
            assert any(" 330 alice al al :" in line for line in await alice.news("WHOIS al"))
        with pytest.raises(LoginFailed, match="that is not the password"):
            async with trio_chat.open_chat(
                nick="al", protocol="irc", **where, account="al", account_password="wrong-horse"
            ):
                pass


async def test_a_token_is_a_password_of_our_client() -> None:
    async with running() as house:
        bob = await house.connect("al")
        await bob.send(f"/register {HORSE}\n/token new bot\n/quit\n".encode())
        token = (await bob.rest()).partition("*** bot: ")[2].partition("\n")[0]
        account = {"account": "al", "account_password": token}
        async with trio_chat.open_chat(port=house.port, nick="al", protocol="irc", **account) as al:
            await until_told(al, "You are logged in as al.")


async def test_where_plain_is_spoken_the_error_says_how_to_log_in() -> None:
    async with running() as house:
        with pytest.raises(NotAdmitted, match="say '/login NAME PASSWORD'"):
            async with trio_chat.open_chat(
                port=house.port, nick="al", protocol="plain", account="al", account_password="x"
            ):
                pass


async def test_our_client_registers_and_logs_in_on_irc_as_well() -> None:
    async with (
        running() as house,
        trio_chat.open_chat(port=house.port, nick="al", protocol="irc") as al,
    ):
        await al.command(f"/register {HORSE}")
        await until_told(al, "You are logged in as al.")
        await al.command(f"/login al {HORSE}")
        await until_told(al, "You are logged in as al.")
        await al.command("/login al wrong-horse")
        await until_told(al, "Cannot log in as al: that is not the password.")


@pytest.mark.slow
async def test_who_has_logged_out_is_not_logged_in_again_when_the_connection_is_lost() -> None:
    async with running() as house:
        bob = await house.connect("al")
        await bob.send(f"/register {HORSE}\n/quit\n".encode())
        await bob.rest()
        async with trio_chat.open_chat(
            port=house.port, nick="al", protocol="irc", account="al", account_password=HORSE,
            retry=True,
        ) as al:  # fmt: skip
            await al.command("/logout")
            await until_told(al, "You are logged out.")
            await al.command("/raw QUIT")
            with trio.fail_after(PATIENCE):
                while not isinstance(await anext(al), trio_chat.Linked):
                    pass
            await al.command("/account")
            await until_told(al, "You are not logged in.")


@pytest.mark.slow
async def test_a_guest_who_is_not_let_in_any_more_does_not_try_for_ever() -> None:
    async with running() as house:

        async def stay() -> None:
            async with trio_chat.open_chat(
                port=house.port, nick="al", protocol="irc", retry=True
            ) as al:
                house.server.reload(settings(accounts={"guests": "invited"}))
                await al.command("/raw QUIT")
                async for _ in al:
                    pass

        with trio.fail_after(PATIENCE), pytest.raises(Uninvited, match="or an invitation"):
            await stay()


@pytest.mark.parametrize(
    ("line", "about"),
    [
        (":srv 464 * :That invitation has expired. Ask for a new one.", "account"),
        (":srv 464 * :Password incorrect", ""),
    ],
)
def test_what_is_no_longer_good_is_not_shown_again_and_again(line: str, about: str) -> None:
    session = IrcClientSession("al", encoding="utf-8", password="given", state=ResumeState())
    with pytest.raises(Uninvited) as caught:
        session.receive_data(f"{line}\r\n".encode())
    assert caught.value.about == about


async def test_a_pipe_logs_in_before_it_goes_on() -> None:
    async with running() as house:
        bob = await house.connect("al")
        await bob.send(f"/register {HORSE}\n/quit\n".encode())
        await bob.rest()
        lines = f"/login al {HORSE}\n/account\n".encode()
        where = ("client", "-p", str(house.port), "-n", "guest", "--protocol", "irc")
        done = await run(*where, stdin=lines)
    assert (done.code, done.err) == (0, "")
    assert "*** al is an account, made " in done.out.partition("*** You are logged in as al.")[2]


async def until_told(chat: trio_chat.Chat, text: str) -> None:
    with trio.fail_after(PATIENCE):
        async for message in chat:
            if getattr(message, "text", "") == text:
                return
