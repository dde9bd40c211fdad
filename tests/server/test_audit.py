"""The audit: who did what to whom, for those who may know."""

import re
from pathlib import Path

import pytest

from admin_socket import texts, user
from irc_peers import IrcPeer, irc_peer
from peers import House
from trio_chat.server import archive


def undated(lines: list[str]) -> list[str]:
    return [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ", "", line) for line in lines]


async def audit(peer: IrcPeer, asked: str = "") -> list[str]:
    replies = await peer.messages(f"AUDIT {asked}".strip())
    return undated([reply.params[-1] for reply in replies if reply.command == "NOTICE"])


async def test_the_operators_of_a_room_see_what_was_done_there(house: House) -> None:
    alice = await irc_peer(house, "alice", rooms="#tea")
    bob = await irc_peer(house, "bob", rooms="#tea")
    await alice.news("MODE #tea +b mallory!*@*", "KICK #tea bob :spam", "TOPIC #tea :Be kind.")
    await bob.news("JOIN #tea")
    done = [
        "#tea: alice banned mallory!*@*.",
        "#tea: alice kicked bob out of #tea: spam",
        "#tea: alice set the topic: Be kind.",
    ]
    assert await audit(alice) == await audit(alice, "#tea") == done
    assert await audit(alice, "#tea 1") == done[-1:]
    assert await audit(alice, "bob") == done[1:2]
    assert await audit(alice, "MALLORY") == done[:1]
    assert await audit(alice, "nobody") == ["Operators have done nothing there."]
    [usage] = await bob.messages("AUDIT a b c")
    assert usage.params[-1] == "AUDIT: Usage: AUDIT [ROOM|NAME] [N]"
    for asked in ("AUDIT #tea", "AUDIT", "AUDIT alice"):
        [refused] = await bob.messages(asked)
        assert refused.command in ("481", "482", "FAIL"), asked


async def test_what_was_done_to_a_guest_is_found_by_their_name(house: House) -> None:
    """Also the end of it, which is about an address; and what was done to an account by another."""
    boss = await irc_peer(house, "boss", rooms="#tea")
    await boss.news("OPER boss sesame")
    peer = IrcPeer((await house.link(address="192.0.2.1")).stream)
    await peer.say("NICK mallory", "USER m 0 * :m", "JOIN #tea")
    await peer.until(" 366 ")
    await boss.news("BAN #tea mallory", "UBAN ADD mallory :spam", "UBAN DEL mallory")
    await boss.news("UNBAN #tea mallory")
    assert await audit(boss, "Mallory") == [
        "#tea: boss banned *!*@192.0.2.1 (mallory).",
        "#tea: boss kicked mallory out of #tea.",
        "boss set ban 1: network 192.0.2.1 (mallory) may not come in (spam).",
        "boss lifted ban 1: network 192.0.2.1 (mallory).",
        "#tea: boss lifted the ban on *!*@192.0.2.1 (mallory).",
    ]
    bob = await irc_peer(house, "bob", rooms="#tea")
    await bob.news("REGISTER * * correct-horse", "NICK bobby")
    await boss.news("KICK #tea bobby :out", "KILL bobby :out")
    assert (await audit(boss, "bob"))[-2:] == [
        "#tea: boss kicked bobby out of #tea: out",
        "boss disconnected bobby: out",
    ]


async def test_what_somebody_did_is_found_in_rooms_that_are_closed_now(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await irc_peer(house, "bob")
    for room in ("#a", "#b", "#c"):
        await bob.news(f"JOIN {room}", f"MODE {room} +t", f"PART {room}")
    boss = await irc_peer(house, "boss")
    await boss.news("OPER boss sesame")
    assert [line[:2] for line in await audit(boss, "bob")] == ["#a", "#b", "#c"]
    monkeypatch.setattr(archive, "_PAGE", 2)
    monkeypatch.setattr(archive, "_PAGES", 1)
    notes = ["Only what was done since", "/audit ROOM looks back"]
    found = await audit(boss, "bob")
    assert [line[: len(note)] for line, note in zip(found, notes, strict=False)] == notes
    assert [line[:2] for line in found[2:]] == ["#c"]


async def test_those_of_the_server_see_everything(house: House, path: Path) -> None:
    for nick in ("alice", "carol"):
        await irc_peer(house, nick, rooms="#tea")
    bob = await irc_peer(house, "bob", rooms="#tea")
    await bob.news("REGISTER * * correct-horse")
    boss = await irc_peer(house, "boss")
    await boss.news("OPER boss sesame")
    await boss.news("KILL bob :spam", "UBAN ADD bob spam", "KICK #tea alice :out")
    await texts(path, "account reset bob", "#tea topic Be kind.")
    done = [
        "bob registered.",
        "boss became an operator of this server by the password boss.",
        "boss disconnected bob: spam",
        "boss set ban 1: account bob may not come in (spam).",
    ]
    done.append(f"chat.local ({user()}) let in the owner of bob, who had lost the password.")
    assert await audit(boss) == done
    assert (await audit(boss, "bob"))[:1] == done[:1]
    assert await audit(boss, "alice") == ["#tea: boss kicked alice out of #tea: out"]
    assert await texts(path, "audit #nowhere") == ["Operators have done nothing there."]
    assert await texts(path, "reports") == ["Nothing was reported."]
    topic = f"#tea: chat.local ({user()}) set the topic: Be kind."
    assert undated(await texts(path, "audit #tea 1")) == [topic]
