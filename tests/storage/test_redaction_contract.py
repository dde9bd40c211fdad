"""What every Log forgets of a message that is redacted, whichever store it is."""

from typing import Any

import pytest

from stores import NOW, append, said, take, texts, texts_of
from trio_chat.core.events import Entry, Redacted, TopicSet, without_words
from trio_chat.core.logs import after
from trio_chat.core.queries import Span
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Conflict, Gone
from trio_chat.storage.base import START, Log, Search

SECRET = "the password is swordfish"


def topic(text: str) -> TopicSet:
    return TopicSet("#a", "alice", text)


def redacted(id: str, room: str = "#a", **more: Any) -> Redacted:
    return Redacted(room, "alice", id, "alice", "oops", "1", **more)


async def redact(log: Log, id: str, room: str = "#a", **how: Any) -> str:
    how = {"barrier": "," not in room} | how
    [entry] = await log.append(room, [redacted(id, room)], redact=id, **how)
    return entry.id


async def everything(log: Log, room: str = "#a") -> list[Entry]:
    """All that can be read of a room in any way."""
    return [
        *await log.history(room),
        *await log.history(room, said=True),
        *await log.history(room, Span(after=0)),
        *await log.history(room, Span(after=0, first=True), said=True),
        *await log.search(Search("swordfish", [room])),
        *await log.search(Search("password", [room], nick="alice")),
        *await log.barriers(room, after=START),
        *[entry for identity in room.split(",") for entry in await log.talks(identity)],
    ]


@pytest.mark.parametrize("room", ["#a", "1,2"])
@pytest.mark.parametrize("how", [{}, {"action": True}, {"status": "@"}, {"tags": "+x=swordfish"}])
async def test_nothing_finds_its_words(log: Log, room: str, how: dict[str, Any]) -> None:
    await append(log, said("before", room))
    [id] = await append(log, said(SECRET, room, **how))
    await append(log, said("after", room))
    found = await log.find(room, id)
    assert found == Entry(room, id, said(SECRET, room, **how), int(NOW * 1000))
    await redact(log, id, room)
    assert "swordfish" not in repr(await everything(log, room))
    assert await log.find(room, id) is None
    assert await texts(log, room, said=True) == ["before", "after"]


@pytest.mark.parametrize("is_set", [True, False], ids=["is set", "was set"])
async def test_nothing_finds_the_words_of_a_topic(log: Log, is_set: bool) -> None:
    """Nor does the state that was saved before, or one that is saved too late."""
    [id] = barrier, *_ = await append(log, topic(SECRET), barrier=True)
    before = RoomState("#a", topic=SECRET, barrier=id)
    await log.save("#a", id, before)
    if not is_set:
        [barrier] = await append(log, topic("tea"), expect=barrier, barrier=True)
    assert await log.find("#a", id) is None
    assert await log.find("#a", id, topics=True)
    events = [topic(""), redacted(id, topic=True)] if is_set else [redacted(id, topic=True)]
    entries = await log.append("#a", events, expect=barrier, barrier=True, redact=id)
    await log.save("#a", id, before)
    assert "swordfish" not in repr(await everything(log))
    assert "swordfish" not in repr(await log.audit("#a"))
    assert await log.find("#a", id, topics=True) is None
    _, state = await log.snapshot("#a")
    for entry in await log.barriers("#a", after=START):
        state = after(state or RoomState("#a"), entry)
    assert state is not None
    assert state.topic == ("" if is_set else "tea")
    with pytest.raises(Gone):
        await log.append(
            "#a", [redacted(id, topic=True)], expect=entries[-1].id, barrier=True, redact=id
        )


async def test_that_it_was_redacted_is_history(log: Log) -> None:
    [id] = await append(log, said(SECRET))
    last = await redact(log, id)
    [entry] = await log.history("#a")
    assert (entry.id, entry.event) == (last, redacted(id))
    assert await log.barriers("#a", after=START) == [entry]


async def test_pages_go_on_from_its_place(log: Log) -> None:
    _, two, _ = await append(log, said("1"), said("2"), said("3"))
    await redact(log, two)
    assert await texts(log, "#a", said=True, before=two) == ["1"]
    assert await texts(log, "#a", said=True, after=two) == ["3"]
    assert await texts(log, "#a", said=True, after=two, before=int(NOW * 1000) + 1) == ["3"]


async def test_it_is_shown(log: Log) -> None:
    [id] = await append(log, said(SECRET))
    await redact(log, id)
    _, entry = await take(log, 2)
    assert entry.event == redacted(id)


async def test_sent_again_it_is_known_and_not_said(log: Log) -> None:
    message = said(SECRET, token="1 abc", tags="+x=swordfish")
    [id] = await append(log, message)
    barrier = await redact(log, id)
    [again] = await log.append("#a", [said(SECRET, token="1 abc")], expect=barrier)
    assert (again.id, again.event) == (id, without_words(message))
    assert await texts(log, "#a", said=True) == []


async def test_each_can_be_redacted_once_and_only_where_it_was_said(log: Log) -> None:
    [id] = await append(log, said("1"))
    await append(log, said("2", "#b"))
    [topic] = await append(log, redacted("0000000000000-000000"))
    never = "1700000000000-999999"
    for room, other in [("#b", id), ("#c", id), ("#a", never), ("#a", topic)]:
        with pytest.raises(Gone):
            await redact(log, other, room)
    assert await texts(log, "#b") == ["2"]
    assert await texts(log, "#c") == []
    barrier = await redact(log, id)
    with pytest.raises(Gone):
        await redact(log, id, expect=barrier)
    with pytest.raises(Conflict):
        await redact(log, id)


async def test_of_a_refused_one_nothing_is_appended(log: Log) -> None:
    with pytest.raises(Gone):
        await redact(log, "1700000000000-999999")
    await append(log, said("next"))
    assert texts_of(await take(log, 1)) == ["next"]
