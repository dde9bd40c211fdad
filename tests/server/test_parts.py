"""Who gets which bytes of a batch: the same as if everything were delivered one by one."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.chat import Chat, mover
from trio_chat.core.events import (
    Arrived,
    Departed,
    Entry,
    Event,
    Joined,
    Left,
    Renamed,
    Said,
    Shown,
    TopicSet,
)
from trio_chat.core.room import RoomState
from trio_chat.protocols.session import Dialect
from trio_chat.server.audience import Audiences, Listener
from trio_chat.server.broadcaster import Parts
from trio_chat.server.hub import Hub
from trio_chat.storage.memory import MemoryLog

PEOPLE = ["1", "2", "3", "4"]
ROOMS = ["#a", "#b", "#c"]


class Loud(Dialect):
    """Writes everything down, with a mark of its own."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def render(self, shown: Shown) -> bytes:
        return f"{self.mark}{shown}\n".encode()


class Kept:
    """An outbox that keeps what is posted."""

    def __init__(self) -> None:
        self.data = b""
        self.posts = 0

    def post(self, data: bytes) -> None:
        self.data += data
        self.posts += bool(data)


DIALECTS = [Loud("<"), Loud(">")]


def new_chat() -> Chat:
    chat = Chat(replay=3)
    for room in ROOMS:
        chat.open_room(RoomState(room))
    for who in PEOPLE:
        chat.apply(Entry("", "0", Arrived(f"nick{who}", who)))
    return chat


def possible(chat: Chat, draw: st.DrawFn) -> Event | None:
    """An event that can happen in this state."""
    if not chat.people:
        return None
    who = draw(st.sampled_from(sorted(chat.people)))
    person = chat.people[who]
    inside = list(person.rooms)
    outside = [room for room in ROOMS if room not in inside]
    kinds = ["renamed", "departed", "told"] + ["said", "left", "topic"] * bool(inside)
    kinds += ["joined"] * 3 * bool(outside) + ["said"] * 3 * bool(inside)
    match draw(st.sampled_from(kinds)):
        case "said":
            return Said(draw(st.sampled_from(inside)), person.nick, "text", who)
        case "told":
            other = draw(st.sampled_from(sorted(chat.people)))
            return Said("x,y", person.nick, "psst", who, to="nick", to_who=other)
        case "joined":
            return Joined(draw(st.sampled_from(outside)), person.nick, who)
        case "left":
            return Left(draw(st.sampled_from(inside)), person.nick, who)
        case "topic":
            return TopicSet(draw(st.sampled_from(inside)), person.nick, "topic", who)
        case "renamed":
            return Renamed(person.nick, person.nick + "x", who)
        case _:
            return Departed(person.nick, who)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Entry]]:
    chat, result, number = new_chat(), [], 0
    for _ in range(draw(st.integers(1, 4))):
        batch = []
        for _ in range(draw(st.integers(1, 12))):
            if (event := possible(chat, draw)) is not None:
                number += 1
                batch.append(Entry("", f"{number:03}", event))
                chat.apply(batch[-1])
        result.append(batch)
    return result


def one_by_one(history: list[list[Entry]], dialects: dict[str, Dialect]) -> dict[str, bytes]:
    chat, heard = new_chat(), defaultdict(bytes)
    for batch in history:
        for entry in batch:
            for delivery in chat.apply(entry):
                audience = dict.fromkeys(delivery.people)
                for room in delivery.rooms:
                    audience |= dict.fromkeys(chat.rooms[room].members)
                for who in audience:
                    heard[who] += dialects[who].render(delivery.shown)
    return heard


@given(history=batches(), data=st.data())
def test_everybody_gets_what_they_would_have_got_one_by_one(
    history: list[list[Entry]], data: st.DataObject
) -> None:
    dialects = {who: data.draw(st.sampled_from(DIALECTS)) for who in PEOPLE}
    outboxes = {who: Kept() for who in PEOPLE}
    listeners = {
        who: Listener(who, outboxes[who], dialects[who])  # type: ignore[arg-type]
        for who in PEOPLE
    }
    chat = new_chat()
    audiences = Audiences(chat, listeners)
    for batch in history:
        parts = Parts(audiences)
        for entry in batch:
            if who := mover(entry.event):
                parts.hand_out(who)
            for delivery in chat.apply(entry):
                parts.add(delivery)
        for some, part in parts:
            for outbox in some:
                outbox.post(part)
    expected = one_by_one(history, dialects)
    departed = {e.event.who for b in history for e in b if isinstance(e.event, Departed)}
    for who in set(PEOPLE) - departed:
        assert outboxes[who].data.decode() == expected[who].decode()


def test_who_is_written_to_in_another_way_gets_that_from_then_on() -> None:
    chat, outbox = new_chat(), Kept()
    listener = Listener("1", outbox, DIALECTS[0])  # type: ignore[arg-type]
    hub = Hub(chat, MemoryLog(per_room=1, total_bytes=1, rooms=1), max_rooms=1)
    hub.listeners["1"] = listener
    chat.apply(Entry("#a", "1", Joined("#a", "nick1", "1")))
    marks = []
    for dialect in (DIALECTS[0], DIALECTS[1], DIALECTS[1], DIALECTS[0]):
        hub.write_to(listener, dialect)
        parts = Parts(hub.audiences)
        for delivery in chat.apply(Entry("#a", "2", Said("#a", "nick1", "text", "1"))):
            parts.add(delivery)
        marks += [part[:1] for _, part in parts]
    assert marks == [b"<", b">", b">", b"<"]


def test_a_batch_in_one_room_is_one_post_for_each_member() -> None:
    outboxes = {who: Kept() for who in PEOPLE}
    listeners = {
        who: Listener(who, outboxes[who], DIALECTS[0])  # type: ignore[arg-type]
        for who in PEOPLE
    }
    chat = new_chat()
    for who in PEOPLE:
        chat.apply(Entry("#a", "1", Joined("#a", f"nick{who}", who)))
    parts = Parts(Audiences(chat, listeners))
    for n in range(50):
        for delivery in chat.apply(Entry("#a", str(n), Said("#a", "nick1", f"{n}", "1"))):
            parts.add(delivery)
    [(some, _)] = parts
    assert some == list(outboxes.values())
