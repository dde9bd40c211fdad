"""What programs may ask for: what each line means, and what is said of one that means nothing."""

import json
from dataclasses import fields as fields_of
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from trio_chat.client import requests
from trio_chat.client.objects.json_requests import BadRequest, read_request
from trio_chat.client.objects.schema import schema
from trio_chat.protocols.client import Sent
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState

TOKEN = "0123456789abcdef"
TIME = "2026-01-31T09:30:00.000Z"
INPUT = Draft202012Validator({"$ref": "#/$defs/Input", "$defs": schema()["$defs"]})

MEANINGS: list[tuple[dict[str, Any], requests.Request]] = [
    ({"type": "say", "text": "hi", "token": TOKEN}, requests.Say("hi", "#first", token=TOKEN)),
    (
        {"type": "say", "text": "a\nb", "target": "al", "action": True, "token": TOKEN},
        requests.Say("a\nb", "al", True, TOKEN),
    ),
    ({"type": "resend", "token": TOKEN}, requests.ResendText(TOKEN)),
    ({"type": "join", "room": "#tea"}, requests.Join("#tea")),
    ({"type": "join", "room": "#tea", "key": "k"}, requests.Join("#tea", "k")),
    ({"type": "part", "room": "#tea", "why": "late"}, requests.Part("#tea", "late")),
    ({"type": "history"}, requests.History("#first", "", 100)),
    (
        {"type": "history", "target": "al", "before": "m1", "limit": 5},
        requests.History("al", "m1", 5),
    ),
    ({"type": "mark_read"}, requests.ReadUpTo("#first", "")),
    ({"type": "mark_read", "target": "al", "time": TIME}, requests.ReadUpTo("al", TIME)),
    ({"type": "typing"}, requests.TypingState("#first", True)),
    ({"type": "typing", "target": "al", "active": False}, requests.TypingState("al", False)),
    ({"type": "command", "line": "/topic tea"}, requests.SlashCommand("/topic tea", "#first")),
    ({"type": "raw", "line": "VERSION"}, requests.Raw("VERSION")),
    ({"type": "away", "text": "lunch"}, requests.GoAway("lunch")),
    ({"type": "away"}, requests.GoAway("")),
    ({"type": "quit"}, requests.Leave("")),
    ({"type": "quit", "why": "late"}, requests.Leave("late")),
]


def read(line: bytes) -> requests.Request:
    return read_request(line, "#first")


@pytest.mark.parametrize(("told", "meant"), MEANINGS, ids=lambda value: str(value)[:40])
def test_each_object_is_a_request(told: dict[str, Any], meant: requests.Request) -> None:
    assert read(json.dumps(told).encode()) == meant
    INPUT.validate(told)


def test_everything_that_a_client_can_be_asked_can_be_asked_for() -> None:
    assert {(told["type"], type(meant)) for told, meant in MEANINGS} == {*requests.KINDS.items()}


def test_a_text_without_a_token_has_one_of_its_own() -> None:
    first, second = (read(b'{"type": "say", "text": "hi"}') for _ in range(2))
    assert isinstance(first, requests.Say)
    assert isinstance(second, requests.Say)
    assert first.token != second.token
    assert len(first.token) == 32


WRONG = [
    ({"type": "sya", "text": "hi"}, 'There is no type "sya". There are say, resend, join, '),
    ({"text": "hi"}, '"type" is missing. There are say, '),
    ({"type": "a\nb"}, 'There is no type "a\\nb".'),
    ({"type": 5}, 'There is no type "5".'),
    ({"type": ["say"]}, "There is no type "),
    ({"type": "say"}, '"text" is missing in say.'),
    ({"type": "say", "text": 5}, '"text" in say must be a valid string.'),
    ({"type": "say", "text": " \n\x01 "}, '"text" in say must be a text that is not blank.'),
    ({"type": "say", "text": "hi", "txet": 1}, 'There is no "txet" in say.'),
    ({"type": "say", "text": "hi", "x" * 900: 1}, f'There is no "{"x" * 50}" in say.'),
    ({"type": "say", "text": "hi", "target": "a b"}, '"target" in say must be a room or a '),
    ({"type": "say", "text": "hi", "target": ""}, '"target" in say must be a room or a '),
    ({"type": "say", "text": "hi", "target": ":a"}, '"target" in say must be a room or a '),
    ({"type": "say", "text": "hi", "target": "a,b"}, '"target" in say must be a room or a '),
    ({"type": "say", "text": "hi", "target": "a" * 201}, '"target" in say must be a room or '),
    ({"type": "say", "text": "hi", "token": "short"}, '"token" in say must be 16 to 56 '),
    ({"type": "say", "text": "hi", "action": "yes"}, '"action" in say must be '),
    ({"type": "say", "text": "hi", "action": 1}, '"action" in say must be '),
    ({"type": "join"}, '"room" is missing in join.'),
    ({"type": "join", "room": "#tea", "key": "a b"}, '"key" in join must be '),
    ({"type": "history", "limit": 0}, '"limit" in history must be greater '),
    ({"type": "history", "limit": 10**30}, '"limit" in history must be '),
    ({"type": "history", "limit": 2.5}, '"limit" in history must be '),
    ({"type": "history", "before": "a b"}, '"before" in history must be '),
    ({"type": "mark_read", "time": "yesterday"}, '"time" in mark_read must be a time as in '),
    ({"type": "command", "line": "topic"}, '"line" in command must be one line that begins '),
    ({"type": "command", "line": "/a\n/b"}, '"line" in command must be one line that begins '),
    ({"type": "raw", "line": "A\rQUIT"}, '"line" in raw must be one line that is not blank.'),
    ({"type": "raw", "line": " "}, '"line" in raw must be one line that is not blank.'),
    ([], "This is not a JSON object."),
    ("say", "This is not a JSON object."),
    (None, "This is not a JSON object."),
]


def complaint(line: bytes) -> str:
    with pytest.raises(BadRequest) as told:
        read(line)
    return str(told.value)


@pytest.mark.parametrize(("value", "text"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_told_in_a_sentence(value: Any, text: str) -> None:
    assert complaint(json.dumps(value).encode()).startswith(text)
    assert not INPUT.is_valid(value)


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{",
        b'{"type": "say"} {"type": "say"}',
        b"\xff\xfe",
        b'{"type": "say", "text": "\xff"}',
        b'{"type": "say", "text": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 100_000,
        b"nan",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_what_is_no_json_is_told_so(line: bytes) -> None:
    assert complaint(line).startswith("This is not ")
    assert "\n" not in complaint(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "history", "limit": 1e999}',
        b'{"type": "history", "limit": -1e999}',
        b'{"type": "history", "limit": 1' + b"0" * 50_000 + b"}",
        b'{"type": "history", "limit": NaN}',
    ],
    ids=lambda line: repr(line[:40]),
)
def test_huge_numbers_are_refused(line: bytes) -> None:
    assert "\n" not in complaint(line)


def test_of_a_key_that_comes_twice_the_last_one_holds() -> None:
    line = f'{{"type": "say", "text": "a", "text": "b", "token": "{TOKEN}"}}'
    assert read(line.encode()) == requests.Say("b", "#first", token=TOKEN)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*requests.KINDS]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
fields = st.sampled_from(
    [
        *sorted({field.name for kind in requests.KINDS.values() for field in fields_of(kind)}),
        "type",
        "x",
    ]
)


@given(
    st.binary()
    | st.builds(lambda value: json.dumps(value).encode(), st.dictionaries(fields, values))
)
def test_any_line_is_a_request_or_is_complained_about_in_one_line(line: bytes) -> None:
    why = ""
    try:
        read(line)
    except BadRequest as error:
        why = str(error)
    assert "\n" not in why
    assert len(why) < 400


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=210)


@given(text=names, target=names, action=st.booleans())
@example(text="\x1c", target="a", action=False)
@example(text="\x01\x85", target="a", action=False)
@example(text="a\rQUIT\n\x00b", target="é", action=True)
def test_what_may_be_said_is_sent_with_its_token_and_forges_nothing(
    text: str, target: str, action: bool
) -> None:
    """The front end waits for what becomes of each text: so each must be told of."""
    told = {"type": "say", "text": text, "target": target, "action": action, "token": TOKEN}
    try:
        request = read(json.dumps(told).encode())
    except BadRequest:
        return
    INPUT.validate(told)
    assert isinstance(request, requests.Say)
    session = IrcClientSession("bob", rooms=(), encoding="utf-8", state=ResumeState())
    session.say_to(request.target, request.text, request.action, request.token)
    sent = session.own_messages()
    assert all(isinstance(message, Sent) for message in sent)
    assert sent[0].token == TOKEN  # type: ignore[union-attr]
    for unsent in session.state.unsent:
        assert not isinstance(unsent, str)
        assert not {"\r", "\n", "\0"} & set(unsent.line)
        assert unsent.line.startswith(f"PRIVMSG {target} ")


@pytest.mark.parametrize("time", ["2026-99-99T99:99:99.999Z", "2026-02-30T09:30:00.000Z"])
def test_a_time_has_to_be_one(time: str) -> None:
    with pytest.raises(BadRequest, match=r'"time" in mark_read must be a time as in messages'):
        read(json.dumps({"type": "mark_read", "time": time}).encode())


def test_a_text_of_which_nothing_could_be_seen_is_as_a_blank_one() -> None:
    with pytest.raises(BadRequest, match="must be a text that is not blank"):
        read(b'{"type": "say", "text": "\\u200b"}')
