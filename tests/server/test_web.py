"""Browsers on the server's port: the page, and people who chat over WebSocket."""

from collections.abc import AsyncIterator

import pytest

from browsers import get, web_peer
from irc_peers import irc_peer, settings
from peers import House, running


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as house:
        yield house


async def test_a_browser_reads_the_page_and_goes_on(house: House) -> None:
    browser = await house.connect()
    for _ in range(2):
        await browser.send(get(host=f"127.0.0.1:{house.port}", method="HEAD"))
        assert (await browser.until("\r\n\r\n")).startswith("HTTP/1.1 200 OK\r\n")


async def test_people_on_all_protocols_read_each_other(house: House) -> None:
    web = await web_peer(house, "web")
    irc = await irc_peer(house, "irc")
    plain = await house.connect("plain")
    await web.say("PRIVMSG #lobby :from the page 👋")
    await irc.until(":web!web@127.0.0.1 PRIVMSG #lobby :from the page 👋\r\n")
    await plain.send(b"from netcat\n")
    await web.until(":plain!plain@127.0.0.1 PRIVMSG #lobby :from netcat\r\n")
    await plain.until("web: from the page 👋\n")
