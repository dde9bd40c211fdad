"""A file of each version that there was is taken over by a server of today."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from old_files import versions, write_old
from owners import PASSWORD
from peers import running, settings
from trio_chat.storage.sqlite.schema import MIGRATIONS

NOW = len(MIGRATIONS)
OLD = [version for version in versions() if version > 1]  # test_migration.py has the first

# From which version on there are accounts, and what came later.
ACCOUNTS, REDACTION, BANS, WAITING = 3, 4, 5, 7

SAID = [
    *("hello", "waves", "hi alice", "tea 0", "tea 1", "tea 2", "grüße, 世界", "psst"),
    *("as rob", "from carol"),
]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


ENTRIES = "SELECT id, room, kind, text, token, event FROM entry ORDER BY id"
KEPT = [
    ENTRIES,
    "SELECT room, name FROM room ORDER BY room",
    "SELECT reader, target, at FROM mark ORDER BY 1, 2",
]


def test_there_is_a_file_of_each_version() -> None:
    assert set(range(1, NOW)) <= {*versions()}, "before a change of the schema: make_fixture.py"


@pytest.mark.parametrize("version", OLD)
async def test_all_that_was_kept_is_there(tmp_path: Path, version: int) -> None:
    write_old(path := tmp_path / "chat.db", version)
    before = [rows(path, query) for query in KEPT]
    assert [text for *_, text, _, _ in before[0] if text in SAID] == SAID
    async with running(settings(history={"store": str(path)})):
        assert rows(path, "PRAGMA user_version") == [(NOW,)]
        assert [rows(path, query) for query in KEPT] == before
        copy = path.with_name(f"chat.db.version-{version}")
        assert copy.exists() == (version < NOW)
        if copy.exists():
            assert copy.stat().st_mode & 0o777 == 0o600
            assert rows(copy, "PRAGMA user_version") == [(version,)]
            assert [rows(copy, query) for query in KEPT] == before


@pytest.mark.parametrize("version", OLD)
async def test_people_go_on_where_they_were(tmp_path: Path, version: int) -> None:
    write_old(path := tmp_path / "chat.db", version)
    async with running(settings(history={"store": str(path)})) as house:
        alice = await house.connect("guest")
        assert "The topic of #lobby: about chats" in alice.received.decode()
        if version >= ACCOUNTS:
            await alice.send(f"/login alice {PASSWORD}\n".encode())
            await alice.until("You are logged in as alice.")
        await alice.send(b"/join #tea\n/topic\n/history 100\nstill here\n")
        told = await alice.until(": still here\n")
        assert "about tea" in told
        assert "bob: grüße, 世界" in told
        await alice.send(b"/search carol\nand here\n")
        assert "carol: from carol" in await alice.until(": and here\n")
        if version >= WAITING:
            bob = await house.connect("guest2")
            await bob.send(f"/login bob {PASSWORD}\n".encode())
            await bob.until("while you were away")


@pytest.mark.parametrize("version", [version for version in OLD if version >= REDACTION])
async def test_what_was_removed_is_gone(tmp_path: Path, version: int) -> None:
    write_old(path := tmp_path / "chat.db", version)
    async with running(settings(history={"store": str(path)})) as house:
        alice = await house.connect("guest")
        await alice.send(b"/join #tea\n/history 100\nhere\n")
        assert "to be removed" not in await alice.until("guest: here\n")


@pytest.mark.parametrize("version", [version for version in OLD if version >= BANS])
async def test_who_was_banned_is(tmp_path: Path, version: int) -> None:
    write_old(path := tmp_path / "chat.db", version)
    async with running(settings(history={"store": str(path)})) as house:
        mallory = await house.connect("mallory")
        await mallory.send(b"/join #tea\nhere\n")
        assert "banned" in await mallory.until("mallory: here\n")
