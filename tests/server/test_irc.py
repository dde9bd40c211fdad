"""IRC clients on a real server, beside each other and beside plain ones."""

import re
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from irc_peers import IrcPeer, cheap_hash, irc_peer, irc_people, lead, settings
from peers import House, running
from trio_chat.core.events import Said, Signalled
from trio_chat.core.views import Reloaded
from trio_chat.server.passwords import hash_password

HOST = "127.0.0.1"
ME = f":alice!alice@{HOST}"
BOB = f":bob!bob@{HOST}"
PLAIN = f":carol!plain@{HOST}"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


# ── plain and IRC people together ──────────────────────────────────────────────────────────────

#: What somebody on IRC does, what others on IRC see of it, and what plain people see.
DONE = [
    ("PRIVMSG #lobby :hello", f"{ME} PRIVMSG #lobby :hello", "alice: hello\n"),
    ("NOTICE #lobby :hello", f"{ME} NOTICE #lobby :hello", "alice: hello\n"),
    ("PRIVMSG #lobby :\x01ACTION waves\x01", f"{ME} PRIVMSG #lobby :\x01ACTION waves\x01",
     "* alice waves\n"),
    ("PRIVMSG #lobby :\x01VERSION\x01", f"{ME} PRIVMSG #lobby :\x01VERSION\x01", ""),
    ("PART #lobby :bye", f"{ME} PART #lobby bye", "alice left!\n"),
    ("NICK alicia", f"{ME} NICK alicia", "*** alice is now alicia.\n"),
    ("TOPIC #lobby :new topic", f"{ME} TOPIC #lobby :new topic",
     "*** alice set the topic: new topic\n"),
    ("TOPIC #lobby :", f"{ME} TOPIC #lobby :", "*** alice removed the topic.\n"),
    ("MODE #lobby +t", f"{ME} MODE #lobby +t", "*** alice set mode +t.\n"),
    ("KICK #lobby carol :too loud", f"{ME} KICK #lobby carol :too loud",
     "*** alice kicked carol out of #lobby: too loud\ncarol left!\n"),
    ("AWAY :out", "", ""),
    ("SETNAME :Alice A.", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "on_irc", "plain"), DONE, ids=[line for line, *_ in DONE])
async def test_what_irc_people_do_is_seen_by_all(
    house: House, line: str, on_irc: str, plain: str
) -> None:
    alice, bob = await irc_people(house, "alice", "bob")
    await lead(house, "alice")
    carol = await house.connect("carol")
    await bob.news()
    await alice.news(line)
    assert await bob.news() == [on_irc] * bool(on_irc)
    await bob.say("PRIVMSG carol :end")
    assert (await carol.until("bob -> carol: end\n")).removesuffix("bob -> carol: end\n") == plain


#: What somebody plain does, and what people on IRC see of it.
PLAINLY = [
    ("hello", [f"{PLAIN} PRIVMSG #lobby :hello"]),
    ("/me waves", [f"{PLAIN} PRIVMSG #lobby :\x01ACTION waves\x01"]),
    (":) hi", [f"{PLAIN} PRIVMSG #lobby ::) hi"]),
    ("/nick caro", [f"{PLAIN} NICK caro"]),
    ("/topic new topic", [f"{PLAIN} TOPIC #lobby :new topic"]),
    ("/join den", [f"{PLAIN} PART #lobby"]),
    ("/invite alice", []),  # she is in already
    ("/quit", [f"{PLAIN} QUIT quit"]),
]


@pytest.mark.parametrize(("line", "on_irc"), PLAINLY, ids=[line for line, _ in PLAINLY])
async def test_what_plain_people_do_is_seen_on_irc(
    house: House, line: str, on_irc: list[str]
) -> None:
    [alice] = await irc_people(house, "alice")
    carol = await house.connect("carol")
    assert await alice.news() == [f"{PLAIN} JOIN #lobby"]
    if line == "/quit":
        await carol.send(b"/quit\n")
        await carol.rest()
        with trio.fail_after(5):
            while not (seen := await alice.news()):
                pass
    else:
        await carol.send(f"{line}\n/nonsense\n".encode())
        await carol.until("no command /nonsense")
        seen = await alice.news()
    assert seen == on_irc


async def test_private_messages_go_both_ways(house: House) -> None:
    [alice] = await irc_people(house, "alice")
    carol = await house.connect("carol")
    await alice.news("PRIVMSG carol :psst")
    assert await carol.until("psst\n") == "alice -> carol: psst\n"
    await carol.send(b"/msg alice what?\n")
    await carol.until("carol -> alice: what?\n")
    assert await alice.news() == [f"{PLAIN} PRIVMSG alice :what?"]


async def test_who_is_sent_out_by_irc_sees_it_and_may_come_back(house: House) -> None:
    [alice] = await irc_people(house, "alice")
    await lead(house, "alice")
    carol = await house.connect("carol")
    await alice.news("KICK #lobby carol")
    assert await carol.until("left!\n") == "*** alice kicked carol out of #lobby.\ncarol left!\n"
    await carol.send(b"/join #lobby\n")
    await carol.until("You are carol in #lobby")
    assert (await alice.news())[-1] == f"{PLAIN} JOIN #lobby"


async def test_the_newcomer_is_shown_the_room(house: House) -> None:
    carol = await house.connect("carol")
    await carol.send(b"/topic tea\nsaid before\n")
    await carol.until("carol: said before\n")
    alice = await irc_peer(house, "alice", rooms="")
    shown = await alice.messages("JOIN #lobby")
    assert [(message.command, *message.params) for message in shown] == [
        ("JOIN", "#lobby"),
        ("332", "alice", "#lobby", "tea"),
        ("333", "alice", "#lobby", "carol", shown[2].params[3]),
        ("NOTICE", "#lobby", "Last messages (times in UTC):"),
        ("NOTICE", "#lobby", shown[4].params[1]),
        ("NOTICE", "#lobby", "End of the last messages."),
        ("353", "alice", "=", "#lobby", "carol alice"),
        ("366", "alice", "#lobby", "End of /NAMES list"),
    ]
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] said before", shown[4].params[1])


@pytest.mark.parametrize("caps", ["batch server-time", "batch", "server-time", ""])
async def test_who_says_that_it_is_a_bot_is_not_shown_what_was_said(
    house: House, caps: str
) -> None:
    """However it would be shown it, and each time that it comes."""
    carol = await house.connect("carol")
    await carol.send(b"!deploy\n")
    await carol.until("carol: !deploy\n")
    bot = await irc_peer(house, "bot", *caps.split(), rooms="")
    for _ in range(2):
        lines = await bot.news("MODE bot +B", "JOIN #lobby", "PART #lobby")
        assert not any("deploy" in line for line in lines)
    assert any("deploy" in line for line in await bot.news("MODE bot -B", "JOIN #lobby"))


@pytest.mark.parametrize("caps", ["batch server-time", "batch", "batch message-tags server-time"])
async def test_with_a_label_the_newcomer_is_shown_the_same(house: House, caps: str) -> None:
    carol = await house.connect("carol")
    await carol.send(b"/topic tea\n/me waves\nsaid before\n")
    await carol.until("carol: said before\n")
    alice = await irc_peer(house, "alice", "labeled-response", *caps.split(), rooms="")
    shown = await alice.messages("JOIN #lobby")
    await alice.news("PART #lobby")
    first, *labelled, last = await alice.messages("@label=x JOIN #lobby")
    name = first.params[0][1:]
    assert (first.command, first.tags["label"], last.params) == ("BATCH", "x", (f"-{name}",))
    history = [m.params[0][1:] for m in shown if m.params[1:2] == ("chathistory",)]
    nested = [m.params[0][1:] for m in labelled if m.params[1:2] == ("chathistory",)]
    assert len(history) == len(nested) == 1
    for one, other in zip(shown, labelled, strict=True):
        assert one.command == other.command
        assert [param.replace(history[0], nested[0]) for param in one.params] == [*other.params]
        outer = "" if "batch" not in one.tags else nested[0]
        assert other.tags["batch"] == (outer or name)
        assert "label" not in other.tags


# ── capabilities, with others to see them ──────────────────────────────────────────────────────


async def test_an_echo_is_what_others_were_sent(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps="echo-message message-tags")
    lines = ["@+a=b PRIVMSG #lobby :x", "NOTICE #lobby :y", "@+typing=done TAGMSG #lobby"]
    echoes = await alice.news(*lines)
    assert len(echoes) == 3
    assert await bob.news() == echoes
    [echo] = await alice.messages("PRIVMSG bob :z")
    [heard] = await bob.messages()
    assert echo == heard


async def test_what_was_asked_for_holds_without_another_line(house: House) -> None:
    """Capabilities that come in the same piece as the last line hold for what others do."""
    alice = await irc_peer(house, "alice", rooms="")
    await alice.say("CAP REQ :extended-join\r\nJOIN #lobby")
    await alice.until("End of /NAMES list\r\n")
    await irc_peer(house, "bob")
    assert (await alice.until("\r\n")).rstrip() == f"{BOB} JOIN #lobby * Bob"


@pytest.mark.parametrize(
    ("caps", "answer"),
    [
        ("standard-replies", ":chat.local FAIL SETNAME INVALID_REALNAME :A name has"),
        ("", ":chat.local NOTICE alice :SETNAME: A name has"),
    ],
)
async def test_failures_are_told_as_one_can_read_them(house: House, caps: str, answer: str) -> None:
    alice = await irc_peer(house, "alice", *caps.split())
    [line] = await alice.news("SETNAME :" + "x" * 200)
    assert line.startswith(answer)


async def test_who_is_away_is_told_of_to_those_who_ask_and_those_who_write(house: House) -> None:
    alice = await irc_peer(house, "alice")
    bob = await irc_peer(house, "bob", "away-notify")
    carol = await house.connect("carol")
    await alice.news()
    await bob.news()
    assert await alice.news("AWAY :gone fishing") == [
        ":chat.local 306 alice :You have been marked as being away"
    ]
    assert await bob.news() == [f"{ME} AWAY :gone fishing"]
    assert await bob.news("PRIVMSG alice :hi") == [":chat.local 301 bob alice :gone fishing"]
    await carol.send(b"/msg alice hi\n")
    assert await carol.until("fishing\n") == "carol -> alice: hi\n*** alice is away: gone fishing\n"
    assert await bob.news("NOTICE alice :hi", "PRIVMSG #lobby :hi") == []
    assert await alice.news("AWAY") == [
        *(f"{BOB} PRIVMSG alice :hi", f"{PLAIN} PRIVMSG alice :hi"),
        *(f"{BOB} NOTICE alice :hi", f"{BOB} PRIVMSG #lobby :hi"),
        ":chat.local 305 alice :You are no longer marked as away",
    ]
    assert await bob.news() == [f"{ME} AWAY"]


async def test_typing_is_shown_to_clients_that_can_and_never_kept(house: House) -> None:
    alice = await irc_peer(house, "alice", "message-tags")
    bob = await irc_peer(house, "bob", "message-tags")
    dave = await irc_peer(house, "dave")
    carol = await house.connect("carol")
    for peer in (alice, bob, dave):
        await peer.news()
    assert await alice.news("@+typing=active TAGMSG #lobby", "PRIVMSG #lobby :typed") == []
    signalled, said = await bob.messages()
    assert (signalled.command, signalled.params) == ("TAGMSG", ("#lobby",))
    assert signalled.tags["+typing"] == "active"
    assert (said.command, "+typing" in said.tags) == ("PRIVMSG", False)
    assert await dave.news() == [f"{ME} PRIVMSG #lobby :typed"]
    assert await carol.until("\n") == "alice: typed\n"
    kept = await house.server._log.history("#lobby")
    assert [entry.event.text for entry in kept if isinstance(entry.event, Said)] == ["typed"]
    assert not [entry for entry in kept if isinstance(entry.event, Signalled)]
    erin = await house.connect()
    await erin.send(b"erin\nhere\n")
    told = await erin.until("erin: here\n")
    assert told.endswith("*** The last message:\nalice: typed\nerin: here\n")


# ── MONITOR ────────────────────────────────────────────────────────────────────────────────────


async def test_who_is_watched_is_told_of(house: House) -> None:
    alice = await irc_peer(house, "alice", rooms="#elsewhere")
    assert await alice.news("MONITOR + bob,carol") == [":chat.local 731 alice :bob,carol"]
    bob = await irc_peer(house, "Bob", rooms="")
    assert await alice.news() == [f":chat.local 730 alice Bob!Bob@{HOST}"]
    await house.connect("carol")
    assert await alice.news() == [f":chat.local 730 alice {PLAIN[1:]}"]
    await bob.news("NICK robert")
    assert await alice.news() == [":chat.local 731 alice Bob"]
    await bob.news("NICK bob")
    assert await alice.news("MONITOR S", "MONITOR L") == [
        f":chat.local 730 alice bob!Bob@{HOST}",
        f":chat.local 730 alice :bob!Bob@{HOST},{PLAIN[1:]}",
        ":chat.local 732 alice :bob,carol",
        ":chat.local 733 alice :End of MONITOR list",
    ]
    await alice.news("MONITOR - bob")
    await bob.news("NICK robert")
    assert await alice.news() == []
    await alice.news("MONITOR C")
    assert await alice.news("MONITOR L") == [":chat.local 733 alice :End of MONITOR list"]


# ── operators and passwords ────────────────────────────────────────────────────────────────────

OPERATORS = {"operators": f"root={cheap_hash('secret')}, slow={hash_password('slow secret')}"}


@pytest.fixture
async def ruled() -> AsyncIterator[House]:
    """A house with operators."""
    async with running(settings(irc=OPERATORS)) as running_house:
        yield running_house


@pytest.mark.parametrize("line", ["OPER root secret", "OPER slow :slow secret"])
async def test_who_knows_the_password_becomes_an_operator(ruled: House, line: str) -> None:
    alice = await irc_peer(ruled, "alice")
    assert await alice.news(line) == [
        f"{ME} MODE alice +o",
        ":chat.local 381 alice :You are now an IRC operator",
    ]
    assert await alice.news("MODE alice") == [":chat.local 221 alice +o"]


@pytest.mark.parametrize("line", ["OPER root wrong", "OPER nobody secret", "OPER root :"])
async def test_who_does_not_know_it_does_not(ruled: House, line: str) -> None:
    alice = await irc_peer(ruled, "alice")
    assert await alice.news(line, "MODE alice +o", "MODE alice") == [
        ":chat.local 464 alice :That is not the password.",
        ":chat.local 221 alice +",
    ]


async def test_a_labelled_oper_is_answered_once(ruled: House) -> None:
    alice = await irc_peer(ruled, "alice", "labeled-response", "batch")
    answers = await alice.messages("@label=L OPER root secret")
    assert [message.command for message in answers] == ["BATCH", "MODE", "381", "BATCH"]
    assert [message.tags.get("label") for message in answers] == ["L", None, None, None]


@pytest.mark.parametrize(
    "line", ["KILL bob :x", "REHASH", "WALLOPS :x"], ids=lambda line: line.split()[0]
)
async def test_only_operators_rule_the_server(ruled: House, line: str) -> None:
    alice, bob = await irc_people(ruled, "alice", "bob")
    ruled.server.operations.on_reload = lambda: pytest.fail("nobody may ask for that")
    refusal = "Only operators of this server may do that."
    assert await alice.news(line) == [f":chat.local 481 alice :{refusal}"]
    assert await bob.news() == []


async def test_kill(ruled: House) -> None:
    alice, bob = await irc_people(ruled, "alice", "bob")
    carol = await ruled.connect("carol")
    await alice.news("OPER root secret")
    assert await alice.news("KILL nobody :x") == [
        ":chat.local 401 alice nobody :Nobody here is called nobody."
    ]
    await alice.say("KILL bob :spams")
    seen = await alice.until(f"{BOB} QUIT :Killed (alice (spams))\r\n")
    assert ":chat.local NOTICE alice :alice disconnected bob: spams\r\n" in seen
    assert (await bob.rest()).endswith("ERROR :Closing link: Killed (alice (spams))\r\n")
    assert await carol.until("left!\n") == "bob left!\n"
    await alice.say("KILL carol :spams")
    assert await carol.rest() == "*** Killed (alice (spams))\n"
    await irc_peer(ruled, "bob")  # the nickname is free


async def test_wallops_reach_operators_and_who_wants_them(ruled: House) -> None:
    alice, bob, dave = await irc_people(ruled, "alice", "bob", "dave")
    await alice.news("OPER root secret")
    await bob.news("MODE bob +w")
    assert await alice.news("WALLOPS :news for all") == [f"{ME} WALLOPS :news for all"]
    assert await bob.news() == [f"{ME} WALLOPS :news for all"]
    assert await dave.news() == []


async def test_rehash_asks_for_the_settings_to_be_read_again(ruled: House) -> None:
    ruled.server.operations.on_reload = lambda: Reloaded("The settings are reloaded.")
    alice = await irc_peer(ruled, "alice")
    await alice.news("OPER root secret")
    assert await alice.news("REHASH") == [
        ":chat.local 382 alice settings Rehashing",
        ":chat.local NOTICE alice :The settings are reloaded.",
    ]


LOCKED = {"password": cheap_hash("open sesame")}


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "This chat has a password. Set it in your client as the server's password (PASS)."),
        ("PASS wrong\r\n", "That is not the password."),
    ],
)
async def test_nobody_is_let_in_on_irc_without_the_servers_password(
    password: str, why: str
) -> None:
    async with running(settings(server=LOCKED)) as house:
        peer = await irc_peer(house)
        await peer.say(f"{password}NICK alice\r\nUSER a 0 * :A")
        assert await peer.rest() == (
            f":chat.local 464 * :{why}\r\nERROR :Closing link: {why} Goodbye!\r\n"
        )
        await irc_peer(house, "alice", password=":open sesame")


async def test_the_servers_password_for_plain_people() -> None:
    async with running(settings(server=LOCKED)) as house:
        asked = "*** This chat has a password. Enter it now, or /login NAME PASSWORD.\n"
        carol = await house.connect()
        await carol.send(b"carol\n")
        await carol.until(asked)
        await carol.send(b"open sesame\nhi\n")
        assert "Connected to server!\n" in await carol.until("carol: hi\n")
        stranger = await house.connect()
        await stranger.send(b"carl\nguess\n")
        assert "That is not the password" in await stranger.rest()


async def test_hosts_are_cloaked_and_can_be_told_apart() -> None:
    async with running(settings(irc={"cloak": True})) as house:
        hosts = {}
        for address in ("192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1", "unix"):
            raw = await house.link(address=address)
            peer = IrcPeer(raw.stream)
            nick = f"n{len(hosts)}"
            await peer.news(f"NICK {nick}", f"USER a 0 * :A\r\nUSERHOST {nick}")
            lines = await peer.news(f"USERHOST {nick}")
            hosts[address] = lines[0].rpartition("@")[2]
        assert hosts.pop("unix") == "unix"
        assert len(set(hosts.values())) == 4
        assert not [a for a, host in hosts.items() if a in host or not host.endswith(".ip")]
        near = {a: host.partition(".")[2] for a, host in hosts.items()}
        assert near["192.0.2.1"] == near["192.0.2.2"] != near["198.51.100.1"]


# ── nicknames ──────────────────────────────────────────────────────────────────────────────────


async def test_nicknames_of_plain_people_are_taken_on_irc(house: House) -> None:
    await house.connect("carol")
    alice = await irc_peer(house)
    await alice.say("NICK Carol", "USER alice 0 * :Alice")
    assert await alice.until("\r\n") == (
        ":chat.local 433 * Carol :The nickname Carol is taken.\r\n"
    )
    assert ":chat.local 001 alice " in "\n".join(await alice.news("NICK alice"))
    assert await alice.news("NICK caROL") == [
        ":chat.local 433 alice caROL :The nickname caROL is taken."
    ]


async def test_nicknames_on_irc_are_taken_for_plain_people(house: House) -> None:
    alice = await irc_peer(house, "alice", rooms="")
    carol = await house.connect()
    await carol.send(b"alice\n")
    assert await carol.until("\n") == "*** The nickname alice is taken.\n"
    await alice.say("QUIT")
    await alice.rest()
    await carol.send(b"alice\n")
    await carol.until("You are alice in #lobby")


async def test_a_nickname_that_nobody_got_to_use_is_free_again(house: House) -> None:
    await house.connect("carol")
    alice = await irc_peer(house)
    await alice.say("NICK carol", "USER alice 0 * :Alice", "NICK alice", "QUIT")
    await alice.rest()
    await irc_peer(house, "alice")


# ── silence, floods, slow readers ──────────────────────────────────────────────────────────────


async def test_silent_clients_are_asked_and_those_who_answer_stay(
    autojump_clock: MockClock,
) -> None:
    async with running(settings(limits={"ping": 20})) as house:
        alice = await irc_peer(house, "alice", link=True)
        for _ in range(10):
            assert await alice.until("\r\n") == "PING :chat.local\r\n"
            await alice.say("PONG chat.local")
        assert await alice.news() == []


async def test_silent_clients_that_do_not_answer_are_let_go(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"ping": 20})) as house:
        carol = await house.link("carol")
        alice = await irc_peer(house, "alice", link=True)
        began = trio.current_time()
        assert await alice.rest() == (
            "PING :chat.local\r\nERROR :Closing link: You did not answer a PING.\r\n"
        )
        assert 40 <= trio.current_time() - began <= 60
        assert (await carol.until("left!\n")).endswith("alice left!\n")
        await trio.sleep(1000)  # nobody plain is asked, and so nobody is let go
        await carol.send(b"still here\n")
        await carol.until("carol: still here\n")


async def test_who_has_answered_while_the_server_stood_still_stays(mock_clock: MockClock) -> None:
    """As after SIGSTOP, or when a virtual machine is paused."""
    async with running(settings(limits={"ping": 20})) as house:
        alice = await irc_peer(house, "alice", link=True)
        for _ in range(5):
            mock_clock.jump(5)
            await wait_all_tasks_blocked()
        assert await alice.until("\r\n") == "PING :chat.local\r\n"
        mock_clock.jump(600)
        assert await alice.news("PONG chat.local") == []


async def test_half_a_registration_is_given_up(autojump_clock: MockClock) -> None:
    async with running(settings(limits={"registration": 30})) as house:
        peer = await irc_peer(house, link=True)
        began = trio.current_time()
        await peer.say("CAP LS 302", "NICK alice", "USER a 0 * :A")
        assert (await peer.rest()).endswith(
            "ERROR :Closing link: You gave no nickname within 30 seconds. Goodbye!\r\n"
        )
        assert 30 <= trio.current_time() - began < 35
        await irc_peer(house, "alice", link=True)


async def test_registration_and_a_paste_pass_at_once(autojump_clock: MockClock) -> None:
    """Clients open with some thirty lines; and people paste."""
    async with running(settings()) as house:
        bob = await irc_peer(house, "bob", link=True)
        alice = await irc_peer(house, link=True)
        rooms = [f"JOIN #room{n}" for n in range(20)]
        opening = ["CAP LS 302", "CAP REQ :echo-message", "NICK alice", "USER a 0 * :A", "CAP END"]
        began = trio.current_time()
        lines = await alice.news(
            *opening, "MODE alice +i", "WHO alice", "AWAY", "JOIN #lobby", "MODE #lobby", *rooms
        )
        assert sum(" 366 " in line for line in lines) == 21
        lines = await alice.news(*(f"PRIVMSG #lobby :line {n}" for n in range(50)))
        assert trio.current_time() == began
        texts = [line.partition(" :")[2] for line in lines]
        assert texts == [f"line {n}" for n in range(50)]
        assert [line.partition(" :")[2] for line in await bob.news()][-50:] == texts


async def test_a_flood_is_slowed_and_never_cut(autojump_clock: MockClock) -> None:
    """Not even by the question whether anybody is there: who is not listened to cannot answer."""
    async with running(settings(limits={"ping": 5, "messages_per_second": 50})) as house:
        alice = await irc_peer(house, "alice", "echo-message", link=True)
        began = trio.current_time()
        await alice.say(*(f"PRIVMSG #lobby :line {n}" for n in range(1000)))
        text = await alice.until(":line 999\r\n")
        said = [line for line in text.splitlines() if "PRIVMSG" in line]
        assert [line.partition(" :")[2] for line in said] == [f"line {n}" for n in range(1000)]
        assert text.count("NOTICE alice :You are sending too fast") == 1
        assert "PING" not in text
        assert trio.current_time() - began == pytest.approx(18, abs=1)


async def test_who_never_reads_is_closed_and_the_others_are_told() -> None:
    limits = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=limits)) as house:
        alice, bob = await irc_people(house, "alice", "bob")
        carol = await house.connect("carol")
        await bob.news()  # the last that bob reads
        lines = [f"PRIVMSG #lobby :{'x' * 400}"] * 500 + ["PRIVMSG #lobby :so far"]
        while f"{BOB} QUIT :reads too slowly" not in await alice.news(*lines):
            await carol.until("alice: so far\n")
        await carol.until("bob left!\n")
        await irc_peer(house, "bob")
        text = await bob.rest()
        assert text.endswith(
            "ERROR :Closing link: You read too slowly: "
            "more than 1048576 bytes were waiting. Goodbye!\r\n"
        )


async def test_programs_that_read_few_parameters_can_read_what_is_supported(house: House) -> None:
    """TinyIRC and ircII show the last text with its colon if more than 12 tokens are before it."""
    told = await (await irc_peer(house)).messages("NICK alice", "USER alice 0 * :Alice")
    supported = [message for message in told if message.command == "005"]
    assert [len(message.params) for message in supported][:-1] == [14] * (len(supported) - 1)
    assert {message.params[-1] for message in supported} == {"are supported by this server"}
