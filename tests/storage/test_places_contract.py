"""Where accounts are: kept with the events that tell it, the same with every store."""

from pathlib import Path

import pytest

from stores import NOW, OpenLog, append, open_file, said
from trio_chat.core.events import (
    REALM,
    AccountDropped,
    Departed,
    Event,
    Joined,
    Kicked,
    Left,
    Origin,
    PlaceSet,
    RoomRenamed,
)
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Conflict
from trio_chat.storage.base import Log, Move

BOB = Origin("b", "host", "Bob", account="Bob")


def joined(room: str) -> Joined:
    return Joined(room, "bob", "1", origin=BOB)


async def happen(log: Log, *events: Event) -> None:
    for event in events:
        await append(log, event)


#: What happens; where bob is afterwards.
CASES = [
    ([joined("#a"), joined("#Tea"), joined("#b")], ["#a", "#Tea", "#b"]),
    ([joined("#a"), joined("#b"), joined("#a")], ["#b", "#a"]),
    ([joined("#a"), Left("#A", "bob", "1", origin=BOB), joined("#b")], ["#b"]),
    ([joined("#a"), Kicked("#a", "eve", "bob", target_account="bob")], []),
    ([joined("#a"), Kicked("#a", "bob", "eve", origin=BOB, target_account="eve")], ["#a"]),
    ([joined("#b"), PlaceSet("#a", "bob"), PlaceSet("#b", "BOB")], ["#a", "#b"]),
    ([joined("#a"), PlaceSet("#a", "bob", gone=True)], []),
    ([Joined("#a", "bob", "1"), Left("#a", "bob", "1")], []),
    ([Left("#a", "bob", "1", origin=BOB)], []),
]


@pytest.mark.parametrize(("events", "there"), CASES)
async def test_an_account_is_where_it_came_and_did_not_leave(
    log: Log, events: list[Event], there: list[str]
) -> None:
    await happen(log, joined("#z"), *events, Left("#z", "bob", "1", origin=BOB))
    assert await log.places("bob") == there
    assert await log.places("eve") == []


async def test_who_departs_is_still_there(log: Log) -> None:
    await happen(log, joined("#a"))
    await log.append("", [Departed("bob", "1", "", BOB, ("#a",))])
    assert await log.places("bob") == ["#a"]


async def test_what_is_not_appended_moves_nobody(log: Log) -> None:
    await append(log, said("a"), barrier=True)
    with pytest.raises(Conflict):
        await append(log, joined("#a"))
    assert await log.places("bob") == []


async def test_places_move_with_their_room_and_others_of_that_name_go(log: Log) -> None:
    eve = Origin(account="eve")
    await happen(log, joined("#a"), Joined("#b", "eve", "2", origin=eve))
    renamed = RoomRenamed("#a", "bob", "#B")
    await append(log, renamed, barrier=True, move=Move("#b", RoomState("#B")))
    assert (await log.places("bob"), await log.places("eve")) == (["#B"], [])
    await log.append("#b", [Left("#B", "bob", "1", origin=BOB)], expect=log.newest)
    assert await log.places("bob") == []


async def test_a_deleted_account_is_nowhere(log: Log) -> None:
    await happen(log, joined("#a"), joined("#b"))
    await log.append(REALM, [AccountDropped("bob")], barrier=True)
    assert await log.places("bob") == []


@pytest.mark.slow
async def test_an_account_is_kept_in_a_thousand_rooms(log: Log) -> None:
    await happen(log, *(joined(f"#{number}") for number in range(1002)), PlaceSet("#a", "bob"))
    assert await log.places("bob") == [f"#{number}" for number in range(2, 1002)]


async def test_places_outlive_the_server(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_file(path) as log:
        await happen(log, joined("#a"))
    async with open_file(path) as log:
        assert await log.places("bob") == ["#a"]


async def test_places_are_kept_though_no_event_is(open_log: OpenLog) -> None:
    async with open_log(lambda: NOW) as log:
        await happen(log, PlaceSet("#a", "bob"))
        assert await log.history("#a") == []
        assert await log.places("bob") == ["#a"]
