"""The commands about one's account in our own client, over IRC, with our own server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from certificates import issue
from irc_peers import IrcPeer, irc_peer
from peers import PATIENCE, House, running, settings
from terminals import Terminal, terminal
from trio_chat import Notice, Settings
from trio_chat.client import requests
from trio_chat.client.runner import MessageChannel, RequestChannel, run_chat
from trio_chat.settings import ClientSettings

PASSWORD = "correct-horse"


@asynccontextmanager
async def screen(
    house: House, pin: str, device: Path, nick: str = "", *more: str
) -> AsyncIterator[Terminal]:
    """The full screen of somebody on a device, where they stay until they say /quit."""
    link = f"ircs://localhost:{house.port}?pin={pin}"
    command = ["client", link, "--protocol", "irc", *(["--nick", nick] if nick else []), *more]
    async with terminal(command, {"XDG_STATE_HOME": str(device)}) as it:
        await it.until("in #lobby")
        yield it
        await it.type("/quit\r")
        assert await it.ended() == 0
    assert "secret" in kept(device)
    assert PASSWORD not in kept(device)


def kept(device: Path) -> str:
    return "".join(file.read_text() for file in device.rglob("*.json"))


async def account_of(watcher: IrcPeer, nick: str) -> str:
    whois = await watcher.news(f"WHOIS {nick}")
    return next((line.split()[4] for line in whois if " 330 " in line), "")


@pytest.mark.slow
async def test_a_device_needs_the_password_once(tmp_path: Path) -> None:
    files = issue(tmp_path / "tls")
    first, second = tmp_path / "first", tmp_path / "second"
    async with running(settings(tls=files.settings)) as house:
        watcher = await irc_peer(house, "watcher", rooms="")
        async with screen(house, files.pin, first, "bob") as it:
            await it.type(f"/register {PASSWORD}\r")
            await it.until("This device will log in by itself next time.")
        async with screen(house, files.pin, first):  # called like the account from now on
            assert await account_of(watcher, "bob") == "bob"
        async with screen(house, files.pin, second, "bob") as it:  # somebody else, as yet
            await it.until("bob is somebody's: /login PASSWORD if it is you.")
            assert await account_of(watcher, "bob_2") == ""
            await it.type(f" /login {PASSWORD}\r")
            await it.until("Not said, as a password may be")
            await it.type(f"/login {PASSWORD}\r")
            await it.until("This device will log in by itself next time.")
            assert await account_of(watcher, "bob") == "bob"
        async with screen(house, files.pin, second, "bob") as it:
            assert await account_of(watcher, "bob") == "bob"
            await it.type("/logout\r")
            await it.until("You are logged out")
        async with screen(house, files.pin, second, "bob") as it:
            assert await account_of(watcher, "bob_2") == ""
        async with screen(house, files.pin, first, "bob") as it:
            assert await account_of(watcher, "bob") == "bob"


class Hasty:
    """Says a command before there is a connection, and leaves once it has done what it should."""

    told = ""

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        await asked.send(requests.SlashCommand(f"/login bob {PASSWORD}", ""))
        async for message in messages:
            if isinstance(message, Notice) and "logged in" in message.text:
                self.told = message.text
                await asked.send(requests.Leave(""))


async def test_a_command_that_is_typed_before_there_is_a_connection_waits_for_it() -> None:
    async with running() as house:
        bob = await irc_peer(house, "bob", rooms="")
        await bob.news(f"REGISTER * * {PASSWORD}")
        hasty = Hasty()
        client = ClientSettings(protocol="irc")
        with trio.fail_after(PATIENCE):
            await run_chat(Settings(port=house.port, client=client), "sam", hasty)
        assert hasty.told == "You are logged in as bob."


async def test_what_was_said_while_nobody_was_here_is_new_on_the_next_device(
    tmp_path: Path,
) -> None:
    files = issue(tmp_path / "tls")
    async with running(settings(tls=files.settings)) as house:
        watcher = await irc_peer(house, "watcher", rooms="")
        async with screen(house, files.pin, tmp_path / "first", "bob") as it:
            await it.type(f"/register {PASSWORD}\r")
            await it.until("This device will log in by itself next time.")
        await watcher.news("PRIVMSG bob :are you there?")
        async with screen(house, files.pin, tmp_path / "second", "bob") as it:
            await it.type(f"/login {PASSWORD}\r")
            await it.screen.until_match("watcher @1")
            await it.type("/query watcher\r")
            await it.until("are you there?")


async def test_line_by_line_a_device_is_the_same_as_on_the_full_screen(tmp_path: Path) -> None:
    files = issue(tmp_path / "tls")
    async with running(settings(tls=files.settings)) as house:
        watcher = await irc_peer(house, "watcher", rooms="")
        async with screen(house, files.pin, tmp_path / "device", "bob", "--plain") as it:
            await it.type(f"/register {PASSWORD}\r")
            await it.until("This device will log in by itself next time.")
        for how in ([], ["--plain"]):
            async with screen(house, files.pin, tmp_path / "device", "", *how) as it:
                assert await account_of(watcher, "bob") == "bob"
