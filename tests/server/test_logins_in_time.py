"""Logins that are under way while what opens the account changes; and who is logged out by that."""

import threading
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import sasl
from held import HeldLog
from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from sasl import SCRAM, by_plain, numerics
from trio_chat.protocols.scram import ScramClient
from trio_chat.server import accounts

PASSWORD = "correct-horse"
DEVICE = "a-secret-of-the-device"
CHANGES = ["NS SET PASSWORD another-horse", "NS DROP bob"]


@pytest.fixture
async def log() -> HeldLog:
    return HeldLog()


@pytest.fixture
async def house(log: HeldLog) -> AsyncIterator[House]:
    async with running(settings(), log) as running_house:
        yield running_house


async def owner(house: House, *caps: str, secret: str = "") -> IrcPeer:
    bob = await irc_peer(house, "bob", *caps, secret=secret)
    await bob.news(f"NS REGISTER {PASSWORD}")
    return bob


async def token(bob: IrcPeer) -> str:
    lines = await bob.news("NS TOKEN NEW phone")
    return next(line for line in lines if " :phone: " in line).rpartition(" ")[2]


async def is_bob(bob: IrcPeer, nick: str) -> bool:
    return any(f" 330 bob {nick} bob " in line for line in await bob.news(f"WHOIS {nick}"))


async def is_alone(bob: IrcPeer) -> bool:
    """Whether bob is here on one connection."""
    return sum(" :Connection " in line for line in await bob.news("NS DEVICES")) == 1


@asynccontextmanager
async def held_up(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[threading.Event]:
    """Passwords are right, but the thread says so only when the context ends."""
    begun, go_on, opens = threading.Event(), threading.Event(), accounts.opens

    def slow(*how: str | int) -> bool:
        begun.set()
        return go_on.wait(50) and opens(*how)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "opens", slow)
        try:
            yield begun
        finally:
            go_on.set()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("early", [True, False])
async def test_a_password_that_was_right_when_it_was_read_and_is_no_more(
    house: House, change: str, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await owner(house)
    eve = await irc_peer(house, "" if early else "eve", link=True)
    async with held_up(monkeypatch) as begun:
        await eve.say("CAP REQ sasl", "AUTHENTICATE PLAIN", *sasl.plain("bob", PASSWORD))
        await trio.to_thread.run_sync(begun.wait)
        await bob.news(change)
    await eve.until(f" 904 {'*' if early else 'eve'} :That is not the password.\r\n")
    await eve.news(*(["NICK eve", "USER eve 0 * :E", "CAP END"] if early else []))
    assert not await is_bob(bob, "eve")


@pytest.mark.parametrize("change", CHANGES)
async def test_a_challenge_that_was_answered_too_late(house: House, change: str) -> None:
    bob = await owner(house)
    client = ScramClient("bob", PASSWORD, "our-nonce")
    eve = await irc_peer(house, "eve", "sasl")
    _, challenge = await eve.messages(f"AUTHENTICATE {SCRAM}", *sasl.chunks(client.first()))
    await bob.news(change)
    proof = sasl.chunks(client.prove(b64decode(challenge.params[0])))
    assert numerics(await eve.messages(*proof, "AUTHENTICATE +"))[-1] == "904"
    assert not await is_bob(bob, "eve")


@pytest.mark.parametrize("change", [*CHANGES, "NS TOKEN DROP phone"])
async def test_a_login_just_before_a_change_counts_and_ends_with_it(
    house: House, log: HeldLog, change: str
) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve", "sasl")
    shown = await token(bob) if "TOKEN" in change else PASSWORD
    log.hold()
    await eve.say("AUTHENTICATE PLAIN", *sasl.plain("bob", shown))
    await log.until_appended()
    await bob.say(change)
    await log.until_appended()
    log.go_on()
    assert "Closing link: That is not the password." in await eve.rest()
    assert await is_alone(bob)


async def test_a_login_just_after_its_token_was_dropped_is_none(house: House, log: HeldLog) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve", "sasl")
    shown = await token(bob)
    log.hold()
    await bob.say("NS TOKEN DROP phone")
    await log.until_appended()
    await eve.say("AUTHENTICATE PLAIN", *sasl.plain("bob", shown))
    await log.until_appended()
    log.go_on()
    assert "Closing link: That is not the password." in await eve.rest()
    assert await is_alone(bob)


async def test_somebody_who_arrives_by_a_token_that_is_dropped_at_the_same_moment(
    house: House, log: HeldLog
) -> None:
    bob = await owner(house)
    secret = await token(bob)
    eve = await irc_peer(house)
    log.hold()
    await bob.say("NS TOKEN DROP phone")
    await log.until_appended()
    await eve.say("CAP REQ trio-chat/identity", f"IDENTITY {secret}", "CAP END")
    await eve.say("NICK eve", "USER eve 0 * :Eve")
    await log.until_appended()
    log.go_on()
    assert await eve.until(" 464 * :That is not the password.")


@pytest.mark.parametrize("change", CHANGES)
async def test_an_account_that_is_lost_at_the_door_lets_nobody_in_as_a_guest(
    house: House, change: str
) -> None:
    bob = await owner(house)
    house.server.reload(settings(accounts={"guests": "invited"}))
    eve = await irc_peer(house)
    await eve.news("CAP REQ sasl", "AUTHENTICATE PLAIN", *sasl.plain("bob", PASSWORD))
    await eve.news("NICK eve", "USER e 0 * :E")
    await bob.say(change, "QUIT")
    await bob.rest()  # also closed without asking: a guest may not stay here
    await eve.say("CAP END")
    assert " 001 " not in await eve.rest()


@pytest.mark.parametrize("login_first", [True, False])
async def test_what_opens_an_account_opens_no_other_that_its_owner_goes_over_to(
    house: House, log: HeldLog, login_first: bool
) -> None:
    """Though one connection goes over while another one joins it."""
    carol = await irc_peer(house, "carol")
    await carol.news("NS REGISTER secret-of-carol")
    await carol.say("QUIT")
    await carol.rest()
    bob = await owner(house)
    eve = await irc_peer(house)
    await eve.news(f"PASS bob:{await token(bob)}", "NICK eve")
    log.hold()
    steps = [(bob, "NS IDENTIFY carol secret-of-carol"), (eve, "USER e 0 * :E")]
    for peer, line in steps if login_first else reversed(steps):
        await peer.say(line)
        await log.until_appended()
    log.go_on()
    told = "".join(await bob.news())
    if login_first:
        await eve.until(" 464 * :That is not the password.")
    else:
        assert "You are bob on another device, too" in told
        assert "bob is an account" in "".join(await eve.news("NS INFO"))


# ── who is logged out ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("change", ["NS DROP bob", "NS TOKEN DROP phone"])
async def test_other_devices_are_told_and_cannot_stay(house: House, change: str) -> None:
    bob = await owner(house)
    secret = await token(bob)
    phone = await irc_peer(house, "phone", secret=secret, joins="bob")
    plain = await house.connect("plain")
    await plain.send(f"/login bob {secret}\n".encode())
    await plain.until("You are bob in #lobby; ")
    await bob.say(change)
    told = await phone.rest()
    assert ":chat.local 901 bob bob!bob@127.0.0.1 :You are now logged out\r\n" in told
    assert "You were logged out from elsewhere. Goodbye!" in told
    assert "*** You were logged out from elsewhere. Goodbye!\n" in await plain.rest()
    await bob.news()


async def test_a_stolen_device_is_logged_out_also_if_the_owner_is_cut_off_at_once(
    house: House, log: HeldLog
) -> None:
    bob, again = await owner(house, secret=DEVICE), await irc_peer(house)
    phone = await irc_peer(house, "phone", secret=await token(bob), joins="bob")
    log.hold()
    await bob.say("NS TOKEN DROP phone")
    await log.until_appended()
    await again.say("CAP REQ trio-chat/identity", f"IDENTITY {DEVICE}", "NICK bob")
    await again.say("USER bob 0 * :Bob", "CAP END")  # the same device ends its own connection
    await log.until_appended()  # that bob has gone
    log.go_on()
    assert "You were logged out from elsewhere" in await phone.rest()


class SlowToClose(HeldLog):
    """Rooms are being closed until ``may_close``."""

    def __init__(self) -> None:
        super().__init__()
        self.closing, self.may_close = trio.Event(), trio.Event()

    async def close(self, *what: Any) -> None:
        self.closing.set()
        await self.may_close.wait()
        await super().close(*what)


async def test_who_comes_as_their_last_device_goes_has_the_nickname() -> None:
    """It has departed, and its nickname is given back once its rooms are closed."""
    log = SlowToClose()
    async with running(settings(), log) as house:
        bob, again = await owner(house), await irc_peer(house)
        await again.news("CAP REQ sasl", "NICK bob", "USER bob 0 * :Bob")
        await by_plain(again, "bob", PASSWORD)
        await bob.say("QUIT")
        await log.closing.wait()
        await again.say("CAP END")
        await wait_all_tasks_blocked(0.01)
        log.may_close.set()
        assert " 001 bob " in await again.until("\r\n")


# ── what is said meanwhile ─────────────────────────────────────────────────────────────────────

CAPS = ("message-tags", "server-time", "batch", "draft/chathistory", "account-notify")


@pytest.mark.parametrize("how", ["NS IDENTIFY bob correct-horse", "NS REGISTER correct-horse"])
async def test_what_is_said_to_somebody_who_is_logging_in_is_the_accounts(
    house: House, log: HeldLog, how: str
) -> None:
    if "IDENTIFY" in how:
        bob = await owner(house)
        await bob.say("QUIT")
        await bob.rest()
    al, carol = await irc_peer(house, "al", *CAPS), await irc_peer(house, "carol", *CAPS)
    log.hold()
    await al.say(how)
    await log.until_appended()
    await carol.say("PRIVMSG al :hello")
    await wait_all_tasks_blocked(0.01)
    log.go_on()
    await al.until(" PRIVMSG al :hello\r\n")
    for peer, other in ((al, "carol"), (carol, "al")):
        found = await peer.news(f"CHATHISTORY LATEST {other} * 9")
        assert any(line.endswith(" PRIVMSG al :hello") for line in found)


async def test_a_room_that_is_entered_elsewhere_while_one_comes_is_shown_whole(
    house: House, log: HeldLog
) -> None:
    """In one's own protocol, with the members: for it is as if one had entered it oneself."""
    bob, phone = await owner(house), await irc_peer(house)
    log.hold()
    await phone.say(f"PASS bob:{PASSWORD}", "NICK bob", "USER bob 0 * :Bob")
    await log.until_appended()
    await bob.say("JOIN #tea")
    await log.until_appended()
    log.go_on()
    shown = await phone.until(" 366 bob #tea :")
    lines = [line for line in shown.splitlines() if "#tea" in line]
    assert [line.split()[1] for line in lines] == ["JOIN", "MODE", "353", "366"]
    assert "*** " not in shown
