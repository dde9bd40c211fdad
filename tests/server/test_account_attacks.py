"""Attacks on accounts and invitations that take several of their ways at once, on a server."""

from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest

import sasl
from certificates import issue, secured
from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from sasl import SCRAM, by_plain, numerics
from trio_chat.core.realm import KEYS_MAX
from trio_chat.protocols.invitation import Invitation, write_token
from trio_chat.protocols.scram import ScramClient

PASSWORD = "correct-horse"
PASSWORD_FIRST = ":Log in with the password first, then do that again."
LATER = 4_102_444_800  # the year 2100
BYTES = [0, 7, 8, 11, 12, 14, 15, 16, 31]  # of a token: some of each of its parts


def token(*, operator: bool = False, uses: int = 1) -> str:
    return write_token(b"a key", Invitation("00" * 8, LATER, uses, operator))


async def owner(house: House, nick: str = "bob", password: str = PASSWORD) -> IrcPeer:
    peer = await irc_peer(house, nick, rooms="")
    await peer.news(f"NS REGISTER {password}")
    return peer


async def by_pass_and_sasl(house: House, given: str) -> IrcPeer:
    peer = await irc_peer(house)
    await peer.news("CAP REQ sasl", f"PASS {given}", "NICK robert", "USER b 0 * :B")
    assert numerics(await by_plain(peer, "bob", PASSWORD)) == ["900", "903"]
    assert any(" 001 bob " in line for line in await peer.news("CAP END"))
    return peer


async def is_let_in(house: House, given: str, nick: str = "eve") -> bool:
    peer = IrcPeer((await house.connect()).stream)
    await peer.say(f"PASS {given}", f"NICK {nick}", "USER e 0 * :E", "QUIT")
    return f" 001 {nick} " in await peer.rest()


# ── invitations ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", BYTES)
async def test_a_token_of_which_one_bit_was_changed_lets_nobody_in(place: int) -> None:
    good = token(uses=2)
    data = bytearray(urlsafe_b64decode(f"{good}="))
    data[place] ^= 1
    changed = urlsafe_b64encode(data).decode().rstrip("=")
    async with running(settings(accounts={"guests": "invited"})) as house:
        assert not await is_let_in(house, changed)
        assert await is_let_in(house, good)


async def test_of_many_irc_clients_that_show_the_last_use_at_once_one_is_let_in() -> None:
    async with running(settings(accounts={"guests": "invited"})) as house:
        peers = [IrcPeer((await house.connect()).stream) for _ in range(8)]
        for number, peer in enumerate(peers):
            await peer.say(f"PASS {token()}", f"NICK p{number}", "USER p 0 * :P", "QUIT")
        told = [await peer.rest() for peer in peers]
        assert sum(" 001 " in lines for lines in told) == 1


async def test_whose_account_opens_uses_up_no_invitation() -> None:
    async with running(settings()) as house:
        await owner(house)
        house.server.reload(settings(accounts={"guests": "invited"}))
        await by_pass_and_sasl(house, token())
        assert await is_let_in(house, token())


async def test_one_for_operators_makes_one_of_the_account_that_sasl_has_opened() -> None:
    """And is used up by that: it makes none of a second one."""
    async with running(settings()) as house:
        await owner(house)
        carol = await owner(house, "carol")
        robert = await by_pass_and_sasl(house, token(operator=True))
        assert " 221 bob +o" in (await robert.news("MODE bob"))[-1]
        told = await carol.news(f"INVITATION {token(operator=True)}", "NS INFO")
        assert any("has been used" in line for line in told)
        assert not any("Its owner is an operator" in line for line in told)


async def test_an_operators_invitation_that_a_guest_has_used_who_is_gone_makes_nobody_one() -> None:
    async with running(settings(accounts={"guests": "invited"})) as house:
        assert await is_let_in(house, token(operator=True), "guest")
        assert not await is_let_in(house, token(operator=True))


# ── logins ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("early", [True, False])
async def test_registering_in_the_middle_of_a_login(early: bool) -> None:
    """Each is what it says: an account of the nickname, and then a login to the other one."""
    async with running(settings()) as house:
        carol = await owner(house, "carol", "secret-of-carol")
        await carol.say("QUIT")
        await carol.rest()
        peer = await irc_peer(house, "" if early else "bob")
        await peer.news("CAP REQ sasl", "NICK bob")
        client = ScramClient("carol", "secret-of-carol", "our-nonce")
        _, challenge = await peer.messages(f"AUTHENTICATE {SCRAM}", *sasl.chunks(client.first()))
        [made, *_] = await peer.messages(f"REGISTER * * {PASSWORD}")
        assert made.params[:2] == ("SUCCESS", "bob")
        proof = sasl.chunks(client.prove(b64decode(challenge.params[0])))
        answer = await peer.messages(*proof, "AUTHENTICATE +")
        assert [one.params[2] for one in answer if one.command == "900"] == ["carol"]
        await peer.news("USER b 0 * :B", "CAP END", "NICK robert")
        told = await peer.news("WHOIS robert")
        assert any(" 330 robert robert carol " in line for line in told)
        bob = await irc_peer(house, "eve", "sasl")
        assert numerics(await by_plain(bob, "bob", PASSWORD)) == ["900", "903"]


@pytest.mark.parametrize(
    "line", ["AUTHENTICATE +", *sasl.plain("carol", PASSWORD), "AUTHENTICATE *"]
)
async def test_what_comes_after_a_login_is_no_part_of_it(line: str) -> None:
    async with running(settings()) as house:
        await owner(house)
        carol = await owner(house, "carol")
        peer = await irc_peer(house, "eve", "sasl")
        assert numerics(await by_plain(peer, "bob", PASSWORD))[:3] == ["900", "903", "NICK"]
        assert {*numerics(await peer.messages(line))} <= {"904", "906", "908"}
        assert any(" 330 carol bob bob " in line for line in await carol.news("WHOIS bob"))
        assert await peer.news("PRIVMSG carol :hi") == []
        assert (await carol.news())[-1].startswith(":bob!")


async def test_a_stolen_token_ends_with_itself_and_takes_nothing_over() -> None:
    async with running(settings()) as house:
        eve = await owner(house, "eve")
        secret = (await eve.news("NS TOKEN NEW thief"))[0].rpartition(" ")[2]
        late = await irc_peer(house, "late", "sasl")
        await by_plain(late, "eve", secret)
        thief = await irc_peer(house, "thief", password=f"eve:{secret}", rooms="", joins="eve")
        await late.news()
        for peer in (thief, late):
            [refused] = await peer.news("NS TOKEN NEW mine")
            assert refused.endswith(":A token cannot do that: log in with the password.")
            for words in ("SET PASSWORD mine-from-now", "DROP eve"):
                [refused] = await peer.news(f"NS {words}")
                assert refused.endswith(PASSWORD_FIRST)
        await thief.say("NS TOKEN DROP thief")
        assert "You are logged out here" in await thief.rest()
        assert "You were logged out from elsewhere" in await late.rest()
        assert not any(" 901 " in line for line in await eve.news("NS INFO"))


async def test_a_token_of_an_operators_account_makes_nobody_an_operator() -> None:
    async with running(settings(accounts={"operators": "bob"})) as house:
        bob = await owner(house)
        secret = (await bob.news("NS TOKEN NEW bot"))[0].rpartition(" ")[2]
        await bob.say("QUIT")
        await bob.rest()
        bot = await irc_peer(house, "bot", "sasl", password=f"bob:{secret}")
        assert any(" 330 bot bot bob " in line for line in await bot.news("WHOIS bot"))
        assert not any(" 313 " in line for line in await bot.news("WHOIS bot"))
        assert numerics(await by_plain(bot, "bob", PASSWORD)) == ["900", "903", "MODE"]
        assert any(" 313 bot bot " in line for line in await bot.news("WHOIS bot"))


async def test_a_stolen_device_takes_no_account_from_its_owner() -> None:
    secret = "the-secret-of-the-phone"
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob", "sasl", secret=secret)
        await bob.news(f"NS REGISTER {PASSWORD}")
        thief = await irc_peer(house, "thief", "sasl", secret=secret, joins="bob")
        for words in ("SET PASSWORD mine-from-now", "DROP bob"):
            [refused] = await thief.news(f"NS {words}")
            assert refused.endswith(PASSWORD_FIRST)
        assert numerics(await by_plain(thief, "bob", PASSWORD)) == ["900", "903"]
        [changed] = await thief.news("NS SET PASSWORD another-horse")
        assert ":Your password has been changed." in changed


async def test_no_account_has_more_tokens_than_there_may_be() -> None:
    async with running(settings()) as house:
        bob = await owner(house)
        made = await bob.news(*(f"NS TOKEN NEW t{number}" for number in range(KEYS_MAX)))
        assert sum("Keep it: it is shown only once" in line for line in made) == KEYS_MAX
        [refused] = await bob.news("NS TOKEN NEW more")
        assert refused.endswith(f"You have {KEYS_MAX} tokens, which is the limit: drop one first.")


# ── founders ───────────────────────────────────────────────────────────────────────────────────


async def test_an_operator_of_the_server_may_act_against_a_founder_and_no_other_may() -> None:
    async with running(settings()) as house:
        bob = await owner(house)
        await bob.news("JOIN #tea")
        eve, boss = await irc_peer(house, "eve", rooms="#tea"), await irc_peer(house, "boss")
        await bob.news("MODE #tea +o eve")
        [refused] = [line for line in await eve.news("KICK #tea bob") if " 482 " in line]
        assert "bob founded #tea: only an operator of the server can act" in refused
        await boss.news("OPER boss sesame", "MODE #tea -o bob")
        assert any(" MODE #tea -o bob" in line for line in await bob.news())
        assert any(" KICK #tea bob " in line for line in await eve.news("KICK #tea bob"))


async def test_a_room_whose_founder_has_deleted_the_account_is_led_by_the_next_who_comes() -> None:
    async with running(settings()) as house:
        bob = await owner(house)
        await bob.say("JOIN #tea", "NS DROP bob", "QUIT")
        await bob.rest()
        eve = await irc_peer(house, "eve", rooms="")
        assert any(line.endswith(" #tea :@eve") for line in await eve.news("JOIN #tea"))


# ── names that make operators ──────────────────────────────────────────────────────────────────

RESERVED = "boss is to be an operator of this server: that name can only be registered on"


@pytest.mark.parametrize("first", [b"", b"PROXY UNKNOWN\r\n"])
async def test_no_stranger_registers_a_name_that_the_settings_make_an_operator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, first: bytes
) -> None:
    """Neither over TLS nor by a proxy on this machine that does not say for whom it comes."""
    rules = {"guests": "open", "registration": "open", "operators": ("Boss", "root")}
    chosen = settings(
        accounts=rules, tls=issue(tmp_path).settings, server={"proxies": "unix" if first else ""}
    )
    async with running(chosen) as house:
        assert "accounts.operators names boss, which is no account yet" in caplog.text
        if first:
            eve = await house.link(address="unix")
            await eve.send(first + b"boss\n")
            await eve.until("/help for more.\n")
        else:
            eve = await secured(house, "boss", address="192.0.2.9")
        await eve.send(f"/register {PASSWORD}\n".encode())
        await eve.until(RESERVED)
        await eve.send(f"/invitation {token(operator=True)}\n/register {PASSWORD}\n".encode())
        await eve.until("You are an operator of this server")
        root = await owner(house, "root")
        assert any("Its owner is an operator" in line for line in await root.news("NS INFO"))
