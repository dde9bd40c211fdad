"""Somebody comes into a room of whose history not all can be read."""

import logging
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from irc_peers import irc_peer, settings
from peers import running
from trio_chat.app import open_log
from trio_chat.storage.sqlite.rows import _complain

CAPS = "batch", "server-time", "message-tags", "draft/chathistory", "draft/event-playback"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entry SET text = CAST(x'736573616d65ff' AS TEXT) WHERE text = 'sesame 1'",
        "UPDATE entry SET event = CAST(x'736573616d65ff' AS TEXT) WHERE text = 'sesame 1'",
        "UPDATE entry SET event = '[\"sesame\", {}]' WHERE text = 'sesame 1'",
        """UPDATE entry SET event = '["Said",{"room":"#tea","nick":5,"origin":7}]'""",
        "UPDATE entry SET event = CAST(x'ff' AS TEXT) WHERE kind = 1",
        "UPDATE entry SET event = CAST(x'ff' AS TEXT)",
        "UPDATE entry SET event = CAST(x'ff' AS TEXT) WHERE id IN (SELECT max(id) FROM entry "
        "GROUP BY room)",
        "UPDATE room SET state = CAST(x'736573616d65ff' AS TEXT)",
        'UPDATE room SET state = \'{"name":"sesame"}\'',
        "UPDATE room SET barrier = 5, saved = 7",
        "UPDATE room SET barrier = 9000000000000000000, saved = -7",
        "UPDATE entry SET ahead = -9000000000000",
    ],
)
async def test_the_room_opens_and_goes_on(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "chat.db"
    chosen = settings(history={"store": str(path)})
    async with open_log(chosen) as log, running(chosen, log) as house:
        alice = await irc_peer(house, "alice", *CAPS)
        await alice.messages("JOIN #tea", "TOPIC #tea :sesame", "MODE #tea +b sesame!*@*")
        await alice.messages(*(f"PRIVMSG #tea :sesame {n}" for n in range(3)))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    _complain.cache_clear()
    caplog.clear()
    async with open_log(chosen) as log, running(chosen, log) as house:
        with trio.fail_after(20):
            eve = await irc_peer(house, "eve", *CAPS)
            lines = await eve.messages("JOIN #tea", "PRIVMSG #tea :hello")
            assert "JOIN" in [line.command for line in lines]
            lines += await eve.messages(
                "TOPIC #tea :milk", "SEARCH text=sesame", "PRIVMSG #tea :on"
            )
            lines += await eve.messages("CHATHISTORY LATEST #tea * 50")
            assert {"hello", "on"} <= {line.params[-1] for line in lines}
    messages = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not any("sesame" in record.getMessage() or record.exc_info for record in messages)
    assert not any(line.command in ("FAIL", "ERROR") for line in lines)


def damage_pages(path: Path, seed: int, share: float) -> None:
    """Of what the disk holds, while the server goes on."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [size] = connection.execute("PRAGMA page_size").fetchone()
    chance = random.Random(seed)
    with path.open("r+b") as file:
        pages = range(2, path.stat().st_size // size)
        for page in chance.sample(pages, max(1, int(len(pages) * share))):
            file.seek(page * size)
            file.write(chance.randbytes(size))


@pytest.mark.parametrize("policy", ["refuse", "continue"])
@pytest.mark.parametrize(("seed", "share"), [(1, 0.1), (2, 0.3), (3, 0.6), (4, 1.0)])
async def test_pages_that_break_while_it_runs_are_told_once_and_end_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str, seed: int, share: float
) -> None:
    path = tmp_path / "chat.db"
    fast = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    chosen = settings(history={"store": str(path), "on_failure": policy}, limits=fast)
    caps = (*CAPS, "soju.im/search")
    async with open_log(chosen) as log, running(chosen, log) as house:
        alice = await irc_peer(house, "alice", *caps, rooms="", link=True)
        await alice.messages("JOIN #tea", "TOPIC #tea :sesame", "JOIN #cake")
        for n in range(100):
            await alice.messages(f"PRIVMSG #tea :sesame {n} {'x' * 300}")
        await alice.messages("PART #tea", "MONITOR + eve")
        damage_pages(path, seed, share)
        _complain.cache_clear()
        eve = await irc_peer(house, "eve", *caps, rooms="", link=True)
        told = await eve.messages(
            "JOIN #tea", "PRIVMSG #tea :hello", "TOPIC #tea :milk", "SEARCH text=sesame",
            "CHATHISTORY LATEST #tea * 50", "JOIN #new", "PRIVMSG alice :sesame", "PART #tea",
        )  # fmt: skip
        told += await alice.messages("PRIVMSG #cake :on", "CHATHISTORY LATEST #cake * 5")
        await eve.say("QUIT")
        await eve.rest()
        await alice.until(" 731 alice eve\r\n")
    assert not any("sqlite" in text.lower() for line in told for text in line.params)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not any(record.exc_info for record in errors)
    lines = [record.getMessage() for record in errors]
    assert not any("sesame" in line or "\n" in line for line in lines)
    of_reading = [line for line in lines if "passed over" in line]
    assert len(of_reading) == len({*of_reading})
