"""How things stand, and who is told what of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring, refusal
from trio_chat.core import answers, state
from trio_chat.core.commands import (
    Join,
    Leave,
    Rename,
    Say,
    SetAway,
    SetName,
    SetTopic,
    SetUserModes,
)
from trio_chat.core.events import (
    Arrived,
    Change,
    Departed,
    Kicked,
    Left,
    ModesSet,
    Origin,
    UserModesSet,
)
from trio_chat.core.modes import USER_MODES
from trio_chat.core.queries import (
    Count,
    FindNicks,
    FindPast,
    FindPeople,
    ListMembers,
    ListRooms,
    Query,
    ShowMasks,
    ShowModes,
    ShowTopic,
)
from trio_chat.core.refusals import Code
from trio_chat.core.room_state import Mask
from trio_chat.core.views import (
    Counts,
    Masks,
    Members,
    Modes,
    People,
    Refused,
    Rooms,
    UserView,
)

ALICE = Origin("al", "tea.net", "Alice Liddell")
HIDDEN = Origin("hid", "cave.org", "The Hidden One")


@pytest.fixture
def ring() -> Ring:
    """Alice and Hidden, who is invisible, are in #hall; Alice also in #den, which is secret.

    Olga, an operator of the server, and Eve are in no room.
    """
    ring = Ring(room_modes="n")
    ring.enter("alice", "#Hall", "#Den", origin=ALICE)
    ring.set("#den", "+s")
    ring.enter("hidden", "#hall", origin=HIDDEN)
    ring.ask("id-hidden", SetUserModes((Change(True, "i"),)))
    ring.enter("olga")
    ring.make_operator("olga")
    ring.enter("eve")
    return ring


def ask(ring: Ring, nick: str, query: Query) -> object:
    [answer] = ring.chat.answer(f"id-{nick}", query)
    return answer


def nicks(found: object) -> list[str]:
    assert isinstance(found, Members | People)
    return [seen.nick for seen in found.people]


# ── secret rooms ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        ListMembers("#den"),
        ShowTopic("#den"),
        ShowModes("#den"),
        ShowMasks("#den", "b"),
        ShowMasks("#den", "e"),
    ],
)
def test_a_secret_room_is_unknown_to_outsiders(ring: Ring, query: Query) -> None:
    for nick in ("hidden", "eve"):
        asked = refusal([ask(ring, nick, query)])  # type: ignore[list-item]
        assert (asked.code, asked.about) == (Code.NO_SUCH_ROOM, ("#den",))
    for nick in ("alice", "olga"):
        assert not isinstance(ask(ring, nick, query), Refused)
    ring.set("#den", "-s")
    ring.set("#den", "+b", "eve")  # whoever is banned may look
    if not (isinstance(query, ShowMasks) and query.mode != "b"):
        assert not isinstance(ask(ring, "eve", query), Refused)


@pytest.mark.parametrize(
    "query",
    [ListMembers("#no"), ShowTopic("#no"), ShowModes("#no"), ShowMasks("#no", "b")],
)
def test_a_room_that_nobody_is_in_is_known_to_operators_of_the_server_alone(
    ring: Ring, query: Query
) -> None:
    unknown = Refused("There is nobody in #no.", Code.NO_SUCH_ROOM, ("#no",))
    assert [ask(ring, nick, query) for nick in ("alice", "olga")] == [unknown, unknown]
    ring.open("#no")
    assert ask(ring, "alice", query) == unknown
    assert not isinstance(ask(ring, "olga", query), Refused)  # it was opened for her


@pytest.mark.parametrize(
    ("nick", "rooms"),
    [
        ("alice", ["#Hall", "#Den"]),
        ("hidden", ["#Hall"]),
        ("olga", ["#Hall", "#Den"]),
        ("eve", ["#Hall"]),
    ],
)
def test_which_rooms_are_listed(ring: Ring, nick: str, rooms: list[str]) -> None:
    found = ask(ring, nick, ListRooms())
    assert isinstance(found, Rooms)
    assert [room.name for room in found.rooms] == rooms
    named = ask(ring, nick, ListRooms(("#DEN", "#nowhere")))
    assert isinstance(named, Rooms)
    assert [room.name for room in named.rooms] == [room for room in rooms if room == "#Den"]


@pytest.mark.parametrize(
    ("nick", "rooms"),
    [
        ("alice", ("@#Hall", "@#Den")),
        ("hidden", ("@#Hall",)),
        ("olga", ("@#Hall", "@#Den")),
        ("eve", ("@#Hall",)),
    ],
)
def test_which_of_somebodys_rooms_are_told(ring: Ring, nick: str, rooms: tuple[str, ...]) -> None:
    for query, told in (
        (FindNicks(("ALICE",), rooms=True), rooms),
        (FindPeople("ALICE"), rooms[:1]),
        (FindPeople("al*"), rooms[:1]),
        (FindNicks(("alice",)), ()),
    ):
        found = ask(ring, nick, query)
        assert isinstance(found, People)
        assert [seen.rooms for seen in found.people] == [told]


def test_members_are_told_that_the_room_is_secret(ring: Ring) -> None:
    for room, secret in (("#den", True), ("#hall", False)):
        members = ask(ring, "alice", ListMembers(room))
        assert isinstance(members, Members)
        assert members.secret is secret


# ── invisible people ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("query", [ListMembers("#hall"), FindPeople("#HALL")])
@pytest.mark.parametrize(
    ("nick", "seen"),
    [
        ("alice", ["alice", "hidden"]),
        ("hidden", ["alice", "hidden"]),
        ("olga", ["alice", "hidden"]),
        ("eve", ["alice"]),
    ],
)
def test_who_is_seen_in_a_room(ring: Ring, query: Query, nick: str, seen: list[str]) -> None:
    assert nicks(ask(ring, nick, query)) == seen


@pytest.mark.parametrize(
    ("nick", "mask", "seen"),
    [
        ("eve", "*", ["alice", "olga", "eve"]),
        ("eve", "h*", []),
        ("eve", "*cave*", []),
        ("eve", "*.net", ["alice"]),
        ("eve", "A?", ["alice"]),
        ("eve", "*liddell", ["alice"]),
        ("eve", "alice!al@tea.*", ["alice"]),
        ("eve", "tea.net", []),
        ("alice", "h*", ["hidden"]),
        ("alice", "*CAVE*", ["hidden"]),
        ("hidden", "hidden*", ["hidden"]),
        ("olga", "*", ["alice", "hidden", "olga", "eve"]),
    ],
)
def test_who_is_found_by_a_mask(ring: Ring, nick: str, mask: str, seen: list[str]) -> None:
    assert nicks(ask(ring, nick, FindPeople(mask))) == seen


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("203.0.113.0/24", ["near", "nigh"]),
        ("203.0.113.9", ["nigh"]),
        ("203.0.*", ["near", "nigh"]),
        ("n*!*@203.0.113.7", ["near"]),
        ("2001:db8::/48", ["far"]),
        ("2001:db8:0:5::1", ["far"]),
        ("198.51.100.0/24", []),
    ],
)
def test_only_operators_find_people_by_where_they_really_come_from(
    ring: Ring, wanted: str, seen: list[str]
) -> None:
    from_where = {"near": "203.0.113.7", "nigh": "203.0.113.9", "far": "2001:db8:0:5::9"}
    for nick, address in from_where.items():
        ring.happen(Arrived(nick, f"id-{nick}", Origin("u", "cafe.ip"), address=address))
    assert nicks(ask(ring, "olga", FindPeople(wanted))) == seen
    assert nicks(ask(ring, "eve", FindPeople(wanted))) == []


def test_whoever_is_in_no_room_sees_themselves(ring: Ring) -> None:
    ring.ask("id-eve", SetUserModes((Change(True, "i"),)))
    assert nicks(ask(ring, "eve", FindPeople("*eve*"))) == ["eve"]
    assert nicks(ask(ring, "alice", FindPeople("*eve*"))) == []


def test_whoever_knows_the_nickname_sees_the_person_but_not_where_they_are(ring: Ring) -> None:
    rooms = {"alice": ("#Hall",), "hidden": ("#Hall",), "olga": ("#Hall",), "eve": ()}
    for nick, told in rooms.items():
        found = ask(ring, nick, FindPeople("Hidden"))
        assert isinstance(found, People)
        assert [(seen.nick, seen.rooms) for seen in found.people] == [("hidden", told)]


# ── what is told ───────────────────────────────────────────────────────────────────────────────


def test_all_that_is_seen_of_somebody(ring: Ring) -> None:
    ring.set("#hall", "+v", "hidden")
    ring.ask("id-hidden", Say("#hall", "hi"))
    spoke = len(ring.entries) - 1
    ring.ask("id-hidden", SetAway("asleep"))
    ring.ask("id-hidden", SetName("Nobody"))
    found = ask(ring, "alice", FindPeople("#hall"))
    assert isinstance(found, People)
    assert found.of == "#Hall"
    assert found.people[1] == UserView(
        "hidden",
        Origin("hid", "cave.org", "Nobody"),
        user_id="id-hidden",
        away="asleep",
        modes="i",
        rooms=("+#Hall",),
        since=4,
        spoke=spoke,
    )


def test_nobody_is_found(ring: Ring) -> None:
    assert ask(ring, "alice", FindPeople("dave")) == People("dave", ())
    assert ask(ring, "alice", FindPeople("#nowhere")) == People("#nowhere", ())
    assert ask(ring, "eve", FindPeople("#den")) == People("#den", ())


def test_those_who_are_here_of_some_nicknames_in_their_order(ring: Ring) -> None:
    assert nicks(ask(ring, "eve", FindNicks(("HIDDEN", "dave", "alice")))) == ["hidden", "alice"]


@pytest.mark.parametrize(
    ("modes", "arguments", "letters", "seen", "hidden"),
    [
        ("-n", [], "", [], []),
        ("+tm", [], "mnt", [], []),
        ("+k", ["sesame"], "nk", ["sesame"], ["*"]),
        ("+l", ["7"], "nl", ["7"], ["7"]),
        ("+lki", ["7", "sesame"], "inkl", ["sesame", "7"], ["*", "7"]),
        ("+b", ["eve"], "n", [], []),
    ],
)
def test_the_modes_of_a_room_and_its_key_for_members_only(
    ring: Ring, modes: str, arguments: list[str], letters: str, seen: list[str], hidden: list[str]
) -> None:
    ring.set("#hall", modes, *arguments)
    for nick in ("alice", "hidden"):
        assert ask(ring, nick, ShowModes("#HALL")) == Modes("#Hall", letters, tuple(seen), 1)
    for nick in ("olga", "eve"):
        assert ask(ring, nick, ShowModes("#HALL")) == Modes("#Hall", letters, tuple(hidden), 1)


@pytest.mark.parametrize(
    ("mode", "may"), [("b", "alice hidden olga eve"), ("e", "alice olga"), ("I", "alice olga")]
)
def test_who_may_see_a_list(ring: Ring, mode: str, may: str) -> None:
    ring.set("#hall", "+beI", "one", "two", "three")
    at = len(ring.entries) - 1
    mask, number = {"b": ("one!*@*", 1), "e": ("two!*@*", 2), "I": ("three!*@*", 3)}[mode]
    for nick in ("alice", "hidden", "olga", "eve"):
        found = ask(ring, nick, ShowMasks("#HALL", mode))
        if nick in may.split():
            assert found == Masks("#Hall", mode, (Mask(mask, "alice", at, number),))
        else:
            assert isinstance(found, Refused)
            assert (found.code, found.about) == (Code.NEED_OP, ("#Hall",))


def test_a_list_is_in_the_order_in_which_it_was_made(ring: Ring) -> None:
    for mask in ("zoe", "bob", "adam"):
        ring.set("#hall", "+b", mask)
    found = ask(ring, "eve", ShowMasks("#hall", "b"))
    assert isinstance(found, Masks)
    assert [mask.mask for mask in found.masks] == ["zoe!*@*", "bob!*@*", "adam!*@*"]


def test_a_topic_with_who_set_it_and_when(ring: Ring) -> None:
    ring.ask("id-hidden", SetTopic("#hall", "tea"))
    topic = ask(ring, "eve", ShowTopic("#hall"))
    assert (topic.text, topic.by, topic.at) == ("tea", "hidden", len(ring.entries) - 1)  # type: ignore[attr-defined]


def test_counts(ring: Ring) -> None:
    assert ask(ring, "eve", Count()) == Counts(4, invisible=1, operators=1, rooms=2, most=4)
    ring.open("#empty")
    ring.depart("olga")
    ring.ask("id-alice", Leave("#den"))
    assert ask(ring, "eve", Count()) == Counts(3, invisible=1, operators=0, rooms=1, most=4)


_STEP = st.tuples(
    st.sampled_from(["set", "join", "leave", "kick", "depart", "open", "close"]),
    st.sampled_from("ab"),
    st.sampled_from(["#x", "#y"]),
    st.builds(Change, st.booleans(), st.sampled_from(USER_MODES)),
)


@given(st.lists(_STEP, max_size=30))
def test_what_is_counted_is_what_there_is(steps: list[tuple[str, str, str, Change]]) -> None:
    ring = Ring()
    ring.enter("z")
    for step in steps:
        _happen(ring, *step)
        chat = ring.chat
        for letter in USER_MODES:
            have = {user_id for user_id, person in chat.people.items() if letter in person.modes}
            assert {*chat.by_mode[letter]} == have
        assert ask(ring, "z", Count()) == Counts(
            len(chat.people),
            invisible=sum("i" in person.modes for person in chat.people.values()),
            operators=sum(person.is_operator for person in chat.people.values()),
            rooms=sum(bool(room.members) for room in chat.rooms.values()),
            most=chat.most,
        )


def _happen(ring: Ring, what: str, nick: str, room: str, change: Change) -> None:
    """Let something happen, if it can; somebody who is not here comes."""
    user_id = f"id-{nick}"
    person = ring.chat.people.get(user_id)
    if person is None:
        ring.enter(nick)
    elif what == "depart":
        ring.depart(nick)
    elif what == "set":
        ring.happen(UserModesSet(nick, (change,), user_id))
    elif what == "open":
        ring.open(room)
    elif what == "join" and room not in person.rooms:
        ring.put(nick, room)
    elif what == "leave" and room in person.rooms:
        ring.happen(Left(room, nick, user_id))
    elif what == "kick" and room in person.rooms:
        ring.happen(Kicked(room, nick, nick, "", user_id, user_id))
    elif what == "close" and room in ring.chat.empty:
        ring.close(room)


# ── long answers ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Ring:
    """Four are in #big, each in a room of their own, too; two are looked at for a part."""
    monkeypatch.setattr(answers, "_PART", 2)
    ring = Ring()
    for nick in "abcd":
        ring.enter(nick, "#big", f"#{nick}")
    ring.ask("id-a", Leave("#a"))
    return ring


def parts(ring: Ring, query: Query) -> Iterator[list[str]]:
    """The names in each part of the answer to ``a``; all but the last say that more follow."""
    found = iter(ring.chat.answer("id-a", query))
    more = True
    while more:
        part = next(found)
        assert isinstance(part, People | Rooms)
        more = part.more
        yield (
            [s.nick for s in part.people]
            if isinstance(part, People)
            else [room.name for room in part.rooms]
        )
    assert [*found] == []


def _begun(ring: Ring, query: Query) -> Iterator[list[str]]:
    """The same, when the first two have been told."""
    told = parts(ring, query)
    assert [next(told), len(next(told))] == [[], 2]
    return told


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (FindPeople("#big"), [[], ["a", "b"], ["c", "d"]]),
        (FindPeople("*"), [[], ["a", "b"], ["c", "d"]]),
        (FindPeople("d*"), [[], [], ["d"]]),
        (FindPeople("e*"), [[], [], []]),
        (FindPeople("#b"), [["b"]]),
        (ListRooms(), [[], ["#big", "#b"], ["#c", "#d"]]),
        (ListRooms(("#c", "#no", "#b", "#d")), [[], ["#b", "#c"], ["#d"]]),
        (ListRooms(("#no",)), [[]]),
    ],
)
def test_a_long_answer_comes_in_parts(crowd: Ring, query: Query, found: list[list[str]]) -> None:
    assert [*parts(crowd, query)] == found


@pytest.mark.parametrize("query", [FindPeople("#big"), FindPeople("*"), ListRooms()])
def test_between_parts_some_come_and_go(crowd: Ring, query: Query) -> None:
    """Who has gone is not told of, nor who has come; others are told of as they are now."""
    told = _begun(crowd, query)
    crowd.depart("c")
    crowd.depart("b")
    crowd.close("#c")
    crowd.ask("id-d", Rename("dora"))
    crowd.enter("e", "#big", "#c")
    crowd.enter("b", "#big", "#b")
    assert next(told) == (["#d"] if query == ListRooms() else ["dora"])


def test_between_parts_somebody_leaves_the_room_or_hides(crowd: Ring) -> None:
    in_room, everywhere = _begun(crowd, FindPeople("#big")), _begun(crowd, FindPeople("*"))
    crowd.ask("id-c", Leave("#big"))
    crowd.ask("id-c", SetUserModes((Change(True, "i"),)))
    assert [next(in_room), next(everywhere)] == [["d"], ["d"]]


def test_between_parts_a_room_becomes_secret_to_those_who_have_left_it(crowd: Ring) -> None:
    told, listed = _begun(crowd, FindPeople("#big")), _begun(crowd, ListRooms())
    crowd.ask("id-a", Leave("#big"))
    crowd.happen(ModesSet("#big", "b", (Change(True, "s"),), "id-b"))
    crowd.set("#d", "+s")
    assert [next(told), next(listed)] == [[], ["#c"]]


# ── who was here ───────────────────────────────────────────────────────────────────────────────


def test_who_went_or_took_another_nickname_the_last_one_first(ring: Ring) -> None:
    assert ask(ring, "eve", FindPast("alice")) == People("alice", ())
    ring.ask("id-alice", Rename("ann"))
    first = len(ring.entries) - 1
    ring.happen(Arrived("alice", "id-2", Origin("", "second.net")))
    ring.happen(Departed("alice", "id-2"))
    second = len(ring.entries) - 1
    assert ask(ring, "eve", FindPast("Alice")) == People(
        "Alice",
        (
            UserView("alice", Origin("", "second.net"), spoke=second),
            UserView("alice", ALICE, spoke=first),
        ),
    )
    assert ask(ring, "eve", FindPast("ann")) == People("ann", ())
    ring.depart("alice")  # who is called ann now
    assert nicks(ask(ring, "eve", FindPast("ann"))) == ["ann"]


def test_whoever_writes_their_nickname_in_another_case_still_has_it(ring: Ring) -> None:
    ring.ask("id-alice", Rename("ALICE"))
    assert ask(ring, "eve", FindPast("alice")) == People("alice", ())


def test_whoever_went_is_remembered_as_they_were(ring: Ring) -> None:
    ring.ask("id-alice", Rename("ann"))
    ring.ask("id-alice", SetName("Another"))
    ring.ask("id-alice", Join("#new"))
    [seen] = ask(ring, "eve", FindPast("alice")).people  # type: ignore[attr-defined]
    assert (seen.nick, seen.origin) == ("alice", ALICE)


def test_not_more_are_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_PAST_MAX", 3)
    ring = Ring()
    ring.enter("eve")
    for nick in ("a", "b", "a", "c", "a"):
        ring.enter(nick)
        ring.depart(nick)
    assert [len(nicks(ask(ring, "eve", FindPast(nick)))) for nick in "abc"] == [2, 0, 1]
    assert len(ring.chat.past) == 3
