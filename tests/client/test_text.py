"""How messages look, as text and as JSON."""

import json
from datetime import datetime, timedelta

import pytest

from trio_chat import Earlier, Joined, Message, Notice, Said, Stamped
from trio_chat.client.text import coloured_text, dated_text, json_line, plain_text
from trio_chat.core.events import AwaySet
from trio_chat.protocols.client import Linked, Member, Roster

NOON = datetime.now().astimezone().replace(hour=12, minute=34)
TODAY = NOON.isoformat()
LONG_AGO = (NOON - timedelta(days=400)).isoformat()
DAY = f"{NOON - timedelta(days=400):%Y-%m-%d}"


def said(time: str, late: bool = False) -> Stamped:
    return Stamped("#lobby", "al", "hi", msgid="m1", time=time, late=late)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (said(TODAY), "al: hi"),
        (said(TODAY, late=True), "[12:34] al: hi"),
        (said(LONG_AGO, late=True), f"[{DAY} 12:34] al: hi"),
        (Earlier(said(TODAY), TODAY), "[12:34] al: hi"),
        (Earlier(Said("#lobby", "al", "hi")), "al: hi"),
        (said("", late=True), "al: hi"),
        (said("yesterday", late=True), "al: hi"),
        (said("0001-01-01T00:00:00.000Z", late=True), None),
        (Notice("hi"), "*** hi"),
        (Joined("#lobby", "al"), "al joined!"),
    ],
)
def test_what_was_not_said_just_now_has_its_time(message: Message, text: str | None) -> None:
    assert dated_text(message).endswith(text or "al: hi")
    assert text is None or dated_text(message) == text
    assert not plain_text(message).startswith("[")


def test_the_colour_is_the_nicknames_and_not_the_times() -> None:
    text = coloured_text(said(TODAY, late=True))
    assert text.startswith("\x1b[2m[12:34] \x1b[0m\x1b[38;5;")
    assert coloured_text(said(TODAY)) == text.removeprefix("\x1b[2m[12:34] \x1b[0m")


def test_json_has_what_the_server_has_noted() -> None:
    fields = {"type": "said", "room": "#lobby", "nick": "al", "text": "hi", "msgid": "m1"}
    assert json.loads(json_line(said("t"))) == {**fields, "time": "t"}
    assert json.loads(json_line(said("t", late=True))) == {**fields, "time": "t", "late": True}
    earlier = {**fields, "time": "t", "earlier": True}
    assert json.loads(json_line(Earlier(said("t"), "t"))) == earlier


def test_programs_get_all_that_a_client_in_many_rooms_is_told() -> None:
    roster = Roster("#tea", (Member("al", "@"),))
    members = [{"nick": "al", "prefixes": "@", "away": False, "bot": False}]
    assert json.loads(json_line(roster)) == {"type": "roster", "room": "#tea", "members": members}
    linked = {"type": "linked", "nick": "me", "network": "", "caps": ["a", "b"]}
    assert json.loads(json_line(Linked("me", "", frozenset("ba")))) == linked
    away = AwaySet("al", "lunch")
    assert json.loads(json_line(away)) == {"type": "away", "nick": "al", "text": "lunch"}
    assert plain_text(roster) == ""
