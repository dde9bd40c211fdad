"""What others see of where somebody is: not the address, but something that stands for it."""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from functools import lru_cache

_LENGTH = 10  # characters of a hash


class Cloak:
    """``key`` keeps others from finding the address by trying all of them. Without one, everybody
    sees the addresses.

    A cloaked host is ``ADDRESS.NETWORK.ip``, of hashes: so a ban can be of one or of all near it.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        # Many come from one address in a storm: let them have one text in common.
        self._known: Callable[[str], str] = lru_cache(maxsize=1000)(self._find)

    def host(self, peer: str) -> str:
        """For an IP address; anything else, a Unix socket's "unix" say, is shown as it is."""
        return self._known(peer)

    def _find(self, peer: str) -> str:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return peer
        if self._key is None:
            # A parameter that begins with a colon would be taken for the last one.
            return f"0{address}" if str(address).startswith(":") else str(address)
        one, near = (32, 24) if address.version == 4 else (64, 48)
        return f"{self._hash(address, one)}.{self._hash(address, near)}.ip"

    def _hash(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int) -> str:
        network = ipaddress.ip_network((address, bits), strict=False)
        assert self._key is not None  # noqa: S101 - for the type checker
        digest = hmac.new(self._key, str(network).encode(), hashlib.sha256)
        return digest.hexdigest()[:_LENGTH]
