"""People who come, talk, move, rename, and are cut off at any moment: nothing of them stays."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing

from irc_peers import irc_peer
from irc_peers import settings as irc_settings
from peers import PATIENCE, House, Peer, running, settings
from seeds import seeds
from trio_chat.core.events import Entry, Event, RoomOpened
from trio_chat.core.room_state import RoomState
from trio_chat.storage.base import START
from trio_chat.storage.memory import MemoryLog

NICKS = ["al", "bo", "cy", "di", "ed", "flo"]
ROOMS = ["#lobby", "#den", "#attic", "#cellar"]
UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000, "rooms": 3}


def request(chance: random.Random) -> str:
    nick, room = chance.choice(NICKS), chance.choice(ROOMS)
    verbs = ["hello", "hello", "/me waves", "/who", "/rooms", "/quit", "/nonsense", "/topic -"]
    verbs += [
        f"/join {room}",
        f"/join {room}",
        f"/nick {nick}",
        f"/msg {nick} hi",
        f"/topic {nick}",
    ]
    return chance.choice(verbs)


async def live(house: House, chance: random.Random) -> None:
    """One life: some requests at once or one by one, and an end of some kind."""
    peer: Peer = await house.link()
    for _ in range(chance.randrange(8)):
        await trio.lowlevel.checkpoint()
    lines = [chance.choice(NICKS), *(request(chance) for _ in range(chance.randrange(12)))]
    for line in lines:
        await peer.stream.send_all(f"{line}\n".encode())
        for _ in range(chance.randrange(6)):
            await trio.lowlevel.checkpoint()
    if chance.random() < 0.5:
        await peer.stream.send_eof()
        await peer.rest()
    else:
        await peer.stream.aclose()


@pytest.mark.parametrize("seed", seeds(always=2, of=8))
async def test_all_that_is_left_is_the_history(
    seed: int, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(seed)
    async with running(settings(limits=UNLIMITED)) as house:
        async with trio.open_nursery() as nursery:
            for _ in range(150):
                nursery.start_soon(live, house, chance)
                if chance.random() < 0.3:
                    await trio.lowlevel.checkpoint()
        await trio.sleep(60)
        hub = house.server._hub
        assert not house.server._connections
        assert not hub.subscribers
        assert not hub.chat.people
        assert not hub.chat.rooms
        assert not hub.chat.by_look
        assert not hub.nicknames._asked
        assert not hub.logs._uses
        assert not hub.snapshots._waiting
        await house.link("al")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


class SlowLog(MemoryLog):
    """Saves the first room that is closed when ``go_on`` is set, and says which one it is."""

    def __init__(self) -> None:
        super().__init__(per_room=100, total_bytes=100_000, rooms=3)
        self.closing: str | None = None
        self.waits, self.go_on = trio.Event(), trio.Event()
        self.opened: list[str] = []

    async def save(self, room: str, id: str, state: RoomState) -> None:
        if self.closing is None and id != START:
            self.closing = room
            self.waits.set()
            await self.go_on.wait()
        await super().save(room, id, state)

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        if isinstance(events[0], RoomOpened):
            self.opened.append(room)
        return await super().append(room, events, **how)


async def test_a_room_that_others_have_closed_meanwhile_is_not_opened_again() -> None:
    """Somebody leaves two rooms; while the one is closed, the other is, and is forgotten."""
    log = SlowLog()
    async with running(irc_settings(), log) as house:
        bob = await irc_peer(house, "bob")
        alice = await irc_peer(house, "alice", rooms="#a,#b")
        await alice.news("MODE #a +k x", "MODE #b +k x")
        await alice.say("QUIT")
        await log.waits.wait()
        [other] = {"#a", "#b"} - {log.closing}
        assert " 475 " in (await bob.news(f"JOIN {other}"))[0]
        await bob.news("JOIN #c,#d,#e")
        log.go_on.set()
        with trio.fail_after(PATIENCE):
            await trio.testing.wait_all_tasks_blocked()
    assert sorted(log.opened) == ["#a", "#b", "#c", "#d", "#e", "#lobby"]
