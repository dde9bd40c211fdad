"""What happens in rooms with modes, and to people; and who hears it."""

from collections.abc import Sequence

import pytest

from ring import Ring, changes, heard
from trio_chat.core.commands import (
    Announce,
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
from trio_chat.core.events import (
    Announced,
    Arrived,
    AwaySet,
    Departed,
    Invited,
    Joined,
    Kicked,
    ModesSet,
    NameSet,
    Origin,
    Renamed,
    Said,
    Signalled,
    UserModesSet,
)
from trio_chat.core.views import Copy, Delivery, Presence, RoomWelcome

INSIDE = {"id-olga", "id-vera", "id-mark"}


@pytest.fixture
def ring() -> Ring:
    """In #den are Olga, its operator, Vera, who has a voice, and Mark; Eve is outside."""
    ring = Ring(room_modes="")
    for nick in ("olga", "vera", "mark"):
        ring.enter(nick, "#den")
    ring.set("#den", "+v", "vera")
    ring.enter("eve")
    return ring


def recent(ring: Ring, nick: str) -> list[str]:
    """What somebody is shown who joins now."""
    _, delivery = ring.ask(f"id-{nick}", Join("#den"))
    assert isinstance(delivery.shown, RoomWelcome)
    return [entry.event.text for entry in delivery.shown.recent]


# ── said ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("nick", "status", "hearers"),
    [
        ("olga", "@", {"id-olga"}),
        ("olga", "+", {"id-olga", "id-vera"}),
        ("vera", "@", {"id-olga", "id-vera"}),
        ("mark", "@", {"id-olga", "id-mark"}),
        ("mark", "+", INSIDE),
        ("eve", "@", {"id-olga", "id-eve"}),
    ],
)
def test_those_hear_it_who_have_at_least_the_status_and_who_said_it(
    ring: Ring, nick: str, status: str, hearers: set[str]
) -> None:
    requests: Sequence[Request] = (
        Say("#den", "hi", status=status),
        TagMessage("+a", "#den", status=status),
    )
    for request in requests:
        [(event, by)] = heard(ring.chat, ring.ask(f"id-{nick}", request))
        assert isinstance(event, Said | Signalled)
        assert by == hearers


def test_whoever_speaks_from_outside_hears_it_aside(ring: Ring) -> None:
    said = Said("#den", "eve", "hi", "id-eve")
    deliveries = ring.ask("id-eve", Say("#den", "hi"))
    assert heard(ring.chat, deliveries) == [(said, INSIDE), (Copy(said), {"id-eve"})]
    assert recent(ring, "eve") == ["hi"]


def test_what_is_said_to_a_room_or_somebody_that_have_gone_is_heard_by_nobody_else(
    ring: Ring,
) -> None:
    assert ring.happen(Said("#gone", "eve", "hi", "id-eve")) == []
    assert ring.happen(Signalled("#gone", "eve", "+a", "id-eve")) == []
    assert ring.happen(Invited("#gone", "eve", "olga", "id-eve", "id-olga")) == []
    assert ring.happen(Invited("#den", "olga", "gone", "id-olga", "id-gone")) == []


def test_only_what_is_said_counts_as_speaking(ring: Ring) -> None:
    for nick, request in (
        ("olga", Say("#den", "hi")),
        ("vera", TagMessage("+typing=active", "#den")),
        ("mark", SetTopic("#den", "tea")),
    ):
        ring.ask(f"id-{nick}", request)
    spoke = {nick: ring.person(nick).spoke > ring.person("eve").spoke for nick in ("olga", "vera")}
    assert spoke == {"olga": True, "vera": False}
    assert ring.person("mark").spoke == ring.person("mark").since


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def test_whoever_comes_into_a_room_that_all_have_left_becomes_its_operator(ring: Ring) -> None:
    ring.ask("id-eve", Join("#new"))
    created = len(ring.entries) - 1
    ring.ask("id-eve", Leave("#new"))
    ring.ask("id-mark", Join("#new"))
    assert ring.chat.rooms["#new"].status == {"id-mark": "o"}
    assert ring.chat.rooms["#new"].state.created == created


def test_all_in_the_room_hear_who_is_kicked_and_so_does_who_is_kicked(ring: Ring) -> None:
    kicked = Kicked("#den", "olga", "mark", "noise", "id-olga", "id-mark")
    deliveries = ring.ask("id-olga", Kick("#den", "mark", "noise"))
    assert heard(ring.chat, deliveries) == [
        (kicked, {"id-olga", "id-vera"}),
        (kicked, {"id-mark"}),
    ]
    assert "id-mark" not in ring.chat.rooms["#den"].members
    assert "#den" not in ring.person("mark").rooms


@pytest.mark.parametrize("departs", [True, False])
def test_whoever_goes_before_they_are_kicked_is_not_kicked(ring: Ring, departs: bool) -> None:
    [kicked] = ring.decide("id-olga", Kick("#den", "mark"))
    assert isinstance(kicked, Kicked)
    if departs:
        ring.depart("mark")
    else:
        ring.ask("id-mark", Leave("#den"))
    assert ring.happen(kicked) == []
    assert ring.chat.rooms["#den"].state == ring.state_from_log("#den")


def test_who_is_invited_and_the_operators_hear_of_it(ring: Ring) -> None:
    ring.set("#den", "+o", "vera")
    for by, others in (("mark", {"id-olga", "id-vera"}), ("olga", {"id-vera"})):
        deliveries = ring.ask(f"id-{by}", Invite("#den", "eve"))
        invited = Invited("#den", by, "eve", f"id-{by}", "id-eve")
        assert heard(ring.chat, deliveries) == [(invited, {"id-eve"}), (Copy(invited), others)]


def test_whoever_goes_before_they_are_given_a_status_does_not_get_it(ring: Ring) -> None:
    [event] = ring.decide("id-olga", SetModes("#den", changes("+o", "mark")))
    assert isinstance(event, ModesSet)
    ring.ask("id-mark", Leave("#den"))
    ring.happen(event)
    assert "id-mark" not in ring.chat.rooms["#den"].status


# ── themselves ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("request_", "event"),
    [
        (SetAway("tea"), AwaySet("mark", "tea", "id-mark")),
        (SetName("M"), NameSet("mark", "id-mark", Origin(name="M"))),
        (Rename("Mark"), Renamed("mark", "Mark", "id-mark", rooms=("#den", "#two"))),
    ],
)
def test_whoever_shares_two_rooms_or_watches_hears_of_somebody_once(
    ring: Ring, request_: Request, event: object
) -> None:
    ring.ask("id-vera", Join("#two"))
    ring.ask("id-mark", Join("#two"))
    ring.chat.watch("id-vera", ["mark"])
    ring.chat.watch("id-mark", ["mark"])
    assert heard(ring.chat, ring.ask("id-mark", request_)) == [(event, INSIDE)]


def test_only_they_themselves_hear_of_their_own_modes(ring: Ring) -> None:
    made = changes("+iB")
    deliveries = ring.ask("id-mark", SetUserModes(made))
    assert heard(ring.chat, deliveries) == [(UserModesSet("mark", made, "id-mark"), {"id-mark"})]
    assert ring.person("mark").modes == "Bi"
    assert ring.person("mark").origin.bot
    ring.ask("id-mark", SetUserModes(changes("-B")))
    assert ring.person("mark").modes == "i"
    assert not ring.person("mark").origin.bot


def test_operators_and_who_wants_to_hear_announcements(ring: Ring) -> None:
    ring.make_operator("olga")
    ring.make_operator("vera")
    ring.ask("id-eve", SetUserModes(changes("+w")))
    deliveries = ring.ask("id-olga", Announce("tea"))
    announced = Announced("olga", "tea", "id-olga")
    assert heard(ring.chat, deliveries) == [(announced, {"id-olga", "id-vera", "id-eve"})]


# ── watchers ───────────────────────────────────────────────────────────────────────────────────

ZOE = Origin("z", "zoe.net")


def presences(deliveries: Sequence[Delivery]) -> list[Presence]:
    """Each is for the one whom it names."""
    found = [d for d in deliveries if isinstance(d.shown, Presence)]
    assert all(d.devices == (f"id-{d.shown.watcher}",) and not d.rooms for d in found)  # type: ignore[union-attr]
    return [d.shown for d in found]  # type: ignore[misc]


def test_a_watcher_hears_who_comes_renames_and_goes(ring: Ring) -> None:
    ring.chat.watch("id-eve", ["ZOE", "zed"])
    ring.chat.watch("id-mark", ["zed"])
    arrived = ring.happen(Arrived("Zoe", "id-zoe", ZOE))
    assert presences(arrived) == [Presence("eve", "Zoe", ZOE)]
    assert presences(ring.ask("id-zoe", Rename("zoe"))) == []
    renamed = ring.ask("id-zoe", Rename("Zed"))
    assert presences(renamed) == [
        Presence("eve", "zoe"),
        Presence("eve", "Zed", ZOE),
        Presence("mark", "Zed", ZOE),
    ]
    departed = ring.happen(Departed("Zed", "id-zoe"))
    assert presences(departed) == [Presence("eve", "Zed"), Presence("mark", "Zed")]


def test_who_watches_no_more_or_is_gone_hears_nothing(ring: Ring) -> None:
    ring.chat.watch("id-eve", ["zoe", "zed"])
    ring.chat.watch("id-mark", ["zoe"])
    ring.chat.unwatch("id-eve", ["ZOE", "never"])
    ring.depart("mark")
    assert ring.happen(Arrived("zoe", "id-zoe")) == []
    assert presences(ring.ask("id-zoe", Rename("zed"))) == [Presence("eve", "zed", Origin())]


def test_nothing_is_kept_of_watches_that_have_ended(ring: Ring) -> None:
    ring.chat.watch("id-eve", ["zoe", "zed"])
    ring.chat.watch("id-mark", ["zoe"])
    ring.chat.unwatch("id-eve", ["zoe", "zed", "zed"])
    assert ring.chat.watchers == {"zoe": {"id-mark": None}}
    ring.depart("mark")
    assert ring.chat.watchers == {}


def test_a_watcher_from_elsewhere_hears_of_somebody_aside(ring: Ring) -> None:
    ring.chat.watch("id-eve", ["mark"])
    ring.chat.watch("id-olga", ["mark"])
    event = AwaySet("mark", "tea", "id-mark")
    deliveries = ring.ask("id-mark", SetAway("tea"))
    assert heard(ring.chat, deliveries) == [(event, INSIDE), (Copy(event), {"id-eve"})]


# ── the fold ───────────────────────────────────────────────────────────────────────────────────


def test_a_join_that_nobody_saw_does_not_change_when_the_room_was_made(ring: Ring) -> None:
    """It is in the log, and so in the state of whoever takes the room up again."""
    made = len(ring.entries)
    [joined] = ring.decide("id-eve", Join("#new"))
    assert isinstance(joined, Joined)
    ring.close("#new")
    assert ring.happen(joined) == []
    ring.ask("id-mark", Join("#new"))
    assert ring.chat.rooms["#new"].state.created == made
    assert ring.chat.rooms["#new"].state == ring.state_from_log("#new")
