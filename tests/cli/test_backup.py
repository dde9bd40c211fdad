"""``trio-chat history backup``, beside a server that goes on writing, and ``restore``."""

import shutil
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import trio

from admin_socket import ask
from netcat import guest
from owners import PASSWORD
from peers import House, running, settings
from processes import run, running_server
from terminals import terminal

STORE = "TRIO_CHAT_HISTORY__STORE"
OPEN = (
    *("--host", "*", "--set", "accounts.guests=open"),
    *("--set", "accounts.registration=open", "--set", "accounts.iterations=4096"),
)
FAST = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


class Talker:
    """Says numbered messages, each when the one before has been shown."""

    def __init__(self, house: House) -> None:
        self._house, self.acknowledged = house, 0

    async def talk(self, *, task_status: trio.TaskStatus[None]) -> None:
        alice = await self._house.connect("alice")
        for number in count(1):
            await alice.send(f"m {number}\n".encode())
            await alice.until(f"alice: m {number}\n")
            self.acknowledged = number
            if number == 200:
                task_status.started()


async def test_under_load_it_has_all_that_was_acknowledged_before_it_began(tmp_path: Path) -> None:
    chosen = settings(history={"store": str(tmp_path / "chat.db")}, limits=FAST)
    async with running(chosen) as house, trio.open_nursery() as nursery:
        talker = Talker(house)
        await nursery.start(talker.talk)
        for each in range(3):
            before, to = talker.acknowledged, tmp_path / f"backup {each}"
            done = await run("history", "backup", str(to), **{STORE: str(tmp_path / "chat.db")})
            assert (done.code, done.err) == (0, "")
            after = talker.acknowledged
            texts = [text for (text,) in query(to, "SELECT text FROM entry WHERE kind = 0")]
            assert texts == [f"m {number}" for number in range(1, len(texts) + 1)]
            assert before <= len(texts) <= after + 1
            assert query(to, "PRAGMA integrity_check") == [("ok",)]
        nursery.cancel_scope.cancel()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The file of a server that has stopped."""
    path = tmp_path / "kept" / "chat.db"

    async def make() -> None:
        async with running(settings(history={"store": str(path)})) as house:
            alice = await house.connect("alice")
            await alice.send(b"hello\n")
            await alice.until("alice: hello")

    trio.run(make)
    path.with_name("key").write_text("5eed" * 16)
    return path


async def test_it_tells_what_it_has_and_where(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    done = await run("history", "backup", str(to), fresh=True, **{STORE: str(store)})
    assert (done.code, done.err) == (0, "")
    assert done.out == f"backed up {store} and key to {to}: {to.stat().st_size / 1e6:.1f} MB\n"


async def test_a_file_that_exists_is_replaced_only_if_told_to(store: Path, tmp_path: Path) -> None:
    (to := tmp_path / "backup").write_text("yesterday")
    done = await run("history", "backup", str(to), **{STORE: str(store)})
    assert (done.code, done.out) == (73, "")
    assert done.err == (f"trio-chat: {to} exists already: choose another name, or use --replace\n")
    assert to.read_text() == "yesterday"
    done = await run("history", "backup", "--replace", str(to), **{STORE: str(store)})
    assert done.code == 0
    assert query(to, "SELECT text FROM entry WHERE kind = 0") == [("hello",)]


async def test_on_a_terminal_it_tells_how_far_it_is(store: Path, tmp_path: Path) -> None:
    command = ["history", "backup", str(tmp_path / "backup")]
    async with terminal(command, {STORE: str(store)}) as screen:
        await screen.until("backing up: 100 %")
        await screen.until(" MB\r\n")
        assert await screen.ended() == 0


@pytest.mark.parametrize(
    ("to", "kept", "code", "why"),
    [
        ("nowhere/backup", "", 73, "there is no folder {0}/nowhere for the backup: make it first"),
        ("", "", 73, "{0} is a folder: name a file in it"),
        ("backup", "/nowhere/chat.db", 73, "there is no history in /nowhere/chat.db"),
        ("backup", "memory:", 78, "history.store=memory: such a server keeps nothing in a file"),
        ("backup", "{0}/diary", 73, "{0}/diary is damaged (file is not a database)"),
        ("backup", "{0}/newer.db", 73, "{0}/newer.db was written by a newer trio-chat"),
    ],
)
async def test_what_cannot_be_backed_up(
    store: Path, tmp_path: Path, to: str, kept: str, code: int, why: str
) -> None:
    (tmp_path / "diary").write_text("dear diary, " * 1000)
    with closing(sqlite3.connect(tmp_path / "newer.db")) as connection:
        connection.execute("PRAGMA user_version = 1000")
    place = kept.format(tmp_path) or str(store)
    done = await run("history", "backup", f"{tmp_path}/{to}", **{STORE: place})
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert f"trio-chat: {why.format(tmp_path)}" in done.err


async def test_a_server_that_was_lost_is_back(tmp_path: Path) -> None:
    """Its history, accounts, bans on addresses, and certificate; with nothing but the backup."""
    lost, back, to = tmp_path / "lost" / "chat.db", tmp_path / "back" / "chat.db", tmp_path / "to"
    async with (
        running_server(*OPEN, **{STORE: str(lost)}) as server,
        guest(server.port, "alice") as alice,
        guest(server.port, "bob") as bob,
    ):
        host = (await ask(lost.with_name("admin"), "who"))[0]["host"]
        await alice.send(f"/register {PASSWORD}\n/join #tea\n/ban *!*@{host}\nhello\n")
        await alice.until("alice: hello\n")
        await bob.send("/join #tea\n")
        await bob.until("banned")
        done = await run("history", "backup", str(to), **{STORE: str(lost)})
    certificate = lost.with_name("certificate.pem").read_bytes()
    shutil.rmtree(lost.parent)
    assert done.out.startswith(f"backed up {lost} and key and certificate.pem to {to}: ")
    done = await run("history", "restore", str(to), **{STORE: str(back)})
    assert (done.code, done.err) == (0, "")
    assert done.out == "".join(
        f"restored {back.with_name(name)}\n" for name in ("chat.db", "key", "certificate.pem")
    )
    async with (
        running_server(*OPEN, **{STORE: str(back)}) as server,
        guest(server.port, "alice2") as alice,
        guest(server.port, "rob") as rob,
    ):
        assert (await ask(back.with_name("admin"), "who"))[0]["host"] == host
        await rob.send("/join #tea\n")
        await rob.until("banned")
        await alice.send(f"/login alice {PASSWORD}\n/join #tea\n/history\n")
        await alice.until("alice: hello\n")
        done = await run("history", "restore", str(to), **{STORE: str(back)})
        assert (done.code, done.out) == (73, "")
        in_use = f"a trio-chat server keeps its history in {back} already"
        assert done.err == f"trio-chat: {in_use}: stop it first\n"
    assert back.with_name("certificate.pem").read_bytes() == certificate


async def test_a_restore_tells_where_the_history_before_is(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copy(store, copy)
    done = await run("history", "restore", str(copy), **{STORE: str(store)})
    [kept] = store.parent.glob("chat.db.before-*")
    assert done.out.splitlines() == [
        f"restored {store}",
        f"kept what was there before as {kept}",
        f"{copy} has no key: bans on addresses hold only with the key that it was made with",
    ]
