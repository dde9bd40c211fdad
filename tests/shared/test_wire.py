"""What nodes tell each other: it comes out as it went in, and secrets are sealed."""

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.events import AccountMade, Event, RoomOpened, Said
from trio_chat.storage.base import Move, Secret
from trio_chat.storage.codec import Unreadable
from trio_chat.storage.shared.wire import Told, Wire

WIRE = Wire(bytes(32))

EVENTS = st.one_of(*[st.from_type(kind) for kind in get_args(Event)])
TOLD = st.builds(
    Told,
    EVENTS,
    st.text(),
    st.none() | st.builds(Secret, st.text(), st.text()),
    st.text(),
    st.none() | st.builds(Move, st.text(), st.from_type(Move).map(lambda move: move.state)),
)


@given(told=TOLD)
def test_what_is_told_comes_out_as_it_went_in(told: Told) -> None:
    if isinstance(told.event, RoomOpened):
        told = replace(told, event=replace(told.event, room=told.event.state.name))
    assert WIRE.read(WIRE.write(told)) == told


def test_a_verifier_is_sealed_by_the_key_of_the_chat() -> None:
    told = Told(AccountMade("bob", "=bob"), secret=Secret("bob", "the verifier"))
    data = WIRE.write(told)
    assert b"verifier" not in data
    assert WIRE.write(told) != data  # the same one twice looks different
    with pytest.raises(Unreadable):
        Wire(b"\1" * 32).read(data)


def test_a_verifier_is_for_no_other_account() -> None:
    data = WIRE.write(Told(AccountMade("bob", "=bob"), secret=Secret("bob", "the verifier")))
    with pytest.raises(Unreadable):
        WIRE.read(data.replace(b'["bob"', b'["eve"'))


@given(written=st.binary() | TOLD.map(WIRE.write).map(lambda whole: whole[:-1]))
def test_what_no_node_has_written_is_told_as_such(written: bytes) -> None:
    with pytest.raises(Unreadable):
        WIRE.read(written)


def test_fields_of_a_later_version_are_passed_over() -> None:
    record = json.loads(WIRE.write(Told(Said("#a", "alice", "hello"))))
    assert WIRE.read(json.dumps(record | {"new": 1}).encode()) == Told(Said("#a", "alice", "hello"))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"event": 1}', b'{"event": "[]"}'])
def test_what_is_none_of_ours_is_told_as_such(data: bytes) -> None:
    with pytest.raises(Unreadable):
        WIRE.read(data)
