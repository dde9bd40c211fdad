"""Accounts on a server: each name has one owner, and nobody learns a password."""

import json
import logging
import re
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, Peer, running
from sasl import by_scram
from trio_chat.core.events import REALM, AccountMade, KeyMade, OfRealm
from trio_chat.core.letters import continued
from trio_chat.server import accounts
from trio_chat.server.guesses import WRONG, Guesses
from trio_chat.server.passwords import identity
from trio_chat.settings import Settings
from trio_chat.storage.base import Log
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.sqlite.export import export

PASSWORD = "correct-horse"


def wrong_for(name: str) -> str:
    return f"*** Cannot log in as {name}: that is not the password."


SOMEBODYS = "*** bob is somebody's: /login PASSWORD if it is you."


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


def kept(tmp_path: Path) -> Settings:
    return settings(history={"store": str(tmp_path / "chat.db")})


async def tell(peer: Peer, *lines: str) -> list[str]:
    """Say something; then all that is new, but for the answer to a question after it."""
    await peer.send("".join(f"{line}\n" for line in (*lines, "/topic")).encode())
    return (await peer.until("*** #lobby has no topic.\n")).splitlines()[:-1]


async def arrive(house: House, nick: str = "bob") -> Peer:
    """Somebody who comes under this nickname, or one like it."""
    return await (await house.connect()).enter(nick)


async def owner(house: House, nick: str = "bob", password: str = PASSWORD) -> Peer:
    peer = await arrive(house, nick)
    answer = await tell(peer, f"/register {password}")
    assert answer == ["*** Your nickname is yours now. When you come again: /login PASSWORD"]
    return peer


async def leave(peer: Peer) -> None:
    await peer.send(b"/quit\n")
    await peer.rest()


# ── a name has one owner ───────────────────────────────────────────────────────────────────────


async def test_a_nickname_is_its_owners_also_after_a_restart(tmp_path: Path) -> None:
    async with running(kept(tmp_path)) as house:
        await leave(await owner(house))
    for _ in range(2):
        async with running(kept(tmp_path)) as house:
            eve = await house.connect()
            await eve.send(b"bob\n")
            near = f"{SOMEBODYS} You are bob_2 for now; /nick changes that."
            assert near in await eve.until("/help for more.\n")
            assert await tell(eve, "/login wrong-horse") == [wrong_for("bob")]
            assert await tell(eve, "/nick bob") == [SOMEBODYS]
            bob = await arrive(house)
            assert await tell(bob, f"/login {PASSWORD}") == [
                "*** You are logged in as bob.",
                "*** bob_3 is now bob.",
            ]


@pytest.mark.parametrize("name", ["BOB", "B0b", "\u0412ob"])
async def test_nobody_else_gets_a_nickname_that_looks_like_it(house: House, name: str) -> None:
    await leave(await owner(house))
    irc = await irc_peer(house, rooms="")
    await irc.say(f"NICK {name}", "USER x 0 * :x")
    assert f" 433 * {name} :{name} is somebody's" in await irc.until("\r\n")
    eve = await arrive(house, "eve")
    [refused] = await tell(eve, f"/nick {name}")
    assert "is somebody's: /login PASSWORD if it is you." in refused
    answers = await tell(eve, f"/login {name} {PASSWORD}", f"/nick {name}")
    assert answers[0] == "*** You are logged in as bob."
    assert f"*** eve is now {name}." in answers


async def test_a_nickname_that_somebody_has_is_registered_by_nobody_else(house: House) -> None:
    """There is no way to name another one."""
    await arrive(house, "alice")
    bob = await owner(house)
    assert await tell(bob, "/account alice") == ["*** There is no account alice."]


async def test_many_register_at_once_and_each_has_what_is_theirs(house: House) -> None:
    peers = [await arrive(house, f"person{number}") for number in range(8)]
    async with trio.open_nursery() as nursery:
        for number, peer in enumerate(peers):
            nursery.start_soon(peer.send, f"/register password-{number}\n".encode())
    for peer in peers:
        await peer.until("Your nickname is yours now.")
    for peer in peers:
        await leave(peer)
    eve = await arrive(house, "eve")
    for number in range(8):
        right = await tell(eve, f"/login person{number} password-{number}")
        assert f"*** You are logged in as person{number}." in right
        [wrong] = await tell(eve, f"/login person{number} password-{(number + 1) % 8}")
        assert wrong == wrong_for(f"person{number}")


async def test_a_deleted_account_leaves_its_name_to_nobody(tmp_path: Path) -> None:
    async with running(kept(tmp_path)) as house:
        bob = await owner(house)
        assert await tell(bob, "/account delete") == ["*** Usage: /account delete NAME"]
        assert await tell(bob, "/account delete bob") == [
            "*** Your account is deleted. Nobody else can have its name.",
            "*** bob is now bob_2.",
        ]
        assert await tell(bob, f"/login bob {PASSWORD}") == [wrong_for("bob")]
    async with running(kept(tmp_path)) as house:
        eve = await arrive(house, "eve")
        [refused] = await tell(eve, "/nick bob")
        assert refused.endswith(" the name of a deleted account; nobody else can have it.")
        assert await tell(eve, "/account bob") == ["*** There is no account bob."]


async def test_who_logs_out_loses_the_nickname_and_can_have_it_back(house: House) -> None:
    bob = await owner(house)
    assert await tell(bob, "/logout") == ["*** You are logged out.", "*** bob is now bob_2."]
    assert await tell(bob, "/logout") == ["*** You are not logged in."]
    assert await tell(bob, f"/login {PASSWORD}") == [
        "*** You are logged in as bob.",
        "*** bob_2 is now bob.",
    ]


# ── who is there, and who is a ghost ───────────────────────────────────────────────────────────

PHONE, LAPTOP = "of-the-phone-16-or-more", "of-the-laptop-16-or-more"


async def log_of_bob() -> Log:
    """A log in which bob has an account with two keys."""
    log = MemoryLog(per_room=100, total_bytes=100_000, rooms=10)
    events: list[OfRealm] = [
        AccountMade("bob", "=bob"),
        KeyMade("bob", identity(PHONE), "phone", device=True),
        KeyMade("bob", identity(LAPTOP), "laptop", device=True),
    ]
    last = ""
    for event in events:
        [entry] = await log.append(REALM, [event], expect=last, barrier=True)
        last = entry.id
    return log


@asynccontextmanager
async def house_of_bob() -> AsyncIterator[House]:
    async with running(settings(), await log_of_bob()) as house:
        yield house


async def try_to_enter(house: House, secret: str) -> IrcPeer:
    raw = await house.link()
    peer = IrcPeer(raw.stream)
    await peer.say("CAP REQ trio-chat/identity", f"IDENTITY {secret}")
    await peer.say("NICK bob", "USER bob 0 * :Bob", "CAP END")
    return peer


async def test_the_same_device_that_comes_again_has_the_nickname_at_once() -> None:
    async with house_of_bob() as house:
        before = await irc_peer(house, "bob", secret=PHONE)
        await irc_peer(house, "bob", secret=PHONE)
        assert "You have connected again" in await before.rest()


async def test_another_device_joins_whether_the_first_is_there_or_not() -> None:
    async with house_of_bob() as house:
        first = await irc_peer(house, "bob", secret=PHONE)
        late = await irc_peer(house, "bob", secret=LAPTOP)
        assert await first.news("PRIVMSG #lobby :hi") == []
        assert await late.news() == [":bob!bob@127.0.0.1 PRIVMSG #lobby :hi"]


async def test_a_guest_of_a_silent_system_leaves_the_nickname(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Who has no account, but shows who they are."""
    async with running(settings()) as house:
        ghost = await irc_peer(house, "eve", secret=PHONE, link=True)
        begin = trio.current_time()
        late = await irc_peer(house, "eve", secret=PHONE, link=True)
        assert trio.current_time() == begin
        assert "You have connected again" in await ghost.rest()
        assert await late.news("PRIVMSG #lobby :hi") == []


# ── what is the account's ──────────────────────────────────────────────────────────────────────

CAPS = "message-tags server-time batch draft/chathistory draft/read-marker trio-chat/identity"


async def test_conversations_and_marks_are_there_on_every_device(tmp_path: Path) -> None:
    """Also those from before a login, if they are of a device that was known; marks in any case."""
    async with running(kept(tmp_path)) as house:
        carol = await irc_peer(house, "carol")
        bob = await arrive(house)
        await tell(bob, f"/register {PASSWORD}", "/msg carol hello")
        await carol.say("PRIVMSG bob :hi")
        await bob.until("carol -> bob: hi\n")
        secret = (await tell(bob, "/token new phone"))[0].rpartition(" ")[2]
    async with running(kept(tmp_path)) as house:
        phone = await irc_peer(house, "robert", *CAPS.split(), secret=secret)
        lines = await phone.news("CHATHISTORY LATEST carol * 10", "WHOIS robert")
        assert [line.rpartition(" :")[2] for line in lines if " PRIVMSG " in line] == [
            "hello",
            "hi",
        ]
        assert any(" 330 robert robert bob :" in line for line in lines)
        await phone.news("MARKREAD carol timestamp=2026-01-01T00:00:00.000Z")
        other = await irc_peer(house, "bert", *CAPS.split(), secret=secret, joins="robert")
        [mark] = await other.news("MARKREAD carol")
        assert "timestamp=2026-01-01" in mark
        stranger = await irc_peer(house, "eve", *CAPS.split())
        found = await stranger.news("CHATHISTORY LATEST carol * 9")
        assert not any("hello" in line for line in found)


async def test_what_a_guest_has_read_is_the_accounts_after_the_login() -> None:
    async with house_of_bob() as house:
        guest = await irc_peer(house, "guest", *CAPS.split())
        await guest.news("MARKREAD #lobby timestamp=2026-01-01T00:00:00.000Z")
        hub = house.server._hub
        [user_id] = [each for each, s in hub.subscribers.items() if s.nick == "guest"]
        await hub.submit(hub.subscribers[user_id], accounts.LogIn("bob", password_id=1))
        phone = await irc_peer(house, "bob", *CAPS.split(), secret=PHONE, joins="guest")
        assert "timestamp=2026-01-01" in (await phone.news("MARKREAD #lobby"))[-1]


async def test_the_status_of_an_account_comes_back_with_a_login() -> None:
    async with house_of_bob() as house:
        phone = await irc_peer(house, "bob", secret=PHONE, rooms="#tea")
        alice = await irc_peer(house, "alice", rooms="#tea")
        await phone.say("QUIT")
        await phone.rest()
        bob = await arrive(house, "robert")
        await bob.send(b"/join #tea\n")
        await bob.until("You are robert in #tea")
        await alice.news()
        await bob.send(f"/login bob {LAPTOP}\n".encode())
        assert ":robert!" in await alice.until("MODE #tea +o robert\r\n")


async def test_account_notify_tells_who_somebody_is() -> None:
    async with house_of_bob() as house:
        caps = ("account-notify", "account-tag", "extended-join")
        alice = await irc_peer(house, "alice", *caps)
        bob = await arrive(house)
        await alice.news()
        await tell(bob, f"/login {PHONE}", "hello", "/logout")
        lines = await alice.news()
        assert [re.sub("!.*?@[^ ]*", "", line) for line in lines] == [
            "@account=bob :bob_2 ACCOUNT bob",
            "@account=bob :bob_2 NICK bob",
            "@account=bob :bob PRIVMSG #lobby :hello",
            ":bob ACCOUNT *",
            ":bob NICK bob_2",
        ]


# ── tokens ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_logs_in_without_a_hash_until_it_is_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await owner(house)
    secret = (await tell(bob, "/token new phone"))[0].removeprefix("*** phone: ")
    assert len(bytes.fromhex(secret)) == 16  # so no client takes it for an option
    assert [line.partition(" made")[0] for line in await tell(bob, "/token list")] == [
        "*** bob is an account,",
        "*** Token phone,",
    ]
    phone = await irc_peer(house, "robert", secret=secret, joins="bob")
    other = await arrive(house, "bert")
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "opens", lambda *how: pytest.fail("it was hashed"))
        assert "*** You are logged in as bob." in await tell(other, f"/login bob {secret}")
    await tell(bob, "/token drop phone")
    assert "You were logged out from elsewhere. Goodbye!" in await phone.rest()
    eve = await arrive(house, "eve")
    assert await tell(eve, f"/login bob {secret}") == [wrong_for("bob")]
    stranger = await irc_peer(house, "robert", secret=secret)
    assert not any(" 330 " in line for line in await stranger.news("WHOIS robert"))


async def test_a_token_opens_no_other_account(house: House) -> None:
    bob, carol = await owner(house), await owner(house, "carol")
    secret = (await tell(bob, "/token new phone"))[-2].removeprefix("*** phone: ")
    assert await tell(carol, f"/login carol {secret}") == [wrong_for("carol")]


# ── passwords ──────────────────────────────────────────────────────────────────────────────────


async def test_another_password(house: House) -> None:
    bob = await owner(house)
    other = await arrive(house, "other")
    await tell(other, f"/login bob {PASSWORD}")
    [told] = [line for line in await tell(bob, "/password another-horse") if line[0] == "*"]
    assert told.startswith("*** Your password has been changed")
    assert "You were logged out from elsewhere. Goodbye!" in await other.rest()
    eve = await arrive(house, "eve")
    assert await tell(eve, f"/login bob {PASSWORD}") == [wrong_for("bob")]
    assert "*** You are logged in as bob." in await tell(eve, "/login bob another-horse")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("1234567", "A password has at least 8 characters."),
        ("x" * 601, "A password has at most 600 characters."),
        ("12345678\ue000", "A password has no characters that nobody can see."),
    ],
)
async def test_no_password(house: House, password: str, why: str) -> None:
    bob = await arrive(house)
    assert await tell(bob, f"/register {password}") == [f"*** {why}"]


def all_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_password_is_in_the_file_the_log_or_anything_that_others_see(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, other, wrong = "hunter22-hunter", "hunter33-hunter", "hunter44-hunter"
    async with running(kept(tmp_path)) as house:
        alice = await irc_peer(house, "alice")
        bob = await arrive(house)
        answers = await tell(
            bob,
            *(f"/login {wrong}", f"/register {secret}", f"/login {secret}", f"/password {other}"),
            *(f"/login bob {wrong}", f" /login {secret}", f"/logn {secret}", "/token new hunter"),
            *("/account", "/logout", f"/login {other}", f"/register {secret}"),
        )
        key = next(line for line in answers if line.startswith("*** hunter: ")).rpartition(" ")[2]
        await tell(bob, f"/token drop {key}")  # which takes the name of one
        heard = await alice.news("CHATHISTORY LATEST #lobby * 100")
        told = [line for line in answers if key not in line]
    written = all_of(tmp_path)
    exported = repr([*export(tmp_path / "chat.db", rooms=(), since=0)])
    for text in (secret, other, wrong, key):
        assert text.encode() not in written
        for place in (*told, *heard, caplog.text, exported):
            assert text not in place
    assert "hunter" in repr(written)  # the name of the token, which is none


async def test_in_clear_from_elsewhere_nothing_confidential_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with house_of_bob() as house:
        monkeypatch.setattr(accounts, "opens", lambda *how: pytest.fail("it was hashed"))
        monkeypatch.setattr(accounts, "new_verifier", lambda *how: pytest.fail("it was hashed"))
        eve = await house.link("eve", address="192.0.2.1")
        lines = (f"/login bob {PHONE}", f"/login bob {PASSWORD}", f"/register {PASSWORD}")
        refused = f"*** Cannot log in as bob: {continued(accounts.IN_CLEAR.why)}"
        assert await tell(eve, *lines) == [refused, refused, f"*** {accounts.IN_CLEAR.why}"]
        local = await house.link("local", address="::ffff:127.0.0.1")
        assert (await tell(local, f"/login bob {PHONE}"))[-1] == "*** You are logged in as bob."


# ── at what price ──────────────────────────────────────────────────────────────────────────────


def charged(**limits: Any) -> Settings:
    """Nobody is exempt."""
    return settings(limits={"exempt": "", **limits})


async def test_guesses_are_charged_to_where_they_come_from_and_to_no_account() -> None:
    async with running(charged(guess_burst=3, guesses_per_minute=0.01)) as house:
        await leave(await owner(house))
        eve = await house.link("eve", address="elsewhere")
        wrong = await tell(eve, *(f"/login bob wrong-horse-{n}" for n in range(3)))
        assert wrong == [wrong_for("bob")] * 3
        [late] = await tell(eve, f"/login bob {PASSWORD}")
        assert "too many login attempts from your address. Try again in " in late
        bob = await house.link("robert", address="at home")
        assert (await tell(bob, f"/login bob {PASSWORD}"))[-1] == "*** You are logged in as bob."


async def test_the_log_names_the_account_that_was_guessed_and_no_other_name(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    bob = await owner(house)
    await tell(bob, "/login Bob wrong-horse", f"/login {PASSWORD} bob")
    assert [one.message for one in caplog.records if "failed" in one.message] == [
        "failed to log in as bob",
        "failed to log in: no account has the name that was given",
    ]


async def test_only_so_many_registrations_from_one_address() -> None:
    async with running(charged(registrations_per_hour=2)) as house:
        for number in range(2):
            peer = await house.link(f"person{number}", address="elsewhere")
            await tell(peer, "/register short")  # is not hashed, and costs nothing
            await tell(peer, f"/register {PASSWORD}")
        late = await house.link("late", address="elsewhere")
        assert await tell(late, f"/register {PASSWORD}") == [
            "*** Too many registrations from your address. Try again in 30 minutes."
        ]
        changed = (await tell(peer, f"/password {PASSWORD}"))[-1]
        assert changed.startswith("*** Too many registrations from your address.")
        other = await house.link("other", address="at home")
        [made] = await tell(other, f"/register {PASSWORD}")
        assert made.startswith("*** Your nickname is yours now.")


async def test_nor_more_if_they_come_at_once() -> None:
    async with running(charged(registrations_per_hour=2)) as house:
        peers = [await house.link(f"p{number}", address="elsewhere") for number in range(6)]
        for peer in peers:
            await peer.send(f"/register {PASSWORD}\n/quit\n".encode())
        told = [await peer.rest() for peer in peers]
        assert sum("Your nickname is yours now." in text for text in told) == 2


async def test_two_are_hashed_at_a_time_and_32_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are told at once; those who show a key or a proof never wait."""
    go_on, hashing = threading.Event(), threading.Semaphore(0)

    def slow(*how: object) -> bool:
        hashing.release()
        return go_on.wait(50)

    monkeypatch.setattr(accounts, "opens", slow)
    async with running(charged(), await log_of_bob()) as house:
        peers = [await house.link(f"p{n}", address=f"place {n}") for n in range(35)]
        for peer in peers[:34]:
            await peer.send(f"/login bob {PASSWORD}\n".encode())
        await wait_all_tasks_blocked(0.01)
        assert house.server._accounts._hashing.statistics().tasks_waiting == 32
        [busy] = await tell(peers[34], f"/login bob {PASSWORD}")
        assert "many are logging in just now. Try again in a moment." in busy
        assert "*** You are logged in as bob." in await tell(peers[34], f"/login bob {PHONE}")
        [judged] = await by_scram(await irc_peer(house, "carol", "sasl"), "bob", "wrong-horse")
        assert judged.params[-1] == "That is not the password."
        for _ in range(2):
            await trio.to_thread.run_sync(hashing.acquire)
        assert not hashing.acquire(blocking=False)
        go_on.set()
        for peer in peers[:2]:
            await peer.until("*** You are logged in as bob.\n")


async def test_who_is_gone_does_not_wait_and_who_still_listens_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(accounts, "opens", lambda *how: go_on.wait(50))
    async with running(charged(), await log_of_bob()) as house:
        hashing = house.server._accounts._hashing

        async def until_waiting(number: int) -> None:
            with trio.fail_after(20):
                while hashing.statistics().tasks_waiting != number:
                    await wait_all_tasks_blocked(0.01)

        async def come(number: int) -> Peer:
            address = f"127.0.0.{number}"
            stream = await trio.open_tcp_stream("127.0.0.1", house.port, local_address=address)
            return await house.take_in(stream, f"p{number}")

        for number in (2, 3):
            await house.link(f"p{number}", address=f"place {number}")
            await house.peers[-1].send(f"/login bob {PASSWORD}\n".encode())
        pipe, gone = await come(4), await come(5)
        await pipe.send(f"/login bob {PASSWORD}\n".encode())
        await until_waiting(1)
        await pipe.stream.send_eof()
        await gone.send(b"/login bob wrong-horse\n")
        await until_waiting(2)
        await gone.stream.aclose()
        await until_waiting(1)
        go_on.set()
        await pipe.until("*** You are logged in as bob.\n")


async def test_of_one_source_one_is_hashed_at_a_time() -> None:
    row, limiter, hashing = Guesses(), trio.CapacityLimiter(2), [0, 0]

    def count() -> bool:
        hashing[0] += 1
        hashing[1] = max(hashing)
        hashing[0] -= 1
        return False

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(row.guess, count, limiter)
    assert hashing == [0, 1]
    assert await row.guess(count, limiter) is WRONG


async def test_the_owner_is_shown_all_that_is_kept(house: House) -> None:
    bob, carol = await owner(house), await arrive(house, "carol")
    assert await tell(carol, "/account export") == ["*** You are not logged in."]
    await carol.send(b"/msg bob hi\n")
    await bob.until("hi\n")
    await tell(bob, "/token new phone")
    irc = await irc_peer(house, "robert", password=f"bob:{PASSWORD}", rooms="", joins="bob")
    for lines in (
        [line.removeprefix("*** ") for line in await tell(bob, "/account export")],
        [line.partition(" :")[2] for line in await irc.news("NS EXPORT")],
    ):
        found = json.loads("\n".join(lines))
        assert (found["account"], found["operator"], found["bans"]) == ("bob", False, [])
        assert [token["name"] for token in found["tokens"]] == ["phone"]
        talks = {talk["with"]: talk for talk in found["conversations"]}
        assert talks["carol"]["last_said"] >= found["registered"]
        assert talks["carol"]["last_read"] is None


# ── from one account to another ────────────────────────────────────────────────────────────────


async def test_who_changes_over_to_another_account_leaves_the_nickname_of_the_first(
    house: House,
) -> None:
    await leave(await owner(house, "carol", "secret-of-carol"))
    bob = await owner(house)
    assert await tell(bob, "/login carol secret-of-carol") == [
        "*** You are logged in as carol.",
        "*** bob is now bob_2.",
    ]
    assert await tell(bob, "/nick bob") == [SOMEBODYS]
    assert await tell(bob, "/nick carol") == ["*** bob_2 is now carol."]


async def test_a_dropped_token_ends_those_who_logged_in_by_it_later(house: House) -> None:
    bob = await owner(house)
    secret = (await tell(bob, "/token new phone"))[0].removeprefix("*** phone: ")
    other = await arrive(house, "bert")
    await tell(other, f"/login bob {secret}")
    await tell(bob, "/token drop phone")
    assert "You were logged out from elsewhere. Goodbye!" in await other.rest()


async def test_a_damaged_verifier_opens_nothing(tmp_path: Path) -> None:
    async with running(kept(tmp_path)) as house:
        await leave(await owner(house))
    for damaged in ("", "x", "SCRAM-SHA-256$x:y$z:z", "SCRAM-SHA-256$4096:c2FsdA==$x:y"):
        with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
            connection.execute("UPDATE secret SET verifier = ?", (damaged,))
            connection.commit()
        async with running(kept(tmp_path)) as house:
            eve = await arrive(house, "eve")
            for guess in (PASSWORD, "", damaged):
                answers = await tell(eve, f"/login bob {guess or 'x'}")
                assert answers == [wrong_for("bob")]
