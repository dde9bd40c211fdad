"""Invitations as a fold over their log: whatever comes, none lets in more than it says."""

from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.admission import spend
from trio_chat.core.events import (
    REALM,
    AccountDropped,
    AccountMade,
    Entry,
    InvitationRevoked,
    InvitationUsed,
    OfAccount,
)
from trio_chat.core.realm import Realm
from trio_chat.core.views import Refused
from trio_chat.storage.codec import decode_realm, encode_realm

DAY = 86_400_000
FAR = 1000 * DAY

USES = st.builds(
    lambda id, who: InvitationUsed(id, {"a": 1, "b": 3}[id], FAR, who),
    st.sampled_from("ab"),
    st.sampled_from(["", "~1", "~2", "~3", "~4", "~5"]),
)
# A restart, or what somebody does.
STEPS = st.lists(st.one_of(USES, st.builds(InvitationRevoked, st.sampled_from("ab")), st.none()))


def apply(realm: Realm, event: InvitationUsed | InvitationRevoked | OfAccount, at: int) -> None:
    realm.apply(Entry(REALM, f"{at:09d}", event, at))


def restarted(realm: Realm) -> Realm:
    again = Realm()
    again.restore(decode_realm(encode_realm(realm.state())))
    return again


@given(STEPS)
def test_n_uses_let_in_n_newcomers_whatever_comes(
    steps: list[InvitationUsed | InvitationRevoked | None],
) -> None:
    realm, let_in, revoked = Realm(), dict[str, list[str]](a=[], b=[]), set[str]()
    for at, step in enumerate(steps):
        if step is None:
            realm = restarted(realm)
            continue
        id = step.invitation
        if isinstance(step, InvitationRevoked):
            revoked.add(id)
            apply(realm, step, at)
            continue
        before = let_in[id]
        found = spend(realm, step)
        if found is step:
            apply(realm, step, at)
            before.append(step.identity)
            assert id not in revoked
            assert len(before) <= step.uses
        elif found is None:
            assert step.identity in before
        else:
            assert isinstance(found, Refused)
            assert id in revoked or len(before) == step.uses


def test_who_has_used_it_may_come_again_and_nobody_else() -> None:
    realm = Realm()
    apply(realm, InvitationUsed("a", 1, FAR, "~al"), 1)
    assert spend(realm, InvitationUsed("a", 1, FAR, "~al")) is None
    assert isinstance(spend(realm, InvitationUsed("a", 1, FAR, "~bo")), Refused)
    unknown = InvitationUsed("b", 1, FAR)
    apply(realm, unknown, 2)
    assert isinstance(spend(realm, unknown), Refused)


def test_what_has_expired_long_ago_is_forgotten_but_not_at_once() -> None:
    realm = Realm()
    apply(realm, InvitationUsed("old", 1, 10 * DAY), 0)
    apply(realm, InvitationUsed("new", 1, FAR), 11 * DAY)
    assert {*realm.invitations} == {"old", "new"}
    apply(realm, InvitationUsed("new", 2, FAR), 100 * DAY)
    assert {*realm.invitations} == {"new"}


def test_it_is_not_open_again_for_who_has_deleted_the_account() -> None:
    realm = Realm()
    apply(realm, InvitationUsed("a", 1, FAR, "~al"), 1)
    apply(realm, AccountMade("al", "~al", key="~al"), 2)
    apply(realm, AccountDropped("al"), 3)
    assert isinstance(spend(restarted(realm), InvitationUsed("a", 1, FAR, "~al")), Refused)


def test_one_for_operators_counts_once_for_who_has_used_it_as_a_guest() -> None:
    realm = Realm()
    apply(realm, InvitationUsed("a", 1, FAR, "~al"), 1)
    apply(realm, AccountMade("al", "~al"), 2)
    again = InvitationUsed("a", 1, FAR, "~al", "al")
    assert spend(realm, again) is again
    apply(realm, again, 3)
    assert realm.invitations["a"].by == ("~al",)


def test_an_account_that_uses_one_for_operators_is_an_operators() -> None:
    realm = Realm()
    apply(realm, AccountMade("al", "=al"), 1)
    apply(realm, InvitationUsed("a", 1, FAR, "=al", "al"), 2)
    account = restarted(realm).account("al")
    assert account
    assert account.operator
