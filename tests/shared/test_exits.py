"""A node that cannot start says why in one line, and by its exit code whether to try again."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from engines import RedisServer, fresh, running, until
from peers import Peer
from processes import Finished, Running, run, running_server
from trio_chat.settings.engine import Address

pytestmark = pytest.mark.programs

WRONG, REFUSED = 78, 73


def variables(folder: Path, through: str, **nodes: str) -> dict[str, str]:
    """The settings of a node whose files are in a folder."""
    named = {f"TRIO_CHAT_NODES__{name.upper()}": value for name, value in nodes.items()}
    store = {"TRIO_CHAT_HISTORY__STORE": str(folder / "chat.db")}
    return {"TRIO_CHAT_NODES__THROUGH": through, **store, **named}


def at(address: Address) -> str:
    return f"unix:{address.path}?{address.name}"


async def why(code: int, folder: Path, through: str, **nodes: str) -> str:
    """Start a node that ends by itself with this code; returns what it says of that."""
    done = await run("server", "--port", "0", **variables(folder, through, **nodes))
    return last_line(done, code)


def last_line(done: Finished, code: int) -> str:
    assert done.code == code, done.err
    *logged, last = done.err.splitlines()
    assert all(line.startswith("{") for line in logged), done.err
    assert last.startswith("trio-chat: ")
    return last


@asynccontextmanager
async def node_of(folder: Path, address: Address) -> AsyncIterator[Running]:
    """A node that runs."""
    await trio.Path(folder).mkdir(exist_ok=True)
    async with running_server(**variables(folder, at(address))) as server:
        yield server


async def begin(folder: Path, engine: RedisServer, address: Address) -> None:
    """Begin a chat in which somebody says something, and which is left as a checkpoint."""
    async with node_of(folder, address) as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with stream:
            await stream.send_all(b"alice\nhello\n")
            await Peer(stream).until("alice: hello\n")
        await until(lambda: bool(engine.redis.exists(f"{{{address.name}}}checkpoint")))


@pytest.mark.parametrize(
    ("through", "said"),
    [
        ("redis://localhost", "needs a name for the chat"),
        ("http://localhost/chat", "must be redis://"),
        ("redis://me:secret@localhost/chat", "must not have a password in it"),
        ("rediss://localhost/chat?ca=/nowhere.pem", "cannot use /nowhere.pem: no such file"),
        ("rediss://localhost/chat?ca=/dev/null", "cannot use /dev/null: there is no certificate"),
    ],
)
async def test_wrong_address(through: str, said: str, tmp_path: Path) -> None:
    told = await why(WRONG, tmp_path, through)
    assert said in told
    assert "secret" not in told.removeprefix(f"trio-chat: TRIO_CHAT_NODES__THROUGH={through}")


async def test_history_that_is_in_no_file() -> None:
    settings = {"TRIO_CHAT_NODES__THROUGH": "redis://localhost/chat"}
    done = await run("server", "--port", "0", TRIO_CHAT_HISTORY__STORE="memory:", **settings)
    assert "nodes.through: this needs a history in a file" in last_line(done, WRONG)


async def test_password_command_that_fails(tmp_path: Path) -> None:
    told = await why(WRONG, tmp_path, "redis://localhost/chat", password_command="false")
    assert told == "trio-chat: nodes.password_command: it exited with 1"


@pytest.mark.parametrize(
    ("password", "said"), [("", "it wants a password"), ("wrong", "invalid username-password pair")]
)
async def test_wrong_password(password: str, said: str, tmp_path: Path) -> None:
    with running(tmp_path / "engine", "--requirepass", "right", password="right") as engine:
        through = at(fresh(engine))
        told = await why(WRONG, tmp_path, through, password=password, patience="1")
    assert told.startswith(f"trio-chat: nodes.password: the engine at unix:{engine.path} lets ")
    assert said in told


async def test_engine_that_is_not_there(tmp_path: Path) -> None:
    told = await why(REFUSED, tmp_path, f"unix:{tmp_path}/nowhere?chat", patience="1")
    assert told.startswith(f"trio-chat: The engine at unix:{tmp_path}/nowhere does not answer: ")


async def test_engine_that_is_a_replica(tmp_path: Path) -> None:
    with running(tmp_path / "engine", "--replicaof", "127.0.0.1", "1") as engine:
        told = await why(REFUSED, tmp_path, at(fresh(engine)), patience="1")
    assert told.endswith("does not answer: it is a replica of another one")


async def test_another_key(tmp_path: Path, engine: RedisServer, address: Address) -> None:
    await begin(tmp_path / "a", engine, address)
    (tmp_path / "key").write_text("ab" * 32)
    told = await why(WRONG, tmp_path, at(address))
    assert "the other servers of this chat have another key" in told


async def test_no_key(tmp_path: Path, engine: RedisServer, address: Address) -> None:
    await begin(tmp_path / "a", engine, address)
    told = await why(WRONG, tmp_path, at(address))
    assert f"{tmp_path}/key is not there" in told
    assert "copy the file from one of them" in told
    assert not (tmp_path / "key").exists()
    shutil.copy(tmp_path / "a" / "key", tmp_path)
    async with node_of(tmp_path, address):
        pass


async def test_file_of_another_chat(tmp_path: Path, engine: RedisServer, address: Address) -> None:
    other = fresh(engine)
    await begin(tmp_path / "a", engine, address)
    (tmp_path / "b").mkdir()
    shutil.copy(tmp_path / "a" / "key", tmp_path / "b")
    await begin(tmp_path / "b", engine, other)
    for folder, chat in (("a", other), ("b", address)):  # an older one, and a newer one
        told = await why(WRONG, tmp_path / folder, at(chat))
        assert "chat.db is the history of another chat than the one at unix:" in told


async def test_an_old_copy(tmp_path: Path, engine: RedisServer, address: Address) -> None:
    await begin(tmp_path / "a", engine, address)
    engine.redis.delete(f"{{{address.name}}}log")  # as if it had let go of what is old
    told = await why(REFUSED, tmp_path / "a", at(address))
    assert "This server's history does not reach to where the other servers" in told


async def test_file_that_another_node_has(tmp_path: Path, address: Address) -> None:
    async with node_of(tmp_path, address):
        assert f"{tmp_path}/chat.db" in await why(REFUSED, tmp_path, at(address))


async def test_a_chat_goes_on_that_the_engine_has_forgotten(
    tmp_path: Path, engine: RedisServer, address: Address
) -> None:
    await begin(tmp_path / "a", engine, address)
    engine.redis.delete(*engine.redis.keys(f"{{{address.name}}}*"))
    async with node_of(tmp_path / "a", address):
        pass
    other = fresh(engine)
    await begin(tmp_path / "b", engine, other)
    assert "another chat" in await why(WRONG, tmp_path / "a", at(other))
