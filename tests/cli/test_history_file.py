"""``trio-chat server`` as a process that keeps its history in a file."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from netcat import converse
from processes import run, running_server


async def refused(path: Path | str) -> str:
    """The only line of a server that cannot keep its history there."""
    done = await run("server", "--port", "0", TRIO_CHAT_HISTORY__STORE=str(path))
    assert done.code == 73
    assert done.out == ""
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("trio-chat: ")
    assert str(path) in done.err
    return done.err


async def test_a_file_that_another_server_keeps_its_history_in(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with running_server(TRIO_CHAT_HISTORY__STORE=str(path)) as server:
        assert "a trio-chat server" in await refused(path)
        assert "al: hello\n" in await converse(server.port, "al\nhello\n")


async def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    assert "cannot keep history in" in await refused("/proc/trio-chat/chat.db")
    assert "is a directory" in await refused(tmp_path)


async def test_a_file_that_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "diary"
    path.write_text("dear diary, " * 1000)
    assert "not a database" in await refused(path)
    assert path.read_text() == "dear diary, " * 1000


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def found_below(folder: Path) -> Path:
    [path] = folder.rglob("chat.db")
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_stopped_leaves_its_history_in_one_file(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "chat.db"
    async with running_server(TRIO_CHAT_HISTORY__STORE=f"sqlite:{path}") as server:
        await converse(server.port, "al\nhello\n")
        server.process.send_signal(number)
        assert await server.ended() == 0
    assert files(tmp_path) == {"chat.db", "chat.db.lock", "key"}
    async with running_server(TRIO_CHAT_HISTORY__STORE=str(path)) as server:
        assert "al: hello\n" in await converse(server.port, "bo\n")


async def test_without_a_setting_it_is_in_the_data_directory(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    async with running_server(TRIO_CHAT_HISTORY__STORE="", **home) as server:
        await converse(server.port, "al\nhello\n")
    with closing(sqlite3.connect(found_below(tmp_path))) as connection:
        found = connection.execute("SELECT text FROM entry WHERE kind = 0").fetchall()
    assert found == [("hello",)]
