"""Accounts, as a fold over their log: whatever comes, each name has one owner."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core.events import (
    REALM,
    AccountBlocked,
    AccountDropped,
    AccountMade,
    AccountUnblocked,
    Banned,
    Entry,
    KeyDropped,
    KeyMade,
    Locked,
    OfRealm,
    PasswordSet,
    Unbanned,
    Unlocked,
)
from trio_chat.core.names import fold
from trio_chat.core.realm import Realm


def entries(events: Sequence[OfRealm]) -> list[Entry]:
    return [Entry(REALM, f"{number:06d}", event, number) for number, event in enumerate(events, 1)]


def realm(*events: OfRealm) -> Realm:
    found = Realm()
    for entry in entries(events):
        found.apply(entry)
    return found


BOB = AccountMade("Bob", "~of-bob", "1", "~of-bob")


def test_an_account_is_found_by_its_name_in_any_case() -> None:
    account = realm(BOB).account("bOB")
    assert account
    assert (account.name, account.identity, account.made) == ("Bob", "~of-bob", 1)
    assert realm(BOB).account("rob") is None


@pytest.mark.parametrize("name", ["Bob", "BOB", "\u0412ob", "B0b", "b\u043eb"])
def test_names_that_look_alike_have_one_owner(name: str) -> None:
    assert realm(BOB).owners(name) == {"bob"}
    second = realm(BOB, AccountMade(name, "=other"))
    assert [account.identity for account in second.accounts.values()] == ["~of-bob"]
    assert second.who("=other") == ("", "=other")


def test_a_deleted_account_leaves_nothing_but_its_name() -> None:
    gone = realm(BOB, KeyMade("bob", "~phone", "phone"), AccountDropped("bob"))
    assert gone.account("bob") is None
    assert gone.owners("B0B") == {"bob"}
    assert gone.who("~of-bob") == ("", "~of-bob")
    assert gone.who("~phone") == ("", "~phone")
    again = realm(BOB, AccountDropped("bob"), AccountMade("bob", "=bob"), PasswordSet("bob"))
    assert again.account("bob") is None


def test_who_shows_the_secret_of_a_key_is_the_owner() -> None:
    found = realm(BOB, KeyMade("bob", "~phone", "phone"))
    assert found.who("~of-bob") == found.who("~phone") == ("Bob", "~of-bob")
    assert found.who("~stranger") == ("", "~stranger")
    assert found.who("") == ("", "")


def test_a_key_that_was_dropped_shows_nothing() -> None:
    dropped = realm(BOB, KeyMade("bob", "~phone", "phone"), KeyDropped("bob", "~of-bob"))
    assert dropped.who("~of-bob") == ("", "")  # it is still the identity of the account
    assert dropped.who("~phone") == ("Bob", "~of-bob")
    assert realm(BOB, KeyMade("bob", "~phone", "x"), KeyDropped("bob", "~phone")).who("~phone") == (
        "",
        "~phone",
    )


def test_nobody_takes_or_drops_the_key_of_another() -> None:
    carl = AccountMade("carl", "=carl")
    found = realm(BOB, carl, KeyMade("carl", "~of-bob", "stolen"), KeyDropped("carl", "~of-bob"))
    assert found.who("~of-bob") == ("Bob", "~of-bob")
    account = found.account("carl")
    assert account
    assert account.keys == ()


NAMES = st.sampled_from(["bob", "Bob", "B0b", "\u0412ob", "carl", "car1", "CARL", "dave"])
KEYS = st.sampled_from(["~1", "~2", "~3"])
EVENTS = st.one_of(
    st.builds(lambda name, key: AccountMade(name, key or f"={fold(name)}", "1", key), NAMES, KEYS),
    st.builds(lambda name: AccountMade(name, f"={fold(name)}"), NAMES),
    st.builds(AccountDropped, NAMES),
    st.builds(PasswordSet, NAMES),
    st.builds(KeyMade, NAMES, KEYS, st.just("label")),
    st.builds(KeyDropped, NAMES, KEYS),
    st.builds(AccountBlocked, NAMES, NAMES),
    st.builds(AccountUnblocked, NAMES, NAMES),
    st.builds(Banned, st.integers(1, 9), st.just("mask"), NAMES, seconds=st.integers(0, 9)),
    st.builds(Unbanned, st.integers(1, 9)),
    st.builds(Locked, st.integers(0, 9)),
    st.just(Unlocked()),
)


@given(events=st.lists(EVENTS, max_size=30))
def test_whatever_comes_each_name_has_one_owner_and_the_first_keeps_it(
    events: list[OfRealm],
) -> None:
    found, first = Realm(), dict[str, str]()
    for entry in entries(events):
        found.apply(entry)
        for name in ("bob", "carl", "dave"):
            [*owners] = found.owners(name)
            assert len(owners) <= 1
            assert not owners or first.setdefault(name, owners[0]) == owners[0]
    by_key = {each.key: name for name, a in found.accounts.items() for each in a.keys}
    for key in ("~1", "~2", "~3"):
        account = found.account(by_key[key]) if key in by_key else None
        assert found.who(key)[0] == (account.name if account else "")
    identities = [a.identity for a in found.accounts.values() if not a.dropped]
    assert len(identities) == len({*identities})


@example(events=[Banned(1, "mask", "bob"), Banned(1, "mask", "B0b")], saved=2)
@given(events=st.lists(EVENTS, max_size=30), saved=st.integers(0, 30))
def test_a_snapshot_and_what_came_after_it_are_the_same_as_all_of_it(
    events: list[OfRealm], saved: int
) -> None:
    all_of_it = entries(events)
    whole, first, again = Realm(), Realm(), Realm()
    for entry in all_of_it:
        whole.apply(entry)
    for entry in all_of_it[:saved]:
        first.apply(entry)
    again.restore(first.state(), all_of_it[saved:])
    assert again == whole
