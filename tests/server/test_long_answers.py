"""Long answers come in parts, and nobody can tell but by the time it takes."""

import pytest
import trio
import trio.testing

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from trio_chat.core import answers
from trio_chat.server.transport import Link

LINES = [
    "WHO #lobby",
    "WHO #lobby %nf",
    "WHO *a*",
    "WHO z*",
    "WHO * o",
    "LIST",
    "LIST >1",
    "LIST x",
    "NAMES #lobby",
    "NAMES #lobby,#anna,#nowhere",
]


async def told(house: House, nick: str) -> list[str]:
    """The answers to all lines, first without labels."""
    peer = await irc_peer(house, nick, "labeled-response", "batch")
    answers = await peer.news(*LINES, *(f"@label={line[:4]} {line}" for line in LINES))
    await peer.say("QUIT")
    await peer.rest()
    return [line.replace(nick, "asker").replace(nick.title(), "Asker") for line in answers]


async def test_parts_make_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(settings()) as house:
        for nick in ("anna", "boris"):
            await irc_peer(house, nick, rooms=f"#lobby,#{nick}")
        whole = await told(house, "one")
        monkeypatch.setattr(answers, "_PART", 1)
        monkeypatch.setattr(answers, "_NAMES", 0)
        assert await told(house, "two") == whole
        assert sum(" 352 " in line for line in whole) == 2 * (3 + 1)
        plain = await house.connect("cleo")
        await plain.send(b"/rooms\n/who #anna\n")
        assert await plain.until("*** In #anna (1): anna\n") == (
            "*** #lobby (3)\n*** #anna (1)\n*** #boris (1)\n*** In #anna (1): anna\n"
        )


async def test_others_are_answered_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_PART", 1)
    async with running(settings()) as house:
        asker, *others = [await irc_peer(house, nick, link=True) for nick in "abcdefghjkmnpqrs"]
        await asker.news()
        await asker.say("WHO *")
        await others[0].news("PING others")
        so_far = await asker.stream.receive_some(1_000_000)
        assert 0 < so_far.count(b" 352 ") < 16
        assert b" 315 " not in so_far


@pytest.mark.parametrize(
    ("asked", "row", "each"),
    [("WHO #lobby", b" 352 ", 8), ("NAMES #lobby", b" 353 ", 1), ("JOIN #lobby", b" 353 ", 1)],
)
async def test_many_who_ask_take_turns(
    asked: str, row: bytes, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_PART", 1)
    monkeypatch.setattr(answers, "_NAMES", 0)
    rows = most = 0

    def count(data: bytes) -> int:
        nonlocal rows
        rows += data.count(row)
        return len(data)

    async with running(settings()) as house:
        for nick in "abcdefgh":
            await irc_peer(house, nick, link=True)
        for number in range(5):
            ours, theirs = trio.testing.memory_stream_pair()
            link = Link(theirs, "memory")
            link.write_now = count
            house.server.take(link)
            peer = IrcPeer(ours)
            house.peers.append(peer)
            await peer.say(f"NICK asker{number}", "USER a 0 * :A", asked)
        while rows < 5 * each:
            before = rows
            await trio.lowlevel.checkpoint()
            most = max(most, rows - before)
    # We may be the first in one pass of trio's loop and the last in the next.
    assert 0 < most <= 2
