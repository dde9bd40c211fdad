"""A client in many rooms where only plain is spoken: with a server of ours, and the tutorial's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from front_ends import Screen, Wire
from netcat import guest
from trio_chat import Joined, Left, Notice, Said
from trio_chat.client import backoff, requests
from trio_chat.client.runner import run_chat
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Linked,
    Member,
    PageEnd,
    Roster,
    Sent,
    Stamped,
    Unlinked,
)
from trio_chat.settings import ClientSettings, Settings
from tutorial import TutorialServer


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST", 0.05)


@pytest.fixture
async def wire(nursery, port) -> Wire:
    wire = Wire(port)
    await nursery.start(wire.run)
    return wire


@pytest.fixture
async def tutorial(nursery) -> TutorialServer:
    return await nursery.start(TutorialServer().run)


@asynccontextmanager
async def screen(port: int, nick: str) -> AsyncIterator[Screen]:
    shown = Screen()
    settings = Settings(port=port, client=ClientSettings(protocol="plain"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_chat, settings, nick, shown)
        await shown.sees(Linked, InRoom("#lobby"), Roster)
        yield shown
        await shown.want(requests.Leave("bye"))


# ── a server of ours ───────────────────────────────────────────────────────────────────────────


async def test_who_comes_talks_and_goes_is_told(port):
    async with screen(port, "me") as me:
        async with guest(port, "al") as al:
            await me.sees(Joined("#lobby", "al"))
            await me.want(
                requests.Say("hi", "#lobby"), requests.Say("waves", "#lobby", action=True)
            )
            await me.sees(Sent, Sent, Acknowledged, Acknowledged)
            await al.until("me: hi\n* me waves\n")
            await al.send("hello\n/msg me psst\n")
            await me.sees(Said("#lobby", "al", "hello"), Said("", "al", "psst", to="me"))
            await me.want(requests.Say("yes?", "al"))
            await me.sees(Acknowledged)
            await al.until("me -> al: yes?\n")
        await me.sees(Left("#lobby", "al"))
    async with screen(port, "you") as you, screen(port, "me") as me:
        members = (Member("me"), Member("you"))
        assert Roster("#lobby", members) in me.shown
        await you.sees(Joined("#lobby", "me"))
        earlier = [message.said.text for message in me.shown if isinstance(message, Earlier)]
        assert earlier == ["hi", "waves", "hello"]


async def test_what_plain_cannot_do_is_left_out(port):
    async with screen(port, "me") as me:
        before = len(me.shown)
        await me.want(
            requests.ReadUpTo("#lobby", ""),
            requests.TypingState("#lobby", True),
            requests.GoAway(""),
        )
        await me.want(requests.History("#lobby", "", 50))
        await me.sees(PageEnd("#lobby", 0, complete=True))
        assert len(me.shown) == before + 1
        await me.want(requests.GoAway("tea"))
        await me.sees(Notice("This server does not know who is away."))
        await me.want(requests.Join("#lobby"))
        await me.sees(Notice("You are already in #lobby.", room="#lobby"))


async def test_a_room_that_is_wanted_during_a_cut_is_entered(port, wire):
    async with screen(wire.port, "me") as me, guest(port, "al") as al:
        wire.up = False
        wire.hang_up()
        await me.sees(Unlinked)
        await al.until("me left!\n")
        await me.want(requests.SlashCommand("/join tea", "#lobby"), requests.Say("here", "#tea"))
        await me.sees(Notice("#tea will be entered after reconnecting.", "#lobby"))
        wire.up = True
        await me.sees(InRoom("#tea"), Acknowledged)
        assert me.texts("#tea") == ["here"]


async def test_after_a_cut_nothing_is_shown_or_said_twice(port, wire):
    async with screen(wire.port, "me") as me, guest(port, "al") as al:
        await me.want(requests.Say("before", "#lobby"))
        await me.sees(Acknowledged)
        await al.send("one\n")
        await me.sees(Said("#lobby", "al", "one"))
        wire.up = False
        wire.cut()
        await me.sees(Unlinked)
        await al.send("two\n")
        await al.until("al: two\n")
        await me.want(requests.Say("said without a connection", "#lobby"))
        await me.sees(Sent)
        # Nothing tells the server that the old connection is gone: it has the nickname still.
        await me.sees(Unlinked)
        wire.hang_up()
        await al.until("me left!\n")
        wire.up = True
        await me.sees(Linked, Stamped("#lobby", "al", "two", late=True), Acknowledged)
        await al.until("me: said without a connection\n")
        assert [m.said for m in me.shown if isinstance(m, Earlier)] == []
        assert me.texts("#lobby") == ["before", "one", "two", "said without a connection"]


async def test_what_was_on_its_way_is_told_and_can_be_sent_again(port, wire):
    async with screen(wire.port, "me") as me, guest(port, "al") as al:
        wire.deaf = True
        await me.want(requests.Say("hi", "#lobby"))
        await me.sees(Sent)
        await wire.lost.wait()
        wire.hang_up()
        await me.sees(Failed, Unlinked)
        [failed] = [m for m in me.shown if isinstance(m, Failed)]
        assert failed.why == "It may not have arrived."
        await al.until("me left!\n")
        wire.deaf = False
        await me.sees(Linked, InRoom("#lobby"), Roster)
        await me.want(requests.ResendText(failed.token))
        await me.sees(Acknowledged(failed.token))
        await al.until("me: hi\n")


@pytest.mark.slow
async def test_whoever_leaves_is_told_what_may_not_have_arrived(port, wire):
    async with screen(wire.port, "me") as me:
        wire.deaf = True
        await me.want(requests.Say("hi", "#lobby"))
        await me.sees(Sent)
        await wire.lost.wait()
    assert isinstance(me.shown[-1], Failed)


# ── the tutorial's server ──────────────────────────────────────────────────────────────────────


async def test_the_tutorials_server_goes_and_comes_back(nursery):
    """What is said meanwhile is said then."""
    wire = Wire(0)
    await nursery.start(wire.run)
    first, second = TutorialServer(), TutorialServer()
    wire.server = (await nursery.start(first.run)).port
    async with screen(wire.port, "me") as me:
        wire.up = False
        wire.hang_up()
        await me.sees(Unlinked)
        await me.want(requests.Say("are you there?", "#lobby"))
        await me.sees(Sent)
        wire.server = (await nursery.start(second.run)).port
        wire.up = True
        await me.sees(Linked, InRoom("#lobby"), Acknowledged)
    assert (first.received, second.received) == ([], [b"me: are you there?"])
