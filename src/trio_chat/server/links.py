"""Links by which people come to a server: where it is, its certificate, and an invitation."""

import fcntl
import ipaddress
import shlex
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from trio_chat.server.addresses import is_local
from trio_chat.settings import Settings, WebSettings
from trio_chat.settings.places import Address, Place, each_address, read_place

# Addresses on the far side of the routes out of here (RFC 5737, RFC 3849). Nothing is sent there.
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


# How Linux tells the addresses of network interfaces: netdevice(7), and proc(5) with the address in
# hexadecimal digits first, and its scope in the fourth column, which is 0 if it is good everywhere.
_SIOCGIFADDR, _IFREQ = 0x8915, struct.Struct("16s4x4s16x")
_IF_INET6 = Path("/proc/net/if_inet6")

#: What stands for all addresses of this machine.
EVERYWHERE = ("*", "0.0.0.0", "::")  # noqa: S104


def outward_addresses() -> Iterator[str]:
    """The addresses of this machine that its routes to others begin with."""
    for family, far in _FAR:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((far, 9))
            yield sock.getsockname()[0]


def addresses_of_machine() -> Iterator[str]:
    """The addresses at which others may reach this machine, those of its routes to them first;
    where the system tells no others (it is no Linux), these alone.
    """
    told = (*outward_addresses(), *_addresses_of_interfaces())
    yield from dict.fromkeys(address for address in told if not is_local(address))


def _addresses_of_interfaces() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for name in _interfaces():
            with suppress(OSError):  # it has none
                asked = _IFREQ.pack(name.encode(), bytes(4))
                yield socket.inet_ntoa(_IFREQ.unpack(fcntl.ioctl(sock, _SIOCGIFADDR, asked))[1])
    with suppress(OSError):
        for digits, _, _, scope, *_ in map(str.split, _IF_INET6.read_text().splitlines()):
            if int(scope, 16) == 0:
                yield str(ipaddress.IPv6Address(bytes.fromhex(digits)))


def _interfaces() -> Sequence[str]:
    """The names of network interfaces; none where a service may not ask (it takes netlink)."""
    try:
        return [name for _, name in socket.if_nameindex()]
    except OSError:
        return []


def link_to(
    settings: Settings,
    addresses: Sequence[Address],
    fingerprint: str,
    *,
    token: str = "",
    room: str = "",
) -> str:
    """A link to a server that listens at these addresses, perhaps with an invitation; its token
    alone if those are Unix sockets. With a certificate of a CA there is no pin: one would not
    outlast it.
    """
    places = sorted((at for at in addresses if not at.unix_path), key=lambda at: is_local(at.host))
    if not places:
        return token
    host, port = settings.server.public_name or _reachable(places[0].host), places[0].port
    _, *more = map(str, each_address(host, port, settings.server.others))
    pin = "" if settings.tls.certificate else fingerprint
    scheme = "ircs" if fingerprint else "irc"
    return str(Place(host, str(port), room, scheme, pin, token, tuple(more)))


def page_at(link: str, url: str = "") -> str:
    """The address of the page in the browser for those who have a link, or a token alone; empty if
    there is none. ``url`` is where a proxy has the page. What the address says of a room and an
    invitation stands after ``#``, so browsers send it nowhere.
    """
    room, token = "", link
    if "://" in link:
        place = read_place(link)
        room, token = place.room[1:], place.invite
        scheme = "https" if place.scheme == "ircs" else "http"
        url = url or f"{scheme}://{replace(place, scheme='', others=())}/"
    invite = f"?invite={token}" if token else ""
    return f"{url}#{quote(room)}{invite}" if url and (room or invite) else url


def in_browser(link: str, web: WebSettings) -> Sequence[str]:
    """A sentence that tells the same for the page in the browser, if there is one."""
    page = page_at(link, web.url)
    if not (page and web.enabled):
        return ()
    warns = not web.url and read_place(link).pin
    warning = ", which warns of the certificate that the server has made for itself"
    return (f"Or open {page} in a browser{warning if warns else ''}.",)


def way_in(link: str, uses: int, days: int, web: WebSettings) -> Sequence[str]:
    """The command that goes by a link, the page in the browser if there is one, and a sentence that
    says whom it lets in: a line each.

    To Unix sockets there is no link, but a token, and the sentence says where that belongs.
    """
    people = "one person" if uses == 1 else f"{uses} people"
    lasts = "one day" if days == 1 else f"{days} days"
    works = f"This works for {people}, for {lasts}"
    if "://" in link:
        return [f"trio-chat client {shlex.quote(link)}", *in_browser(link, web), f"{works}."]
    where = "as TRIO_CHAT_CLIENT__INVITATION, or as the first line in netcat"
    return [link, *in_browser(link, web), f"{works}: {where}."]


def own_addresses(listened: Sequence[Address]) -> Iterator[str]:
    """The addresses of this machine at which a server is reached that listens at these."""
    for at in listened:
        yield from addresses_of_machine() if at.host in EVERYWHERE else (at.host,)


def _reachable(host: str) -> str:
    """The name or address to go to for one that is listened on, which may stand for all."""
    if host not in EVERYWHERE:
        return host
    name = socket.gethostname()
    return name if "." in name else next(addresses_of_machine(), name)
