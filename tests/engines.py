"""Redis servers that tests start by themselves, on a Unix socket in a folder of their own."""

import atexit
import itertools
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from trio_chat.settings.engine import Address
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.order import Order, open_order
from trio_chat.storage.shared.reading import Reading
from trio_chat.storage.shared.records import Append, Record

_chats = itertools.count()


class RedisServer:
    """A redis-server whose files are in a folder. ``start`` it, and ``kill`` it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.path = str(folder / "redis.sock")
        self._command = ["redis-server", "--port", "0", "--unixsocket", self.path]
        self._command += ["--save", "", "--dir", str(folder), *options]
        self._process: subprocess.Popen[bytes] | None = None
        #: Another way to it, for what a test wants to know or to break.
        self.redis = Redis(unix_socket_path=self.path, decode_responses=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while True:
            try:
                self.redis.ping()
                return
            except RedisError:
                assert self._process.poll() is None, "redis-server has ended"
                time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, by SIGKILL."""
        self.redis.close()
        self.signal(signal.SIGKILL)
        assert self._process
        self._process.wait()


@contextmanager
def running(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server as long as this lasts."""
    folder.mkdir(exist_ok=True)
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@cache
def the_engine() -> RedisServer:
    """One for all tests that do not break it, as long as there are tests."""
    folder = tempfile.mkdtemp(prefix="redis-")
    server = RedisServer(Path(folder))
    server.start()
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.kill)
    return server


def fresh(server: RedisServer) -> Address:
    """The address of a chat that nobody has had yet."""
    return Address(f"chat{next(_chats)}-{secrets.token_hex(2)}", path=server.path)


def node(address: Address, id: str = "", **how: Any) -> AbstractAsyncContextManager[Order]:
    """A node that takes part in a chat."""
    return open_order(address, node=id or secrets.token_hex(4), **how)


Kept = dict[bytes, bytes]


def keep(server: RedisServer, address: Address) -> Kept:
    """All that the engine knows of a chat now."""
    with Redis(unix_socket_path=server.path) as redis:
        return {key: redis.dump(key) for key in redis.keys(f"{{{address.name}}}*")}


def lose(server: RedisServer, address: Address, kept: Kept) -> None:
    """Let the engine know of a chat only what it knew then, as if it had lost what came after."""
    with Redis(unix_socket_path=server.path) as redis:
        redis.delete(*redis.keys(f"{{{address.name}}}*"))
        for key, value in kept.items():
            redis.restore(key, 0, value)


def asking(address: Address) -> Engine:
    """A connection that calls the functions themselves, for a node that is not there."""
    return Engine(address, "", Library(address.name), timeout=10)


def lone(text: str, room: str = "#a", *, token: str = "", **how: Any) -> Append:
    """An append of one record."""
    return Append(room, [(token, text.encode())], **how)


async def take(reading: Reading, count: int) -> Sequence[Record]:
    """The next so many records; not one more has come with them."""
    records: list[Record] = []
    while len(records) < count:
        records += await anext(reading)
    assert len(records) == count
    return records


def texts(records: Sequence[Record]) -> list[str]:
    """What the records say."""
    return [record.data.decode() for record in records]
