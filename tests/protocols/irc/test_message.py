"""Lines of IRC: what they mean, and that nothing in them can become a second line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parser_tests import data

from trio_chat.core.masks import matches
from trio_chat.protocols.irc.message import Message, body, parse, render

SPLIT = data.msg_split["tests"]
JOIN = data.msg_join["tests"]
MASKS = data.mask_match["tests"]


def message_of(atoms: dict) -> Message:
    """The message of a vector; commands are known in any case, so ours are in capitals."""
    return Message(
        atoms["verb"].upper(),
        tuple(atoms.get("params", ())),
        atoms.get("source") or "",
        atoms.get("tags") or {},
    )


@pytest.mark.parametrize("vector", SPLIT, ids=[vector["input"] for vector in SPLIT])
def test_lines_mean_what_all_parsers_take_them_for(vector: dict) -> None:
    assert parse(vector["input"]) == message_of(vector["atoms"])


@pytest.mark.parametrize("vector", JOIN, ids=[vector["desc"] for vector in JOIN])
def test_messages_are_written_as_all_parsers_expect(vector: dict) -> None:
    message = message_of(vector["atoms"])
    upper = [line.replace(vector["atoms"]["verb"], message.command) for line in vector["matches"]]
    assert render(message) in upper
    assert [parse(line) for line in vector["matches"]] == [message] * len(upper)


@pytest.mark.parametrize("vector", MASKS, ids=[vector["mask"] for vector in MASKS])
def test_masks_fit_what_they_should(vector: dict) -> None:
    assert [text for text in vector["matches"] if not matches(vector["mask"], text)] == []
    assert [text for text in vector["fails"] if matches(vector["mask"], text)] == []


# ── properties ─────────────────────────────────────────────────────────────────────────────────

# What a line may hold at all, and what of it can stand in a word.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")
texts = st.text(characters)
middles = st.text(characters.filter(lambda c: c != " "), min_size=1).filter(lambda w: w[0] != ":")
commands = st.from_regex(re.compile(r"[A-Z]{1,10}|[0-9]{3}"), fullmatch=True)
keys = st.from_regex(re.compile(r"\+?([a-z0-9.]+/)?[A-Za-z0-9-]+", re.ASCII), fullmatch=True)
tag_values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))

messages = st.builds(
    lambda command, params, last, source, tags: Message(command, (*params, *last), source, tags),
    commands,
    st.lists(middles, max_size=4),
    st.lists(texts, max_size=1),
    st.text(characters.filter(lambda c: c != " ")),
    st.dictionaries(keys, tag_values, max_size=5),
)


@given(messages)
def test_what_is_written_is_read_as_it_was(message: Message) -> None:
    assert parse(render(message)) == message


anything = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["\r", "\n", "\0", "a\r\nQUIT", "a\nb", ":x", " ", "", "a b", "a;b=c", "@x"]
)


@given(anything, st.lists(anything, max_size=3), anything, st.dictionaries(anything, anything))
def test_nothing_in_a_message_begins_a_second_line(
    command: str, params: list[str], source: str, tags: dict[str, str]
) -> None:
    """Either it cannot be written at all, or it is one line."""
    try:
        line = render(Message(command, tuple(params), source, tags))
    except ValueError:
        return
    assert not {*"\r\n\0"} & {*line}


@given(st.lists(anything, min_size=1, max_size=3))
def test_no_parameter_becomes_two(params: list[str]) -> None:
    try:
        line = body("X", *params)
    except ValueError:
        return
    read = parse(line)
    assert read is not None
    safe = [re.sub(r"[\r\n\0]", " ", param) for param in params]
    assert list(read.params) == safe


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("@:; =\\\r\n\0aA+"))
def test_no_line_is_too_strange_to_be_read(line: str) -> None:
    message = parse(line)
    assert message is None or message.command


@pytest.mark.parametrize(
    "params", [("", "x"), (":a", "x"), ("a b", "x"), ("a\rb", "x"), ("a\0b", "x")]
)
def test_what_cannot_stand_in_the_middle_is_refused(params: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot stand before"):
        body("X", *params)


@pytest.mark.parametrize("key", ["", "a b", "a;b", "a=b", "a\rb", "a\nb", "a\0b"])
def test_what_cannot_be_the_key_of_a_tag_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="cannot be the key"):
        render(Message("X", tags={key: "value"}))


@pytest.mark.parametrize(
    ("source", "nick"),
    [("alice!a@host", "alice"), ("alice@host", "alice"), ("alice", "alice"), ("", ""),
     ("chat.local", "chat.local")],
)  # fmt: skip
def test_the_nickname_of_a_source(source: str, nick: str) -> None:
    assert Message("X", source=source).nick == nick
