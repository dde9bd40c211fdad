"""What is pasted is text, never keys."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from textual import events

from screens import FakeModel, shown, text_of
from trio_chat.client.tui.guest import Parser

BEGIN, END = "\x1b[200~", "\x1b[201~"

PIECES = [
    "a",
    "\n",
    "\r",
    "\x1b",
    "\x1b[A",
    "\x1bOP",
    "\x1b[200~",
    "\x1b[201~",
    "\0",
    "\x03",
    "\x04",
]
PIECES += ["\x9b", "\x7f", "\u202e", "日", "[", "~", "\x1b[1;2R", "\x1b[<0;1;1M", "\x1b]0;x\x07"]


def parsed(*reads: str) -> list[object]:
    parser = Parser()
    found: list[object] = []
    for read in reads:
        found += parser.feed(read)
    for _ in range(3):
        parser._pastes._came -= 1
        found += parser.tick()
    return found


def told(found: list[object]) -> list[tuple[str, str]]:
    return [
        ("paste", event.text) if isinstance(event, events.Paste) else ("key", event.key)
        for event in found
    ]


@given(st.lists(st.sampled_from(PIECES), min_size=1).map("".join), st.data())
def test_whatever_is_in_a_paste_it_is_one_text(text: str, data) -> None:
    assume(not re.search(f"{re.escape(END)}.*{re.escape(BEGIN)}", text, re.DOTALL))  # two pastes
    whole = f"x{BEGIN}{text}{END}"
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=3).map(sorted))
    if END in text:  # a read may end just there
        cuts = []
    reads = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True) if a < b]
    harmless = text.replace("\x1b", "␛").replace("\0", "␀")
    assert told(parsed(*reads)) == [("key", "x"), ("paste", harmless)]


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ([f"{BEGIN}a{END}\r"], ["paste a", "key enter"]),
        ([f"{BEGIN}a{END}", "\r"], ["paste a", "key enter"]),
        ([f"{BEGIN}a{END}{BEGIN}b{END}c"], ["paste a", "paste b", "key c"]),
        ([f"{BEGIN}a{END}/quit\r", f"b{END}"], ["paste a␛[201~/quit\rb"]),
        (["\x1b[20", "0~a", "\x1b[2", "01~"], ["paste a"]),
        (["\x1b[A"], ["key up"]),
        ([f"{BEGIN}{BEGIN}a{END}"], ["paste ␛[200~a"]),
    ],
)
def test_where_a_paste_ends(reads: list[str], expected: list[str]) -> None:
    assert [" ".join(pair) for pair in told(parsed(*reads))] == expected


def test_what_is_behind_a_paste_waits_only_for_a_moment() -> None:
    parser = Parser()
    assert told(list(parser.feed(f"{BEGIN}a{END}\r"))) == []
    assert told(list(parser.tick())) == []
    parser._pastes._came -= 1
    assert told(list(parser.tick())) == [("paste", "a"), ("key", "enter")]


def test_what_is_pasted_is_shown_as_it_is() -> None:
    async def script(pilot, app):
        for event in parsed(f"{BEGIN}\x1b[31mred\x1b\x03\x9b \u202eabc{END}"):
            app.post_message(event)
        await pilot.pause()
        assert "❯ ␛[31mred␛␃\ufffd abc" in text_of(app)

    shown(FakeModel(), script)
