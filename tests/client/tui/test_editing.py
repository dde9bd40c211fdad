"""The line while it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.client.tui.editing import EDITING, Editor


def edited(before: str, *keys: str) -> str:
    """``|`` is the cursor, before and after."""
    editor = Editor()
    editor.set(before.replace("|", ""), before.index("|"))
    for key in keys:
        EDITING[key](editor)
    return editor.text[: editor.cursor] + "|" + editor.text[editor.cursor :]


@pytest.mark.parametrize(
    ("before", "keys", "after"),
    [
        ("ab|", ["backspace"], "a|"),
        ("|ab", ["backspace"], "|ab"),
        ("|ab", ["delete"], "|b"),
        ("ab|", ["delete"], "ab|"),
        ("x👨‍👩‍👧‍👦|", ["backspace"], "x|"),
        ("xe\u0301|", ["left"], "x|e\u0301"),
        ("x|👍🏽y", ["right"], "x👍🏽|y"),
        ("a\n|b", ["left"], "a|\nb"),
        ("one two| three", ["ctrl+a"], "|one two three"),
        ("one| two", ["ctrl+e"], "one two|"),
        ("one two|three", ["ctrl+u", "ctrl+y"], "one two|three"),
        ("one two|three", ["ctrl+k"], "one two|"),
        ("one two  |three", ["ctrl+w"], "one |three"),
        ("one two|", ["ctrl+w", "ctrl+a", "ctrl+y"], "two|one "),
        ("one two|", ["ctrl+left"], "one |two"),
        ("|one two", ["ctrl+right"], "one| two"),
        ("a\nbc|d", ["ctrl+u"], "a\n|d"),
        ("|", ["ctrl+w", "ctrl+u", "ctrl+k", "left", "right", "ctrl+y"], "|"),
    ],
)
def test_keys_do_what_they_do_in_shells(before, keys, after):
    assert edited(before, *keys) == after


def test_up_and_down_move_within_several_lines():
    editor = Editor()
    editor.set("abc\nd\nefgh")
    assert editor.up()
    assert editor.cursor == len("abc\nd")
    assert editor.up()
    assert not editor.up()
    assert editor.down()


def test_a_paste_can_be_dropped_with_what_was_pasted_after_it():
    editor = Editor()
    editor.set("ab", 1)
    editor.paste("1\n2")
    editor.paste("3")
    assert editor.text == "a1\n23b"
    assert editor.drop_paste()
    assert (editor.text, editor.cursor) == ("ab", 1)
    assert not editor.drop_paste()


@given(st.text(alphabet="ab \n日\u0301👍🏽\u200d"), st.lists(st.sampled_from(sorted(EDITING))))
def test_the_cursor_stays_within_the_text(text, keys):
    editor = Editor()
    editor.insert(text)
    for key in keys:
        EDITING[key](editor)
        assert 0 <= editor.cursor <= len(editor.text)


def test_several_lines_that_are_there_again_can_be_dropped_too() -> None:
    editor = Editor()
    editor.set("a\nb")
    assert editor.drop_paste()
    assert editor.text == ""
