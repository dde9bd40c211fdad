"""Lets irctest run against two nodes of one chat, its clients at each in turn: see README.md."""

import itertools
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

from irctest.client_mock import ClientMock
from trio_chat_controller import TrioChatController

from irctest import client_mock

# What one node has shown to a client, the other one shows a little later, and the next client may
# ask that one at once (seconds).
_LAG = 0.05

# The ports of the nodes, by the one that irctest connects to.
_in_turn: dict[int, Iterator[int]] = {}


class TwoNodesController(TrioChatController):
    """Both have the engine in the folder of the test, and irctest knows the port of the first."""

    sync_sleep_time = _LAG

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._others: list[subprocess.Popen[bytes]] = []

    def start(self, settings: Mapping[str, str]) -> None:
        assert self.directory
        self._faked, self.faketime_enabled = [], False  # not for Redis, which has the clock
        path = self.directory / "redis.sock"
        engine = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
        redis = self.execute([*engine, "--dir", str(self.directory)])
        _until_reached(socket.AF_UNIX, str(path))
        key = self.directory / "key"
        key.write_text("17" * 32)
        key.chmod(0o600)
        shared = {
            **settings,
            "NODES__THROUGH": f"unix:{path}?irctest",
            "NODES__LEASE": "60",  # nobody is gone because the machine is busy
            "SERVER__KEY": str(key),
        }
        (_, second) = self.get_hostname_and_port()
        other = {"HISTORY__STORE": str(self.directory / "other.db"), "PORT": str(second)}
        self.proc = self.serve(shared)
        self._others = [self.serve({**shared, "SERVER__LISTEN": "", **other}), redis]
        _in_turn[self.port] = itertools.cycle([self.port, second])
        self._second = second

    def wait_for_port(self) -> None:
        super().wait_for_port()
        _until_reached(socket.AF_INET, ("127.0.0.1", self._second))

    def kill_proc(self) -> None:
        """End the nodes, and then their engine."""
        *nodes, redis = self._others
        for node in nodes:
            node.terminate()
        super().kill_proc()
        for each in (*nodes, redis):
            each.terminate()
            each.wait(10)


def _until_reached(family: socket.AddressFamily, address: Any) -> None:
    for _ in range(600):
        with socket.socket(family) as peer:
            if peer.connect_ex(address) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens at {address}")


class _InTurn(ClientMock):
    """A client that connects to the next node."""

    def connect(self, hostname: str, port: int) -> None:
        super().connect(hostname, next(_in_turn[port]))

    def getMessages(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        """With time for the other node to show them as well."""
        found = super().getMessages(*args, **kwargs)
        time.sleep(_LAG)
        return found


client_mock.ClientMock = _InTurn  # type: ignore[misc]


def get_irctest_controller_class() -> type[TwoNodesController]:
    return TwoNodesController
