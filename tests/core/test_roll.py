"""Names that are kept ready are those that would be written anew."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring
from trio_chat.core import answers, roll
from trio_chat.core.answers import members_of
from trio_chat.core.events import (
    AwaySet,
    Change,
    Departed,
    Event,
    Joined,
    Kicked,
    Left,
    ModesSet,
    NameSet,
    Origin,
    Renamed,
    UserModesSet,
)
from trio_chat.core.queries import ListMembers
from trio_chat.core.roll import Roll
from trio_chat.core.views import Members
from trio_chat.protocols.irc.dialect import irc_dialect

NICKS = [f"n{number}" for number in range(12)]
DIALECTS = [
    irc_dialect(frozenset(caps), "srv")
    for caps in ([], ["multi-prefix"], ["userhost-in-names"], ["multi-prefix", "userhost-in-names"])
]


def event(ring: Ring, kind: str, nick: str, letter: str, add: bool) -> Event | None:
    """Something that can happen to somebody, who comes from nowhere if they are not here."""
    user_id = f"id-{nick}"
    person = ring.chat.people.get(user_id)
    if person is None:
        ring.enter(nick)
        return None
    inside, change = "#r" in person.rooms, Change(add, letter, nick, user_id)
    match kind:
        case "join" if not inside:
            return Joined("#r", person.nick, user_id)
        case "leave" if inside:
            return Left("#r", person.nick, user_id)
        case "kick" if inside:
            return Kicked("#r", "x", person.nick, "", "", user_id)
        case "status":
            return ModesSet("#r", "x", (change,), user_id)
        case "rename":
            return Renamed(person.nick, f"{nick}{letter}", user_id)
        case "modes":
            return UserModesSet(person.nick, (Change(add, {"o": "i", "v": "B"}[letter]),), user_id)
        case "name":
            return NameSet(person.nick, user_id, Origin(letter, "host", letter))
        case "away":
            return AwaySet(person.nick, letter, user_id)
        case "depart":
            return Departed(person.nick, user_id)
    return None


def names(members: Members) -> Sequence[Sequence[str]]:
    """The names in each way of writing, however they are divided into lines."""
    return [
        [name for line in dialect.names("me", members) for name in line.split(":")[2].split()]
        for dialect in DIALECTS
    ]


kinds = st.sampled_from(
    ["join", "join", "leave", "kick", "status", "rename", "modes", "name", "away", "depart"]
)
step = st.tuples(kinds, st.sampled_from(NICKS), st.sampled_from("ov"), st.booleans(), st.booleans())


@given(st.lists(step, min_size=10, max_size=30), st.sampled_from([1, 2, 3]))
def test_names_kept_ready_are_those_written_anew(
    steps: list[tuple[str, str, str, bool, bool]], size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(roll, "SIZE", size)
        patch.setattr(answers, "SIZE", size)
        ring = Ring()
        ring.open("#r")
        ring.enter("outsider")
        for nick in ("insider", *NICKS[:7]):
            ring.enter(nick, "#r")
        for kind, nick, letter, add, asks in steps:
            if happened := event(ring, kind, nick, letter, add):
                ring.happen(happened)
            room = ring.chat.rooms["#r"]
            for asker in ("insider", "outsider") if asks else ():
                person = ring.person(asker)
                kept = members_of(room, person)
                room.roll, ready = None, room.roll
                anew = members_of(room, person)
                room.roll = ready
                assert kept.people == anew.people
                assert names(kept) == names(anew)
                assert len(kept.blocks) <= 2 * (len(room.members) // size + 1) + 1
                assert all(len(block.people) <= size for block in kept.blocks)


def test_a_change_concerns_one_block_and_coming_and_going_leaves_nothing_behind() -> None:
    ring = Ring()
    for number in range(120):
        ring.enter(f"n{number}", "#r")
    room = ring.chat.rooms["#r"]

    def blocks() -> Sequence[object]:
        [found] = ring.chat.answer("id-n0", ListMembers("#r"))
        assert isinstance(found, Members)
        return found.blocks

    before = blocks()
    assert len(before) == 3
    ring.happen(Renamed("n60", "other", "id-n60"))
    ring.enter("new", "#r")
    after = blocks()
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, False]
    for number in range(200):
        ring.enter(f"v{number}", "#r")
        ring.depart(f"v{number}")
    assert room.roll is None


def test_nothing_is_kept_of_a_small_room() -> None:
    ring = Ring()
    for number in range(50):
        ring.enter(f"n{number}", "#r")
    [*_] = ring.chat.answer("id-n0", ListMembers("#r"))
    assert ring.chat.rooms["#r"].roll is None
    ring.enter("one", "#r")
    [*_] = ring.chat.answer("id-n0", ListMembers("#r"))
    assert isinstance(ring.chat.rooms["#r"].roll, Roll)
