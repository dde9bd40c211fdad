"""What people's formatting becomes: places in a text that is the same without it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.protocols.clean import clean, clean_lines
from trio_chat.protocols.client import Look, Run, Stamped
from trio_chat.protocols.irc.text import formatted, sentence, shown_lines
from trio_chat.protocols.resume_state import ResumeState

BOLD, PLAIN = Look(bold=True), Look()


def looks(text: str) -> list[tuple[str, Look]]:
    """Each part that has one."""
    bare, runs = formatted(text)
    return [(bare[run.start : run.end], run.look) for run in runs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("", []),
        ("\x02\x1d\x0304\x0f", []),
        ("a \x02b\x02 c", [("b", BOLD)]),
        ("\x02a", [("a", BOLD)]),
        ("\x1da\x1d\x1fb\x1f\x1ec\x1e", [
            ("a", Look(italic=True)), ("b", Look(underline=True)), ("c", Look(strike=True))]),
        ("\x02a\x1db\x02c", [
            ("a", BOLD), ("b", Look(bold=True, italic=True)), ("c", Look(italic=True))]),
        ("\x02a\x02\x02b", [("ab", BOLD)]),
        ("\x02\x0304a\x0fb", [("a", Look(bold=True, colour=4))]),
        ("\x02\x0304a\x03b", [("a", Look(bold=True, colour=4)), ("b", BOLD)]),
        ("\x034a\x0399b", [("a", Look(colour=4))]),
        ("\x0304,12a\x03,5b", [("a", Look(colour=4))]),
        ("\x0304123", [("123", Look(colour=4))]),
        ("\x0304a\x0304b", [("ab", Look(colour=4))]),
        ("\x0304a\x04ff0000b", [("a", Look(colour=4))]),
        ("\x0352a", [("a", Look(colour=4))]),  # red
        ("\x0372a", [("a", Look(colour=12))]),  # pale blue
        ("\x0392a", []),  # grey
        ("\x0304,12\x16a\x11b", [("ab", Look(colour=4))]),
        ("\x02a\nb\x02c", [("a", BOLD), ("c", BOLD)]),  # it ends with the line
        ("\x02\t\x1b", [("    ␛", BOLD)]),
        ("e\x02\u0301x", [("x", BOLD)]),  # no letter is torn
        ("👩\u200d\x0304👧b\x03", [("b", Look(colour=4))]),
        ("🇩\x02🇪\x02", []),
        ("x\u200b\x02y", [("y", BOLD)]),
    ],
)  # fmt: skip
def test_which_part_has_which_look(text: str, expected: list[tuple[str, Look]]) -> None:
    assert looks(text) == expected


CODES = ["\x02", "\x1d", "\x1f", "\x1e", "\x11", "\x16", "\x0f", "\x03", "\x0304", "\x0312,01",
         "\x0352", "\x0399", "\x04", "\x04ff0000"]  # fmt: skip
LETTERS = [*"aé漢👩🏽🔥🏴🇩🇪\t\n\r\x00\x1b\x85 1,\u0301\u0489\u0e49\ufe0f\u20e3\u202e\u200b\u3164",
           *"\u115f\u034f\u00ad\u094d\u0915\u1100\u1161\u11a8\U000e0067\U000e007f\ud800\u200c\u200d",
           "\u0301" * 5]  # fmt: skip
texts = st.lists(st.sampled_from(CODES) | st.sampled_from(LETTERS)).map("".join)
_BEFORE = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?"
    "|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)


@given(texts | st.text())
@example("é\u200c\x02é")
@example("a\u0301\u0301\u0301\x02\u200b\u0301\u0301")
def test_the_text_is_what_it_is_without_formatting(text: str) -> None:
    bare, _ = formatted(text)
    assert bare == shown_lines(text)
    assert bare == "\n".join(clean(_BEFORE.sub("", line)) for line in text.split("\n"))
    assert bare == clean_lines(bare)


@given(texts)
def test_runs_are_in_the_text_in_order_and_apart(text: str) -> None:
    bare, runs = formatted(text)
    end = 0
    for run in runs:
        assert end <= run.start < run.end <= len(bare)
        assert run.look != PLAIN
        assert "\n" not in bare[run.start : run.end]
        end = run.end


def test_there_are_only_so_many() -> None:
    bare, runs = formatted("\x0304a\x0305b" * 200 + "\n\x02c")
    assert bare == "ab" * 200 + "\nc"
    assert len(runs) == 100
    assert runs[-1] == Run(99, 100, Look(colour=5))


def test_a_text_longer_than_any_is_plain() -> None:
    assert formatted("\x02" + "a" * 8192) == ("a" * 8192, ())


def test_what_the_server_notes_nothing_of_is_no_place_to_go_on_from() -> None:
    """A text is Stamped for its formatting alone."""
    state = ResumeState()
    assert state.see(Stamped("#r", "al", "a", runs=(Run(0, 1, BOLD),)), "#r")
    assert "#r" not in state.last


@pytest.mark.parametrize(
    ("about", "why", "told"),
    [
        (["#tea"], "You are not in #tea.", "You are not in #tea."),
        (["#te"], "You are not in #tea.", "#te: You are not in #tea."),
        (["in"], "There is nothing.", "in: There is nothing."),
        (["bob", "#tea"], "bob is not there.", "#tea: bob is not there."),
    ],
)
def test_a_reason_stands_behind_what_it_does_not_name(
    about: list[str], why: str, told: str
) -> None:
    assert sentence(about, why) == told
