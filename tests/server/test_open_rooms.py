"""Rooms open and close by entries of their logs, which others may append as well."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from irc_peers import irc_peer
from irc_peers import settings as irc_settings
from peers import running
from trio_chat.core.events import Entry, Event, Joined, Redacted, RoomClosed, RoomOpened, Said
from trio_chat.core.queries import ALL, Span
from trio_chat.core.room_state import RoomState
from trio_chat.storage.memory import MemoryLog

LATER = "9999999999999-999999"


class Elsewhere(MemoryLog):
    """Lets others append just before, or while history is read."""

    def __init__(self) -> None:
        super().__init__(per_room=100, total_bytes=100_000, rooms=10)
        self.before: Callable[[Event], Event | None] = lambda event: None
        self.while_read: Event | None = None

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        if event := self.before(events[0]):
            await super().append(room, [event], expect=LATER, barrier=True)
        return await super().append(room, events, **how)

    async def history(
        self, room: str, span: Span = ALL, *, limit: int = 100, said: bool = False
    ) -> Sequence[Entry]:
        found = await super().history(room, span, limit=limit, said=said)
        if found and (event := self.while_read):
            self.while_read = None
            await super().append(room, [event], expect=LATER, barrier=True, redact=found[0].id)
        return found


@pytest.fixture
def log() -> Elsewhere:
    return Elsewhere()


def once(kind: type, event: Event) -> Callable[[Event], Event | None]:
    left = [event]
    return lambda other: left.pop() if left and isinstance(other, kind) else None


async def test_a_room_that_is_closed_from_elsewhere_is_opened_again_for_who_enters(
    log: Elsewhere,
) -> None:
    async with running(irc_settings(), log) as house:
        alice = await irc_peer(house, "alice")
        log.before = once(Joined, RoomClosed("#a"))
        news = await alice.news("JOIN #A", "TOPIC #a :tea")
        assert sum(" JOIN " in line for line in news) == 1
        assert "#a" in house.server._hub.chat.rooms
        assert sum(" TOPIC " in line for line in news) == 1


async def test_of_two_who_open_a_room_the_second_finds_it_open(log: Elsewhere) -> None:
    async with running(irc_settings(), log) as house:
        alice = await irc_peer(house, "alice")
        log.before = once(RoomOpened, RoomOpened("#a", RoomState("#a", topic="theirs")))
        assert any(" 332 " in line and "theirs" in line for line in await alice.news("JOIN #a"))


async def test_a_room_that_somebody_has_entered_is_not_closed_from_elsewhere(
    log: Elsewhere,
) -> None:
    async with running(irc_settings(), log) as house:
        alice = await irc_peer(house, "alice", rooms="#a")
        await log.append("#a", [RoomClosed("#a")], expect=LATER, barrier=True)
        assert sum(" TOPIC " in line for line in await alice.news("TOPIC #a :tea")) == 1
        assert any(" 353 " in line for line in await alice.news("NAMES #a"))


async def test_what_is_removed_while_a_room_opens_is_shown_to_nobody(log: Elsewhere) -> None:
    entry, _ = await log.append("#a", [Said("#a", "bob", "swordfish"), Said("#a", "bob", "tea")])
    redacted = Redacted("#a", "bob", entry.id, "bob")
    log.while_read = redacted
    async with running(irc_settings(), log) as house:
        alice = await irc_peer(house, "alice")
        news = await alice.news("JOIN #a")
        assert log.while_read is None
        assert not any("swordfish" in line for line in news)
        assert any("tea" in line for line in news)
