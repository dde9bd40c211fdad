"""Single connections of redis-py: no pool, and nothing is asked twice."""

from typing import Any, Protocol

from redis import connection as redis_connection

from trio_chat.settings.engine import Address

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


def wire_to(address: Address, password: str, *, timeout: float) -> Wire:
    """The way to an engine, not yet connected. Connecting, and each reply, may take ``timeout``
    seconds.
    """
    options: dict[str, Any] = {
        "protocol": 3,
        "username": address.user or None,
        "password": password or None,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": None,
    }
    kind = _KINDS.UnixDomainSocketConnection
    if address.path:
        options["path"] = address.path
    else:
        kind = _KINDS.SSLConnection if address.tls else _KINDS.Connection
        options["host"], options["port"] = address.hosts[0]
    if address.tls:
        options |= {"ssl_ca_certs": address.ca or None, "ssl_check_hostname": True}
    wire: Wire = kind(**options)
    return wire
