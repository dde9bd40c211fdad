"""Bans of the server and its lock: whom they are about, and for whom they count."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring, refusal
from trio_chat.core import moderation
from trio_chat.core.bans import Bans
from trio_chat.core.commands import (
    LiftBan,
    LiftRoomBan,
    LockChat,
    LogIn,
    LogOut,
    Register,
    Rename,
    Request,
    SetBan,
    SetRoomBan,
    UnlockChat,
)
from trio_chat.core.decide import Told
from trio_chat.core.events import (
    AccountDropped,
    AccountMade,
    AccountSet,
    Arrived,
    Attached,
    Banned,
    Change,
    Departed,
    Detached,
    Event,
    InvitationUsed,
    Locked,
    Origin,
    Renamed,
    Unbanned,
    Unlocked,
    UserModesSet,
)
from trio_chat.core.explain import explain
from trio_chat.core.limits import limit_of
from trio_chat.core.queries import ListBans
from trio_chat.core.realm import Realm
from trio_chat.core.refusals import Code
from trio_chat.core.views import Ban, BanEffect, LockEffect, Notice, Refused
from trio_chat.core.views import Bans as BansView


@pytest.fixture
def ring() -> Ring:
    """Olga is an operator of the server; bob has an account, and mallory is a guest."""
    ring = Ring()
    ring.enter("olga", "#tea", address="198.51.100.1")
    ring.enter("bob", "#tea", address="192.0.2.7")
    ring.enter("mallory", "#tea", origin=Origin("m", "cloak.ip"), address="203.0.113.9")
    ring.make_operator("olga")
    ring.happen(AccountMade("bob", "=bob", "id-bob"))
    return ring


def ban(ring: Ring, whom: str, *, mute: bool = False, seconds: int = 0, why: str = "") -> Banned:
    banned = ring.decide("id-olga", SetBan(whom, seconds, mute, why))[0]
    assert isinstance(banned, Banned), banned
    ring.happen(banned)
    return banned


# ── whom a ban is about ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("whom", "kind", "value", "hit"),
    [
        ("192.0.2.7", "network", "192.0.2.7", ["bob"]),
        ("192.0.2.0/24", "network", "192.0.2.0/24", ["bob"]),
        ("192.0.2.99/24", "network", "192.0.2.0/24", ["bob"]),
        ("::ffff:192.0.2.7", "network", "192.0.2.7", ["bob"]),
        ("2001:db8::1", "network", "2001:db8::/64", ["sixten"]),
        ("2001:db8::1/128", "network", "2001:db8::/64", ["sixten"]),
        ("2001:db8::/48", "network", "2001:db8::/48", ["sixten"]),
        ("192.0.0.0/8", "network", "192.0.0.0/8", ["bob"]),
        ("*@203.0.113.0/24", "network", "203.0.113.0/24", ["mallory"]),
        ("a:BOB", "account", "bob", ["bob"]),
        ("BOB", "account", "bob", ["bob"]),
        ("bobby", "account", "bob", ["bob", "bobby"]),
        ("mallory", "network", "203.0.113.9", ["mallory"]),
        ("mal*", "mask", "mal*!*@*", ["mallory"]),
        ("*@cloak.*", "mask", "*!*@cloak.*", ["mallory"]),
        ("*@203.0.113.*", "mask", "*!*@203.0.113.*", ["mallory"]),
        ("*!m@*", "mask", "*!m@*", ["mallory"]),
        ("*!*@*", "mask", "*!*@*", ["bob", "mallory", "sixten", "local"]),
    ],
)
def test_whom_it_is_about(ring: Ring, whom: str, kind: str, value: str, hit: list[str]) -> None:
    ring.enter("sixten", address="2001:db8::abcd")
    ring.enter("local", address="127.0.0.1")
    if whom == "bobby":
        ring.enter("bobby", address="198.51.100.2")
        ring.ask("id-bobby", LogIn("bob", password_id=1))  # type: ignore[arg-type]
    banned = ban(ring, whom, why="spam")
    assert (banned.kind, banned.value) == (kind, value)
    people = ring.chat.people.values()
    assert [p.nick for p in people if isinstance(p.limit, Ban)] == hit
    assert [ring.chat.people[user_id].nick for user_id in ring.chat.banned] == hit


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        ("127.0.0.1", "127.0.0.1 is the server's own machine, from where nobody can be kept out."),
        ("a:nobody", "There is no account nobody."),
        ("nobody", "There is no account nobody, and nobody here is called that. Ban the address, "),
        ("192.0.2.0/33", "192.0.2.0/33 is not a network. Write 192.0.2.1, "),
        ("192.0.2.256", "192.0.2.256 is not a network."),
        ("2001:db8::x", "There is no account 2001:db8::x"),
        ("*@192.0.2.*/24", "192.0.2.*/24 is not a network."),
        ("sp\u202eam*", "A mask cannot have characters that nobody can see."),
        (":1", ":1 is not a network."),
        ("::1", "::1 is the server's own machine, from where nobody can be kept out."),
        ("olga", "olga is an operator of this server, and cannot be banned."),
        ("root", "root is an operator of this server, and cannot be banned."),
        ("local", "only the nickname can be banned, as local!*@*."),
        ("*" + "x" * 200, "A mask has at most 200 bytes."),
    ],
)
def test_what_cannot_be_banned(ring: Ring, whom: str, why: str) -> None:
    ring.enter("local", address="unix")
    ring.happen(AccountMade("root", "=root", operator=True))
    assert why in refusal(ring.decide("id-olga", SetBan(whom))).why


@pytest.mark.parametrize(
    "request_",
    [SetBan("192.0.2.7"), LiftBan("1"), LockChat(), UnlockChat()],
)
def test_only_operators_moderate(ring: Ring, request_: Request) -> None:
    for nick in ("bob", "mallory"):
        refused = refusal(ring.decide(f"id-{nick}", request_))
        assert refused.code is Code.NOT_AN_OPERATOR
    [refused] = ring.chat.answer("id-bob", ListBans())  # type: ignore[misc]
    assert isinstance(refused, Refused)


@pytest.mark.parametrize("whom", ["*", "!", "@", "?*", "*!*", "0.0.0.0/0", "0.0.0.0/7", "::/0"])
def test_nobody_bans_everybody_by_a_slip(whom: str) -> None:
    """Not even where nobody is hit by it yet."""
    ring = Ring()
    ring.enter("olga")
    ring.make_operator("olga")
    why = refusal(ring.decide("id-olga", SetBan(whom))).why
    assert why == (
        f"A ban of {whom} would hit everybody, or nearly: if you mean that, write *!*@*. "
        "/lock keeps out guests."
    )
    ban(ring, "*!*@*")


def test_operators_are_never_hit(ring: Ring) -> None:
    ring.happen(AccountMade("root", "=root", operator=True))
    ring.enter("r", address="198.51.100.1")
    ring.ask("id-r", LogIn("root", password_id=1))  # type: ignore[arg-type]
    ban(ring, "*!*@*")
    ban(ring, "198.51.100.0/24")
    ring.happen(Locked())
    assert [p.nick for p in ring.chat.people.values() if p.limit is None] == ["olga", "r"]


def effect(ring: Ring, whom: str, *, mute: bool = False) -> BanEffect:
    [_, found] = ring.decide("id-olga", SetBan(whom, mute=mute))
    assert isinstance(found, BanEffect)
    return found


def test_who_sets_one_is_told_whom_it_hits(ring: Ring) -> None:
    ban = Ban(1, "network", "203.0.113.9", whom="mallory")
    assert effect(ring, "mallory") == BanEffect(ban, hit=1, others=2)
    everybody = Ban(1, "mask", "*!*@*", mute=True)
    assert effect(ring, "*!*@*", mute=True) == BanEffect(everybody, hit=2, others=2, is_wide=True)
    theirs = Ban(1, "network", "198.51.100.0/24")
    assert effect(ring, "198.51.100.0/24") == BanEffect(
        theirs, hit=0, others=2, is_wide=True, shuts_out=True
    )
    assert not effect(ring, "198.51.100.0/24", mute=True).shuts_out


def test_where_guests_come_in_the_network_is_told_from_where_they_can(ring: Ring) -> None:
    ring.chat.is_open = True
    found = effect(ring, "bob")
    assert (found.hit, found.as_guests, found.networks) == (1, True, ("192.0.2.7",))
    assert not effect(ring, "mallory").as_guests
    bob = Origin(account="bob")
    ring.happen(Attached("bob", "id-bob", "2", bob, password_id=1, address="192.0.2.99"))
    assert effect(ring, "bob").networks == ("192.0.2.7", "192.0.2.99")
    ring.happen(Detached("bob", "id-bob", "2"))
    ring.depart("bob")
    found = effect(ring, "bob")
    assert (found.hit, found.as_guests, found.networks) == (0, True, ())


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        ("192.0.2.0/24", "Others come in by 192.0.2.4/30, a proxy of this server: "),
        ("192.0.2.5", "Others come in by 192.0.2.4/30, a proxy of this server: "),
        ("mallory", "That is the server's own address, by which others may come in: "),
    ],
)
def test_the_way_in_of_others_cannot_be_banned(ring: Ring, whom: str, why: str) -> None:
    ring.chat.proxies = (ip_network("192.0.2.4/30"),)
    ring.chat.own = frozenset({ip_network("203.0.113.9")})
    for mute in (False, True):
        assert refusal(ring.decide("id-olga", SetBan(whom, mute=mute))).why.startswith(why)
    assert effect(ring, "203.0.113.0/24").hit == 1
    assert effect(ring, "192.0.2.8").hit == 0


def test_numbers_are_never_given_twice(ring: Ring) -> None:
    assert [ban(ring, "bob").number, ban(ring, "mallory").number] == [1, 2]
    [lifted, notice] = ring.decide("id-olga", LiftBan("2"))
    assert notice == Notice("Ban 2 is lifted: network 203.0.113.9 (mallory).")
    ring.happen(lifted)  # type: ignore[arg-type]
    restored = Realm()
    restored.restore(ring.chat.realm.state())
    assert restored == ring.chat.realm
    assert restored.bans.last == 2
    assert ban(ring, "mallory").number == 3


def test_one_about_the_same_is_replaced(ring: Ring) -> None:
    ban(ring, "bob", mute=True)
    assert effect(ring, "BOB").replaced == 1
    ban(ring, "BOB")
    assert [*ring.chat.realm.bans.all] == [2]
    assert ring.person("bob").limit == ring.chat.realm.bans.all[2]


def test_a_ban_is_lifted_by_its_number_or_by_whom_it_is_about(ring: Ring) -> None:
    ban(ring, "192.0.2.0/24")
    for which in ("1", "192.0.2.0/24"):
        [lifted, _] = ring.decide("id-olga", LiftBan(which))
        assert lifted == Unbanned(1, "olga", "id-olga", "network", "192.0.2.0/24")
    assert refusal(ring.decide("id-olga", LiftBan("7"))).why == "There is no ban 7."
    assert "There is no ban of account bob" in refusal(ring.decide("id-olga", LiftBan("bob"))).why


def test_there_is_a_limit_of_bans(ring: Ring) -> None:
    for number in range(1, 10_001):
        ring.chat.realm.bans.add(Ban(number, "mask", f"m{number}!*@*"))
    refused = refusal(ring.decide("id-olga", SetBan("bob")))
    assert refused.why == "There are 10000 bans, which is the limit: lift some first."
    assert isinstance(ring.decide("id-olga", SetBan("m7!*@*"))[0], Banned)
    parts = [*ring.chat.answer("id-olga", ListBans())]
    assert [part.more for part in parts] == [True] * 49 + [False]  # type: ignore[union-attr]
    assert sum(len(part.bans) for part in parts) == 10_000  # type: ignore[union-attr]


def test_bans_of_somebody_are_found(ring: Ring) -> None:
    ban(ring, "mal*", mute=True)
    ban(ring, "203.0.113.9")
    [found] = ring.chat.answer("id-olga", ListBans("mallory"))
    assert isinstance(found, BansView)
    assert [one.number for one in found.bans] == [1, 2]
    [found] = ring.chat.answer("id-olga", ListBans("mal*"))
    assert [one.number for one in found.bans] == [1]  # type: ignore[union-attr]


def test_a_guest_who_is_gone_is_known_by_the_name_they_were_banned_by(ring: Ring) -> None:
    ban(ring, "mallory")
    ring.happen(Departed("mallory", "id-mallory"))
    [found] = ring.chat.answer("id-olga", ListBans("MALLORY"))
    assert [one.number for one in found.bans] == [1]  # type: ignore[union-attr]
    [lifted, _] = ring.decide("id-olga", LiftBan("Mallory"))
    assert lifted == Unbanned(1, "olga", "id-olga", "network", "203.0.113.9", "mallory")


def test_a_ban_is_found_by_what_it_is_about_if_that_is_no_more_or_lies_within(ring: Ring) -> None:
    ban(ring, "10.9.0.0/16")
    ban(ring, "bob")
    ring.happen(AccountDropped("bob", "id-bob"))
    for asked, number in [("10.9.1.1", 1), ("10.9.4.0/24", 1), ("bob", 2), ("a:BOB", 2)]:
        [found] = ring.chat.answer("id-olga", ListBans(asked))
        assert [one.number for one in found.bans] == [number]  # type: ignore[union-attr]
    [found] = ring.chat.answer("id-olga", ListBans("10.0.0.0/8"))
    assert found == BansView((), whom="10.0.0.0/8")
    why = refusal(ring.decide("id-olga", LiftBan("10.9.1.1"))).why
    assert (
        why
        == "There is no ban of network 10.9.1.1. Ban 1 is about 10.9.0.0/16, which has it in it."
    )
    for which in ("bob", "a:bob"):
        assert ring.decide("id-olga", LiftBan(which))[0].number == 2  # type: ignore[union-attr]


def test_a_guest_who_has_just_left_is_banned_by_name(ring: Ring) -> None:
    ring.happen(Departed("mallory", "id-mallory"))
    banned, told = ring.decide("id-olga", SetBan("Mallory"))
    assert isinstance(banned, Banned)
    assert (banned.kind, banned.value, banned.whom) == ("network", "203.0.113.9", "mallory")
    assert isinstance(told, BanEffect)
    assert told.has_gone
    assert not effect(ring, "bob").has_gone


# ── for whom it counts ─────────────────────────────────────────────────────────────────────────


def test_nobody_takes_a_nickname_that_is_banned(ring: Ring) -> None:
    ban(ring, "spam*", seconds=60, why="spam")
    refused = refusal(ring.decide("id-bob", Rename("spammer")))
    assert refused == Refused(
        "Nobody may be called spammer until 1970-01-01 00:02 UTC (spam), ban 1.",
        Code.BAD_NICK,
        ("spammer",),
    )
    assert isinstance(ring.decide("id-olga", Rename("spammer"))[0], Renamed)


def test_nobody_logs_in_to_an_account_that_is_banned(ring: Ring) -> None:
    ring.chat.contact = "help@example.org"
    ban(ring, "bob")
    refused = refusal(ring.decide("id-mallory", LogIn("bob", password_id=1)))
    assert refused.why == (
        "You are banned from this chat for good, ban 1. Contact: help@example.org"
    )


def test_the_lock_is_about_guests(ring: Ring) -> None:
    [locked, notice] = ring.decide("id-olga", LockChat(600, "raid"))
    assert notice == LockEffect(seconds=600, muted=1, others=2)
    ring.happen(locked)  # type: ignore[arg-type]
    assert [p.nick for p in ring.chat.people.values() if p.limit] == ["mallory"]
    assert ring.chat.banned == {}
    why = refusal(ring.decide("id-mallory", Register("x"))).why  # type: ignore[arg-type]
    assert why == "This chat is locked until 1970-01-01 00:11 UTC (raid): nobody can register."
    [opened] = ring.decide("id-olga", UnlockChat())
    ring.happen(opened)  # type: ignore[arg-type]
    assert ring.person("mallory").limit is None
    assert refusal(ring.decide("id-olga", UnlockChat())).why == "This chat is not locked."


@pytest.mark.parametrize(
    ("seconds", "end"), [(0, "until somebody opens it"), (600, "until 1970-01-01 00:11 UTC")]
)
def test_a_lock_without_a_time_changes_none_that_is_there(
    ring: Ring, seconds: int, end: str
) -> None:
    [locked, _] = ring.decide("id-olga", LockChat())
    assert locked == Locked(3600, by="olga", origin=ring.person("olga").origin)
    ring.happen(Locked(seconds, "raid"))
    why = f"This chat is locked {end} (raid). /lock 1h sets another time, /lock off opens it."
    assert refusal(ring.decide("id-olga", LockChat())).why == why
    [locked, _] = ring.decide("id-olga", LockChat(60))
    assert isinstance(locked, Locked)


def test_why_names_the_ban_of_a_room_that_somebody_was_removed_from(ring: Ring) -> None:
    for event in ring.decide("id-olga", SetRoomBan("#tea", "mallory", why="spam")):
        assert not isinstance(event, Told)
        ring.happen(event)
    banned = "You are banned from #tea (spam). Ask its operators."
    assert [*explain(ring.chat, ring.person("mallory"))] == [banned]
    ring.ask("id-olga", LiftRoomBan("#tea", "1"))
    assert [*explain(ring.chat, ring.person("mallory"))] == []


def test_why_tells_all_that_limits_somebody(ring: Ring) -> None:
    def why(nick: str) -> list[str]:
        return [*explain(ring.chat, ring.person(nick))]

    assert why("mallory") == []
    ban(ring, "mal*", mute=True, seconds=60)
    ring.happen(Locked(600))
    ring.set("#tea", "+m")
    assert why("mallory") == [
        "You may not speak in this chat until 1970-01-01 00:02 UTC, ban 1.",
        "This chat is locked until 1970-01-01 00:11 UTC: only people with an account may speak.",
        "Only people with a voice may speak in #tea.",
    ]
    assert why("bob") == ["Only people with a voice may speak in #tea."]
    assert why("olga") == []


def test_the_end_of_a_ban_and_of_the_lock(ring: Ring) -> None:
    ring.happen(Locked(30))
    ban(ring, "bob", seconds=60)
    realm, at = ring.chat.realm, len(ring.entries)
    assert moderation.over(realm, 29_000) is None
    assert moderation.over(realm, 30_000 + at) == Unlocked()
    ring.happen(Unlocked())
    assert moderation.has_end(realm)
    ended = Unbanned(1, kind="account", value="bob")
    assert moderation.over(realm, realm.bans.all[1].until) == ended
    ring.happen(Unbanned(1))
    assert not moderation.has_end(realm)
    assert ring.person("bob").limit is None


# ── Person.limit is always what a look-up would find ───────────────────────────────────────────

NICKS = ("al", "bo", "cy")
ADDRESSES = ("192.0.2.1", "192.0.2.200", "2001:db8::1", "unix")
VALUES = st.sampled_from(
    [
        *(("network", value) for value in ("192.0.2.1", "192.0.2.0/24", "2001:db8::/64")),
        *(("mask", value) for value in ("a*!*@*", "*!*@192.0.2.*", "*!*@*")),
        *(("account", nick) for nick in NICKS),
    ]
)
NICK = st.sampled_from(NICKS)
STEPS = st.one_of(
    st.tuples(st.just("come"), NICK, st.sampled_from(ADDRESSES)),
    st.tuples(st.just("go"), NICK),
    st.tuples(st.just("rename"), NICK, st.sampled_from(["az", "zz"])),
    st.tuples(st.just("register"), NICK, st.booleans()),
    st.tuples(st.just("log in"), NICK, NICK),
    st.tuples(st.just("log out"), NICK),
    st.tuples(st.just("drop"), NICK),
    st.tuples(st.just("promote"), NICK),
    st.tuples(st.just("operate"), NICK, st.booleans()),
    st.tuples(st.just("ban"), VALUES, st.booleans(), st.integers(0, 9)),
    st.tuples(st.just("lift"), st.integers(0, 9)),
    st.tuples(st.just("lock"), st.integers(0, 9)),
    st.tuples(st.just("unlock")),
)


def event(ring: Ring, step: tuple) -> Event | None:  # type: ignore[type-arg]
    chat, [what, *rest] = ring.chat, step
    person = chat.people.get(f"id-{rest[0]}") if rest else None
    account = chat.realm.account(rest[-1]) if what == "log in" else None
    match what:
        case "come" if person is None:
            return Arrived(rest[0], f"id-{rest[0]}", address=rest[1])
        case "ban":
            (kind, value), mute, seconds = rest
            return Banned(chat.realm.bans.last + 1, kind, value, mute, seconds)
        case "lift":
            return Unbanned(rest[0])
        case "lock":
            return Locked(rest[0])
        case "unlock":
            return Unlocked()
        case "drop":
            return AccountDropped(rest[0])
        case "promote":
            return InvitationUsed("aa", 9, 9, "", rest[0])
    if person is None:
        return None
    nick, user_id = person.nick, person.user_id
    match what:
        case "go":
            return Departed(nick, user_id)
        case "rename" if chat.person(rest[1]) is None:
            return Renamed(nick, rest[1], user_id)
        case "register" if not person.origin.account:
            return AccountMade(rest[0], f"={rest[0]}", user_id, operator=rest[1])
        case "log in" if account:
            origin = Origin(account=account.name)
            return AccountSet(nick, user_id, origin, account.identity, password_id=1)
        case "log out" if person.origin.account:
            return AccountSet(nick, user_id)
        case "operate" if rest[1] != person.is_operator:
            return UserModesSet(nick, (Change(rest[1], "o"),), user_id)
    return None


@given(st.lists(STEPS, max_size=40))
def test_the_limit_that_is_kept_is_the_one_that_a_look_up_finds(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    ring = Ring()
    for step in steps:
        if happened := event(ring, step):
            ring.happen(happened)
        people = ring.chat.people.values()
        for person in people:
            assert person.limit == limit_of(ring.chat, person), (step, person.nick)
        out = {p.user_id for p in people if isinstance(p.limit, Ban) and not p.limit.mute}
        assert {*ring.chat.banned} == out


@given(st.lists(st.tuples(VALUES, st.booleans(), st.integers(0, 2)), max_size=20), st.data())
def test_bans_are_the_same_after_a_snapshot(bans: list[tuple], data: st.DataObject) -> None:  # type: ignore[type-arg]
    """Whatever was set and lifted before; and those of networks alone are asked at the door."""
    live = Bans()
    for number, ((kind, value), mute, until) in enumerate(bans, 1):
        live.add(Ban(number, kind, value, mute, until))
        if data.draw(st.booleans()):
            live.remove(data.draw(st.integers(0, number)))
    again = Bans()
    for one in live.all.values():
        again.add(one)
    again.last = live.last
    assert again == live
    for address in ADDRESSES:
        out = {n.number for n in live.of_networks(address) if not n.mute}
        found = live.at_door(address)
        assert (found.number in out) if found else not out


def test_a_ban_of_an_account_hits_who_has_left_it_on_the_same_connection(ring: Ring) -> None:
    ring.happen(AccountSet("bob", "id-bob", Origin()))
    [banned, effect] = ring.decide("id-olga", SetBan("a:bob"))
    assert isinstance(banned, Banned)
    assert isinstance(effect, BanEffect)
    assert effect.hit == 1
    ring.happen(banned)
    assert [*ring.chat.banned] == ["id-bob"]


def test_nobody_goes_through_accounts_without_end(ring: Ring) -> None:
    for number in range(21):
        ring.happen(AccountMade(f"bob{number}", f"=bob{number}", ""))
    for number in range(20):
        ring.ask("id-bob", LogIn(f"bob{number}", password_id=1))
    refused = refusal(ring.decide("id-bob", LogIn("bob20", password_id=1)))
    assert refused.why == "You have left 20 accounts on this connection: connect again first."
    assert refusal(ring.decide("id-bob", LogIn("bob", password_id=1))) == refused
    ring.ask("id-bob", LogOut())
    assert refusal(ring.decide("id-bob", Register("x"))) == refused
