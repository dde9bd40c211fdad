"""Rooms are shared: by sources, and within each by people."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from peers import House, Peer, running, settings
from trio_chat.server.shares import Shares


def take_all(shares: Shares, source: str, user_id: str, total: int, name: str = "") -> int:
    """As many as there are for somebody; how many that is."""
    number = 0
    while shares.may_take(source, user_id, total):
        shares.take(f"{name or user_id}-{number}", source, user_id)
        number += 1
    return number


def test_one_who_takes_all_leaves_most_to_others() -> None:
    shares = Shares()
    assert take_all(shares, "a", "al", 1000) == 334
    assert sum(take_all(shares, "a", f"{n}", 1000) for n in range(5000)) == 166
    assert shares.of("a") == len(shares) == 500  # one source, a half
    assert take_all(shares, "b", "bo", 1000) > 100
    assert sum(take_all(shares, "b", f"{n}", 1000) for n in range(5000)) > 0
    assert shares.of("b") == 250


def test_ten_who_take_all_they_get_leave_something_to_an_eleventh_from_the_same_address() -> None:
    shares = Shares()
    for step in range(100):
        for n in range(10):
            if shares.may_take("a", f"{n}", 1000):
                shares.take(f"{n}-{step}", "a", f"{n}")
    assert take_all(shares, "a", "victim", 1000) > 5


def test_what_is_given_back_can_be_taken() -> None:
    shares = Shares()
    shares.take("x", "a", "al")
    shares.take("x", "b", "bo")  # it stays al's
    assert (shares.of("a"), shares.of("b"), len(shares)) == (1, 0, 1)
    assert not shares.may_take("a", "al", 2)
    shares.give_back("x")
    shares.give_back("x")
    assert len(shares) == 0
    assert shares.may_take("a", "al", 2)


@given(
    total=st.integers(1, 60),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 2)), max_size=200),
)
def test_nobody_takes_more_than_are_left(total: int, steps: list[tuple[bool, int, int]]) -> None:
    shares, things = Shares(), list[tuple[str, str, str]]()
    for number, (takes, source, person) in enumerate(steps):
        user_id = f"{source}-{person}"
        if takes and shares.may_take(f"{source}", user_id, total):
            things.append((f"{number}", f"{source}", user_id))
            shares.take(*things[-1])
            mine = sum(thing[1] == f"{source}" for thing in things)
            assert mine <= total - len(things) + 1
            by_person = Counter(thing[2] for thing in things)
            assert by_person[user_id] <= total - len(things) - mine + 2
        elif not takes and things:
            shares.give_back(things.pop(person % len(things))[0])
        assert len(shares) == len(things) <= total
        # Somebody from elsewhere, who has nothing yet, always finds one: but for the very last.
        assert shares.may_take("new", "new", total) == (len(things) < total)


# ── on a server ────────────────────────────────────────────────────────────────────────────────


async def irc(house: House, nick: str, address: str) -> Peer:
    peer = await house.link(address=address)
    await peer.send(f"NICK {nick}\r\nUSER {nick} 0 * :x\r\n".encode())
    await peer.until(f" 001 {nick} ")
    return peer


async def enters(peer: Peer, room: str) -> bool:
    await peer.send(f"JOIN {room}\r\nPING done\r\n".encode())
    return " JOIN " in await peer.until("done\r\n")


LIMITS = {"rooms": 20, "messages_per_second": 1000, "message_burst": 100_000}


async def test_all_rooms_taken_by_one_address(autojump_clock: MockClock) -> None:
    async with running(settings(limits=LIMITS)) as house:
        known = await irc(house, "known", "192.0.2.1")
        assert await enters(known, "#known")
        await known.send(b"PRIVMSG #known :hello\r\nPART #known\r\n")
        greedy = [await irc(house, f"g{n}", "192.0.2.1") for n in range(12)]
        for n in range(10):
            for number, peer in enumerate(greedy):
                await enters(peer, f"#g{number}x{n}")
        assert not await enters(greedy[0], "#one-more")
        late = await irc(house, "late", "192.0.2.1")
        assert not await enters(late, "#new")
        why = b"10 rooms are open from your address; the rest are for others."
        assert b" 405 late #new :" + why in late.received
        assert await enters(late, "#lobby")
        assert await enters(late, "#g0x0")  # which is open
        assert await enters(late, "#known")  # where something was said
        other = await irc(house, "other", "192.0.2.2")
        for room in ("#lobby", "#known", "#new"):
            assert await enters(other, room)


async def test_rooms_that_are_closed_again_are_charged_to_nobody(autojump_clock: MockClock) -> None:
    async with running(settings(limits=LIMITS)) as house:
        for n in range(30):
            peer = await irc(house, f"n{n}", "192.0.2.1")
            assert await enters(peer, f"#n{n}")
            await peer.send(b"QUIT\r\n" if n % 2 else f"PART #n{n}\r\n".encode())
            await peer.until("ERROR" if n % 2 else " PART ")
