"""The cloak of addresses: what others see is not an address, but a text that stands for it."""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from functools import lru_cache

_LENGTH = 10  # characters of a hash


class Cloak:
    """Hides addresses behind hashes. Without a ``key``, everybody sees the addresses.

    The key keeps others from finding an address by trying all of them. A cloaked host is
    ``ADDRESS.NETWORK.ip``, two hashes: so a ban can fit one address, or all near it.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        # Many may come from one address in a storm: let them share one text.
        self.host: Callable[[str], str] = lru_cache(maxsize=1000)(self._find)

    def _find(self, peer: str) -> str:
        """The host that stands for an IP address; any other peer, "unix" say, is shown as it is."""
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
