"""``trio-chat history check``: of a file that a server writes, and of one that is damaged."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from owners import PASSWORD
from peers import running, settings
from processes import Finished, run

STORE = "TRIO_CHAT_HISTORY__STORE"


async def check(path: Path, *arguments: str) -> Finished:
    return await run("history", "check", *arguments, **{STORE: str(path)})


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Path]:
    """The file of a server that is running."""
    path = tmp_path / "chat.db"
    async with running(settings(history={"store": str(path)})) as house:
        alice, bob = await house.people("alice", "bob")
        for peer in (alice, bob):
            await peer.send(f"/register {PASSWORD}\n".encode())
            await peer.until("yours now")
        await bob.send(b"/quit\n")
        await alice.until("bob left!")
        await alice.send("hello\ngrüße\n/msg bob psst\n/join #tea\nhi\n".encode())
        await alice.until("alice: hi")
        yield path


@pytest.fixture
async def stopped(served: Path) -> Path:
    """A copy of it of one moment, with all words in the index, in which anything can be changed."""
    copy = served.with_name("copy.db")
    done = await run("history", "backup", str(copy), **{STORE: str(served)})
    assert done.code == 0
    async with running(settings(history={"store": str(copy)})) as house:
        await house.connect("carol")
    return copy


def content(path: Path) -> bytes:
    return path.read_bytes()


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


async def test_beside_a_server_it_tells_what_is_there(served: Path) -> None:
    done = await check(served)
    assert (done.code, done.err) == (0, "")
    found = dict(line.split(": ", 1) for line in done.out.splitlines())
    assert found["file"].startswith(f"{served}, 0.")
    assert found["integrity"] == "ok"
    assert (found["messages"], found["rooms"]) == ("4", "2")
    assert (found["accounts"], found["waiting"]) == ("2", "1 private message")
    assert found["search"].startswith("the index is good")
    assert found["age"] == "history.days=0: nothing to remove"
    assert found["full rooms"] == "history.per_room=1000000: nothing to remove"
    assert found["size"] == "history.total_bytes=4294967296: 0.0 % used, nothing to remove"


async def test_as_json(stopped: Path) -> None:
    before = content(stopped)
    done = await check(stopped, "--json", "--set", "history.per_room=1")
    assert content(stopped) == before
    [line] = done.out.splitlines()
    found = json.loads(line)
    assert found["path"] == str(stopped)
    assert found["damage"] == []
    assert found["contents"] == {"messages": 4, "rooms": 2, "accounts": 2, "waiting": 1}
    assert found["index"] == {"behind": 0, "unreadable": 0, "differs": False}
    assert found["due"]["of_full_rooms"] == 1
    assert 100_000 < found["due"]["used"] <= found["size"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entry SET text = 'hello you' WHERE text = 'hello'",
        "UPDATE entry SET text = 'you' WHERE text = 'hello'",
        "UPDATE entry SET room = room + 1 WHERE text = 'hello'",
        "UPDATE entry SET event = replace(event, 'alice', 'alicf') WHERE text = 'hello'",
        "DELETE FROM entry WHERE text = 'hello'",
        "INSERT INTO word (word, rowid, said, place) SELECT 'delete', id, 'hello', 'r1 n' || "
        "lower(hex('alice')) FROM entry WHERE text = 'hello'",
    ],
)
async def test_an_index_that_differs_from_the_messages_can_be_made_anew(
    stopped: Path, sql: str
) -> None:
    change(stopped, sql)
    done = await check(stopped)
    assert done.code == 65
    assert "search: the index differs from the messages\n" in done.out
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"trio-chat: search does not find what is in {stopped}: stop the ")
    change(stopped, done.err.split("'")[1])
    async with running(settings(history={"store": str(stopped)})) as house:
        await house.connect("carol")
    assert (await check(stopped)).code == 0


async def test_damaged_messages_are_counted(stopped: Path) -> None:
    change(stopped, "UPDATE entry SET event = 'x' WHERE kind = 0 AND text IN ('hi', 'hello')")
    done = await check(stopped)
    assert done.code == 65
    assert (
        f"trio-chat: 2 messages in {stopped} cannot be read, nor shown: stop the server" in done.err
    )


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4 * 4096 : 6 * 4096] = b"\x55" * 8192
    path.write_bytes(data)


async def test_a_damaged_file(stopped: Path) -> None:
    damage(stopped)
    done = await check(stopped)
    assert done.code == 65
    assert len(done.out.splitlines()) == 2
    assert done.out.splitlines()[1].startswith("integrity: ")
    assert done.err == (
        f"trio-chat: {stopped} is damaged: stop the server, and go back to a backup\n"
    )


@pytest.mark.parametrize(
    ("place", "code", "why"),
    [
        ("memory:", 78, "history.store=memory: such a server keeps nothing in a file"),
        ("/nowhere/chat.db", 73, "there is no history in /nowhere/chat.db"),
    ],
)
async def test_what_cannot_be_checked(place: str, code: int, why: str) -> None:
    done = await run("history", "check", **{STORE: place})
    assert (done.code, done.out) == (code, "")
    assert done.err == f"trio-chat: {why}\n"


async def test_what_goes_next(stopped: Path) -> None:
    small = ("--set", "history.per_room=1", "--set", "history.days=30")
    found = dict(line.split(": ", 1) for line in (await check(stopped, *small)).out.splitlines())
    assert found["age"].startswith("history.days=30: nothing to remove before 20")
    assert found["full rooms"] == "history.per_room=1: 1 message to remove"
