"""The rules of the chat: what is decided, what changes, and who hears it."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ring import Ring, changes, heard, hearers, refusal
from trio_chat.core.commands import (
    TOPIC_MAX,
    Announce,
    DirectMessage,
    Invite,
    Join,
    Kick,
    Leave,
    Rename,
    Request,
    Say,
    SetAway,
    SetModes,
    SetName,
    SetTopic,
    SetUserModes,
    TagMessage,
)
from trio_chat.core.effects.rooms import membership_changes
from trio_chat.core.events import (
    PEOPLE,
    Announced,
    Arrived,
    AwaySet,
    Change,
    Departed,
    Entry,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    NameSet,
    Renamed,
    Said,
    Signalled,
    TopicSet,
    UserModesSet,
)
from trio_chat.core.logs import is_barrier, log_of
from trio_chat.core.names import fold
from trio_chat.core.queries import ListMembers, ListRooms, Query, ShowTopic
from trio_chat.core.refusals import Code
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import (
    Answer,
    AwayReply,
    Copy,
    Delivery,
    Members,
    Refused,
    Rooms,
    RoomView,
    RoomWelcome,
    Topic,
    UserView,
)


@pytest.fixture
def ring() -> Ring:
    """Alice and Bob are in #Lobby, Bob also in #tea, Carol nowhere."""
    ring = Ring()
    ring.enter("alice", "#Lobby")
    ring.enter("bob", "#lobby", "#tea")
    ring.enter("carol")
    return ring


# ── decide ─────────────────────────────────────────────────────────────────────────────────────


ALLOWED = [
    ("alice", Say("#Lobby", "hi"), Said("#Lobby", "alice", "hi", "id-alice")),
    ("alice", Say("#LOBBY", "hi"), Said("#Lobby", "alice", "hi", "id-alice")),
    ("bob", Say("#tea", "sips", True), Said("#tea", "bob", "sips", "id-bob", action=True)),
    (
        "alice",
        DirectMessage("CAROL", "psst"),
        Said("id-alice,id-carol", "alice", "psst", "id-alice", to="carol", to_id="id-carol"),
    ),
    (
        "carol",
        DirectMessage("alice", "yes?"),
        Said("id-alice,id-carol", "carol", "yes?", "id-carol", to="alice", to_id="id-alice"),
    ),
    (
        "bob",
        DirectMessage("bob", "note"),
        Said("id-bob,id-bob", "bob", "note", "id-bob", to="bob", to_id="id-bob"),
    ),
    ("carol", Join("#lobby"), Joined("#Lobby", "carol", "id-carol")),
    ("carol", Join("#Attic"), Joined("#Attic", "carol", "id-carol", guarded=True, status="o")),
    ("alice", Join("#TEA"), Joined("#tea", "alice", "id-alice")),
    ("bob", Leave("#LOBBY"), Left("#Lobby", "bob", "id-bob")),
    ("alice", Rename("ann"), Renamed("alice", "ann", "id-alice", rooms=("#lobby",))),
    ("alice", Rename("Alice"), Renamed("alice", "Alice", "id-alice", rooms=("#lobby",))),
    ("alice", SetTopic("#LOBBY", "tea"), TopicSet("#Lobby", "alice", "tea", "id-alice")),
    ("alice", SetTopic("#lobby", ""), TopicSet("#Lobby", "alice", "", "id-alice")),
    (
        "alice",
        SetTopic("#lobby", "x" * TOPIC_MAX),
        TopicSet("#Lobby", "alice", "x" * TOPIC_MAX, "id-alice"),
    ),
]

REFUSED = [
    ("alice", Say("#tea", "hi"), "not in #tea"),
    ("alice", Say("#nowhere", "hi"), "not in #nowhere"),
    ("carol", Say("", "hi"), "not in any room"),
    ("alice", DirectMessage("dave", "hi"), "Nobody here is called dave"),
    ("alice", Join("lobby"), "begin with #"),
    ("alice", Join("#a b"), "a space"),
    ("alice", Join("#lobby"), "already in #Lobby"),
    ("alice", Leave("#tea"), "not in #tea"),
    ("alice", Leave("#nowhere"), "not in #nowhere"),
    ("carol", Leave(""), "not in any room"),
    ("alice", Rename("a b"), "a space"),
    ("alice", Rename(""), "empty"),
    ("alice", Rename("alice"), "already alice"),
    ("alice", SetTopic("#tea", "green"), "not in #tea"),
    ("carol", SetTopic("", "green"), "not in any room"),
    ("alice", SetTopic("#lobby", "x" * (TOPIC_MAX + 1)), "has 391 bytes; the limit is 390"),
]


@pytest.mark.parametrize(("nick", "request_", "event"), ALLOWED)
def test_allowed(ring: Ring, nick: str, request_: Request, event: Event) -> None:
    assert ring.decide(f"id-{nick}", request_) == [event]


@pytest.mark.parametrize(("nick", "request_", "why"), REFUSED)
def test_refused(ring: Ring, nick: str, request_: Request, why: str) -> None:
    assert why in refusal(ring.decide(f"id-{nick}", request_)).why


@pytest.mark.parametrize(("nick", "request_"), [row[:2] for row in ALLOWED + REFUSED])
def test_decide_changes_nothing(ring: Ring, nick: str, request_: Request) -> None:
    ring.open("#attic")
    before = copy.deepcopy(vars(ring.chat))
    ring.chat.decide(f"id-{nick}", request_)
    assert vars(ring.chat) == before


# ── apply: who hears what ──────────────────────────────────────────────────────────────────────


def test_the_two_of_them_hear_what_is_said_in_private(ring: Ring) -> None:
    deliveries = ring.ask("id-alice", DirectMessage("carol", "psst"))
    said = Said("id-alice,id-carol", "alice", "psst", "id-alice", to="carol", to_id="id-carol")
    assert heard(ring.chat, deliveries) == [(said, {"id-carol"}), (Copy(said), {"id-alice"})]


def test_whoever_speaks_to_themselves_hears_it_as_both(ring: Ring) -> None:
    first, second = ring.ask("id-carol", DirectMessage("carol", "note"))
    assert second.shown == Copy(first.shown)  # type: ignore[arg-type]
    for delivery in (first, second):
        assert (delivery.rooms, delivery.people) == ((), ("id-carol",))


def test_all_hear_who_joins_and_the_newcomer_is_shown_the_room(ring: Ring) -> None:
    ring.ask("id-bob", SetTopic("#lobby", "tea"))
    ring.ask("id-bob", Say("#Lobby", "hi"))
    deliveries = ring.ask("id-carol", Join("#lobby"))
    joined = Joined("#Lobby", "carol", "id-carol")
    said = Said("#Lobby", "bob", "hi", "id-bob")
    entered = RoomWelcome(
        "#Lobby",
        "carol",
        others=2,
        first=True,
        topic=Topic("#Lobby", "tea", "bob", 6),
        recent=(Entry("#lobby", "000007-0", said, 7),),
    )
    assert [delivery.shown for delivery in deliveries] == [joined, entered]
    assert hearers(ring.chat, deliveries[0]) == {"id-alice", "id-bob", "id-carol"}
    assert hearers(ring.chat, deliveries[1]) == {"id-carol"}


def test_whoever_comes_from_another_room_is_not_new(ring: Ring) -> None:
    _, shown = ring.ask("id-alice", Join("#tea"))
    assert shown.shown == RoomWelcome("#tea", "alice", others=1, first=False)


# ── replay ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("replay", "shown"),
    [(0, []), (1, ["4"]), (3, ["2", "3", "4"]), (100, ["0", "1", "2", "3", "4"])],
)
def test_a_newcomer_is_shown_what_was_said_last(replay: int, shown: list[str]) -> None:
    ring = Ring(replay=replay)
    ring.enter("alice", "#lobby")
    for number in range(5):
        ring.ask("id-alice", Say("#lobby", str(number)))
    assert _recent(ring) == shown


def test_a_room_is_taken_up_with_no_more_than_is_shown() -> None:
    ring = Ring(replay=2)
    said = [Entry("#lobby", str(n), Said("#lobby", "alice", str(n))) for n in range(5)]
    ring.chat.open_room(RoomState("#lobby"))
    ring.chat.look_back(ring.chat.rooms["#lobby"], said)
    assert _recent(ring) == ["3", "4"]


def _recent(ring: Ring) -> list[str]:
    ring.enter("zoe")
    _, delivery = ring.ask("id-zoe", Join("#lobby"))
    assert isinstance(delivery.shown, RoomWelcome)
    return [entry.event.text for entry in delivery.shown.recent]


# ── answer ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (
            ListMembers("#nowhere"),
            Refused("There is nobody in #nowhere.", Code.NO_SUCH_ROOM, ("#nowhere",)),
        ),
        (ListMembers(""), Refused("You are not in any room.", Code.NO_SUCH_ROOM, ("",))),
        (ShowTopic("#LOBBY"), Topic("#Lobby", "")),
        (ShowTopic("#tea"), Topic("#tea", "green", "bob", 6)),
        (
            ShowTopic("#nowhere"),
            Refused("There is nobody in #nowhere.", Code.NO_SUCH_ROOM, ("#nowhere",)),
        ),
        (ShowTopic(""), Refused("You are not in any room.", Code.NO_SUCH_ROOM, ("",))),
        (
            ListRooms(),
            Rooms((RoomView("#Lobby", 2, created=1), RoomView("#tea", 1, "green", 6, created=4))),
        ),
    ],
)
def test_answer(ring: Ring, query: Query, answer: Answer) -> None:
    ring.ask("id-bob", SetTopic("#tea", "green"))
    assert [*ring.chat.answer("id-alice", query)] == [answer]


def test_members_are_in_the_order_of_joining(ring: Ring) -> None:
    for nick in ("Zoe", "Anna"):
        ring.enter(nick, "#lobby")
    [members] = ring.chat.answer("id-alice", ListMembers("#LOBBY"))
    assert isinstance(members, Members)
    assert members.room == "#Lobby"
    others = [UserView(nick) for nick in ("bob", "Zoe", "Anna")]
    assert members.people == [UserView("alice", status="@"), *others]


def test_the_fullest_rooms_come_first_and_empty_ones_not_at_all(ring: Ring) -> None:
    ring.enter("dave", "#b", "#a", "#lobby")
    ring.open("#empty")
    [rooms] = ring.chat.answer("id-alice", ListRooms())
    assert isinstance(rooms, Rooms)
    found = [(room.name, room.members) for room in rooms.rooms]
    assert found == [("#Lobby", 3), ("#a", 1), ("#b", 1), ("#tea", 1)]


# ── the log ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("event", "log", "moves", "barrier"),
    [
        (Said("#Tea", "bob", "hi", "id"), "#tea", (), False),
        (Said("a,b", "a", "hi", "id", to="b", to_id="id-b"), "a,b", (), False),
        (Signalled("#Tea", "bob", "+typing=active", "id"), "#tea", (), False),
        (Joined("#Tea", "bob", "id"), "#tea", ("id",), False),
        (Left("#Tea", "bob", "id"), "#tea", ("id",), False),
        (Kicked("#Tea", "bob", "al", "", "id", "id-al"), "#tea", ("id-al",), True),
        (Invited("#Tea", "bob", "al", "id", "id-al"), "#tea", (), False),
        (TopicSet("#Tea", "bob", "green", "id"), "#tea", (), True),
        (ModesSet("#Tea", "bob", (Change(True, "m"),), "id"), "#tea", (), True),
        (Arrived("bob", "id"), PEOPLE, (), False),
        (Renamed("bob", "rob", "id"), PEOPLE, (), False),
        (Departed("bob", "id"), PEOPLE, ("id",), False),
        (AwaySet("bob", "tea", "id"), PEOPLE, (), False),
        (NameSet("bob", "id"), PEOPLE, (), False),
        (UserModesSet("bob", (), "id"), PEOPLE, (), False),
        (Announced("bob", "hi", "id"), PEOPLE, (), False),
    ],
)
def test_where_an_event_belongs(
    event: Event, log: str, moves: tuple[str, ...], barrier: bool
) -> None:
    assert log_of(event) == log
    assert membership_changes(event) == moves
    assert is_barrier(event) is barrier


def test_a_room_that_was_closed_is_taken_up_where_it_was_left(ring: Ring) -> None:
    ring.ask("id-bob", SetTopic("#tea", "green"))
    ring.ask("id-bob", Say("#tea", "hi"))
    ring.ask("id-bob", SetModes("#tea", changes("+mb", "eve")))
    ring.ask("id-bob", Leave("#tea"))
    left = ring.chat.rooms["#tea"].state
    closed = ring.close("#tea")
    assert "#tea" not in ring.chat.rooms
    assert ring.chat.empty == set()
    _, delivery = ring.ask("id-bob", Join("#tea"))
    assert delivery.shown == RoomWelcome(
        "#tea",
        "bob",
        first=False,
        topic=Topic("#tea", "green", "bob", 6),
        recent=(Entry("#tea", "000007-0", Said("#tea", "bob", "hi", "id-bob"), 7),),
    )
    assert ring.chat.rooms["#tea"].state == replace(left, barrier=closed)


# ── whatever they do ───────────────────────────────────────────────────────────────────────────


PEOPLE_IDS = ["id-1", "id-2", "id-3", "id-4"]
NICKS = ["alice", "Alice", "аlice", "bob", "Bob", "carol", "dave", "eve"]
ROOM_NAMES = ["#a", "#A", "#b", "#c", "#nowhere"]

user_ids = st.sampled_from(PEOPLE_IDS)
nicks = st.sampled_from(NICKS)
rooms = st.sampled_from(ROOM_NAMES)
real_rooms = rooms.filter(lambda room: room != "#nowhere")
texts = st.sampled_from(["", "one", "two"])
statuses = st.sampled_from(["", "", "@", "+"])
some_changes = st.lists(
    st.builds(
        Change,
        st.booleans(),
        st.sampled_from("beIklimnstovx"),
        nicks | st.sampled_from(["", "0", "1", "2", "*!*@*", "key"]),
    ),
    max_size=4,
).map(tuple)
own_changes = st.lists(st.builds(Change, st.booleans(), st.sampled_from("Biowx")), max_size=3).map(
    tuple
)
requests = st.one_of(
    st.builds(Say, rooms, texts, status=statuses),
    st.builds(TagMessage, st.just("+typing=active"), rooms, status=statuses),
    st.builds(TagMessage, st.just("+typing=active"), nick=nicks),
    st.builds(DirectMessage, nicks, texts),
    st.builds(Join, real_rooms | st.just("no room"), st.sampled_from(["", "key"])),
    st.builds(Join, real_rooms),
    st.builds(Leave, rooms),
    st.builds(Kick, rooms, nicks),
    st.builds(Invite, rooms, nicks),
    st.builds(Rename, nicks | st.just("no nick")),
    st.builds(SetTopic, rooms, texts | st.just("x" * (TOPIC_MAX + 1))),
    st.builds(SetModes, rooms, some_changes),
    st.builds(SetUserModes, own_changes),
    st.builds(SetAway, texts),
    st.builds(SetName, texts),
    st.builds(Announce, texts),
)


class Everybody(RuleBasedStateMachine):
    """Several people ask for this and that, beside a model of who is called what and where."""

    def __init__(self) -> None:
        super().__init__()
        self.ring = Ring(replay=2)
        self.chat = self.ring.chat
        self.nicks: dict[str, str] = {}
        self.places: dict[tuple[str, str], str] = {}  # (person, room), and the status there
        self.modes: dict[str, set[str]] = {}
        self.watches: set[tuple[str, str]] = set()  # (person, folded nickname)

    @rule(user_id=user_ids, nick=nicks)
    def arrive(self, user_id: str, nick: str) -> None:
        if user_id not in self.nicks and self.is_free(nick):
            self.nicks[user_id], self.modes[user_id] = nick, set()
            deliveries = self.ring.happen(Arrived(nick, user_id))
            assert self.heard_by(deliveries) == self.watchers(nick)

    @rule(user_id=user_ids)
    def depart(self, user_id: str) -> None:
        nick = self.nicks.pop(user_id, "?")
        deliveries = self.ring.happen(Departed(nick, user_id))
        left = {room for person, room in self.places if person == user_id}
        self.places = {place: s for place, s in self.places.items() if place[0] != user_id}
        self.modes.pop(user_id, None)
        assert self.heard_by(deliveries) == self.members(*left) | self.watchers(nick)
        self.chat.unwatch(user_id, NICKS)
        self.watches = {watch for watch in self.watches if watch[0] != user_id}

    @rule(user_id=user_ids, nick=nicks)
    def watch(self, user_id: str, nick: str) -> None:
        if user_id in self.nicks:
            self.chat.watch(user_id, [nick])
            self.watches.add((user_id, fold(nick)))

    @rule(user_id=user_ids, nick=nicks)
    def unwatch(self, user_id: str, nick: str) -> None:
        self.chat.unwatch(user_id, [nick])
        self.watches.discard((user_id, fold(nick)))

    @rule(user_id=user_ids)
    def make_operator(self, user_id: str) -> None:
        if user_id in self.nicks:
            event = UserModesSet(self.nicks[user_id], (Change(True, "o"),), user_id)
            self.expect(event, self.ring.happen(event))

    @rule(user_id=user_ids, request=requests)
    def ask(self, user_id: str, request: Request) -> None:
        if user_id not in self.nicks:
            return
        if isinstance(request, Rename) and not self.is_free(request.nick, but_for=user_id):
            return
        outcomes = self.ring.decide(user_id, request)
        events = [outcome for outcome in outcomes if not isinstance(outcome, Refused | AwayReply)]
        assert len(events) <= 1
        for event in events:
            self.expect(event, self.ring.happen(event))

    @rule()
    def close_empty_rooms(self) -> None:
        for room in list(self.chat.empty):
            self.ring.close(room)

    def expect(self, event: Event, deliveries: Sequence[Delivery]) -> None:
        """Follow the event in the model; it says who must have heard it, and that once."""
        match event:
            case Said(user_id=user_id, to_id=other) | Signalled(user_id=user_id, to_id=other) if (
                other
            ):
                expected = {user_id, other}
            case Said(room, user_id=user_id, status="") | Signalled(
                room, user_id=user_id, status=""
            ):
                expected = self.members(fold(room)) | {user_id}
            case Said(room, user_id=user_id, status=prefix) | Signalled(
                room, user_id=user_id, status=prefix
            ):
                expected = self.with_status(room, {"@": "o", "+": "ov"}[prefix]) | {user_id}
            case TopicSet(
                room, user_id=user_id
            ):  # by an operator of the server, who may be outside
                expected = self.members(fold(room)) | {user_id}
            case ModesSet(room, _, made, user_id=user_id):
                for change in made:
                    self.follow(fold(room), change)
                expected = self.members(fold(room)) | {user_id}
            case Joined(room, user_id=user_id):
                self.places[user_id, fold(room)] = "" if self.members(fold(room)) else "o"
                expected = self.members(fold(room))
            case Left(room, user_id=user_id):
                expected = self.members(fold(room))
                del self.places[user_id, fold(room)]
            case Kicked(room, user_id=user_id, target_id=target):
                expected = self.members(fold(room)) | {user_id}
                del self.places[target, fold(room)]
            case Invited(room, user_id=user_id, target_id=target):
                expected = self.with_status(room, "o") - {user_id} | {target}
            case Renamed(old, nick, user_id):
                self.nicks[user_id] = nick
                expected = self.neighbours(user_id)
                if fold(old) != fold(nick):
                    expected |= self.watchers(old, nick)
            case AwaySet(nick, user_id=user_id) | NameSet(nick, user_id=user_id):
                expected = self.neighbours(user_id) | self.watchers(nick)
            case UserModesSet(user_id=user_id, changes=made):
                for change in made:
                    (self.modes[user_id].add if change.add else self.modes[user_id].discard)(
                        change.mode
                    )
                expected = {user_id}
            case Announced():
                expected = {user_id for user_id, modes in self.modes.items() if modes & {"o", "w"}}
        assert self.heard_by(deliveries) == expected
        told = [d for d in deliveries if d.shown == event or isinstance(d.shown, Copy)]
        if not (isinstance(event, Said | Signalled) and event.to_id == event.user_id):
            assert sum(len(hearers(self.chat, d)) for d in told) == len(self.heard_by(told))

    def follow(self, room: str, change: Change) -> None:
        if change.mode in "ov":
            letters = {*self.places[change.user_id, room]}
            (letters.add if change.add else letters.discard)(change.mode)
            self.places[change.user_id, room] = "".join(sorted(letters))

    def is_free(self, nick: str, but_for: str = "") -> bool:
        return all(
            fold(nick) != fold(other) for user_id, other in self.nicks.items() if user_id != but_for
        )

    def members(self, *rooms: str) -> set[str]:
        return {person for person, room in self.places if room in rooms}

    def neighbours(self, user_id: str) -> set[str]:
        """Whoever shares a room with somebody, and they themselves."""
        return self.members(*(room for person, room in self.places if person == user_id)) | {
            user_id
        }

    def with_status(self, room: str, letters: str) -> set[str]:
        here = ((user_id, s) for (user_id, name), s in self.places.items() if name == fold(room))
        return {user_id for user_id, status in here if {*letters} & {*status}}

    def watchers(self, *nicks: str) -> set[str]:
        names = {fold(nick) for nick in nicks}
        return {
            user_id for user_id, name in self.watches if name in names and user_id in self.nicks
        }

    def heard_by(self, deliveries: Sequence[Delivery]) -> set[str]:
        return {user_id for delivery in deliveries for user_id in hearers(self.chat, delivery)}

    @invariant()
    def people_are_who_they_should_be(self) -> None:
        assert {user_id: person.nick for user_id, person in self.chat.people.items()} == self.nicks
        assert {
            user_id: {*person.modes} for user_id, person in self.chat.people.items()
        } == self.modes

    @invariant()
    def names_lead_to_people(self) -> None:
        by_name = {fold(nick): self.chat.people[user_id] for user_id, nick in self.nicks.items()}
        for nick in NICKS:
            assert self.chat.person(nick) is by_name.get(fold(nick))

    @invariant()
    def people_and_rooms_agree_on_who_is_where(self) -> None:
        people, rooms = self.chat.people, self.chat.rooms
        places = self.places.keys()
        assert {(user_id, room) for user_id in people for room in people[user_id].rooms} == places
        assert {(user_id, room) for room in rooms for user_id in rooms[room].members} == places
        assert all(rooms[room].members[user_id] is people[user_id] for user_id, room in places)

    @invariant()
    def status_is_what_was_given(self) -> None:
        given = {place: status for place, status in self.places.items() if status}
        rooms = self.chat.rooms.items()
        assert {(user_id, n): s for n, room in rooms for user_id, s in room.status.items()} == given

    @invariant()
    def empty_rooms_are_known(self) -> None:
        assert self.chat.empty == {n for n, room in self.chat.rooms.items() if not room.members}

    @invariant()
    def each_room_is_a_fold_over_its_log(self) -> None:
        for name, room in self.chat.rooms.items():
            said = [e for e in self.ring.log(name) if isinstance(e.event, Said)]
            assert room.state == self.ring.state_from_log(room.state.name)
            assert list(room.recent) == [entry for entry in said if not entry.event.status][-2:]

    @invariant()
    def those_who_went_come_after_each_other(self) -> None:
        moments = [went for _, went in self.chat.past]
        assert all(earlier < later for earlier, later in pairwise(moments))


TestEverybody = Everybody.TestCase
TestEverybody.settings = settings(stateful_step_count=40)
