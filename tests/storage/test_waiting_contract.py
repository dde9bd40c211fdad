"""What every Log keeps for those who are not here, whichever store it is."""

from typing import Any

import pytest

from stores import NOW, OpenLog, append, got, said, texts_of
from trio_chat.core.events import AccountDropped, Origin, Redacted, Said
from trio_chat.core.queries import Span
from trio_chat.errors import BoxFull, Gone
from trio_chat.storage.base import Log, Secret
from trio_chat.storage.memory import MemoryLog

BOB = Origin("bob", "bob.net")


def to_alice(text: str, room: str = "1,=alice", nick: str = "bob", **more: Any) -> Said:
    return said(text, room, nick, **({"to": "Alice", "origin": BOB} | more))


def account(name: str) -> Origin:
    return Origin("u", "shared.net", account=name)


async def waiting(log: Log) -> list[str]:
    return texts_of(await log.waiting("alice"))


async def test_what_is_said_to_somebody_who_is_not_here_waits(log: Log) -> None:
    [one, two] = await append(log, to_alice("1"), to_alice("2"))
    [entry, _] = await log.waiting("alice")
    assert (entry.room, entry.id, entry.event) == ("1,=alice", one, to_alice("1"))
    await got(log, one)
    assert await waiting(log) == ["2"]
    await got(log, two)
    assert await waiting(log) == []
    assert texts_of(await log.history("1,=alice")) == ["1", "2"]


async def test_what_is_said_to_a_guest_or_in_a_room_does_not(log: Log) -> None:
    await append(log, to_alice("here", to_id="id"))
    await append(log, said("in a room"))
    await append(log, to_alice("to carol", to="carol"))
    assert await waiting(log) == []
    assert texts_of(await log.waiting("carol")) == ["to carol"]


async def test_it_waits_while_the_server_is_down(open_log: OpenLog) -> None:
    async with open_log(lambda: NOW) as log:
        await append(log, to_alice("hi"))
        if isinstance(log, MemoryLog):
            return
    async with open_log(lambda: NOW) as log:
        assert await waiting(log) == ["hi"]


async def test_of_one_sender_no_more_than_fifty_wait(log: Log) -> None:
    for number in range(50):
        await append(log, to_alice(str(number)))
    with pytest.raises(BoxFull) as full:
        await log.append("1,=alice", [to_alice("too much")])
    assert full.value.by_sender
    with pytest.raises(BoxFull):  # from the same place, by whatever name
        await log.append("2,=alice", [to_alice("too much", "2,=alice", "carl")])
    assert texts_of(await log.history("1,=alice", Span()))[-1] == "49"
    for other in ("carol", "dave"):  # an account is somebody, wherever it comes from
        await append(log, to_alice(other, origin=account(other)))
    assert len(await log.waiting("alice")) == 52
    await append(log, to_alice("to another", to="eve"))


@pytest.mark.slow
async def test_for_one_account_no_more_than_a_thousand_wait(log: Log) -> None:
    for number in range(1000):
        await append(log, to_alice("hi", origin=account(f"a{number // 50}")))
    with pytest.raises(BoxFull) as full:
        await log.append("1,=alice", [to_alice("too much")])
    assert not full.value.by_sender
    [first, *_] = await log.waiting("alice")
    await got(log, first.id)
    await append(log, to_alice("now it fits"))


async def test_of_one_who_writes_to_somebody_here_the_last_fifty_wait(log: Log) -> None:
    """They are shown, so none is refused; and they push out nothing that others have said, or
    that its sender was told to wait.
    """
    here = {"to": "al", "to_id": "id", "to_account": "Alice"}
    await append(log, to_alice("carol", origin=account("carol"), **here))
    for _ in range(50):
        await append(log, to_alice("before"))
    for number in range(60):
        await append(log, to_alice(str(number), **here))
    assert await waiting(log) == ["carol", *["before"] * 50, *map(str, range(10, 60))]
    for number in range(899):
        room = f"{number // 50},=alice"
        await append(log, to_alice("hi", room, origin=account(room)))
    await append(log, to_alice("too much", origin=account("dave"), **here))
    assert len(await waiting(log)) == 1000
    assert (await waiting(log))[0] == "carol"


async def test_a_message_sent_again_waits_once_even_where_no_more_fits(log: Log) -> None:
    [id] = await append(log, to_alice("hi", token="1 abc"))
    for number in range(49):
        await append(log, to_alice(str(number)))
    [again] = await log.append("1,=alice", [to_alice("hi", token="1 abc")])
    assert again.id == id
    assert len(await log.waiting("alice")) == 50
    await got(log, id)
    await log.append("1,=alice", [to_alice("hi", token="1 abc")])
    assert len(await log.waiting("alice")) == 49


async def test_a_message_that_is_removed_does_not_wait(log: Log) -> None:
    [id] = await append(log, to_alice("oops"))
    await append(log, to_alice("hi"))
    await log.append("1,=alice", [Redacted("1,=alice", "bob", id, "bob", to="alice")], redact=id)
    assert await waiting(log) == ["hi"]
    with pytest.raises(Gone):
        await log.append("1,=alice", [Redacted("1,=alice", "bob", id, "bob")], redact=id)


async def test_nothing_waits_for_a_deleted_account(log: Log) -> None:
    await append(log, to_alice("hi"))
    await append(log, to_alice("hi", to="carol"))
    await log.append("@", [AccountDropped("Alice")], barrier=True, secret=Secret("alice", ""))
    assert await waiting(log) == []
    assert texts_of(await log.waiting("carol")) == ["hi"]
