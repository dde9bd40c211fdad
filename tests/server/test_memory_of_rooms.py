"""What a room remembers of people, on a running server: over restarts, and for all who ask for more
than they may read."""

from pathlib import Path

import pytest
import trio

from irc_peers import IrcPeer, cheap_hash, irc_peer, settings
from peers import PATIENCE, House, running
from trio_chat.settings import Settings

OLGA, MARK = "olga" * 8, "mark" * 8
CAPS = "batch server-time message-tags draft/chathistory soju.im/search"
QUICK = {"messages_per_second": 10_000, "message_burst": 10_000}


def kept(folder: Path) -> Settings:
    return settings(history={"store": str(folder / "chat.db")})


async def stop(house: House) -> None:
    house.server.stop()
    for peer in house.peers:
        await peer.rest()
    with trio.fail_after(PATIENCE):
        await house.server.stopped.wait()


async def come(house: House, nick: str, secret: str) -> tuple[IrcPeer, list[str]]:
    """Somebody who shows who they are, and what is shown to them of #den."""
    peer = await irc_peer(house, nick, rooms="", secret=secret)
    return peer, await peer.news("JOIN #den")


def shown(lines: list[str], *texts: str) -> list[str]:
    return [text for text in texts if any(text in line for line in lines)]


async def test_who_left_in_order_is_shown_what_was_said_since():
    async with running(settings()) as house:
        olga, _ = await come(house, "olga", OLGA)
        mark, _ = await come(house, "mark", MARK)
        await olga.news("PRIVMSG #den :old one")
        await mark.news()
        await mark.say("QUIT")
        await mark.rest()
        await olga.until(" QUIT ")
        await olga.news("PRIVMSG #den :new one")
        _, lines = await come(house, "mark", MARK)
        assert shown(lines, "old one", "new one") == ["new one"]


async def test_so_is_who_comes_again_after_the_server_was_stopped(tmp_path: Path):
    async with running(kept(tmp_path)) as house:
        olga, _ = await come(house, "olga", OLGA)
        mark, _ = await come(house, "mark", MARK)
        await olga.news("PRIVMSG #den :old one", "MODE #den +v mark")
        await mark.news()
        await stop(house)
    async with running(kept(tmp_path)) as house:
        mark, lines = await come(house, "mark", MARK)
        assert shown(lines, "old one", " 353 mark = #den :+mark") == [" 353 mark = #den :+mark"]
        olga, lines = await come(house, "olga", OLGA)
        assert shown(lines, "old one") == []
        assert any("@olga" in line for line in lines)


async def test_after_a_sudden_end_what_may_be_missing_is_shown(tmp_path: Path):
    async with running(kept(tmp_path)) as house:
        olga, _ = await come(house, "olga", OLGA)
        await olga.news("PRIVMSG #den :old one")
    async with running(kept(tmp_path)) as house:
        _, lines = await come(house, "olga", OLGA)
        assert shown(lines, "old one", "@olga") == ["old one", "@olga"]


async def test_who_was_cut_off_may_have_missed_something():
    async with running(settings()) as house:
        olga, _ = await come(house, "olga", OLGA)
        await come(house, "mark", MARK)
        await olga.news("PRIVMSG #den :old one")
        _, lines = await come(house, "mark", MARK)  # the server had not noticed
        assert shown(lines, "old one") == ["old one"]


QUESTIONS = [
    "CHATHISTORY LATEST #den * 10",
    "CHATHISTORY LATEST #den * 1",
    "CHATHISTORY BEFORE #den timestamp=2099-01-01T00:00:00.000Z 10",
    "CHATHISTORY BEFORE #den timestamp=2099-01-01T00:00:00.000Z 1",
    "CHATHISTORY AFTER #den timestamp=2000-01-01T00:00:00.000Z 10",
    "CHATHISTORY AFTER #den timestamp=2000-01-01T00:00:00.000Z 2",
    "CHATHISTORY AFTER #den msgid={open} 1",
    "CHATHISTORY AROUND #den msgid={open} 10",
    "CHATHISTORY AROUND #den msgid={secret} 2",
    "CHATHISTORY BETWEEN #den msgid={open} timestamp=2099-01-01T00:00:00.000Z 10",
    "CHATHISTORY BETWEEN #den timestamp=2099-01-01T00:00:00.000Z msgid={open} 1",
    "SEARCH text=words",
    "SEARCH text=words;limit=1",
    "SEARCH in=#den;from=olga",
    "SEARCH in=#den;from=olga;limit=1",
    "SEARCH in=#den;text=words;limit=2",
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_no_question_tells_what_was_said_before_one_came_while_it_was_shut(question: str):
    """And what may be read is found behind what may not."""
    async with running(settings(limits=QUICK)) as house:
        olga = await irc_peer(house, "olga", "echo-message", *CAPS.split(), rooms="#den")
        ids = {}
        for text, before in (
            ("open", []),
            ("secret", ["MODE #den +i"]),
            ("again", ["MODE #den -i"]),
        ):
            if before:
                await olga.news(*before)
            lines = await olga.news(*[f"PRIVMSG #den :{text} words {n}" for n in range(3)])
            ids[text] = lines[-1].partition("msgid=")[2].split()[0].split(";")[0]
        eve = await irc_peer(house, "eve", *CAPS.split(), rooms="#den")
        asked = question.format(**ids)
        assert not shown(await eve.news(asked), "secret words")
        assert shown(await eve.news(asked), "open words", "again words") or "{secret}" in question
        assert shown(await olga.news(asked), "open words", "secret words", "again words")


async def test_a_locked_lobby_is_opened_by_an_operator_of_the_server(tmp_path: Path):
    operators = {"operators": f"boss={cheap_hash('sesame')}"}
    chosen = settings(irc=operators, history={"store": str(tmp_path / "chat.db")})
    async with running(chosen) as house:
        boss = await irc_peer(house, "boss", rooms="#lobby")
        assert any(" 482 " in line for line in await boss.news("MODE #lobby +b *!*@*"))
        await boss.news("OPER boss sesame", "MODE #lobby +b *!*@*")
        await stop(house)
    async with running(chosen) as house:
        guest = await irc_peer(house, "guest", rooms="")
        assert any(" 474 " in line for line in await guest.news("JOIN #lobby"))
        boss = await irc_peer(house, "boss", rooms="")
        assert any(" 474 " in line for line in await boss.news("JOIN #lobby"))
        lines = await boss.news("OPER boss sesame", "JOIN #lobby", "MODE #lobby -b *!*@*")
        assert lines[-1].endswith(" MODE #lobby -b *!*@*")
        assert any(" JOIN #lobby" in line for line in await guest.news("JOIN #lobby"))


async def test_what_only_an_operator_of_the_server_may_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
):
    async with running(settings()) as house:
        olga = await irc_peer(house, "olga", rooms="#den")
        await olga.news("MODE #den +k key")
        boss = await irc_peer(house, "boss", rooms="")
        await boss.news("OPER boss sesame", "JOIN #den", "KICK #den olga", "JOIN #hall")
    told = [r.getMessage() for r in caplog.records if "operator of the server" in r.getMessage()]
    assert told == [
        "as an operator of the server: Join of boss in #den",
        "as an operator of the server: Kick of boss in #den",
    ]
