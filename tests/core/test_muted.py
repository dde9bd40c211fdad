"""Whoever is muted in the whole chat, by a ban or by the lock, gets no words of theirs across."""

import pytest

from ring import Ring, changes, refusal
from trio_chat.core.commands import (
    DirectMessage,
    Invite,
    Join,
    Kick,
    Leave,
    Redact,
    Rename,
    Request,
    Say,
    SetAway,
    SetMetadata,
    SetModes,
    SetName,
    SetRoomBan,
    SetTopic,
    TagMessage,
)
from trio_chat.core.decide import parting_words
from trio_chat.core.events import (
    AwaySet,
    Banned,
    Entry,
    Joined,
    Kicked,
    Left,
    Locked,
    OfRealm,
    Origin,
    Redacted,
    Said,
)
from trio_chat.core.queries import FindNicks
from trio_chat.core.refusals import Code
from trio_chat.core.views import People, Refused

LIMITS = [
    (Banned(1, "mask", "loud!*@*", mute=True), "You may not speak in this chat for good, ban 1."),
    (
        Locked(why="raid"),
        "This chat is locked (raid): only people with an account may speak.",
    ),
]
WORDS = [
    Say("#den", "BUY"),
    Say("#den", "BUY", action=True),
    Say("#den", "BUY", notice=True),
    TagMessage("+typing=active", "#den"),
    TagMessage("+react=BUY", nick="eve"),
    DirectMessage("eve", "BUY"),
    SetTopic("#den", "BUY"),
    SetModes("#den", changes("+b", "BUY!*@*")),
    SetRoomBan("#den", "carl", why="BUY"),
    SetName("BUY"),
    Rename("BUY"),
    Invite("#den", "eve"),
    SetMetadata((("url", "BUY"),)),
    SetMetadata((("url", "BUY"),), room="#den"),
]


@pytest.fixture
def ring() -> Ring:
    """Loud leads #den, and is there with carl; olga is an operator of the server."""
    ring = Ring()
    ring.enter("loud", "#den", "#hall", origin=Origin(name="BUY"))
    ring.enter("carl", "#den")
    ring.enter("eve")
    ring.enter("olga")
    ring.make_operator("olga")
    return ring


@pytest.mark.parametrize(("limit", "why"), LIMITS)
@pytest.mark.parametrize("request_", WORDS)
def test_words_are_refused(ring: Ring, limit: OfRealm, why: str, request_: Request) -> None:
    assert not isinstance(ring.decide("id-loud", request_)[0], Refused)
    ring.happen(limit)
    refused = refusal(ring.decide("id-loud", request_))
    assert refused.why == why
    in_the_room = isinstance(request_, Say | SetTopic | Invite) or "typing" in repr(request_)
    assert refused.code is (Code.CANNOT_SAY if in_the_room else Code.MUTED)


@pytest.mark.parametrize("limit", [limit for limit, _ in LIMITS])
def test_operators_of_the_server_can_be_written_to(ring: Ring, limit: OfRealm) -> None:
    ring.happen(limit)
    [said] = ring.decide("id-loud", DirectMessage("olga", "what is it?"))
    assert not isinstance(said, Refused)


@pytest.mark.parametrize("limit", [limit for limit, _ in LIMITS])
def test_what_is_shown_of_them_is_not_theirs_to_choose(ring: Ring, limit: OfRealm) -> None:
    ring.happen(limit)
    [left] = ring.decide("id-loud", Leave("#den", "BUY"))
    assert isinstance(left, Left)
    assert left.why == ""
    [kicked] = ring.decide("id-loud", Kick("#den", "carl", "BUY"))
    assert isinstance(kicked, Kicked)
    assert kicked.why == ""
    [away] = ring.decide("id-loud", SetAway("BUY"))
    assert isinstance(away, AwaySet)
    assert away.text == "Away"
    assert parting_words(ring.chat, ring.person("loud"), "quit", "BUY") == "quit"
    [joined] = ring.decide("id-loud", Join("#new"))
    assert isinstance(joined, Joined)
    assert joined.origin.name == "loud"
    for room in ("#den", "id-eve,id-loud"):
        entry = Entry(room, "1", Said(room, "loud", "hi", "id-loud"))
        [redacted] = ring.decide("id-loud", Redact(entry, 0, "BUY"))
        assert isinstance(redacted, Redacted)
        assert redacted.why == ""
    [people] = ring.chat.answer("id-eve", FindNicks(("loud",)))
    assert isinstance(people, People)
    assert people.people[0].origin.name == "loud"
