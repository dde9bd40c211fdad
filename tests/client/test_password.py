"""A server that has a password, and our client that knows it, or does not."""

import pytest
import trio

import trio_chat
from processes import PATIENCE, run
from trio_chat import NotAdmitted, Settings
from trio_chat.cli.configure import load
from trio_chat.cli.password_command import with_passwords
from trio_chat.errors import SettingsError
from trio_chat.server.passwords import hash_password
from trio_chat.settings import ClientSettings, ServerSettings

SESAME = "open sesame"


@pytest.fixture
async def port(nursery) -> int:
    settings = ServerSettings(password=hash_password(SESAME), greeting_delay=10)
    server = await nursery.start(trio_chat.serve, Settings(port=0, server=settings))
    return server.addresses[0].port


def enter(port: int, protocol: str, password: str):
    return trio_chat.open_chat(port=port, nick="al", protocol=protocol, password=password)


@pytest.mark.parametrize("protocol", ["plain", "irc"])
async def test_whoever_knows_it_is_let_in(port, protocol):
    with trio.fail_after(PATIENCE):
        async with enter(port, protocol, SESAME) as al:
            assert al.room == "#lobby" or protocol == "plain"


@pytest.mark.parametrize(
    ("protocol", "password", "why"),
    [
        ("plain", "open barley", "That is not the password"),
        ("plain", "", "This chat has a password"),
        ("irc", "open barley", "That is not the password"),
        ("irc", "", "This chat has a password"),
    ],
)
async def test_whoever_does_not_is_told_so(port, protocol, password, why):
    with trio.fail_after(PATIENCE), pytest.raises(NotAdmitted, match=why):
        async with enter(port, protocol, password):
            pass


@pytest.mark.parametrize(
    ("protocol", "password", "code"), [("plain", SESAME, 0), ("irc", "open barley", 77)]
)
async def test_the_command_has_it_from_the_environment(port, protocol, password, code):
    arguments = ("client", "--port", str(port), "--protocol", protocol, "--retry")
    done = await run(*arguments, stdin=b"one\n", TRIO_CHAT_CLIENT__PASSWORD=password)
    assert done.code == code
    assert done.err.count("\n") == (code != 0)
    assert SESAME not in done.out + done.err


async def test_with_json_too_it_is_not_tried_again_and_again(port):
    done = await run("client", "--port", str(port), "--json", "--retry", "--protocol", "irc")
    assert (done.code, done.err.count("\n")) == (77, 1)


@pytest.mark.parametrize("password", ["two\nlines", " x", "x" * 201])
def test_what_cannot_be_said_in_a_line_is_none(password, monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_CLIENT__PASSWORD", password)
    with pytest.raises(SettingsError, match=r"^TRIO_CHAT_CLIENT__PASSWORD") as caught:
        load({}, (), None)
    assert password not in str(caught.value)


async def test_a_command_may_tell_it(port):
    command = f"printf '{SESAME}\\nof the cave\\n'"
    variables = {"TRIO_CHAT_CLIENT__PASSWORD_COMMAND": command}
    done = await run("client", "--port", str(port), stdin=b"one\n", **variables)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"echo '  {SESAME}'", "cannot be a password"),
        ("true", "it printed no password"),
        ("false", "it exited with 1"),
        ("/nowhere/pass show chat", "cannot run it: no such file or directory"),
        ("echo 'open", "no closing quotation"),
        (r"printf '\377\n'", "not UTF-8"),
    ],
)
def test_a_command_that_tells_none(command, said):
    client = ClientSettings(password_command=command)
    with pytest.raises(SettingsError, match=rf"^client\.password_command: .*{said}"):
        with_passwords(Settings(client=client))


def test_the_command_is_not_run_where_the_password_is_known():
    settings = Settings(client=ClientSettings(password_command="false", password=SESAME))
    assert with_passwords(settings) is settings
