"""What is asked costs as much as a line, and more where the answer is long."""

import pytest

from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    Command,
    DirectMessage,
    Join,
    Remove,
    Report,
    Say,
    SetAway,
    TagMessage,
)
from trio_chat.core.queries import (
    Count,
    FindNicks,
    FindPast,
    FindPeople,
    ListMembers,
    ListRooms,
    ListTalks,
    Recall,
    Seek,
    ShowMasks,
    Span,
)
from trio_chat.core.room import Person
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import Lock
from trio_chat.protocols.session import Handled
from trio_chat.server.prices import price


def chat(people: int, rooms: int) -> Chat:
    """All of the people are in the first room, and the first of them in all rooms."""
    made = Chat(replay=0)
    for n in range(rooms):
        made.open_room(RoomState(f"#{n}"))
    for n in range(people):
        person = Person(f"{n}", f"n{n}")
        for name in [f"#{m}" for m in range(rooms)] if n == 0 else ["#0"]:
            person.rooms[name] = None
            made.rooms[name].members[person.user_id] = person
        made.people[person.user_id] = person
    return made


SMALL, LARGE = chat(people=8, rooms=3), chat(people=2000, rooms=100)


@pytest.mark.parametrize(
    ("command", "small", "large"),
    [
        (Say("#0", "hello"), 1, 1),
        (Handled(), 1, 1),
        (Join("#0"), 1, 1),
        (Join("#nowhere"), 1, 1),
        (ListMembers("#0"), 1, 11),
        (ListMembers("#1"), 1, 1),
        (FindPeople("#0"), 1, 81),
        (FindPeople("n1"), 1, 1),
        (FindPeople("n*"), 1, 100),
        (FindPeople("?"), 1, 100),
        (ListRooms(), 1, 3),
        (Count(), 1, 1),
        (ShowMasks("#0", "b"), 2, 2),
        (FindPast("n"), 3, 3),
        (FindNicks(("n1",)), 1, 1),
        (FindNicks(("n1",) * 100), 11, 11),
        (Recall("#0", Span(), 50), 1, 1),
        (Recall("#0", Span(), 100), 2, 2),
        (ListTalks(0, 1, 50), 6, 55),
        (Seek("tea", 50), 11, 59),
        (Seek("tea", 50, "#0"), 10, 10),
        (Seek(" ", 50, "#0", "n1"), 10, 10),
        (Seek(" ", 50), 3, 100),
    ],
)
def test_prices(command: Command | Handled, small: int, large: int) -> None:
    assert (price(SMALL, "0", command), price(LARGE, "0", command)) == (small, large)
    assert price(LARGE, "not in yet", command) == 1


def test_names_that_a_join_sends_are_cheap() -> None:
    assert price(chat(people=10_000, rooms=1), "0", Join("#0")) == 3


@pytest.mark.parametrize(
    ("command", "of_muted"),
    [
        (Join("#0"), 100),
        (SetAway("BUY"), 100),
        (Remove("#0"), 100),
        (DirectMessage("n0", "BUY"), 50),
        (TagMessage("+typing=active", nick="n0"), 50),
        (Report("#0", nick="n0"), 50),
        (DirectMessage("n1", "BUY"), 1),
        (Say("#0", "BUY"), 1),
    ],
)
def test_what_others_are_shown_of_the_muted_costs_these_much(
    command: Command, of_muted: int
) -> None:
    """The first is an operator of the server, to whom the muted may write."""
    small = chat(people=2, rooms=1)
    small.by_nick = {person.nick: person for person in small.people.values()}
    small.people["0"].modes = "o"
    small.people["1"].limit = Lock()
    of_others = 10 if isinstance(command, Remove | Report) else 1
    assert (price(small, "0", command), price(small, "1", command)) == (of_others, of_muted)
