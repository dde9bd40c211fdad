"""Registering, logging in and out: who somebody is changes in one place, and with all it is for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring, heard, refusal
from trio_chat.core.commands import (
    Confidential,
    DirectMessage,
    DropAccount,
    DropKey,
    Join,
    LogIn,
    LogOut,
    MakeKey,
    MatchStatus,
    Register,
    Request,
    SetPassword,
)
from trio_chat.core.decide import Told
from trio_chat.core.events import (
    NOWHERE,
    AccountDropped,
    AccountMade,
    AccountReset,
    AccountSet,
    Arrived,
    Change,
    Departed,
    Event,
    KeyDropped,
    KeyMade,
    ModesSet,
    Origin,
    PasswordSet,
    PlaceSet,
    Said,
)
from trio_chat.core.queries import ShowAccount
from trio_chat.core.realm import Account
from trio_chat.core.refusals import Code
from trio_chat.core.views import AccountView, Copy, LoggedOut, Refused


@pytest.fixture
def ring() -> Ring:
    """Alice is a stranger; bob has an account, and carol one that her secret opens."""
    ring = Ring()
    ring.enter("alice", "#tea")
    ring.enter("bob", "#tea")
    ring.enter("carol", "#tea", identity="~carol", key="~carol")
    for nick in ("bob", "carol"):
        register(ring, nick)
    return ring


def register(ring: Ring, nick: str) -> None:
    [made] = ring.decide(f"id-{nick}", Register("secret"))  # type: ignore[arg-type]
    assert isinstance(made, AccountMade)
    ring.happen(made)


def ask(ring: Ring, nick: str, request: Request | Confidential) -> list[Event]:
    """All that comes of it happens."""
    events = [e for e in ring.chat.decide(f"id-{nick}", request) if not isinstance(e, Told)]
    for event in events:
        ring.happen(event)  # type: ignore[arg-type]
    return events  # type: ignore[return-value]


BOBS, CAROLS = Origin(account="bob"), Origin(account="carol")
ALLOWED: list[tuple[str, Request | Confidential, Event]] = [
    ("alice", Register("x"), AccountMade("alice", "=alice", "id-alice")),
    ("dave", Register("x"), AccountMade("dave", "~dave", "id-dave", "~dave")),
    ("alice", LogIn("BOB", password_id=1), AccountSet("alice", "id-alice", BOBS, "=bob", "", 1)),
    ("carol", LogIn("bob", password_id=1), AccountSet("carol", "id-carol", BOBS, "=bob", "", 1)),
    ("bob", LogIn("carol", key="~carol"), AccountSet("bob", "id-bob", CAROLS, "~carol", "~carol")),
    ("bob", LogOut(), AccountSet("bob", "id-bob")),
    ("bob", SetPassword("x"), PasswordSet("bob", "id-bob")),
    ("bob", MakeKey("phone", "~phone"), KeyMade("bob", "~phone", "phone")),
    ("carol", DropKey("FIRST"), KeyDropped("carol", "~carol", "id-carol")),
    ("bob", DropAccount("Bob"), AccountDropped("bob", "id-bob")),
]


@pytest.mark.parametrize(("nick", "request_", "event"), ALLOWED)
def test_allowed(ring: Ring, nick: str, request_: Request, event: Event) -> None:
    ring.enter("dave", identity="~dave")
    assert ring.decide(f"id-{nick}", request_) == [event]


REFUSED: list[tuple[str, Request | Confidential, Code, str]] = [
    ("bob", Register("x"), Code.LOGGED_IN, "logged in as bob already"),
    ("alice", LogIn("dave", password_id=1), Code.WRONG_PASSWORD, "not the password"),
    ("alice", LogIn("bob"), Code.WRONG_PASSWORD, "not the password"),
    ("alice", LogIn("bob", password_id=2), Code.WRONG_PASSWORD, "not the password"),
    ("alice", LogIn("bob", key="~carol"), Code.WRONG_PASSWORD, "not the password"),
    ("alice", LogOut(), Code.NOT_LOGGED_IN, "not logged in"),
    ("alice", SetPassword("x"), Code.NOT_LOGGED_IN, "not logged in"),
    ("alice", MakeKey("phone", "~1"), Code.NOT_LOGGED_IN, "not logged in"),
    ("alice", DropKey("phone"), Code.NOT_LOGGED_IN, "not logged in"),
    ("alice", DropAccount("bob"), Code.NOT_LOGGED_IN, "not logged in"),
    ("bob", DropAccount("carol"), Code.OTHER, "say that name"),
    ("bob", DropKey("first"), Code.OTHER, "none called first"),
    ("carol", MakeKey("First", "~1"), Code.OTHER, "There is a First already"),
    ("carol", MakeKey("x" * 41, "~1"), Code.OTHER, "1 to 40 characters"),
]


@pytest.mark.parametrize(("nick", "request_", "code", "why"), REFUSED)
def test_refused(ring: Ring, nick: str, request_: Request, code: Code, why: str) -> None:
    refused = refusal(ring.decide(f"id-{nick}", request_))
    assert refused.code is code
    assert why in refused.why


@pytest.mark.parametrize("name", ["bob", "BOB", "B0b", "\u0412ob"])
def test_a_name_that_looks_like_an_account_is_not_registered(ring: Ring, name: str) -> None:
    """Whoever has it: the nickname was theirs before."""
    ring.enter("eve")
    ring.person("eve").nick = name
    refused = refusal(ring.decide("id-eve", Register("x")))  # type: ignore[arg-type]
    assert refused.code is Code.ACCOUNT_EXISTS


def test_of_two_who_register_at_once_the_second_finds_it_taken(ring: Ring) -> None:
    """The second was judged before the first had happened; what it would have been is nothing."""
    [first] = ring.decide("id-alice", Register("x"))  # type: ignore[arg-type]
    ring.happen(first)  # type: ignore[arg-type]
    assert ring.happen(AccountMade("ALICE", "~other", "id-dave", "~other")) == []
    account = ring.chat.realm.account("alice")
    assert account
    assert account.identity == "=alice"


def test_at_most_100_000_accounts_with_those_that_were_deleted(ring: Ring) -> None:
    """Names are never free again, so a flood of them has to end."""
    deleted = Account("deleted", dropped=True)
    accounts = {f"name{number}": deleted for number in range(99_997)}
    ring.chat.realm.accounts.update(accounts)  # beside bob's and carol's
    assert isinstance(ring.decide("id-alice", Register("x"))[0], AccountMade)  # type: ignore[arg-type]
    ring.chat.realm.accounts["one more"] = deleted
    assert "100000" in refusal(ring.decide("id-alice", Register("x"))).why  # type: ignore[arg-type]


def test_at_most_20_keys(ring: Ring) -> None:
    for number in range(20):
        ask(ring, "bob", MakeKey(f"phone {number}", f"~{number}"))
    assert "20" in refusal(ring.decide("id-bob", MakeKey("one more", "~x"))).why  # type: ignore[arg-type]


# ── who hears of it ────────────────────────────────────────────────────────────────────────────


def test_everybody_who_shares_a_room_hears_of_it_once_and_who_watches(ring: Ring) -> None:
    ring.enter("dave", "#tea", "#milk")
    ring.enter("eve", "#tea", "#milk")
    ring.enter("watcher")
    ring.chat.watch("id-watcher", ["eve"])
    origin = Origin(account="bob")
    for request in (LogIn("bob", password_id=1), LogOut()):
        [event] = ring.decide("id-eve", request)  # type: ignore[arg-type]
        deliveries = ring.happen(event)  # type: ignore[arg-type]
        everybody = {"id-alice", "id-bob", "id-carol", "id-dave", "id-eve"}
        told = AccountSet("eve", "id-eve", event.origin, event.identity)  # type: ignore[union-attr]
        assert heard(ring.chat, deliveries) == [
            (told, everybody),
            (Copy(told), {"id-watcher"}),
        ]
        assert ring.person("eve").origin == origin
        origin = Origin()


def test_who_registers_is_known_by_that_to_others(ring: Ring) -> None:
    made = AccountMade("alice", "=alice", "id-alice")
    told = AccountSet("alice", "id-alice", Origin(account="alice"), "=alice")
    assert heard(ring.chat, ring.happen(made)) == [(told, {"id-alice", "id-bob", "id-carol"})]


def test_all_who_have_shown_the_secret_are_logged_in_when_one_of_them_registers() -> None:
    ring = Ring()
    for nick in ("dave", "dave2"):
        ring.enter(nick, identity="~dave")
    register(ring, "dave")
    assert [ring.person(nick).origin.account for nick in ("dave", "dave2")] == ["dave", "dave"]
    assert refusal(ring.decide("id-dave2", Register("x"))).code is Code.LOGGED_IN  # type: ignore[arg-type]


def test_everybody_is_logged_out_of_a_deleted_account(ring: Ring) -> None:
    ask(ring, "alice", LogIn("bob", password_id=1))
    [dropped] = ring.decide("id-alice", DropAccount("bob"))
    deliveries = ring.happen(dropped)  # type: ignore[arg-type]
    told = {shown for shown, _ in heard(ring.chat, deliveries)}
    known = {AccountSet(nick, f"id-{nick}") for nick in ("alice", "bob")}
    assert told == {*known, LoggedOut("bob", NOWHERE)}
    assert [ring.person(nick).identity for nick in ("alice", "bob")] == ["id-alice", "id-bob"]


BY_KEY, BY_PASSWORD = {"key": "~carol"}, {"password_id": 1}
CLOSED = [
    (BY_PASSWORD, SetPassword("x")),
    (BY_PASSWORD, DropAccount("carol")),
    (BY_KEY, DropKey("first")),
    (BY_KEY, DropAccount("carol")),
]


@pytest.mark.parametrize(("shown", "closes"), CLOSED)
def test_a_login_is_nothing_once_what_has_opened_the_account_does_so_no_more(
    ring: Ring, shown: dict[str, Any], closes: Request | Confidential
) -> None:
    [log_in] = ring.decide("id-alice", LogIn("carol", **shown))  # type: ignore[arg-type]
    ask(ring, "carol", closes)
    assert ring.happen(log_in) == []  # type: ignore[arg-type]
    assert ring.person("alice").identity == "id-alice"
    assert refusal(ring.decide("id-alice", LogIn("carol", **shown))).code is Code.WRONG_PASSWORD  # type: ignore[arg-type]
    ring.depart("alice")
    assert ring.happen(log_in) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("shown", "closes"), CLOSED)
def test_nor_does_anybody_arrive_by_it(
    ring: Ring, shown: dict[str, Any], closes: Request | Confidential
) -> None:
    ask(ring, "carol", closes)
    phone = ring.happen(Arrived("phone", "id-phone", CAROLS, "~carol", **shown))
    assert LoggedOut("phone", NOWHERE) in [delivery.shown for delivery in phone]
    assert ring.person("phone").identity == "id-phone"


@pytest.mark.parametrize(
    ("shown", "closes"), [(BY_PASSWORD, DropKey("first")), (BY_KEY, SetPassword("x"))]
)
def test_a_login_by_the_one_outlives_the_other(
    ring: Ring, shown: dict[str, Any], closes: Request | Confidential
) -> None:
    [log_in] = ring.decide("id-alice", LogIn("carol", **shown))  # type: ignore[arg-type]
    ask(ring, "carol", closes)
    ring.happen(log_in)  # type: ignore[arg-type]
    assert ring.person("alice").identity == "~carol"


def test_with_a_key_all_are_logged_out_who_have_shown_it(ring: Ring) -> None:
    """But who drops it may stay, as after a logout."""
    ask(ring, "alice", LogIn("carol", key="~carol"))
    ask(ring, "bob", LogIn("carol", **BY_PASSWORD))
    [dropped] = ring.decide("id-carol", DropKey("first"))
    told = [delivery.shown for delivery in ring.happen(dropped)]  # type: ignore[arg-type]
    assert [one for one in told if isinstance(one, LoggedOut)] == [LoggedOut("alice", NOWHERE)]
    accounts = [ring.person(nick).origin.account for nick in ("alice", "bob", "carol")]
    assert accounts == ["", "carol", ""]


def test_another_password_ends_what_the_one_before_has_opened(ring: Ring) -> None:
    ring.enter("dave", identity="~dave", key="~dave")
    ask(ring, "alice", LogIn("carol", **BY_PASSWORD))
    ask(ring, "bob", LogIn("carol", **BY_PASSWORD))
    ask(ring, "dave", LogIn("carol", **BY_PASSWORD))
    ask(ring, "dave", MakeKey("of dave", "~dave", shown=True))
    [set_] = ring.decide("id-alice", SetPassword("x"))  # type: ignore[arg-type]
    told = [delivery.shown for delivery in ring.happen(set_)]  # type: ignore[arg-type]
    assert [one for one in told if isinstance(one, LoggedOut)] == [LoggedOut("bob", NOWHERE)]
    accounts = [ring.person(nick).origin.account for nick in ("alice", "bob", "carol", "dave")]
    assert accounts == ["carol", "", "carol", "carol"]


# ── what a token does not open ─────────────────────────────────────────────────────────────────

TAKING: list[Request | Confidential] = [SetPassword("x"), DropAccount("carol")]
RULING: list[Request | Confidential] = [MakeKey("another", "~another"), DropKey("first"), *TAKING]
TOKEN = "A token cannot do that: log in with the password."
PASSWORD_FIRST = "Log in with the password first, then do that again."


@pytest.fixture
def thief(ring: Ring) -> Ring:
    """Alice has come by a token of carol's."""
    ask(ring, "carol", MakeKey("bot", "~bot"))
    ask(ring, "alice", LogIn("carol", key="~bot"))
    return ring


def may(ring: Ring, request: Request | Confidential) -> bool:
    return not any(isinstance(one, Refused) for one in ring.chat.decide("id-alice", request))


@pytest.mark.parametrize("request_", RULING)
def test_a_token_does_not_rule_the_account(thief: Ring, request_: Request | Confidential) -> None:
    refused = refusal(thief.decide("id-alice", request_))  # type: ignore[arg-type]
    assert refused.why == (PASSWORD_FIRST if request_ in TAKING else TOKEN)
    ask(thief, "alice", MakeKey("mine", "~bot", shown=True))  # nor is it more by another label
    assert not may(thief, request_)
    ask(thief, "alice", LogIn("carol", **BY_PASSWORD))
    assert may(thief, request_)
    ask(thief, "carol", SetPassword("x"))
    assert not may(thief, request_)


@pytest.mark.parametrize("request_", RULING)
def test_what_a_device_keeps_does_but_does_not_take_it_from_its_owner(
    ring: Ring, request_: Request | Confidential
) -> None:
    ring.depart("alice")
    ring.enter("alice", identity="~phone", key="~phone")
    ask(ring, "alice", LogIn("carol", **BY_PASSWORD))
    ask(ring, "alice", MakeKey("phone", "~phone", shown=True))
    ring.depart("alice")
    ring.happen(Arrived("alice", "id-alice", CAROLS, "~carol", key="~phone"))
    assert may(ring, request_) == (request_ not in TAKING)
    ask(ring, "alice", LogIn("carol", **BY_PASSWORD))
    assert may(ring, request_)


@pytest.mark.parametrize("request_", RULING)
def test_nor_does_the_password_of_another_account(
    thief: Ring, request_: Request | Confidential
) -> None:
    ask(thief, "alice", LogIn("bob", **BY_PASSWORD))
    ask(thief, "alice", LogIn("carol", key="~bot"))
    assert not may(thief, request_)


def test_a_token_may_be_dropped_by_who_has_come_by_it(thief: Ring) -> None:
    assert ask(thief, "alice", DropKey("bot")) == [KeyDropped("carol", "~bot", "id-alice")]
    assert thief.person("alice").origin.account == ""


def test_what_an_operator_lets_the_owner_in_by_is_no_key_and_ends(ring: Ring) -> None:
    ring.happen(AccountReset("carol", "~reset"))
    realm, made = ring.chat.realm, ring.entries[-1].at
    account = realm.accounts["carol"]
    assert realm.who("~reset") == ("", "~reset")
    assert not realm.opens(account, "~reset", 0)
    assert realm.resets(account, "~reset", made)
    assert not realm.resets(account, "~another", made)
    assert realm.resets(account, "~reset", made + 72 * 3_600_000 - 1)
    assert not realm.resets(account, "~reset", made + 72 * 3_600_000)
    ring.happen(PasswordSet("carol"))
    assert not realm.resets(realm.accounts["carol"], "~reset", made)


# ── what hangs on it ───────────────────────────────────────────────────────────────────────────


def test_what_is_said_in_private_is_the_accounts_from_then_on(ring: Ring) -> None:
    ask(ring, "alice", LogIn("bob", password_id=1))
    [said] = ring.decide("id-alice", DirectMessage("carol", "hi", token="1"))
    assert isinstance(said, Said)
    assert (said.room, said.token) == ("=bob,~carol", "=bob 1")
    [answer] = ring.decide("id-carol", DirectMessage("alice", "hi"))
    assert isinstance(answer, Said)
    assert answer.room == "=bob,~carol"
    ask(ring, "alice", LogOut())
    [said] = ring.decide("id-alice", DirectMessage("carol", "hi"))
    assert isinstance(said, Said)
    assert said.room == "id-alice,~carol"


def test_who_registers_keeps_the_identity_that_they_had_shown(ring: Ring) -> None:
    assert ring.person("carol").identity == "~carol"
    assert ring.chat.realm.who("~carol") == ("carol", "~carol")
    assert [*ring.chat.same("~carol")] == ["id-carol"]


def test_nobody_is_an_identity_any_more_that_they_were(ring: Ring) -> None:
    assert ring.chat.is_here("id-alice")
    ask(ring, "alice", LogIn("bob", password_id=1))
    assert not ring.chat.is_here("id-alice")
    assert ring.chat.is_here("=bob")
    assert {*ring.chat.same("=bob")} == {"id-alice", "id-bob"}


def test_what_the_account_has_in_a_room_is_given_back(ring: Ring) -> None:
    """Bob was given a voice; whoever logs in as bob has it, and so does bob's next connection."""
    ring.set("#tea", "+v", "bob")
    ring.enter("eve", "#tea")
    assert ring.decide("id-eve", MatchStatus("#tea", "id-eve", "id-eve")) == []
    ask(ring, "eve", LogIn("bob", password_id=1))
    change = Change(True, "v", "eve", "id-eve", "=bob")
    gained = ModesSet("#tea", "eve", (change,), "id-eve", BOBS)
    placed = PlaceSet("#tea", "bob")
    assert ask(ring, "eve", MatchStatus("#tea", "id-eve", "id-eve")) == [placed, gained]
    assert ring.chat.rooms["#tea"].status["id-eve"] == "v"
    assert ask(ring, "eve", MatchStatus("#tea", "id-eve", "id-eve")) == [placed]


def test_what_somebody_has_when_they_register_they_have_when_they_come_again() -> None:
    ring = Ring()
    ring.enter("alice", "#tea")
    register(ring, "alice")
    [_, regained] = ask(ring, "alice", MatchStatus("#tea", "id-alice", "id-alice"))
    assert isinstance(regained, ModesSet)
    ring.depart("alice")
    ring.enter("mallory", "#tea")
    assert ring.chat.rooms["#tea"].status == {}
    ring.enter("al", identity="=alice")
    ring.ask("id-al", Join("#tea"))
    assert ring.chat.rooms["#tea"].status == {"id-al": "o"}


def test_who_has_left_a_room_in_between_gains_nothing_there(ring: Ring) -> None:
    ring.enter("eve")
    ask(ring, "eve", LogIn("bob", password_id=1))
    assert ring.decide("id-eve", MatchStatus("#tea", "id-eve", "id-eve")) == []


def test_who_is_muted_keeps_the_nickname_and_so_the_account() -> None:
    ring = Ring()
    ring.enter("alice", "#tea")
    ring.enter("bob", "#tea")
    register(ring, "bob")
    ring.set("#tea", "+b", "bob!*@*")
    assert refusal(ring.decide("id-bob", LogOut())).code is Code.CANNOT_RENAME
    ring.enter("carol")
    register(ring, "carol")
    assert refusal(ring.decide("id-bob", LogIn("carol", password_id=1))).code is Code.CANNOT_RENAME  # type: ignore[arg-type]
    assert ring.decide("id-bob", LogIn("bob", password_id=1))  # type: ignore[arg-type]
    ring.set("#tea", "-b", "bob!*@*")
    assert ring.decide("id-bob", LogOut()) == [AccountSet("bob", "id-bob")]


# ── looking it up ──────────────────────────────────────────────────────────────────────────────


def test_only_the_owner_is_told_of_the_keys(ring: Ring) -> None:
    ask(ring, "bob", MakeKey("phone", "~phone"))
    made = ring.chat.realm.accounts["bob"].made
    at = ring.chat.realm.accounts["bob"].keys[0].made
    own = AccountView("bob", made, (("phone", at),))
    assert [*ring.chat.answer("id-bob", ShowAccount())] == [own]
    assert [*ring.chat.answer("id-bob", ShowAccount("BOB"))] == [own]
    assert [*ring.chat.answer("id-alice", ShowAccount("bob"))] == [AccountView("bob", made)]
    for name, code in (("", Code.NOT_LOGGED_IN), ("dave", Code.NO_SUCH_NICK)):
        [refused] = ring.chat.answer("id-alice", ShowAccount(name))
        assert isinstance(refused, Refused)
        assert refused.code is code


# ── whatever happens ───────────────────────────────────────────────────────────────────────────

PEOPLE = ["ann", "ben", "cat"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.one_of(
            st.sampled_from(
                [
                    "enter",
                    "enter with a secret",
                    "depart",
                    Register("x"),
                    LogOut(),
                    Join("#tea"),
                    Join("#milk"),
                    MatchStatus("#tea", "id-ann", "id-ann"),
                    MatchStatus("#tea", "id-ben"),
                    MakeKey("phone", "~phone"),
                    DropKey("first"),
                ]
            ),
            st.builds(LogIn, st.sampled_from(PEOPLE), st.just("x")),
            st.builds(DropAccount, st.sampled_from(PEOPLE)),
            st.builds(DirectMessage, st.sampled_from(PEOPLE), st.just("hi")),
        ),
        st.booleans(),
    ),
    min_size=5,
    max_size=40,
)


class Town:
    """A ring in which some events are held back, as if others had come in between."""

    def __init__(self) -> None:
        self.ring = Ring()
        self.ring.open("#tea")
        for nick in PEOPLE:
            self.ring.enter(nick, "#tea", identity=f"~{nick}" if nick == "ann" else "")
        self.held: list[Event] = []

    def step(self, nick: str, what: object, late: bool) -> None:
        chat, user_id = self.ring.chat, f"id-{nick}"
        if user_id not in chat.people:
            shown = f"~{nick}" if what == "enter with a secret" else ""
            account, identity = chat.realm.who(shown)
            if isinstance(what, str) and what.startswith("enter"):
                origin = Origin(account=account)
                self.ring.enter(nick, origin=origin, identity=identity, key=shown)
        elif what == "depart":
            self.ring.happen(Departed(nick, user_id))
        elif not isinstance(what, str):
            events = [e for e in self.ring.decide(user_id, what) if not isinstance(e, Told)]  # type: ignore[arg-type]
            # Barriers of one log are compared and swapped, so they cannot be late.
            if late and events and isinstance(events[0], AccountSet):
                self.held += events  # type: ignore[arg-type]
                return
            for event in events:
                self.ring.happen(event)  # type: ignore[arg-type]
        if not late and self.held:
            self.ring.happen(self.held.pop(0))

    def check(self) -> None:
        chat = self.ring.chat
        for user_id, person in chat.people.items():
            account = chat.realm.account(person.origin.account) if person.origin.account else None
            assert bool(account) == bool(person.origin.account)
            if account:
                assert person.identity == account.identity
            else:
                assert person.identity in (user_id, f"~{person.nick}")
            assert user_id in chat.same(person.identity)
            for room in person.rooms:
                assert chat.rooms[room].members[user_id] is person
        by_identity = {identity: {*people} for identity, people in chat.known.items()}
        expected: dict[str, set[str]] = {}
        for user_id, person in chat.people.items():
            if person.is_known:
                expected.setdefault(person.identity, set()).add(user_id)
        assert by_identity == expected


@given(steps=STEPS)
def test_whatever_happens_everybody_is_known_as_who_they_are(
    steps: list[tuple[str, object, bool]],
) -> None:
    town = Town()
    for step in steps:
        town.step(*step)
        town.check()
