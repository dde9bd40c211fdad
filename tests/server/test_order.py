"""What a connection does one after the other, when the log and the peer take their time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from trio_chat.core.events import Entry, Event, Said
from trio_chat.server.transport import Link
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.tail import Tail

UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}


class HeldLog(MemoryLog):
    """Appends, and shows what was appended, when it is let; ``said`` is what was appended."""

    def __init__(self) -> None:
        super().__init__(per_room=5000, total_bytes=10_000_000, rooms=100)
        self.said: list[Said] = []
        self.appending = trio.Event()  # somebody waits
        self.append_on, self.show_on = trio.Event(), trio.Event()
        self.append_on.set()
        self.show_on.set()

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        self.appending.set()
        await self.append_on.wait()
        self.said += [event for event in events if isinstance(event, Said)]
        return await super().append(room, events, **how)

    @asynccontextmanager
    async def tail(self) -> AsyncIterator[Tail]:
        async with super().tail() as tail:
            yield self._slow(tail)

    async def _slow(self, tail: Tail) -> AsyncIterator[Sequence[Entry]]:
        async for entries in tail:
            await self.show_on.wait()
            yield entries


@asynccontextmanager
async def held() -> AsyncIterator[tuple[House, HeldLog]]:
    log = HeldLog()
    async with running(settings(limits=UNLIMITED), log) as house:
        yield house, log


# ── in their order, and in their rooms ─────────────────────────────────────────────────────────


async def test_one_line_to_two_rooms_is_in_the_history_of_each() -> None:
    async with running(settings()) as house:
        caps = ("echo-message", "draft/chathistory")
        alice = await irc_peer(house, "alice", *caps, rooms="#a,#b")
        await alice.news("PRIVMSG #a,#b :to both", "PRIVMSG #b :to one", "PRIVMSG #a :to the other")
        for room, texts in (("#a", ["to both", "to the other"]), ("#b", ["to both", "to one"])):
            found = await alice.messages(f"CHATHISTORY LATEST {room} * 10")
            said = [message for message in found if message.command == "PRIVMSG"]
            assert [message.params for message in said] == [(room, text) for text in texts]


async def test_a_refusal_comes_after_what_was_said_before_it() -> None:
    async with held() as (house, log):
        alice = await irc_peer(house, "alice", "echo-message")
        log.show_on = trio.Event()
        await alice.say("PRIVMSG #lobby :one", "PRIVMSG #nowhere :two", "PRIVMSG #lobby :three")
        await trio.testing.wait_all_tasks_blocked(0.01)
        log.show_on.set()
        lines = await alice.news()
        assert [line.split()[1] for line in lines] == ["PRIVMSG", "404", "PRIVMSG"]


async def test_an_answer_comes_after_what_was_said_before_it() -> None:
    async with held() as (house, log):
        alice = await irc_peer(house, "alice", "echo-message")
        log.show_on = trio.Event()
        await alice.say("PRIVMSG #lobby :one", "MODE #lobby", "PRIVMSG #lobby :two")
        await trio.testing.wait_all_tasks_blocked(0.01)
        log.show_on.set()
        lines = await alice.news()
        assert [line.split()[1] for line in lines] == ["PRIVMSG", "324", "329", "PRIVMSG"]


@pytest.mark.parametrize("at_once", [True, False])
async def test_of_one_client_128_messages_wait_to_be_shown_at_the_most(at_once: bool) -> None:
    async with held() as (house, log):
        alice = await house.connect("alice")
        log.show_on = trio.Event()
        texts = [b"%d\n" % number for number in range(300)]
        for text in [b"".join(texts)] if at_once else texts:
            await alice.send(text)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(log.said) == 128 if at_once else 1 <= len(log.said) <= 128
        log.show_on.set()
        await alice.until("alice: 299\n")
        assert [said.text for said in log.said] == [f"{number}" for number in range(300)]


async def test_who_leaves_right_after_saying_something_sees_it_said() -> None:
    async with held() as (house, log):
        alice = await irc_peer(house, "alice", "echo-message")
        log.show_on = trio.Event()
        await alice.say("PRIVMSG #lobby :one", "QUIT :bye")
        await trio.testing.wait_all_tasks_blocked(0.01)
        log.show_on.set()
        lines = (await alice.rest()).splitlines()
        assert [line.removeprefix(":").split()[-1] for line in lines] == [":one", "bye"]


# ── an end in the middle ───────────────────────────────────────────────────────────────────────


async def test_a_server_that_stops_waits_for_what_is_being_stored() -> None:
    async with held() as (house, log):
        alice = await house.connect("alice")
        log.append_on, log.appending = trio.Event(), trio.Event()
        await alice.send(b"last words\n")
        await log.appending.wait()
        house.server.stop()
        await trio.testing.wait_all_tasks_blocked(0.01)
        log.append_on.set()
        assert (
            await alice.rest() == "alice: last words\n*** The server is shutting down. Goodbye!\n"
        )


async def test_a_server_that_stops_waits_for_what_is_being_shown() -> None:
    async with held() as (house, log):
        alice, bob = await house.people("alice", "bob")
        log.show_on = trio.Event()
        await alice.send(b"last words\n")
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert [said.text for said in log.said] == ["last words"]
        house.server.stop()
        await trio.testing.wait_all_tasks_blocked(0.01)
        log.show_on.set()
        assert await bob.rest() == "alice: last words\n*** The server is shutting down. Goodbye!\n"


@pytest.mark.parametrize("held_up", ["append_on", "show_on"])
async def test_who_quits_is_first_shown_what_is_being_said_to_them(held_up: str) -> None:
    async with held() as (house, log):
        alice, bob = await house.people("alice", "bob")
        setattr(log, held_up, trio.Event())
        await bob.send(b"/msg alice hi\n")
        await trio.testing.wait_all_tasks_blocked(0.01)
        await alice.send(b"/quit\n")
        await trio.testing.wait_all_tasks_blocked(0.01)
        getattr(log, held_up).set()
        assert "bob -> alice: hi\n" in await alice.rest()
        await bob.until("bob -> alice: hi\n")


# ── slow readers ───────────────────────────────────────────────────────────────────────────────


async def test_who_reads_a_long_answer_slowly_is_not_taken_for_gone(
    autojump_clock: MockClock,
) -> None:
    """What they would be asked comes behind the answer, and they cannot answer it before."""
    async with running(settings(limits={"ping": 8, **UNLIMITED})) as house:
        ours, theirs = trio.testing.memory_stream_pair()
        house.server.take(Link(theirs, "memory"))
        alice = IrcPeer(ours)
        house.peers.append(alice)
        await alice.news("NICK alice", "USER a 0 * :A", "JOIN #lobby")
        for number in range(600):
            await alice.say(f"PRIVMSG #lobby :{number} {'x' * 400}")
        await alice.news()

        async def slowly() -> None:
            await trio.sleep(2.5)

        theirs.send_stream.send_all_hook = slowly
        began = trio.current_time()
        await alice.say("CAP REQ :draft/chathistory", *["CHATHISTORY LATEST #lobby * 200"] * 3)
        await alice.say("PING end")
        text = await alice.until("PONG chat.local :end\r\n")
        assert text.count(" PRIVMSG ") == 600
        assert "PING" not in text
        assert trio.current_time() - began > 2 * 8
