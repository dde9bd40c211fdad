"""Reports: somebody puts a message before those who moderate, and nobody else sees that."""

from pathlib import Path

import pytest

from admin_socket import ask
from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running

TOLD = "bob reported a message of mallory's in #tea (spam): /quote REPORTS shows it."
WAITS = ":chat.local NOTICE {} :A report waits to be seen: /quote REPORTS"
PASSWORD = "correct-horse"
NOT_NOW = "The operators of #tea and of this server may read that message now: "


async def tea(house: House) -> list[IrcPeer]:
    """An operator of the room, somebody else, and mallory, who has said something there."""
    people = [await irc_peer(house, nick, rooms="#tea") for nick in ("alice", "bob", "mallory")]
    await people[2].news("PRIVMSG #tea :buy pills")
    for peer in people:
        await peer.news()
    return people


async def notices(peer: IrcPeer, *lines: str) -> list[str]:
    replies = await peer.messages(*lines)
    return [reply.params[-1] for reply in replies if reply.command == "NOTICE"]


async def logged_in(house: House, nick: str) -> IrcPeer:
    return await irc_peer(house, nick, password=f"{nick}:{PASSWORD}")


def waiting(lines: list[str]) -> list[str]:
    return [line for line in lines if "/quote REPORTS" in line]


async def test_the_operators_who_are_here_are_told_and_nobody_else(house: House) -> None:
    alice, bob, mallory = await tea(house)
    boss = await irc_peer(house, "boss")
    await boss.news("OPER boss sesame")
    told = await notices(bob, "REPORT #tea last mallory spam")
    assert told == [NOT_NOW + "2 of them are here."]
    for operator in (alice, boss):
        assert any(TOLD in line for line in await operator.news())
        line, words = await notices(operator, "REPORTS")
        assert line.endswith(" bob reported a message of mallory's in #tea (spam).")
        assert words.endswith(" mallory: buy pills")
    assert not any("reported" in line for line in await mallory.news())
    [refused] = await mallory.messages("REPORTS")
    assert refused.params[-1].endswith("Only operators, of a room or of this server, may see that.")


async def test_those_who_come_later_are_told_once(house: House, path: Path) -> None:
    _, bob, _ = await tea(house)
    msgid = (await notices(bob, "REPORT #tea last mallory"))[0]
    assert msgid.endswith("one of them is here.")
    boss = await irc_peer(house, "boss")
    for _ in range(2):
        waiting = [line for line in await boss.news("OPER boss sesame") if "/quote REPORTS" in line]
        assert len(waiting) == 1
        assert "A report waits to be seen: /quote REPORTS" in waiting[0]
        await boss.news("MODE boss -o")
    await boss.news("OPER boss sesame")
    assert len(await notices(boss, "REPORTS")) == 2
    assert not any("REPORTS" in line for line in await boss.news("OPER boss sesame"))
    [report] = await ask(path, "reports")
    assert report["type"] == "report"
    assert report["text"].endswith("mallory: buy pills")


async def test_our_own_client_is_told_that_it_is_urgent(house: House) -> None:
    alice, bob, _ = await tea(house)
    await notices(alice, "REPORT #tea last mallory spam")
    boss = await irc_peer(house, "boss", "message-tags", "trio-chat/identity")
    [waiting] = [line for line in await boss.news("OPER boss sesame") if "/reports" in line]
    await notices(bob, "REPORT #tea last mallory spam")
    [told] = [line for line in await boss.news() if "reported" in line]
    [locked] = [line for line in await boss.news("LOCK 1m") if " locked " in line]
    for line in (waiting, told, locked):
        assert "trio-chat/urgent" in line.removeprefix("@").partition(" ")[0].split(";")


async def test_the_operators_of_a_room_are_told_as_they_first_enter_it(house: House) -> None:
    for nick, room in (("alice", "#tea"), ("carol", "#den")):
        peer = await irc_peer(house, nick)
        await peer.say(f"REGISTER * * {PASSWORD}", f"JOIN {room}", f"PART {room}", "QUIT")
        await peer.rest()
    bob, mallory = [await irc_peer(house, nick, rooms="#tea") for nick in ("bob", "mallory")]
    await mallory.news("PRIVMSG #tea :buy pills")
    await bob.news("REPORT #tea last mallory")
    alice, carol = [await logged_in(house, nick) for nick in ("alice", "carol")]
    assert waiting(await alice.news("JOIN #tea")) == [WAITS.format("#tea")]
    assert waiting(await alice.news("PART #tea", "JOIN #tea")) == []
    assert waiting(await carol.news("JOIN #tea", "JOIN #den")) == []
    await alice.say("REPORTS", "PART #tea", "QUIT")
    await alice.rest()
    assert waiting(await (await logged_in(house, "alice")).news("JOIN #tea")) == []


async def test_words_that_are_removed_are_in_no_report(house: House) -> None:
    alice, bob, _ = await tea(house)
    await notices(bob, "REPORT #tea last mallory")
    await alice.news("CAP REQ :draft/message-redaction message-tags")
    _, words = await notices(alice, "REPORTS")
    await alice.news(f"REDACT #tea {words.split()[0]} :spam")
    _, words = await notices(alice, "REPORTS")
    assert words == "  (that message is not there any more)"


async def test_a_report_goes_with_its_room_when_that_has_another_name(house: House) -> None:
    """And not to those who lead a later room of the old one, also when the message is gone."""
    alice, bob, _ = await tea(house)
    await notices(bob, "REPORT #tea last mallory spam")
    await alice.news("RENAME #tea #milk")
    carol = await irc_peer(house, "carol", rooms="#tea")
    assert await notices(carol, "REPORTS") == ["Nothing was reported."]
    line, words = await notices(alice, "REPORTS")
    assert line.endswith(" bob reported a message of mallory's in #milk (spam).")
    assert words.endswith(" mallory: buy pills")
    await alice.news("REMOVE #milk last mallory")
    assert await notices(carol, "REPORTS") == ["Nothing was reported."]


async def test_in_private_it_goes_to_the_operators_of_the_server(house: House) -> None:
    alice, bob, mallory = await tea(house)
    await mallory.news("PRIVMSG bob :you fool")
    await bob.news()
    told = await notices(bob, "REPORT mallory last mallory")
    assert told == [
        "The operators of this server may read that message now: none of them is here just now."
    ]
    assert await notices(alice, "REPORTS") == ["Nothing was reported."]
    boss = await irc_peer(house, "boss")
    await boss.news("OPER boss sesame")
    line, words = await notices(boss, "REPORTS")
    assert line.endswith(" bob reported a message of mallory's in private.")
    assert words.endswith(" mallory -> bob: you fool")


async def test_what_one_may_not_read_cannot_be_reported(house: House) -> None:
    await tea(house)
    carol = await irc_peer(house, "carol")
    for line in (
        "REPORT #tea last mallory",
        "REPORT #tea 0000000000000-000000",
        "REPORT #x last y",
    ):
        [refused] = await carol.messages(line)
        assert "reported" not in refused.params[-1]
    for line in ("REPORT #tea last", "REPORTS x"):
        [usage] = await carol.messages(line)
        assert "Usage: " in usage.params[-1]


@pytest.mark.parametrize(("exempt", "let_through"), [("", 5), ("127.0.0.0/8", 8)])
async def test_a_flood_of_reports_is_held_back(exempt: str, let_through: int) -> None:
    """Also if they come at once. What is refused for another reason costs nothing."""
    limits = {"message_burst": 1000, "exempt": exempt}
    async with running(settings(limits=limits)) as house:
        _, bob, _ = await tea(house)
        for _ in range(6):
            await bob.news("REPORT #tea last eve")
        others = [await irc_peer(house, f"p{number}", rooms="#tea") for number in range(8)]
        for peer in others:
            await peer.say("REPORT #tea last mallory")
        told = ["\n".join(await peer.news()) for peer in others]
    assert sum(NOT_NOW in text for text in told) == let_through
    assert sum("Try again in 10 minutes." in text for text in told) == 8 - let_through


async def test_nobody_reports_a_message_twice(house: House) -> None:
    alice, bob, _ = await tea(house)
    assert (await notices(bob, "REPORT #tea last mallory"))[0].startswith(NOT_NOW)
    again = await notices(bob, "REPORT #tea last mallory spam")
    assert again[0].endswith("You have reported that message already.")
    others = await notices(alice, "REPORT #tea last mallory")
    assert any(line.startswith(NOT_NOW) for line in others)
    assert len([line for line in await notices(alice, "REPORTS") if " reported " in line]) == 2


async def test_on_plain(house: House) -> None:
    alice, mallory = await house.people("alice", "mallory")
    await mallory.send(b"buy pills\n")
    await alice.until("mallory: buy pills\n")
    await alice.send(b"/report last\n/report last mallory spam\n/reports\n/reports x\n/audit\n")
    await alice.until("/report takes last NAME, last private NAME, or the id of a message.\n")
    await alice.until("The operators of #lobby and of this server may read that message now")
    assert await alice.until("may see that.\n")
    await alice.until("Usage: /reports [N]\n")
    await alice.until("may see that.\n")
    await mallory.send(b"/msg alice you fool\n")
    await alice.until("you fool\n")
    await alice.send(b"/report last private mallory\n")
    await alice.until("The operators of this server may read that message now")
