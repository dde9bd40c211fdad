"""Addresses and networks of IP, as people write them.

An address of IPv6 stands for its /64 network, the least that anybody is given: whoever has one
address in it has all of them.
"""

import ipaddress
import re
from functools import lru_cache

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_IPV6_LEAST = 64  # bits of the smallest network
_MAPPED = 96  # bits before an IPv4 address that is written as IPv6

# What is made like an address of IPv4, or of IPv6.
_DIGITS = re.compile(r"\d+(\.\d+){3,}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*", re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=1000)
def address_of(name: str) -> IpAddress | None:
    """An address without its zone; an IPv4 address as such, even if written as IPv6. None if it is
    no address, ``unix`` say.
    """
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(text: str) -> IpNetwork | None:
    """The network that somebody has written, or that an address is in; None if it is neither."""
    try:
        network = ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv4Network):
        return network
    mapped = network.network_address.ipv4_mapped
    if mapped and network.prefixlen >= _MAPPED:
        return ipaddress.ip_network((mapped, network.prefixlen - _MAPPED))
    shorter = network.prefixlen <= _IPV6_LEAST or network.is_loopback
    return network if shorter else network.supernet(new_prefix=_IPV6_LEAST)


def is_meant_as_network(text: str) -> bool:
    """Whether somebody has written this as a network or an address; it may be a wrong one."""
    if text.startswith(":"):  # as no name does; in IRC it may have lost a colon
        return True
    begin, slash, length = text.partition("/")
    if slash and length.isdecimal():
        return bool(begin) and "@" not in begin
    return _DIGITS.fullmatch(begin) is not None


def written(network: IpNetwork) -> str:
    """A network as people write it: one address of IPv4 without its length."""
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address if alone else network)
