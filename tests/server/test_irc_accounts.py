"""Accounts on IRC: logging in by SASL, PASS and NickServ, and registering, at any moment."""

import logging
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import sasl
from irc_peers import IrcPeer, cheap_hash, irc_peer, settings
from peers import House, running
from sasl import SCRAM, WAYS, by_plain, by_scram, numerics
from trio_chat.core.events import PasswordSet
from trio_chat.protocols.plain.wording import SETTLED
from trio_chat.protocols.scram import ScramClient
from trio_chat.server import accounts

PASSWORD = "correct-horse"
DEVICE = "a-secret-of-the-device"
LOGGED_IN = ["900", "903"]
IS_OWNED = "bob is somebody's account, or looks like one:"
OWNED = f"{IS_OWNED} log in by SASL, or by PASS ACCOUNT:PASSWORD, if it is you"
OWNED_INSIDE = f"{IS_OWNED} /msg NickServ IDENTIFY ACCOUNT PASSWORD, if it is you"
UNINVITED = "To register you need an invitation. Give it first:"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


async def begun(house: House, nick: str = "bob", *caps: str) -> IrcPeer:
    """A client in the middle of its registration."""
    peer = await irc_peer(house)
    await peer.news("CAP LS 302", f"CAP REQ :{' '.join(['sasl', *caps])}", f"NICK {nick}")
    return peer


@pytest.fixture
def hashing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's clock must not meet threads."""

    async def call(function: Callable[[], object], **options: object) -> object:
        return function()

    monkeypatch.setattr("trio_chat.server.guesses.trio.to_thread.run_sync", call)


async def entered(peer: IrcPeer, nick: str = "bob") -> list[str]:
    return await peer.news(f"USER {nick} 0 * :{nick}", "CAP END")


async def account_of(peer: IrcPeer, nick: str) -> str:
    whois = await peer.messages(f"WHOIS {nick}")
    return next((reply.params[2] for reply in whois if reply.command == "330"), "")


async def register(house: House, nick: str = "bob", password: str = PASSWORD) -> None:
    peer = await irc_peer(house, nick)
    assert "REGISTER SUCCESS" in (await peer.news(f"REGISTER * * {password}"))[0]
    await peer.say("QUIT")
    await peer.rest()


# ── SASL ───────────────────────────────────────────────────────────────────────────────────────


async def test_the_mechanisms_are_told(house: House) -> None:
    peer = await irc_peer(house)
    *others, last = await peer.news("CAP LS 302")
    assert all(line.startswith(":chat.local CAP * LS * :") for line in others)
    words = [word for line in (*others, last) for word in line.rpartition(" :")[2].split()]
    assert "sasl=PLAIN,SCRAM-SHA-256" in words
    assert "draft/account-registration=before-connect" in words


@pytest.mark.parametrize("mechanism", WAYS)
async def test_before_registration(house: House, mechanism: str) -> None:
    await register(house)
    peer = await begun(house)
    logged_in = await WAYS[mechanism](peer, "bob", PASSWORD)
    assert numerics(logged_in) == LOGGED_IN
    assert logged_in[0].params[1:3] == ("*!*@*", "bob")
    assert any(" 001 bob " in line for line in await entered(peer))
    assert await account_of(peer, "bob") == "bob"


@pytest.mark.parametrize("mechanism", WAYS)
async def test_after_registration_and_again(house: House, mechanism: str) -> None:
    """Both numerics come before ACCOUNT, and others are told once each."""
    await register(house)
    await register(house, "carol")
    peer = await irc_peer(house, "guest", "sasl", "account-notify", "labeled-response", "batch")
    alice = await irc_peer(house, "alice", "account-notify")
    await peer.news()
    for name in ("bob", "carol"):
        answer = await WAYS[mechanism](peer, name, PASSWORD)
        assert numerics(answer) == [*LOGGED_IN, "ACCOUNT"]
        assert answer[-1].params == (name,)
        assert [line.partition(" ")[2] for line in await alice.news()] == [f"ACCOUNT {name}"]
        assert await account_of(alice, "guest") == name


async def test_without_account_notify_the_numerics_are_all(house: House) -> None:
    await register(house)
    peer = await irc_peer(house, "guest", "sasl")
    assert numerics(await by_plain(peer, "bob", PASSWORD)) == LOGGED_IN


async def test_a_name_that_looks_alike_is_the_same(house: House) -> None:
    await register(house)
    peer = await begun(house, "guest")
    assert (await by_scram(peer, "B0B", PASSWORD))[0].params[2] == "bob"


@pytest.mark.parametrize("mechanism", WAYS)
async def test_a_wrong_password_lets_one_try_again(house: House, mechanism: str) -> None:
    await register(house)
    peer = await begun(house)
    for name in ("bob", "nobody"):
        [failed] = await WAYS[mechanism](peer, name, "wrong-horse")
        assert failed.command == "904"
    assert numerics(await WAYS[mechanism](peer, "bob", PASSWORD)) == LOGGED_IN


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        (["AUTHENTICATE EXTERNAL"], ["908", "904"]),
        (["AUTHENTICATE *"], ["906"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE *"], ["AUTHENTICATE", "906"]),
        (["AUTHENTICATE PLAIN", f"AUTHENTICATE {'A' * 401}"], ["AUTHENTICATE", "905"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE =bad="], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE \u00e9"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE +"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", *sasl.chunks(b"\xff\0\xff\0\xff")], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", *sasl.plain("bob", "a\0b")], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", *sasl.plain("bob", PASSWORD, "eve")], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE plain", *sasl.plain("bob", PASSWORD, "bob")], ["AUTHENTICATE", *LOGGED_IN]),
        ([f"AUTHENTICATE {SCRAM}", "AUTHENTICATE +"], ["AUTHENTICATE", "904"]),
        ([f"AUTHENTICATE {SCRAM}", *sasl.chunks(b"n,,n=bob")], ["AUTHENTICATE", "904"]),
        (
            [f"AUTHENTICATE {SCRAM}", *sasl.chunks(b"n,,n=bob,r=x"), "AUTHENTICATE +"],
            ["AUTHENTICATE", "AUTHENTICATE", "904"],
        ),
        (["AUTHENTICATE"], ["461"]),
    ],
)
async def test_what_clients_may_send(house: House, lines: list[str], answers: list[str]) -> None:
    await register(house)
    peer = await begun(house)
    assert numerics(await peer.messages(*lines)) == answers
    assert numerics(await by_plain(peer, "bob", PASSWORD)) == LOGGED_IN


async def test_a_proof_can_be_shown_only_once(house: House) -> None:
    """Nor does the end of a login count that had no beginning."""
    await register(house)
    peer = await begun(house)
    client = ScramClient("bob", PASSWORD, "our-nonce")
    _, challenge = await peer.messages(f"AUTHENTICATE {SCRAM}", *sasl.chunks(client.first()))
    proof = sasl.chunks(client.prove(b64decode(challenge.params[0])))
    await peer.news(*proof, "AUTHENTICATE *")
    _, other = await peer.messages(f"AUTHENTICATE {SCRAM}", *sasl.chunks(client.first()))
    assert other.params != challenge.params
    assert numerics(await peer.messages(*proof)) == ["904"]
    assert numerics(await peer.messages("AUTHENTICATE +")) == ["908", "904"]


async def test_a_password_in_several_chunks(house: House) -> None:
    long = "x" * (600 - len("\0bob\0"))  # which fills two chunks
    plain = await house.connect("bob")
    await plain.send(f"/register {long}\n".encode())
    await plain.until("is yours now")
    peer = await begun(house, "guest")
    assert len(sasl.plain("bob", long)) == 3
    assert numerics(await by_plain(peer, "bob", long)) == LOGGED_IN


async def test_authenticate_without_end(house: House) -> None:
    """The fourth chunk is too much; what goes on is taken for mechanisms."""
    peer = await begun(house)
    lines = ["AUTHENTICATE PLAIN", *[f"AUTHENTICATE {'A' * 400}"] * 50]
    answers = numerics(await peer.messages(*lines))
    assert answers[:2] == ["AUTHENTICATE", "904"]
    assert set(answers[2:]) == {"908", "904"}
    assert any(" 001 bob " in line for line in await entered(peer))


async def test_registration_ends_a_login_that_is_under_way(house: House) -> None:
    peer = await begun(house)
    await peer.news("AUTHENTICATE PLAIN")
    lines = await entered(peer)
    assert " 906 " in lines[0]
    assert any(" 001 bob " in line for line in lines)


async def test_nobody_learns_from_a_challenge_which_accounts_there_are(house: House) -> None:
    await register(house)
    peer = await begun(house)

    async def challenged(name: str) -> list[str]:
        first = ScramClient(name, "x", "our-nonce").first()
        _, challenge, _ = await peer.messages(
            f"AUTHENTICATE {SCRAM}", *sasl.chunks(first), "AUTHENTICATE *"
        )
        return b64decode(challenge.params[0]).decode().split(",")[1:]

    known, unknown, other = [await challenged(name) for name in ("bob", "nobody", "noone")]
    assert unknown == await challenged("nobody")
    assert unknown != other
    assert [len(part) for part in unknown] == [len(part) for part in known]
    assert unknown[1] == known[1] == "i=4096"


# ── in place of the password: a key ────────────────────────────────────────────────────────────


async def test_a_token_is_a_password_for_plain_and_ends_with_the_token(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await house.connect("bob")
    await bob.send(f"/register {PASSWORD}\n/token new bot\n".encode())
    secret = (await bob.until("*** Keep it: ")).partition("*** bot: ")[2].split()[0]
    monkeypatch.setattr(accounts, "opens", lambda *how: pytest.fail("it was hashed"))
    early, unborn = await begun(house, "early"), await begun(house, "unborn", "trio-chat/identity")
    assert numerics(await by_plain(early, "bob", secret)) == LOGGED_IN
    assert numerics(await by_plain(unborn, "bob", secret)) == LOGGED_IN
    await entered(early, "early")
    await unborn.news(f"IDENTITY {DEVICE}")
    late = await irc_peer(house, "late", "sasl")
    assert numerics(await by_plain(late, "bob", secret))[:3] == [*LOGGED_IN, "NICK"]
    assert [await account_of(peer, "bob") for peer in (early, late)] == ["bob", "bob"]
    await bob.send(b"/token drop bot\n")
    for peer in (early, late):
        assert "You were logged out from elsewhere" in await peer.rest()
    await entered(unborn, "unborn")
    assert not await account_of(unborn, "unborn")


# ── PASS ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("password", ["", "opens:it"])
async def test_pass_logs_in_also_where_the_server_has_a_password(password: str) -> None:
    hashed = cheap_hash(password) if password else ""
    async with running(settings(server={"password": hashed})) as house:
        first = await irc_peer(house, "bob", password=password)
        await first.news(f"REGISTER * * {PASSWORD}")
        await first.say("QUIT")
        await first.rest()
        bob = await irc_peer(house)
        lines = await bob.news(f"PASS bob:{PASSWORD}", "NICK bob", "USER b 0 * :B")
        assert " 900 bob bob!b@127.0.0.1 bob :" in lines[0]
        assert " 001 bob " in lines[1]
        assert await account_of(bob, "bob") == "bob"
        wrong = await irc_peer(house)
        await wrong.say("PASS bob:wrong-horse", "NICK eve", "USER e 0 * :E")
        assert " 464 * :That is not the password." in await wrong.rest()


async def test_a_pass_that_names_no_account_is_the_servers() -> None:
    async with running(settings(server={"password": cheap_hash("opens:it")})) as house:
        peer = await irc_peer(house, "bob", password="opens:it")
        assert not await account_of(peer, "bob")
        stranger = await irc_peer(house)
        await stranger.say("NICK eve", "USER e 0 * :E")
        assert " 464 " in await stranger.rest()


@pytest.mark.parametrize(
    "asked",
    [
        {"accounts": {"guests": "open"}},
        {"accounts": {"guests": "invited"}},
        {"accounts": {"guests": "closed"}},
        {"server": {"password": cheap_hash("opens-it")}},
    ],
    ids=str,
)
async def test_a_wrong_pass_does_not_tell_which_accounts_there_are(asked: dict[str, Any]) -> None:
    limits = {"exempt": "", "guess_burst": 4, "guesses_per_minute": 0.01}
    async with running(settings()) as house:
        await register(house)
        house.server.reload(settings(**asked, limits=limits))
        told = []
        for address, name in (("one", "bob"), ("another", "nobody")):
            for _ in range(5):
                stranger = IrcPeer((await house.link(address=address)).stream)
                await stranger.say(f"PASS {name}:wrong-horse", "NICK eve", "USER e 0 * :E")
                told.append(await stranger.rest())
        assert told[:5] == told[5:]
        assert " 464 * :That is not the password." in told[0]
        assert "That is not the password." not in told[4]  # it is not looked at any more


async def test_a_servers_password_with_a_colon_costs_no_guess() -> None:
    limits = {"exempt": "", "guess_burst": 2, "guesses_per_minute": 0.01}
    hashed = cheap_hash("opens:it")
    async with running(settings(server={"password": hashed}, limits=limits)) as house:
        peers = [IrcPeer((await house.connect()).stream) for _ in range(5)]
        for number, peer in enumerate(peers):
            await peer.say("PASS opens:it", f"NICK p{number}", "USER p 0 * :P")
        for number, peer in enumerate(peers):  # at once, or one after the other
            await peer.until(f" 001 p{number} ")


# ── the nickname ───────────────────────────────────────────────────────────────────────────────


async def test_somebodys_nickname_is_refused_in_words_of_irc(house: House) -> None:
    await register(house)
    peer = await begun(house)
    [refused] = await entered(peer)
    assert refused.endswith(f" 433 * bob :{OWNED}")
    assert numerics(await by_scram(peer, "bob", PASSWORD)) == LOGGED_IN
    assert any(" 001 bob " in line for line in await peer.news("NICK bob"))


async def test_a_ghost_keeps_nobody_from_their_nickname_and_can_be_ended(
    autojump_clock: MockClock, hashing_at_once: None
) -> None:
    async with running(settings()) as house:
        ghost = await irc_peer(house, "bob", link=True)
        await ghost.news(f"REGISTER * * {PASSWORD}")
        late = await irc_peer(house, link=True)
        begin = trio.current_time()
        await late.say(f"PASS bob:{PASSWORD}", "NICK bob", "USER b 0 * :B")
        await late.until(" 001 bob ")
        assert trio.current_time() == begin
        assert "Connection 1 has ended." in "".join(await late.news("NS DEVICES END 1"))
        assert "from another device" in await ghost.rest()


# ── REGISTER ───────────────────────────────────────────────────────────────────────────────────


async def test_registering_before_one_is_let_in(house: House) -> None:
    peer = await begun(house, "bob", "trio-chat/identity")
    lines = await peer.messages(f"IDENTITY {DEVICE}", f"REGISTER * * {PASSWORD}")
    assert numerics(lines) == ["REGISTER", "900"]
    assert lines[0].params[:2] == ("SUCCESS", "bob")
    eve = await begun(house)
    assert " 433 * bob :bob is somebody's" in (await entered(eve))[0]
    assert any(" 001 bob " in line for line in await entered(peer))
    assert await account_of(peer, "bob") == "bob"
    again = await irc_peer(house, "robert", secret=DEVICE, joins="bob")  # which is a key to it
    assert await account_of(again, "bob") == "bob"


async def test_two_who_register_one_name_at_once(house: House) -> None:
    first, second = await begun(house), await begun(house, "B0B")
    await first.say("REGISTER * * first-horse")
    await second.say("REGISTER * * second-horse")
    answers = [[*await peer.messages()] for peer in (first, second)]
    won = [numerics(answer)[0] == "REGISTER" for answer in answers]
    assert sorted(won) == [False, True]
    assert answers[won.index(False)][0].params[:2] == ("REGISTER", "ACCOUNT_EXISTS")
    right = ["first-horse", "second-horse"][won.index(True)]
    peer = await begun(house, "eve")
    assert numerics(await by_plain(peer, "bob", right)) == LOGGED_IN


@pytest.mark.parametrize(
    ("line", "code", "about"),
    [
        ("REGISTER * * short", "WEAK_PASSWORD", "bob"),
        ("REGISTER * * :12345678\ue000", "UNACCEPTABLE_PASSWORD", "bob"),
        ("REGISTER carol * correct-horse", "ACCOUNT_NAME_MUST_BE_NICK", "carol"),
        ("REGISTER BOB bob@example.org correct-horse", "SUCCESS", ""),
    ],
)
@pytest.mark.parametrize("early", [True, False])
async def test_what_can_be_registered(
    house: House, line: str, code: str, about: str, early: bool
) -> None:
    peer = await (begun(house) if early else irc_peer(house, "bob"))
    answer, *_ = await peer.messages(line)
    if code == "SUCCESS":
        assert answer.params[:2] == ("SUCCESS", "bob")
        [again] = await peer.messages("REGISTER * * another-horse")
        assert again.params[:3] == ("REGISTER", "ALREADY_AUTHENTICATED", "bob")
    else:
        assert (answer.command, *answer.params[:3]) == ("FAIL", "REGISTER", code, about)


async def test_a_nickname_that_somebody_has_is_registered_by_nobody_else(house: House) -> None:
    await irc_peer(house, "alice")
    eve = await begun(house, "a1ice")
    [taken] = await eve.messages(f"REGISTER * * {PASSWORD}")
    assert taken.params[:3] == ("REGISTER", "ACCOUNT_EXISTS", "a1ice")
    nameless = await irc_peer(house)
    [needed] = await nameless.messages(f"REGISTER * * {PASSWORD}")
    assert needed.params[:3] == ("REGISTER", "NEED_NICK", "*")
    alice = await irc_peer(house, "other")
    assert numerics(await alice.messages(f"REGISTER * * {PASSWORD}")) == ["REGISTER", "900"]


async def test_nobody_registers_before_the_servers_password() -> None:
    async with running(settings(server={"password": cheap_hash("sesame")})) as house:
        peer = await irc_peer(house)
        assert " draft/account-registration " in " ".join(await peer.news("CAP LS 302"))
        [failed] = await peer.messages("NICK bob", f"REGISTER * * {PASSWORD}")
        assert failed.params[:2] == ("REGISTER", "COMPLETE_CONNECTION_REQUIRED")
        await peer.news("PASS sesame", "USER b 0 * :B", "CAP END")
        assert "SUCCESS" in (await peer.news(f"REGISTER * * {PASSWORD}"))[0]


async def test_the_nickname_is_free_again_if_nothing_comes_of_it(house: House) -> None:
    peer = await begun(house)
    await peer.news("REGISTER * * short")
    assert await irc_peer(house, "bob")


async def test_other_connections_with_the_same_secret_are_told_that_it_is_an_account_now(
    house: House,
) -> None:
    caps = ("account-notify",)
    phone = await irc_peer(house, "phone", *caps, secret=DEVICE, rooms="")
    bob = await irc_peer(house, "bob", *caps, secret=DEVICE, rooms="")
    assert numerics(await bob.messages(f"REGISTER * * {PASSWORD}")) == [
        "REGISTER",
        "900",
        "ACCOUNT",
    ]
    [told] = await phone.news()
    assert told.endswith(" ACCOUNT bob")


# ── NickServ ───────────────────────────────────────────────────────────────────────────────────

SAYS = ":NickServ!NickServ@chat.local NOTICE"


async def test_the_words_that_people_know(house: House) -> None:
    bob = await irc_peer(house, "bob")
    lines = await bob.news(f"NS REGISTER {PASSWORD} bob@example.org")
    assert lines[0] == f"{SAYS} bob :Your nickname is yours now."
    assert " 900 bob " in lines[1]
    guest = await irc_peer(house, "guest")
    assert await guest.news("PRIVMSG NickServ :IDENTIFY bob wrong-horse") == [
        f"{SAYS} guest :That is not the password."
    ]
    assert " 900 " in (await guest.news(f"NickServ identify bob {PASSWORD}"))[0]
    helped = await guest.news("PRIVMSG nickserv@services :help", "NS", "NS HULP")
    assert helped == helped[: len(helped) // 3] * 3
    assert all(line.startswith(f"{SAYS} bob :") for line in helped)
    for word in ("GHOST", "DROP"):
        [line] = await guest.news(f"NS {word}")
        assert line.startswith(f"{SAYS} bob :{word} ")
    either = f"{SAYS} bob :always-on is either on or off."
    assert await guest.news("NS SET ALWAYS-ON maybe", "NS SET always-on") == [either] * 2


async def test_blocks_and_mentions_are_words_of_nickserv_too(house: House) -> None:
    bob, mallory = await owner(house), await owner(house, nick="mallory")
    await bob.news("JOIN #den")
    await mallory.news("JOIN #den", "PRIVMSG #den :hello bob")
    await bob.news("PRIVMSG NickServ :BLOCK mallory")
    assert await bob.news("NS BLOCKS") == [f"{SAYS} bob :You have blocked mallory."]
    assert (await mallory.news("PRIVMSG bob :hi"))[0].split()[1] == "531"
    await bob.news("NS UNBLOCK mallory")
    assert await bob.news("NS BLOCKS") == [f"{SAYS} bob :You have blocked nobody."]
    [_, mention] = await bob.news("PRIVMSG NickServ :MENTIONS 5")
    assert mention.endswith("#den mallory: hello bob")
    helped = await bob.news("NS HELP")
    for words in ("BLOCK name", "UNBLOCK name", "BLOCKS", "MENTIONS [number]", "DEVICES"):
        assert any(line.startswith(f"{SAYS} bob :{words}") for line in helped)
    for wrong in ("BLOCK", "UNBLOCK a b", "MENTIONS x"):
        [line] = await bob.news(f"NS {wrong}")
        assert line.startswith(f"{SAYS} bob :{wrong.split()[0]} ")
        assert line in helped


async def owner(house: House, *caps: str, nick: str = "bob") -> IrcPeer:
    """Somebody with an account, whose client has shown no secret."""
    peer = await irc_peer(house, nick, *caps, rooms="")
    await peer.news(f"NS REGISTER {PASSWORD}")
    return peer


async def test_an_account_is_told_of_and_its_password_changed(house: House) -> None:
    bob, guest = await owner(house), await irc_peer(house, "guest", rooms="")
    assert (await bob.news("NS INFO"))[0].startswith(f"{SAYS} bob :bob is an account, made ")
    assert len(await guest.news("NS INFO bob")) == 1
    assert await guest.news("NS INFO") == [f"{SAYS} guest :You are not logged in."]
    assert await bob.news("NS SET PASSWORD another-horse") == [
        f"{SAYS} bob :{SETTLED[PasswordSet]}"
    ]
    assert await guest.news(f"NS IDENTIFY bob {PASSWORD}") == [
        f"{SAYS} guest :That is not the password."
    ]
    assert " 900 " in (await guest.news("NS IDENTIFY bob another-horse"))[0]


async def test_tokens(house: House) -> None:
    bob, bot = await owner(house), await irc_peer(house, "bot", rooms="")
    [told, _] = await bob.news("NS TOKEN NEW my bot")
    assert told.startswith(f"{SAYS} bob :my bot: ")
    secret = told.rpartition(" ")[2]
    assert " 900 " in (await bot.news(f"NS IDENTIFY bob {secret}"))[0]
    assert " :Token my bot, made " in (await bob.news("NS TOKEN LIST"))[1]
    assert await bob.news("NS TOKEN DROP my bot") == [f"{SAYS} bob :That token no longer works."]
    assert "logged out from elsewhere" in await bot.rest()
    assert await bob.news("NS TOKEN DROP my bot") == [f"{SAYS} bob :You have none called my bot."]


async def test_who_changes_over_is_told_so_before_what_follows_from_it(house: House) -> None:
    """By the nickname that they still have; others are told in the same order."""
    await register(house, "carol")
    bob, eve = await owner(house, "account-notify"), await irc_peer(house, "eve", "account-notify")
    await bob.news("CAP REQ sasl", "JOIN #tea")
    await eve.news("JOIN #tea")
    await bob.news()
    answer = await by_plain(bob, "carol", PASSWORD)
    kinds = ("900", "903", "ACCOUNT", "MODE", "NICK")
    found = [(line.command, line.params[0]) for line in answer if line.command in kinds]
    told = [("ACCOUNT", "carol"), ("MODE", "#tea"), ("NICK", "bob_2")]
    assert found == [("900", "bob"), ("903", "bob"), *told]
    seen = await eve.messages()
    assert [(line.command, line.params[0]) for line in seen if line.command in kinds] == told


async def test_a_guest_who_leads_a_room_goes_on_leading_it_without_a_word(house: House) -> None:
    await register(house)
    guest, eve = await irc_peer(house, "guest", rooms="#tea"), await irc_peer(house, "eve")
    await eve.news("JOIN #tea")
    await guest.news()
    assert not any(" MODE " in line for line in await guest.news(f"NS IDENTIFY bob {PASSWORD}"))
    assert not any(" MODE " in line for line in await eve.news())
    [refused] = await eve.news("MODE #tea -o guest")
    assert " 482 " in refused


async def test_logging_out_and_deleting(house: House) -> None:
    bob = await owner(house, "account-notify")
    assert [line.split()[1] for line in await bob.news("NS LOGOUT")] == ["901", "ACCOUNT", "NICK"]
    await bob.news(f"NS IDENTIFY bob {PASSWORD}")
    assert await bob.news("NS DROP carol") == [
        f"{SAYS} bob_2 :You are logged in as bob: say that name to delete it."
    ]
    lines = await bob.news("NS DROP bob")
    assert f"{SAYS} bob_2 :Your account is deleted. Nobody else can have its name." in lines
    assert sum(" ACCOUNT " in line for line in lines) == 1
    assert await bob.news("NS INFO bob") == [f"{SAYS} bob_2 :There is no account bob."]


async def test_ones_own_account_message_has_a_time_like_those_of_others(house: House) -> None:
    bob = await owner(house, "account-notify", "server-time")
    for words, told in ((f"IDENTIFY bob {PASSWORD}", "bob"), ("LOGOUT", r"\*")):
        [line] = [line for line in await bob.news(f"NS {words}") if " ACCOUNT " in line]
        assert re.fullmatch(rf"@time=\S+Z :bob!bob@127.0.0.1 ACCOUNT {told}", line)


async def test_programs_are_refused_by_standard_replies(house: House) -> None:
    guest = await irc_peer(house, "guest", "standard-replies", rooms="")
    assert await guest.news("NS LOGOUT") == [
        ":chat.local FAIL NS NOT_LOGGED_IN :You are not logged in."
    ]
    assert await guest.news("PRIVMSG NickServ :LOGOUT") == [f"{SAYS} guest :You are not logged in."]


# ── devices ────────────────────────────────────────────────────────────────────────────────────

KEPT = "This device will log in by itself next time."


async def device(house: House, secret: str, nick: str) -> IrcPeer:
    """A client that shows a secret."""
    peer = await irc_peer(house)
    await peer.news("CAP REQ trio-chat/identity", f"IDENTITY {secret}", f"NICK {nick}")
    await entered(peer, nick)
    return peer


async def test_a_device_can_be_kept_and_forgotten(house: House) -> None:
    await register(house)
    phone = await device(house, DEVICE, "guest")
    assert await phone.news("NS TOKEN KEEP phone") == [f"{SAYS} guest :You are not logged in."]
    await phone.news(f"NS IDENTIFY bob {PASSWORD}")
    assert await phone.news("NS TOKEN KEEP phone") == [f"{SAYS} guest :{KEPT}"]
    assert await phone.news("NS TOKEN KEEP phone") == []
    await phone.say("QUIT")
    await phone.rest()
    phone = await device(house, DEVICE, "guest")
    assert await account_of(phone, "guest") == "bob"
    other = await device(house, f"{DEVICE}-2", "other")
    await other.news(f"NS IDENTIFY bob {PASSWORD}", "NS TOKEN KEEP phone")
    listed = [line.partition(" :")[2] for line in await other.news("NS TOKEN LIST")]
    assert [line.partition(",")[0] for line in listed[1:]] == ["Token phone", "Token phone 2"]
    await phone.say("NS LOGOUT FORGET")
    assert "You are logged out here. Goodbye!" in await phone.rest()
    phone = await device(house, DEVICE, "late")
    assert await account_of(phone, "late") == ""
    assert await account_of(other, "guest") == "bob"


async def test_the_device_that_has_registered_gets_its_name(house: House) -> None:
    phone = await device(house, DEVICE, "bob")
    await phone.news(f"REGISTER * * {PASSWORD}")
    assert await phone.news("NS TOKEN KEEP phone") == [f"{SAYS} bob :{KEPT}"]
    assert ":Token phone, made " in (await phone.news("NS TOKEN LIST"))[1]


async def test_a_device_of_somebody_else_is_not_kept(house: House) -> None:
    await register(house, "carol")
    phone = await device(house, DEVICE, "bob")
    await phone.news(f"REGISTER * * {PASSWORD}", f"NS IDENTIFY carol {PASSWORD}")
    [told] = await phone.news("NS TOKEN KEEP phone")
    assert told.endswith(":When you come again from here, you will be bob.")
    carol = await owner(house, nick="dave")
    [told] = await carol.news("NS TOKEN KEEP phone")
    assert "has shown nothing" in told


async def test_a_token_is_kept_for_no_device_and_keeps_its_name(house: House) -> None:
    """Not even once the password has been shown, too."""
    bob = await owner(house)
    [told, _] = await bob.news("NS TOKEN NEW laptop")
    phone = await device(house, DEVICE, "guest")
    for secret in (told.split()[-1], PASSWORD):
        await phone.news(f"NS IDENTIFY bob {secret}")
        [refused] = await phone.news("NS TOKEN KEEP phone")
        assert "by the token laptop: this device will not log in by itself." in refused
    assert ":Token laptop, made " in (await bob.news("NS TOKEN LIST"))[1]
    await bob.news("NS TOKEN DROP laptop")
    assert "logged out from elsewhere" in await phone.rest()
    thief = await irc_peer(house, "thief")
    assert "not the password" in (await thief.news(f"NS IDENTIFY bob {told.split()[-1]}"))[0]


async def test_only_so_many_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_chat.core.accounts.KEYS_MAX", 1)
    await register(house)
    phone = await device(house, DEVICE, "guest")
    await phone.news(f"NS IDENTIFY bob {PASSWORD}", "NS TOKEN NEW bot")
    [told] = await phone.news("NS TOKEN KEEP phone")
    assert "the limit: drop one first" in told


async def test_identify_gives_the_nickname_that_was_refused(house: House) -> None:
    await register(house)
    peer = await irc_peer(house)
    await peer.news("NICK bob", "USER b 0 * :B", "NICK bobby")
    lines = await peer.news(f"PRIVMSG NickServ :IDENTIFY {PASSWORD}")
    assert " 900 bobby " in lines[0]
    assert lines[1].endswith(" NICK bob")


async def test_ghost_with_a_wrong_password_does_nothing_but_say_so(house: House) -> None:
    await register(house)
    guest = await irc_peer(house, "guest")
    wrong = [f"{SAYS} guest :That is not the password."]
    for line in ("NS GHOST bob wrong-horse", "NS GHOST nobody wrong-horse"):
        assert await guest.news(line) == wrong
    await guest.news(f"NS IDENTIFY bob {PASSWORD}")
    assert await guest.news("NS GHOST bob wrong-horse") == wrong


async def test_refusals_are_in_the_words_of_irc(house: House) -> None:
    """And in those of our own client, which is known by showing a secret."""
    await register(house)
    house.server.reload(settings(accounts={"guests": "open", "registration": "invited"}))
    others = await irc_peer(house, "al", rooms="")
    ours = await irc_peer(house, "cy", rooms="", secret=DEVICE)
    fail = "FAIL REGISTER TEMPORARILY_UNAVAILABLE"
    assert await others.news("NICK bob", f"REGISTER * * {PASSWORD}", "NS GHOST bob") == [
        f":chat.local 433 al bob :{OWNED_INSIDE}",
        f":chat.local {fail} al :{UNINVITED} /quote INVITATION TOKEN",
        f"{SAYS} al :{OWNED_INSIDE}",
    ]
    assert await ours.news("NICK bob", f"REGISTER * * {PASSWORD}") == [
        ":chat.local 433 cy bob :bob is somebody's: /login PASSWORD if it is you.",
        f":chat.local {fail} cy :{UNINVITED} /invitation TOKEN",
    ]


async def test_ghost_takes_the_nickname_back(
    autojump_clock: MockClock, hashing_at_once: None
) -> None:
    async with running(settings()) as house:
        ghost = await irc_peer(house, "bob", link=True)
        await ghost.news(f"REGISTER * * {PASSWORD}")
        guest = await irc_peer(house, "guest", link=True)
        refused, *_ = await guest.news("NS GHOST bob wrong-horse")
        assert refused == f"{SAYS} guest :That is not the password."
        await guest.say(f"NS GHOST bob {PASSWORD}")
        await guest.until(" NICK bob\r\n")
        assert any(" 353 bob = #lobby :bob" in line for line in await ghost.news("NAMES #lobby"))


def all_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize(
    "line",
    [
        "PRIVMSG NickServ :IDENTIFY {}",
        "PRIVMSG #lobby,NickServ :IDENTIFY {}",
        "PRIVMSG NICKSERV,alice :REGISTER {}",
        "PRIVMSG NickServ :typo {}",
        "NOTICE NickServ :IDENTIFY {}",
        "NS IDENTIFY bob {}",
        "AUTHENTICATE {}",
        "REGISTER * * {}",
        "PASS bob:{}",
        "NICKSERV {}",
    ],
)
async def test_nobody_hears_a_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    caplog.set_level(logging.DEBUG)
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        alice = await irc_peer(house, "alice")
        bob = await irc_peer(house, "bob", "sasl", "echo-message")
        told = await bob.news(line.format("hunter22-hunter"))
        heard = await alice.news("CHATHISTORY LATEST #lobby * 100")
    written = all_of(tmp_path)
    assert b"hunter22" not in written
    assert "hunter22" not in f"{told}{heard}{caplog.text}"


# ── where others could read it, and at what price ──────────────────────────────────────────────


async def test_in_clear_from_elsewhere_only_scram_is_taken(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(house)
    monkeypatch.setattr(accounts, "opens", lambda *how: pytest.fail("it was hashed"))
    monkeypatch.setattr(accounts, "new_verifier", lambda *how: pytest.fail("it was hashed"))
    peer = IrcPeer((await house.link(address="192.0.2.1")).stream)
    lines = " ".join(await peer.news("CAP LS 302", "CAP REQ sasl", "NICK eve"))
    assert " sasl=SCRAM-SHA-256 " in lines
    assert "account-registration" not in lines
    refused, failed = await peer.messages("AUTHENTICATE PLAIN")
    assert refused.params[1] == SCRAM
    assert failed.command == "904"
    [register_refused] = await peer.messages(f"REGISTER * * {PASSWORD}")
    assert "Connect with TLS first" in register_refused.params[-1]
    assert numerics(await by_scram(peer, "bob", PASSWORD)) == LOGGED_IN
    await entered(peer, "eve")
    assert "Connect with TLS" in (await peer.news(f"NS IDENTIFY bob {PASSWORD}"))[0]
    late = IrcPeer((await house.link(address="192.0.2.1")).stream)
    await late.say(f"PASS bob:{PASSWORD}", "NICK bob", "USER b 0 * :B")
    assert "Connect with TLS first" in await late.rest()


async def test_guesses_are_charged_to_the_source_and_odd_mechanisms_are_not() -> None:
    limits = {"exempt": "", "guess_burst": 2, "guesses_per_minute": 0.01}
    async with running(settings(limits=limits)) as house:
        await register(house)
        eve = await begun(house, "eve")
        await eve.news(*["AUTHENTICATE EXTERNAL"] * 5)
        for way in WAYS.values():
            [wrong] = await way(eve, "bob", "wrong-horse")
            assert wrong.params[-1] == "That is not the password."
        for way in WAYS.values():
            [late] = await way(eve, "bob", PASSWORD)
            assert late.params[-1].startswith("Too many login attempts from your address.")
        bob = IrcPeer((await house.link(address="at home")).stream)
        await bob.news("CAP REQ sasl", "NICK bob")
        assert numerics(await by_scram(bob, "bob", PASSWORD)) == LOGGED_IN


async def test_the_right_password_costs_nothing() -> None:
    limits = {"exempt": "", "guess_burst": 1, "guesses_per_minute": 0.01}
    async with running(settings(limits=limits)) as house:
        await register(house)
        peer = await begun(house)
        for _ in range(3):
            assert numerics(await by_scram(peer, "bob", PASSWORD)) == LOGGED_IN
