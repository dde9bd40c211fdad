"""Our client with an IRC server that is not ours; needs Debian's ngircd."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from certificates import Files, issue
from processes import end, free_port, run
from trio_chat.client import requests
from trio_chat.client.runner import MessageChannel, RequestChannel, run_chat
from trio_chat.core.views import Notice
from trio_chat.protocols.client import (
    Acknowledged,
    InRoom,
    Member,
    Message,
    PageEnd,
    Roster,
    Sent,
)
from trio_chat.settings import ClientSettings, Settings

NGIRCD = Path("/usr/sbin/ngircd")

pytestmark = pytest.mark.programs

CONFIGURATION = """\
[Global]
Name = irc.test.net
Info = a test
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = Be kind.
[Options]
DNS = no
Ident = no
PAM = no
"""

TLS = """\
[SSL]
CertFile = {certificate}
KeyFile = {key}
Ports = {port}
"""


@asynccontextmanager
async def ngircd(folder: Path, files: Files | None = None) -> AsyncIterator[int]:
    """Its port, once it listens there: with these files for a certificate, over TLS."""
    with free_port() as port, free_port() as clear:
        pass
    configuration = folder / "ngircd.conf"
    written = CONFIGURATION.format(port=clear if files else port)
    if files:
        written += TLS.format(port=port, **files.settings)
    configuration.write_text(written)
    process = await trio.lowlevel.open_process([NGIRCD, "-n", "-f", configuration])
    try:
        yield port
    finally:
        await end(process)


async def test_it_is_found_out_talked_to_and_left(tmp_path):
    async with ngircd(tmp_path) as port:
        arguments = ("--port", str(port), "--nick", "bob", "--set", "client.room=#tea", "--retry")
        lines = "one\n/me waves\n/topic green\n/who\n/whois nobody\n/join two\ntwo\n/jion\n"
        done = await run("client", *arguments, stdin=lines.encode())
    assert done.code == 65  # there is no nobody, and no /jion
    heard = [line for line in done.out.splitlines() if "Trying again" not in line]
    assert sorted(heard) == sorted(
        [
            "*** Welcome to the Internet Relay Network bob!~bob@127.0.0.1",
            "*** Be kind.",
            "bob joined!",
            "*** You are bob in #tea; nobody else is here yet. /help for more.",
            "bob: one",
            "* bob waves",
            "*** bob set the topic: green",
            "*** In #tea (1): bob",
            "*** nobody: No such nick or channel name",
            "bob joined!",
            "*** You are bob in #two; nobody else is here yet. /help for more.",
            "bob: two",
            "*** There is no command /jion. Did you mean /join? /help lists all of them.",
        ]
    )


async def test_over_tls_it_is_trusted_once_its_certificate_is(tmp_path):
    async with ngircd(tmp_path, issue(tmp_path)) as port:
        link = f"ircs://localhost:{port}/tea"
        state = {"XDG_STATE_HOME": str(tmp_path)}
        done = await run("client", link, "--nick", "bob", "--retry", stdin=b"one\n", **state)
        assert done.code == 77
        pin = re.findall("SHA256:([0-9a-f]{64})", done.err)[0]
        done = await run("client", f"{link}?pin={pin}", "--nick", "bob", stdin=b"one\n", **state)
        assert done.code == 0
        done = await run("client", link, "--nick", "bob", stdin=b"two\n", **state)
    assert done.code == 0
    assert "bob: two\n" in done.out


class Visitor:
    """Enters a second room, talks there and to itself, and leaves once it has been heard."""

    texts = (("#two", "hi"), ("bob", "psst"), ("nobody", "hello?"))

    def __init__(self) -> None:
        self.shown: list[Message] = []

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        async for message in messages:
            self.shown.append(message)
            if message == Roster("#tea", (Member("bob", "@"),)):
                await asked.send(requests.Join("#two"))
                for target, text in self.texts:
                    await asked.send(requests.Say(text, target))
                await asked.send(requests.History("#two", "", 10))
            if isinstance(message, Acknowledged) and len(self.of(Acknowledged)) == 3:
                await asked.send(requests.Leave("bye"))

    def of(self, kind: type) -> list[Message]:
        return [message for message in self.shown if isinstance(message, kind)]


async def test_many_rooms_are_fine_with_it_too(tmp_path):
    visitor = Visitor()
    async with ngircd(tmp_path) as port:
        client = ClientSettings(room="#tea", retry=True, protocol="irc")
        await run_chat(Settings(port=port, client=client), "bob", visitor)
    assert visitor.of(InRoom) == [InRoom("#tea"), InRoom("#two")]
    assert visitor.of(Roster)[0] == Roster("#tea", (Member("bob", "@"),))
    assert visitor.of(PageEnd) == [PageEnd("#two", 0, complete=True)]
    assert [(m.target, m.text) for m in visitor.of(Sent)] == list(visitor.texts)
    assert "nobody: No such nick or channel name" in [n.text for n in visitor.of(Notice)]
