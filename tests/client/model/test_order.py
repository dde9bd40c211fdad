"""Each line once, and in its order: pages of history, what comes late, what is on its way; days."""

import pytest

from desk import NOON, Desk, at, said, told
from trio_chat.client import requests
from trio_chat.client.model.days import Days
from trio_chat.client.model.lines import LINES_MAX
from trio_chat.core.events import Renamed, Said
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    Linked,
    PageEnd,
    Sent,
    Stamped,
    Unlinked,
)


def page(*minutes: int) -> list[Earlier]:
    return [Earlier(message, message.time) for message in live(*minutes)]


def live(*minutes: int) -> list[Stamped]:
    return [said("bob", str(minute), f"m{minute}", at(minute)) for minute in minutes]


def late(*minutes: int) -> list[Stamped]:
    return [said("bob", str(minute), f"m{minute}", at(minute), late=True) for minute in minutes]


def numbers(desk: Desk) -> list[int]:
    return [int(text) for text in desk.texts()]


# ── pages of history ───────────────────────────────────────────────────────────────────────────


def test_pages_are_put_before_in_order(desk: Desk) -> None:
    desk.hear(*live(8, 9), *page(5, 6, 7), PageEnd("#lobby", 3, False))
    desk.hear(*page(2, 3), *live(10), *page(4), PageEnd("#lobby", 3, True))
    assert numbers(desk) == list(range(2, 11))
    assert desk["#lobby"].complete


def test_a_page_whose_end_nobody_tells_is_put_before_all_the_same(desk: Desk) -> None:
    desk.hear(*page(5, 6), *page(3, 4), *live(7), *page(1, 2))
    assert numbers(desk) == list(range(1, 8))


def test_a_page_that_overlaps_brings_only_what_is_new(desk: Desk) -> None:
    desk.hear(*live(4, 6), *page(3, 4, 5, 6), *page(1, 2, 3))
    assert numbers(desk) == list(range(1, 7))


def test_pages_without_times_stay_in_the_order_in_which_they_come(desk: Desk) -> None:
    desk.hear(Said("#lobby", "bob", "3"), *(Earlier(Said("#lobby", "bob", n)) for n in "12"))
    desk.hear(PageEnd("#lobby", 2, False), Earlier(Said("#lobby", "bob", "0")))
    assert numbers(desk) == [0, 1, 2, 3]


def test_a_page_does_not_move_the_place_where_the_new_begins(desk: Desk) -> None:
    desk.hear(*live(5, 6), *page(3, 4))
    assert (desk["#lobby"].unread, desk["#lobby"].unread_from) == (2, "m5")


def test_what_is_asked_for_is_the_page_before_the_first_line_once_at_a_time(desk: Desk) -> None:
    desk.hear(Said("#lobby", "bob", "no id"), *live(5))
    lobby = desk["#lobby"]
    assert desk.model.older(lobby) == [requests.History("#lobby", "m5", 100)]
    assert desk.model.older(lobby) == ()
    desk.hear(*page(4), PageEnd("#lobby", 1, False))
    assert desk.model.older(lobby) == [requests.History("#lobby", "m4", 100)]
    desk.hear(PageEnd("#lobby", 0, False))
    assert desk.model.older(lobby) == ()
    assert lobby.complete


def test_nothing_is_asked_for_where_there_is_nobody_to_ask(desk: Desk) -> None:
    assert desk.model.older(desk["net"]) == ()
    desk.hear(Unlinked("lost", 1.0))
    assert desk.model.older(desk["#lobby"]) == ()


def test_what_was_asked_for_before_a_cut_may_be_asked_for_again(desk: Desk) -> None:
    desk.model.older(desk["#lobby"])
    desk.hear(Unlinked("lost", 1.0), Linked("me", "net", frozenset()))
    assert desk.model.older(desk["#lobby"]) == [requests.History("#lobby", "", 100)]


def test_a_buffer_that_is_cleared_can_be_filled_again(desk: Desk) -> None:
    desk.hear(*live(1, 2), PageEnd("#lobby", 0, True), Sent("t1", "#lobby", "3"))
    desk.go("#lobby")
    desk.enter("/clear")
    assert desk.texts() == ["3"]
    assert desk.model.older(desk["#lobby"]) == [requests.History("#lobby", "", 100)]
    desk.hear(*page(1, 2))
    assert numbers(desk) == [1, 2, 3]


# ── what comes late ────────────────────────────────────────────────────────────────────────────


# ── what is on its way ─────────────────────────────────────────────────────────────────────────


def test_a_text_is_pending_until_it_is_acknowledged(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "hello"))
    (line,) = desk.lines("#lobby")
    assert (line.state, line.own, line.nick, line.text) == ("pending", True, "me", "hello")
    desk.hear(Acknowledged("t1", "m1", at(1)))
    assert desk.lines("#lobby") == [line]
    assert (line.state, line.id, line.time) == ("sent", "m1", NOON + 60)


@pytest.mark.parametrize("again", [0, 1, 2])
def test_what_comes_back_by_our_token_is_what_we_said(desk: Desk, again: int) -> None:
    back = said("me", "hello", "m1", at(1), sent_as="t1")
    desk.hear(Sent("t1", "#lobby", "hello"), *[back] * again, Acknowledged("t1", "m1", at(1)))
    desk.hear(back, said("me", "hello", "m1", at(1), sent_as="t1", late=True), Earlier(back, at(1)))
    (line,) = desk.lines("#lobby")
    assert (line.state, line.id) == ("sent", "m1")
    assert desk["#lobby"].unread == 0


def test_what_comes_back_in_history_has_arrived(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "hello"))
    desk.hear(Earlier(said("old_me", "hello", "m1", at(1), sent_as="t1"), at(1)))
    (line,) = desk.lines("#lobby")
    assert (line.state, line.id) == ("sent", "m1")


def test_what_was_said_before_a_cut_is_confirmed_where_its_time_belongs(desk: Desk) -> None:
    desk.hear(*live(1), Sent("t1", "#lobby", "2"), Unlinked("lost", 1), *late(3))
    desk.hear(said("me", "2", "m2", at(2), sent_as="t1", late=True), *late(4))
    assert numbers(desk) == [1, 2, 3, 4]


def test_what_has_come_without_our_token_is_not_shown_twice(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "hi"), said("me", "hi", "m1", at(1)), Acknowledged("t1", "m1"))
    assert desk.texts() == ["hi"]


def test_nobody_hides_a_text_behind_a_token_of_ours(desk: Desk) -> None:
    """Others see our tokens once our texts have arrived."""
    desk.hear(Sent("t1", "#lobby", "hi"), Acknowledged("t1", "m1", at(1)))
    desk.hear(said("bob", "ha", "m2", at(2), sent_as="t1"))
    assert desk.texts() == ["hi", "ha"]


def test_what_has_failed_says_why_and_can_be_sent_again(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "1"), Sent("t2", "#lobby", "2"))
    desk.hear(Failed("t1", "it is \x1bmoderated"), *live(3))
    failed = desk.lines("#lobby")[0]
    assert (failed.state, failed.why) == ("failed", "it is ␛moderated")
    assert numbers(desk) == [1, 3, 2]
    assert desk.model.resend(failed) == [requests.ResendText("t1")]
    assert desk.model.resend(failed) == ()
    assert (failed.state, failed.why) == ("pending", "")
    desk.hear(Sent("t1", "#lobby", "1"))
    assert numbers(desk) == [3, 2, 1]
    desk.hear(Acknowledged("t2", "m4", at(4)), Acknowledged("t1", "m5", at(5)))
    assert [line.state for line in desk.lines("#lobby")] == ["sent"] * 3


def test_only_what_has_failed_is_sent_again(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "1"), *live(2))
    for line in desk.lines("#lobby"):
        assert desk.model.resend(line) == ()


def test_what_has_arrived_cannot_fail(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "1"), Acknowledged("t1"), Failed("t1", "lost"))
    assert desk.lines("#lobby")[0].state == "sent"


def test_a_private_text_is_pending_in_the_buffer_of_who_gets_it(desk: Desk) -> None:
    desk.hear(Sent("t1", "bob", "psst"), Renamed("bob", "rob"), Acknowledged("t1", "m1", at(1)))
    desk.hear(told("rob", "what?"))
    assert desk.texts("rob") == ["psst", "what?"]


def test_a_page_goes_on_where_it_was(desk: Desk) -> None:
    desk.hear(*live(5), *page(2))
    desk.hear(*page(3))
    assert numbers(desk) == [2, 3, 5]


# ── bounds ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_oldest_lines_go(desk: Desk) -> None:
    desk.hear(*live(1), Sent("t1", "#lobby", "old"), Acknowledged("t1", "m2", at(2)))
    for number in range(LINES_MAX):
        desk.model.update(Stamped("#lobby", "bob", "hi", msgid=str(number)), desk.now)
    lobby = desk["#lobby"]
    assert LINES_MAX - 1000 < len(lobby.lines) <= LINES_MAX
    assert lobby.unread == sum(line.nick == "bob" for line in lobby.lines)
    assert lobby.first_unread is lobby.lines[0]
    assert not lobby.lines.knows("m1")


@pytest.mark.slow
def test_a_full_buffer_has_no_room_for_history(desk: Desk) -> None:
    while not desk["#lobby"].lines.full:
        desk.model.update(Said("#lobby", "bob", "hi"), desk.now)
    desk.hear(*page(1))
    assert desk.model.older(desk["#lobby"]) == ()
    assert desk.lines("#lobby")[0].text == "hi"


# ── days ───────────────────────────────────────────────────────────────────────────────────────


def shown(desk: Desk) -> list[str]:
    return [line.text for line in desk["#lobby"].lines if line.kind != "event"]


def on(day: int) -> Stamped:
    return said("bob", str(day), f"m{day}", at(0, day=day))


def test_between_two_days_stands_the_name_of_the_second(desk: Desk) -> None:
    desk.now = NOON - 40 * 86_400
    desk.hear(on(29), on(31))
    assert shown(desk)[-2:] == ["Tuesday, 31 December 2024", "31"]
    desk.hear(said("bob", "30", "m30", at(0, day=30), late=True))
    assert shown(desk) == [
        "29", "Monday, 30 December 2024", "30", "Tuesday, 31 December 2024", "31"
    ]  # fmt: skip


def test_what_is_put_before_gets_its_days_too(desk: Desk) -> None:
    desk.go("#lobby")
    desk.enter("/clear")
    desk.hear(on(31), *(Earlier(on(day), at(0, day=day)) for day in (29, 30)))
    assert shown(desk) == [
        "29", "Monday, 30 December 2024", "30", "Tuesday, 31 December 2024", "31"
    ]  # fmt: skip
    desk.hear(Earlier(said("bob", "29 too", "x", at(1, day=29)), at(1, day=29)))
    assert shown(desk)[:3] == ["29", "29 too", "Monday, 30 December 2024"]


def test_what_is_on_its_way_over_midnight_is_confirmed_on_its_day(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "late"), Sent("t2", "#lobby", "later"))
    desk.hear(Acknowledged("t1", "m1", at(1)), Acknowledged("t2", "m2", "2025-01-01T00:00:00Z"))
    assert shown(desk) == ["late", "Wednesday, 1 January 2025", "later"]


def test_a_day_begins_among_what_is_on_its_way_once_the_first_has_arrived(desk: Desk) -> None:
    desk.hear(Sent("t1", "#lobby", "late"))
    desk.now += 86_400
    desk.hear(Sent("t2", "#lobby", "later"))
    assert shown(desk) == ["late", "later"]
    desk.hear(Acknowledged("t1"))
    assert shown(desk) == ["late", "Wednesday, 1 January 2025", "later"]


def test_a_line_that_goes_elsewhere_leaves_the_day_where_it_was(desk: Desk) -> None:
    desk.hear(*live(1), Sent("t1", "#lobby", "lost"), Failed("t1", "who knows"))
    desk.hear(said("bob", "next", "m9", "2025-01-01T12:00:00Z"))
    desk.hear(Acknowledged("t1", "m10", "2025-01-01T13:00:00Z"))
    assert shown(desk) == ["1", "Wednesday, 1 January 2025", "next", "lost"]


def test_days_are_those_of_the_place() -> None:
    tokyo, honolulu = Days(lambda moment: 9 * 3600.0), Days(lambda moment: -10 * 3600.0)
    evening = NOON + 4 * 3600
    assert tokyo.name(evening) == "Wednesday, 1 January 2025"
    assert honolulu.name(evening) == "Tuesday, 31 December 2024"
    assert tokyo.number(evening) == tokyo.number(NOON) + 1
    assert honolulu.number(evening) == honolulu.number(NOON)


def test_any_moment_that_a_server_may_claim_has_a_day() -> None:
    days = Days(lambda moment: -86_400.0)
    assert days.name(-62_135_596_800).endswith("1 January 1")
    assert days.name(1e15).endswith("31 December 9999")
