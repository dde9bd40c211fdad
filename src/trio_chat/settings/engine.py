"""Where the engine is: the forms in which an address is written, and what each one means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

#: The ports of Redis and of its Sentinel where none is named.
PORT, SENTINEL_PORT = 6379, 26379

#: The forms of an address, for people.
FORMS = (
    "redis://[USER@]HOST[:PORT]/NAME, rediss://…, unix:[USER@]PATH?NAME "
    "or sentinel://HOST[:PORT],…/SERVICE/NAME"
)

# A name is part of keys and of the pattern that lets a user have them, where braces, "*" and the
# like have a meaning.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USER = re.compile(r"[!-?A-~]{1,256}")  # no space, no "@"


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a chat in an engine. Its keys begin with the chat's ``name`` in braces.

    The engine is at the first of ``hosts``, or at the Unix socket ``path``; or Sentinels at
    ``hosts`` know where the primary of ``service`` is. With ``tls`` it shows a certificate of a
    known authority, or of those in the file ``ca``.
    """

    name: str
    hosts: Sequence[tuple[str, int]] = ()
    path: str = ""
    service: str = ""
    user: str = ""
    tls: bool = False
    ca: str = ""

    @property
    def is_local(self) -> bool:
        """Whether nobody beyond this machine can be there."""
        return bool(self.path) or (
            not self.service and self.hosts[0][0] in ("localhost", "127.0.0.1", "::1")
        )

    def __str__(self) -> str:
        """The place, for people: without the user."""
        if self.path:
            return f"unix:{self.path}"
        hosts = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        return f"{self.service} at {hosts}" if self.service else hosts


def parse(text: str) -> Address:
    """Read an address. Raises ValueError, whose text is one line that says what is wrong."""
    scheme, separator, rest = text.partition(":")
    if scheme == "unix" and separator:
        return _unix(rest)
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from error
    if url.scheme not in ("redis", "rediss", "sentinel", "sentinels") or not url.netloc:
        raise ValueError(f"must be {FORMS}")
    return _network(url)


def _unix(rest: str) -> Address:
    place, _, name = rest.partition("?")
    user, at, path = place.partition("@") if not place.startswith("/") else ("", "", place)
    if not Path(path).is_absolute():
        raise ValueError("needs the full path of a socket: unix:/run/redis/redis.sock?NAME")
    return Address(_name(name), path=path, user=_user(user) if at else "")


def _network(url: SplitResult) -> Address:
    user, at, hosts = url.netloc.rpartition("@")
    through_sentinels = url.scheme.startswith("sentinel")
    if through_sentinels:
        service, _, name = url.path.removeprefix("/").partition("/")
        if not service or not name:
            raise ValueError("needs a service and a name: sentinel://HOST,HOST/SERVICE/NAME")
    else:
        service, name = "", url.path.removeprefix("/")
    port = SENTINEL_PORT if through_sentinels else PORT
    tls = url.scheme in ("rediss", "sentinels")
    return Address(
        _name(name),
        hosts=_hosts(hosts, port, several=through_sentinels),
        service=service,
        user=_user(user) if at else "",
        tls=tls,
        ca=_ca(url.query, tls=tls),
    )


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "needs a name for the chat after the place: at most 64 letters, digits, '.', '_' or '-'"
        )
    return name


def _user(user: str) -> str:
    user = unquote(user)
    if ":" in user:
        raise ValueError("must not have a password in it: that has a setting of its own")
    if not _USER.fullmatch(user):
        raise ValueError("has a user whose name has a space in it, or an odd letter, or is empty")
    return user


def _hosts(text: str, port: int, *, several: bool) -> Sequence[tuple[str, int]]:
    hosts = tuple(_host(host, port) for host in text.split(","))
    if len(hosts) > 1 and not several:
        raise ValueError("names several hosts, which only sentinel:// may")
    return hosts


def _host(text: str, port: int) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s\[\]:/?#@]+))(?::([0-9]{1,5}))?", text)
    if not found:
        raise ValueError(f"has no host, or one that is none: {text!r}")
    number = int(found[3] or port)
    if not 1 <= number <= 65535:
        raise ValueError(f"has a port that is none: {number}")
    return found[1] or found[2], number


def _ca(query: str, *, tls: bool) -> str:
    options = dict(parse_qsl(query, keep_blank_values=True))
    path = options.pop("ca", "")
    if options:
        raise ValueError(f"has an option that there is not: {min(options)!r}")
    if path and not tls:
        raise ValueError("names authorities, which only rediss:// and sentinels:// ask")
    if path and not Path(path).is_absolute():
        raise ValueError(f"needs the full path of the file of authorities, not {path!r}")
    return path
