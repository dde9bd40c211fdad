"""With the real irssi, in a terminal, as people use it; needs Debian's irssi and tmux."""

from pathlib import Path

import pytest

from peers import Peer, running
from tmux import irssi

pytestmark = pytest.mark.programs


async def seen(peer: Peer, *lines: str) -> None:
    for line in lines:
        await peer.until(f"{line}\n")


async def test_irssi_and_a_netcat_user_talk(tmp_path: Path) -> None:
    """Talk, act, rename, topic, private messages, whois, and a kick by the one who was first."""
    async with running() as house:
        nettie = await house.connect("nettie")
        await nettie.send(b"/join den\n")
        async with irssi(house.port, "irina", tmp_path, "#den") as screen:
            await seen(nettie, "irina joined!")
            await screen.until("[@nettie] [ irina]")
            await screen.type("hello from irssi")
            await seen(nettie, "irina: hello from irssi")
            await screen.until("< irina> hello from irssi")
            await nettie.send("hello zoë\n/me waves\n/topic tea at five\n".encode())
            await screen.until("<@nettie> hello zoë")
            await screen.until("* nettie waves")
            await screen.until("nettie changed the topic of #den to: tea at five")
            await screen.type("/me bows")
            await seen(nettie, "* irina bows")
            await screen.type("/nick iris")
            await seen(nettie, "*** irina is now iris.")
            await screen.until("You're now known as iris")
            await nettie.send(b"/nick netta\n")
            await screen.until("nettie is now known as netta")
            await screen.type("/whois netta")
            await screen.type("/topic coffee at six")
            await seen(nettie, "*** iris set the topic: coffee at six")
            await nettie.send(b"/kick iris that was not agreed\n")
            await seen(nettie, "*** netta kicked iris out of #den: that was not agreed")
            await screen.until("kicked from #den by netta [that was not agreed]")
            await screen.type("/window 1")
            shown = await screen.until("End of WHOIS")
            assert "ircname  : nettie" in shown
            assert "channels : @#den" in shown
            await screen.type("/msg netta was it not?")
            await seen(nettie, "iris -> netta: was it not?")
            await nettie.send(b"/msg iris no\n")
            await screen.type("/window 3")
            await screen.until("<netta> no")
            await screen.type("/quit bye")


async def test_irssi_shows_what_was_said_before(tmp_path: Path) -> None:
    """And that it was: irssi may show another time than that of the message."""
    async with running() as house:
        nettie = await house.connect("nettie")
        await nettie.send(b"hello\n/me waves\n")
        await seen(nettie, "* nettie waves")
        async with irssi(house.port, "irina", tmp_path) as screen:
            await nettie.send(b"now\n")
            shown = [line[6:] for line in (await screen.until("< nettie> now")).splitlines()]
            begin = shown.index("!chat.local Last messages:")
            assert shown[begin : begin + 4] == [
                "!chat.local Last messages:",
                "-nettie:#lobby- hello",
                "-nettie:#lobby- * nettie waves",
                "!chat.local End of the last messages.",
            ]


async def test_two_irssi_talk_and_one_comes_back(tmp_path: Path) -> None:
    async with (
        running() as house,
        irssi(house.port, "irina", tmp_path, "#den") as one,
        irssi(house.port, "igor", tmp_path, "#den") as other,
    ):
        await one.until("igor [")
        await one.type("hello igor")
        await other.until("<@irina> hello igor")
        await other.type("/msg irina psst")
        await one.until(",3]")  # something has happened in a window that is new
        await one.type("/window 3")
        await one.until("<igor> psst")
        await one.type("/window 2")
        await one.type("/kick igor out")
        await other.until("kicked from #den by irina [out]")
        await other.type("/disconnect")
        await other.until("[]")
        await other.type(f"/connect 127.0.0.1 {house.port}")
        await other.type("/window 1")
        await other.until("There is no message of the day", times=2)
        await other.type("/join #den")
        await other.until("[@irina] [ igor]")
