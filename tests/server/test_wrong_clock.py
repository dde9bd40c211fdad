"""The clock was ahead once, or goes back: what is said then has its time, and can be found."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from irc_peers import irc_peer, settings
from peers import House, running
from stores import STORES
from trio_chat.storage.memory import MemoryLog

NOW, YEARS = 1_700_000_000.0, 1500 * 86_400
CAPS = (
    "batch", "server-time", "message-tags", "echo-message", "draft/chathistory",
    "soju.im/search",
)  # fmt: skip
QUICK = {"messages_per_second": 10_000, "message_burst": 10_000}
TODAY, TOMORROW = "2023-11-14T22:13:20.000Z", "2023-11-15T22:13:20.000Z"


class Clock:
    wrong = 0.0

    def __call__(self) -> float:
        return NOW + self.wrong


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
async def house(
    request: pytest.FixtureRequest, clock: Clock, tmp_path: Path
) -> AsyncIterator[House]:
    async with (
        request.param(clock, tmp_path / "chat.db") as log,
        running(settings(limits=QUICK), log) as running_house,
    ):
        yield running_house


async def test_what_is_said_after_a_clock_was_ahead_is_found_by_its_time(
    house: House, clock: Clock
) -> None:
    alice = await irc_peer(house, "alice", *CAPS)
    clock.wrong = YEARS
    [future] = await alice.messages("PRIVMSG #lobby :tea of the future")
    clock.wrong = 0.0
    [today] = await alice.messages("PRIVMSG #lobby :tea of today")
    assert today.tags["time"] == TODAY
    assert today.tags["msgid"] > future.tags["msgid"]  # type: ignore[operator]
    for question, found in (
        (f"CHATHISTORY BEFORE #lobby timestamp={TOMORROW} 9", ["tea of today"]),
        (f"CHATHISTORY AFTER #lobby timestamp={TODAY} 9", ["tea of the future"]),
        (f"CHATHISTORY LATEST #lobby timestamp={TODAY} 9", ["tea of the future"]),
        (f"CHATHISTORY BETWEEN #lobby timestamp=2023-01-01T00:00:00.000Z timestamp={TOMORROW} 9",
         ["tea of today"]),
        ("CHATHISTORY LATEST #lobby * 9", ["tea of the future", "tea of today"]),
        (f"CHATHISTORY AFTER #lobby msgid={future.tags['msgid']} 9", ["tea of today"]),
        (f"SEARCH text=tea;before={TOMORROW}", ["tea of today"]),
        (f"SEARCH text=tea;after={TOMORROW}", ["tea of the future"]),
        (f"SEARCH from=alice;before={TOMORROW}", ["tea of today"]),
    ):  # fmt: skip
        lines = await alice.messages(question)
        assert [line.params[1] for line in lines if line.command == "PRIVMSG"] == found, question
    [*_, talk, _] = await alice.messages(
        f"CHATHISTORY TARGETS timestamp=2023-01-01T00:00:00.000Z timestamp={TOMORROW} 9"
    )
    assert talk.params == ("TARGETS", "#lobby", TODAY)


async def test_newcomers_are_shown_nothing_that_is_too_old(clock: Clock) -> None:
    passed = 0.0
    log = MemoryLog(
        per_room=99, total_bytes=10**6, rooms=9, age=60, clock=clock, steady=lambda: passed
    )
    async with running(settings(), log) as house:
        stays = await irc_peer(house, "stays")
        await stays.messages("PRIVMSG #lobby :old tea")
        passed = 50
        await stays.messages("PRIVMSG #lobby :new tea")
        passed = 70
        comes = await irc_peer(house, "comes")
        plain = await house.connect("plain")
        assert "new tea" in await plain.until("new tea")
        for received in (comes.received, plain.received):
            assert b"new tea" in received
            assert b"old tea" not in received
