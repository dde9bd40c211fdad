"""What programs are told: an object for each message, as the schema has it."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from trio_chat import (
    Acknowledged,
    AwaySet,
    Change,
    Departed,
    Earlier,
    Failed,
    InRoom,
    Joined,
    Kicked,
    Lag,
    Left,
    Linked,
    MarkedRead,
    Mask,
    Masks,
    Member,
    ModesSet,
    Notice,
    Operator,
    Origin,
    OutOfRoom,
    PageEnd,
    Redacted,
    RemovedMeanwhile,
    Renamed,
    RoomRenamed,
    Roster,
    Said,
    Sent,
    Stamped,
    Topic,
    TopicSet,
    Typing,
    Unlinked,
)
from trio_chat.client.objects.json_messages import TYPES, Error, json_line
from trio_chat.client.objects.schema import schema
from trio_chat.protocols.client import Message

DEFS = schema()["$defs"]
OUTPUT = Draft202012Validator({"$ref": "#/$defs/Output", "$defs": DEFS})

AL = Origin("al", "home", name="Al B.", account="al1", bot=True)
ADDRESS = {"user": "al", "host": "home", "account": "al1", "bot": True}
TIME = "2026-01-31T09:30:00.000Z"
LOBBY = {"room": "#lobby"}
SAID = {**LOBBY, "nick": "al", "text": "hi", "msgid": "m1", "time": TIME}


def stamped(**more: Any) -> Stamped:
    return Stamped("#lobby", "al", "hi", msgid="m1", time=TIME, **more)


OBJECTS: list[tuple[Message, str, dict[str, Any]]] = [
    (Said("#lobby", "al", "hi"), "said", {**LOBBY, "nick": "al", "text": "hi"}),
    (Said("", "al", "hi", to="me"), "said", {"nick": "al", "text": "hi", "to": "me"}),
    (stamped(), "said", SAID),
    (stamped(origin=AL, late=True), "said", {**SAID, "late": True, **ADDRESS}),
    (
        stamped(action=True, notice=True, status="@", token="t", user_id="7", tags="+x"),
        "said",
        {**SAID, "action": True, "notice": True, "status": "@", "token": "t"},
    ),
    (Earlier(stamped(), TIME), "said", {**SAID, "earlier": True}),
    (Earlier(stamped(), TIME, found=True), "said", {**SAID, "earlier": True, "found": True}),
    (
        Earlier(Said("#lobby", "al", "hi"), TIME),
        "said",
        {**LOBBY, "nick": "al", "text": "hi", "time": TIME, "earlier": True},
    ),
    (
        Joined("#lobby", "al", origin=AL),
        "joined",
        {**LOBBY, "nick": "al", "name": "Al B.", **ADDRESS},
    ),
    (Joined("", "al"), "joined", {"nick": "al"}),
    (Left("#lobby", "al", why="bye"), "left", {**LOBBY, "nick": "al", "why": "bye"}),
    (Departed("al", why="bye", rooms=("#x",)), "departed", {"nick": "al", "why": "bye"}),
    (
        Redacted("#lobby", "al", "m1", "bob", "spam", author_id="7"),
        "redacted",
        {"room": "#lobby", "nick": "al", "msgid": "m1", "author": "bob", "why": "spam"},
    ),
    (Redacted("", "al", "m1", "", to="me"), "redacted", {"nick": "al", "msgid": "m1", "to": "me"}),
    (
        RemovedMeanwhile("#lobby", "al", "m1", ""),
        "redacted",
        {**LOBBY, "nick": "al", "msgid": "m1"},
    ),
    (
        Kicked("#lobby", "al", "bob", "loud", target_id="7"),
        "kicked",
        {**LOBBY, "nick": "al", "target": "bob", "why": "loud"},
    ),
    (Renamed("al", "alan", user_id="7", rooms=("#x",)), "renamed", {"nick": "al", "to": "alan"}),
    (
        RoomRenamed("#lobby", "al", "#tea", "better", user_id="7"),
        "room_renamed",
        {**LOBBY, "nick": "al", "to": "#tea", "why": "better"},
    ),
    (TopicSet("#lobby", "al", ""), "topic", {**LOBBY, "nick": "al", "text": ""}),
    (
        Topic("#lobby", "tea", "al", 1769851800000),
        "topic",
        {**LOBBY, "nick": "al", "text": "tea", "time": TIME, "earlier": True},
    ),
    (
        Masks("#lobby", "b", (Mask("a:al", "bob", 1769851800000, 3, 1769855400000, "spam"),)),
        "bans",
        {
            **LOBBY,
            "bans": [
                {
                    "mask": "a:al",
                    "nick": "bob",
                    "time": "2026-01-31T09:30:00.000Z",
                    "number": 3,
                    "until": "2026-01-31T10:30:00.000Z",
                    "why": "spam",
                }
            ],
        },
    ),
    (
        Masks("#lobby", "b", (Mask("*!*@x", "", 0),)),
        "bans",
        {
            **LOBBY,
            "bans": [
                {"mask": "*!*@x", "nick": "", "time": "", "number": 0, "until": "", "why": ""}
            ],
        },
    ),
    (Topic("#lobby", ""), "topic", {**LOBBY, "text": "", "earlier": True}),
    (
        Topic("#lobby", "tea", "al", 999_999_999_999_000),  # no year has five digits
        "topic",
        {**LOBBY, "nick": "al", "text": "tea", "earlier": True},
    ),
    (
        ModesSet("#lobby", "al", (Change(True, "o", "bob", user_id="7"), Change(False, "m"))),
        "modes",
        {
            **LOBBY,
            "nick": "al",
            "changes": [
                {"add": True, "mode": "o", "argument": "bob"},
                {"add": False, "mode": "m", "argument": ""},
            ],
        },
    ),
    (AwaySet("al", ""), "away", {"nick": "al", "text": ""}),
    (Notice("Hello."), "notice", {"text": "Hello."}),
    (Notice("Hello.", room="al"), "notice", {"text": "Hello.", "room": "al"}),
    (
        Roster("#lobby", (Member("al", "@", bot=True),)),
        "roster",
        {**LOBBY, "members": [{"nick": "al", "prefixes": "@", "away": False, "bot": True}]},
    ),
    (InRoom("#lobby"), "in_room", LOBBY),
    (OutOfRoom("#lobby"), "out_of_room", {**LOBBY, "why": ""}),
    (Typing("#lobby", "al", False), "typing", {**LOBBY, "nick": "al", "active": False, "to": ""}),
    (
        Sent("t", "#lobby", "hi"),
        "sent",
        {"token": "t", "target": "#lobby", "text": "hi", "action": False},
    ),
    (Acknowledged("t", "m1"), "acknowledged", {"token": "t", "msgid": "m1", "time": ""}),
    (Failed("t", "No."), "failed", {"token": "t", "why": "No."}),
    (PageEnd("al", 0, True), "page_end", {"target": "al", "count": 0, "complete": True}),
    (MarkedRead("al", ""), "marked_read", {"target": "al", "time": ""}),
    (
        Linked("me", "", frozenset("cab")),
        "linked",
        {"nick": "me", "network": "", "caps": ["a", "b", "c"]},
    ),
    (Unlinked("cut", 1.5), "unlinked", {"why": "cut", "retry": 1.5}),
    (Operator(False), "operator", {"on": False}),
    (Lag(0.5), "lag", {"seconds": 0.5}),
]


def undocumented(told: dict[str, Any]) -> set[str]:
    """Fields of which the schema knows nothing: it allows them, so that some may be added."""
    name = DEFS["Output"]["discriminator"]["mapping"][told["type"]].rpartition("/")[2]
    return set(told) - set(DEFS[name]["properties"])


@pytest.mark.parametrize(("message", "kind", "fields"), OBJECTS, ids=lambda value: str(value)[:40])
def test_each_message_is_an_object(message: Message, kind: str, fields: dict[str, Any]) -> None:
    told = json.loads(json_line(message))
    assert told == {"type": kind, **fields}
    assert next(iter(told)) == "type"
    OUTPUT.validate(told)
    assert not undocumented(told)


def test_everything_that_a_client_is_told_is_told() -> None:
    assert {type(message) for message, _, _ in OBJECTS} == {*get_args(Message), Stamped}
    assert set(TYPES) - {Error} == {*get_args(Message), Stamped} - {Earlier}


def test_an_error_is_an_object_too() -> None:
    told = json.loads(json_line(Error("No.", line=7)))
    assert told == {"type": "error", "text": "No.", "line": 7}
    OUTPUT.validate(told)


@given(st.text())
def test_nothing_that_is_printed_steers_a_terminal_or_ends_the_line(text: str) -> None:
    line = json_line(Notice(text))
    assert json.loads(line)["text"] == text
    line.encode()
    assert line.splitlines() == [line]
    assert not {char for char in line if char < " " or "\x7f" <= char <= "\x9f"}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(line)
