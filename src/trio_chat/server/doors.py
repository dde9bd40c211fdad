"""How many may come in: connections in all, and from each address."""

import ipaddress
from collections import Counter

from trio_chat.settings import LimitSettings


class Doors:
    """Counts the connections that there are."""

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self._total = 0
        self._from: Counter[str] = Counter()

    def enter(self, peer: str) -> str:
        """Count a connection, which then must ``leave``; or say why it cannot come in."""
        network = _network(peer)
        why_not = self._why_not(network)
        if not why_not:
            self._total += 1
            self._from[network] += 1
        return why_not

    def leave(self, peer: str) -> None:
        network = _network(peer)
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
