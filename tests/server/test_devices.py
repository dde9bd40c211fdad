"""One person on several connections: IRC, plain and in the browser's dialect."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from browsers import web_peer
from irc_peers import IrcPeer, irc_peer, promote, settings
from peers import House, Peer, running
from sasl import by_plain

PASSWORD = "correct-horse"
LABELS = "labeled-response batch"
Door = Callable[..., Awaitable[IrcPeer]]  # irc_peer, or web_peer: over TCP, or WebSocket
ALL = f"echo-message message-tags server-time account-notify away-notify {LABELS}"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


async def owner(house: House, *caps: str) -> IrcPeer:
    """Bob, who has registered, in the lobby."""
    bob = await irc_peer(house, "bob", *caps)
    await bob.news(f"REGISTER * * {PASSWORD}")
    return bob


async def another(house: House, *caps: str, door: Door = irc_peer) -> tuple[IrcPeer, list[str]]:
    """One more connection of bob's, and what it was told after its welcome."""
    peer = await door(house)
    await peer.news("CAP REQ sasl", "NICK phone")
    await by_plain(peer, "bob", PASSWORD)
    wanted = [f"CAP REQ :{' '.join(caps)}"] if caps else []
    lines = await peer.news(*wanted, "USER phone 0 * :phone", "CAP END")
    [end] = (n for n, line in enumerate(lines) if " 422 " in line)
    return peer, lines[end + 1 :]


async def plain(house: House, room: str = "#lobby") -> Peer:
    """One more connection of bob's, over netcat; it shows the room that he has entered last."""
    peer = await house.connect()
    await peer.send(f"/login bob {PASSWORD}\n".encode())
    assert (await peer.until(f"in {room}; ")).count("You are bob in ") == 1
    await peer.until("/help for more.\n")
    return peer


def commands(lines: list[str]) -> list[str]:
    """The lines without tags and sources."""
    found = (line.partition(" ")[2] if line.startswith("@") else line for line in lines)
    return [line.partition(" ")[2] for line in found]


# ── come ───────────────────────────────────────────────────────────────────────────────────────


async def test_who_logs_in_joins_whom_they_are_and_is_shown_the_rooms(house: House) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve")
    await bob.news("JOIN #tea", "TOPIC #tea :leaves", "PRIVMSG #tea :early")
    _, told = await another(house, "draft/read-marker")
    assert commands(told) == [
        "JOIN #lobby", "MARKREAD #lobby *", "353 bob = #lobby :bob eve",
        "366 bob #lobby :End of /NAMES list",
        "JOIN #tea", "332 bob #tea leaves", told[6].partition(" ")[2],
        *(f"NOTICE #tea :{words}" for words in told_before(told)),
        "MARKREAD #tea *", "353 bob = #tea :@bob", "366 bob #tea :End of /NAMES list",
    ]  # fmt: skip
    assert await bob.news() == []
    assert [line for line in await eve.news() if "JOIN" in line] == []


def told_before(lines: list[str]) -> list[str]:
    """The notices that show what was said before."""
    found = [line.partition(" :")[2] for line in lines if " NOTICE #tea " in line]
    assert any(words.endswith("early") for words in found)
    return found


async def test_a_guest_who_logs_in_brings_their_rooms(house: House) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve", rooms="#lobby,#garden")
    guest = await irc_peer(house, "guest", rooms="#lobby,#garden")
    await eve.news()
    lines = commands(await guest.news(f"NS IDENTIFY bob {PASSWORD}"))
    assert [line.split()[0] for line in lines] == ["900", "NICK", *["JOIN", "353", "366"] * 2]
    assert commands(await eve.news()) == ["QUIT :logged in as bob", "JOIN #garden"]
    assert [line for line in commands(await bob.news()) if "JOIN" in line][-1] == "JOIN #garden"
    assert commands(await guest.news("PRIVMSG #garden :hi")) == []
    assert await eve.news() == [":bob!bob@127.0.0.1 PRIVMSG #garden :hi"]


async def test_who_is_somebody_elsewhere_too_logs_in_to_nothing_else(house: House) -> None:
    await owner(house)
    carol = await irc_peer(house, "carol")
    await carol.news(f"REGISTER * * {PASSWORD}")
    phone, _ = await another(house)
    [refused] = await phone.news(f"NS IDENTIFY carol {PASSWORD}")
    assert refused.endswith(
        ":You are bob on another device, too: connect again to log in as carol."
    )


async def test_one_person_has_twenty_connections(house: House) -> None:
    await owner(house)
    for _ in range(19):
        await another(house)
    late = await irc_peer(house, "late")
    lines = await late.news(f"NS IDENTIFY bob {PASSWORD}")
    assert "You are here on 20 devices, which is the limit." in "".join(lines)
    assert await devices(late)  # a guest still
    later = await irc_peer(house)
    await later.send(f"PASS bob:{PASSWORD}\r\nNICK bob\r\nUSER bob 0 * :bob\r\n".encode())
    assert "20 devices, which is the limit. Goodbye!" in await later.rest()


async def test_who_shows_the_same_secret_is_the_same_device(house: House) -> None:
    secret = "a-secret-of-the-phone"
    phone = await irc_peer(house, "bob", secret=secret)
    await phone.news(f"REGISTER * * {PASSWORD}")
    again = await irc_peer(house, "bob", secret=secret)
    assert "You have connected again" in await phone.rest()
    assert " 353 bob = #lobby :bob" in "".join(await again.news("NAMES #lobby"))


# ── go ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", [True, False])
async def test_nobody_leaves_before_their_last_connection(house: House, first: bool) -> None:
    """Whichever goes first; and the nickname is theirs until then, and nobody's afterwards."""
    bob, eve = await owner(house), await irc_peer(house, "eve")
    phone, _ = await another(house)
    going, staying = (bob, phone) if first else (phone, bob)
    await eve.news()
    await going.say("QUIT")
    await going.rest()
    await staying.news("PRIVMSG #lobby :still here", "NICK robert")
    assert commands(await eve.news()) == ["PRIVMSG #lobby :still here", "NICK robert"]
    late, _ = await another(house)
    await staying.say("QUIT")
    await staying.rest()
    assert await eve.news() == []
    assert (await eve.news("NICK robert"))[0].split()[1] == "433"
    await late.say("QUIT :bye")
    await late.rest()
    assert commands(await eve.news()) == ["QUIT :Quit: bye"]
    assert commands(await eve.news("NICK robert")) == ["NICK robert"]


async def test_logging_out_ends_one_connection(house: House) -> None:
    bob = await owner(house)
    phone, _ = await another(house)
    await phone.say("NS LOGOUT")
    assert "You are logged out here. Goodbye!" in await phone.rest()
    assert "330" in "".join(await bob.news("WHOIS bob"))


async def test_who_forgets_a_device_that_was_not_kept_logs_out_there_alone(house: House) -> None:
    bob = await owner(house)
    phone, _ = await another(house)
    await phone.say("NS LOGOUT FORGET")
    assert "You are logged out here. Goodbye!" in await phone.rest()
    assert "330" in "".join(await bob.news("WHOIS bob"))


async def test_another_password_ends_those_that_came_by_the_old_one(house: House) -> None:
    bob = await owner(house)
    phone, _ = await another(house)
    assert "PASSWORD" not in "".join(await bob.news("NS SET PASSWORD another-horse"))
    assert "logged out from elsewhere" in await phone.rest()
    assert commands(await bob.news("NAMES #lobby"))[0] == "353 bob = #lobby :bob"


async def test_who_shows_the_password_on_one_connection_may_change_it_there_alone(
    house: House,
) -> None:
    """Though their first one has come by a secret of its own."""
    secret = "a-secret-of-the-phone"
    phone = await irc_peer(house, "bob", secret=secret)
    await phone.news(f"REGISTER * * {PASSWORD}")
    await phone.say("QUIT")
    await phone.rest()
    phone = await irc_peer(house, "bob", secret=secret)
    laptop, _ = await another(house)
    assert "Log in with the password first" in (await phone.news("NS SET PASSWORD another-1"))[0]
    assert "Your password has been changed" in (await laptop.news("NS SET PASSWORD another-2"))[0]


async def test_a_dropped_token_ends_what_it_has_opened_and_nothing_else(house: House) -> None:
    bob = await owner(house)
    [told, _] = await bob.news("NS TOKEN NEW phone")
    phone = await irc_peer(house, "phone")
    await phone.news(f"NS IDENTIFY bob {told.split()[-1]}")
    await bob.news("NS TOKEN DROP phone")
    assert "logged out from elsewhere" in await phone.rest()
    assert commands(await bob.news("NAMES #lobby"))[0] == "353 bob = #lobby :bob"


async def test_devices_are_listed_and_ended(house: House) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve")
    phone, _ = await another(house)
    [guest] = await devices(eve)
    assert guest == "Connection 2 (this one): an IRC client from 127.0.0.1 without TLS."
    assert await devices(phone) == [
        "Connection 1: an IRC client from 127.0.0.1 without TLS, by the password.",
        "Connection 3 (this one): an IRC client from 127.0.0.1 without TLS, by the password.",
    ]
    assert sum(" 320 " in line for line in await bob.news("WHOIS bob")) == 2
    assert not any(" 320 " in line for line in await eve.news("WHOIS bob"))
    assert "no other connection" in "".join(await bob.news("NS DEVICES END 2"))
    assert "Connection 3 has ended." in "".join(await bob.news("NS DEVICES END 3"))
    assert "from another device. Goodbye!" in await phone.rest()


async def devices(peer: IrcPeer) -> list[str]:
    """What is listed, without the times."""
    await peer.news()
    lines = [line.partition(" :")[2] for line in await peer.news("NS DEVICES")]
    return [re.sub(r", since \S+ \S+ UTC", "", line) for line in lines]


async def test_devices_are_told_apart_by_name_and_client(house: House) -> None:
    bob, secret = await owner(house), "a-secret-of-the-laptop"
    [told, _] = await bob.news("NS TOKEN NEW bot")
    bot = await irc_peer(house, "bot")
    await bot.news(f"NS IDENTIFY bob {told.split()[-1]}")
    laptop = await irc_peer(house, "guest", secret=secret)
    await laptop.news(f"NS IDENTIFY bob {PASSWORD}", "NS TOKEN KEEP laptop")
    await another(house, door=web_peer)
    await plain(house)
    assert [line.split(": ", 1)[1] for line in await devices(bob)] == [
        "an IRC client from 127.0.0.1 without TLS, by the password.",
        "bot, an IRC client from 127.0.0.1 without TLS, by a token.",
        "laptop, trio-chat from 127.0.0.1 without TLS, by the password.",
        "a browser from 127.0.0.1 without TLS, by the password.",
        "plain text from 127.0.0.1 without TLS, by the password.",
    ]


# ── what one does, the others see ──────────────────────────────────────────────────────────────

#: What is done; what bob's other connections show, with capabilities or without; whether eve is
#: shown the same, or nothing.
DONE = [
    ("PRIVMSG #lobby :hi", ["PRIVMSG #lobby :hi"], True),
    ("NOTICE #lobby :hi", ["NOTICE #lobby :hi"], True),
    ("PRIVMSG eve :psst", ["PRIVMSG eve :psst"], True),
    (
        "JOIN #new",
        [
            "JOIN #new",
            "MODE #new +o bob",
            "353 bob = #new :@bob",
            "366 bob #new :End of /NAMES list",
        ],
        False,
    ),
    ("PART #lobby :tea", ["PART #lobby tea"], True),
    ("NICK robert", ["NICK robert"], True),
    ("TOPIC #den :leaves", ["TOPIC #den :leaves"], True),
    ("MODE #den +m", ["MODE #den +m"], True),
    ("KICK #den eve :out", ["KICK #den eve out"], True),
    ("INVITE carol #den", [], True),
    ("AWAY :tea", ["306 bob :You have been marked as being away"], False),
    ("MODE bob +i", ["MODE bob +i"], False),
]


@pytest.mark.parametrize(("door", "caps"), [(irc_peer, ""), (irc_peer, ALL), (web_peer, ALL)])
@pytest.mark.parametrize(("line", "shown", "to_all"), DONE)
async def test_what_one_connection_does_the_others_show(
    house: House, line: str, shown: list[str], to_all: bool, caps: str, door: Door
) -> None:
    bob = await owner(house)
    await bob.news("JOIN #den")
    eve, _ = await door(house, "eve", rooms="#lobby,#den"), await irc_peer(house, "carol")
    phone, _ = await another(house, *caps.split(), door=door)
    doer = (await another(house, "echo-message", *LABELS.split(), door=door))[0]
    for peer in (bob, phone, eve):
        await peer.news()
    told = await doer.news(f"@label=x {line}")
    assert any("label=x" in one for one in told)
    seen = [one for one in await phone.news() if " AWAY " not in one]
    assert commands(seen) == shown
    assert not any("label=" in one for one in seen)
    assert commands(await bob.news()) == shown
    assert commands(await eve.news()) == (shown if to_all else [])


async def test_what_others_do_all_connections_show(house: House) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve")
    phone, _ = await another(house, "echo-message")
    await bob.news()
    await eve.news("PRIVMSG bob :psst", "PRIVMSG #lobby :hi", "INVITE bob #lobby", "NICK eva")
    for peer in (bob, phone):
        assert commands(await peer.news()) == [
            "PRIVMSG bob :psst",
            "PRIVMSG #lobby :hi",
            "NICK eva",
        ]


async def test_a_marker_moves_on_all(house: House) -> None:
    bob = await owner(house, "draft/read-marker")
    phone, _ = await another(house, "draft/read-marker")
    stamp = "timestamp=2026-01-01T00:00:00.000Z"
    await bob.news(f"MARKREAD #lobby {stamp}")
    assert commands(await phone.news()) == [f"MARKREAD #lobby {stamp}"]


async def test_monitor_is_of_one_connection(house: House) -> None:
    bob = await owner(house)
    phone, _ = await another(house)
    await phone.news("MONITOR + eve")
    await irc_peer(house, "eve", rooms="")
    assert [line.split()[1] for line in await phone.news()] == ["730"]
    assert await bob.news() == []


async def test_who_is_killed_is_gone_everywhere(house: House) -> None:
    bob, boss = await owner(house), await irc_peer(house, "boss")
    phone, _ = await another(house)
    await promote(house, "boss")
    await boss.news("KILL bob :enough")
    for peer in (bob, phone):
        assert "Killed" in await peer.rest()


async def test_a_token_is_no_operator_though_its_owner_is_one(house: House) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve")
    await bob.news()
    [told, _] = await bob.news("NS TOKEN NEW bot")
    bot = await irc_peer(house, "bot")
    await bot.news(f"NS IDENTIFY bob {told.split()[-1]}")
    await promote(house, "bob")
    assert "MODE bob +o" in commands(await bob.news())
    assert await bot.news() == []  # nor is it told that it were one
    [late, *_] = await irc_peer(house, "late"), await bob.news()
    told = await late.news(f"NS IDENTIFY bob {told.split()[-1]}", "MODE bob")
    assert not any("+o" in line for line in told)
    await bob.news("MODE bob +i")
    for peer in (bot, late):
        assert [one for one in commands(await peer.news()) if "MODE" in one] == ["MODE bob +i"]
        assert (await peer.news("MODE bob"))[0].endswith(" 221 bob +i")
    [refused] = await bot.news("OPER boss sesame")
    assert "A token cannot do that" in refused
    refused = await bot.news("KILL eve :x", "NS DEVICES END 1")
    assert [line.split()[1] for line in refused] == ["481", "NOTICE"]
    await bob.news("KILL eve :x")
    assert "Killed" in await eve.rest()


# ── plain ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_plain_connection_shows_one_room(house: House) -> None:
    bob, eve = await owner(house), await irc_peer(house, "eve", rooms="#lobby,#tea")
    await bob.news("JOIN #tea")
    cat = await plain(house, "#tea")
    await cat.until("*** You are in #lobby, too.\n")
    await eve.news("PRIVMSG #lobby :elsewhere", "PRIVMSG #tea :here", "PRIVMSG bob :psst")
    assert await cat.until("psst\n") == "eve: here\neve -> bob: psst\n"
    await cat.send(b"/join #lobby\n")
    await cat.until("You are bob in #lobby; ")
    await eve.news("PRIVMSG #tea :elsewhere", "PRIVMSG #lobby :here")
    await cat.until("*** The last message:\neve: elsewhere\n")
    assert await cat.until("here\n") == "eve: here\n"
    await bob.news("JOIN #den")
    await cat.send(b"from netcat\n")
    assert await cat.until("netcat\n") == "bob: from netcat\n"
    assert commands(await bob.news())[-1] == "PRIVMSG #lobby :from netcat"
    await cat.send(b"/quit\n")
    await cat.rest()
    assert commands(await eve.news()) == ["PRIVMSG #lobby :from netcat"]


async def test_a_plain_connection_that_was_first_goes_on_showing_one(house: House) -> None:
    cat = await house.connect("bob")
    await cat.send(f"/register {PASSWORD}\n".encode())
    await cat.until("Your nickname is yours now.")
    phone, _ = await another(house)
    await phone.news("JOIN #tea", "PRIVMSG #tea :elsewhere", "PRIVMSG #lobby :here")
    shown = await cat.until("bob: here\n")
    assert "elsewhere" not in shown
    await cat.send(b"/join #tea\n")
    await cat.until("You are bob in #tea; ")
    assert await phone.news() == []
    names = await phone.news("NAMES #lobby", "NAMES #tea")
    assert sum(" 353 " in line for line in names) == 2


async def test_who_logs_in_at_the_door_is_told_as_whom(house: House) -> None:
    bob = await owner(house)
    cat = await house.connect()
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    await cat.until("*** You are logged in as bob.\n")
    for peer in (cat, bob):
        await peer.send(b"QUIT\r\n" if peer is bob else b"/quit\n")
        await peer.rest()
    cat = await house.connect()
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    await cat.until("*** You are logged in as bob.\n")


async def test_a_plain_guest_who_logs_in_stays_where_they_are(house: House) -> None:
    bob, cat = await owner(house), await house.connect("guest")
    await cat.send(b"/join #garden\n")
    await cat.until("in #garden; ")
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    await cat.until("You are bob in #garden; ")
    await cat.send(b"hello\n")
    await cat.until("bob: hello\n")
    assert commands(await bob.news())[-1] == "PRIVMSG #garden :hello"


async def test_a_plain_guest_who_is_where_all_begin_does_not_take_that_along(house: House) -> None:
    """The account may have left the lobby on purpose: what it is in is shown instead."""
    bob, cat = await owner(house), await house.connect("guest")
    await bob.news("JOIN #garden", "PART #lobby")
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    await cat.until("You are bob in #garden; ")
    assert not [line for line in await bob.news() if " JOIN #lobby" in line and ":bob!" in line]


# ── several at once ────────────────────────────────────────────────────────────────────────────


async def test_those_who_come_at_once_under_an_account_are_one_person(house: House) -> None:
    bob = await owner(house)
    await bob.send(b"QUIT\r\n")
    await bob.rest()
    peers = [await irc_peer(house) for _ in range(3)]
    for number, peer in enumerate(peers):
        await peer.news("CAP REQ sasl", f"NICK n{number}")
        await by_plain(peer, "bob", PASSWORD)
    for peer in peers:
        await peer.send(b"USER u 0 * :u\r\nCAP END\r\n")
    for peer in peers:
        await peer.until(" 422 ")
    assert ":There are 1 users and 0 invisible on 1 servers" in " ".join(
        await peers[0].news("LUSERS")
    )
    assert len([line for line in await peers[0].news("NS DEVICES") if " from " in line]) == 3


async def test_so_are_guests_who_log_in_at_once(house: House) -> None:
    bob = await owner(house)
    await bob.send(b"QUIT\r\n")
    await bob.rest()
    peers = [await irc_peer(house, f"guest{number}") for number in range(3)]
    for peer in peers:
        await peer.send(f"PRIVMSG NickServ :IDENTIFY bob {PASSWORD}\r\n".encode())
    for peer in peers:
        await peer.until(" 900 ")
    assert ":There are 1 users and 0 invisible on 1 servers" in " ".join(
        await peers[0].news("LUSERS")
    )


# ── what one device does, without a word of the others ─────────────────────────────────────────


async def test_a_note_to_oneself_comes_once_to_each_device(house: House) -> None:
    bob = await owner(house, "echo-message", "message-tags")
    phone, _ = await another(house, "echo-message", "message-tags")
    bare, _ = await another(house)
    lines = await bob.news("PRIVMSG bob :milk")
    assert len([line for line in lines if line.endswith("PRIVMSG bob :milk")]) == 2  # and its echo
    for device in (phone, bare):
        assert len([line for line in await device.news() if "milk" in line]) == 1


async def test_others_are_told_at_once_that_one_is_away(house: House) -> None:
    bob = await owner(house)
    phone, _ = await another(house)
    await bob.send(b"AWAY :tea\r\n")
    await phone.until(" 306 bob :")
    await bob.send(b"AWAY\r\n")
    await phone.until(" 305 bob :")


async def test_who_comes_is_told_that_they_are_away(house: House) -> None:
    bob = await owner(house)
    _, told = await another(house)
    assert not any(" 306 " in line for line in told)
    await bob.news("AWAY :tea")
    _, told = await another(house)
    assert [line for line in told if " 306 " in line] == [
        ":chat.local 306 bob :You have been marked as being away"
    ]
    guest = await irc_peer(house, "guest")
    assert any(" 306 bob " in line for line in await guest.news(f"NS IDENTIFY bob {PASSWORD}"))
    netcat = await plain(house)
    await netcat.until("*** You are away, as you have said on another device: tea\n")
    await bob.news("AWAY")
    await netcat.until("*** You are back, as you have said on another device.\n")
    await bob.news("AWAY :lunch")
    await netcat.until("*** You are away, as you have said on another device: lunch\n")


async def test_netcat_is_told_when_its_room_is_left_elsewhere(house: House) -> None:
    bob = await owner(house)
    await bob.news("JOIN #tea")
    netcat = await plain(house, "#tea")
    await bob.news("PART #tea")
    await netcat.until("*** You have left #tea on another device. /join goes to a room.\n")
