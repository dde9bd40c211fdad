"""Whatever a session may tell, also what no server in its senses does: for hypothesis."""

from dataclasses import fields

from hypothesis import strategies as st

from trio_chat.core.events import (
    AwaySet,
    Change,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Origin,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    TopicSet,
)
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks, Notice, Topic
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Lag,
    Linked,
    Look,
    MarkedRead,
    Member,
    Message,
    Operator,
    OutOfRoom,
    PageEnd,
    Roster,
    Run,
    Sent,
    Stamped,
    Typing,
    Unlinked,
)

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC

TIMES = (
    "",
    "2023-11-15T11:59:00.000Z",
    "2023-11-15T12:00:00.000Z",
    "2023-11-16T00:00:00.000Z",
    "2016-12-31T23:59:60.000Z",
    "0000-00-00T00:00:00.000Z",
    "0001-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00+23:59",
    "1601-01-01T00:00:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.999-23:59",
    "292277026596-12-04T15:30:08.000Z",
    "+10000-01-01T00:00:00.000Z",
    "-0001-01-01T00:00:00.000Z",
    "٢٠٢٣-١١-١٥T12:00:00.000Z",
    "2023-11-15T12:00:00.000",
    "2023-W46-3",
    "yesterday",
    "1700049600",
    "nan",
    "inf",
    "\ud800",
)

ROOMS = ("#a", "#b", "#A", "&c", "", "#", "nobody", "#\ud800")
NICKS = ("alice", "Alice", "bob", "me", "ME", "", "\ud800", "日" * 30, "a b")
TEXTS = (
    "hello",
    "me: hello",
    "",
    "two\nlines",
    "\x1b[2J\x9b1m\x00\r\a",
    "\ud800\udfff",
    "\u202eturned",
    "Z" + "\u0301" * 300,
    "日" * 300,
    "https://example.org/" + "x" * 200,
)

_PLACES = st.sampled_from(ROOMS)
_PEOPLE = st.sampled_from(NICKS)
_WORDS = st.sampled_from(TEXTS)
_TIME = st.sampled_from(TIMES) | st.datetimes().map(lambda time: f"{time.isoformat()}Z")
_FLAG = st.booleans()
_NUMBERS = st.sampled_from([0, 1, -1, 2**31, 10**12, 10**30])
_SECONDS = st.sampled_from([0.0, 0.02, 3.5, 1e9, -1.0])

# By the names of their fields, in whichever message.
_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "room": _PLACES,
    "nick": _PEOPLE,
    "text": _WORDS,
    "to": st.just("") | _PEOPLE,
    "target": _PLACES | _PEOPLE,
    "action": _FLAG,
    "notice": _FLAG,
    "status": st.sampled_from(["", "@", "+"]),
    "token": st.sampled_from(["", "t1", "t2", "t3"]),
    "msgid": st.sampled_from(["", "m1", "m2", "m3", "m4"]),
    "time": _TIME,
    "late": _FLAG,
    "found": _FLAG,
    "away": st.sampled_from(["", "lunch"]),
    "bot": _FLAG,
    "prefixes": st.sampled_from(["", "@", "+", "@+", "!", "日"]),
    "why": _WORDS,
    "by": _PEOPLE,
    "at": _NUMBERS,
    "active": _FLAG,
    "count": _NUMBERS,
    "complete": _FLAG,
    "network": st.sampled_from(["", "net", "\ud800"]),
    "caps": st.just(frozenset()),
    "retry": _SECONDS,
    "seconds": _SECONDS,
    "origin": st.builds(Origin, user=st.just("u"), host=_WORDS, bot=_FLAG),
    "runs": st.lists(
        st.builds(
            Run,
            st.integers(0, 9),
            st.integers(0, 99),
            st.builds(Look, bold=_FLAG, colour=st.none() | st.integers(0, 15)),
        ),
        max_size=3,
    ).map(tuple),
    "changes": st.lists(
        st.builds(Change, add=_FLAG, mode=st.sampled_from("ovhqabk日"), argument=_PEOPLE),
        max_size=3,
    ).map(tuple),
}


def _of(kind: type) -> st.SearchStrategy:
    return st.builds(kind, **{f.name: _FIELDS[f.name] for f in fields(kind) if f.name in _FIELDS})


_MEMBER = st.builds(Member, _PEOPLE, _FIELDS["prefixes"], away=_FLAG, bot=_FLAG)
_MOMENT = st.sampled_from([0, 1_700_000_000_000])
_MASK = st.builds(Mask, _WORDS, _PEOPLE, _MOMENT, st.integers(0, 9), _MOMENT, _WORDS)
_MEMBERS = st.lists(_MEMBER, max_size=6).map(tuple)

#: Every kind of message that there is.
MESSAGES: dict[type, st.SearchStrategy[Message]] = {
    kind: _of(kind)
    for kind in (
        *(Said, Stamped, Redacted, Joined, Left, Departed, Kicked, Renamed, AwaySet, TopicSet),
        *(ModesSet, RoomRenamed),
        *(Topic, Notice, InRoom, OutOfRoom, Typing, Sent, Acknowledged, Failed, PageEnd),
        *(MarkedRead, Linked, Unlinked, Operator, Lag),
    )
} | {
    Roster: st.builds(Roster, _PLACES, _MEMBERS),
    Masks: st.builds(Masks, _PLACES, st.just("b"), st.lists(_MASK, max_size=3).map(tuple)),
    Earlier: st.builds(Earlier, _of(Said) | _of(Stamped), _TIME, _FLAG),
}

messages = st.sampled_from(list(MESSAGES)).flatmap(MESSAGES.__getitem__)
