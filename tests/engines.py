"""Redis servers that tests start by themselves, on a Unix socket in a folder of their own."""

import atexit
import itertools
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import trio
import trio.testing
from redis import Redis
from redis.exceptions import RedisError

from trio_chat.settings.engine import Address
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.order import Order, open_order
from trio_chat.storage.shared.reading import Reading
from trio_chat.storage.shared.records import Append, Record, padded

_Program = TypeVar("_Program", bound="Program")

_chats = itertools.count()


class Program:
    """A program of Redis."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def is_ready(self) -> bool:
        """Whether it answers."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while not self.is_ready():
            assert self._process.poll() is None, f"{self._command[0]} has ended"
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, by SIGKILL."""
        self.signal(signal.SIGKILL)
        assert self._process
        self._process.wait()


class RedisServer(Program):
    """A redis-server whose files are in a folder."""

    def __init__(self, folder: Path, *options: str, password: str | None = None) -> None:
        self.path = str(folder / "redis.sock")
        place = ("--port", "0", "--unixsocket", self.path, "--dir", str(folder))
        # On a busy machine a call may take long, and is not refused for it.
        patient = ("--save", "", "--busy-reply-threshold", "60000")
        super().__init__("redis-server", *place, *patient, *options)
        #: Another way to it, for what a test wants to know or to break.
        self.redis = Redis(unix_socket_path=self.path, password=password, decode_responses=True)

    def is_ready(self) -> bool:
        try:
            return bool(self.redis.ping())
        except RedisError:
            return False

    def kill(self) -> None:
        self.redis.close()
        super().kill()


class Sentinel(Program):
    """A redis-sentinel that watches the primary "main" at a port, and decides alone."""

    def __init__(
        self, folder: Path, port: int, primary: int, *more: str, password: str | None = None
    ) -> None:
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {port}\ndir {folder}\nsentinel monitor main 127.0.0.1 {primary} 1\n"
            "sentinel down-after-milliseconds main 300\nsentinel failover-timeout main 2000\n"
            + "\n".join(more)
        )
        super().__init__("redis-sentinel", str(file))
        self.redis = Redis(port=port, password=password, decode_responses=True)

    def is_ready(self) -> bool:
        """Whether it knows of a replica."""
        try:
            return bool(self.redis.execute_command("SENTINEL", "REPLICAS", "main"))
        except RedisError:
            return False

    def kill(self) -> None:
        self.redis.close()
        super().kill()


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [it.getsockname()[1] for it in sockets]
    for it in sockets:
        it.close()
    return ports


@contextmanager
def started(program: _Program) -> Iterator[_Program]:
    """A program as long as this lasts."""
    program.start()
    try:
        yield program
    finally:
        program.kill()


def running(
    folder: Path, *options: str, password: str | None = None
) -> AbstractContextManager[RedisServer]:
    """A server as long as this lasts, whose files are in a folder."""
    folder.mkdir(exist_ok=True)
    return started(RedisServer(folder, *options, password=password))


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


def stream(server: RedisServer, address: Address) -> list[list[str]]:
    """The entries as they are: id, and the values of the fields."""
    found = server.redis.xrange(f"{{{address.name}}}log")
    return [[padded(id.encode()), *fields.values()] for id, fields in found]  # type: ignore[union-attr]


def without_sockets(folder: str, names: list[str]) -> list[str]:
    """Those that cannot be copied with a folder (``shutil.copytree``)."""
    return [name for name in names if Path(folder, name).is_socket()]


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


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another program has to do."""
    while not holds():
        await trio.testing.wait_all_tasks_blocked(0.01)


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
