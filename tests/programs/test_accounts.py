"""Logging in with other people's programs, over TLS, as people set them up; needs Debian's
WeeChat, irssi, catgirl, ncat and openssl, and tmux. Bots are from PyPI.
"""

import itertools
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import pytest
import trio

from certificates import authority, issue
from irc_clients import BOTS
from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from tmux import Tmux, tmux
from trio_chat.server.certificate import Certificate
from trio_chat.server.own_certificate import use_own

pytestmark = pytest.mark.programs

PASSWORD = "correct-horse"


@dataclass(frozen=True)
class Site:
    """A server where bob has an account; ``secrets`` open it, by their kind."""

    house: House
    folder: Path
    secrets: dict[str, str]

    def fill(self, words: Sequence[str], kind: str) -> list[str]:
        """Words of a command, or lines to type, with what they need to know."""
        where = {"folder": self.folder, "port": self.house.port, "secret": self.secrets[kind]}
        return [word.format(**where) for word in words]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with running(settings(tls=issue(tmp_path).settings)) as house:
        yield await open_site(house, tmp_path)


async def open_site(house: House, folder: Path) -> Site:
    bob = await irc_peer(house, "bob")
    await bob.news(f"REGISTER * * {PASSWORD}")
    told, *_ = await bob.news("NS TOKEN NEW laptop")
    await bob.say("QUIT")
    await bob.rest()
    return Site(house, folder, {"password": PASSWORD, "token": told.rpartition(" ")[2]})


async def bob_is_known(alice: IrcPeer) -> None:
    """Wait for bob to come; they are logged in, and speak TLS."""
    await alice.until(":bob!")
    told = [message.command for message in await alice.messages("WHOIS bob")]
    assert {"330", "671"} <= {*told}


def weechat(mechanism: str) -> list[str]:
    lines = (
        "/server add trio localhost/{port} -autoconnect",
        "/set irc.server.trio.tls on",
        "/set irc.server.trio.ssl on",  # the name before WeeChat 4
        "/set weechat.network.gnutls_ca_user {folder}/ca.pem",
        "/set irc.server.trio.nicks bob",
        "/set irc.server.trio.autojoin #lobby",
        f"/set irc.server.trio.sasl_mechanism {mechanism}",
        "/set irc.server.trio.sasl_username bob",
        "/set irc.server.trio.sasl_password {secret}",
        "/connect trio",
    )
    return ["weechat", "--dir", "{folder}/weechat", "-r", ";".join(lines)]


IRSSI = ["irssi", "--home={folder}/irssi", "-n", "bob"]
TYPED = (
    "/network add -sasl_username bob -sasl_password {secret} -sasl_mechanism PLAIN trio",
    "/channel add -auto #lobby trio",
    "/server add -net trio -tls -tls_verify -tls_cafile {folder}/ca.pem localhost {port}",
    "/connect localhost",
)
CATGIRL = ["catgirl", "-h", "localhost", "-p", "{port}", "-n", "bob", "-j", "#lobby"]
CATGIRL += ["-a", "bob:{secret}"]
TRUSTING = [*CATGIRL, "-t", "{folder}/ca.pem"]

#: The command that starts each client, what is typed then, and which secret it logs in with.
CLIENTS: dict[str, tuple[Sequence[str], Sequence[str], str]] = {
    "weechat with a password, by SCRAM": (weechat("scram-sha-256"), (), "password"),
    "weechat with a token": (weechat("plain"), (), "token"),
    "irssi with a password": (IRSSI, TYPED, "password"),
    "irssi with a token": (IRSSI, TYPED, "token"),
    "catgirl with a password": (TRUSTING, (), "password"),
    "catgirl with a token": (TRUSTING, (), "token"),
}


def terminal(folder: Path, *command: str) -> AbstractAsyncContextManager[Tmux]:
    return tmux(folder / "t", 130, 50, "env", "TERM=screen", f"HOME={folder}", *command)


@pytest.mark.parametrize(("command", "typed", "kind"), CLIENTS.values(), ids=CLIENTS)
async def test_a_client_logs_in_by_sasl(
    site: Site, command: Sequence[str], typed: Sequence[str], kind: str
) -> None:
    alice = await irc_peer(site.house, "alice")
    async with terminal(site.folder, *site.fill(command, kind)) as screen:
        for line in site.fill(typed, kind):
            await screen.type(line)
        await bob_is_known(alice)


async def test_catgirl_trusts_our_own_certificate_once_it_has_written_it_down(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.pem"
    use_own(Certificate(), own, "localhost")
    async with running(settings(), own_certificate=own) as house:
        site = await open_site(house, tmp_path)
        alice = await irc_peer(house, "alice")
        start = shlex.join(site.fill(CATGIRL, "password"))
        script = f"catgirl -o -h localhost -p {house.port} >$HOME/it; exec {start} -t $HOME/it"
        async with terminal(tmp_path, "sh", "-c", script):
            await bob_is_known(alice)


# ircrobots logs in by SCRAM, which tokens are not for, and waits for ever once it is refused.
LOGINS = [*itertools.product(BOTS, ("password", "token"))]
LOGINS.remove(("ircrobots", "token"))


@pytest.mark.parametrize(("name", "kind"), LOGINS)
async def test_a_bot_logs_in_and_talks(site: Site, name: str, kind: str) -> None:
    nettie = await irc_peer(site.house, "nettie")
    variables = {"BOT_PASSWORD": site.secrets[kind], "SSL_CERT_FILE": f"{site.folder}/ca.pem"}
    async with BOTS[name](site.house.port, site.folder, **variables) as bot:
        await bot.join()
        await bob_is_known(nettie)
        await nettie.say("PRIVMSG #lobby :hello, zoë")
        await bot.hear("hello, zoë")
        await bot.say("hello, all")
        await nettie.until("PRIVMSG #lobby :hello, all\r\n")
        assert bot.complaints() == []


@pytest.mark.parametrize("kind", ["password", "token"])
@pytest.mark.parametrize(
    "program",
    [
        "ncat --ssl --ssl-verify --ssl-trustfile ca.pem localhost $PORT",
        "openssl s_client -connect localhost:$PORT -CAfile ca.pem -verify_return_error -quiet",
    ],
    ids=["ncat", "openssl"],
)
async def test_by_hand_with_the_password_of_the_server(site: Site, program: str, kind: str) -> None:
    alice = await irc_peer(site.house, "alice")
    said = f"PASS bob:{site.secrets[kind]}\nNICK bob\nUSER bob 0 * :Bob\nJOIN #lobby\n"
    await trio.Path(site.folder / "said").write_text(said)
    script = f"(cat said; exec sleep 30) | exec {program}"
    environment = {"PORT": str(site.house.port), "PATH": "/usr/bin:/bin"}
    process = await trio.lowlevel.open_process(
        ["sh", "-c", script], cwd=site.folder, env=environment, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await bob_is_known(alice)
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()
