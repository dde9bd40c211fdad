"""Who is in which room, after all that can happen there."""

import pytest

from trio_chat.client.members import Members
from trio_chat.core.events import AwaySet, Change, Departed, Joined, Kicked, Left, ModesSet, Renamed
from trio_chat.protocols.casemapping import Casemapping
from trio_chat.protocols.client import Member, Message, OutOfRoom, Roster

AL, BO = Member("al", "@"), Member("bo")


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (Joined("#tea", "cy"), [AL, BO, Member("cy")]),
        (Joined("#tea", "cy", away="gone"), [AL, BO, Member("cy", away=True)]),
        (Left("#TEA", "BO"), [AL]),
        (Kicked("#tea", "al", "bo", ""), [AL]),
        (Departed("bo"), [AL]),
        (Renamed("al", "ann"), [BO, Member("ann", "@")]),
        (AwaySet("bo", "gone"), [AL, Member("bo", away=True)]),
        (ModesSet("#tea", "al", (Change(True, "v", "bo"),)), [AL, Member("bo", "+")]),
        (ModesSet("#tea", "al", (Change(True, "v", "al"),)), [Member("al", "@+"), BO]),
        (ModesSet("#tea", "al", (Change(False, "o", "al"),)), [Member("al"), BO]),
        (ModesSet("#tea", "al", (Change(True, "b", "bo"),)), [AL, BO]),
        (Joined("#elsewhere", "cy"), [AL, BO]),
        (Roster("#tea", (BO,)), [BO]),
        (OutOfRoom("#tea"), []),
    ],
)
def test_what_happens_in_a_room_is_known(message: Message, left: list[Member]) -> None:
    members = Members(Casemapping())
    members.update(Roster("#tea", (AL, BO)))
    members.update(message)
    assert [*members.of("#tea")] == left
    assert [*members.of("#elsewhere")] == []
