"""Whoever logs in is in the rooms where they were."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bob import PASSWORD, back, gone, rooms_of
from irc_peers import IrcPeer, irc_peer, promote, settings
from peers import House, Peer, running


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


async def owner(house: House, *lines: str, rooms: str = "#lobby") -> IrcPeer:
    """Bob, who has registered."""
    bob = await irc_peer(house, "bob", rooms=rooms)
    await bob.news(f"REGISTER * * {PASSWORD}", *lines)
    return bob


def commands(lines: list[str], room: str = "") -> list[str]:
    """What the lines are; of one room alone, if one is named."""
    return [line.split()[1] for line in lines if room in line]


async def plain_back(house: House) -> Peer:
    cat = await house.connect()
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    return cat


# ── who logs in comes back ─────────────────────────────────────────────────────────────────────


async def test_who_logs_in_is_in_the_rooms_where_they_were(house: House) -> None:
    bob = await owner(house, "JOIN #tea", "TOPIC #tea :leaves", "JOIN #den", "PART #den")
    eve = await irc_peer(house, "eve", rooms="#tea")
    await gone(bob)
    await eve.news("PRIVMSG #tea :meanwhile")
    bob = await back(house)
    shown = await bob.news()
    assert commands(shown, "#den") == []
    assert commands(shown, "#lobby") == ["JOIN", "353", "366"]
    assert commands(shown, "#tea") == ["JOIN", "332", "333", *["NOTICE"] * 3, "353", "366"]
    assert sum("meanwhile" in line for line in shown) == 1
    assert commands(await eve.news()) == ["JOIN", "MODE"]
    assert await bob.news("JOIN #lobby,#tea") == []  # as clients do by themselves


async def test_who_logs_in_later_is_there_as_well(house: House) -> None:
    await gone(await owner(house, "JOIN #tea"))
    guest = await irc_peer(house, "guest", rooms="#garden")
    await guest.news(f"NS IDENTIFY bob {PASSWORD}")
    names = await guest.news("WHOIS guest")
    [rooms] = [line for line in names if " 319 " in line]
    assert {*rooms.rpartition(":")[2].replace("@", "").split()} == {"#lobby", "#tea", "#garden"}
    await gone(guest)
    assert await rooms_of(await back(house)) == ["#garden", "#lobby", "#tea"]


@pytest.mark.parametrize("is_here", [True, False])
@pytest.mark.parametrize("plain", [True, False])
async def test_who_logs_in_later_is_an_operator_as_before(
    house: House, plain: bool, is_here: bool
) -> None:
    """They are made one once, and do not become the founder by it."""
    ann = await irc_peer(house, "ann", rooms="#tea")
    bob = await owner(house, "JOIN #tea", "PART #lobby")
    eve = await irc_peer(house, "eve", rooms="#tea")
    await ann.news("MODE #tea +o bob", "PART #tea")
    if not is_here:
        await gone(bob)
    await eve.news()
    nick = "bob" if is_here else "guest"
    if plain:
        cat = await house.connect("guest")
        await cat.send(f"/login bob {PASSWORD}\n/who\n/op eve\n".encode())
        await cat.until("set mode +o eve")
    else:
        guest = await irc_peer(house, "guest", rooms="")
        await guest.news(f"NS IDENTIFY bob {PASSWORD}", "MODE #tea +o eve")
    told = commands(await eve.news(), "#tea")
    assert told == (["MODE"] if is_here else ["JOIN", "MODE", "MODE"])
    assert commands(await eve.news(f"MODE #tea -o {nick}")) == ["MODE"]


async def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    chosen = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(chosen) as house:
        await owner(house, "JOIN #tea")
    async with running(chosen) as house:
        assert await rooms_of(await back(house)) == ["#lobby", "#tea"]


@pytest.mark.parametrize("end", [b"QUIT\r\n", b"KILL bob :x\r\n"])
async def test_only_who_leaves_a_room_has_left_it(house: House, end: bytes) -> None:
    bob = await owner(house, "JOIN #tea", "PART #lobby")
    await promote(house, "bob")
    await gone(bob, end)
    assert await rooms_of(await back(house)) == ["#tea"]


async def test_nobody_is_where_they_left_on_another_connection(house: House) -> None:
    bob = await owner(house, "JOIN #tea,#den")
    phone = await back(house)
    await phone.news("PART #tea")
    await bob.news("PART #den")
    await gone(bob)
    await gone(phone)
    assert await rooms_of(await back(house)) == ["#lobby"]


async def test_nobody_is_where_another_account_was(house: House) -> None:
    await gone(await owner(house, "JOIN #tea"))
    carol = await irc_peer(house, "carol", rooms="#garden")
    await carol.news(f"REGISTER * * {PASSWORD}")
    names = "".join(await carol.news("NAMES #tea"))
    assert "carol" not in names.replace("366 carol", "").replace("353 carol", "")
    await carol.news(f"NS IDENTIFY bob {PASSWORD}")
    await gone(carol)
    assert await rooms_of(await back(house)) == ["#garden", "#lobby", "#tea"]


async def test_what_was_left_after_logging_out_is_a_guests(house: House) -> None:
    bob = await owner(house, "JOIN #tea")
    await bob.news("NS LOGOUT", "PART #tea", "JOIN #garden")
    await gone(bob)
    assert await rooms_of(await back(house)) == ["#lobby", "#tea"]


# ── what has become of the rooms ───────────────────────────────────────────────────────────────

#: What the founder of #tea does after bob has gone; where bob is then, and what he is told.
MEANWHILE = [
    ("PRIVMSG #tea :hi", ["#lobby", "#tea"], []),
    ("RENAME #tea #coffee", ["#lobby", "#coffee"], []),
    ("MODE #tea +b bob!*@*", ["#lobby"], ["474"]),
    ("MODE #tea +b a:bob", ["#lobby"], ["474"]),
    ("MODE #tea +i", ["#lobby"], ["473"]),
    ("MODE #tea +k sesame", ["#lobby"], ["475"]),
    ("MODE #tea +l 1", ["#lobby", "#tea"], []),
    ("MODE #tea +R", ["#lobby", "#tea"], []),
]


@pytest.mark.parametrize(("line", "rooms", "told"), MEANWHILE)
async def test_a_room_says_who_comes_back(
    house: House, line: str, rooms: list[str], told: list[str]
) -> None:
    """Who is kept out of a room is told so once."""
    eve = await irc_peer(house, "eve", rooms="#tea")
    await gone(await owner(house, "JOIN #tea"))
    await eve.news(line)
    bob = await back(house)
    lines = [one.split() for one in await bob.news()]
    assert [one[2].lstrip(":") for one in lines if one[1] == "JOIN"] == rooms
    assert [one[1] for one in lines if one[1].startswith("47")] == told
    await gone(bob)
    await eve.news(line.replace("+", "-"))
    assert await rooms_of(await back(house)) == rooms


@pytest.mark.parametrize("mode", ["+i", "+k sesame"])
async def test_who_was_in_when_a_room_was_shut_comes_back(house: House, mode: str) -> None:
    eve = await irc_peer(house, "eve", rooms="#tea")
    bob = await owner(house, "JOIN #tea")
    await eve.news(f"MODE #tea {mode}")
    await gone(bob)
    assert await rooms_of(await back(house)) == ["#lobby", "#tea"]


async def test_who_has_left_such_a_room_stays_outside(house: House) -> None:
    eve = await irc_peer(house, "eve", rooms="#tea")
    bob = await owner(house, "JOIN #tea")
    await eve.news("MODE #tea +i")
    await gone(bob, b"PART #tea\r\nQUIT\r\n")
    bob = await back(house)
    assert await rooms_of(bob) == ["#lobby"]
    assert " 473 " in (await bob.news("JOIN #tea"))[0]


async def test_who_was_kicked_is_not_there(house: House) -> None:
    eve = await irc_peer(house, "eve", rooms="#tea")
    bob = await owner(house, "JOIN #tea")
    await eve.news("KICK #tea bob")
    await gone(bob)
    assert await rooms_of(await back(house)) == ["#lobby"]


async def test_a_deleted_account_leaves_nothing(house: House) -> None:
    bob = await owner(house, "JOIN #tea")
    await bob.news("NS DROP bob", "PART #lobby")
    assert [*await house.server._log.places("bob")] == []


async def test_nobody_is_in_more_rooms_than_they_may_be() -> None:
    async with running(settings(limits={"rooms_each": 3})) as house:
        await gone(await owner(house, "JOIN #a,#b"))
        house.server._hub.chat.rooms_each = 2
        bob = await back(house)
        assert "".join(await bob.news()).count(" 405 ") == 1
        await gone(bob)
        assert len(await rooms_of(await back(house))) == 2


# ── one room at a time ─────────────────────────────────────────────────────────────────────────


async def test_a_plain_person_is_shown_the_last_room_and_is_in_all(house: House) -> None:
    await gone(await owner(house, "JOIN #den", "JOIN #tea"))
    eve = await irc_peer(house, "eve", rooms="#den")
    cat = await plain_back(house)
    told = await cat.until("*** You are in #lobby, #den, too.\n")
    assert [line for line in told.splitlines() if "in #" in line] == [
        "*** You are bob in #tea; nobody else is here yet. /help for more.",
        "*** You are in #lobby, #den, too.",
    ]
    await eve.news("PRIVMSG #den :elsewhere")
    await cat.send(b"/join #den\n")
    await cat.until("eve: elsewhere\n")
    await cat.send(b"hello\n/quit\n")
    await cat.rest()
    shown = [line.partition(" ")[2] for line in await eve.news()]
    assert [line for line in shown if line.startswith("PRIVMSG")] == ["PRIVMSG #den :hello"]
    assert await rooms_of(await back(house)) == ["#lobby", "#den", "#tea"]


async def test_who_goes_to_another_room_leaves_the_one_before(house: House) -> None:
    await gone(await owner(house, "JOIN #tea"))
    cat = await plain_back(house)
    await cat.until("You are bob in #tea;")
    await cat.send(b"/join #new\n")
    await cat.until("You are bob in #new;")
    await gone(cat, b"/quit\n")
    assert await rooms_of(await back(house)) == ["#lobby", "#new"]


async def test_a_plain_guest_who_logs_in_in_the_lobby_is_shown_the_last_room(house: House) -> None:
    await gone(await owner(house, "JOIN #tea"))
    cat = await house.connect("guest")
    await cat.send(f"/login bob {PASSWORD}\n".encode())
    await cat.until("You are guest in #tea;")
    await cat.send(b"hello\n")
    await cat.until("guest: hello\n")
    await gone(cat, b"/quit\n")
    assert await rooms_of(await back(house)) == ["#lobby", "#tea"]


async def test_a_plain_guest_who_has_gone_elsewhere_stays_there(house: House) -> None:
    await gone(await owner(house, "JOIN #tea"))
    cat = await house.connect("guest")
    await cat.send(b"/join #garden\n")
    await cat.until("You are guest in #garden;")
    await cat.send(f"/login bob {PASSWORD}\nhello\n".encode())
    told = await cat.until("guest: hello\n")
    assert "#tea;" not in told
    eve = await irc_peer(house, "eve", rooms="#tea,#garden")
    assert sum("guest" in line and " 353 " in line for line in await eve.news("NAMES #tea")) == 1


async def test_a_plain_person_who_was_nowhere_is_in_the_lobby(house: House) -> None:
    await gone(await owner(house, "PART #lobby"))
    await (await plain_back(house)).until("You are bob in #lobby;")


# ── unless they say otherwise ──────────────────────────────────────────────────────────────────

ALWAYS = "always-on is off: you leave with the last of your devices."
ON = "rooms is on: when you log in, you are in the rooms where you were."
OFF = "rooms is off: when you log in, you are not in the rooms where you were."


def words(lines: list[str]) -> list[str]:
    return [line.partition(" :")[2] for line in lines]


async def test_an_account_can_begin_in_no_room(house: House) -> None:
    """Until it chooses otherwise; where it was is not forgotten."""
    bob = await owner(house, "JOIN #tea")
    assert words(await bob.news("NS SET")) == [ON, ALWAYS]
    assert words(await bob.news("NS SET Rooms OFF", "NS SET")) == [OFF, OFF, ALWAYS]
    await gone(bob)
    bob = await back(house)
    assert await rooms_of(bob) == []
    await gone(bob)
    cat = await plain_back(house)
    await cat.until("You are bob in #lobby;")
    await cat.send(b"/set\n/set rooms on\n/set rooms\n/set tea on\n")
    assert await cat.until("and always-on.\n") == (
        " nobody else is here yet. /help for more.\n*** You are logged in as bob.\n"
        f"*** {OFF}\n*** {ALWAYS}\n*** {ON}\n"
        "*** rooms is either on or off.\n*** You can choose rooms and always-on.\n"
    )
    await gone(cat, b"/quit\n")
    assert await rooms_of(await back(house)) == ["#tea", "#lobby"]


async def test_what_an_account_chooses_outlives_the_server(tmp_path: Path) -> None:
    chosen = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(chosen) as house:
        await owner(house, "NS SET ROOMS OFF")
    for _ in range(2):  # from the log, and from what was saved of it
        async with running(chosen) as house:
            bob = await back(house)
            assert await rooms_of(bob) == []
            assert words(await bob.news("NS SET")) == [OFF, ALWAYS]


async def test_a_connection_can_begin_in_no_room(house: House) -> None:
    await gone(await owner(house, "JOIN #tea"))
    bot = await back(house, "CAP REQ trio-chat/no-rooms")
    assert await rooms_of(bot) == []
    assert await rooms_of(await back(house)) == ["#lobby", "#tea"]
    assert await rooms_of(bot) == ["#lobby", "#tea"]  # as what is done by other connections


AGAIN = "@+trio-chat/remembered JOIN #tea"
LEFT = "You are not in #tea any more, on any device."


async def test_a_client_does_not_bring_back_a_room_that_was_left_elsewhere(house: House) -> None:
    """Only where the account's rooms come back; what somebody wants is another matter."""
    bob = await owner(house, "JOIN #tea")
    assert await bob.news(AGAIN) == []
    phone = await back(house)
    await phone.news("PART #tea")
    await gone(bob)
    bob = await back(house)
    assert await rooms_of(bob) == ["#lobby"]
    assert words(await bob.news(AGAIN)) == [LEFT]
    assert any(" JOIN #tea" in line for line in await bob.news("JOIN #tea"))
    await bob.news("PART #tea", "NS SET ROOMS OFF")
    assert any(" JOIN #tea" in line for line in await bob.news(AGAIN))
    await bob.news("PART #tea", "NS SET ROOMS ON")
    bot = await back(house, "CAP REQ trio-chat/no-rooms")
    assert any(" JOIN #tea" in line for line in await bot.news(AGAIN))
    guest = await irc_peer(house, "guest", rooms="")
    assert any(" JOIN #tea" in line for line in await guest.news(AGAIN))


OTHERWISE = "@+trio-chat/otherwise JOIN #lobby"


async def test_a_client_that_knows_no_room_begins_somewhere_only_for_who_is_nowhere(
    house: House,
) -> None:
    bob = await owner(house, "JOIN #tea", "PART #lobby")
    phone = await back(house)
    await phone.say(OTHERWISE)
    assert await rooms_of(phone) == ["#tea"]
    await gone(bob)
    await gone(phone)
    phone = await back(house)
    await phone.say(OTHERWISE)
    assert await rooms_of(phone) == ["#tea"]
    await phone.news("PART #tea")
    assert any(" JOIN #lobby" in line for line in await phone.news(OTHERWISE))
    guest = await irc_peer(house, "guest", rooms="")
    assert any(" JOIN #lobby" in line for line in await guest.news(OTHERWISE))


@pytest.mark.parametrize("is_here", [True, False])
@pytest.mark.parametrize("left", [True, False])
async def test_a_guest_who_logs_in_leaves_the_room_where_they_only_began(
    house: House, is_here: bool, left: bool
) -> None:
    """Unless the account is there, too."""
    bob = await owner(house, "JOIN #tea", *(["PART #lobby"] if left else []))
    eve = await irc_peer(house, "eve", rooms="#lobby,#tea")
    if not is_here:
        await gone(bob)
    guest = await irc_peer(house, "guest", rooms="")
    await guest.news(OTHERWISE)
    told = await guest.news(f"NS IDENTIFY bob {PASSWORD}")
    assert sum(" JOIN #tea" in line for line in told) == 1
    assert sum(" PART #lobby" in line for line in told) == left
    there = {"#tea"} if left else {"#tea", "#lobby"}
    assert await seen_in(eve, "bob" if is_here else "guest") == there
    await gone(guest)
    if is_here:
        await gone(bob)
    assert {*await rooms_of(await back(house))} == there


async def test_a_room_that_a_guest_has_asked_for_comes_along(house: House) -> None:
    bob = await owner(house, "JOIN #tea", "PART #lobby")
    guest = await irc_peer(house, "guest", rooms="")
    told = await guest.news(OTHERWISE, "JOIN #lobby", f"NS IDENTIFY bob {PASSWORD}")
    assert not [line for line in told if " PART " in line]
    assert await seen_in(bob, "bob") == {"#tea", "#lobby"}


@pytest.mark.parametrize("is_here", [True, False])
async def test_a_plain_guest_who_logs_in_is_in_the_rooms_of_the_account(
    house: House, is_here: bool
) -> None:
    bob = await owner(house, "JOIN #tea", "PART #lobby")
    eve = await irc_peer(house, "eve", rooms="#lobby,#tea")
    if not is_here:
        await gone(bob)
    guest = await house.connect("guest")
    await guest.send(f"/login bob {PASSWORD}\n/who\n".encode())
    await guest.until("*** In #tea (2): ")
    assert await seen_in(eve, "bob" if is_here else "guest") == {"#tea"}


async def seen_in(peer: IrcPeer, nick: str) -> set[str]:
    """The rooms in which somebody is."""
    [rooms] = [line for line in await peer.news(f"WHOIS {nick}") if " 319 " in line]
    return {*rooms.rpartition(":")[2].replace("@", "").split()}


async def test_nobody_chooses_for_an_account_that_is_not_theirs(house: House) -> None:
    bob = await owner(house)
    [told, _] = await bob.news("NS TOKEN NEW bot")
    await gone(bob)
    guest = await irc_peer(house, "guest")
    assert words(await guest.news("NS SET ROOMS OFF", "NS SET")) == ["You are not logged in."] * 2
    await guest.news(f"NS IDENTIFY bob {told.split()[-1]}")
    refused = ["A token cannot do that: log in with the password."]
    assert words(await guest.news("NS SET ROOMS OFF")) == refused


async def test_who_asks_for_all_that_is_kept_is_told_where_they_are(house: House) -> None:
    bob = await owner(house, "JOIN #tea", "NS SET ROOMS OFF")
    kept = json.loads("\n".join(words(await bob.news("NS EXPORT"))))
    assert (kept["rooms"], kept["chosen"]) == (
        ["#lobby", "#tea"],
        {"rooms": False, "always-on": False},
    )
