"""How messages look as text."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from trio_chat import Earlier, Joined, Message, Notice, Said, Stamped
from trio_chat.client.text import coloured_text, dated_text, plain_text
from trio_chat.protocols.client import Member, Roster

ANSI = re.compile("\x1b\\[[0-9;]*m")
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


def test_the_nickname_has_the_colour_where_somebody_acts_in_a_room_and_in_private() -> None:
    waves = Stamped("#lobby", "al", "waves", action=True)
    assert ANSI.sub("|", coloured_text(waves)) == "* |al| waves"
    private = replace(waves, room="", to="bo")
    assert ANSI.sub("|", coloured_text(private)) == "|al| -> bo: * al waves"


def test_what_is_shown_beside_the_messages_has_no_text() -> None:
    assert plain_text(Roster("#tea", (Member("al", "@"),))) == ""
