"""A connection to the engine, for one thread: a request, then its reply.

Nothing is repeated here: whoever asks knows what may be asked twice.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from trio_chat.settings.engine import Address
from trio_chat.storage.shared.library import Library
from trio_chat.storage.shared.wires import Wire, wire_to

# How often a thread is looked for that has to end (seconds).
_LOOK = 0.02


class Down(Exception):
    """The engine does not answer, or does not do what it is asked for now; the text says why."""


class Refused(Down):
    """The engine does not let this user in, or do all that a node does: a setting is wrong.
    ``setting`` is its name.
    """

    def __init__(self, why: str, setting: str) -> None:
        super().__init__(why)
        self.setting = setting


class Engine:
    """A connection to the engine that is opened when it is needed. End it with ``close``.

    ``timeout`` is for how many seconds a reply is waited for, and as many for a connection.
    """

    def __init__(
        self, address: Address, password: str, library: Library, *, timeout: float
    ) -> None:
        self._address, self._password, self._library = address, password, library
        self._timeout = timeout
        self._wire: Wire | None = None
        #: What the engine says of itself (INFO), as of the last connection.
        self.info: Mapping[str, str] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._wire is not None

    def open(self) -> None:
        """Connect, unless that is done. Raises Down; nothing was asked for then."""
        with self._translated():
            self._open()

    def call(self, function: str, *arguments: str | bytes) -> Any:
        """Call a function of the library. Each is told the ``epoch``, the run of the engine: after
        another one, what it remembers may end earlier. Raises Down, and is closed then.
        """
        with self._translated():
            self._open()
            command = self._library.call(function, self.info["run_id"], *arguments)
            try:
                return self._ask(*command)
            except ResponseError as error:
                if "Function not found" not in str(error):
                    raise
            self._load()
            return self._ask(*command)

    def request(self, *command: str) -> Any:
        """Send a command, and return the reply. Raises Down, and is closed then."""
        with self._translated():
            self._open()
            return self._ask(*command)

    def close(self) -> None:
        """End the connection; the next request opens another."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.disconnect()

    def end_with(self, thread: threading.Thread) -> None:
        """Let the thread that uses it fail at once, as often as it asks, until it ends. Blocks."""
        while thread.is_alive():
            self._interrupt()
            thread.join(_LOOK)  # it may be about to connect
        self.close()

    def _interrupt(self) -> None:
        plain: socket.socket | None = getattr(self._wire, "_sock", None)
        if plain is not None:
            with suppress(OSError):
                # Not that of TLS, which would take away what the thread uses.
                socket.socket.shutdown(plain, socket.SHUT_RDWR)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Make one error of all of theirs. The connection is not used after it: by now, another
        engine may be the one to ask.
        """
        try:
            yield
        except AuthenticationError as error:
            self.close()
            why = str(error) if self._password else "it wants a password"
            raise Refused(why, "nodes.password") from error
        except NoPermissionError as error:
            self.close()
            raise Refused(str(error), "nodes.through") from error
        except (RedisError, OSError) as error:
            self.close()
            raise Down(str(error)) from error

    def _open(self) -> None:
        if self._wire is None:
            self._wire = wire_to(self._address, self._password, timeout=self._timeout)
            self._wire.connect()
            self.info = _info(self._ask("INFO"))
            if self.info.get("role") != "master":
                raise RedisError("it is a replica of another one")

    def _ask(self, *command: str | bytes) -> Any:
        assert self._wire  # noqa: S101 - for the type checker
        self._wire.send_command(*command)
        return self._wire.read_response()

    def _load(self) -> None:
        """Let the engine have the functions. If another node is faster, it gets the same again."""
        self._ask("FUNCTION", "LOAD", "REPLACE", self._library.text)


def _info(text: bytes) -> Mapping[str, str]:
    lines = (line.partition(":") for line in text.decode(errors="replace").splitlines())
    return {key: value for key, _, value in lines if value}
