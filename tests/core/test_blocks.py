"""Accounts that somebody takes nothing from: who may block whom, and what that keeps out."""

from collections.abc import Sequence

import pytest

from ring import Ring, refusal
from trio_chat.core.blocks import is_blocked
from trio_chat.core.commands import (
    BlockAccount,
    DirectMessage,
    Invite,
    Join,
    LogOut,
    Request,
    Say,
    TagMessage,
    UnblockAccount,
)
from trio_chat.core.events import AccountBlocked, AccountMade, Origin, Said
from trio_chat.core.queries import ListBlocks
from trio_chat.core.refusals import Code
from trio_chat.core.views import Blocks

KEPT_OUT = [
    DirectMessage("alice", "hi"),
    DirectMessage("alice", "hi", notice=True),
    TagMessage("+draft/react=x", nick="alice"),
    Invite("#den", "alice"),
]


def log_in(ring: Ring, account: str, nick: str) -> None:
    ring.happen(AccountMade(account, f"={account}", key=account))
    origin = Origin(account=account)
    ring.enter(nick, "#lobby", origin=origin, identity=f"={account}", key=account)


@pytest.fixture
def ring() -> Ring:
    """Alice and Mallory have accounts and are in #lobby, Mallory in #den, too; Guest has none."""
    ring = Ring()
    for nick in ("alice", "mallory"):
        log_in(ring, nick, nick)
    ring.enter("guest", "#lobby")
    ring.ask("id-mallory", Join("#den"))
    return ring


def blocks(ring: Ring, nick: str = "alice") -> Sequence[object]:
    return [*ring.chat.answer(f"id-{nick}", ListBlocks())]


@pytest.mark.parametrize("request_", KEPT_OUT)
def test_nothing_of_a_blocked_account_arrives_and_it_is_told(ring: Ring, request_: Request) -> None:
    ring.ask("id-alice", BlockAccount("mallory"))
    refused = refusal(ring.decide("id-mallory", request_))
    assert (refused.why, refused.code, refused.about) == (
        "alice takes no messages from you.",
        Code.CANNOT_WRITE_TO,
        ("alice",),
    )
    ring.ask("id-alice", UnblockAccount("MALLORY"))
    ring.ask("id-mallory", request_)


@pytest.mark.parametrize("request_", KEPT_OUT[:3])
def test_nor_while_its_owner_is_not_here(ring: Ring, request_: Request) -> None:
    ring.ask("id-alice", BlockAccount("mallory"))
    ring.depart("alice")
    assert refusal(ring.decide("id-mallory", request_)).code is Code.CANNOT_WRITE_TO
    assert ring.decide("id-guest", DirectMessage("alice", "hi"))[0].__class__ is Said


def test_that_somebody_is_typing_is_dropped_without_a_word(ring: Ring) -> None:
    ring.ask("id-alice", BlockAccount("mallory"))
    assert ring.decide("id-mallory", TagMessage("+typing=active", nick="alice")) == []


def test_what_they_say_in_rooms_and_what_is_said_to_them_is_not_changed(ring: Ring) -> None:
    ring.ask("id-alice", BlockAccount("mallory"))
    assert ring.ask("id-mallory", Say("#lobby", "alice: hi"))
    assert ring.ask("id-alice", DirectMessage("mallory", "why?"))


def test_by_whatever_nickname_they_are_blocked(ring: Ring) -> None:
    log_in(ring, "carl", "c2")
    ring.ask("id-alice", BlockAccount("c2"))
    assert blocks(ring) == [Blocks(("carl",))]
    assert refusal(ring.decide("id-c2", DirectMessage("alice", "hi")))
    ring.ask("id-alice", UnblockAccount("c2"))
    assert blocks(ring) == [Blocks(())]


@pytest.mark.parametrize(
    ("nick", "request_", "why"),
    [
        ("guest", BlockAccount("mallory"), "You are not logged in."),
        ("guest", UnblockAccount("mallory"), "You are not logged in."),
        ("alice", BlockAccount("alice"), "You cannot block yourself."),
        ("alice", BlockAccount("nobody"), "There is no account nobody."),
        ("alice", UnblockAccount("mallory"), "You have not blocked mallory."),
        (
            "alice",
            BlockAccount("guest"),
            "guest has no account, so a block would not last. Your client can ignore them, and "
            "mode +R keeps all guests out.",
        ),
    ],
)
def test_who_cannot_block_whom(ring: Ring, nick: str, request_: Request, why: str) -> None:
    assert refusal(ring.decide(f"id-{nick}", request_)).why == why


def test_operators_of_the_server_are_not_blocked(ring: Ring) -> None:
    ring.ask("id-alice", BlockAccount("mallory"))
    ring.make_operator("mallory")
    assert ring.ask("id-mallory", DirectMessage("alice", "a word"))
    ring.happen(AccountMade("boss", "=boss", operator=True))
    assert refusal(ring.decide("id-alice", BlockAccount("boss"))).why == (
        "boss is an operator of this server, and cannot be blocked."
    )


def test_a_hundred_and_no_more(ring: Ring) -> None:
    for number in range(101):
        ring.happen(AccountMade(f"a{number}", f"=a{number}"))
    for number in range(100):
        ring.ask("id-alice", BlockAccount(f"a{number}"))
    assert refusal(ring.decide("id-alice", BlockAccount("a100"))).why == (
        "You have blocked 100 accounts, which is the limit."
    )
    assert refusal(ring.decide("id-alice", BlockAccount("a7"))).why == (
        "You have blocked a7 already."
    )
    ring.ask("id-alice", UnblockAccount("a7"))
    ring.ask("id-alice", BlockAccount("a100"))


def test_it_goes_with_the_account_and_stays_when_they_log_out(ring: Ring) -> None:
    ring.ask("id-alice", BlockAccount("mallory"))
    account = ring.chat.realm.account("alice")
    assert account
    ring.ask("id-alice", LogOut())
    assert is_blocked(ring.chat, ring.person("mallory"), account)
    assert isinstance(ring.decide("id-mallory", DirectMessage("guest", "hi"))[0], Said)
    ring.happen(AccountBlocked("alice", "nobody"))
    assert ring.chat.realm.accounts["alice"].blocked == ("mallory",)
