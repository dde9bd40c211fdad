"""Text in cells."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens import FakeModel, rows_of, said, shown
from trio_chat.client.model import Line
from trio_chat.client.tui.rows import Sheet, clock
from trio_chat.client.tui.text import find_links, fitted, wrap
from trio_chat.client.tui.theme import PALETTES
from trio_chat.protocols.clean import clean
from trio_chat.protocols.client import Look, Run


def rows(text: str, width: int) -> list[str]:
    return [text[begin:end] for begin, end in wrap(text, width)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("short", ["short"]),
        ("two words here", ["two words ", "here"]),
        ("averyverylongword", ["averyveryl", "ongword"]),
        ("a averyverylongword", ["a ", "averyveryl", "ongword"]),
        ("ten cells.  and more", ["ten cells.  ", "and more"]),
        ("日本語日本語", ["日本語日本", "語"]),
        ("x日本語日本語", ["x日本語日", "本語"]),
        ("👨‍👩‍👧‍👦" * 6, ["👨‍👩‍👧‍👦" * 5, "👨‍👩‍👧‍👦"]),
        ("e\u0301" * 12, ["e\u0301" * 10, "e\u0301" * 2]),
        ("one\n\ntwo words here\n", ["one", "", "two words ", "here", ""]),
    ],
)
def test_rows_break_after_blanks_and_between_letters(text, expected):
    assert rows(text, 10) == expected


@given(st.text(alphabet="ab 日\u0301👍🏽\u200d❤\ufe0f"), st.integers(2, 12))
def test_rows_are_the_text_and_never_too_wide(text, width):
    text = clean(text)
    parts = rows(text, width)
    assert "".join(parts) == text
    assert all(cell_len(part.rstrip(" ")) <= width for part in parts)


@pytest.mark.parametrize(
    ("text", "expected"), [("abc", "abc  "), ("abcdef", "abcd…"), ("日本語", "日本…")]
)
def test_fitted_takes_the_width(text, expected):
    assert fitted(text, 5) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://a.org/x.", ["https://a.org/x"]),
        ("(https://a.org/b_(c)), HTTP://B.org!", ["https://a.org/b_(c)", "HTTP://B.org"]),
        ("javascript:alert(1) file:///etc/passwd ftp://x", []),
        ("https://exämple.org", ["https://ex"]),
        ("<https://a.org>", ["https://a.org"]),
        ("https://", []),
        ("'ircs://h:1/tea?pin=x&invite=y'", ["ircs://h:1/tea?pin=x&invite=y"]),
    ],
)
def test_links(text, expected):
    assert [link for _, link in find_links(text)] == expected


def test_both_halves_of_a_link_have_one_id():
    """Through Textual, as the terminal gets it."""
    model = FakeModel()
    link = "https://example.org/" + "way/" * 20
    model.all[1].lines = [said("al", link, mention=True), said("al", "https://other.org/")]

    async def script(pilot, app):
        ids = {s.style.link: set() for row in rows_of(app) for s in row if s.style.link}
        for row in rows_of(app):
            for segment in row:
                if segment.style.link:
                    ids[segment.style.link].add(segment.style.link_id)
        assert set(ids) == {link, "https://other.org/"}
        assert len(ids[link] | ids["https://other.org/"]) == 2

    shown(model, script, size=(60, 24))


@pytest.mark.parametrize("time", [-62135596800.0, 253402300800.0, 1e18, -1e18])
def test_a_moment_that_no_calendar_has_is_no_time(time):
    """A server may name any."""
    assert clock(time) == "--:--"


def test_a_text_of_several_lines_has_a_row_for_each():
    """In the column of texts, also those that are blank."""
    line = Line(1, 0.0, "def f():\n    return 1\n\nend", "said", "alice")
    shown = [strip.text for strip in Sheet(60, PALETTES["trio-dark"]).rows(line, unread=False)]
    assert [row.partition("│ ")[2] for row in shown] == ["def f():", "    return 1", "", "end"]
    assert "alice" in shown[0]
    assert not any("alice" in row for row in shown[1:])


STYLE = {"a": Look(bold=True), "b": Look(italic=True, colour=4), "c": Look()}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["日本 ", "two words ", "https://a.org/x ", "👩🏽", "e\u0301", "x"]),
        ),
        max_size=20,
    ),
    st.integers(20, 90),
    st.booleans(),
)
def test_formatting_moves_nothing(parts, width, mention):
    """The rows have the same letters in the same cells as without, and the same links."""
    runs, text = [], ""
    for look, part in parts:
        runs.append(Run(len(text), len(text) + len(part), STYLE[look]))
        text += part
    sheet = Sheet(width, PALETTES["trio-dark"])
    plain = Line(1, 0.0, text, "said", "alice", mention=mention)
    rows = sheet.rows(replace(plain, runs=tuple(runs)), unread=False)
    assert [row.text for row in rows] == [row.text for row in sheet.rows(plain, unread=False)]
    assert [row.cell_length for row in rows] == [cell_len(row.text) for row in rows]
    links = {s.style.link for row in rows for s in row if s.style and s.style.link}
    assert links == {link for _, link in find_links(text)}


@pytest.mark.parametrize("width", [29, 40, 60])
@pytest.mark.parametrize("kind", ["said", "action", "notice"])
def test_formatting_is_of_the_text_only(width, kind):
    """Whatever its author wants, the nickname, the time and the rule look as they always do."""
    text = "all of it in bold and in colours " * 4
    look = Look(bold=True, italic=True, underline=True, strike=True, colour=4)
    plain = Line(1, 0.0, text, kind, "alice", mention=True)
    dressed = replace(plain, runs=(Run(0, len(text), look),))
    sheet = Sheet(width, PALETTES["trio-dark"])
    changed = ""
    for one, other in zip(*(sheet.rows(x, unread=False) for x in (plain, dressed)), strict=True):
        for cell in range(width):
            (before,), (behind,) = (list(row.crop(cell, cell + 1)) for row in (one, other))
            if before.style != behind.style:
                assert behind.style.strike
                assert behind.style.bgcolor == before.style.bgcolor
                changed += behind.text
    assert changed.replace(" ", "") == text.replace(" ", "")


def test_a_link_in_formatting_is_a_link():
    line = Line(1, 0.0, "see https://a.org/x now", "said", "al")
    line.runs = (Run(6, 16, Look(bold=True, colour=4)),)
    (row,) = Sheet(80, PALETTES["trio-dark"]).rows(line, unread=False)
    pieces = [(s.text, s.style.link, s.style.bold, s.style.underline) for s in row][3:]
    assert pieces == [
        ("see ", None, None, None),
        ("ht", "https://a.org/x", None, True),
        ("tps://a.or", "https://a.org/x", True, True),
        ("g/x", "https://a.org/x", None, True),
        (" now", None, None, None),
    ]
