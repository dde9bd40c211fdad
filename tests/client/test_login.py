"""Coming again to a chat that lets nobody in without an account, on a terminal and in a pipe."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bob import gone
from certificates import issue
from irc_peers import irc_peer
from peers import running, settings
from processes import run
from terminals import Terminal, terminal

PASSWORD = "correct-horse"
REFUSED = "This chat is for those who have an account or an invitation. Ask for a link"


@pytest.fixture
async def link(tmp_path: Path) -> AsyncIterator[str]:
    """A link to a chat for people with an account, such as bob."""
    tls = issue(tmp_path / "tls")
    async with running(settings(tls=tls.settings)) as house:
        bob = await irc_peer(house, "bob", rooms="")
        await bob.news(f"REGISTER * * {PASSWORD}")
        await bob.say("QUIT")
        await bob.rest()
        house.server.reload(settings(tls=tls.settings, accounts={"guests": "invited"}))
        yield f"ircs://localhost:{house.port}?pin={tls.pin}"


async def answer(it: Terminal, name: str, password: str) -> None:
    await it.until(REFUSED)
    await it.until(" [sam]: ")
    await it.type(f"{name}\r")
    await it.until("Password: ")
    await it.type(f"{password}\r")


async def leave(it: Terminal) -> None:
    await it.until("in #lobby")
    await it.type("/quit\r")
    assert await it.ended() == 0
    assert PASSWORD not in it.raw.text


async def test_lines_ask_for_the_account(link: str) -> None:
    async with terminal(["client", link, "--plain", "--nick", "sam"]) as it:
        await answer(it, "bob", PASSWORD)
        await leave(it)


async def test_the_screen_enters_no_room_that_was_left_elsewhere(tmp_path: Path) -> None:
    """On a device that remembers nothing; the lobby is for those who are nowhere."""
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob", rooms="#den")
        await bob.news(f"REGISTER * * {PASSWORD}")
        known = {"TRIO_CHAT_CLIENT__ACCOUNT": "bob", "TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD": PASSWORD}
        state = {"XDG_STATE_HOME": str(tmp_path), **known}
        async with terminal(["client", "-p", str(house.port)], state) as it:
            await it.until("You are in #den.")
            await it.type("hello\r")
            assert (await bob.until("hello")).count("#lobby") == 0
            await it.type("/quit\r")
            assert await it.ended() == 0
        assert "#lobby" not in it.screen.text


@pytest.mark.parametrize("is_here", [True, False])
@pytest.mark.slow
async def test_the_screen_goes_to_a_room_of_the_account_that_a_guest_logs_in_to(
    tmp_path: Path, is_here: bool
) -> None:
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob", rooms="#den")
        await bob.news(f"REGISTER * * {PASSWORD}")
        eve = await irc_peer(house, "eve", rooms="#den")
        if not is_here:
            await gone(bob)
        state = {"XDG_STATE_HOME": str(tmp_path)}
        async with terminal(["client", "-p", str(house.port), "--nick", "sam"], state) as it:
            await it.until("You are in #lobby.")
            await it.type(f"/login bob {PASSWORD}\r")
            await it.until("You are in #den.")
            await it.type("hello\r")
            assert "PRIVMSG #den :hello" in await eve.until("hello")
            await it.type("/quit\r")
            assert await it.ended() == 0


@pytest.mark.slow
async def test_the_screen_asks_once_and_is_known_from_then_on(link: str, tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    async with terminal(["client", link, "--nick", "sam"], state) as it:
        await answer(it, "bob", PASSWORD)
        await leave(it)
    async with terminal(["client", link, "--nick", "sam"], state) as it:
        await leave(it)
        assert "Password" not in it.screen.text


async def test_a_password_may_be_wrong_twice(link: str) -> None:
    async with terminal(["client", link, "--plain", "--nick", "sam"]) as it:
        await answer(it, "bob", "battery-staple")
        for password in ("battery-horse", "staple-horse"):
            await it.until("cannot log in as bob: that is not the password")
            await it.until(" [sam]: ")
            await it.type("bob\r")
            await it.until("Password: ")
            await it.type(f"{password}\r")
        await it.until("cannot log in as bob: that is not the password")
        assert await it.ended() == 77


@pytest.mark.parametrize("how", [[], ["--plain", "--retry"]])
@pytest.mark.slow
async def test_who_logs_out_where_guests_are_not_let_in_is_asked_again(
    link: str, how: list[str]
) -> None:
    async with terminal(["client", link, "--nick", "sam", *how]) as it:
        await answer(it, "bob", PASSWORD)
        await it.until("in #lobby")
        await it.type("/logout\r")
        await answer(it, "bob", PASSWORD)
        await leave(it)


@pytest.mark.parametrize(("name", "password"), [("\x04", ""), ("bob\r", "\r")])
async def test_who_gives_none_is_not_let_in(link: str, name: str, password: str) -> None:
    async with terminal(["client", link, "--plain", "--nick", "sam"]) as it:
        await it.until(" [sam]: ")
        await it.type(name)
        if password:
            await it.until("Password: ")
            await it.type(password)
        assert await it.ended() == 77
        assert it.screen.text.count(REFUSED) == 2


async def test_in_a_pipe_the_error_names_the_settings(link: str) -> None:
    done = await run("client", link, "--nick", "sam", stdin=b"hello\n")
    how = (
        ". To log in to an account, set TRIO_CHAT_CLIENT__ACCOUNT and "
        "TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD"
    )
    assert (done.code, done.err) == (77, f"trio-chat: {REFUSED}{how}\n")
