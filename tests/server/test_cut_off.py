"""People who leave while nothing can be stored are gone once it can be: on a single server, too."""

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from irc_peers import irc_peer, settings
from peers import running
from trio_chat.core.events import Entry, Event
from trio_chat.errors import Unavailable
from trio_chat.storage.memory import MemoryLog


class Hanging(MemoryLog):
    """Stores nothing while it ``hangs``; or says so at once, if it ``refuses``."""

    def __init__(self) -> None:
        super().__init__(per_room=100, total_bytes=100_000, rooms=10)
        self.refuses, self._goes_on = False, trio.Event()
        self.go_on()

    def hang(self, refuses: bool = False) -> None:
        self.refuses, self._goes_on = refuses, trio.Event()

    def go_on(self) -> None:
        self._goes_on.set()

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        if self.refuses and not self._goes_on.is_set():
            raise Unavailable("There is no space left.")
        await self._goes_on.wait()
        return await super().append(room, events, **how)


@pytest.mark.parametrize("refuses", [False, True], ids=["it hangs", "it refuses"])
async def test_who_leaves_meanwhile_is_gone_afterwards(
    autojump_clock: MockClock, refuses: bool
) -> None:
    log = Hanging()
    async with running(settings(), log) as house:
        eve = await irc_peer(house, "eve", link=True)
        bob = await irc_peer(house, "bob", link=True, rooms="#lobby,#bobs")
        lost = await irc_peer(house, "lost", link=True)
        await eve.news()
        log.hang(refuses)
        await bob.say("QUIT :see you")
        await bob.rest()
        await lost.stream.aclose()
        await trio.sleep(60)
        log.go_on()
        await trio.sleep(2)
        gone = sorted(await eve.news())
        assert gone == [
            ":bob!bob@memory QUIT :Quit: see you",
            ":lost!lost@memory QUIT :closed by the peer",
        ]
        assert "#bobs" not in "".join(await eve.news("LIST"))
        again = await irc_peer(house, "bob", link=True)
        log.hang(refuses)  # and once more
        await again.say("QUIT")
        await again.rest()
        await trio.sleep(60)
        log.go_on()
        await trio.sleep(2)
        assert await eve.news() == [":bob!bob@memory JOIN #lobby", ":bob!bob@memory QUIT quit"]


async def test_a_server_that_stops_does_not_wait_for_who_could_not_leave(
    autojump_clock: MockClock,
) -> None:
    log = Hanging()
    async with running(settings(server={"shutdown_grace": 300}), log) as house:
        eve, bob = [await irc_peer(house, nick, link=True) for nick in ("eve", "bob")]
        log.hang()
        await bob.say("QUIT")
        await bob.rest()
        await trio.sleep(60)
        began = trio.current_time()
        house.server.stop()
        assert "The server is shutting down." in await eve.rest()
        await house.server.stopped.wait()
        assert trio.current_time() - began < 60
