"""Single connections of redis-py: no pool, and nothing is asked twice."""

from typing import Any, Protocol

from redis import connection as redis_connection
from redis.exceptions import AuthenticationError, RedisError

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
    seconds. Raises RedisError if it is Sentinels that know it, and none tells.
    """
    options = _options(address, timeout) | _login(address, password)
    if address.path:
        return _made(_KINDS.UnixDomainSocketConnection, options | {"path": address.path})
    if address.service:
        return _tcp(address, _primary(address, password, timeout), options)
    return _tcp(address, address.hosts[0], options)


def _primary(address: Address, password: str, timeout: float) -> tuple[str, int]:
    """Ask one Sentinel after the other where the primary is, as their documentation wants it."""
    why = "there is none"
    for place in address.hosts:
        # They mostly have no password; those that do have the engine's.
        for login in ({}, _login(address, password)):
            sentinel = _tcp(address, place, _options(address, timeout) | login)
            try:
                sentinel.connect()
                sentinel.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service)
                if found := sentinel.read_response():
                    return found[0].decode(), int(found[1])
                why = f"it knows nothing of {address.service}"
            except AuthenticationError as error:
                why = str(error)
                continue
            except (RedisError, OSError) as error:
                why = str(error)
            finally:
                sentinel.disconnect()
            break
    raise RedisError(f"no Sentinel tells where it is: {why}")


def _options(address: Address, timeout: float) -> dict[str, Any]:
    times = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    return {"protocol": 3, "retry": None, **times}


def _login(address: Address, password: str) -> dict[str, Any]:
    return {"username": address.user or None, "password": password or None}


def _tcp(address: Address, place: tuple[str, int], options: dict[str, Any]) -> Wire:
    options = options | {"host": place[0], "port": place[1]}
    if not address.tls:
        return _made(_KINDS.Connection, options)
    trusted = {"ssl_ca_certs": address.ca or None, "ssl_check_hostname": True}
    return _made(_KINDS.SSLConnection, options | trusted)


def _made(kind: Any, options: dict[str, Any]) -> Wire:
    wire: Wire = kind(**options)
    return wire
