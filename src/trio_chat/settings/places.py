"""Places to listen and to connect: addresses, and the URLs that people write for them."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from trio_chat.settings.checks import read_room


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port, or ``unix:PATH`` with port 0."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        if self.unix_path:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def unix_path(self) -> str:
        """The path of a Unix socket; empty for TCP."""
        return self.host.removeprefix("unix:") if self.host.startswith("unix:") else ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine by its very name."""
        if self.unix_path:
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def read_address(text: str) -> Address:
    """Read HOST:PORT, [IPV6]:PORT or unix:PATH. Raises ValueError."""
    if text.startswith("unix:") and text != "unix:":
        return Address(text)
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]+)):(\d{1,5})", text)
    if found is None or int(found[3]) > 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT, [IPV6]:PORT or unix:PATH")
    return Address(found[1] or found[2], int(found[3]))


@dataclass(frozen=True, slots=True)
class Place:
    """The parts of a written host. ``port`` and ``room`` are empty if not given; a URL without a
    port means that of IRC.
    """

    host: str
    port: str = ""
    room: str = ""
    is_url: bool = False


#: The port of irc:// by default (draft-butcher-irc-url).
IRC_PORT = "6667"

_HOST = "must be a name, an address, unix:PATH, or * for a server"
_PORT = "the port must be a number from 0 to 65535; put an IPv6 address in [brackets]"


def read_place(text: str) -> Place:
    """Read HOST, HOST:PORT, an IPv6 address with or without brackets, unix:PATH or
    irc://HOST:PORT/ROOM. Raises ValueError.
    """
    if text.startswith("unix:") or not text or any(map(str.isspace, text)):
        return Place(check_host(text))
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return Place(*_host_and_port(text))
    if scheme.lower() in ("ircs", "tls", "ssl"):
        raise ValueError("TLS is not supported yet; irc:// connects without encryption")
    if scheme.lower() != "irc":
        raise ValueError("the only URLs are irc://HOST:PORT/ROOM")
    where, _, path = rest.replace("#", "/#", 1).partition("/")
    if "@" in where:
        raise ValueError(
            "an address cannot hold a nickname or a password; set TRIO_CHAT_CLIENT__NICK and "
            "TRIO_CHAT_CLIENT__PASSWORD"
        )
    path, _, query = path.partition("?")
    name, *flags = unquote(path).lstrip("/").split(",")
    _check_flags(flags, query)
    return Place(*_host_and_port(where), name and read_room(name), is_url=True)


# Allowed after a room by draft-butcher-irc-url, and of no effect here: a server tells those who
# lack a password.
_FLAGS = {"ischannel", "isserver", "isnetwork", "needpass"}


def _check_flags(flags: Sequence[str], query: str) -> None:
    """Check what follows the room in a URL. Raises ValueError."""
    if {"isnick", "isuser"} & set(flags):
        raise ValueError("names a person, not a room")
    if "needkey" in flags or query.startswith("key="):
        raise ValueError("an address cannot hold a room's key; use /join ROOM KEY")
    if query:
        raise ValueError("nothing can follow a ?")
    if unknown := [flag for flag in flags if flag not in _FLAGS]:
        raise ValueError(f"{unknown[0]!r} after the room means nothing here")


def without_password(host: str) -> str:
    """Hide the password in a written host."""
    return host if host.startswith("unix:") else re.sub(r"^(\w+://)?.*@", r"\1(hidden)@", host)


def _host_and_port(text: str) -> tuple[str, str]:
    if text.count(":") > 1 and "[" not in text:
        return _ipv6(text), ""
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]/@]+))(?::(.*))?", text)
    if found is None:
        raise ValueError(_HOST)
    address, name, port = found.groups()
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65_535):
        raise ValueError(_PORT)
    return (name or _ipv6(address)), port or ""


def _ipv6(text: str) -> str:
    """Check an address, which may end with a zone, as fe80::1%eth0."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError(
            _PORT if "[" not in text and text.rpartition(":")[2].isdigit() else _HOST
        ) from None
    return text


def check_host(host: str) -> str:
    """Check a host without a port or a room. Raises ValueError."""
    if not host or host == "unix:" or any(c.isspace() for c in host):
        raise ValueError(_HOST)
    if not host.startswith("unix:") and read_place(host) != Place(host):
        raise ValueError(f"{_HOST}, without a port or a room")
    return host


def check_place(host: str, port: int) -> None:
    """Check where to connect. Raises ValueError."""
    try:
        if "://" in host and not host.startswith("unix:"):
            raise ValueError(f"{_HOST}, without a port or a room")
        check_host(host)
    except ValueError as error:
        raise ValueError(f"host {without_password(host)!r}: {error}") from None
    if host == "*":
        raise ValueError("host '*': only a server can listen everywhere")
    if not host.startswith("unix:") and (type(port) is not int or not 1 <= port <= 65_535):
        raise ValueError(f"port {port!r}: must be a whole number from 1 to 65535")
