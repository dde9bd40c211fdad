"""Accounts in the file: with their secrets or not at all, and for ever."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from stores import append, open_file, said
from trio_chat.core.events import REALM, AccountMade
from trio_chat.errors import Unavailable
from trio_chat.storage.base import Log, Secret
from trio_chat.storage.sqlite.export import export


async def register(log: Log, name: str, verifier: str, expect: str = "") -> str:
    made = AccountMade(name, f"={name}")
    secret = Secret(name, verifier, new=True)
    [entry] = await log.append(REALM, [made], expect=expect, barrier=True, secret=secret)
    return entry.id


async def test_a_name_whose_entry_is_damaged_is_not_given_to_another(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_file(path) as log:
        await register(log, "bob", "of bob")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entry SET event = 'x'")
        connection.commit()
    async with open_file(path) as log:
        with pytest.raises(Unavailable, match="damaged"):
            await register(log, "bob", "of another")
        assert await log.secret("bob") == "of bob"
        assert await register(log, "carl", "of carl")


async def test_an_account_is_never_made_without_being_stored(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_file(path, refuse=False) as log:
        path.rename(tmp_path / "moved.db")
        await append(log, said("shown without being stored"))
        with pytest.raises(Unavailable):
            await register(log, "bob", "of bob")
        (tmp_path / "moved.db").rename(path)


async def test_the_export_has_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_file(path) as log:
        await register(log, "bob", "hunter2")
        await append(log, said("hello"))
    everything = [*export(path, rooms=(), since=0)]
    assert "hello" in repr(everything)
    assert "bob" not in repr(everything)
    assert "hunter2" not in repr(everything)


KILLED = """
import os, signal, sys, trio
folder, *sys.path[:0] = sys.argv[1:]
from pathlib import Path
from stores import open_file
from test_realm_file import REALM, Secret, register
from trio_chat.core.events import PasswordSet
from trio_chat.storage.sqlite import log as sqlite_log

open_for_writing = sqlite_log.open_for_writing

def traced(*args, **how):
    def kill_at(_):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    connection = open_for_writing(*args, **how)
    connection.set_trace_callback(kill_at)
    return connection

sqlite_log.open_for_writing = traced

async def main(path):
    async with open_file(path) as log:
        last = ""
        for number in range(2):
            last = await register(log, f"person{number}", "first", last)
            change = [PasswordSet(f"person{number}")]
            secret = Secret(f"person{number}", "second")
            [entry] = await log.append(REALM, change, expect=last, barrier=True, secret=secret)
            last = entry.id

for left in range(1, 100):
    pid = os.fork()
    if not pid:
        trio.run(main, Path(folder, str(left), "chat.db"))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if not status:
        break
"""


@pytest.mark.slow
def test_who_is_killed_leaves_no_account_without_its_secret(tmp_path: Path) -> None:
    """And no secret without its event, before whichever statement it is."""
    here = Path(__file__).parent
    subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(here), str(here.parent)], check=True
    )
    found = set()
    for path in tmp_path.glob("*/chat.db"):
        with closing(sqlite3.connect(path)) as connection:
            events = [row[0] for row in connection.execute("SELECT event FROM entry ORDER BY id")]
            secrets = dict(connection.execute("SELECT account, verifier FROM secret"))
        expected: dict[str, str] = {}
        for event in events:
            name = event.partition('"name":"')[2].partition('"')[0]
            expected[name] = "first" if event.startswith('["AccountMade') else "second"
        assert secrets == expected
        found.add(tuple(secrets.values()))
    second = ("second", "second")
    assert found == {(), ("first",), ("second",), ("second", "first"), second}
