"""/history and /search, as plain people write them, and what they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.events import Entry, Said
from trio_chat.core.queries import Recall, Seek, Span
from trio_chat.core.views import Found, Notice, Recalled, Refused
from trio_chat.protocols.clean import clean
from trio_chat.protocols.plain.verbs import read_verb
from trio_chat.protocols.plain.wording import reading, wording

DAY = 1_704_067_200_000  # 2024-01-01
SECOND = DAY + 86_400_000
HASTINGS = -28_502_755_200_000

ASKED = [
    ("/history", Recall("#tea", Span(), 50)),
    ("/history 7", Recall("#tea", Span(), 7)),
    ("/history private bob", Recall("bob", Span(), 50)),
    ("/history PRIVATE bob 7", Recall("bob", Span(), 7)),
    ("/HISTORY 500", Recall("#tea", Span(), 500)),
    ("/history 999999", Recall("#tea", Span(), 500)),
    ("/search green", Seek("green", 50, "#tea")),
    ('/search  "green tea"  milk', Seek('"green tea" milk', 50, "#tea")),
    ("/search green from:bob", Seek("green", 50, "#tea", "bob")),
    ("/search From:bob FROM:carol", Seek("", 50, "#tea", "carol")),
    ("/search in:#den green", Seek("green", 50, "#den")),
    ("/search green in:bob", Seek("green", 50, "bob")),
    ("/search x before:2024-01-01", Seek("x", 50, "#tea", span=Span(before=DAY))),
    ("/search after:2024-01-02 x", Seek("x", 50, "#tea", span=Span(after=SECOND - 1))),
    ("/search in: see:also https://a.b", Seek("in: see:also https://a.b", 50, "#tea")),
    ("/search x before:1066-10-14", Seek("x", 50, "#tea", span=Span(before=HASTINGS))),
]  # fmt: skip


@pytest.mark.parametrize(("line", "command"), ASKED, ids=[line for line, _ in ASKED])
def test_what_is_asked_for(line: str, command: Recall | Seek) -> None:
    assert read_verb("#tea", line) == command


HOW_MANY = "/history takes a number of messages, from 1 to 500."


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/history 0", HOW_MANY),
        ("/history -1", HOW_MANY),
        ("/history ten", HOW_MANY),
        ("/history 1 2", HOW_MANY),
        ("/history ²", HOW_MANY),
        ("/history " + "9" * 5000, HOW_MANY),
        ("/search", "Usage: /search WORDS"),
        ("/search x before:yesterday", "before: needs a day such as before:2024-12-31."),
        ("/search x after:2024-13-01", "after: needs a day such as after:2024-12-31."),
        ("/search x after:2023-02-29", "after: needs a day such as after:2024-12-31."),
    ],
)
def test_what_is_not_understood(line: str, why: str) -> None:
    assert read_verb("#tea", line) == Refused(why)


@given(st.text(max_size=80))
def test_whatever_is_sought_is_sought_or_refused(text: str) -> None:
    assert isinstance(read_verb("#tea", f"/search {text}"), Seek | Refused)
    assert isinstance(read_verb("#tea", f"/history {text}"), Recall | Refused)


SAID = (
    Entry("#tea", " ", Said("#tea", "bob", "hi"), DAY + 1000),
    Entry("#tea", " ", Said("#tea", "bob", "waves", action=True), DAY + 2000),
    Entry("#tea", " ", Said("#tea", "bob", "\x01PING\x01"), DAY + 3000),
    Entry("a,b", "0", Said("a,b", "bob", "psst", to="eve"), DAY + 86_400_000),
)
LINES = [
    "*** 2024-01-01 00:00:01 bob: hi",
    "*** 2024-01-01 00:00:02 * bob waves",
    "*** 2024-01-02 00:00:00 bob -> eve: psst",
]


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (Recalled("#tea", SAID), ["*** Last messages in #tea (times in UTC):", *LINES]),
        (Found(SAID), ["*** Found (times in UTC):", *LINES]),
        (Recalled("#tea", ()), ["*** Nothing has been said in #tea."]),
        (Recalled("eve", ()), ["*** Nothing has been said between eve and you."]),
        (Found(()), ["*** Nothing was found."]),
        (Found(SAID[2:3]), ["*** Nothing was found."]),
    ],
)
def test_what_was_said_before_is_told_in_sentences(
    shown: Recalled | Found, lines: list[str]
) -> None:
    """Which our client takes for nothing else."""
    assert wording(shown) == lines
    assert all(isinstance(reading(clean(line)), Notice) for line in lines)
