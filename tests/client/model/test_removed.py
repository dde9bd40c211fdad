"""Messages that are removed: who did it stands in place of their words."""

import pytest

from desk import Desk, at, said, told
from trio_chat.core.events import Redacted
from trio_chat.protocols.client import Acknowledged, RemovedMeanwhile, Sent


def redacted(msgid: str, by: str = "alice", why: str = "", room: str = "#lobby") -> Redacted:
    return Redacted(room, by, msgid, "bob", why)


@pytest.mark.parametrize(
    ("why", "text"),
    [("", "(removed by alice)"), ("spam\x1b", "(removed by alice: spam␛)")],
)
def test_it_is_told_in_its_place(desk: Desk, why: str, text: str) -> None:
    desk.hear(said("bob", "BUY me", "1", at(1)), said("carol", "no", "2", at(2)))
    desk.hear(redacted("1", why=why))
    line = desk.lines("#lobby")[0]
    assert (line.kind, line.nick, line.text, line.mention) == ("removed", "bob", text, False)
    assert desk.texts() == [text, "no"]
    assert desk.events() == []
    assert desk.model.search("BUY") == []


def test_it_is_unread_no_more(desk: Desk) -> None:
    desk.go("net")
    desk.hear(said("bob", "me: BUY", "1", at(1)), said("bob", "hi", "2", at(2)))
    lobby = desk["#lobby"]
    assert (lobby.unread, lobby.mentions, lobby.unread_from) == (2, 1, "1")
    desk.hear(redacted("1"))
    assert (lobby.unread, lobby.mentions, lobby.unread_from) == (1, 0, "2")
    assert [*desk.model.mentions] == []


def test_what_we_do_not_have_is_told_in_words(desk: Desk) -> None:
    desk.hear(redacted("old", why="spam"), redacted("old", room="#none"))
    assert desk.events() == ["A message of bob's was removed by alice (spam)."]
    assert "#none" not in desk.names()


def test_of_whom_we_ignore_we_hear_no_reason(desk: Desk) -> None:
    desk.model.ignore("alice", True)
    desk.hear(said("bob", "BUY", "1", at(1)), redacted("1", why="LOUD"), redacted("2", why="LOUD"))
    assert (desk.texts(), desk.events()) == (["(removed by alice)"], [])


def test_our_own_goes_as_well(desk: Desk) -> None:
    desk.hear(Sent("t", "#lobby", "oops"), Acknowledged("t", "1", at(1)), redacted("1", "me"))
    assert desk.texts() == ["(removed by me)"]


def test_in_private_too(desk: Desk) -> None:
    desk.hear(told("bob", "oops", msgid="1"), Redacted("", "bob", "1", "bob", to="me"))
    desk.hear(told("me", "no", "bob", msgid="2"), Redacted("", "me", "2", "me", to="bob"))
    assert desk.texts("bob") == ["(removed by bob)", "(removed by me)"]


def test_while_we_were_cut_off_it_is_told_only_of_words_that_we_have(desk: Desk) -> None:
    desk.hear(said("bob", "BUY", "1", at(1)))
    desk.hear(*(RemovedMeanwhile("#lobby", "alice", msgid, "") for msgid in ("0", "1")))
    assert (desk.texts(), desk.events()) == (["(removed by alice)"], [])
