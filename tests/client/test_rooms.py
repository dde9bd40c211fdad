"""A client in many rooms, with a server of ours on a link that is cut."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

import trio_chat
from front_ends import Screen, Wire
from irc_peers import promote
from peers import House
from processes import PATIENCE
from trio_chat.client import backoff, connection, requests
from trio_chat.client.reconnecting import ReconnectingConnection
from trio_chat.client.runner import ChatRunner, run_chat
from trio_chat.protocols.client import (
    Acknowledged,
    InRoom,
    Linked,
    Member,
    OutOfRoom,
    Roster,
    Sent,
    Typing,
    Unlinked,
)
from trio_chat.protocols.irc.client import texts
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.settings import ClientSettings, Settings


@pytest.fixture
async def wire(nursery, port) -> Wire:
    wire = Wire(port)
    await nursery.start(wire.run)
    return wire


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST", 0.05)


@asynccontextmanager
async def screen(port: int, nick: str, room: str = "#lobby") -> AsyncIterator[Screen]:
    """Somebody who is let in, and leaves at the end."""
    shown = Screen()
    client = ClientSettings(nick=nick, room=room, protocol="irc")
    settings = Settings(port=port, client=client)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_chat, settings, nick, shown)
        await shown.sees(Linked, InRoom(room), Roster)
        yield shown
        await shown.want(requests.Leave("bye"))


async def test_a_program_in_many_rooms_gets_all_that_is_known(port):
    async with screen(port, "me") as me, screen(port, "al") as al:
        await me.sees(trio_chat.Joined)
        await me.want(requests.Join("#tea"))
        await me.sees(InRoom("#tea"), Roster("#tea", (Member("me", "@"),)))
        await al.want(requests.Join("#tea"), requests.Say("hi", "#tea"), requests.Say("psst", "me"))
        await al.want(requests.TypingState("#lobby", True))
        await al.sees(Sent, Sent, Acknowledged, Acknowledged)
        await me.sees(Typing("#lobby", "al", True))
        assert me.texts("#tea") == ["hi"]
        assert me.texts("al") == ["psst"]


async def test_what_nobody_got_to_is_for_the_next_time(port):
    """The screen has crashed, with a text on its way to the session."""
    state = ResumeState()
    wanted_to, wanted = trio.open_memory_channel(10)
    news, news_of = trio.open_memory_channel(0)
    settings = Settings(port=port, client=ClientSettings(protocol="irc"))
    with trio.CancelScope() as scope, news_of:
        scope.cancel("crashed")
        wanted_to.send_nowait(requests.Say("not lost", "#lobby", token="t" * 16))
        wanted_to.send_nowait(requests.Join("#tea"))
        wanted_to.send_nowait(requests.Leave("never said"))
        await ChatRunner(settings, "me", wanted, news, state).run()
    assert [text.token for text in state.unsent] == ["t" * 16]
    assert list(state.heard) == [Sent("t" * 16, "#lobby", "not lost")]
    assert "#tea" in state.rooms


async def test_what_is_heard_and_not_shown_stays(port):
    """Whoever shows it is cut off while he waits."""
    state = ResumeState()
    _wanted_to, wanted = trio.open_memory_channel(10)
    news, news_of = trio.open_memory_channel(0)
    settings = Settings(port=port, client=ClientSettings(protocol="irc"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ChatRunner(settings, "me", wanted, news, state).run)
        with trio.fail_after(PATIENCE):
            while not state.heard:  # noqa: ASYNC110
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel("crashed")
    first = state.heard[0]
    assert isinstance(first, trio_chat.Notice)
    assert first.text.startswith("Welcome")
    news_of.close()


async def test_what_is_heard_while_the_reader_is_on_its_way_to_wait_is_shown(port, monkeypatch):
    """Though the server says nothing more."""
    monkeypatch.setattr(connection, "QUIET", 1000.0)
    monkeypatch.setattr(texts, "_LAG_EVERY", 1000.0)
    step, told = ReconnectingConnection.step, trio_chat.Notice("just now")

    async def hear_and_step(self: ReconnectingConnection, done: Callable[[], bool]) -> bool:
        self.tell([told] if told not in me.shown else [])
        return await step(self, done)

    async with screen(port, "me") as me:
        await me.want(requests.Say("hi", "#lobby"))
        await me.sees(Acknowledged)
        monkeypatch.setattr(ReconnectingConnection, "step", hear_and_step)
        await me.want(requests.Join("no room"))
        with trio.fail_after(PATIENCE):
            await me.sees(told)


async def test_nothing_is_lost_nor_twice_in_any_room_nor_in_private(port, wire):
    async with screen(wire.port, "me") as me, screen(port, "al") as al:
        await me.want(requests.Join("#tea", ""), requests.Say("hello", "al"))
        await me.sees(InRoom("#tea"), Acknowledged)
        await al.want(requests.Join("#tea"), requests.Say("a", "me"), requests.Say("b", "#tea"))
        await al.sees(*[Acknowledged] * 2)
        await me.sees(*[trio_chat.Stamped] * 2)
        wire.up = False
        wire.cut()
        await me.sees(Unlinked)
        await me.want(requests.Say("written while there is no connection", "#tea"))
        await me.sees(Sent)
        for number in range(3):
            await al.want(requests.Say(f"t{number}", "#tea"), requests.Say(f"l{number}", "#lobby"))
            await al.want(requests.Say(f"p{number}", "me"))
        await al.sees(*[Acknowledged] * 9)
        wire.up = True
        await me.sees(Linked)
        await me.sees(Acknowledged)
    last_words = "written while there is no connection"
    assert me.texts("#tea") == ["b", "t0", "t1", "t2", last_words]
    assert me.texts("#lobby") == ["l0", "l1", "l2"]
    assert me.texts("al") == ["hello", "a", "p0", "p1", "p2"]


async def test_commands_that_make_sense_later_are_done_after_reconnecting(port, wire):
    async with screen(wire.port, "me") as me, screen(port, "al"):
        wire.up = False
        wire.cut()
        await me.sees(Unlinked)
        for line in ("/j tea", "/msg al psst", "/me waits", "/away soon", "/part"):
            await me.want(requests.SlashCommand(line, "#lobby"))
        await me.sees(trio_chat.Notice("#tea will be entered after reconnecting.", "#lobby"))
        await me.sees(Sent, Sent, OutOfRoom("#lobby"))
        await me.want(requests.Say("here", "#tea"), requests.SlashCommand("/topic tea", "#tea"))
        await me.sees(trio_chat.Notice("There is no connection to the server.", "#tea"))
        await me.want(requests.SlashCommand("/why", "#tea"))
        lost = "There is no connection to the server. The server closed the connection"
        await me.sees(trio_chat.Notice(lost, "#tea"))
        wire.up = True
        await me.sees(Linked, InRoom("#tea"))
        await me.sees(Acknowledged, Acknowledged)
    assert me.texts("#tea") == ["here"]
    assert me.texts("al") == ["psst"]


async def test_who_is_banned_is_told_so_again_before_the_next_attempt(server, port, monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST", 30)
    async with screen(port, "me") as me, screen(port, "al") as al:
        await promote(House(server), "al")
        await al.want(requests.SlashCommand("/uban me!*@* 1h spam", "#lobby"))
        await me.sees(Unlinked)
        await me.want(requests.SlashCommand("/why", "#lobby"))
        await me.sees(trio_chat.Notice)
    [told] = [m.text for m in me.shown if isinstance(m, trio_chat.Notice) and m.room == "#lobby"]
    assert told.startswith("There is no connection to the server. You are banned from this chat")
    assert told.endswith("(spam), ban 1.")


async def test_a_room_that_was_named_and_left_is_not_entered_again_after_a_cut(port, wire):
    async with screen(wire.port, "me") as me:
        await me.want(requests.Join("#tea"), requests.Part("#lobby"))
        await me.sees(OutOfRoom("#lobby"))
        me.shown.clear()
        me._looked = 0
        wire.hang_up()
        await me.want(requests.Say("back", "#tea"))
        await me.sees(Linked, InRoom("#tea"), Acknowledged)
        assert InRoom("#lobby") not in me.shown
