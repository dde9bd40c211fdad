"""Selectors, timestamps and limits, as clients write them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.queries import ListTalks, Recall, Seek, Span
from trio_chat.protocols.irc.batches import Collector
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.info import HISTORY_MAX, ServerInfo
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.registration import Registration
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.irc.times import read_timestamp, timestamp
from trio_chat.protocols.irc.verbs import Parts, dispatch

INFO = ServerInfo("chat.local", "network", "version", "just now")
FIRST, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
moments = st.integers(0, int(END.timestamp()) * 1000)
ids = st.builds("{:013d}-{:06d}".format, st.integers(0, 10**13 - 1), st.integers(0, 10**6 - 1))
references = moments.map(lambda at: f"timestamp={timestamp(at)}") | ids.map("msgid={}".format)


def asked(command: str, *params: str) -> list[object]:
    """What a line asks for."""
    out = ReplyBuffer(INFO, lambda: 0)
    out.peer.nick, out.peer.caps = "alice", frozenset(CAPS)
    parts = Parts(out, Registration(out, private=True), Collector(out))
    found = [ask.command for ask in dispatch(parts, Message(command, params))]
    assert found or b" FAIL " in out.data_to_send()
    return found


@given(moments)
def test_a_timestamp_is_read_as_it_was_written(at: int) -> None:
    assert read_timestamp(timestamp(at)) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00.001Z", 1),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2012-06-30T23:59:60.419Z", 1_341_100_800_419),
        ("2012-06-30T23:59:61.419Z", None),
        ("2012-06-31T23:59:00.419Z", None),
        ("0000-01-01T00:00:00.000Z", None),
        ("2012-06-30T23:59:00Z", None),
        ("2012-06-30 23:59:00.000Z", None),
        ("2012-06-30T23:59:00.000", None),
        ("2012-06-30T23:59:00.000z", None),
        ("2012-06-30T23:59:00.000Z\n", None),
        ("२०१२-06-30T23:59:00.000Z", None),
        ("", None),
    ],
)
def test_timestamps(text: str, at: int | None) -> None:
    assert read_timestamp(text) == at


@given(references, references, st.integers(1, 10**30))
def test_between_is_bounded_by_both_whichever_comes_first(a: str, b: str, limit: int) -> None:
    [one] = asked("CHATHISTORY", "BETWEEN", "#room", a, b, str(limit))
    [other] = asked("CHATHISTORY", "BETWEEN", "#room", b, a, str(limit))
    assert isinstance(one, Recall)
    assert isinstance(other, Recall)
    assert one.limit == other.limit == min(limit, HISTORY_MAX)
    assert one.events
    both = ("timestamp" in a, "timestamp" in b)
    assert one.span.either == other.span.either == (both[0] != both[1])
    if a != b and not one.span.either:
        assert replace(one.span, first=other.span.first) == other.span
        assert one.span.first != other.span.first


@given(st.sampled_from(["BEFORE", "AFTER", "AROUND", "LATEST"]), references)
def test_one_reference_bounds_one_side(name: str, reference: str) -> None:
    [recall] = asked("CHATHISTORY", name, "bob", reference, "7")
    assert isinstance(recall, Recall)
    span = recall.span
    assert (recall.target, recall.limit) == ("bob", 7)
    assert [bound != "" for bound in (span.before, span.after, span.around)].count(True) == 1
    assert span.first == (name == "AFTER")


def test_latest_of_all_has_no_bounds() -> None:
    assert asked("CHATHISTORY", "LATEST", "#room", "*", "5") == [
        Recall("#room", Span(), 5, events=True)
    ]


@given(moments, moments)
def test_targets_are_bounded_by_moments(a: int, b: int) -> None:
    references = (f"timestamp={timestamp(at)}" for at in (a, b))
    [command] = asked("CHATHISTORY", "TARGETS", *references, "5")
    assert isinstance(command, ListTalks)
    assert (command.after, command.before) == (min(a, b), max(a, b))
    assert command.first == (a <= b)


@given(st.lists(st.text() | references | st.sampled_from(["*", "5", "#a", "LATEST"]), max_size=6))
def test_whatever_comes_is_asked_for_or_refused(params: list[str]) -> None:
    for name in ("AFTER", "AROUND", "BEFORE", "BETWEEN", "LATEST", "TARGETS"):
        asked("CHATHISTORY", name, *params)
    asked("CHATHISTORY", *params)
    asked("MARKREAD", *params)
    asked("SEARCH", *params)


@given(st.dictionaries(st.sampled_from(["in", "from", "text"]), st.text(min_size=1), min_size=1))
def test_attributes_of_a_search_may_hold_anything(attributes: dict[str, str]) -> None:
    escapes = str.maketrans({";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"})
    line = ";".join(f"{key}={value.translate(escapes)}" for key, value in attributes.items())
    [seek] = asked("SEARCH", line)
    assert isinstance(seek, Seek)
    found = {"in": seek.target, "from": seek.nick, "text": seek.words}
    assert found == {"in": "", "from": "", "text": ""} | attributes


@given(moments, moments)
def test_a_search_includes_its_bounds(after: int, before: int) -> None:
    [seek] = asked("SEARCH", f"after={timestamp(after)};before={timestamp(before)}")
    assert isinstance(seek, Seek)
    assert (seek.span.after, seek.span.before) == (after - 1, before + 1)
