"""TLS at the client's end: whom it trusts, and that it says nothing to anybody else."""

import ssl
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trio

import trio_chat
from certificates import Files, authority, issue
from minimal_irc import MinimalIrcServer
from processes import IMPATIENT, PATIENCE, Finished, run
from terminals import terminal
from trio_chat import CannotConnect, Linked, NotTrusted, Settings, SettingsError
from trio_chat.cli import trust
from trio_chat.cli.configure import load
from trio_chat.client import tls
from trio_chat.client.dial import Remote
from trio_chat.client.pins import Pins
from trio_chat.settings import LimitSettings, ServerSettings, TlsSettings
from trio_chat.settings.pins import pin_in_link, pin_of
from trio_chat.settings.places import Address


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Another certificate for the same names."""
    return issue(tmp_path_factory.mktemp("others"))


@pytest.fixture
def trusts(monkeypatch, tmp_path) -> Path:
    """This system trusts the CA of this run, by this file."""
    file = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls._trusted_certificates.cache_clear()
    yield file
    tls._trusted_certificates.cache_clear()


def context(files: Files) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(files.certificate, files.key)
    return made


@pytest.fixture
async def port(nursery, files) -> int:
    """Where our own server speaks TLS, and clear text."""
    settings = Settings(
        port=0, server=ServerSettings(greeting_delay=10), tls=TlsSettings(**files.settings)
    )
    server = await nursery.start(trio_chat.serve, settings)
    return server.addresses[0].port


@pytest.fixture
async def irc(nursery, files) -> MinimalIrcServer:
    """Another server, which tells what it has heard over TLS."""
    server = await nursery.start(MinimalIrcServer().run)
    server.context = context(files)
    return server


def enter(port: int, **options: object) -> AbstractAsyncContextManager[trio_chat.Chat]:
    return trio_chat.open_chat("localhost", port, nick="al", **options)


# ── whom we trust ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("protocol", ["auto", "irc", "plain"])
async def test_people_talk_over_tls(port, files, protocol):
    where = {"pin": files.pin, "protocol": protocol}
    with trio.fail_after(PATIENCE):
        async with enter(port, **where) as al, trio_chat.open_chat(port=port, nick="bo") as bo:
            await al.say("hello")
            async for message in bo:
                if isinstance(message, trio_chat.Incoming):
                    assert (message.nick, message.text) == ("al", "hello")
                    break


async def test_a_certificate_that_this_system_trusts_needs_no_pin(port, trusts):
    async with enter(port, tls="on") as al:
        assert al.nick == "al"


async def test_who_has_another_certificate_than_the_pin_hears_nothing(irc, files, others, trusts):
    """Not even if this system trusts it: it may be somebody's who listens in."""
    with pytest.raises(NotTrusted) as caught:
        async with enter(irc.port, pin=others.pin, retry=True):
            pass
    assert files.pin in str(caught.value)
    assert others.pin in str(caught.value)
    assert irc.received == []


async def test_who_has_a_certificate_that_nobody_trusts_hears_nothing(irc, files):
    with pytest.raises(NotTrusted, match=r"is not trusted here \(") as caught:
        async with enter(irc.port, tls="on", retry=True):
            pass
    assert pin_of(caught.value.certificate) == files.pin
    assert irc.received == []


async def test_a_certificate_is_for_the_servers_name(irc, tmp_path, trusts):
    irc.context = context(issue(tmp_path, "chat.example"))
    with pytest.raises(NotTrusted, match=r"'localhost'"):
        async with enter(irc.port, tls="on"):
            pass
    assert irc.received == []


async def test_another_certificate_later_ends_the_chat(irc, files, others, monkeypatch):
    """It is not tried again and again: somebody has to look at it."""
    monkeypatch.setattr("trio_chat.client.backoff._FIRST", 0.01)

    async def talk() -> None:
        async with enter(irc.port, pin=files.pin, retry=True) as al:
            irc.context, irc._answers["PRIVMSG"] = context(others), "ERROR :Closing Link"
            await al.say("hello")
            async for _ in al:
                pass

    with trio.fail_after(PATIENCE), pytest.raises(NotTrusted):
        await talk()
    assert irc.received.count("NICK al") == 1


async def test_a_lost_connection_is_made_again_over_tls(irc, files, monkeypatch):
    monkeypatch.setattr("trio_chat.client.backoff._FIRST", 0.01)
    with trio.fail_after(PATIENCE):
        async with enter(irc.port, pin=files.pin, retry=True) as al:
            irc._answers["PRIVMSG"] = "ERROR :Closing Link"
            await al.say("hello")
            linked = 0
            async for message in al:
                linked += isinstance(message, Linked)
                if linked == 2:
                    break
    assert irc.received.count("NICK al") == 2


# ── who speaks no TLS ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"greets": ":irc.test NOTICE * :Hello"}, "wrong version number"),
        ({"greets": "ERROR :You are banned"}, "wrong version number"),
        ({}, "no answer within 0.3 seconds"),
    ],
)
async def test_who_speaks_no_tls_is_not_spoken_to_in_clear(nursery, monkeypatch, answers, why):
    monkeypatch.setattr(tls, "_HANDSHAKE_TIMEOUT", 0.3)
    server = await nursery.start(MinimalIrcServer(**answers).run)
    with pytest.raises(CannotConnect, match=rf"does not speak TLS \({why}\)") as caught:
        async with enter(server.port, tls="on"):
            pass
    assert caught.value.about == "tls"
    with pytest.raises(CannotConnect) as caught:
        async with enter(server.port, pin="ab" * 32):
            pass
    assert caught.value.about == "pinned"  # then there is no way in clear
    # The random bytes of a hello may look like a line, but never like this.
    assert not any(word in line for line in server.received for word in ("NICK", "USER", "CAP"))


async def test_who_hangs_up_in_the_handshake_speaks_no_tls(nursery):
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some(1)

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, hang_up, [listener])
    with pytest.raises(CannotConnect, match="does not speak TLS"):
        async with enter(listener.socket.getsockname()[1], tls="on"):
            pass


async def test_whoever_finds_the_server_full_is_told_so(nursery, files):
    settings = Settings(
        port=0, limits=LimitSettings(connections=1), tls=TlsSettings(**files.settings)
    )
    server = await nursery.start(trio_chat.serve, settings)
    where = {"port": server.addresses[0].port, "pin": files.pin}
    async with enter(**where):
        with pytest.raises(CannotConnect, match="lets nobody else in from here for now"):
            async with enter(**where):
                pass


@pytest.mark.parametrize(
    ("wanted", "host", "pin", "tls_is_spoken"),
    [
        ("auto", "localhost", "", False),
        ("auto", "127.0.0.1", "", False),
        ("auto", "::1", "", False),
        ("auto", "unix:/run/chat", "", False),
        ("auto", "localhost", "ab" * 32, True),
        ("auto", "192.168.1.2", "", True),
        ("auto", "localhost.example", "", True),
        ("auto", "127.0.0.1.example", "", True),
        ("on", "localhost", "", True),
        ("off", "chat.example", "", False),
    ],
)
def test_beyond_this_machine_tls_is_spoken(wanted, host, pin, tls_is_spoken):
    address = Address(host, 1)
    assert tls.uses_tls(wanted, address, pin) is tls_is_spoken
    assert Remote(host, 1, tls=tls_is_spoken).is_private is (host != "chat.example")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"tls": "off", "pin": "ab" * 32}, "not spoken to in clear"),
        ({"tls": True}, "tls True is none of auto, on, off"),
        ({"pin": "ab"}, "64 hexadecimal digits"),
    ],
)
def test_what_contradicts_itself_is_a_value_error(options, why):
    with pytest.raises(ValueError, match=why):
        enter(1, **options)


# ── the command ────────────────────────────────────────────────────────────────────────────


async def say(port: int, folder: Path, *arguments: str, **variables: str) -> Finished:
    state = {"XDG_STATE_HOME": str(folder)}
    return await run("client", *arguments, "-n", "al", stdin=b"hi\n", **state, **variables)


def kept(folder: Path) -> str:
    file = folder / "trio-chat" / "pins"
    return file.read_text().partition("\n")[2] if file.exists() else ""


async def test_in_a_pipe_an_unknown_certificate_is_refused_until_it_is_named(irc, files, tmp_path):
    link = f"ircs://localhost:{irc.port}/tea"
    done = await say(irc.port, tmp_path, link)
    assert (done.code, done.out, done.err.count("\n")) == (77, "", 1)
    assert done.err.endswith(f"SHA256:{files.pin} is right; if so, --pin trusts it\n")
    assert irc.received == []
    done = await say(irc.port, tmp_path, f"{link}?pin={pin_in_link(files.pin)}&invite=x")
    assert (done.code, done.err) == (0, "")
    assert "JOIN #tea" in irc.received
    assert kept(tmp_path).startswith(f"localhost:{irc.port} SHA256:{files.pin} 20")
    done = await say(irc.port, tmp_path, f"localhost:{irc.port}")
    assert (done.code, done.err) == (0, "")


async def test_a_certificate_that_has_changed_is_refused(irc, files, others, tmp_path):
    arguments = ("--pin", files.pin, "--host", f"localhost:{irc.port}", "--protocol", "irc")
    done = await say(irc.port, tmp_path, *arguments)
    assert done.code == 0
    irc.context, before = context(others), len(irc.received)
    for more in ([], ["--json"], ["--retry"]):
        done = await say(irc.port, tmp_path, f"localhost:{irc.port}", *more)
        assert (done.code, done.err.count("\n")) == (77, 1)
        assert "shows another certificate" in done.err
        assert f"if {tmp_path}/trio-chat/pins has a line of that server, remove it" in done.err
        assert "--pin" not in done.err
    done = await say(irc.port, tmp_path, f"irc://localhost:{irc.port}")
    assert (done.code, done.out, done.err.count("\n")) == (78, "", 1)
    assert "so it is not spoken to in clear" in done.err
    assert str(tmp_path / "trio-chat" / "pins") in done.err
    done = await say(irc.port, tmp_path, f"localhost:{irc.port}", "--pin", files.pin)
    assert done.code == 77
    assert len(irc.received) == before
    done = await say(irc.port, tmp_path, f"localhost:{irc.port}", "--pin", others.pin)
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert f"with SHA256:{others.pin}, no longer SHA256:{files.pin}\n" in done.err
    done = await say(irc.port, tmp_path, f"localhost:{irc.port}", "--pin", others.pin)
    assert (done.code, done.err) == (0, "")
    assert kept(tmp_path).count("\n") == 1
    assert others.pin in kept(tmp_path)


@pytest.mark.parametrize("how", ["--plain", "--json", "screen"])
@pytest.mark.slow
async def test_one_that_changes_while_a_connection_is_lost_ends_the_chat(
    irc, files, others, tmp_path, how
):
    link = f"ircs://localhost:{irc.port}?pin={files.pin}"
    command = ["client", link, "-n", "al", "--retry", *([how] if how != "screen" else [])]
    said = '{"type": "say", "text": "hello"}' if how == "--json" else "hello"
    async with terminal(command, {"XDG_STATE_HOME": str(tmp_path)}, constants=IMPATIENT) as it:
        await it.until('"in_room"' if how == "--json" else "#lobby")
        irc.context, irc._answers["PRIVMSG"] = context(others), "ERROR :Closing Link"
        await it.type(f"{said}\r")
        assert await it.ended() == 77
    [last] = [line for line in it.raw.text.splitlines() if "trio-chat: " in line]
    assert "shows another certificate" in last
    assert irc.received.count("NICK al") == 1


async def test_a_damaged_file_of_pins_is_told_and_left_alone(irc, files, tmp_path):
    link, file = f"ircs://localhost:{irc.port}", tmp_path / "trio-chat" / "pins"
    file.parent.mkdir()
    file.write_text("junk\n")
    for more, code in ([], 77), (["--pin", files.pin], 0):  # as for a server that is unknown
        done = await say(irc.port, tmp_path, link, *more)
        first = done.err.splitlines()[0]
        assert (done.code, file.read_text()) == (code, "junk\n")
        assert first.startswith(f"trio-chat: line 1 of {file} is no server with its pin. Correct")
    file.write_text(f"localhost:{irc.port} SHA256:ab\n")
    irc.received.clear()
    for where in (link, f"irc://localhost:{irc.port}"):
        done = await say(irc.port, tmp_path, where)
        assert (done.code, done.err.count("\n"), irc.received) == (78, 1, [])
        assert f"whether localhost:{irc.port} is the server that you trust" in done.err


async def test_who_keeps_nothing_keeps_no_pin_that_was_given(irc, files, tmp_path):
    where = ("--no-state", "--pin", files.pin, f"localhost:{irc.port}")
    done = await say(irc.port, tmp_path, *where)
    assert (done.code, done.err, kept(tmp_path)) == (0, "", "")


async def test_where_pins_cannot_be_kept_the_chat_goes_on(irc, files, port, tmp_path):
    (tmp_path / "trio-chat").write_text("no folder")
    done = await say(irc.port, tmp_path, "--pin", files.pin, f"localhost:{irc.port}")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert "pins cannot be written: " in done.err
    done = await say(port, tmp_path, f"localhost:{port}")
    assert (done.code, done.err) == (0, "")


async def test_a_server_without_tls_is_told_with_the_way_out(nursery, tmp_path):
    server = await nursery.start(MinimalIrcServer(greets=":irc.test NOTICE * :Hello").run)
    done = await say(server.port, tmp_path, f"ircs://localhost:{server.port}")
    assert (done.code, done.out, done.err.count("\n")) == (69, "", 1)
    assert "'--set client.tls=off' goes there in clear, for all on the way to read" in done.err
    Pins(tmp_path / "trio-chat" / "pins").keep(Address("localhost", server.port), "ab" * 32, "")
    done = await say(server.port, tmp_path, f"localhost:{server.port}")
    assert (done.code, done.out, done.err.count("\n")) == (69, "", 1)
    assert f"remove its line from {tmp_path}/trio-chat/pins" in done.err
    assert "client.tls" not in done.err


async def test_a_certificate_that_this_system_trusts_is_not_kept(irc, trusts, tmp_path):
    trusted = {"SSL_CERT_FILE": str(trusts)}
    done = await say(irc.port, tmp_path, f"ircs://localhost:{irc.port}", **trusted)
    assert (done.code, done.err, kept(tmp_path)) == (0, "", "")


async def test_who_trusts_one_address_of_a_chat_is_not_asked_again_for_its_key(
    irc, files, tmp_path
):
    link = f"ircs://127.0.0.1:{irc.port}?also=localhost"
    command, state = ["client", link, "-n", "al", "--plain"], {"XDG_STATE_HOME": str(tmp_path)}
    async with terminal(command, state) as it:
        await it.until("Trust it from now on? [y/N] ")
        await it.type("y\r")
        shown = await it.until("You are al in #lobby")
        assert "Trust" not in shown
        await it.type("/quit\r")
        assert await it.ended() == 0
    for host in ("127.0.0.1", "localhost"):
        assert f"{host}:{irc.port} SHA256:{files.pin} 20" in kept(tmp_path)


@pytest.mark.slow
async def test_on_a_terminal_the_person_is_asked_once(irc, files, tmp_path):
    command = ["client", f"ircs://localhost:{irc.port}", "-n", "al", "--plain", "--no-state"]
    state = {"XDG_STATE_HOME": str(tmp_path)}
    async with terminal(command, state) as it:
        shown = await it.until("Trust it from now on? [y/N] ")
        assert f"SHA256:{files.pin}" in shown
        assert "  for    localhost, 127.0.0.1" in shown
        await it.type("\r")
        await it.until(f"you do not trust the certificate of localhost:{irc.port}")
        assert await it.ended() == 77
    assert (irc.received, kept(tmp_path)) == ([], "")
    async with terminal(command, state) as it:
        await it.until("Trust it from now on? [y/N] ")
        await it.type("y\r")
        await it.until("You are al in #lobby")
        await it.type("/quit\r")
        assert await it.ended() == 0
    assert files.pin in kept(tmp_path)
    async with terminal([*command[:4]], state) as it:
        shown = await it.until("#lobby")  # on the full screen
        assert "Trust" not in shown
        await it.type("/quit\r")
        assert await it.ended() == 0


def test_a_folder_may_not_set_a_pin(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(f"TRIO_CHAT_HOST=ircs://chat.example?pin={'ab' * 32}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"\.env in this folder may not set a pin"):
        trust.for_client(load({}, (), None))
