"""Dataclasses as JSON: what is read is what was written, also what another version has written."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.checkpoint import Checkpoint, Gone, OpenRoom
from trio_chat.core.events import Origin
from trio_chat.core.realm import RealmState
from trio_chat.core.room import Device, Person
from trio_chat.core.room_state import RoomState
from trio_chat.storage.typed_json import Unsound, from_json, to_json

PEOPLE = st.builds(
    Person,
    left=st.none() | st.dictionaries(st.text(), st.text()),
    marks=st.dictionaries(st.text(), st.integers()),
    limit=st.none(),
)
CHECKPOINTS = st.builds(Checkpoint, people=st.lists(PEOPLE, max_size=3).map(tuple))


@given(value=st.from_type(RealmState | OpenRoom | Device | Gone) | CHECKPOINTS)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    written = to_json(value)
    assert from_json(type(value), written) == value
    assert to_json(from_json(type(value), written.encode())) == written


def test_only_what_is_not_its_default_is_written_and_sets_are_sorted() -> None:
    room = OpenRoom(RoomState("#a", flags=frozenset("tmn")), ("2", "1"), {"2": "o"})
    assert json.loads(to_json(room)) == {
        "state": {"name": "#a", "flags": ["m", "n", "t"]},
        "members": ["2", "1"],
        "status": {"2": "o"},
    }


def test_a_dict_keeps_its_order() -> None:
    device = Device("1", rooms={"#b": None, "#a": None})
    assert to_json(device) != to_json(replace(device, rooms={"#a": None, "#b": None}))
    assert [*(from_json(Device, to_json(device)).rooms or ())] == ["#b", "#a"]


def test_fields_that_were_added_after_our_time_are_passed_over() -> None:
    written = '{"user_id":"1","nick":"al","at":2,"mood":[1],"origin":{"host":"x","planet":"y"}}'
    assert from_json(Gone, written) == Gone("1", "al", 2, Origin(host="x"))


@pytest.mark.parametrize(
    "written",
    [
        *("", "x", "[]", "1", "null", "{}", b"\xff", '{"user_id":"1","nick":"al"}'),
        '{"user_id":"1","nick":"al","at":"2"}',
        '{"user_id":"1","nick":"\\ud800","at":2}',
        '{"user_id":"1","nick":"al","at":2,"addresses":"x"}',
        '{"user_id":"1","nick":"al","at":2,"addresses":[1]}',
        '{"user_id":"1","nick":"al","at":2,"origin":[]}',
        '{"user_id":"1","nick":"al","at":2,"origin":null}',
    ],
)
def test_what_is_none_of_ours_is_told_as_such(written: str | bytes) -> None:
    with pytest.raises(Unsound):
        from_json(Gone, written)
