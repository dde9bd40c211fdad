"""One connection to the engine, for one thread: a request, then its reply.

There is no pool, and nothing is repeated here: whoever asks knows what may be asked twice.
"""

import socket
from contextlib import suppress
from typing import Any, Protocol

from redis import connection as redis_connection
from redis.exceptions import RedisError, ResponseError

from trio_chat.storage.shared.address import Address
from trio_chat.storage.shared.library import Library

# Its classes are half typed.
_KINDS: Any = redis_connection


class Wire(Protocol):
    """A connection of redis-py, as far as we use it. All of it may raise RedisError."""

    def connect(self) -> None:
        """Connect, and log in."""

    def send_command(self, *words: str | bytes) -> None:
        """Send a command."""

    def read_response(self) -> Any:
        """The next reply. Raises ResponseError if that is an error."""

    def disconnect(self) -> None:
        """End the connection."""


class Down(Exception):
    """The engine does not answer, or does not do what it is asked for now; the text says why."""


class Engine:
    """A connection to the engine that is opened when it is needed. End it with ``close``.

    ``timeout`` is for how many seconds a reply is waited for, and as many for a connection.
    """

    def __init__(
        self, address: Address, password: str, library: Library, *, timeout: float
    ) -> None:
        self._address, self._password, self._library = address, password, library
        self._timeout = timeout
        self._connection: Wire | None = None

    def call(self, function: str, *arguments: str | bytes) -> Any:
        """Call a function of the library, which is loaded if the engine does not have it."""
        command = self._library.call(function, *arguments)
        try:
            return self._ask(*command)
        except ResponseError as error:
            if "Function not found" not in str(error):
                raise self._failed(error) from error
        self.load()
        return self.request(*command)

    def load(self) -> None:
        """Let the engine have the functions. If another node has been faster, all is well."""
        try:
            self._ask("FUNCTION", "LOAD", self._library.text)
        except ResponseError as error:
            if "already exists" not in str(error):
                raise self._failed(error) from error

    def request(self, *command: str | bytes) -> Any:
        """Send a command, and return the reply. Raises Down, and is closed then."""
        try:
            return self._ask(*command)
        except ResponseError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """End the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def interrupt(self) -> None:
        """Let the request that waits in another thread fail at once."""
        plain: socket.socket | None = getattr(self._connection, "_sock", None)
        if plain is not None:
            with suppress(OSError):
                # Not that of TLS, which would take away what the other thread uses.
                socket.socket.shutdown(plain, socket.SHUT_RDWR)

    def _ask(self, *command: str | bytes) -> Any:
        try:
            connection = self._opened()
            connection.send_command(*command)
            return connection.read_response()
        except ResponseError:
            raise
        except (RedisError, OSError) as error:
            raise self._failed(error) from error

    def _opened(self) -> Wire:
        if self._connection is None:
            self._connection = self._new()
            self._connection.connect()
        return self._connection

    def _failed(self, error: Exception) -> Down:
        """What is said instead of an error of theirs. The connection is not used again: another
        engine may be the right one by now.
        """
        self.close()
        return Down(str(error))

    def _new(self) -> Wire:
        common: dict[str, Any] = {
            "protocol": 3,
            "username": self._address.user or None,
            "password": self._password or None,
            "socket_timeout": self._timeout,
            "socket_connect_timeout": self._timeout,
            "retry": None,
        }
        wire: Wire
        if self._address.path:
            wire = _KINDS.UnixDomainSocketConnection(path=self._address.path, **common)
            return wire
        host, port = self._address.hosts[0]
        common |= {"host": host, "port": port}
        if self._address.tls:
            trusted = {"ssl_ca_certs": self._address.ca or None, "ssl_check_hostname": True}
            wire = _KINDS.SSLConnection(**trusted, **common)
        else:
            wire = _KINDS.Connection(**common)
        return wire
