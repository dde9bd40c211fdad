"""Which rows of the log are seen. A line is as many rows as its text has letters."""

from rich.segment import Segment
from textual.strip import Strip

from screens import FakeBuffer, said
from trio_chat.client.model import Line
from trio_chat.client.tui.viewport import Viewport


def make(*texts: str, height: int = 4) -> tuple[FakeBuffer, Viewport]:
    buffer = FakeBuffer("#room")
    buffer.lines = [said("al", text) for text in texts]
    view = Viewport(buffer, lambda line: [Strip([Segment(letter)]) for letter in line.text])
    view.height = height
    return buffer, view


def seen(view: Viewport) -> str:
    return "".join(strip.text for strip in view.strips())


def test_it_follows_the_end():
    buffer, view = make("ab", "cd", "ef")
    assert (seen(view), view.follows) == ("cdef", True)
    buffer.lines.append(said("al", "g"))
    assert seen(view) == "defg"


def test_all_is_seen_if_there_is_place():
    _, view = make("a", "b")
    view.scroll(-1)
    assert (seen(view), view.follows, view.near_top) == ("ab", True, True)


def test_the_top_is_near_when_a_page_leads_there():
    _, view = make("a", "b", "c", "d", "e", "f", "g", "h", "i")
    view.scroll(0)
    assert not view.near_top
    view.scroll(-1)
    assert view.near_top


def test_nothing_moves_under_somebody_who_reads():
    buffer, view = make("abc", "def", "ghi")
    view.scroll(-3)
    assert seen(view) == "cdef"
    buffer.lines.append(said("al", "new"))
    buffer.lines.insert(0, said("al", "old"))
    assert (seen(view), view.follows) == ("cdef", False)


def test_it_follows_again_at_the_end():
    buffer, view = make("abc", "def", "ghi")
    view.scroll(-3)
    view.scroll(100)
    buffer.lines.append(said("al", "j"))
    assert (seen(view), view.follows) == ("ghij", True)


def test_what_has_gone_is_where_the_first_is_now():
    buffer, view = make("abc", "def", "ghi")
    view.to_top()
    del buffer.lines[0]
    assert seen(view) == "defg"


def test_a_line_is_shown_with_something_before_it():
    buffer, view = make("abc", "def", "ghi", "jkl")
    view.show(buffer.lines[1])
    assert seen(view) == "cdef"


def test_another_width_keeps_the_line_at_the_top():
    buffer, view = make("abcdef", "ghijkl", "mnopqr")
    view.scroll(-6)
    assert seen(view) == "ijkl"
    buffer.lines[1].text = "gh"  # it has two rows only now
    assert seen(view)[0] == "h"


def test_only_what_is_seen_is_written_out():
    asked: list[Line] = []
    buffer = FakeBuffer("#room")
    buffer.lines = [said("al", "x") for _ in range(50_000)]

    def rows(line: Line) -> list[Strip]:
        asked.append(line)
        return [Strip([])]

    view = Viewport(buffer, rows)
    view.height = 40
    view.scroll(-39)
    view.strips()
    assert len(asked) < 500
