"""How many may come in: connections in all, and from each address."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from trio_chat.settings import LimitSettings


class Doors:
    """Counts the connections that there are."""

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self._total = 0
        self._from: Counter[str] = Counter()

    @contextmanager
    def entered(self, peer: str) -> Iterator[str]:
        """Count a connection from ``peer`` while this lasts; yields why it cannot stay, or ""."""
        network = _network(peer)
        if why_not := self._why_not(network):
            yield why_not
            return
        self._total += 1
        self._from[network] += 1
        try:
            yield ""
        finally:
            self._total -= 1
            self._from[network] -= 1
            if not self._from[network]:
                del self._from[network]

    def _why_not(self, network: str) -> str:
        if self._total >= self.limits.connections:
            return f"The server is full: {self.limits.connections} are connected. Try again later."
        if self._from[network] >= self.limits.connections_per_address:
            most = self.limits.connections_per_address
            return f"There are {most} connections from your address, and that is the most."
        return ""


def _network(peer: str) -> str:
    """What counts as one address: of IPv6 a /64, since that is the least that anybody is given."""
    if ":" not in peer:
        return peer
    address = ipaddress.IPv6Address(peer.partition("%")[0])
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
