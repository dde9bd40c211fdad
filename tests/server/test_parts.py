"""Who gets which bytes of a batch: the same as if everything were delivered one by one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.chat import Chat
from trio_chat.core.events import (
    AccountMade,
    Announced,
    Arrived,
    Attached,
    AwaySet,
    Change,
    Departed,
    Detached,
    Entry,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Looked,
    ModesSet,
    NameSet,
    Renamed,
    Said,
    Signalled,
    TopicSet,
    UserModesSet,
)
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import Copy, Delivery, Shown
from trio_chat.protocols.session import Dialect
from trio_chat.server import audience
from trio_chat.server.audience import Audiences, Group, Subscriber
from trio_chat.server.broadcaster import Parts
from trio_chat.server.counts import Counts
from trio_chat.server.hub import Hub
from trio_chat.storage.memory import MemoryLog
from wires import Kept

PEOPLE = ["1", "2", "3", "4"]
# Connections that come later; one shows one room at a time.
FURTHER = {"1b": "1", "1c": "1", "2b": "2"}
ONE_ROOM = "1c"
ROOMS = ["#a", "#b", "#c"]


class Loud(Dialect):
    """Writes everything down, and the event's id, with a mark of its own."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        return f"{self.mark}{id} {shown}\n".encode()


class Own(Loud):
    """Shows what is said in another way than ``usual``, and all else as that does."""

    def __init__(self, mark: str, usual: Dialect) -> None:
        super().__init__(mark)
        self.usual = usual

    def differs(self, shown: Shown) -> bool:
        return isinstance(shown, Said | Signalled)

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        return (
            super().render(shown, id, at)
            if self.differs(shown)
            else self.usual.render(shown, id, at)
        )


class Silent(Own):
    """As for an IRC client that is not told what it has said itself."""

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        return b"" if self.differs(shown) else self.usual.render(shown, id, at)


class Always(Own):
    """As for an IRC client that labels all it asks for."""

    def differs(self, shown: Shown) -> bool:
        return True


DIALECTS = [Loud("<"), Loud(">")]


def new_chat() -> Chat:
    """Nobody is in a room yet; 1 and 2 watch for some of the others, and 3 for themselves. All have
    accounts.
    """
    chat = Chat(replay=3)
    chat.watch("1", ["nick2", "nick3", "nick3x"])
    chat.watch("2", ["nick3"])
    chat.watch("3", ["nick3"])
    for room in ROOMS:
        chat.open_room(RoomState(room))
    for user_id in PEOPLE:
        chat.apply(Entry("", "0", Arrived(f"nick{user_id}", user_id)))
        chat.apply(Entry("@", "0", AccountMade(f"nick{user_id}", f"={user_id}", user_id)))
    return chat


def possible(chat: Chat, draw: st.DrawFn) -> Event | None:
    """An event that can happen in this state."""
    if not chat.people:
        return None
    user_id = draw(st.sampled_from(sorted(chat.people)))
    person = chat.people[user_id]
    inside = list(person.rooms)
    outside = [room for room in ROOMS if room not in inside]
    others = [other for other in sorted(chat.people) if other != user_id]
    kinds = ["renamed", "departed", "told", "away", "named", "announced", "own modes"]
    kinds += ["said", "left", "topic", "modes", "to some", "kicked", "invited"] * bool(inside)
    kinds += ["joined"] * 6 * bool(outside) + ["said"] * 6 * bool(inside)
    kinds += ["from outside"] * bool(outside)
    away = [id for id, owner in FURTHER.items() if owner == user_id and not person.is_on(id)]
    kinds += ["attached"] * 3 * bool(away) + ["detached"] * (len(person.devices) > 1)
    unseen = [(one.id, r) for one in person.devices for r in inside if not one.shows(r)]
    kinds += ["looked"] * 3 * bool(unseen)
    match draw(st.sampled_from(kinds)):
        case "said":
            return Said(draw(st.sampled_from(inside)), person.nick, "text", user_id)
        case "attached":
            id = draw(st.sampled_from(away))
            one_room = id == ONE_ROOM
            return Attached(
                person.nick, user_id, id, person.origin, password_id=1, one_room=one_room
            )
        case "detached":
            return Detached(person.nick, user_id, draw(st.sampled_from(person.devices)).id)
        case "looked":
            device, room = draw(st.sampled_from(unseen))
            return Looked(room, person.nick, user_id, device=device)
        case "from outside":
            return Said(draw(st.sampled_from(outside)), person.nick, "text", user_id)
        case "to some":
            status = draw(st.sampled_from("@+"))
            return Signalled(
                draw(st.sampled_from(inside)), person.nick, "+a", user_id, status=status
            )
        case "told":
            other = draw(st.sampled_from(sorted(chat.people)))
            return Said("x,y", person.nick, "psst", user_id, to="nick", to_id=other)
        case "joined":
            via = draw(st.sampled_from(person.devices)).id
            return Joined(draw(st.sampled_from(outside)), person.nick, user_id, via=via)
        case "left":
            return Left(draw(st.sampled_from(inside)), person.nick, user_id)
        case "kicked":
            room = draw(st.sampled_from(inside))
            target = draw(st.sampled_from(sorted(chat.rooms[room].members)))
            return Kicked(room, person.nick, "target", "", user_id, target)
        case "invited":
            target = draw(st.sampled_from(others or [user_id]))
            return Invited(draw(st.sampled_from(inside)), person.nick, "target", user_id, target)
        case "topic":
            return TopicSet(draw(st.sampled_from(inside)), person.nick, "topic", user_id)
        case "modes":
            changes = (Change(draw(st.booleans()), "v", person.nick, user_id),)
            return ModesSet(draw(st.sampled_from(inside)), person.nick, changes, user_id)
        case "own modes":
            return UserModesSet(person.nick, (Change(draw(st.booleans()), "w"),), user_id)
        case "away":
            return AwaySet(person.nick, "tea", user_id)
        case "named":
            return NameSet(person.nick, user_id)
        case "announced":
            return Announced(person.nick, "text", user_id)
        case "renamed":
            return Renamed(person.nick, person.nick + "x", user_id)
        case _:
            return Departed(person.nick, user_id)


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


def is_echo_of_a_note(shown: Shown) -> bool:
    """Whether it is the echo of what somebody has said to themselves."""
    said = shown.of if isinstance(shown, Copy) else None
    return isinstance(said, Said) and said.to_id == said.user_id


def one_by_one(
    history: list[list[Entry]], subscribers: dict[str, Subscriber], doers: dict[str, str]
) -> dict[str, bytes]:
    chat, heard = new_chat(), defaultdict(bytes)
    for batch in history:
        for entry in batch:
            for delivery in chat.apply(entry):
                audience = dict.fromkeys(delivery.devices)
                for user_id in delivery.people:
                    if person := chat.people.get(user_id):
                        audience |= dict.fromkeys(device.id for device in person.devices)
                for room in delivery.rooms:
                    audience |= dict.fromkeys(shows(chat, room))
                doer = delivery.by and doers.get(entry.id, delivery.by)
                for id in [doer] if is_echo_of_a_note(delivery.shown) else audience:
                    subscriber = subscribers[id]
                    dialect = (doer == id and subscriber.own) or subscriber.dialect
                    heard[id] += dialect.render(delivery.shown, entry.id, entry.at)
    return heard


def shows(chat: Chat, room: str) -> Iterator[str]:
    """The connections that show a room."""
    for person in chat.rooms[room].members.values():
        yield from (device.id for device in person.devices if device.shows(room))


def new_listeners(outboxes: dict[str, Kept]) -> dict[str, Subscriber]:
    """Everybody, all written to in the same way."""
    return {
        id: Subscriber(id, outbox, DIALECTS[0], user_id=FURTHER.get(id, id))
        for id, outbox in outboxes.items()
    }


def show(
    chat: Chat, audiences: Audiences, batch: list[Entry], doers: dict[str, str] | None = None
) -> None:
    parts = Parts(audiences, Counts())
    for entry in batch:
        parts.prepare_for(entry.event)
        for delivery in chat.apply(entry):
            parts.add(delivery, entry._replace(by=(doers or {}).get(entry.id, "")))
    for some, part, _ in parts:
        for outbox in some:
            outbox.post(part)


@given(history=batches(), data=st.data())
def test_everybody_gets_what_they_would_have_got_one_by_one(
    history: list[list[Entry]], data: st.DataObject
) -> None:
    outboxes = {id: Kept() for id in [*PEOPLE, *FURTHER]}
    subscribers = new_listeners(outboxes)
    for subscriber in subscribers.values():
        subscriber.dialect = data.draw(st.sampled_from(DIALECTS))
        own = data.draw(st.sampled_from([None, Own, Silent, Always]))
        subscriber.own = own and own("(", subscriber.dialect)
    chat = new_chat()
    audiences = Audiences(chat, subscribers)
    doers = done_by(history, data)
    for batch in history:
        show(chat, audiences, batch, doers)
    expected = one_by_one(history, subscribers, doers)
    events = [entry.event for batch in history for entry in batch]
    departed = {event.user_id for event in events if isinstance(event, Departed)}
    departed |= {id for id, owner in FURTHER.items() if owner in departed}
    detached = {event.device for event in events if isinstance(event, Detached)}
    for id in outboxes.keys() - departed - detached:
        assert outboxes[id].data.decode() == expected[id].decode()


def done_by(history: list[list[Entry]], data: st.DataObject) -> dict[str, str]:
    """By which connection each event is done whose author is on several then."""
    chat, doers = new_chat(), {}
    for entry in (entry for batch in history for entry in batch):
        person = chat.people.get(getattr(entry.event, "user_id", ""))
        if person and (len(person.devices) > 1 or not person.is_on(person.user_id)):
            doers[entry.id] = data.draw(st.sampled_from(person.devices)).id
        chat.apply(entry)
    return doers


def in_one_room(*people: str) -> tuple[Chat, dict[str, Kept], dict[str, Subscriber]]:
    """A chat in which these are in #a."""
    chat, outboxes = new_chat(), {user_id: Kept() for user_id in PEOPLE}
    for user_id in people:
        chat.apply(Entry("#a", "1", Joined("#a", f"nick{user_id}", user_id)))
    return chat, outboxes, new_listeners(outboxes)


def test_only_what_somebody_has_done_themselves_is_shown_in_their_own_way() -> None:
    chat, outboxes, subscribers = in_one_room("1", "2", "3")
    subscribers["1"].own = Own("1", DIALECTS[0])
    subscribers["2"].own = Always("2", DIALECTS[0])
    said = [Said("#a", f"nick{user_id}", "text", user_id) for user_id in ("1", "2", "3", "1")]
    show(chat, Audiences(chat, subscribers), [Entry("#a", "2", event) for event in said])
    marks = {
        user_id: [line[0] for line in outboxes[user_id].data.decode().splitlines()]
        for user_id in "123"
    }
    assert marks == {"1": [*"1<<1"], "2": [*"<2<<"], "3": [*"<<<<"]}
    assert [outboxes[user_id].posts for user_id in "123"] == [1, 1, 1]


def test_in_one_room_a_part_is_the_common_one_or_their_own() -> None:
    chat, outboxes, subscribers = in_one_room("1", "2", "3")
    subscribers["1"].own = Silent("", DIALECTS[0])
    subscribers["2"].dialect = DIALECTS[1]
    parts = Parts(Audiences(chat, subscribers), Counts())
    for n, user_id in enumerate("12"):
        entry = Entry("#a", f"{n}", Said("#a", "nick", "text", user_id))
        for delivery in chat.apply(entry):
            parts.add(delivery, entry)
    common = parts.common("#a")
    assert [data.count(b"\n") for data in common.values()] == [2, 2]
    assert [data.count(b"\n") for data in parts.own().values()] == [1]
    assert {outbox: data for some, data, _ in parts for outbox in some} == {
        outboxes["1"]: parts.own()[outboxes["1"]],
        outboxes["2"]: common[DIALECTS[1]],
        outboxes["3"]: common[DIALECTS[0]],
    }


def test_whoever_listens_elsewhere_is_passed_over() -> None:
    """On another node, say."""
    chat, outboxes, subscribers = in_one_room("1", "3", "4")
    del subscribers["3"]
    parts = Parts(Audiences(chat, subscribers), Counts())
    for user_id in ("1", "3"):
        said = Said("#a", "x", "text", user_id)
        parts.add(Delivery(said, ("#a",), ("3",), by=user_id), Entry("#a", "2", said))
    posted = [outbox for some, _, _ in parts for outbox in some]
    assert posted == [outboxes["1"], outboxes["4"]]


def test_who_is_written_to_in_another_way_gets_that_from_then_on() -> None:
    chat, outbox = new_chat(), Kept()
    subscriber = Subscriber("1", outbox, DIALECTS[0])
    hub = Hub(chat, MemoryLog(per_room=1, total_bytes=1, rooms=1), max_rooms=1)
    hub.subscribers["1"] = subscriber
    chat.apply(Entry("#a", "1", Joined("#a", "nick1", "1")))
    marks = []
    for dialect in (DIALECTS[0], DIALECTS[1], DIALECTS[1], DIALECTS[0]):
        hub.write_to(subscriber, dialect, None)
        parts = Parts(hub.audiences, hub.counts)
        entry = Entry("#a", "2", Said("#a", "nick1", "text", "1"))
        for delivery in chat.apply(entry):
            parts.add(delivery, entry)
        marks += [part[:1] for _, part, _ in parts]
    assert marks == [b"<", b">", b">", b"<"]


def test_a_batch_in_one_room_is_one_post_for_each_member() -> None:
    chat, outboxes, subscribers = in_one_room(*PEOPLE)
    parts = Parts(Audiences(chat, subscribers), Counts())
    for n in range(50):
        entry = Entry("#a", str(n), Said("#a", "nick1", f"{n}", "1"))
        for delivery in chat.apply(entry):
            parts.add(delivery, entry)
    [(some, _, _)] = parts
    assert [*some] == [*outboxes.values()]


@given(history=batches(), data=st.data(), size=st.integers(1, 3), move=st.integers(0, 2))
def test_an_audience_that_was_kept_up_is_like_one_made_anew(
    history: list[list[Entry]], data: st.DataObject, size: int, move: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audience, "GROUP", size)
        patch.setattr(audience, "MOVE", move)
        subscribers = new_listeners({user_id: Kept() for user_id in PEOPLE})
        chat = new_chat()
        audiences = Audiences(chat, subscribers)
        for batch in history:
            show(chat, audiences, batch)
            user_id = data.draw(st.sampled_from(PEOPLE))
            match data.draw(st.sampled_from(["stays", "goes", "dialect"])):
                case "goes":
                    audiences.moves(user_id)
                    subscribers.pop(user_id, None)
                case "dialect" if user_id in subscribers:
                    audiences.moves(user_id)
                    subscribers[user_id].dialect = data.draw(st.sampled_from(DIALECTS))
            for room in data.draw(st.sets(st.sampled_from(ROOMS))):
                kept, anew = audiences.of(room), Audiences(chat, subscribers).of(room)
                assert kept.elsewhere_too == anew.elsewhere_too
                for some, like in (
                    (kept.everyone, anew.everyone),
                    (kept.only_here, anew.only_here),
                ):
                    assert all(0 < len(outboxes) <= size for _, outboxes in some)
                    assert sorted(places(some)) == sorted(places(like))


def places(groups: Sequence[Group]) -> list[tuple[int, int]]:
    """Who is written to in which dialect, as numbers that can be sorted."""
    return [(id(dialect), id(outbox)) for dialect, outboxes in groups for outbox in outboxes]


def test_groups_that_have_shrunk_become_one() -> None:
    chat, _, subscribers = in_one_room(*PEOPLE)
    audiences = Audiences(chat, subscribers)
    sizes = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audience, "GROUP", 2)
        patch.setattr(audience, "MOVE", 0)
        for user_id in ("nobody", "4", "2", "3"):
            audiences.moves(user_id)
            subscribers.pop(user_id, None)
            sizes.append([len(outboxes) for _, outboxes in audiences.of("#a").everyone])
    assert sizes == [[2, 2], [2, 1], [1, 1], [1]]


def test_who_goes_together_with_many_is_not_looked_for_in_any_group() -> None:
    """A hundred people of the same hundred rooms would be looked for ten thousand times."""
    chat, _, subscribers = in_one_room(*PEOPLE)
    audiences = Audiences(chat, subscribers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audience, "GROUP", 1)
        patch.setattr(audience, "MOVE", 2)
        before = audiences.of("#a").everyone
        for user_id in "12":
            audiences.moves(user_id)
            subscribers.pop(user_id)
        after = audiences.of("#a").everyone
    assert places(after) == places(before[2:])
    assert not any(one is other for one in after for other in before)


def test_a_move_concerns_one_group() -> None:
    chat, _, subscribers = in_one_room(*PEOPLE)
    audiences = Audiences(chat, subscribers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audience, "GROUP", 1)
        patch.setattr(audience, "MOVE", 0)
        first, second, third, fourth = audiences.of("#a").everyone
        audiences.moves("2")
        chat.apply(Entry("#a", "2", Left("#a", "nick2", "2")))
        after = audiences.of("#a").everyone
        assert all(one is other for one, other in zip(after, (first, third, fourth), strict=True))
        audiences.moves("3")
        chat.apply(Entry("#b", "3", Joined("#b", "nick3", "3")))
        assert [*audiences.of("#a").elsewhere_too] == ["3"]
        assert [len(outboxes) for _, outboxes in audiences.of("#a").everyone] == [1, 1, 1]
        assert second not in audiences.of("#a").everyone
