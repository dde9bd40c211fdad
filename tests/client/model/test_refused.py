"""What is refused is told where one looks, and of a room there."""

import pytest

from desk import Desk
from irc_session import new_session
from trio_chat.client.model import Model, SavedState
from trio_chat.core.views import Notice
from trio_chat.protocols.client import Linked

REFUSALS = [
    ("471 me #tea :Cannot join channel (+l)", "/join #tea tries again."),
    ("473 me #tea :Cannot join channel (+i)", "Somebody in it can /invite you."),
    ("474 me #tea :Cannot join channel (+b)", "(+b)"),
    ("475 me #tea :Cannot join channel (+k)", "/join #tea KEY enters it."),
    ("477 me #tea :You need a registered nick", "for those who are logged in here."),
    ("403 me #tea :No such channel", "No such channel"),
    ("405 me #tea :You have joined too many channels", "too many channels"),
    ("437 me #tea :Temporarily unavailable", "unavailable"),
    ("476 me #tea :Bad Channel Mask", "Bad Channel Mask"),
    ("470 me #tea ##tea :Forwarding to another channel", "Forwarding to another channel"),
    ("FAIL", "no more rooms"),
]


def lines(line: str) -> bytes:
    line = "FAIL JOIN TOO_MANY #tea :no more rooms" if line == "FAIL" else line
    return f":s 001 me :hi\r\n:s 422 me :none\r\n:s {line}\r\n:s PONG s entered\r\n".encode()


@pytest.mark.parametrize(("line", "told"), REFUSALS, ids=[line[:3] for line, _ in REFUSALS])
@pytest.mark.parametrize("current", ["#tea", "bob"])
def test_a_room_that_was_open_says_why_it_is_not_any_more(line, told, current) -> None:
    desk = Desk(Model("me", kept=SavedState(buffers=("#tea", "bob"), current=current)))
    session = new_session(nick="me", room="#tea")
    desk.hear(*session.receive_data(lines(line)))
    assert desk.texts("#tea")[-1].endswith(told)
    assert not any(told in text for text in desk.texts("s"))


def test_a_room_that_was_never_open_says_it_where_one_has_asked(desk: Desk) -> None:
    desk.go("#lobby")
    desk.hear(Notice("#tea: Cannot join", room="#tea", refusal=True))
    assert desk.texts("#lobby")[-1] == "#tea: Cannot join"


def test_what_is_refused_is_seen_where_one_looks_however_late(desk: Desk) -> None:
    desk.go("#lobby")
    desk.now += 60
    desk.hear(Notice("nobody: No such nick", refusal=True), Notice("The server stops at noon."))
    assert desk.texts("#lobby")[-1] == "nobody: No such nick"
    assert desk.texts("net")[-1] == "The server stops at noon."
    desk.hear(Linked("me", "net", frozenset()))


def test_what_is_urgent_is_a_mention_until_it_is_seen(desk: Desk) -> None:
    desk.go("#lobby")
    line = desk.hear(Notice("bob reported a message of eve's in #tea.", urgent=True))
    assert (desk["net"].mentions, desk.texts("net")[-1:]) == (1, [line.text])
    assert [*desk.model.mentions] == [line]
    desk.go("net")
    assert desk["net"].mentions == 0
