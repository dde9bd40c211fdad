"""Text that reaches terminals: nothing that steers them, all that people write."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.protocols.clean import clean

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
ZWNJ, ZWJ = "\u200c", "\u200d"

BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u034f\u115f\u1160\u180e\u200b\u2060\u2061\u2064\u3164\ufeff\uffa0\ufff9"

#: Marks that people pile up: Latin, Cyrillic, Thai, Arabic, Syriac, Hebrew, for symbols, halves.
PILED_MARKS = "\u0300\u0489\u0e34\u0e49\u064e\u06d6\u0732\u05b0\u20e3\ufe20\u1dc0\ua8e0"

spicy = st.text(
    st.sampled_from(
        "aé漢字👩🔥🏴\t\n\r\x00\x1b\x7f\x85\x9b \u00a0\u2028\u2029"
        "\u0300\u0301\u0489\u0e49\ufe0f\u20e3\U000e0067\U000e007f\ud800"
        + ZWNJ
        + ZWJ
        + BIDI_CONTROLS
        + INVISIBLE
    )
)
anything = st.text(st.characters(exclude_categories=[])) | spicy

INJECTIONS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "colour": "\x1b[31mred\x1b[0m",
    "cursor up and overwrite": "\x1b[1A\x1b[2Kbob: yes",
    "window title": "\x1b]0;owned\x07",
    "window title, ended by ST": "\x1b]0;owned\x1b\\",
    "hyperlink": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "device control": "\x1bP$q\x1b\\",
    "ask for an answer": "\x1b[6n\x1b[c\x05",
    "alternate character set": "\x0e\x1b(0",
    "reset": "\x1bc",
    "C1 CSI": "\x9b31m",
    "C1 OSC": "\x9d0;owned\x9c",
    "C1 DCS": "\x90q\x9c",
    "C1 next line": "a\x85bob: yes",
    "bare CR": "harmless\rbob: yes",
    "newline": "a\nbob: yes",
    "CRLF": "a\r\nbob: yes",
    "vertical tab and form feed": "a\x0bb\x0cc",
    "separators": "a\x1cb\x1dc\x1ed\x1fe",
    "bell": "\x07" * 5,
    "backspace": "alice\b\b\b\b\bbob",
    "delete": "a\x7fb",
    "null": "a\x00b",
    "override": "\u202egnp.exe",
    "embedding": "\u202a\u202ba\u202c",
    "isolate": "\u2066\u2067\u2068a\u2069",
    "marks of direction": "a\u200eb\u200fc\u061cd",
    "zero width": "a\u200bb\u2060c\ufeffd\u00ade",
    "fillers": "a\u115fb\u1160c\u3164d\uffa0e",
    "tag characters": "hi\U000e0001\U000e0068\U000e0069\U000e007f",
    "tags as a flag that does not end": "🏴" + "\U000e0067" * 100,
    "line separator": "a\u2028bob: yes",
    "paragraph separator": "a\u2029bob: yes",
    "annotations": "\ufff9a\ufffab\ufffb",
    "shorthand format controls": "a\U0001bca0b\U0001bca3c",
    "musical format controls": "a\U0001d173b\U0001d17ac",
    "surrogates": "a\ud83d\udc69b",
    "zalgo": "a" + "\u0300\u0323\u0489" * 100,
}

INTACT = [
    "hello, world! {}[]~^`|\\",
    "é",
    "e\u0301",
    "o\u0302\u0323",
    "漢字かな交じり文",
    "한국어",
    "Ελληνικά",
    "Привет",
    "שָׁלוֹם",
    "مُحَمَّد",
    "می‌خواهم",
    "क्‍ष",
    "র‍্য",
    "ක්‍ෂ",
    "นี้",
    "Tiếng Việt",
    "👩‍👩‍👧",
    "❤️‍🔥",
    "👍🏽",
    "🏳️‍🌈",
    "🇩🇪🇫🇷",
    ENGLAND,
    f"{ENGLAND}{ENGLAND}!",
    "1️⃣",
    "a\u00a0b\u3000c",
    "\ufffd",
    "█▓▒░ ─│",
    "",
]


def assert_harmless(text: str) -> None:
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(char) for char in text}
    assert not set(text) & set(BIDI_CONTROLS + INVISIBLE)
    assert len(text.splitlines()) <= 1


@pytest.mark.parametrize("name", INJECTIONS)
def test_injection(name: str) -> None:
    assert_harmless(clean(INJECTIONS[name]))
    assert_harmless(clean(f"é{INJECTIONS[name]}漢{INJECTIONS[name]}"))


@pytest.mark.parametrize("text", INTACT)
def test_what_people_write_arrives_as_it_is(text: str) -> None:
    assert clean(text) == text
    assert clean(f"a {text} b") == f"a {text} b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\x00b", "a␀b"),
        ("a\rb", "a␍b"),
        ("a\nb", "a␊b"),
        ("a\x07b", "a␇b"),
        ("a\x08b", "a␈b"),
        ("a\x7fb", "a␡b"),
        ("\x9b31m", "\ufffd31m"),
        ("a\x85b", "a\ufffdb"),
        ("a\tb", "a    b"),
        ("a\u202eb", "ab"),
        ("a\u2066b\u2069", "ab"),
        ("a\u200bb", "ab"),
        ("a\u2028b", "ab"),
        ("a\U0001bca0b", "ab"),
        ("a\U0001d173b", "ab"),
        ("a\ud800b", "ab"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("🏴\U000e0067\U000e0062", "🏴"),
        ("a\U000e0067\U000e007f", "a"),
        (f"a{ZWJ}b", "ab"),
        (f"é{ZWJ}b", "éb"),
        (f"a{ZWJ}é", "aé"),
        (f"é{ZWJ}", "é"),
        (f"{ZWJ}é", "é"),
        (f"é{ZWJ} é", "é é"),
        (f"é{ZWJ}{ZWJ}é", "éé"),
        (f"é{ZWNJ}{ZWJ}é", "éé"),
        (f"é{ZWJ}\u200bé", "éé"),
        (f"é\u200b{ZWJ}é", "éé"),
        ("a" + "\u0300" * 4, "a" + "\u0300" * 4),
        ("a" + "\u0300" * 5 + "b", "a" + "\u0300" * 4 + "b"),
    ],
)
def test_what_is_shown_instead(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize("mark", PILED_MARKS, ids=ascii)
def test_a_pile_of_marks_is_cut(mark: str) -> None:
    assert clean(f"a{mark * 50}b") == f"a{mark * 4}b"


@pytest.mark.parametrize("between", ["\u034f", "\u200b", "\u202e", ZWNJ, ZWJ], ids=ascii)
def test_a_pile_is_cut_whatever_is_hidden_in_it(between: str) -> None:
    shown = clean("a" + ("\u0300" * 4 + between) * 20)
    assert shown.count("\u0300") == 4


def test_every_byte_is_harmless() -> None:
    for byte in range(256):
        for text in (bytes([byte]).decode("latin-1"), bytes([byte]).decode("utf-8", "replace")):
            for around in ("{}", "a{}", "{}a", "é{}漢", "a{0}{0}b"):
                assert_harmless(clean(around.format(text)))


@given(anything)
def test_all_text_is_harmless(text: str) -> None:
    assert_harmless(clean(text))


@given(anything)
@example("\u0300" * 4 + "\u200b\u0300")
@example("\u0300" * 5 + "\u200c\u0300")
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(anything)
def test_text_does_not_grow_but_for_tabs(text: str) -> None:
    assert len(clean(text)) <= len(text) + 3 * text.count("\t")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters=INVISIBLE)))
def test_letters_signs_and_blanks_arrive_as_they_are(text: str) -> None:
    assert clean(text) == text
