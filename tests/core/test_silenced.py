"""Whoever may not speak in a room gets no words across there, in whatever way."""

import pytest

from ring import Ring, refusal
from trio_chat.core.commands import (
    DirectMessage,
    Invite,
    Join,
    Leave,
    Rename,
    Request,
    Say,
    SetAway,
    SetName,
    SetTopic,
    TagMessage,
)
from trio_chat.core.decide import parting_words
from trio_chat.core.events import AwaySet, Joined, Left, Renamed
from trio_chat.core.queries import FindNicks, FindPast, FindPeople, Query
from trio_chat.core.refusals import Code
from trio_chat.core.views import AwayReply, People, Refused

MODES = [("+b", "m:loud"), ("+b", "loud"), ("+b", "m:*!*@*"), ("+m",)]
WORDS = [
    Say("#den", "BUY"),
    Say("#den", "BUY", action=True),
    Say("#den", "BUY", notice=True),
    TagMessage("+typing=active", "#den"),
    SetTopic("#den", "BUY"),
    Invite("#den", "eve"),
]


@pytest.fixture
def ring() -> Ring:
    """Olga leads #den; Loud is in it and in #hall."""
    ring = Ring()
    ring.enter("olga", "#den")
    ring.enter("loud", "#den", "#hall")
    ring.enter("eve")
    return ring


@pytest.mark.parametrize("modes", MODES)
@pytest.mark.parametrize("request_", WORDS)
def test_words_are_refused(ring: Ring, modes: tuple[str, ...], request_: Request) -> None:
    [event] = ring.decide("id-loud", request_)
    assert not isinstance(event, Refused)
    ring.set("#den", *modes)
    assert refusal(ring.decide("id-loud", request_)).code is Code.CANNOT_SAY


@pytest.mark.parametrize("modes", MODES)
def test_who_leaves_does_it_without_a_word(ring: Ring, modes: tuple[str, ...]) -> None:
    ring.set("#den", *modes)
    [left] = ring.decide("id-loud", Leave("#den", "BUY"))
    assert left == Left("#den", "loud", "id-loud")
    [left] = ring.decide("id-loud", Leave("#hall", "bye"))
    assert left == Left("#hall", "loud", "id-loud", "bye")
    assert parting_words(ring.chat, ring.person("loud"), "quit", "BUY") == "quit"
    ring.ask("id-loud", Leave("#den"))
    assert parting_words(ring.chat, ring.person("loud"), "quit", "bye") == "Quit: bye"


@pytest.mark.parametrize("modes", MODES)
def test_what_is_shown_of_a_person_is_not_theirs_to_choose(
    ring: Ring, modes: tuple[str, ...]
) -> None:
    ring.set("#den", *modes)
    [away] = ring.decide("id-loud", SetAway("BUY"))
    assert isinstance(away, AwaySet)
    assert away.text == "Away"
    [back] = ring.decide("id-loud", SetAway(""))
    assert isinstance(back, AwaySet)
    assert back.text == ""
    assert refusal(ring.decide("id-loud", SetName("BUY"))).code is Code.CANNOT_SET_NAME


def test_nor_is_it_when_they_come_in(ring: Ring) -> None:
    ring.set("#den", "+b", "m:loud")
    ring.ask("id-loud", Leave("#den"))
    ring.ask("id-loud", SetAway("BUY"))
    [joined] = ring.decide("id-loud", Join("#den"))
    assert isinstance(joined, Joined)
    assert joined.away == "Away"


@pytest.mark.parametrize("modes", MODES)
def test_nor_are_words_of_before_shown_to_who_asks(ring: Ring, modes: tuple[str, ...]) -> None:
    """But to themselves, and to operators of the server."""
    ring.ask("id-loud", SetName("BUY"))
    ring.ask("id-loud", SetAway("BUY"))
    ring.set("#den", *modes)
    for query in (FindPeople("#den"), FindPeople("loud"), FindNicks(("loud",)), FindPeople("*")):
        assert _told_of_loud(ring, "olga", query) == ("loud", "Away")
        assert _told_of_loud(ring, "loud", query) == ("BUY", "BUY")
    [_, absent] = ring.decide("id-eve", DirectMessage("loud", "hi"))
    assert absent == AwayReply("loud", "Away")
    ring.make_operator("eve")
    assert _told_of_loud(ring, "eve", FindNicks(("loud",))) == ("BUY", "BUY")
    ring.depart("loud")
    assert _told_of_loud(ring, "eve", FindPast("loud")) == ("loud", "")


def _told_of_loud(ring: Ring, asker: str, query: Query) -> tuple[str, str]:
    """Their name, and why they are away."""
    [answer] = ring.chat.answer(f"id-{asker}", query)
    assert isinstance(answer, People)
    [seen] = (seen for seen in answer.people if seen.nick == "loud")
    return seen.origin.name, seen.away


@pytest.mark.parametrize("mode", [("+b", "m:loud"), ("+b", "LOUD"), ("+b", "*!*@*")])
def test_nobody_escapes_by_another_nickname(ring: Ring, mode: tuple[str, str]) -> None:
    ring.set("#den", *mode)
    refused = refusal(ring.decide("id-loud", Rename("quiet")))
    assert (refused.code, refused.about) == (Code.CANNOT_RENAME, ("quiet", "#den"))
    ring.ask("id-loud", Leave("#den"))
    [renamed] = ring.decide("id-loud", Rename("quiet"))
    assert isinstance(renamed, Renamed)


def test_where_only_some_may_speak_a_nickname_may_be_changed(ring: Ring) -> None:
    ring.set("#den", "+m")
    [renamed] = ring.decide("id-loud", Rename("quiet"))
    assert isinstance(renamed, Renamed)


@pytest.mark.parametrize("status", "ov")
@pytest.mark.parametrize("request_", [*WORDS, Rename("quiet"), SetName("Loud L.")])
def test_who_has_a_voice_may_all_that(ring: Ring, status: str, request_: Request) -> None:
    ring.set("#den", f"+mb{status}", "m:*!*@*", "loud")
    [event] = ring.decide("id-loud", request_)
    assert not isinstance(event, Refused)
