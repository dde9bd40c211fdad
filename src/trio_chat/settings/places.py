"""Places to listen and to connect: addresses, and the URLs that people write for them."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from trio_chat.settings.checks import check_room, read_room
from trio_chat.settings.pins import pin_in_link, read_pin


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


#: The port of a URL without one (draft-butcher-irc-url; RFC 7194 for TLS), by its scheme.
URL_PORTS = {"irc": "6667", "ircs": "6697"}

# The page in the browser is on the same port: its address says as well where to go.
_PAGES = {"http": ("irc", "80"), "https": ("ircs", "443")}


@dataclass(frozen=True, slots=True)
class Place:
    """The parts of a written host, each empty if not given. The ``scheme`` of a URL says whether
    TLS is spoken there, ``pin`` is that of the server's certificate, ``invite`` lets one in, and
    ``others`` are more addresses of the same chat, as ``client.others`` has them.
    """

    host: str
    port: str = ""
    room: str = ""
    scheme: str = ""
    pin: str = ""
    invite: str = ""
    others: tuple[str, ...] = ()

    @property
    def default_port(self) -> str:
        """The port that is meant if none is given; empty if the scheme has none."""
        return URL_PORTS.get(self.scheme, "")

    @property
    def tls(self) -> str:
        """``on`` or ``off`` if the scheme says so."""
        return {"irc": "off", "ircs": "on"}.get(self.scheme, "")

    def __str__(self) -> str:
        """The URL, or what was written without a scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        where = f"{host}:{self.port}" if self.port else host
        if not self.scheme:
            return ",".join((where, *self.others))
        room = f"/{quote(self.room, safe='#&')}" if self.room else ""
        pin = f"pin={pin_in_link(self.pin)}" if self.pin else ""
        invite = f"invite={self.invite}" if self.invite else ""
        # A parameter, so that a client which does not know it goes to the first.
        also = f"also={quote(','.join(self.others), safe=',:')}" if self.others else ""
        query = "&".join(filter(None, (pin, invite, also)))
        return f"{self.scheme}://{where}{room}{'?' if query else ''}{query}"


_HOST = "must be a name, an address, unix:PATH, or * for a server"
_BROKEN = "a link has no blanks or line breaks in it: copy it in one piece"
# So many addresses of one chat a client takes: a link may be from anybody.
_ADDRESSES_MAX = 16

_PORT = "the port must be a number from 0 to 65535; put an IPv6 address in [brackets]"


def read_place(text: str) -> Place:
    """Read HOST, HOST:PORT, an IPv6 address with or without brackets, unix:PATH, or a link:
    ircs://HOST:PORT/ROOM?pin=PIN&invite=TOKEN with TLS, irc://HOST:PORT/ROOM in clear, or the
    address of a page, https://HOST:PORT/#ROOM?invite=TOKEN. Several hosts of one chat have commas
    between them; in a link those after the first may also be a parameter: also=HOST:PORT,HOST:PORT.
    Raises ValueError.
    """
    if text.startswith("unix:") or not text or any(map(str.isspace, text)):
        return Place(check_host(text))
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        host, port, others = _hosts_and_port(text)
        return Place(host, port, others=others)
    scheme, page_port = _PAGES.get(scheme.lower(), (scheme.lower(), ""))
    if scheme not in URL_PORTS:
        raise ValueError("the only URLs are ircs://HOST:PORT/ROOM, and irc:// without encryption")
    written, _, query = rest.replace("&amp;", "&").partition("?")  # as copied from a web page
    where, path = re.findall(r"(?s)^([^/#]*)/*(.*)$", written)[0]
    if page_port and path[:1] not in ("", "#"):
        raise ValueError("the page is behind a proxy that speaks only HTTP: open it in a browser")
    if "@" in where:
        raise ValueError(
            "an address cannot hold a nickname or a password; set TRIO_CHAT_CLIENT__NICK and "
            "TRIO_CHAT_CLIENT__PASSWORD"
        )
    name, *flags = unquote(path if path != "#" else "").split(",")
    _check_flags(flags)
    pin, invite = _pin_in(query), _invite_in(query)
    if pin and scheme != "ircs":
        raise ValueError("a link with a pin begins with ircs://")
    host, port, others = _hosts_and_port(",".join((where, *_parameters(query, "also"))))
    room = name and check_room(read_room(name))
    return Place(host, port or page_port, room, scheme, pin, invite, others)


# Allowed after a room by draft-butcher-irc-url, and of no effect here: a server tells those who
# lack a password.
_FLAGS = {"ischannel", "isserver", "isnetwork", "needpass"}

_NO_KEY = "an address cannot hold a room's key; use /join ROOM KEY"


def _check_flags(flags: Sequence[str]) -> None:
    """Check what follows the room in a URL. Raises ValueError."""
    if {"isnick", "isuser"} & set(flags):
        raise ValueError("names a person, not a room")
    if "needkey" in flags:
        raise ValueError(_NO_KEY)
    if unknown := [flag for flag in flags if flag not in _FLAGS]:
        raise ValueError(f"{unknown[0]!r} after the room means nothing here")


def _pin_in(query: str) -> str:
    """Return the pin among the parameters of a link. Raises ValueError."""
    if _parameters(query, "key"):
        raise ValueError(_NO_KEY)
    return _only("pin", [_read_pin(value) for value in _parameters(query, "pin")])


def _invite_in(query: str) -> str:
    """Return the invitation among the parameters of a link. Raises ValueError."""
    invite = _only("invitation", _parameters(query, "invite"))
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,200}", invite):
        raise ValueError("its invitation is damaged: copy the whole link again")
    return invite


def _parameters(query: str, wanted: str) -> list[str]:
    """The values of a parameter. Others are ignored: links are to be good for older clients."""
    pairs = (part.partition("=") for part in query.split("&"))
    return [unquote(value) for name, _, value in pairs if name == wanted]


def _only(what: str, found: list[str]) -> str:
    if len({*found}) > 1:
        raise ValueError(f"a link has one {what}")
    return found[0] if found else ""


def _read_pin(text: str) -> str:
    try:
        return read_pin(text)
    except ValueError as error:
        raise ValueError(f"its pin {error}") from None


def without_password(host: str) -> str:
    """Hide the password in a written host."""
    return host if host.startswith("unix:") else re.sub(r"^(\w+://)?.*@", r"\1(hidden)@", host)


def _hosts_and_port(text: str) -> tuple[str, str, tuple[str, ...]]:
    """The first of the hosts, its port if it has one, and the others."""
    first, *others = text.split(",")
    return *_host_and_port(first), check_addresses(tuple(map(check_other, others)))


def check_addresses(others: tuple[str, ...]) -> tuple[str, ...]:
    """Check how many addresses there are beside the first. Raises ValueError."""
    if len(others) >= _ADDRESSES_MAX:
        raise ValueError(f"one chat has at most {_ADDRESSES_MAX} addresses")
    return others


def check_other(text: str) -> str:
    """Check one more address of a chat: HOST, HOST:PORT or [IPV6]:PORT. Returns it as it is
    written in a list. Raises ValueError.
    """
    host, port = _host_and_port(text)
    if host == "*" or (port and not int(port)):
        raise ValueError(f"{text!r} is no address to go to")
    return str(Place(host, port))


def each_address(host: str, port: int, others: Sequence[str]) -> tuple[Address, ...]:
    """All addresses of a chat; of the ``others``, those without a port have the first one's."""
    places = map(read_place, others)
    return (Address(host, port), *(Address(at.host, int(at.port or port)) for at in places))


def _host_and_port(text: str) -> tuple[str, str]:
    if text.count(":") > 1 and "[" not in text:
        return _ipv6(text), ""
    if "/" in text or "#" in text:
        raise ValueError(f"{_HOST}; with a room it is a link: ircs://HOST:PORT/ROOM")
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
        raise ValueError(_BROKEN if "://" in host else _HOST)
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
