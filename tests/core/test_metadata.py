"""Metadata: who may set it, what is left of it, and who is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring, heard
from trio_chat.core.commands import ClearMetadata, Register, Request, SetMetadata
from trio_chat.core.events import (
    AccountDropped,
    AccountMade,
    AccountMetadataSet,
    AccountSet,
    Arrived,
    MetadataSet,
    Origin,
    RoomMetadataSet,
)
from trio_chat.core.metadata import KEYS_MAX, VALUE_MAX, Values, changed, is_key, with_values
from trio_chat.core.queries import Query, ShowMetadata, SyncMetadata
from trio_chat.core.refusals import Code
from trio_chat.core.views import AllMetadata, Answer, Metadata, Refused, SyncLater

NAME = "display-name"
NEW: Values = ((NAME, "New"),)


@pytest.fixture
def ring() -> Ring:
    """Olga leads #den, where Mark is, too; Eve is elsewhere. All have subscribed."""
    ring = Ring(room_modes="")
    ring.enter("olga", "#den")
    ring.enter("mark", "#den")
    ring.enter("eve", "#hall")
    for nick in ("olga", "mark", "eve"):
        ring.chat.subscribers.add(f"id-{nick}", [NAME])
    return ring


def ask(ring: Ring, nick: str, request: Request) -> list[tuple[object, set[str]]]:
    """Who is told what of the one event that a request leads to."""
    event, answer = ring.chat.decide(f"id-{nick}", request)
    assert isinstance(answer, Metadata)
    assert isinstance(event, RoomMetadataSet | AccountMetadataSet | MetadataSet)
    return heard(ring.chat, ring.happen(event))


def refused(ring: Ring, nick: str, request: Request) -> Code:
    [refused] = ring.chat.decide(f"id-{nick}", request)
    assert isinstance(refused, Refused)
    return refused.code


def answer(ring: Ring, nick: str, query: Query) -> Answer:
    [found] = ring.chat.answer(f"id-{nick}", query)
    return found


def log_in(ring: Ring, nick: str, account: str) -> None:
    origin = Origin(account=account)
    ring.happen(AccountSet(nick, f"id-{nick}", origin, f"={account}", password_id=1))


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def test_members_are_told_what_the_room_becomes(ring: Ring) -> None:
    told = Metadata("#den", NEW)
    assert ask(ring, "olga", SetMetadata(NEW, "#DEN")) == [(told, {"id-mark"})]
    assert answer(ring, "mark", ShowMetadata("#den")) == told
    gone = Metadata("#den", ((NAME, ""),))
    assert ask(ring, "olga", SetMetadata(((NAME, ""),), "#den")) == [(gone, {"id-mark"})]
    assert answer(ring, "mark", ShowMetadata("#den")) == Metadata("#den", ())


def test_it_is_a_part_of_the_room_and_comes_back_with_its_log(ring: Ring) -> None:
    ask(ring, "olga", SetMetadata((("a", "1"), ("b", "2")), "#den"))
    ask(ring, "olga", SetMetadata((("a", ""), ("c", "3")), "#den"))
    assert ring.state_from_log("#den").metadata == (("b", "2"), ("c", "3"))
    ask(ring, "olga", ClearMetadata("#den"))
    assert ring.state_from_log("#den").metadata == ()


def test_only_operators_set_it(ring: Ring) -> None:
    for request in (SetMetadata(NEW, "#den"), ClearMetadata("#den")):
        assert refused(ring, "mark", request) is Code.NEED_OP
        assert refused(ring, "eve", request) is Code.NEED_OP
    ring.make_operator("eve")
    assert ask(ring, "eve", SetMetadata(NEW, "#den"))
    assert ring.chat.is_repair("id-eve", SetMetadata(NEW, "#den"))
    assert not ring.chat.is_repair("id-olga", SetMetadata(NEW, "#den"))


def test_only_members_read_it(ring: Ring) -> None:
    ask(ring, "olga", SetMetadata(NEW, "#den"))
    for query in (ShowMetadata("#den"), SyncMetadata("#den", (NAME,))):
        found = answer(ring, "eve", query)
        assert isinstance(found, Refused)
        assert found.code is Code.NOT_IN_ROOM
    ring.set("#den", "+s")
    found = answer(ring, "eve", ShowMetadata("#den"))
    assert isinstance(found, Refused)
    assert found.code is Code.NO_SUCH_ROOM


# ── people ─────────────────────────────────────────────────────────────────────────────────────


def test_who_shares_a_room_with_somebody_or_watches_them_is_told(ring: Ring) -> None:
    told = Metadata("mark", NEW)
    assert ask(ring, "mark", SetMetadata(NEW)) == [(told, {"id-olga"})]
    ring.chat.watch("id-eve", ["MARK"])
    again = SetMetadata(((NAME, "Other"),), nick="Mark")
    assert ask(ring, "mark", again)[0][1] == {"id-olga", "id-eve"}
    ring.chat.subscribers.remove("id-olga", [NAME])
    assert ask(ring, "mark", ClearMetadata())[0][1] == {"id-eve"}
    ring.depart("eve")
    assert ask(ring, "mark", SetMetadata(NEW)) == []
    assert "id-eve" not in ring.chat.subscribers[NAME]


def test_who_watches_somebody_is_told_when_they_come(ring: Ring) -> None:
    ring.happen(AccountMade("owner", "=owner"))
    ring.happen(AccountMetadataSet("owner", NEW))
    ring.chat.watch("id-eve", ["owner"])
    origin = Origin(account="owner")
    arrived = Arrived("owner", "id-owner", origin, "=owner", password_id=1)
    assert (Metadata("owner", NEW), {"id-eve"}) in heard(ring.chat, ring.happen(arrived))


def test_nobody_sets_it_for_others_but_operators_of_the_server(ring: Ring) -> None:
    assert refused(ring, "olga", SetMetadata(NEW, nick="mark")) is Code.NOT_AN_OPERATOR
    assert refused(ring, "olga", ClearMetadata(nick="nobody")) is Code.NO_SUCH_NICK
    ask(ring, "mark", SetMetadata(NEW))
    ring.make_operator("eve")
    told = Metadata("mark", ((NAME, ""),))
    assert ask(ring, "eve", ClearMetadata(nick="mark")) == [(told, {"id-mark", "id-olga"})]


def test_who_may_not_speak_says_nothing_by_it(ring: Ring) -> None:
    ask(ring, "mark", SetMetadata(NEW))
    ring.set("#den", "+b", "m:mark")
    assert refused(ring, "mark", SetMetadata(((NAME, "BUY"),))) is Code.OTHER
    assert answer(ring, "olga", ShowMetadata(nick="mark")) == Metadata("mark", ())
    assert answer(ring, "mark", ShowMetadata()) == Metadata("mark", NEW)
    ring.make_operator("eve")
    assert ask(ring, "eve", SetMetadata(((NAME, "BUY"),), nick="mark")) == []


def test_a_guest_takes_it_into_the_account_and_finds_it_there_again(ring: Ring) -> None:
    ask(ring, "mark", SetMetadata(NEW))
    [made] = ring.chat.decide("id-mark", Register("secret", nick="mark"))
    assert isinstance(made, AccountMade)
    told = [shown for shown, _ in heard(ring.chat, ring.happen(made))]
    assert not any(isinstance(shown, Metadata) for shown in told)  # nothing has changed
    ring.depart("mark")
    ring.enter("other", "#den")
    log_in(ring, "other", "mark")
    assert answer(ring, "olga", ShowMetadata(nick="other")) == Metadata("other", NEW)


def test_who_logs_in_or_out_is_described_by_something_else(ring: Ring) -> None:
    ring.happen(AccountMade("owner", "=owner"))
    ring.happen(AccountMetadataSet("owner", (("avatar", "a"), (NAME, "Owner"))))
    ask(ring, "mark", SetMetadata((("color", "red"), (NAME, "Guest"))))
    ring.chat.subscribers.add("id-olga", ["avatar", "color"])

    def told(account: str) -> Values:
        identity = f"={account}" if account else ""
        origin = Origin(account=account)
        event = AccountSet("mark", "id-mark", origin, identity, password_id=1)
        found = [shown for shown, _ in heard(ring.chat, ring.happen(event))]
        return tuple(one for shown in found if isinstance(shown, Metadata) for one in shown.values)

    assert {*told("owner")} == {("avatar", "a"), (NAME, "Owner"), ("color", "")}
    assert {*told("")} == {("avatar", ""), (NAME, "")}
    assert answer(ring, "mark", ShowMetadata()) == Metadata("mark", ())


def test_all_who_are_logged_in_to_an_account_share_it(ring: Ring) -> None:
    ring.happen(AccountMade("owner", "=owner"))
    for nick in ("mark", "eve"):
        log_in(ring, nick, "owner")
    told = ask(ring, "mark", SetMetadata(NEW))
    assert told == [
        (Metadata("mark", NEW), {"id-olga"}),
        (Metadata("eve", NEW), {"id-eve"}),
    ]
    assert answer(ring, "olga", ShowMetadata(nick="eve")) == Metadata("eve", NEW)
    ring.chat.watch("id-olga", ["eve"])
    gone = ((NAME, ""),)
    told = heard(ring.chat, ring.happen(AccountDropped("owner")))
    assert (Metadata("mark", gone), {"id-mark", "id-olga"}) in told
    assert (Metadata("eve", gone), {"id-olga", "id-eve"}) in told
    assert answer(ring, "olga", ShowMetadata(nick="eve")) == Metadata("eve", ())


# ── limits ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("target", ["", "#den"])
def test_keys_and_values_are_bounded(ring: Ring, target: str) -> None:
    def code(key: str, value: str) -> Code | None:
        first = ring.chat.decide("id-olga", SetMetadata(((key, value),), target))[0]
        return first.code if isinstance(first, Refused) else None

    for key in ("", "A", "a b", "a:b", "é", "x" * 51, "$a"):
        assert code(key, "x") is Code.BAD_METADATA_KEY
    assert code("x" * 50, "x") is None
    assert code(NAME, "x" * VALUE_MAX) is None
    assert code(NAME, "x" * (VALUE_MAX + 1)) is Code.BAD_METADATA_VALUE
    assert code(NAME, "é" * (VALUE_MAX // 2 + 1)) is Code.BAD_METADATA_VALUE
    for number in range(KEYS_MAX):
        ask(ring, "olga", SetMetadata(((f"key{number}", "x"),), target))
    assert code("key0", "y") is None
    assert code("one-more", "x") is Code.METADATA_FULL
    ask(ring, "olga", SetMetadata((("key0", ""),), target))
    assert code("one-more", "x") is None


def test_a_value_fits_a_line_beside_a_long_name(ring: Ring) -> None:
    name = "#" + "漢" * 49
    ring.enter("zoe", name)
    request = SetMetadata(((NAME, "x" * VALUE_MAX),), name)
    assert refused(ring, "zoe", request) is Code.BAD_METADATA_VALUE


def test_what_changes_nothing_is_no_event(ring: Ring) -> None:
    ask(ring, "mark", SetMetadata(NEW))
    for request in (SetMetadata(NEW), SetMetadata((("other", ""),))):
        assert ring.chat.decide("id-mark", request) == [Metadata("mark", request.values)]
    assert ring.chat.decide("id-eve", ClearMetadata()) == [Metadata("eve", ())]


values = st.dictionaries(st.sampled_from("abcd"), st.text("xy", max_size=1)).map(
    lambda found: tuple(found.items())
)


@given(st.lists(values))
def test_what_is_left_is_what_was_set_last(changes: list[Values]) -> None:
    found: Values = ()
    last: dict[str, str] = {}
    for change in changes:
        before, found = found, with_values(found, change)
        last |= dict(change)
        assert with_values(before, changed(before, found)) == found
    assert found == tuple(sorted((key, value) for key, value in last.items() if value))


@given(st.text())
def test_a_key_can_stand_before_others_in_a_line(text: str) -> None:
    assert not is_key(text) or (text.isascii() and text.split() == [text] and text[0] != ":")


# ── bringing somebody up to date ───────────────────────────────────────────────────────────────


def test_a_sync_tells_of_the_room_and_its_members_what_was_subscribed(ring: Ring) -> None:
    ask(ring, "olga", SetMetadata((("color", "red"), (NAME, "Den")), "#den"))
    ask(ring, "olga", SetMetadata((("color", "blue"), (NAME, "Olga"))))
    ask(ring, "eve", SetMetadata(NEW))
    room, members = ring.chat.answer("id-mark", SyncMetadata("#den", (NAME,)))
    assert room == AllMetadata((Metadata("#den", ((NAME, "Den"),)),), more=True)
    assert members == AllMetadata((Metadata("olga", ((NAME, "Olga"),)),))


def test_of_a_large_room_it_says_to_come_later(ring: Ring) -> None:
    for number in range(250):
        ring.enter(f"nick{number}")
        ring.put(f"nick{number}", "#den")
    query = SyncMetadata("#den", (NAME,), soon=True)
    assert answer(ring, "mark", query) == SyncLater(("#den",))
    ask(ring, "mark", SetMetadata(NEW))
    told: list[Metadata] = []
    for part in ring.chat.answer("id-olga", SyncMetadata("#den", (NAME,))):
        assert isinstance(part, AllMetadata)
        told += [one for one in part.of if one.values]
    assert told == [Metadata("mark", NEW)]
    assert answer(ring, "mark", SyncMetadata("", (NAME,))) == SyncLater(("#den",))
