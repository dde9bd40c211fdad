"""Our client with an IRC server that is not ours; needs Debian's ngircd."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from processes import end, free_port, run

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


@asynccontextmanager
async def ngircd(folder: Path) -> AsyncIterator[int]:
    """Its port, once it listens there."""
    with free_port() as port:
        pass
    configuration = folder / "ngircd.conf"
    configuration.write_text(CONFIGURATION.format(port=port))
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
    assert (done.code, done.err) == (0, "")
    heard = [line for line in done.out.splitlines() if "Trying again" not in line]
    assert sorted(heard) == sorted(
        [
            "*** Welcome to the Internet Relay Network bob!~bob@127.0.0.1",
            "*** Be kind.",
            "bob joined!",
            "*** You are bob in #tea; nobody else is here yet. /help tells more.",
            "bob: one",
            "* bob waves",
            "*** bob set the topic: green",
            "*** In #tea (1): bob",
            "*** nobody: No such nick or channel name",
            "bob joined!",
            "*** You are bob in #two; nobody else is here yet. /help tells more.",
            "bob: two",
            "*** There is no command /jion. Did you mean /join? /help lists all of them.",
        ]
    )
