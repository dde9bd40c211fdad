"""The service manager, if one has started the server: the sockets that systemd passes
(sd_listen_fds(3)), and what it is told (sd_notify(3)).

Each of these is one datagram that does not wait. If it cannot be sent, the chat goes on without.
"""

import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from typing import Self

import trio

from trio_chat.errors import SettingsError
from trio_chat.server.listeners import NONE_PASSED, Sockets
from trio_chat.server.server import Server

_FIRST = 3  # the descriptor of the first socket

# The names of sockets for operators, and for those who ask how the server is.
_ADMIN, _OPS = "admin", "ops"
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)

_STATUS_EVERY = 5.0  # seconds: each status is a signal to all who watch the unit


def passed_sockets(environment: MutableMapping[str, str]) -> Sockets:
    """The sockets that were passed: those named admin are for operators, those named ops for those
    who ask how the server is, and all others for people.

    The variables that tell of them are taken out of the environment. Raises SettingsError.
    """
    meant_for = environment.pop("LISTEN_PID", "")
    number = environment.pop("LISTEN_FDS", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if meant_for != str(os.getpid()) or not number.isdecimal():
        return NONE_PASSED
    passed = [
        (name, _listening(_FIRST + at, name))
        for at, name in zip(range(int(number)), chain(names, repeat("")), strict=False)
    ]
    return Sockets(
        chat=[sock for name, sock in passed if name not in (_ADMIN, _OPS)],
        admin=[sock for name, sock in passed if name == _ADMIN],
        ops=[sock for name, sock in passed if name == _OPS],
    )


def _listening(number: int, name: str) -> socket.socket:
    """The socket with this descriptor; children do not get it. Raises SettingsError."""
    families = (socket.AF_UNIX,) if name == _ADMIN else _FAMILIES
    with suppress(OSError):  # it is no socket
        sock = socket.socket(fileno=number)
        sock.set_inheritable(False)
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listens and sock.family in families and sock.type == socket.SOCK_STREAM:
            return sock
        sock.close()
    kind = "Unix" if name == _ADMIN else "TCP or Unix"
    raise SettingsError(
        f"the socket {name or number} that was passed by the service manager is no {kind} socket "
        "that listens: its unit needs ListenStream= and Accept=no"
    )


class Manager:
    """The manager that the environment names, or nobody, as long as the context lasts.

    Its variables are taken out of the environment: they are meant for this process alone.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        name = environment.pop("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        # Kept open, or a watchdog would bite as soon as too many files are open.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if name else None
        self._watchdog = _watchdog(environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket:
            self._socket.close()

    def ready(self) -> None:
        """Tell that everybody can connect, and that the settings are read."""
        self._tell("READY=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Tell that the settings are being read again, as long as the context lasts."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self.ready()

    def stopping(self) -> None:
        """Tell that the server ends."""
        self._tell("STOPPING=1")

    async def watch(self, server: Server) -> None:
        """Tell how the server is, for ever."""
        if self._socket:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._tell_figures, server)
                if self._watchdog:
                    nursery.start_soon(self._beat, server.status.store_settled, self._watchdog / 2)

    async def _tell_figures(self, server: Server) -> None:
        told = ""
        while True:
            if (status := _status(server)) != told:
                self._tell(f"STATUS={status}")
                told = status
            await trio.sleep(_STATUS_EVERY)

    async def _beat(self, store_settled: Callable[[], Awaitable[None]], pause: float) -> None:
        """Beat as long as trio's loop goes round, and the store's thread with it. One that fails is
        no reason to be killed: a new server would have the same disk.
        """
        while True:
            await store_settled()
            self._tell("WATCHDOG=1")
            await trio.sleep(pause)

    def _tell(self, words: str) -> None:
        if self._socket:
            with suppress(OSError):
                self._socket.sendto(os.fsencode(words), socket.MSG_DONTWAIT, self._address)


def _watchdog(environment: MutableMapping[str, str]) -> float:
    """How often the manager has to hear of us, in seconds; 0 if it does not watch."""
    microseconds = environment.pop("WATCHDOG_USEC", "")
    meant_for = environment.pop("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or meant_for not in ("", str(os.getpid())):
        return 0
    return int(microseconds) / 1_000_000


def _status(server: Server) -> str:
    people, rooms, connections = server.status.figures
    state = "" if server.status.state == "ok" else f"{server.status.state}: "
    node = f"{server.status.node}: " if server.status.node else ""
    return (
        f"{node}{state}{_number(people, 'person', 'people')} in {_number(rooms, 'room', 'rooms')}, "
        f"{_number(connections, 'connection', 'connections')}"
    )


def _number(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
