"""Bans of the server and its lock: who is kept out, muted, told why, and let in again."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from certificates import Hand, issue, secured
from held import HeldLog
from irc_peers import IrcPeer, irc_peer, promote, settings
from peers import House, running
from trio_chat.protocols.invitation import Invitation, write_token
from trio_chat.settings import IrcSettings, Settings

FAR, NEAR = "203.0.113.9", "198.51.100.1"
PASSWORD = "correct-horse"
FOR_GOOD = "You are banned from this chat for good (spam), ban 1. Contact: help@example.org"
MUTED = "You may not speak in this chat for good, ban 1. Contact: help@example.org"
IS_MUTE = "(raid): only people with an account may speak. Contact: help@example.org"
LOCKED = "This chat is locked (raid): only people with an account are let in."


def chosen(**sections: dict[str, object]) -> Settings:
    server = {"contact": "help@example.org", "greeting_delay": 0.2}
    accounts = {"guests": "open", "registration": "open"}
    return settings(server=server, accounts=accounts, **sections)  # type: ignore[arg-type]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(chosen(tls={"clear": "anyone"})) as it:
        yield it


async def boss(house: House, *caps: str) -> IrcPeer:
    """An operator of the server, in the lobby."""
    peer = await irc_peer(house, "boss", *caps, link=True)
    await promote(house, "boss")
    await peer.news()
    return peer


async def come(house: House, nick: str, address: str = FAR, *first: str) -> IrcPeer:
    """Somebody on IRC from an address, who has not read the answer."""
    peer = IrcPeer((await house.link(address=address)).stream)
    await peer.say(*first, f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #lobby")
    return peer


async def arrive(house: House, nick: str, address: str = FAR, *first: str) -> IrcPeer:
    peer = await come(house, nick, address, *first)
    await peer.until(" 366 ")
    await peer.news()
    return peer


async def register(house: House, nick: str) -> IrcPeer:
    """Somebody with an account, on the server's own machine: passwords need TLS elsewhere."""
    peer = await arrive(house, nick, "unix")
    await peer.say(f"NS REGISTER {PASSWORD}")
    await peer.until("You are now logged in")
    await peer.news()
    return peer


async def test_those_of_proxies_are_no_targets() -> None:
    server, accounts = {"proxies": f"{FAR}, 127.0.0.1"}, {"guests": "open"}
    async with running(settings(server=server, accounts=accounts)) as house:
        op = await boss(house)
        told = "".join(await op.news(f"DLINE {FAR}", "DLINE 0.0.0.0/0"))
        assert told.count(f"Others come in by {FAR}, a proxy of this server: ") == 2


async def test_who_bans_an_account_is_told_how_its_owner_can_come_back(house: House) -> None:
    op = await boss(house)
    await register(house, "mallory")
    told = "".join(await op.news("UBAN ADD mallory DURATION 1h spam"))
    assert "They can come back as a guest: then /quote UBAN the nickname, or " in told


# ── at the door ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"alice\n", f"*** {FOR_GOOD}\n"),
        (
            b"NICK alice\r\nUSER a 0 * :A\r\n",
            f":chat.local 465 * :{FOR_GOOD}\r\nERROR :Closing link: {FOR_GOOD}\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 104\r\n"
            f"X-Content-Type-Options: nosniff\r\n\r\nThis is a chat server. {FOR_GOOD}\r\n",
        ),
    ],
)
async def test_who_comes_from_a_banned_network_is_told_in_their_own_language(
    house: House, said: bytes, told: str
) -> None:
    op = await boss(house)
    await op.news(f"UBAN ADD {FAR[:-1]}0/24 spam")
    peer = await house.link(address=FAR)
    await peer.send(said)
    assert await peer.rest() == told
    assert await op.news() == []
    await arrive(house, "bob", NEAR)
    await op.news("UBAN DEL 1")
    await arrive(house, "alice", FAR)


async def test_over_tls_some_are_told_and_then_the_rest_gets_an_alert(tmp_path: Path) -> None:
    files = issue(tmp_path / "tls")
    async with running(chosen(tls=files.settings)) as house:
        op = await boss(house)
        await op.news(f"UBAN ADD {FAR} spam")
        for _ in range(3):
            peer = await secured(house, address=FAR)
            await peer.send(b"alice\n")
            assert await peer.rest() == f"*** {FOR_GOOD}\n"
        for _ in range(2):
            raw = await house.link(address=FAR)
            hand = Hand()
            with pytest.raises(ssl.SSLError):
                await hand.shake(raw.stream)
        other = await secured(house, address="203.0.113.8")
        await other.send(b"bob\n")
        await other.until("/help for more.\n")


# ── who is here ────────────────────────────────────────────────────────────────────────────────


async def test_who_is_here_has_to_go_on_all_connections(house: House) -> None:
    op = await boss(house)
    mallory = await register(house, "mallory")
    other = await come(house, "m2", "unix", f"PASS mallory:{PASSWORD}")
    await other.until(" 001 mallory ")
    bob = await arrive(house, "bob", NEAR)
    told = await op.news("UBAN ADD mallory :spam")
    effect = "Ban 1: account mallory may not come in for good. It hits 1 of the 2 others here."
    assert any(line.endswith(effect) for line in told)
    for peer in (mallory, other):
        assert (await peer.rest()).endswith(
            f":chat.local 465 mallory :{FOR_GOOD}\r\nERROR :Closing link: {FOR_GOOD}. Goodbye!\r\n"
        )
    seen = "".join(await bob.news())
    assert ":mallory!mallory@unix QUIT banned" in seen
    assert "ban" not in seen.replace("QUIT banned", "")  # only operators are told of it


async def test_who_hits_nearly_everybody_is_told_how_to_undo_it(house: House) -> None:
    op, _ = await boss(house), await arrive(house, "mallory")
    await arrive(house, "bob", NEAR)
    assert await op.news("UBAN ADD *!*@* MUTE") == [
        ":mallory!mallory@203.0.113.9 JOIN #lobby",
        ":bob!bob@198.51.100.1 JOIN #lobby",
        ":chat.local NOTICE boss :Ban 1: mask *!*@* may not speak for good. "
        "It hits both others here.",
        ":chat.local NOTICE boss :That may be more than you meant: /quote UBAN del 1 lifts it.",
    ]
    [told, *_] = await op.news("UBAN ADD 192.0.2.1 1h MUTE spam")
    assert "192.0.2.1 may not speak for 1h." in told
    told = await op.news("UBAN ADD *!*@*", "LOCK FOREVER")
    assert ":chat.local NOTICE boss :It takes the place of ban 1." in told
    assert any("It lasts until you end it with /quote LOCK off. It mutes" in line for line in told)


@pytest.mark.parametrize("first", [(f"PASS mallory:{PASSWORD}",), ()])
async def test_a_banned_account_is_not_let_in(house: House, first: tuple[str, ...]) -> None:
    op = await boss(house)
    mallory = await register(house, "mallory")
    await op.news("UBAN ADD mallory spam")
    await mallory.rest()
    peer = await come(house, "other", "unix", *first)
    if not first:
        await peer.until(" 366 ")
        assert FOR_GOOD in "".join(await peer.news(f"NS IDENTIFY mallory {PASSWORD}"))
        return
    told = await peer.rest()
    assert " 001 " not in told
    assert f"ERROR :Closing link: {FOR_GOOD}. Goodbye!" in told


async def test_a_secret_opens_no_account_that_is_banned(house: House) -> None:
    op = await boss(house)
    secret = ("CAP REQ trio-chat/identity", "IDENTITY 0123456789abcdef")
    mallory = await arrive(house, "mallory", "unix", *secret, "CAP END")
    await mallory.say(f"NS REGISTER {PASSWORD}")
    await mallory.until("You are now logged in")
    await op.news("UBAN ADD mallory spam")
    await mallory.rest()
    told = await (await come(house, "other", "unix", *secret, "CAP END")).rest()
    assert f"465 * :{FOR_GOOD}" in told
    assert " 001 " not in told


async def test_an_invitation_is_not_used_up_by_somebody_who_is_kept_out() -> None:
    token = write_token(b"a key", Invitation("00" * 8, 4_102_444_800, 1))
    async with running(settings(accounts={"guests": "invited"})) as house:
        op = await irc_peer(house, "boss", link=True, password=token)
        await promote(house, "boss")
        other = write_token(b"a key", Invitation("11" * 8, 4_102_444_800, 1))
        await op.news("LOCK")
        for _ in range(2):
            told = await (await come(house, "al", "unix", f"PASS {other}")).rest()
            assert "This chat is locked" in told
        await op.news("LOCK OFF")
        await arrive(house, "al", "unix", f"PASS {other}")


async def test_operators_alone_are_shown_real_addresses() -> None:
    async with running(
        chosen(tls={"clear": "anyone"}).model_copy(update={"irc": IrcSettings()})
    ) as house:
        op, mallory = await boss(house), await arrive(house, "mallory")
        actually = f":chat.local 338 boss mallory {FAR} :is actually using this address"
        assert actually in await op.news("WHOIS mallory")
        assert FAR not in "".join(await mallory.news("WHOIS mallory"))
        await mallory.news("NICK mal")
        was = f":chat.local 338 boss mallory {FAR} :was using this address"
        assert was in await op.news("WHOWAS mallory")
        assert FAR not in "".join(await mallory.news("WHOWAS mallory"))


async def test_a_banned_nickname_is_neither_let_in_nor_taken(house: House) -> None:
    op = await boss(house)
    await op.news("KLINE spam* :spam")
    told = await (await come(house, "spammer")).rest()
    assert told == (
        f":chat.local 465 * :{FOR_GOOD}\r\nERROR :Closing link: {FOR_GOOD}. Goodbye!\r\n"
    )
    plain = await house.link(address=FAR)
    await plain.send(b"spammer\n")
    assert await plain.rest() == f"*** {FOR_GOOD}\n*** Goodbye!\n"
    bob = await arrive(house, "bob")
    why = FOR_GOOD.replace("You are banned from this chat", "Nobody may be called spammer")
    assert f"432 bob spammer :{why}" in "".join(await bob.news("NICK spammer"))
    assert "001" not in "".join(await op.news())


async def test_who_logs_out_and_gets_no_other_nickname_has_to_go(house: House) -> None:
    """The one they have had belongs to the account."""
    op, bob = await boss(house), await register(house, "bob")
    await op.news("UBAN ADD bob_* spam")
    await bob.say("NS LOGOUT")
    why = FOR_GOOD.replace("You are banned from this chat", "Nobody may be called bob_2")
    assert (await bob.rest()).endswith(f"ERROR :Closing link: {why}. Goodbye!\r\n")
    assert house.server._hub.chat.person("bob") is None


async def test_who_is_muted_is_told_how_often_they_may_enter_a_room(
    house: House, autojump_clock: MockClock
) -> None:
    """And by /why only that they are muted, which is the reason."""
    op, mallory = await boss(house), await arrive(house, "mallory")
    await op.news("UBAN mallory!*@* MUTE")
    await mallory.say("JOIN #a", "JOIN #b", "WHY")
    told = await mallory.until("you can do that only every ")
    assert "too fast" not in told
    told = await mallory.until(", ban 1")
    assert "too fast" not in told


async def test_who_is_muted_is_told_why_and_heard_by_nobody(house: House) -> None:
    op = await boss(house)
    mallory, bob = await arrive(house, "mallory"), await arrive(house, "bob", NEAR)
    await op.news("UBAN ADD mallory MUTE")
    await bob.news()
    await mallory.news()
    told = await mallory.news("PRIVMSG #lobby :BUY", "PRIVMSG bob :BUY", "PRIVMSG boss :what?")
    assert told == [
        f":chat.local 404 mallory #lobby :{MUTED}",
        f":chat.local NOTICE mallory :PRIVMSG: {MUTED}",
    ]
    assert await bob.news() == []
    assert [line for line in await op.news() if "PRIVMSG" in line] == [
        ":mallory!mallory@203.0.113.9 PRIVMSG boss :what?"
    ]
    assert await mallory.news("WHY") == [f":chat.local NOTICE mallory :{MUTED}"]
    other = await arrive(house, "m2")  # whoever else comes from there is, too
    assert MUTED in "".join(await other.news("PRIVMSG #lobby :BUY"))
    await op.news("UBAN DEL 1")
    await bob.news()
    await mallory.news("PRIVMSG #lobby :sorry")
    assert ":mallory!mallory@203.0.113.9 PRIVMSG #lobby :sorry" in await bob.news()


async def test_a_raid(house: House) -> None:
    """Guests come and flood; one lock, and members talk on."""
    op, bob = await boss(house), await register(house, "bob")
    raiders = [await arrive(house, f"r{n}", f"192.0.2.{n}") for n in range(4)]
    raiders.append(await arrive(house, "local", "unix"))
    await bob.news()
    told = await op.news("LOCK 10m raid")
    effect = "It ends in 10m, or with /quote LOCK off. It mutes 5 of the 6 others here."
    assert any(effect in line for line in told)
    [notice] = await bob.news()
    rule = "only people with an account may come in and speak."
    assert notice == f":chat.local NOTICE * :boss locked this chat for 10m (raid): {rule}"
    for raider in raiders:
        assert "404" in "".join(await raider.news("PRIVMSG #lobby :RAID"))
    assert "nobody can register" in "".join(await raiders[4].news(f"NS REGISTER {PASSWORD}"))
    late = await (await come(house, "late")).rest()
    assert "FAIL * ACCOUNT_REQUIRED :This chat is locked until " in late
    assert "Contact: help@example.org. Log in as you come: " in late
    assert " 001 " not in late
    plain = await house.link(address="unix")
    await plain.send(b"bobby\n")
    asked = await plain.until("now.\n")
    assert asked.startswith("*** This chat is locked until ")
    assert asked.endswith(
        " UTC (raid): only people with an account are let in. Contact: help@example.org\n"
        "*** Enter /login NAME PASSWORD now.\n"
    )
    await plain.send(f"/login bob {PASSWORD}\n".encode())
    await plain.until("*** You are bob in #lobby; ")
    caught = await house.link(address="unix")
    await caught.send(b"late\nlet me in\n")
    told = (await caught.rest()).splitlines()
    assert told[-2] == "*** If you have one, begin with /login NAME PASSWORD instead of a nickname."
    await (await come(house, "b2", "unix", f"PASS bob:{PASSWORD}")).until(" 001 bob ")
    assert [line for line in await bob.news() if "PRIVMSG" in line] == []
    await op.news("LOCK OFF")
    await raiders[0].news("PRIVMSG #lobby :hello")
    assert ":boss opened this chat again." not in (seen := await bob.news())
    assert ":chat.local NOTICE * :boss opened this chat again." in seen
    assert any("PRIVMSG #lobby :hello" in line for line in seen)
    await arrive(house, "late")


async def test_who_logs_out_under_the_lock_stays_and_is_mute(house: House) -> None:
    """They give up the nickname of the account, as always."""
    op, bob = await boss(house), await register(house, "bob")
    await op.news("LOCK 10m raid")
    await bob.news()
    told = await bob.news("NS LOGOUT", "PRIVMSG #lobby :hi", "NICK words")
    assert ":bob!bob@unix NICK bob_2" in told
    refused = [line for line in told if IS_MUTE in line]
    assert [line.split()[1] for line in refused] == ["404", "NOTICE"]
    assert "You are now logged in as bob" in "".join(await bob.news(f"NS IDENTIFY bob {PASSWORD}"))


async def test_nothing_that_a_guest_says_comes_after_the_lock() -> None:
    """It is judged by a lock that has its place already, and is not shown yet."""
    log = HeldLog()
    async with running(chosen(), log) as house:
        op, raider = await boss(house), await arrive(house, "raider")
        await op.news()
        log.hold()
        await op.say("LOCK 10m raid")
        await log.until_appended()
        await raider.say("PRIVMSG #lobby :RAID", "PRIVMSG boss :RAID", "LOCK OFF", "LOCK")
        await wait_all_tasks_blocked()
        log.go_on()
        assert "404" in "".join(await raider.news())
        assert [line for line in await op.news() if "RAID" in line and "PRIVMSG #" in line] == []


async def test_a_network_that_begins_with_a_colon_is_written_with_a_zero_on_irc(
    house: House,
) -> None:
    op = await boss(house)
    [told] = await op.news("UBAN ::/0")
    assert "a 0 before a colon at the beginning: 0::/64." in told


async def test_who_floods_is_told_so_by_why(autojump_clock: MockClock) -> None:
    slow = {"messages_per_second": 1, "message_burst": 10}
    async with running(chosen(limits=slow)) as house:
        peer = await house.link("alice")
        await peer.send(b"a\n" * 12 + b"/why\n")
        await peer.until("*** You have been sending too fast: for ")
        await peer.until(" seconds, only 1 messages a second.\n")


# ── commands ───────────────────────────────────────────────────────────────────────────────────


async def test_operators_of_irc_find_their_words(house: House) -> None:
    op = await boss(house)
    await op.news("KLINE 60 *!bad@* :spam", "DLINE ANDKILL 2h 192.0.2.0/24 flood | secret")
    await op.news("UBAN ADD *@203.0.113.0/24 DURATION 1d MUTE noise")
    stats = await op.news("STATS k", "STATS d", "STATS x")
    texts = [line.partition(" :")[0] for line in stats]
    assert texts == [
        ":chat.local 216 boss K * * bad",
        ":chat.local 219 boss k",
        ":chat.local 225 boss D 192.0.2.0/24",
        ":chat.local 225 boss D 203.0.113.0/24",
        ":chat.local 219 boss d",
        ":chat.local 219 boss x",
    ]
    assert "ban 1, until " in stats[0]
    assert "ban 3, mute, until " in stats[3]
    listed = await op.news("UBAN LIST")
    assert [line.split(" :")[1].split(",")[0] for line in listed] == [
        "Ban 1: mask *!bad@* may not come in",
        "Ban 2: network 192.0.2.0/24 may not come in",
        "Ban 3: network 203.0.113.0/24 may not speak",
    ]
    assert len(await op.news("UBAN INFO 192.0.2.0/24")) == 1
    await op.news("UNKLINE *!bad@*", "UNDLINE 192.0.2.0/24", "UBAN rm 3")
    assert await op.news("UBAN LIST") == [":chat.local NOTICE boss :There are no bans."]
    guest = await arrive(house, "guest")
    refusal = " 481 guest :Only operators of this server may do that."
    for line in ("KLINE x", "UBAN LIST", "STATS k", "LOCK 1m", "UNDLINE 1", "UBAN ADD boss"):
        assert refusal in "".join(await guest.news(line)), line


async def test_our_own_client_is_told_all_of_the_bans_to_choose_from(house: House) -> None:
    await register(house, "al")
    op = await boss(house, "trio-chat/identity")
    await op.news("UBAN ADD a:al DURATION 2h no spam", "UBAN ADD 192.0.2.0/24 MUTE")
    first, second, end = await op.messages("UBAN LIST")
    assert [first.command, *first.params[1:4]] == ["367", "*", "a:al", "boss"]
    assert (first.params[5], *first.params[7:]) == ("1", "*", "no spam")
    assert int(first.params[6]) - int(first.params[4]) == 7200
    assert (*second.params[1:4], *second.params[5:]) == (
        "*", "m:192.0.2.0/24", "boss", "2", "0", "*", "",
    )  # fmt: skip
    assert end.params[:2] == ("boss", "*")
    *_, shortest, end = await op.messages("UBAN 0::/64", "UBAN LIST")
    assert shortest.params[2] == "0::/64"
    [end] = await op.messages("UBAN LIST 198.51.100.1")
    assert end.command == "368"


async def test_no_reason_steers_the_terminals_of_others(house: House) -> None:
    op, why = await boss(house), ":\x0304,01no\x1b\x02 spam\x7f"
    await arrive(house, "bob")
    for line, shows in (
        ("UBAN ADD 192.0.2.1", "UBAN LIST"), ("BAN #lobby x!*@* 1h", "BANS #lobby"),
        ("LOCK 1m", "AUDIT 1"), ("KICK #lobby bob", "AUDIT #lobby 1"), ("KILL bob", "AUDIT 1"),
    ):  # fmt: skip
        told = "".join([*await op.news(f"{line} {why}"), shown := (await op.news(shows))[-1]])
        assert "no spam" in shown
        assert told.isprintable()


async def test_a_ban_is_listed_with_the_account_of_whoever_has_set_it(house: House) -> None:
    op = await boss(house)
    await op.news(f"NS REGISTER {PASSWORD}")
    await op.news("NICK chief", "UBAN ADD 192.0.2.0/24")
    assert "for good, by chief (boss)" in "".join(await op.news("UBAN LIST"))
    assert "by chief (boss)" in "".join(await op.news("STATS d"))
    assert "No ban is about 198.51.100.1." in "".join(await op.news("UBAN INFO 198.51.100.1"))


UNREADABLE = [
    *("UBAN ADD", "UBAN ADD x DURATION soon", "UBAN ADD x REQUIRE-SASL", "UBAN DEL", "UBAN INFO"),
    *("KLINE 60", "DLINE ANDKILL", "UBAN a:", "UBAN ADD a: 1h"),
    *("KLINE *", "KLINE 60 *@*", "DLINE 0.0.0.0/0", "UBAN ADD * 1h"),
]


@pytest.mark.parametrize("line", UNREADABLE)
async def test_what_cannot_be_read_is_refused(house: House, line: str) -> None:
    op = await boss(house)
    assert f"NOTICE boss :{line.split()[0]}: " in "".join(await op.news(line))
    assert "There are no bans." in "".join(await op.news("UBAN LIST"))


@pytest.mark.parametrize("time", ["2hours", "2", "1.5h", "-5m", "0s"])
async def test_a_time_that_is_none_bans_nobody(house: House, time: str) -> None:
    op = await boss(house)
    plain = await house.link("carol", NEAR)
    await promote(house, "carol")
    why = f"{time} is no duration: write 10m, 2h, 7d or forever, and then the reason."
    for line in (f"/uban mallory {time} spam", f"/ban carol {time}", f"/lock {time} raid"):
        await plain.send(f"{line}\n".encode())
        await plain.until(f"*** {why}\n")
    for line in (f"UBAN a:carol {time}", f"MUTE #lobby carol {time}", f"LOCK {time}"):
        assert why in "".join(await op.news(line))
    if time != "2":  # minutes
        for line in (f"KLINE {time} mal!*@* spam", f"DLINE {time} 192.0.2.1"):
            assert why.replace("the reason", "whom") in "".join(await op.news(line))
    assert "There are no bans." in "".join(await op.news("UBAN LIST"))


async def test_people_on_plain_have_the_same_commands(house: House) -> None:
    """Also operators there are told what others of them do."""
    op = await boss(house)
    plain = await house.link("carol", NEAR)
    await promote(house, "carol")
    await plain.send(b"/uban 192.0.2.7 2h mute spam\n")
    await plain.until("*** Ban 1: network 192.0.2.7 may not speak for 2h. It hits nobody here.\n")
    assert "carol set ban 1: network 192.0.2.7 may not speak for 2h (spam)." in "".join(
        await op.news()
    )
    await op.news("UBAN ADD 192.0.2.8")
    await plain.until("*** boss set ban 2: network 192.0.2.8 may not come in.\n")
    await plain.send(b"/uban\n/uban del 1\n/uban del\n/why\n/lock 1h raid\n")
    await plain.until(" UTC, by carol: spam\n*** Ban 2: network 192.0.2.8 may not come in, for")
    await plain.until("*** Ban 1 is lifted: network 192.0.2.7.\n*** Usage: /uban WHOM")
    await plain.until("*** There are no limits on you just now.\n")
    await plain.until("*** carol locked this chat for 1h (raid)")
    await plain.send(b"/lock off\n")
    await plain.until("*** carol opened this chat again.\n")


async def test_whoever_opens_the_chat_again_is_told_so_also_outside_of_rooms(house: House) -> None:
    op = await boss(house)
    await op.news("PART #lobby")
    told = await op.news("LOCK 10m raid", "LOCK OFF")
    assert ":chat.local NOTICE * :boss opened this chat again." in told
