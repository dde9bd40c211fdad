"""Who is let in, and may register: by the settings, by an invitation, by an account."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from irc_peers import IrcPeer, cheap_hash, irc_peer, settings
from peers import House, Peer, running
from sasl import WAYS
from trio_chat.protocols.invitation import Invitation, write_token
from trio_chat.settings import Settings
from trio_chat.storage.base import Log

KEY = b"a key"  # of the servers of tests
LATER = 4_102_444_800  # the year 2100

PASSWORD = "correct-horse"
ASKED = (
    "*** This chat is for those who have an account or an invitation. Enter the invitation now, or "
    "/login NAME PASSWORD.\n"
)
OFFER = (
    "*** You are here by an invitation. Make your nickname yours, and you need none next time: "
    "/register PASSWORD\n"
)
EXPIRED = "That invitation has expired. Ask for a new one."
FORGED = "That is no invitation to this chat."
DAMAGED = (
    "That is no invitation to this chat: one has 43 characters, and this has {}. Copy all of it."
)
REVOKED = "That invitation was revoked."
UNINVITED = "To register you need an invitation."
USED = "That invitation has been used. Ask for a new one."


def token(*, id: str = "00" * 8, uses: int = 1, operator: bool = False, first: bool = False) -> str:
    return write_token(KEY, Invitation(id, LATER, uses, operator, first))


def chosen(guests: str = "invited", registration: str = "auto", **sections: Any) -> Settings:
    accounts = {"guests": guests, "registration": registration}
    return settings(accounts=accounts | sections.pop("accounts", {}), **sections)


@asynccontextmanager
async def by_invitation(log: Log | None = None) -> AsyncIterator[House]:
    async with running(chosen(), log) as house:
        yield house


async def answer(peer: Peer, line: str, until: str) -> str:
    await peer.send(f"{line}\n".encode())
    return await peer.until(until)


async def come(house: House, nick: str, given: str) -> Peer:
    """Somebody on plain who answers what they are asked for."""
    peer = await house.connect()
    await peer.send(f"{nick}\n{given}\n".encode())
    return peer


async def is_let_in(peer: Peer) -> bool:
    await peer.send(b"/who\n/quit\n")
    return "Connected to server!" in await peer.rest()


async def irc_answer(house: House, *lines: str) -> str:
    """All that an IRC client is told which registers and leaves."""
    peer = IrcPeer((await house.connect()).stream)
    await peer.say(*lines, "NICK al", "USER al 0 * :Al", "QUIT")
    return await peer.rest()


# ── how somebody comes ─────────────────────────────────────────────────────────────────────────


async def test_a_stranger_is_told_how_to_get_in() -> None:
    async with by_invitation() as house:
        peer = await house.connect()
        refused = await answer(peer, "hello there", "\n")
        assert refused.startswith("*** 'hello there' cannot be a nickname: it has a space")
        assert await answer(peer, "al", "PASSWORD.\n") == ASKED
        await peer.send(b"sesame\n")
        told = await peer.rest()
        assert told == "*** That does not let you in.\n*** Goodbye!\n"
        told = await irc_answer(house, "CAP REQ standard-replies", "CAP END")
        assert " 001 " not in told
        assert "FAIL * ACCOUNT_REQUIRED :This chat is for those who have an account or" in told
        assert "ERROR :Closing link: This chat is for those who have an account or" in told


async def test_an_invitation_lets_one_in_as_the_answer_or_as_the_first_line() -> None:
    async with by_invitation() as house:
        al = await come(house, "al", token(id="01" * 8))
        assert OFFER in await al.until(": /register PASSWORD\n")
        bo = await come(house, token(id="02" * 8), "bo")
        assert "*** Thank you. Now your nickname:\n" in await bo.until("/help for more.\n")


async def test_one_that_is_not_good_is_refused_as_the_first_line_and_another_may_follow() -> None:
    async with by_invitation() as house:
        await (await come(house, token(), "al")).until(": /register PASSWORD\n")
        bo = await house.connect()
        for given, why in (
            (token(), USED),
            (token()[:-1], DAMAGED.format(42)),
            (write_token(b"another key", Invitation("00" * 8, LATER)), FORGED),
        ):
            assert await answer(bo, given, "\n") == f"*** {why}\n"
        await answer(bo, token(id="01" * 8), "*** Thank you. Now your nickname:\n")
        assert OFFER in await answer(bo, "bo", ": /register PASSWORD\n")


async def test_those_who_need_none_are_told_that_theirs_is_not_good() -> None:
    async with running(chosen("open")) as house:
        bad = write_token(b"another key", Invitation("00" * 8, LATER))
        al = await irc_peer(house, "al", password=bad, rooms="")
        assert f":chat.local NOTICE #tea :{FORGED}" in await al.news("JOIN #tea")
        assert not any(FORGED in line for line in await al.news("JOIN #coffee"))


async def test_a_password_of_the_server_may_look_like_an_invitation() -> None:
    password = "a" * 43
    async with running(chosen(server={"password": cheap_hash(password)})) as house:
        assert " 001 " in await irc_answer(house, f"PASS {password}")
        assert f" 464 * :{FORGED}" in await irc_answer(house, f"PASS {'b' * 43}")
        await (await come(house, "al", password)).until("/help for more.\n")


@pytest.mark.parametrize(
    ("secret", "how"), [("", "/msg NickServ REGISTER"), ("one-device-of-al", "/register")]
)
async def test_irc_clients_are_offered_to_register_in_their_first_room_as_they_can(
    secret: str, how: str
) -> None:
    async with by_invitation() as house:
        al = await irc_peer(house, "al", password=token(), secret=secret, rooms="")
        offer = f":chat.local NOTICE #tea :{OFFER[4:-1].replace('/register', how)}"
        assert (await al.news("JOIN #tea")).count(offer) == 1
        assert "by an invitation" not in "".join(await al.news("JOIN #coffee"))


async def test_in_any_irc_client_it_is_the_password() -> None:
    async with by_invitation() as house:
        told = await irc_answer(house, f"PASS {token()}")
        assert " 001 al " in told
        assert "draft/ACCOUNTREQUIRED" in told


async def test_a_nickname_that_is_taken_costs_no_invitation() -> None:
    async with by_invitation() as house:
        await (await come(house, "al", token(id="01" * 8))).until("/help for more.\n")
        peer = IrcPeer((await house.connect()).stream)
        await peer.say(f"PASS {token()}", "NICK al", "USER al 0 * :Al")
        await peer.until(" 433 ")
        await peer.say("NICK bo")
        await peer.until(" 001 bo ")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("A" * 43, FORGED),
        ("A" * 42, DAMAGED.format(42)),
        ("A" * 21, DAMAGED.format(21)),
        (token()[:-2] + ("AA" if not token().endswith("AA") else "AE"), FORGED),
        (write_token(b"another key", Invitation("00" * 8, LATER)), FORGED),
        (write_token(KEY, Invitation("00" * 8, 86_400)), EXPIRED),
    ],
)
async def test_what_is_no_invitation_lets_nobody_in(given: str, why: str) -> None:
    async with by_invitation() as house:
        assert (await (await come(house, "al", given)).rest()).endswith(
            f"*** {why}\n*** Goodbye!\n"
        )
        told = await irc_answer(house, f"PASS {given}")
        assert f" 464 * :{why}\r\n" in told
        assert " 001 " not in told


async def test_those_who_have_an_account_need_no_invitation() -> None:
    async with by_invitation() as house:
        bo = await come(house, "bo", token())
        await bo.until(": /register PASSWORD\n")
        await answer(bo, f"/register {PASSWORD}", "/login PASSWORD\n")
        secret = (await answer(bo, "/token new phone", "\n")).partition(": ")[2].strip()
        await bo.send(b"/quit\n")
        await bo.rest()
        for first, line in (
            ("bo", f"/login {PASSWORD}"),
            ("bo", f"/login bo {PASSWORD}"),
            ("bo", f"/login {secret}"),
            (f"/login bo {PASSWORD}", ""),
        ):
            bo = await come(house, first, line)
            await bo.until("*** You are bo in #lobby")
            await bo.send(b"/account\n/quit\n")
            assert "*** bo is an account" in await bo.rest()
        # A device that shows the secret comes in also with the link that has been used.
        for given in ("", token()):
            phone = await irc_peer(house, "bo", password=given, secret=secret, rooms="")
            await phone.say("QUIT")
            await phone.rest()
        eve = await come(house, "eve", "/login bo wrong-horse")
        assert (await eve.rest()).endswith("*** That is not the password.\n*** Goodbye!\n")


async def test_where_there_are_no_guests_they_still_come_in() -> None:
    async with running(chosen("open", "open")) as house:
        al = await house.connect("al")
        await answer(al, f"/register {PASSWORD}", "/login PASSWORD\n")
        await al.send(b"/quit\n")
        await al.rest()
        house.server.reload(chosen("closed", "closed"))
        al = await house.connect()
        asked = "*** This chat is for those who have an account. Enter /login NAME PASSWORD now.\n"
        assert await answer(al, "al", "now.\n") == asked
        await answer(al, f"/login {PASSWORD}", "*** You are al in #lobby")
        eve = await come(house, "eve", token())
        assert (await eve.rest()).endswith("*** That does not let you in.\n*** Goodbye!\n")
        assert (await irc_answer(house, f"PASS {token()}")).endswith("Log in to it. Goodbye!\r\n")


# ── who leaves the account ─────────────────────────────────────────────────────────────────────

MEMBERS = "This chat is for those who have an account or an invitation. Goodbye!"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (chosen("invited"), MEMBERS),
        (chosen("closed", "invited"), MEMBERS),
        (chosen("closed", "closed"), "This chat is for those who have an account. Log in to it."),
        (chosen("open", server={"password": cheap_hash("sesame")}), "This chat has a password."),
    ],
)
@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("/logout", "You are logged out."),
        ("/account delete al", "Your account is deleted. Nobody else can have its name."),
    ],
)
async def test_whom_only_the_account_has_let_in_cannot_stay_without_it(
    rules: Settings, words: str, line: str, done: str
) -> None:
    async with running(chosen("open", "open")) as house:
        al = await house.connect("al")
        await answer(al, f"/register {PASSWORD}", "/login PASSWORD\n")
        house.server.reload(rules)
        await al.send(f"/invitation {token()}\n{line}\nhello\n".encode())  # which is not counted
        told = await al.rest()
        assert f"*** {done}\n" in told
        assert f"*** {words}" in told.splitlines()[-1]
        assert "hello" not in told


async def test_where_all_are_let_in_one_may_stay_without_the_account() -> None:
    async with running(chosen("open", "open")) as house:
        al = await house.connect("al")
        await answer(al, f"/register {PASSWORD}", "/login PASSWORD\n")
        await al.send(b"/account delete al\n/quit\n")
        assert "This chat is for" not in await al.rest()


# ── where everybody needs an account ───────────────────────────────────────────────────────────

FIRST = "Only people with an account may do that: register your nickname, or log in."


async def test_an_invitation_lets_the_first_operator_in_to_register() -> None:
    async with running(chosen("closed", "invited")) as house:
        al = await come(house, "al", token(operator=True))
        await al.until("as a guest you are none. Make your nickname yours: /register PASSWORD\n")
        first = f"*** {FIRST} (/register PASSWORD, /login PASSWORD)\n"
        assert await answer(al, "hello", "PASSWORD)\n") == first
        await answer(al, f"/register {PASSWORD}", RULES)
        await answer(al, "hello", "al: hello\n")
        await answer(al, "/logout", "*** al is now al_2.\n")
        assert await answer(al, "hello", "PASSWORD)\n") == first
        await answer(al, f"/login al {PASSWORD}", "*** al_2 is now al.\n")
        await answer(al, "hello", "al: hello\n")


@pytest.mark.parametrize("guests", ["invited", "closed"])
async def test_the_owner_is_offered_an_invitation_where_it_is_of_use(guests: str) -> None:
    host = {"host": "0.0.0.0"}  # noqa: S104 - then others can reach it
    async with running(chosen(guests).model_copy(update=host)) as house:
        assert house.server.lacks_an_operator
        house.server.reload(chosen(guests, "closed"))
        assert not house.server.lacks_an_operator


async def test_an_irc_client_only_listens_before_it_has_registered() -> None:
    async with running(chosen("closed", "invited")) as house:
        boss = await irc_peer(house, "boss", password=token(id="01" * 8), rooms="")
        await boss.news("OPER boss sesame", "JOIN #tea", "PRIVMSG #tea :hello")
        al = await irc_peer(house, "al", password=token(), rooms="#tea,#new")
        await boss.news()
        lines = await al.news(
            *("PRIVMSG #tea :hi", "PRIVMSG boss :hi", "AWAY :hi"),
            *("INVITE boss #new", "TOPIC #new :hi", "MODE #new +i", "KICK #new al"),
        )
        where = ["404 al #tea", "477 al boss", "477 al al", *["477 al #new"] * 4]
        assert [line.partition(" :")[0] for line in lines] == [f":chat.local {at}" for at in where]
        assert all(line.endswith(f" :{FIRST}") for line in lines)
        assert await boss.news() == []
        await al.news(f"NS REGISTER {PASSWORD}")
        assert await al.news("PRIVMSG #tea :hi") == []
        assert any(line.endswith(" PRIVMSG #tea :hi") for line in await boss.news())


async def by_pass(peer: IrcPeer, name: str, password: str) -> None:
    await peer.news(f"PASS {name}:{password}")


@pytest.mark.parametrize("guests", ["invited", "closed"])
@pytest.mark.parametrize("way", [*WAYS.values(), by_pass])
@pytest.mark.parametrize("password", [PASSWORD, "wrong-horse"])
async def test_on_irc_they_log_in(
    guests: str, way: Callable[[IrcPeer, str, str], Awaitable[object]], password: str
) -> None:
    async with running(chosen("open", "open")) as house:
        al = await irc_peer(house, "al", rooms="")
        await al.news(f"REGISTER * * {PASSWORD}")
        await al.say("QUIT")
        await al.rest()
        house.server.reload(chosen(guests))
        peer = IrcPeer((await house.connect()).stream)
        await peer.news("CAP REQ sasl")
        await way(peer, "al", password)
        await peer.say("CAP END", "NICK al", "USER al 0 * :Al", "QUIT")
        assert (" 001 al " in await peer.rest()) == (password == PASSWORD)


@pytest.mark.parametrize("registration", ["auto", "invited", "closed"])
async def test_nobody_comes_in_uninvited_by_registering_at_the_door(registration: str) -> None:
    host = {"host": "0.0.0.0"}  # noqa: S104 - for what auto means there
    async with running(chosen("auto", registration).model_copy(update=host)) as house:
        peer = IrcPeer((await house.connect()).stream)
        told = await peer.news("CAP REQ standard-replies", "NICK al", f"REGISTER * * {PASSWORD}")
        assert any(line.startswith(":chat.local FAIL REGISTER ") for line in told)
        await peer.say("USER al 0 * :Al", "CAP END", "QUIT")
        assert " 001 " not in await peer.rest()


async def test_a_guest_who_comes_again_uses_no_invitation_up() -> None:
    async with by_invitation() as house:
        for _ in range(2):
            await irc_peer(house, "al", password=token(), secret="one-device-of-al", rooms="")
        assert USED in await irc_answer(house, f"PASS {token()}")


async def test_it_lets_no_more_register_than_it_says() -> None:
    async with running(chosen("invited", "invited")) as house:
        al = await come(house, "al", token(uses=2))
        await al.until(": /register PASSWORD\n")
        await answer(al, f"/register {PASSWORD}", "Your nickname is yours now.")
        await answer(al, "/logout", "*** You are logged out.\n")
        await answer(al, f"/register {PASSWORD}", UNINVITED)
        await answer(al, f"/invitation {token(uses=2)}", OFFER)
        await answer(al, f"/register {PASSWORD}", "Your nickname is yours now.")
        await answer(al, "/logout", "*** You are logged out.\n")
        await answer(al, f"/invitation {token(uses=2)}", USED)
        await answer(al, f"/register {PASSWORD}", UNINVITED)


async def test_a_guest_cannot_use_it_up_by_showing_it_again_and_again() -> None:
    async with by_invitation() as house:
        al = await come(house, "al", token(uses=2))
        await al.until(": /register PASSWORD\n")
        for _ in range(3):
            await answer(al, f"/invitation {token(uses=2)}", OFFER)
        assert await is_let_in(await come(house, "bo", token(uses=2)))


# ── the settings ───────────────────────────────────────────────────────────────────────────────

GUESTS = [
    ("open", "", True),
    ("open", "token", True),
    ("invited", "", False),
    ("invited", "sesame", False),
    ("invited", "token", True),
    ("closed", "", False),
    ("closed", "sesame", False),
]


@pytest.mark.parametrize(("guests", "given", "let_in"), GUESTS)
async def test_guests(guests: str, given: str, let_in: bool) -> None:
    given = token(uses=2) if given == "token" else given
    async with running(chosen(guests)) as house:
        told = await irc_answer(house, *([f"PASS {given}"] if given else []))
        assert (" 001 " in told) == let_in
        assert ("draft/ACCOUNTREQUIRED" in told) == (let_in and guests != "open")
        assert await is_let_in(await come(house, "al", given)) == let_in


@pytest.mark.parametrize("guests", ["auto", "open", "invited"])
async def test_the_password_of_the_server_is_an_invitation(guests: str) -> None:
    server = {"password": cheap_hash("sesame")}
    async with running(chosen(guests, "invited", server=server)) as house:
        assert " 001 " in await irc_answer(house, f"PASS {token()}")
        assert " 001 " not in await irc_answer(house)
        peer = await come(house, "al", "sesame")
        await peer.until("/help for more.\n")
        told = await answer(peer, f"/register {PASSWORD}", "/login PASSWORD\n")
        assert "*** Your nickname is yours now." in told


REGISTRATION = [
    ("open", False, "Your nickname is yours now."),
    ("invited", False, "To register you need an invitation. Give it first: /invitation TOKEN"),
    ("invited", True, "Your nickname is yours now."),
    ("closed", True, "Nobody can register here. Ask the operators of this chat."),
]


@pytest.mark.parametrize(("registration", "invited", "told"), REGISTRATION)
async def test_registration(registration: str, invited: bool, told: str) -> None:
    async with running(chosen("open", registration)) as house:
        peer = await house.connect("al")
        if invited:
            await peer.send(f"/invitation {token()}\n".encode())
        await answer(peer, f"/register {PASSWORD}", f"*** {told}")


@pytest.mark.parametrize(("host", "let_in"), [("127.0.0.1", True), ("0.0.0.0", False)])  # noqa: S104
async def test_beyond_this_machine_guests_are_invited(host: str, let_in: bool) -> None:
    async with running(chosen("auto").model_copy(update={"host": host})) as house:
        assert (" 001 " in await irc_answer(house)) == let_in
        assert (house.server.question == "") == let_in


async def test_the_settings_can_change() -> None:
    async with running(chosen("open")) as house:
        house.server.reload(chosen("invited"))
        assert " 001 " not in await irc_answer(house)


# ── operators of the server ────────────────────────────────────────────────────────────────────

RULES = "*** You are an operator of this server now.\n"


async def owner(house: House, nick: str = "al") -> Peer:
    peer = await come(house, nick, token(id="0f" * 8, operator=True))
    await peer.until("as a guest you are none. Make your nickname yours: /register PASSWORD\n")
    await answer(peer, f"/register {PASSWORD}", RULES)
    return peer


async def test_an_invitation_for_an_operator_makes_one_of_an_account_for_good(
    tmp_path: Path,
) -> None:
    kept = chosen(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        al = await owner(house)
        await answer(al, "/register another-horse", "*** You are logged in as al already.\n")
        await answer(al, "/account", "*** Its owner is an operator of this server.\n")
    async with running(kept) as house:
        al = await come(house, "al", f"/login {PASSWORD}")
        await al.until(RULES)
        await answer(al, "/logout", "*** You are no operator of this server any more.\n")


async def test_as_a_guest_it_makes_nobody_an_operator() -> None:
    async with by_invitation() as house:
        peer = await come(house, "al", token(operator=True))
        await peer.until("as a guest you are none.")
        await answer(peer, "/invitation", "*** Only operators of this server may do that.\n")


async def test_an_account_that_there_is_becomes_an_operators() -> None:
    async with running(chosen("open", "open")) as house:
        peer = await house.connect("al")
        await answer(peer, f"/register {PASSWORD}", "/login PASSWORD\n")
        given = token(operator=True)
        assert await answer(peer, f"/invitation {given}", RULES) == f"{RULES}"
        await answer(peer, f"/invitation {given}", "*** You have an account, and need no")


async def test_by_a_token_an_account_becomes_an_operators_but_nobody_there_acts_as_one() -> None:
    async with running(chosen("open", "open")) as house:
        al = await house.connect("al")
        await answer(al, f"/register {PASSWORD}", "/login PASSWORD\n")
        secret = (await answer(al, "/token new bot", "\n")).split()[-1]
        await al.send(b"/quit\n")
        await al.rest()
        bot = await irc_peer(house, "bot")
        await bot.news(f"NS IDENTIFY al {secret}")
        [told] = await bot.news(f"INVITATION {token(operator=True)}")
        assert "is one of an operator of this server now. You act as one where" in told
        assert " 481 " in (await bot.news("KILL al :x"))[0]


async def test_it_makes_one_operator_and_none_once_it_is_revoked() -> None:
    async with by_invitation() as house:
        al = await owner(house)
        await al.send(f"/logout\n/register {PASSWORD}\n/account\n/quit\n".encode())
        told = await al.rest()
        assert "al_2 is an account" in told
        assert "is an operator" not in told
        boss = await come(house, "al", f"/login {PASSWORD}")
        await boss.until(RULES)
        eve = await come(house, "eve", token(operator=True))
        await eve.until("Make your nickname yours: /register PASSWORD\n")
        await answer(boss, f"/invitation revoke {'00' * 8}", "*** That invitation is revoked.\n")
        await eve.send(f"/register {PASSWORD}\n/account\n/quit\n".encode())
        assert "is an operator" not in await eve.rest()


async def test_an_invitation_for_the_first_operator_makes_no_second_one() -> None:
    async with by_invitation() as house:
        al, bo = [
            await come(house, nick, token(id=id * 8, operator=True, first=True))
            for nick, id in (("al", "01"), ("bo", "02"))
        ]
        await bo.until("as a guest you are none. Make your nickname yours: /register PASSWORD\n")
        await answer(al, f"/register {PASSWORD}", RULES)
        await bo.send(f"/register {PASSWORD}\n/account\n/quit\n".encode())
        told = await bo.rest()
        assert "bo is an account" in told
        assert "is an operator" not in told
        cy = await come(house, "cy", token(id="03" * 8, operator=True, first=True))
        assert "was for the first operator, and there is one now." in await cy.rest()


async def test_the_list_says_which_make_operators_and_who_has_used_them() -> None:
    async with by_invitation() as house:
        made = token(operator=True)
        al = await irc_peer(house, "al", password=made, secret="a-device-of-al-s", rooms="")
        await al.news(f"NS REGISTER {PASSWORD}")
        await (await come(house, "bo", token(id="01" * 8))).until("/help for more.\n")
        first, second = await al.news("INVITATION list")
        assert ":0000000000000000: used 1 of 1 times, by al, until " in first
        assert first.endswith(", makes operators")
        assert ":0101010101010101: used 1 of 1 times, until " in second
        assert "operators" not in second


async def test_the_list_names_whoever_has_registered_and_nobody_else() -> None:
    """Also those who come by netcat, which shows nothing; but not who is gone again."""
    async with by_invitation() as house:
        al, many = await owner(house), token(id="01" * 8, uses=9)
        await (await come(house, "guest", many)).until("/help for more.\n")
        for nick in ("berta", "carla"):
            peer = await come(house, nick, many)
            await answer(peer, f"/register {PASSWORD}", "Your nickname is yours now.")
        await answer(peer, f"/login carla {PASSWORD}", "You are logged in as carla.")
        await answer(peer, "/account delete carla", "Your account is deleted.")
        listed = await answer(al, "/invitation list", "of 9 times") + await al.until("\n")
        assert "used 1 of 1 times, by al, until " in listed
        assert ", makes operators\n" in listed
        assert "0101010101010101: used 3 of 9 times, by berta, until " in listed
        await answer(al, f"/invitation revoke {'0f' * 8}", "*** That invitation is revoked.\n")
        revoked = f"{'0f' * 8}: revoked, used 1 of 1 times, by al, makes operators\n"
        await answer(al, "/invitation list", revoked)


async def test_who_revokes_what_nobody_has_used_is_told_so() -> None:
    async with by_invitation() as house:
        al = await owner(house)
        await answer(al, f"/invitation revoke {'ff' * 8}", "see whether it is the right one.\n")


async def test_accounts_that_the_settings_name_are_operators() -> None:
    async with running(chosen("open", accounts={"operators": ("Al",)})) as house:
        peer = await house.connect("al")
        await answer(peer, f"/register {PASSWORD}", RULES)


# ── invitations by operators ───────────────────────────────────────────────────────────────────


async def test_operators_invite_others_and_take_it_back() -> None:
    async with by_invitation() as house:
        al = await owner(house)
        told = await answer(al, "/invitation 3 1", "for 3 people, for one day.\n")
        [made] = re.findall(
            r"\*\*\* trio-chat client 'irc://127\.0\.0\.1:\d+\?invite=([\w-]{43})'\n", told
        )
        await (await come(house, "bo", made)).until("/help for more.\n")
        listed = await answer(al, "/invitation list", "of 3 times") + await al.until("\n")
        [id] = re.findall("([0-9a-f]{16}): used 1 of 3 times, until ", listed)
        await answer(al, f"/invitation revoke {id}", "*** That invitation is revoked.\n")
        assert REVOKED in await (await come(house, "cy", made)).rest()
        await answer(al, "/invitation list", f"*** {id}: revoked, used 1 of 3 times\n")
        await answer(al, f"/invitation revoke {token()}", "*** That invitation is revoked.\n")
        assert REVOKED in await (await come(house, "cy", token())).rest()
        for wrong in ("0", "1 0", "1001", "1 366"):
            await answer(al, f"/invitation {wrong}", "people, and lasts 1 to 365 days.\n")


async def test_operators_do_so_on_irc_too() -> None:
    async with running(chosen("open")) as house:
        boss = await irc_peer(house, "boss", "standard-replies")
        notices = ":chat.local NOTICE boss :"
        [refused] = await boss.news("INVITATION")
        assert refused.endswith(" 481 boss :Only operators of this server may do that.")
        await boss.news("OPER boss sesame")
        made, page, told = await boss.news("INVITATION 2")
        assert f"/#?invite={made.rpartition('=')[2].rstrip(chr(39))} in a browser." in page
        assert made.startswith(":chat.local NOTICE boss :trio-chat client 'irc://127.0.0.1:")
        assert told == f"{notices}This works for 2 people, for 7 days."
        bo = await irc_peer(house, "bo", rooms="")
        given = made.rpartition("=")[2].rstrip("'")
        told = await bo.news(f"INVITATION {given}")
        assert any("Make your nickname yours" in line for line in told)
        [listed] = await boss.news("INVITATION list")
        assert ": used 1 of 2 times, until " in listed
        id = listed.removeprefix(notices).partition(":")[0]
        assert await boss.news(f"INVITATION revoke {id}") == [
            f"{notices}That invitation is revoked."
        ]
        [usage] = await boss.news("INVITATION revoke")
        assert " FAIL INVITATION INVALID_PARAMS :Usage: INVITATION TOKEN|" in usage


# ── no more than it says ───────────────────────────────────────────────────────────────────────


async def test_two_who_use_the_last_use_at_once_do_not_both_get_in() -> None:
    async with by_invitation() as house:
        peers = [await house.connect() for _ in range(8)]
        let_in = []

        async def enter(number: int, peer: Peer) -> None:
            await peer.send(f"p{number}\n{token(uses=3)}\n".encode())
            if await is_let_in(peer):
                let_in.append(number)

        async with trio.open_nursery() as nursery:
            for number, peer in enumerate(peers):
                nursery.start_soon(enter, number, peer)
        assert len(let_in) == 3


async def test_what_was_used_stays_used_after_a_restart(tmp_path: Path) -> None:
    kept = chosen(history={"store": str(tmp_path / "chat.db")})
    for _ in range(2):
        async with running(kept) as house:
            assert await is_let_in(await come(house, "al", token(uses=2)))
    async with running(kept) as house:
        assert USED in await (await come(house, "al", token(uses=2))).rest()


@pytest.mark.parametrize(
    "form", ["{0}", "/invitation {0}", " /invitation {0} ", "ircs://h?invite={0}"]
)
@pytest.mark.parametrize("order", ["{0}\nal\n", "al\n{0}\n", "{0}\n{0}\nal\n"])
async def test_an_invitation_in_any_form_is_never_a_nickname(form: str, order: str) -> None:
    async with by_invitation() as house:
        al = await house.connect()
        await al.send(order.format(form.format(token())).encode())
        assert "al joined!\n" in await al.until("/help for more.\n")


@pytest.mark.parametrize("line", ["{0}", " {0} ", " /invitation {0}", "//invitation {0}"])
async def test_an_invitation_is_never_a_message(line: str) -> None:
    async with by_invitation() as house:
        bo = await come(house, "bo", token())
        await bo.until(OFFER)
        al = await come(house, "al", token(id="02" * 8))
        await al.until(OFFER)
        await al.send(line.format(token(id="01" * 8)).encode() + b"\nhello\n")
        assert await bo.until("al: hello\n") == "al joined!\nal: hello\n"


async def test_an_invitation_as_the_prefix_of_all_that_is_sent_is_shown_to_nobody(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The tutorial's client does, if an invitation was given as its nickname."""
    async with by_invitation() as house:
        al, given = await house.connect(), token()
        await al.send(given.encode())
        await al.until("Now your nickname:")
        await al.send(f"{given}: al".encode())
        await al.until("/help for more.\n")
        await al.send(f"{given}: hello".encode())
        assert (await al.until("hello\n")).endswith("\nal: hello\n")
