"""What every Log must do, whichever store it is."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from stores import STORES, OpenLog, append, mark, said, take, temporary, texts, texts_of
from trio_chat.core.events import (
    PEOPLE,
    Arrived,
    Change,
    Departed,
    Entry,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Origin,
    ReadUpTo,
    Renamed,
    RoomRenamed,
    Said,
    Signalled,
    TopicSet,
)
from trio_chat.core.queries import Span
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Conflict, Taken
from trio_chat.storage.base import START, Log, Move, Search

AT = 1_700_000_000_000  # NOW, in milliseconds


def joined(nick: str) -> Joined:
    return Joined("#a", nick, "2")


def sent(text: str, token: str, room: str = "#a") -> Said:
    return said(text, room, token=token)


def topic(text: str) -> TopicSet:
    return TopicSet("#a", "alice", text, "1")


def is_set(event: Event) -> bool:
    return isinstance(event, TopicSet)


async def last_barrier(log: Log) -> str:
    found = await log.barriers("#a", after=START)
    return found[-1].id if found else ""


async def test_ids_rise_in_the_order_of_appending(log: Log) -> None:
    first = await append(log, said("1"), said("2"))
    second = await append(log, said("3", "#b"))
    ids = [*first, *second]
    assert len(ids) == 3
    assert ids == sorted(set(ids))
    assert all(id > START for id in ids)


async def test_ids_rise_when_the_clock_goes_back(open_log: OpenLog) -> None:
    now = 0.0
    async with open_log(lambda: now) as log:
        ids = []
        for now in (2000.0, 1000.0, 1000.0, 2000.0005, 3000.0):
            ids += await append(log, said(str(now)))
        assert ids == sorted(set(ids))
        assert [entry.id for entry in await log.history("#a")] == ids


async def test_a_mark_from_the_future_keeps_nobody_from_marking(open_log: OpenLog) -> None:
    now = 9000.0
    async with open_log(lambda: now) as log:
        assert await mark(log, "al", "#a", 9_000_000) == 9_000_000
        now = 2000.0
        assert await mark(log, "al", "#a", 1_000_000) == 1_000_000
        assert await mark(log, "al", "#a", 500_000) == 1_000_000


async def test_times_are_those_of_the_clock_whatever_the_ids_are(open_log: OpenLog) -> None:
    now = 0.0
    async with open_log(lambda: now) as log:
        for now in (2000.0, 1000.0, 1000.001):
            await log.append("#a", [said(str(now)), topic("x")])
        found = await log.history("#a")
        assert [entry.at for entry in found] == [2_000_000] * 2 + [1_000_000] * 2 + [1_000_001] * 2


async def test_history_gives_the_last_ones_oldest_first(log: Log) -> None:
    await log.append("#a", [said(str(n)) for n in range(10)])
    assert await texts(log, "#a", limit=3) == ["7", "8", "9"]


async def test_history_after_and_before_are_exclusive(log: Log) -> None:
    ids = await append(log, *[said(str(n)) for n in range(10)])
    assert await texts(log, "#a", after=ids[2], limit=2, first=True) == ["3", "4"]
    assert await texts(log, "#a", after=ids[2], limit=2) == ["8", "9"]
    assert await texts(log, "#a", before=ids[5], limit=2) == ["3", "4"]
    assert await texts(log, "#a", before=ids[5], limit=2, first=True) == ["0", "1"]
    assert await texts(log, "#a", after=ids[2], before=ids[5]) == ["3", "4"]
    assert await texts(log, "#a", after=ids[2], before=ids[5], limit=1) == ["4"]
    assert await texts(log, "#a", after=ids[9]) == []
    assert await texts(log, "#a", after=START, limit=2, first=True) == ["0", "1"]


async def test_rooms_do_not_mix(log: Log) -> None:
    await log.append("#a", [said("a")])
    await log.append("#b", [said("b", "#b")])
    assert await texts(log, "#a") == ["a"]
    assert await texts(log, "#nowhere") == []


async def test_the_tail_gives_everything_once_and_in_order(log: Log) -> None:
    ids = []
    for n in range(20):
        room = "#a" if n % 3 else "#b"
        ids += await append(log, said(str(n), room))
    assert [entry.id for entry in await take(log, 20)] == ids


async def test_batches_are_bounded(log: Log) -> None:
    for _ in range(1000):
        await log.append("#a", [said("x" * 1000)])
    async with log.tail() as tail:
        first = await anext(tail)
    assert sum(len(entry.event.text) for entry in first) < 200_000


async def test_appending_waits_when_nobody_reads_the_tail(log: Log) -> None:
    appended, waits = 0, False
    while not waits and appended < 100_000:
        with trio.move_on_after(1) as patience:
            await log.append("#a", [said("x")])
            appended += 1
        waits = patience.cancelled_caught
    assert waits
    assert appended


async def test_appending_fails_once_the_tail_has_been_left(log: Log) -> None:
    async with log.tail():
        pass
    with pytest.raises(trio.BrokenResourceError):
        await log.append("#a", [said("late")])


async def test_a_barrier_in_between_is_a_conflict(log: Log) -> None:
    await log.append("#a", [said("1")])
    [barrier] = await append(log, TopicSet("#a", "alice", "new"), barrier=True)
    with pytest.raises(Conflict) as conflict:
        await log.append("#a", [said("judged before")])
    assert conflict.value.barrier == barrier
    await log.append("#a", [said("judged after")], expect=barrier)
    assert len(await log.history("#a")) == 3


async def test_barriers_are_each_rooms_own(log: Log) -> None:
    await log.append("#a", [TopicSet("#a", "alice", "new")], barrier=True)
    await log.append("#b", [said("2", "#b")])
    assert await texts(log, "#b") == ["2"]


async def test_a_saved_state_comes_back(log: Log) -> None:
    assert await log.snapshot("#a") == (START, None)
    [id] = await append(log, said("1"))
    await log.save("#a", id, RoomState("#A", "topic", id))
    assert await log.snapshot("#a") == (id, RoomState("#A", "topic", id))


async def test_a_cancelled_append_is_whole_or_nothing(log: Log) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await log.append("#a", [said("1"), said("2")])
    stored = len(await log.history("#a"))
    assert stored in (0, 2)
    await log.append("#a", [said("3")])
    assert len(await take(log, stored + 1)) == stored + 1


# ── what is kept ───────────────────────────────────────────────────────────────────────────────


ODD_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.sampled_from(
        [
            'it\'s "quoted"',
            "nul \0 nul",
            "👩‍👩‍👧 🏳️‍🌈",
            "שלום مرحبا \u202e",
            "x" * 4096,
            "\\",
            "';--",
            "",
        ]
    ),
)
NAMES = st.sampled_from(["alice", "Jörg", "李", "[x]{y}"])
ORIGINS = st.builds(Origin, NAMES, ODD_TEXTS, ODD_TEXTS, NAMES, st.booleans())
CHANGES = st.builds(Change, st.booleans(), st.sampled_from("bimo"), ODD_TEXTS, NAMES)
LASTING = st.one_of(
    st.builds(
        Said,
        st.just("#a"),
        NAMES,
        ODD_TEXTS,
        NAMES,
        action=st.booleans(),
        to=NAMES,
        to_id=NAMES,
        notice=st.booleans(),
        tags=ODD_TEXTS,
        origin=ORIGINS,
    ),
    st.builds(Joined, st.just("#a"), NAMES, NAMES, ODD_TEXTS, ORIGINS),
    st.builds(Left, st.just("#a"), NAMES, NAMES, ODD_TEXTS, ORIGINS),
    st.builds(Kicked, st.just("#a"), NAMES, NAMES, ODD_TEXTS, NAMES, NAMES, ORIGINS),
    st.builds(TopicSet, st.just("#a"), NAMES, ODD_TEXTS, NAMES, ORIGINS),
    st.builds(
        ModesSet, st.just("#a"), NAMES, st.lists(CHANGES, max_size=3).map(tuple), NAMES, ORIGINS
    ),
    st.builds(Signalled, st.just("#a"), NAMES, st.just("+draft/react=👋"), NAMES, origin=ORIGINS),
)


@pytest.mark.parametrize("store", STORES)
@given(events=st.lists(LASTING, min_size=1, max_size=20))
def test_what_lasts_comes_back_as_it_was(store: Any, events: list[Event]) -> None:
    async def run() -> None:
        async with temporary(store) as log:
            ids = await append(log, *events)
            found = await log.history("#a")
            assert found == [
                Entry("#a", id, event, AT) for id, event in zip(ids, events, strict=True)
            ]

    trio.run(run)


@pytest.mark.parametrize("store", STORES)
@given(
    kinds=st.lists(st.sampled_from([said, joined, topic]), max_size=40),
    size=st.integers(1, 15),
)
def test_a_walk_in_either_direction_gives_each_once(
    store: Any, kinds: list[Callable[[str], Event]], size: int
) -> None:
    async def run() -> None:
        async with temporary(store) as log:
            events = [kind(str(n)) for n, kind in enumerate(kinds)]
            for event in events:
                await log.append(
                    "#a", [event], expect=await last_barrier(log), barrier=is_set(event)
                )
            up, id = [], START
            while page := await log.history("#a", Span(after=id, first=True), limit=size):
                up += page
                id = page[-1].id
            down, id = [], ""
            while page := await log.history("#a", Span(before=id), limit=size):
                down = [*page, *down]
                id = page[0].id
            assert [entry.event for entry in up] == events
            assert down == up

    trio.run(run)


async def test_history_may_be_asked_for_nothing(log: Log) -> None:
    await append(log, said("1"))
    assert await log.history("#a", limit=0) == []
    assert await log.history("#a", Span(first=True), limit=0) == []


async def test_a_moment_is_before_all_that_happens_later_and_after_all_before(log: Log) -> None:
    await append(log, said("1"), said("2"))
    assert await texts(log, "#a", after=AT - 1) == ["1", "2"]
    assert await texts(log, "#a", after=AT) == []
    assert await texts(log, "#a", before=AT) == []
    assert await texts(log, "#a", before=AT + 1, limit=1) == ["2"]
    assert await texts(log, "#a", after=AT - 1, before=AT + 1, first=True, limit=1) == ["1"]


MOMENTS = st.integers(0, 6)


@pytest.mark.parametrize("store", STORES)
@given(
    times=st.lists(MOMENTS, min_size=1, max_size=8),
    bounds=st.tuples(MOMENTS, st.none() | MOMENTS | st.integers(0, 7).map(str)),
    limit=st.integers(1, 9),
    first=st.booleans(),
    kinds=st.lists(st.integers(0, 3), min_size=8, max_size=8),
)
def test_questions_about_moments_are_answered_by_times(
    store: Any,
    times: list[int],
    bounds: tuple[int, int | str | None],
    limit: int,
    first: bool,
    kinds: list[int],
) -> None:
    """However the clock went back and forth; an id beside a moment stands for its place."""

    async def run() -> None:
        now = 0
        with TemporaryDirectory() as folder:
            async with store(lambda: now / 1000, Path(folder, "chat.db")) as log:
                entries = []
                for kind, now in zip(kinds, times, strict=False):  # noqa: B007  (the clock reads it)
                    event = [said("x"), topic("x"), joined("bob"), Departed("bob", rooms=("#a",))]
                    room = PEOPLE if kind == 3 else "#a"
                    expect = await last_barrier(log) if room == "#a" else ""
                    entries += await log.append(
                        room, [event[kind]], expect=expect, barrier=kind == 1
                    )
                await _compare(log, entries)

    async def _compare(log: Log, entries: list[Entry]) -> None:
        places = [(entry.at, entry.id) for entry in entries]
        start, other = bounds
        before, end = "", (99, "")
        if isinstance(other, int):
            before, end = other, (other, "")
        elif other:
            end = places[min(int(other), len(places) - 1)]
            before = end[1]
        within = sorted(place for place in places if (start, "~") < place < end)
        within = within[:limit] if first else within[-limit:]
        found = await log.history("#a", Span(start, before, first), limit=limit)
        assert [(entry.at, entry.id) for entry in found] == within

    trio.run(run)


async def test_what_was_said_can_be_asked_for_alone(log: Log) -> None:
    first, *_, last = await append(
        log, said("1"), joined("bob"), said("2"), joined("cy"), said("3")
    )
    assert await texts(log, "#a", said=True) == ["1", "2", "3"]
    assert await texts(log, "#a", said=True, limit=2) == ["2", "3"]
    assert await texts(log, "#a", said=True, limit=2, first=True) == ["1", "2"]
    assert await texts(log, "#a", said=True, after=first, before=last) == ["2"]


async def test_what_only_some_members_saw_is_not_in_history(log: Log) -> None:
    await append(log, said("for all"), said("for operators", status="@"))
    assert await texts(log, "#a") == ["for all"]
    assert await texts(log, "#a", said=True) == ["for all"]
    assert texts_of(await take(log, 2)) == ["for all", "for operators"]


@pytest.mark.parametrize("tag", ["+typing", "+draft/typing"])
async def test_what_does_not_last_is_shown_and_not_in_history(log: Log, tag: str) -> None:
    typing = Signalled("#a", "alice", f"{tag}=active")
    ids = await append(log, typing, said("1"), Invited("#a", "alice", "bob"))
    assert ids == sorted(set(ids))
    assert await texts(log, "#a") == ["1"]
    assert [entry.id for entry in await take(log, 3)] == ids


async def test_what_concerns_people_is_shown(log: Log) -> None:
    events = [Arrived("alice", "1"), Renamed("alice", "al", "1"), Departed("al", "1")]
    for event in events:
        await log.append(PEOPLE, [event])
    assert [entry.event for entry in await take(log, 3)] == events


async def test_who_has_gone_or_is_called_otherwise_is_in_the_history_of_their_rooms(
    log: Log,
) -> None:
    """And comes out of the tail once, as of the log of people."""
    renamed = Renamed("alice", "al", "1", rooms=("#a", "#b"))
    departed = Departed("al", "1", "bye", rooms=("#b",))
    ids = await append(log, said("1"))
    for event in (renamed, departed):
        ids += [entry.id for entry in await log.append(PEOPLE, [event])]
    ids += await append(log, said("2", "#b"))
    in_a, in_b = await log.history("#a"), await log.history("#b")
    assert [entry.event for entry in in_a] == [said("1"), renamed]
    assert [entry.event for entry in in_b] == [renamed, departed, said("2", "#b")]
    assert [entry.id for entry in in_b] == ids[1:]
    assert await log.history("#b", Span(ids[0], ids[3]), limit=1) == [in_b[1]]
    assert await log.history("#b", Span(first=True), limit=1) == [in_b[0]]
    assert await texts(log, "#b", said=True) == ["2"]
    shown = [(entry.room, entry.id) for entry in await take(log, 4)]
    assert shown == [("#a", ids[0]), ("", ids[1]), ("", ids[2]), ("#b", ids[3])]


# ── sent again ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("room", ["#a", "#b", "1,2"])
async def test_of_what_was_sent_twice_only_the_first_counts(log: Log, room: str) -> None:
    """Also if it was sent to another room, or in private."""
    [first] = await log.append("#a", [sent("hello", "t1")])
    again = await log.append(room, [sent("hello again", "t1", room), said("new", room)])
    assert again[0] == first
    assert again[1].event.text == "new"  # type: ignore[union-attr]
    assert [entry.id for entry in await take(log, 2)] == [first.id, again[1].id]
    assert await texts(log, room) == (["hello", "new"] if room == "#a" else ["new"])


async def test_what_was_sent_twice_at_once_counts_once(log: Log) -> None:
    hello = sent("hello", "t1")
    first, again, same, other = await log.append(
        "#a", [hello, sent("again", "t1"), hello, sent("other", "t2")]
    )
    assert again == same == first
    assert texts_of([first, other]) == ["hello", "other"]
    assert texts_of(await take(log, 2)) == ["hello", "other"]
    assert await texts(log, "#a") == ["hello", "other"]


async def test_nothing_new_is_no_batch(log: Log) -> None:
    await log.append("#a", [sent("hello", "t1")])
    async with log.tail() as tail:
        assert texts_of(await anext(tail)) == ["hello"]
        await log.append("#a", [sent("hello", "t1")])
        assert tail.waiting() == ()
        await log.append("#a", [sent("bye", "t2")])
        assert texts_of(await anext(tail)) == ["bye"]


# ── barriers ───────────────────────────────────────────────────────────────────────────────────


async def test_barriers_come_back_in_order(log: Log) -> None:
    tea, milk = topic("tea"), topic("milk")
    [first] = await append(log, tea, barrier=True)
    await append(log, said("between"), expect=first)
    [second] = await append(log, milk, expect=first, barrier=True)
    both = [Entry("#a", first, tea, AT), Entry("#a", second, milk, AT)]
    assert await log.barriers("#a", after=START) == both
    assert await log.barriers("#a", after=first) == both[1:]
    assert await log.barriers("#a", after=second) == []
    assert await log.barriers("#nowhere", after=START) == []


async def test_the_last_of_those_appended_together_is_the_barrier(log: Log) -> None:
    ids = await append(log, topic("tea"), topic("milk"), barrier=True)
    assert [entry.id for entry in await log.barriers("#a", after=START)] == ids
    with pytest.raises(Conflict):
        await append(log, said("1"), expect=ids[0])
    await append(log, said("2"), expect=ids[1])


async def test_what_does_not_last_is_judged_by_barriers_too(log: Log) -> None:
    [barrier] = await append(log, topic("tea"), barrier=True)
    with pytest.raises(Conflict):
        await append(log, Invited("#a", "alice", "bob"))
    await append(log, Invited("#a", "alice", "bob"), expect=barrier)
    assert len(await take(log, 2)) == 2


async def test_a_conflict_leaves_nothing_behind(log: Log) -> None:
    [barrier] = await append(log, topic("tea"), barrier=True)
    with pytest.raises(Conflict):
        await append(log, sent("1", "t1"), topic("2"), barrier=True)
    await append(log, sent("3", "t1"), expect=barrier)
    assert len(await log.history("#a")) == len(await take(log, 2)) == 2
    assert len(await log.barriers("#a", after=START)) == 1


async def test_barriers_later_than_a_saved_state_stay(log: Log) -> None:
    [first] = await append(log, topic("tea"), barrier=True)
    [second] = await append(log, topic("milk"), expect=first, barrier=True)
    await log.save("#a", first, RoomState("#a", "tea", first))
    assert [entry.id for entry in await log.barriers("#a", after=first)] == [second]


# ── conversations, marks ───────────────────────────────────────────────────────────────────────


async def test_the_last_word_of_each_conversation(log: Log) -> None:
    for room, text in [("al,bo", "1"), ("al,cy", "2"), ("bo,cy", "3"), ("al,bo", "4")]:
        await log.append(room, [said(text, room)])
    await log.append("#al", [said("5", "#al")])
    assert {(e.room, e.event.text) for e in await log.talks("al")} == {  # type: ignore[union-attr]
        ("al,bo", "4"),
        ("al,cy", "2"),
    }
    assert texts_of(await log.talks("a")) == texts_of(await log.talks("al,bo,")) == []


async def test_a_mark_never_goes_back(log: Log) -> None:
    assert await log.marked("al", "#a") == 0
    assert await mark(log, "al", "#a", 2000) == 2000
    assert await mark(log, "al", "#a", 1000) == 2000
    assert await mark(log, "al", "#b", 1500) == 1500
    assert await mark(log, "bo", "#a", 1) == 1
    assert await mark(log, "al", "#a", 3000) == 3000
    assert [await log.marked(*one) for one in [("al", "#a"), ("al", "#b"), ("bo", "#a")]] == [
        3000,
        1500,
        1,
    ]


async def test_a_mark_is_shown_with_the_latest_moment_and_kept_in_no_history(log: Log) -> None:
    for at in (2000, 1000):
        await log.append(PEOPLE, [ReadUpTo("#A", at, "id", "al")])
    await log.append(PEOPLE, [ReadUpTo("#A", 500, "id")])  # of somebody who is not known
    shown = [entry.event for entry in await take(log, 3)]
    assert shown == [
        ReadUpTo("#A", 2000, "id", "al"),
        ReadUpTo("#A", 2000, "id", "al"),
        ReadUpTo("#A", 500, "id"),
    ]
    assert await log.marked("al", "#a") == 2000
    assert await log.history(PEOPLE) == []


# ── another name ───────────────────────────────────────────────────────────────────────────────


async def rename(log: Log, to: str = "#b", **how: Any) -> str:
    """Let #a go by another name; the id of that."""
    move = Move(to, RoomState(to, topic="kept", topic_by="alice"))
    event = RoomRenamed("#a", "alice", to)
    [entry] = await log.append("#a", [event], barrier=True, move=move, **how)
    return entry.id


async def test_a_log_goes_on_by_another_name(log: Log) -> None:
    [first] = await append(log, said("1"))
    [last] = await append(log, topic("x"), barrier=True)
    await mark(log, "al", "#a", AT - 5)
    moved = await rename(log, expect=last)
    [second] = await append(log, said("2", "#b"), expect=moved)
    assert [entry.id for entry in await log.history("#b")] == [first, last, moved, second]
    assert all(entry.room == "#b" for entry in await log.history("#b"))
    assert (await log.find("#b", first)) is not None
    assert texts_of(await log.search(Search("1", ["#b"]))) == ["1"]
    saved, state = await log.snapshot("#b")
    assert saved == moved
    assert state == RoomState("#b", topic="kept", topic_by="alice", barrier=moved)
    assert [e.id for e in await log.barriers("#b", after=saved)] == []
    assert await log.marked("al", "#b") == AT - 5
    assert await log.whereabouts([first, second, "0"]) == {first: "#b", second: "#b"}
    assert await log.knows("#b")


async def test_the_old_name_is_free_but_not_for_what_was_judged_before(log: Log) -> None:
    [last] = await append(log, topic("x"), barrier=True)
    moved = await rename(log, expect=last)
    assert not await log.knows("#a")
    assert await log.history("#a") == []
    assert await log.marked("al", "#a") == 0
    for expect in (last, ""):
        with pytest.raises(Conflict) as conflict:
            await log.append("#a", [said("late")], expect=expect)
        assert conflict.value.barrier == moved
    await log.save("#a", last, RoomState("#a", topic="stale", barrier=last))
    assert await log.snapshot("#a") == (START, None)
    assert await log.history("#a") == []
    # A new room of that name begins where the other one left.
    await log.save("#a", START, RoomState("#a", barrier=moved))
    await append(log, said("new"), expect=moved)
    assert await texts(log, "#a") == ["new"]
    assert await texts(log, "#b", said=True) == []


async def test_a_name_under_which_something_was_said_is_taken(log: Log) -> None:
    await append(log, said("1"))
    await append(log, said("2", "#b"))
    with pytest.raises(Taken):
        await rename(log)
    assert await texts(log, "#a") == ["1"]
    assert await texts(log, "#b") == ["2"]


async def test_a_name_under_which_nothing_was_said_is_free(log: Log) -> None:
    await append(log, said("1"))
    await log.save("#b", START, RoomState("#b", created=5))
    await append(log, Joined("#b", "bob", "2"))
    await rename(log)
    assert await texts(log, "#b", said=True) == ["1"]
    assert not any(isinstance(entry.event, Joined) for entry in await log.history("#b"))


async def test_a_move_that_was_judged_too_late_is_none(log: Log) -> None:
    await append(log, topic("x"), barrier=True)
    with pytest.raises(Conflict):
        await rename(log)
    assert await log.knows("#a")
    assert not await log.knows("#b")


async def test_what_follows_a_move_has_the_other_name(log: Log) -> None:
    moved = await rename(log)
    await append(log, said("2", "#b"), expect=moved)
    first, second = await take(log, 2)
    assert (first.room, first.id, second.room) == ("#a", moved, "#b")


async def test_a_log_may_move_back_and_forth(log: Log) -> None:
    await append(log, said("1"))
    moved = await rename(log)
    event = RoomRenamed("#b", "alice", "#a")
    back = Move("#a", RoomState("#a"), moved)
    [entry] = await log.append("#b", [event], expect=moved, barrier=True, move=back)
    await append(log, said("2"), expect=entry.id)
    assert await texts(log, "#a", said=True) == ["1", "2"]
    with pytest.raises(Conflict):
        await log.append("#b", [said("late", "#b")], expect=moved)


async def test_what_was_asked_of_it_before_is_done_once_it_has_settled(log: Log) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(log.append, "#a", [said(f"{number}")])
        await trio.testing.wait_all_tasks_blocked()
        await log.settled()
        assert len(await log.history("#a")) == 20
