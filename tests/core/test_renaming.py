"""Another name for a room: who may give it, what moves, and who is told."""

import pytest

from ring import Ring, heard, refusal
from trio_chat.core.commands import Invite, Join, Kick, RenameRoom, Request, Say, SetMetadata
from trio_chat.core.events import RoomRenamed
from trio_chat.core.refusals import Code
from trio_chat.core.views import Members, RoomMoved, RoomWelcome

INSIDE = {"id-olga", "id-mark"}


@pytest.fixture
def ring() -> Ring:
    """Olga leads #den, where Mark is, too; Eve is elsewhere."""
    ring = Ring(room_modes="")
    ring.chat.lobby = "#lobby"
    ring.enter("olga", "#den")
    ring.enter("mark", "#den", "#hall")
    ring.enter("eve", "#cave")
    return ring


def rename(ring: Ring, to: str = "#Den2", nick: str = "olga") -> list[tuple[object, set[str]]]:
    return heard(ring.chat, ring.ask(f"id-{nick}", RenameRoom("#den", to, "why")))


def test_each_member_is_told_with_what_it_takes_to_enter_anew(ring: Ring) -> None:
    told = rename(ring)
    assert [hearers for _, hearers in told] == [{"id-olga"}, {"id-mark"}]
    for moved, _ in told:
        assert isinstance(moved, RoomMoved)
        assert (moved.event.room, moved.event.to, moved.event.why) == ("#den", "#Den2", "why")
        assert isinstance(moved.members, Members)
        assert [seen.nick for seen in moved.members.people] == ["olga", "mark"]


def test_everything_moves(ring: Ring) -> None:
    ring.set("#den", "+bk", "eve", "key")
    ring.ask("id-olga", Say("#den", "hello"))
    ring.ask("id-olga", Invite("#den", "eve"))
    before = ring.chat.rooms["#den"].state
    rename(ring)
    assert "#den" not in ring.chat.rooms
    room = ring.chat.rooms["#den2"]
    assert (room.state.name, room.state.key, room.state.masks) == (
        "#Den2",
        before.key,
        before.masks,
    )
    assert [*ring.person("mark").rooms] == ["#den2", "#hall"]
    assert ring.chat.rooms["#den2"].status == {"id-olga": "o"}
    assert [entry.event.room for entry in room.recent] == ["#Den2"]  # type: ignore[union-attr]
    _, welcome = ring.ask("id-eve", Join("#den2"))  # by the invitation, in spite of the ban
    assert isinstance(welcome.shown, RoomWelcome)
    assert ring.person("eve").invited == ()


def test_the_old_name_is_free(ring: Ring) -> None:
    rename(ring)
    assert refusal(ring.decide("id-mark", Say("#den", "late"))).code is Code.NO_SUCH_ROOM
    ring.ask("id-eve", Join("#den"))
    assert ring.chat.rooms["#den"].status == {"id-eve": "o"}
    assert ring.chat.rooms["#den"].members.keys() == {"id-eve"}


@pytest.mark.parametrize(
    ("nick", "request_", "code"),
    [
        ("mark", RenameRoom("#den", "#new"), Code.NEED_OP),
        ("eve", RenameRoom("#den", "#new"), Code.NEED_OP),
        ("olga", RenameRoom("#none", "#new"), Code.NO_SUCH_ROOM),
        ("olga", RenameRoom("#den", "#HALL"), Code.ROOM_NAME_TAKEN),
        ("olga", RenameRoom("#den", "#lobby"), Code.ROOM_NAME_TAKEN),
        ("olga", RenameRoom("#den", "new"), Code.CANNOT_RENAME_ROOM),
        ("olga", RenameRoom("#den", "#a b"), Code.CANNOT_RENAME_ROOM),
        ("olga", RenameRoom("#den", "#" + "x" * 60), Code.CANNOT_RENAME_ROOM),
    ],
)
def test_what_is_refused(ring: Ring, nick: str, request_: Request, code: Code) -> None:
    assert refusal(ring.decide(f"id-{nick}", request_)).code is code


def test_the_lobby_keeps_its_name(ring: Ring) -> None:
    ring.enter("boss", "#lobby")
    ring.make_operator("boss")
    refused = refusal(ring.decide("id-boss", RenameRoom("#lobby", "#new")))
    assert refused.code is Code.CANNOT_RENAME_ROOM


def test_an_operator_of_the_server_may_do_it_from_outside_and_is_told(ring: Ring) -> None:
    ring.make_operator("eve")
    assert ring.chat.is_repair("id-eve", RenameRoom("#den", "#new"))
    *_, (event, hearers) = rename(ring, nick="eve")
    assert isinstance(event, RoomRenamed)
    assert hearers == {"id-eve"}


def test_capitals_may_change(ring: Ring) -> None:
    rename(ring, "#DEN")
    assert ring.chat.rooms["#den"].state.name == "#DEN"
    assert ring.state_from_log("#den").name == "#DEN"
    assert ring.decide("id-olga", RenameRoom("#den", "#DEN")) == []


def test_rights_go_on(ring: Ring) -> None:
    rename(ring)
    ring.chat.decide("id-olga", SetMetadata((("a", "b"),), "#den2"))
    ring.ask("id-olga", Kick("#den2", "mark"))
    assert [*ring.person("mark").rooms] == ["#hall"]
