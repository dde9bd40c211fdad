"""Addresses of peers and listeners: the IP address in a name, and whether it is this machine's."""

import ipaddress

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(name: str) -> IpAddress | None:
    """An address without its zone; an IPv4 address as such, even if written as IPv6. None if it is
    no address, ``unix`` say.
    """
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_local(name: str) -> bool:
    """Whether nothing that goes there leaves this machine: loopback and Unix sockets."""
    address = address_of(name)
    return address is None or address.is_loopback
