"""Logging in with other people's programs, over TLS, as people set them up; needs Debian's
WeeChat, irssi, catgirl, ncat and openssl, and tmux.
"""

import shlex
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from subprocess import DEVNULL

import pytest
import trio

from certificates import authority, issue
from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from tmux import tmux
from trio_chat.server.certificate import Certificate
from trio_chat.server.own_certificate import use_own

pytestmark = pytest.mark.programs

PASSWORD = "correct-horse"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with running(settings(tls=issue(tmp_path).settings)) as it:
        await register_bob(it)
        yield it


async def register_bob(house: House) -> None:
    bob = await irc_peer(house, "bob")
    await bob.news(f"REGISTER * * {PASSWORD}")
    await bob.say("QUIT")
    await bob.rest()


async def bob_comes(alice: IrcPeer) -> list[str]:
    """What is told of bob once they are in the lobby."""
    await alice.until(":bob!")
    return [message.command for message in await alice.messages("WHOIS bob")]


WEECHAT = (
    "/server add trio localhost/{port} -autoconnect",
    "/set irc.server.trio.tls on",
    "/set irc.server.trio.ssl on",  # the name before WeeChat 4
    "/set weechat.network.gnutls_ca_user {folder}/ca.pem",
    "/set irc.server.trio.nicks bob",
    "/set irc.server.trio.autojoin #lobby",
    "/set irc.server.trio.sasl_mechanism scram-sha-256",
    "/set irc.server.trio.sasl_username bob",
    f"/set irc.server.trio.sasl_password {PASSWORD}",
    "/connect trio",
)
IRSSI = (
    f"/network add -sasl_username bob -sasl_password {PASSWORD} -sasl_mechanism PLAIN trio",
    "/channel add -auto #lobby trio",
    "/server add -net trio -tls -tls_verify -tls_cafile {folder}/ca.pem localhost {port}",
    "/connect localhost",
)
CATGIRL = f"catgirl -h localhost -p {{port}} -n bob -j #lobby -a bob:{PASSWORD}"

#: The command that starts each, and what is typed then.
CLIENTS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "weechat": (["weechat", "--dir", "{folder}/weechat", "-r", ";".join(WEECHAT)], ()),
    "irssi": (["irssi", "--home={folder}/irssi", "-n", "bob"], IRSSI),
    "catgirl": ([*CATGIRL.split(), "-t", "{folder}/ca.pem"], ()),
}


@pytest.mark.parametrize("name", CLIENTS)
async def test_it_logs_in_by_sasl(house: House, tmp_path: Path, name: str) -> None:
    alice = await irc_peer(house, "alice")
    command, typed = CLIENTS[name]
    where = {"folder": tmp_path, "port": house.port}
    environment = ["env", "TERM=screen", f"HOME={tmp_path}"]
    whole = [*environment, *(word.format(**where) for word in command)]
    async with tmux(tmp_path / "t", 130, 50, *whole) as screen:
        for line in typed:
            await screen.type(line.format(**where))
        told = await bob_comes(alice)
    assert "330" in told  # is logged in as
    assert "671" in told  # is using a secure connection


async def test_catgirl_trusts_our_own_certificate_once_it_has_written_it_down(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.pem"
    use_own(Certificate(), own, "localhost")
    async with running(settings(), own_certificate=own) as house:
        await register_bob(house)
        alice = await irc_peer(house, "alice")
        start = shlex.join(CATGIRL.format(port=house.port).split())
        script = f"catgirl -o -h localhost -p {house.port} >$HOME/it; exec {start} -t $HOME/it"
        environment = ["env", "TERM=screen", f"HOME={tmp_path}"]
        async with tmux(tmp_path / "t", 130, 50, *environment, "sh", "-c", script):
            assert "330" in await bob_comes(alice)


@pytest.mark.parametrize(
    "program",
    [
        "ncat --ssl --ssl-verify --ssl-trustfile ca.pem localhost $PORT",
        "openssl s_client -connect localhost:$PORT -CAfile ca.pem -verify_return_error -quiet",
    ],
)
async def test_by_hand_with_the_password_of_the_server(
    house: House, tmp_path: Path, program: str
) -> None:
    alice = await irc_peer(house, "alice")
    said = f"PASS bob:{PASSWORD}\nNICK bob\nUSER bob 0 * :Bob\nJOIN #lobby\n"
    await trio.Path(tmp_path / "said").write_text(said)
    script = f"(cat said; exec sleep 30) | exec {program}"
    environment = {"PORT": str(house.port), "PATH": "/usr/bin:/bin"}
    process = await trio.lowlevel.open_process(
        ["sh", "-c", script], cwd=tmp_path, env=environment, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        told = await bob_comes(alice)
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()
    assert "330" in told
    assert "671" in told
