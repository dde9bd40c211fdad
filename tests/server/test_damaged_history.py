"""Somebody comes into a room of whose history not all can be read."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from irc_peers import irc_peer, settings
from peers import running
from trio_chat.app import open_log
from trio_chat.storage.sqlite.rows import complain

CAPS = "batch", "server-time", "message-tags", "draft/chathistory", "draft/event-playback"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entry SET text = CAST(x'736573616d65ff' AS TEXT) WHERE text = 'sesame 1'",
        "UPDATE entry SET event = CAST(x'736573616d65ff' AS TEXT) WHERE text = 'sesame 1'",
        "UPDATE entry SET event = '[\"sesame\", {}]' WHERE text = 'sesame 1'",
        """UPDATE entry SET event = '["Said",{"room":"#tea","nick":5,"origin":7}]'""",
        "UPDATE entry SET event = CAST(x'ff' AS TEXT) WHERE kind = 1",
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
    complain.cache_clear()
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
