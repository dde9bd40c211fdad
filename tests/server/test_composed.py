"""Whoever writes an accent apart from its letter means the same name, wherever they write it."""

import re
import unicodedata

from irc_peers import irc_peer
from peers import running

ROOM, NICK, OTHER = "#caf\u00e9", "zo\u00e9", "ren\u00e9"
APART = {name: unicodedata.normalize("NFD", name) for name in (ROOM, NICK, OTHER)}


async def test_a_room_is_made_and_found_under_its_composed_name() -> None:
    async with running() as house:
        alice = await irc_peer(house, "alice", rooms="", link=True)
        heard = await alice.news(f"JOIN {APART[ROOM]}")
        assert any(line.endswith(f" JOIN {ROOM}") for line in heard), heard
        for line in ("TOPIC {} :x", "MODE {} +b carl", "NAMES {}", "PRIVMSG {} :hi", "WHO {}"):
            written = line.format(APART[ROOM])
            heard = await alice.news(written)
            told = (text for text in heard if not re.search(" 315 | 366 ", text))  # ends repeat it
            assert not any(APART[ROOM] in text for text in told), written
        bob = await house.link("bob")
        await bob.send(f"/join {APART[ROOM]}\n".encode())
        assert f"You are bob in {ROOM};" in await bob.until("more.\n")


async def test_a_nickname_is_taken_composed() -> None:
    async with running() as house:
        plain = await house.link(APART[NICK])
        assert f"You are {NICK} in #lobby" in plain.received.decode()
        alice = await irc_peer(house, "alice", rooms="", link=True)
        assert "taken" in "".join(await alice.news(f"NICK {APART[NICK]}"))
        assert f":{NICK}!" in "".join(await alice.news(f"MONITOR + {APART[NICK]}"))
        assert f" 311 alice {NICK} " in "".join(await alice.news(f"WHOIS {APART[NICK]}"))
        await plain.send(b"/nick bob\n")
        await plain.until("is now bob.\n")
        heard = "".join(await alice.news(f"NICK {APART[NICK]}"))
        assert f":alice!alice@memory NICK {NICK}" in heard
        other = await irc_peer(house, link=True)
        assert f" 001 {OTHER} " in "".join(
            await other.news(f"NICK {APART[OTHER]}", "USER x 0 * :X")
        )
