"""People who are not here are within reach, if they have an account."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

import admin_socket
from alice import ALICE, PASSWORD, bare, box, leave, plain_alice, register
from held import HeldLog
from irc_peers import irc_peer, settings
from peers import House, running
from trio_chat.core.events import Entry
from trio_chat.server.transport import Link

MUTED = "You may not speak in this chat for good"
WAVES = "\x01ACTION waves\x01"
NOT_HERE = "not here now, and will see it when they come"
NOT_LET_IN = "not let in here now, and will see it only if they come again"


async def waiting(house: House) -> Sequence[Entry]:
    return await house.server._hub._log.waiting("alice")


async def alice_comes(house: House, *caps: str) -> list[str]:
    """All that a client is told after its welcome, and before anything else that it asks for."""
    peer = await irc_peer(house, "", *caps)
    opening = [f"CAP REQ :{' '.join(caps)}"] if caps else []
    lines = await peer.news(*opening, f"PASS {ALICE}", "NICK alice", "USER a 0 * :a", "CAP END")
    [end] = [place for place, line in enumerate(lines) if re.search(" (376|422) alice ", line)]
    return [line for line in lines[end + 1 :] if " MODE " not in line]


async def test_the_sender_is_told_and_shown_it_as_any_message() -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await irc_peer(house, "bob", "echo-message", "message-tags")
        await bob.news()
        echo, told = await bob.news("PRIVMSG Alice :are you there?")
        assert re.fullmatch(r"@msgid=\S+ :bob!bob@\S+ PRIVMSG alice :are you there\?", echo)
        assert told == f":chat.local 301 bob alice :{NOT_HERE}"
        [echo] = await bob.news("NOTICE alice :no answer to this")
        assert echo.endswith("NOTICE alice :no answer to this")


async def test_a_plain_person_is_told_in_words() -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await house.connect("bob")
        await bob.send(b"/msg alice hi\n")
        assert await bob.until("come\n") == (f"bob -> alice: hi\n*** alice is away: {NOT_HERE}\n")


async def test_who_writes_to_the_nickname_of_somebody_gone_is_told_of_the_account() -> None:
    """The nickname may soon be somebody else's; the account's name never is."""
    why = "Nobody here is called alicia any more. The account was alice: write to that."
    told = f":chat.local 401 bob alicia :{why}"
    async with running(settings()) as house:
        alice, bob = await irc_peer(house, "alice"), await irc_peer(house, "bob")
        await alice.news(f"REGISTER * * {PASSWORD}", "NICK alicia")
        await bob.news("PRIVMSG alicia :hi")
        await alice.news("NICK ann")
        await bob.news()
        assert await bob.news("PRIVMSG alicia :still there?") == [told]
        await alice.say("NICK alicia", "QUIT")
        await alice.rest()
        await bob.news()
        assert await bob.news("PRIVMSG alicia :are you there?") == [told]
        assert await waiting(house) == []
        [away] = await bob.news("PRIVMSG alice :are you there?")
        assert away.endswith(NOT_HERE)
        eve = await irc_peer(house, "alicia")
        await bob.news("PRIVMSG alicia :who are you?")
        assert "who are you?" in (await eve.news())[-1]


async def test_nobody_is_kept_anything_for_who_has_no_account() -> None:
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob")
        await bob.news()
        assert await bob.news("PRIVMSG alice :hi") == [
            ":chat.local 401 bob alice :Nobody here is called alice."
        ]


async def test_a_plain_person_is_shown_it_once() -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await house.connect("bob")
        await bob.send(b"/msg alice one\n/msg alice two\n")
        await bob.until("two\n")
        await bob.until("come\n")
        alice = await plain_alice(house)
        assert bare(await box(alice)) == [
            "*** While you were not here (times in UTC):",
            "*** THEN bob -> alice: one",
            "*** THEN bob -> alice: two",
        ]
        await leave(alice)
        assert await box(await plain_alice(house)) == []


async def test_who_writes_to_somebody_who_is_banned_is_told_that_they_may_not_come() -> None:
    async with running(settings()) as house:
        await register(house)
        boss, bob = await irc_peer(house, "boss"), await irc_peer(house, "bob")
        await boss.news("OPER boss sesame")
        for ban, told in [("UBAN ADD alice MUTE", NOT_HERE), ("UBAN ADD alice", NOT_LET_IN)]:
            await boss.news(ban)
            await bob.news()
            assert (await bob.news("PRIVMSG alice :hi"))[-1].endswith(f" 301 bob alice :{told}")
        await boss.news("UBAN DEL alice")
        assert (await bob.news("PRIVMSG alice :hi"))[-1].endswith(f" 301 bob alice :{NOT_HERE}")


async def test_a_guest_who_logs_in_is_shown_it() -> None:
    async with running(settings()) as house:
        await register(house)
        bob, guest = await house.people("bob", "guest")
        await bob.send(b"/msg alice hi\n")
        await bob.until("come\n")
        await guest.send(f"/login alice {PASSWORD}\n".encode())
        await guest.until("*** While you were not here (times in UTC):\n")
        await guest.until("bob -> alice: hi\n")


@pytest.mark.parametrize(
    ("caps", "lines"),
    [
        (
            "",
            [
                ":chat.local NOTICE alice :While you were not here (times in UTC):",
                ":bob!bob@memory NOTICE alice :[THEN] hi",
                ":bob!bob@memory NOTICE alice :[THEN] * bob waves",
                ":chat.local NOTICE alice :End of what you have missed.",
            ],
        ),
        (
            "batch server-time message-tags",
            [
                ":chat.local BATCH +w1 chathistory bob",
                "@batch=w1;time=THEN.0Z;msgid=1 :bob!bob@memory PRIVMSG alice :hi",
                f"@batch=w1;time=THEN.0Z;msgid=2 :bob!bob@memory PRIVMSG alice :{WAVES}",
                ":chat.local BATCH -w1",
            ],
        ),
        ("draft/chathistory batch server-time message-tags", []),
        (
            "draft/chathistory batch trio-chat/missed",
            [
                ":chat.local BATCH +w1 trio-chat/missed bob",
                "@batch=w1 :bob!bob@memory PRIVMSG alice :[THEN] hi",
                "@batch=w1 :bob!bob@memory PRIVMSG alice :\x01ACTION [THEN] waves\x01",
                ":chat.local BATCH -w1",
            ],
        ),
    ],
)
async def test_clients_of_irc_are_shown_it_as_old_messages(caps: str, lines: list[str]) -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await irc_peer(house, "bob", address="memory")
        await bob.news(
            "PRIVMSG alice hi",
            "PRIVMSG alice :\x01ACTION waves\x01",
            "PRIVMSG alice :\x01VERSION\x01",
        )
        found, ids = [], dict[str, str]()
        for line in await alice_comes(house, *caps.split()):
            for id in re.findall(r"msgid=(\S+)", line):
                line = line.replace(id, ids.setdefault(id, str(len(ids) + 1)))
            line = re.sub(r"(BATCH [+-]|batch=)w\d+", r"\1w1", re.sub(r"\.\d{3}Z", ".0Z", line))
            found += bare([line])
        assert found == lines
        shown_next = any(" NOTICE " in line for line in await alice_comes(house))
        assert shown_next == (not lines)  # it waits on from a client that would have to ask for it


async def test_each_who_has_written_has_a_batch_of_their_own() -> None:
    async with running(settings()) as house:
        await register(house)
        for nick in ("bob", "carol"):
            await (await irc_peer(house, nick)).news("PRIVMSG alice hi")
        lines = await alice_comes(house, "batch")
        names = [line.split()[-1] for line in lines if " BATCH +" in line]
        assert names == ["bob", "carol"]


async def test_a_client_that_asks_for_history_finds_it_unread() -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await irc_peer(house, "bob")
        await bob.news("PRIVMSG alice hi")
        caps = ("draft/chathistory", "draft/read-marker", "batch")
        alice = await irc_peer(house, "alice", *caps, password=ALICE)
        lines = await alice.news(
            "CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z "
            "timestamp=2200-01-01T00:00:00.000Z 10",
            "MARKREAD bob",
            "CHATHISTORY LATEST bob * 10",
        )
        assert any("CHATHISTORY TARGETS bob " in line for line in lines)
        assert ":chat.local MARKREAD bob *" in lines
        assert any("PRIVMSG alice :hi" in line for line in lines)


async def test_it_is_there_when_the_server_has_been_down(tmp_path: Path) -> None:
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        await register(house)
        await (await irc_peer(house, "bob")).news("PRIVMSG alice :before")
    async with running(kept) as house:
        await (await irc_peer(house, "bob")).news("PRIVMSG alice :after")
        assert bare(await box(await plain_alice(house))) == [
            "*** While you were not here (times in UTC):",
            "*** THEN bob -> alice: before",
            "*** THEN bob -> alice: after",
        ]


async def test_what_could_not_be_sent_waits_on() -> None:
    """A device that goes in the middle of it has not shown it."""
    async with running(settings(limits={"message_burst": 1000})) as house:
        await register(house)
        bob = await irc_peer(house, "bob")
        await bob.news(*[f"PRIVMSG alice :{n} {'x' * 300}" for n in range(50)])
        ours, theirs = trio.testing.lockstep_stream_pair()
        house.server.take(Link(theirs, "memory"))
        await ours.send_all(f"/login alice {PASSWORD}\n".encode())
        received = b""
        while b"While you were not here" not in received:
            received += await ours.receive_some(100)
        await trio.aclose_forcefully(ours)
        while house.server._hub.chat.person("alice"):
            await trio.lowlevel.checkpoint()
        lines = await box(await plain_alice(house))
        assert len(lines) == 51


async def test_of_two_devices_the_first_shows_it() -> None:
    async with running(settings()) as house:
        await register(house)
        await (await irc_peer(house, "bob")).news("PRIVMSG alice hi")
        first = await plain_alice(house)
        assert len(await box(first)) == 2
        assert "hi" not in "".join(await alice_comes(house))


async def test_too_many_of_one_sender_are_refused() -> None:
    async with running(settings(limits={"message_burst": 1000})) as house:
        await register(house)
        bob = await irc_peer(house, "bob")
        await bob.news()
        told = await bob.news(*["PRIVMSG alice hi"] * 51)
        assert len(told) == 51
        assert {*told[:50]} == {f":chat.local 301 bob alice :{NOT_HERE}"}
        assert told[50] == (
            ":chat.local 531 bob alice :So many of your messages wait for alice, who is not here, "
            "that no more are kept."
        )
        assert len(await box(await plain_alice(house))) == 51


async def test_a_message_that_was_removed_is_not_shown() -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await house.connect("bob")
        await bob.send(b"/msg alice oops\n/msg alice hi\n/remove last private alice\n")
        await bob.until("Removed in private with alice: hi\n")
        assert bare(await box(await plain_alice(house)))[1:] == ["*** THEN bob -> alice: oops"]


async def test_nothing_is_left_of_it_when_the_account_is_deleted(tmp_path: Path) -> None:
    socket = tmp_path / "admin"
    async with running(settings(), admin=socket) as house:
        await register(house)
        await (await irc_peer(house, "bob")).news("PRIVMSG alice hi")
        assert len(await waiting(house)) == 1
        await admin_socket.texts(socket, "account delete alice")
        assert await waiting(house) == []


async def test_who_may_not_speak_leaves_no_words_behind() -> None:
    async with running(settings()) as house:
        await register(house)
        bob = await irc_peer(house, "bob", address="203.0.113.9")
        boss = await irc_peer(house, "boss")
        await boss.news("OPER boss sesame", "UBAN ADD bob MUTE")
        await bob.news()
        told = await bob.news("PRIVMSG alice hi")
        assert MUTED in told[0]
        assert await waiting(house) == []


async def test_an_owner_who_is_here_by_another_name_is_told_at_once() -> None:
    async with running(settings()) as house:
        await register(house)
        alice = await irc_peer(house, "al", "sasl", password=ALICE)
        bob = await irc_peer(house, "bob")
        await bob.news("PRIVMSG alice hi")
        assert any(line.endswith("PRIVMSG al :hi") for line in await alice.news())
        await leave(alice)
        assert await box(await plain_alice(house)) == []


async def test_what_is_said_while_somebody_comes_and_goes_is_shown_once() -> None:
    limits = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=limits)) as house:
        await register(house)
        bob, heard, kept = await irc_peer(house, "bob"), "", list[int]()
        is_over = False

        async def write() -> None:
            for number in itertools.takewhile(lambda _: not is_over, itertools.count()):
                told = await bob.news(f"PRIVMSG alice :<{number}>")
                if not any(" 531 " in line for line in told):  # they may wait for long
                    kept.append(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            for _ in range(30):
                alice = await plain_alice(house)
                await leave(alice)
                heard += alice.received.decode()
            is_over = True
        heard += "\n".join(await box(await plain_alice(house)))
        assert sorted(int(found) for found in re.findall("<([0-9]+)>", heard)) == kept


async def test_what_is_said_to_somebody_who_is_just_coming_is_said_to_who_is_here() -> None:
    log = HeldLog()
    async with running(settings(), log) as house:
        await register(house)
        bob, alice = await irc_peer(house, "bob"), await house.connect()
        log.hold()
        await alice.send(f"/login alice {PASSWORD}\n".encode())
        await log.until_appended()  # that she has arrived
        await bob.say("PRIVMSG alice hi")
        await trio.testing.wait_all_tasks_blocked(0.05)
        log.go_on()
        await alice.until("bob -> alice: hi\n")
        assert not any("bob -> alice" in line for line in await box(alice))
        await leave(alice)
        assert await box(await plain_alice(house)) == []
