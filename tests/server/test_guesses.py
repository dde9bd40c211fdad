"""Whoever guesses passwords keeps nobody out, and does not get far."""

import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from irc_peers import cheap_hash, irc_peer, settings
from peers import House, Peer, running
from trio_chat.core.views import Refused
from trio_chat.server import guesses
from trio_chat.server.guesses import WRONG as WRONG_PASSWORD
from trio_chat.server.guesses import Guesses
from trio_chat.server.passwords import hash_password, is_password, stand_in
from trio_chat.server.token_bucket import TokenBucket

SESAME = cheap_hash("sesame")
WRONG = "That is not the password."
TOO_MANY = "Too many login attempts from your address."


class Hashing:
    """The one place where passwords are hashed, which a test holds up; and what came out there."""

    def __init__(self) -> None:
        self.limiter = trio.CapacityLimiter(1)
        self.limiter.acquire_on_behalf_of_nowait(self)
        self.outcomes: list[tuple[str, str]] = []

    def go_on(self) -> None:
        self.limiter.release_on_behalf_of(self)

    async def guess(self, row: Guesses, text: str, name: str = "") -> None:
        refused = await row.check(text, SESAME, self.limiter)
        self.outcomes.append((name or text, refused.why if refused else ""))


@pytest.mark.slow
async def test_many_wrong_ones_keep_out_nobody_who_comes_after_them() -> None:
    row, hashing = Guesses(), Hashing()
    async with trio.open_nursery() as nursery:
        for n in range(200):
            nursery.start_soon(hashing.guess, row, f"wrong {n}")
            await wait_all_tasks_blocked()
        nursery.start_soon(hashing.guess, row, "sesame")
        await wait_all_tasks_blocked()
        hashing.go_on()
    assert hashing.outcomes[:3] == [("wrong 0", WRONG), ("sesame", ""), ("wrong 199", WRONG)]
    assert len(hashing.outcomes) == 201


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (["sesame"] * 14, {"": 14}),
        (["wrong"] * 14, {WRONG: 3, TOO_MANY: 11}),
        (["wrong"] + ["sesame"] * 14 + ["wrong"], {"": 14, WRONG: 2}),
    ],
)
async def test_of_many_at_once_no_right_one_is_refused_and_no_more_wrong_ones_are_judged(
    texts: list[str], counts: dict[str, int]
) -> None:
    row, hashing = Guesses(), Hashing()
    row.bucket = TokenBucket(rate=0.01, burst=3)
    async with trio.open_nursery() as nursery:
        for text in texts:
            nursery.start_soon(hashing.guess, row, text)
        await wait_all_tasks_blocked()
        hashing.go_on()
    assert Counter(why.partition(" Try ")[0] for _, why in hashing.outcomes) == counts


@pytest.mark.parametrize("text", ["sesame", "wrong"])
async def test_a_quick_guess_waits_only_for_a_charge_that_may_be_given_back(text: str) -> None:
    row, hashing, told = Guesses(), Hashing(), dict[str, Refused | None]()
    row.bucket = TokenBucket(rate=0.01, burst=2)

    async def quickly(name: str) -> None:
        told[name] = await row.guess_quickly(lambda: name == "right")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hashing.guess, row, text)
        await wait_all_tasks_blocked()
        await quickly("wrong")
        nursery.start_soon(quickly, "right")
        await wait_all_tasks_blocked()
        assert told == {"wrong": WRONG_PASSWORD}
        hashing.go_on()
    assert (told["right"] is None) == (text == "sesame")


async def test_sources_take_turns() -> None:
    hashing = Hashing()
    async with trio.open_nursery() as nursery:
        for source in ("a", "b", "c"):
            row = Guesses()
            for _ in range(4):
                nursery.start_soon(hashing.guess, row, "wrong", source)
                await wait_all_tasks_blocked()
        hashing.go_on()
    assert [source for source, _ in hashing.outcomes] == [*"abc" * 4]


async def test_who_ceases_to_wait_is_in_nobodys_way() -> None:
    row, hashing = Guesses(), Hashing()
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as gone:
            for n in range(3):
                nursery.start_soon(hashing.guess, row, f"wrong {n}")
                await wait_all_tasks_blocked()
            gone.cancel()
            await hashing.guess(row, "cancelled")
        nursery.start_soon(hashing.guess, row, "sesame")
        await wait_all_tasks_blocked()
        hashing.go_on()
    assert [name for name, _ in hashing.outcomes] == ["wrong 0", "sesame", "wrong 2", "wrong 1"]


async def check(row: Guesses, text: str) -> str:
    refused = await row.check(text, SESAME, trio.CapacityLimiter(1))
    return refused.why if refused else ""


async def test_a_turn_that_comes_to_somebody_who_has_just_gone_is_passed_on() -> None:
    """Or nobody from there could ever log in again."""
    row, hashing, gone = Guesses(), Hashing(), trio.CancelScope()

    async def guess_until_gone() -> None:
        with gone:
            await hashing.guess(row, "gone")

    def refuse() -> Refused:
        gone.cancel("in the pass of trio's loop in which its turn comes")
        return WRONG_PASSWORD

    async with trio.open_nursery() as nursery:
        for text in ("wrong", "sesame"):
            nursery.start_soon(hashing.guess, row, text)
            await wait_all_tasks_blocked()
        nursery.start_soon(guess_until_gone)
        await wait_all_tasks_blocked()
        nursery.start_soon(row.hash, str, hashing.limiter, refuse)
        await wait_all_tasks_blocked()
        hashing.go_on()
    assert hashing.outcomes == [("wrong", WRONG), ("sesame", "")]


async def test_only_so_many_wrong_ones_from_a_source(mock_clock: MockClock) -> None:
    row = Guesses()
    row.bucket = TokenBucket(rate=1 / 6, burst=3)
    assert [await check(row, "sesame") for _ in range(20)] == [""] * 20
    assert [await check(row, "wrong") for _ in range(3)] == [WRONG] * 3
    later = f"{TOO_MANY} Try again in 6 seconds."
    assert [await check(row, text) for text in ("wrong", "sesame")] == [later, later]
    mock_clock.jump(6)
    assert [await check(row, text) for text in ("sesame", "wrong")] == ["", WRONG]
    assert await check(row, "sesame") == later


def test_a_stand_in_takes_as_long_as_the_others_and_fits_nothing() -> None:
    cheap, dear = SESAME, "scrypt:12:c2FsdA==:c2FsdA=="
    assert stand_in([cheap, dear]).startswith("scrypt:12:")
    assert stand_in([]).split(":")[1] == hash_password("x").split(":")[1]
    assert not is_password("", stand_in([cheap]))


# ── on a server ────────────────────────────────────────────────────────────────────────────────

OPERATORS = {"operators": f"root={cheap_hash('secret')}"}


@asynccontextmanager
async def charged(**sections: dict[str, object]) -> AsyncIterator[House]:
    """A house in which no address is exempt."""
    limits = {"exempt": "", "guess_burst": 4, "guesses_per_minute": 0.01}
    async with running(settings(limits=limits, **sections)) as house:
        yield house


async def irc_from(house: House, address: str, nick: str, password: str = "") -> Peer:
    stream = await trio.open_tcp_stream("127.0.0.1", house.port, local_address=address)
    peer = await house.take_in(stream)
    first = f"PASS {password}\r\n" if password else ""
    await peer.send(f"{first}NICK {nick}\r\nUSER {nick} 0 * :x\r\n".encode())
    return peer


async def test_after_three_wrong_passwords_of_an_operator_the_connection_is_closed() -> None:
    async with running(settings(irc=OPERATORS)) as house:
        alice = await irc_peer(house, "alice")
        await alice.say("OPER root a\r\nOPER nobody b\r\nOPER root c\r\nOPER root secret")
        text = await alice.rest()
        assert text.count(" 464 ") == 3
        assert text.endswith("ERROR :Closing link: Too many wrong passwords. Goodbye!\r\n")
        assert " 381 " not in text


async def test_guesses_are_charged_to_the_address(caplog: pytest.LogCaptureFixture) -> None:
    async with charged(irc=OPERATORS) as house:
        for nick in ("al", "bo"):
            peer = await irc_from(house, "127.0.0.2", nick)
            await peer.send(b"OPER root wrong\r\n" * 2)
            for _ in range(2):
                await peer.until(f" 464 {nick} :That is not the password.")
        peer = await irc_from(house, "127.0.0.2", "cy")
        await peer.send(b"OPER root secret\r\nOPER nobody secret\r\n")
        for _ in range(2):
            await peer.until(" 464 cy :Too many login attempts from your address.")
        other = await irc_from(house, "127.0.0.3", "dee")
        await other.send(b"OPER root secret\r\n")
        await other.until(" 381 dee ")
    assert caplog.text.count("failed to become an operator as 'root'") == 5
    assert caplog.text.count("failed to become an operator as 'nobody'") == 1


async def test_the_servers_password_is_guessed_at_a_price_too() -> None:
    async with charged(server={"password": SESAME}) as house:
        for n in range(4):
            peer = await irc_from(house, "127.0.0.2", f"n{n}", "wrong")
            assert WRONG in await peer.rest()
        late = await irc_from(house, "127.0.0.2", "late", "sesame")
        assert "Too many login attempts from your address." in await late.rest()
        for n in range(8):
            peer = await irc_from(house, "127.0.0.3", f"m{n}", "sesame")
            await peer.until(f" 001 m{n} ")


async def test_waiting_for_others_to_be_checked_is_not_time_to_register_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(guesses, "is_password", lambda text, hashed: go_on.wait(50))
    chosen = settings(server={"password": SESAME}, limits={"registration": 0.5})
    async with running(chosen) as house:
        peer = await irc_from(house, "127.0.0.1", "alice", "sesame")
        silent = await house.connect()
        await silent.rest()  # its time is over, and so would be that of the other
        go_on.set()
        await peer.until(" 001 alice ")
