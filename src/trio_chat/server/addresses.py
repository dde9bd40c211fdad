"""Addresses of peers and listeners: whether they are this machine's, or of a private network."""

import ipaddress
from functools import lru_cache

from trio_chat.core.networks import IpNetwork, address_of

# The networks that anybody may use for themselves, and nobody else can reach (RFC 1918, RFC 4193,
# RFC 3927, RFC 4291).
_PRIVATE = [
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
]


@lru_cache(maxsize=10)
def networks(setting: tuple[str, ...]) -> tuple[IpNetwork, ...]:
    """The networks of a setting, without ``unix``."""
    return tuple(ipaddress.ip_network(network) for network in setting if network != "unix")


def is_among(name: str, setting: tuple[str, ...]) -> bool:
    """Whether a setting names the network of an address, or ``unix``."""
    address = address_of(name)
    if address is None:
        return name in setting
    return any(address in network for network in networks(setting))


def is_local(name: str) -> bool:
    """Whether nothing that goes there leaves this machine: loopback and Unix sockets."""
    address = address_of(name)
    return address is None or address.is_loopback


def may_be_clear(name: str, clear: str) -> bool:
    """Whether the setting ``tls.clear`` lets a peer speak without TLS."""
    address = address_of(name)
    if clear == "anyone" or is_local(name):
        return True
    return clear == "private" and any(address in network for network in _PRIVATE)
