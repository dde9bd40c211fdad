"""Events and states as JSON: what is read is what was written, also what an older one wrote."""

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.events import (
    Change,
    Event,
    Joined,
    Left,
    ModesSet,
    Origin,
    RoomOpened,
    Said,
)
from trio_chat.core.realm import Account, RealmState
from trio_chat.core.room_state import Mask, RoomState
from trio_chat.storage.codec import (
    BESIDE,
    Unreadable,
    decode,
    decode_realm,
    decode_state,
    encode,
    encode_realm,
    encode_rest,
    encode_state,
    with_rest,
)

EVENTS = st.one_of(*[st.from_type(kind) for kind in get_args(Event)])


@given(event=EVENTS)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    """With what is not kept of it, once that is told as well."""
    if isinstance(event, RoomOpened):
        event = replace(event, room=event.state.name)
    beside = [getattr(event, name) for name in BESIDE] if isinstance(event, Said) else []
    kept = decode(encode(event), *beside)
    of_the_moment = {"via": "", "back": False, "absent": False, "to_account": ""}
    assert kept == replace(event, **{k: v for k, v in of_the_moment.items() if hasattr(event, k)})
    assert with_rest(kept, json.loads(json.dumps(encode_rest(event)))) == event


@pytest.mark.parametrize("rest", [{"back": 1}, {"via": None}, {"via": "\ud800"}])
def test_a_rest_that_is_none_of_ours_is_told_as_such(rest: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        with_rest(Joined("#a", "alice"), rest)


def test_what_is_kept_of_an_event_is_not_changed_by_a_rest() -> None:
    joined = Joined("#a", "alice")
    assert with_rest(joined, {"nick": "mallory", "new": 1}) == joined


@given(state=st.from_type(RoomState))
def test_a_state_comes_back_as_it_was(state: RoomState) -> None:
    assert decode_state(encode_state(state)) == state


@given(text=st.text(), token=st.text())
def test_what_is_kept_beside_is_not_in_the_json(text: str, token: str) -> None:
    assert encode(Said("#a", "al", text, token=token)) == encode(Said("#a", "al", ""))


def test_only_what_is_not_its_default_is_written() -> None:
    assert json.loads(encode(Joined("#a", "al"))) == ["Joined", {"room": "#a", "nick": "al"}]
    origin = Origin(host="example.org")
    assert json.loads(encode(Left("#a", "al", "1", "bye", origin))) == [
        "Left",
        {"room": "#a", "nick": "al", "who": "1", "why": "bye", "origin": {"host": "example.org"}},
    ]


def test_fields_that_were_added_after_our_time_are_passed_over() -> None:
    later = '["Said",{"room":"#a","nick":"al","mood":[1],"origin":{"host":"x","planet":["y"]}}]'
    assert decode(later, "hello") == Said("#a", "al", "hello", origin=Origin(host="x"))
    changes = '[{"add":true,"mode":"m","mood":"z"}]'
    assert decode(f'["ModesSet",{{"room":"#a","nick":"al","changes":{changes}}}]') == (
        ModesSet("#a", "al", (Change(True, "m"),))
    )
    state = (
        '{"name":"#A","flags":[],"masks":[["b",{"mask":"*!*@x","by":"al","at":1,"in":2}]],"x":"y"}'
    )
    assert decode_state(state) == RoomState(
        "#A", masks=(("b", Mask("*!*@x", "al", 1, 1)),), last_entry=1
    )


@pytest.mark.parametrize(
    "written", ["", "x", "[]", "1", "null", '["Said"]', '["Nod",{}]', '["Said",[]]', '["Said",{}]']
)
def test_what_is_none_of_ours_is_told_as_such(written: str) -> None:
    with pytest.raises(Unreadable):
        decode(written, "hello")
    with pytest.raises(Unreadable):
        decode_state(written)


def test_what_was_written_before_there_were_some_fields_is_read() -> None:
    assert decode('["Said",{"room":"#a","nick":"al"}]', "hello") == Said("#a", "al", "hello")
    assert decode('["ModesSet",{"room":"#a","nick":"al","changes":[{"add":true,"mode":"m"}]}]') == (
        ModesSet("#a", "al", (Change(True, "m"),))
    )
    masks = '[["b",{"mask":"*!*@x","by":"al","at":1}]]'
    assert decode_state(f'{{"name":"#A","flags":["m"],"masks":{masks}}}') == RoomState(
        "#A", flags=frozenset("m"), masks=(("b", Mask("*!*@x", "al", 1, 1)),), last_entry=1
    )


@pytest.mark.parametrize(
    "written",
    [
        '["Said",{"room":"1,2","nick":"al","who":"1","to":"bo","to_who":"2","seams":[3]}]',
        '["Kicked",{"room":"#a","nick":"al","target":"bo","who":"1","target_who":"2"}]',
        '["ModesSet",{"room":"#a","nick":"al",'
        '"changes":[{"add":true,"mode":"o","argument":"bo","who":"2"}],"who":"1"}]',
    ],
)
def test_fields_keep_their_stored_names(written: str) -> None:
    text = "hello" if "Said" in written else ""
    assert encode(decode(written, text)) == written


@given(state=st.from_type(RealmState))
def test_a_realm_comes_back_as_it_was(state: RealmState) -> None:
    assert decode_realm(encode_realm(state)) == state


def test_a_realm_that_was_written_before_there_were_bans_is_read() -> None:
    written = '{"barrier":"1","accounts":[{"name":"bob","identity":"=bob"}]}'
    assert decode_realm(written) == RealmState("1", (Account("bob", "=bob"),))


@pytest.mark.parametrize(
    "written", ["", "[]", "{}", '{"barrier":1}', '{"barrier":"","accounts":[{"name":3}]}']
)
def test_what_is_no_realm_is_unreadable(written: str) -> None:
    with pytest.raises(Unreadable):
        decode_realm(written)
