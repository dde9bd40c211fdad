"""Who may remove a message, and what becomes of it in the chat."""

from typing import Any

import pytest

from ring import Ring, hearers, refusal
from trio_chat.core.commands import (
    KICK_MAX,
    DirectMessage,
    Join,
    Leave,
    Redact,
    Request,
    Say,
)
from trio_chat.core.events import AccountMade, Arrived, Entry, Origin, Redacted
from trio_chat.core.history_access import Source
from trio_chat.core.logs import after
from trio_chat.core.redaction import is_known_to, place
from trio_chat.core.refusals import Code
from trio_chat.core.views import Delivery, Refused, RoomWelcome

HOUR = 3_600_000


@pytest.fixture
def ring() -> Ring:
    """Olga leads #tea; alice and bob are in it, and boss is an operator of the server."""
    ring = Ring()
    ring.enter("olga", "#Tea")
    for nick in ("alice", "bob"):
        ring.enter(nick, "#Tea", identity=f"~{nick}")
    ring.enter("boss")
    ring.make_operator("boss")
    return ring


def say(ring: Ring, nick: str, text: str = "oops", to: str = "#tea", **more: Any) -> Entry:
    request: Request = Say(to, text, **more)
    if not to.startswith("#"):
        request = DirectMessage(to, text, **more)
    ring.ask(f"id-{nick}", request)
    return ring.entries[-1]


def found(entry: Entry, why: str = "", after: int = 1) -> Redact:
    return Redact(entry, entry.at + after, why)


def redact(ring: Ring, nick: str, entry: Entry, why: str = "") -> list[Delivery]:
    return [*ring.ask(f"id-{nick}", found(entry, why))]


ONLY = "Only its author and the operators of the room may remove that message."
LATE = "A message can be removed for 24 hours; that one is older."


@pytest.mark.parametrize(
    ("nick", "hours", "why"),
    [
        ("alice", 23, ""),
        ("alice", 24, LATE),
        ("bob", 0, ONLY),
        ("olga", 0, ""),
        ("olga", 10_000, ""),
        ("boss", 10_000, ""),
    ],
)
def test_who_may(ring: Ring, nick: str, hours: int, why: str) -> None:
    entry = say(ring, "alice")
    outcomes = ring.decide(f"id-{nick}", found(entry, after=hours * HOUR))
    assert why == (refusal(outcomes).why if why else "")
    assert why or isinstance(outcomes[0], Redacted)


def test_with_no_hours_only_operators_may(ring: Ring) -> None:
    ring.chat.redact_hours = 0
    entry = say(ring, "alice")
    refused = refusal(ring.decide("id-alice", found(entry, after=0)))
    assert refused.code is Code.TOO_LATE_TO_REDACT
    redact(ring, "olga", entry)


def test_in_private_only_the_author_may(ring: Ring) -> None:
    entry = say(ring, "alice", to="bob")
    for nick in ("bob", "boss"):
        refused = refusal(ring.decide(f"id-{nick}", found(entry)))
        assert refused.why == "Only its author may remove that message."
    [delivery] = redact(ring, "alice", entry)
    assert hearers(ring.chat, delivery) == {"id-alice", "id-bob"}


def come_again(ring: Ring, nick: str, **known: Any) -> str:
    """Somebody goes, and comes again on another connection, of which this is the id."""
    ring.depart(nick)
    ring.happen(Arrived(nick, f"again-{nick}", **known))
    ring.ask(f"again-{nick}", Join("#tea"))
    return f"again-{nick}"


@pytest.mark.parametrize("to", ["#tea", "bob"])
def test_the_author_is_known_by_the_identity_that_sent_it(ring: Ring, to: str) -> None:
    with_token, without = say(ring, "alice", to=to, token="t" * 16), say(ring, "alice", to=to)
    again = come_again(ring, "alice", identity="~alice")
    refused = refusal(ring.decide(again, found(without)))
    assert refused.code is Code.NOT_THE_AUTHOR  # a nickname alone shows nothing
    ring.ask(again, found(with_token))


def test_the_author_is_known_by_the_account(ring: Ring) -> None:
    ring.happen(AccountMade("bob", "~bob", "id-bob", "~bob"))
    entry = say(ring, "bob")
    again = come_again(ring, "bob", identity="~bob", key="~bob", origin=Origin(account="bob"))
    assert entry.event.user_id != again  # type: ignore[union-attr]
    ring.ask(again, found(entry))


def test_a_stranger_with_the_same_nickname_is_nobody(ring: Ring) -> None:
    entry = say(ring, "olga", token="t" * 16)
    ring.set("#tea", "+o", "bob")
    again = come_again(ring, "olga")
    assert refusal(ring.decide(again, found(entry))).code is Code.NOT_THE_AUTHOR


# ── what becomes of it ─────────────────────────────────────────────────────────────────────────


def test_newcomers_are_not_shown_it(ring: Ring) -> None:
    entries = [say(ring, "alice", text) for text in ("one", "two", "three")]
    redact(ring, "alice", entries[1])
    ring.enter("carl")
    *_, welcome = ring.ask("id-carl", Join("#tea"))
    assert isinstance(welcome.shown, RoomWelcome)
    assert welcome.shown.recent == (entries[0], entries[2])


def test_all_in_the_room_are_told_and_who_did_it_from_outside(ring: Ring) -> None:
    [delivery] = redact(ring, "boss", say(ring, "alice"), "spam")
    assert hearers(ring.chat, delivery) == {"id-olga", "id-alice", "id-bob", "id-boss"}
    event = delivery.shown
    assert isinstance(event, Redacted)
    assert (event.nick, event.author, event.why, event.room) == ("boss", "alice", "spam", "#Tea")


def test_of_what_only_some_heard_only_they_are_told(ring: Ring) -> None:
    [delivery] = redact(ring, "olga", say(ring, "alice", status="@"))
    assert hearers(ring.chat, delivery) == {"id-olga", "id-alice"}
    state = ring.chat.rooms["#tea"].state
    assert after(state, ring.entries[-1]) == state


def test_it_is_a_barrier_of_the_room(ring: Ring) -> None:
    redact(ring, "olga", say(ring, "alice"))
    assert ring.chat.rooms["#tea"].state.barrier == ring.entries[-1].id
    assert ring.state_from_log("#Tea").barrier == ring.entries[-1].id


def test_all_connections_of_both_are_told_in_private(ring: Ring) -> None:
    ring.happen(Arrived("bob_", "id-bob_", identity="~bob"))
    [delivery] = redact(ring, "alice", say(ring, "alice", to="bob"))
    assert hearers(ring.chat, delivery) == {"id-alice", "id-bob", "id-bob_"}
    assert isinstance(delivery.shown, Redacted)
    assert delivery.shown.to == "bob"


def test_an_empty_room_hears_nothing(ring: Ring) -> None:
    entry = say(ring, "alice")
    [event] = ring.decide("id-boss", found(entry))
    for nick in ("olga", "alice", "bob"):
        ring.ask(f"id-{nick}", Leave("#tea"))
    ring.close("#tea")
    assert isinstance(event, Redacted)
    assert ring.happen(event) == []


def test_who_may_not_speak_gives_no_reason(ring: Ring) -> None:
    entry = say(ring, "bob")
    ring.set("#tea", "+b", "m:bob")
    [delivery] = redact(ring, "bob", entry, "BUY")
    assert isinstance(delivery.shown, Redacted)
    assert delivery.shown.why == ""


def test_a_reason_is_cut(ring: Ring) -> None:
    [delivery] = redact(ring, "bob", say(ring, "bob"), "x" * (KICK_MAX + 1))
    assert isinstance(delivery.shown, Redacted)
    assert delivery.shown.why == "x" * KICK_MAX


def test_what_an_operator_of_the_server_repairs_is_noted(ring: Ring) -> None:
    entry = say(ring, "alice")
    assert ring.chat.is_repair("id-boss", found(entry)) == "Redact of boss in #Tea"
    assert ring.chat.is_repair("id-olga", found(entry)) == ""
    private = say(ring, "alice", to="bob")
    assert ring.chat.is_repair("id-boss", found(private)) == ""


# ── which messages somebody may know of ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("nick", "target", "expected"),
    [
        ("alice", "#TEA", "#tea"),
        ("boss", "#tea", "#tea"),
        ("eve", "#tea", Code.UNREADABLE),
        ("boss", "#nowhere", Code.UNREADABLE),
        ("alice", "bob", "~alice,~bob"),
        ("alice", "", Code.NO_SUCH_ROOM),
    ],
)
def test_where_it_is_sought(ring: Ring, nick: str, target: str, expected: str | Code) -> None:
    ring.enter("eve")
    answer = place(ring.chat, ring.person(nick), target)
    assert (answer.code if isinstance(answer, Refused) else answer.log) == expected


@pytest.mark.parametrize(
    ("nick", "status", "known"),
    [
        ("alice", "", True),
        ("alice", "@", False),
        ("bob", "@", True),
        ("olga", "@", True),
        ("boss", "@", True),
    ],
)
def test_what_was_said_to_some_is_known_to_them(
    ring: Ring, nick: str, status: str, known: bool
) -> None:
    entry = say(ring, "bob", status=status)
    where = place(ring.chat, ring.person("boss"), "#tea")
    assert isinstance(where, Source)
    assert is_known_to(ring.chat, ring.person(nick), where, entry) == known


@pytest.mark.parametrize(("nick", "known"), [("carl", False), ("olga", True), ("boss", True)])
def test_what_is_hidden_from_somebody_is_unknown_to_them(
    ring: Ring, nick: str, known: bool
) -> None:
    ring.set("#tea", "+i")
    entry = say(ring, "alice")
    ring.set("#tea", "-i")
    ring.enter("carl", "#tea")
    person = ring.person(nick)
    where = place(ring.chat, person, "#tea")
    assert isinstance(where, Source)
    assert is_known_to(ring.chat, person, where, entry) == known
