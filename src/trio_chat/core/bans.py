"""The bans of the server: which of them fits somebody, or an address that somebody comes from.

Networks are found by their length: of each length that a ban has, one look-up. Accounts are found
by their folded name. Masks are compared one by one, with the address that others see and with the
real one. Nobody is kept out of the machine itself: loopback and Unix sockets are in no network.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from trio_chat.core.masks import Pattern, address, fold_mask, pattern
from trio_chat.core.names import fold
from trio_chat.core.networks import IpNetwork, address_of, network_of
from trio_chat.core.room import Person
from trio_chat.core.views import Ban

#: The bans that there may be: some 500 bytes of memory each.
BANS_MAX = 10_000

ACCOUNT, NETWORK, MASK = "account", "network", "mask"

_BITS = {4: 32, 6: 128}  # of an address, by version of IP


def rank(ban: Ban) -> tuple[bool, float, int]:
    """Of several bans that fit somebody, the one with the highest rank counts."""
    return not ban.mute, ban.until or math.inf, ban.number


def _highest(bans: Iterable[Ban]) -> Ban | None:
    return max(bans, key=rank, default=None)


@dataclass(slots=True)
class Bans:
    """The bans in force, by number. ``last`` is the number of the last one that there has been.

    Those of networks are found by the version of IP, how many bits do not count, and the others as
    a number.
    """

    last: int = 0
    all: dict[int, Ban] = field(default_factory=dict)
    _by_value: dict[tuple[str, str], Ban] = field(default_factory=dict)  # by kind and folded value
    _networks: dict[int, dict[int, dict[int, Ban]]] = field(default_factory=dict)
    _patterns: dict[int, Pattern] = field(default_factory=dict, compare=False)  # by number

    # ── look-ups ───────────────────────────────────────────────────────────────────────────

    def on(self, kind: str, value: str) -> Ban | None:
        """The ban that is about this and nothing else."""
        return self._by_value.get((kind, fold_mask(value)))

    def of_account(self, name: str) -> Ban | None:
        """The ban of an account."""
        return self._by_value.get((ACCOUNT, fold(name))) if self.all and name else None

    def at_door(self, peer: str) -> Ban | None:
        """The ban that keeps out all who come from an address."""
        if not self._networks:
            return None
        return _highest(ban for ban in self.of_networks(peer) if not ban.mute)

    def of_networks(self, peer: str) -> Sequence[Ban]:
        """The bans of networks that an address is in."""
        address = address_of(peer) if self._networks else None
        if address is None or address.version not in self._networks:
            return ()
        lengths, number = self._networks[address.version], int(address)
        found = [ban for shift, some in lengths.items() if (ban := some.get(number >> shift))]
        return () if found and address.is_loopback else found

    def around(self, network: IpNetwork) -> Sequence[Ban]:
        """The bans of networks that a network is in, the smallest first."""
        lengths = self._networks.get(network.version, {})
        number = int(network.network_address)
        least = network.max_prefixlen - network.prefixlen
        found = ((shift, lengths[shift].get(number >> shift)) for shift in sorted(lengths))
        return [ban for shift, ban in found if ban and shift >= least]

    def fitting(self, person: Person) -> Ban | None:
        """The ban that counts for somebody."""
        if not self.all:
            return None
        found = [ban for at in person.addresses for ban in self.of_networks(at)]
        found += self._of_masks(person)
        found += filter(None, map(self.of_account, person.accounts))
        return _highest(found)

    def _of_masks(self, person: Person) -> Iterator[Ban]:
        if self._patterns:
            texts = _texts(person)
            for number, mask in self._patterns.items():
                if any(map(mask.fits, texts)):
                    yield self.all[number]

    # ── steps of the fold ──────────────────────────────────────────────────────────────────

    def add(self, ban: Ban) -> None:
        """Add a ban, in place of one that is about the same."""
        self.last = max(self.last, ban.number)
        self.remove(ban.number)  # one of this number is there only after damage
        if before := self.on(ban.kind, ban.value):
            self.remove(before.number)
        self.all[ban.number] = self._by_value[ban.kind, fold_mask(ban.value)] = ban
        if ban.kind == MASK:
            self._patterns[ban.number] = pattern(ban.value)
        elif ban.kind == NETWORK:
            version, shift, bits = _place(ban)
            self._networks.setdefault(version, {}).setdefault(shift, {})[bits] = ban

    def remove(self, number: int) -> Ban | None:
        """Remove a ban; returns it if there is one with this number."""
        if (ban := self.all.pop(number, None)) is None:
            return None
        del self._by_value[ban.kind, fold_mask(ban.value)]
        self._patterns.pop(number, None)
        if ban.kind == NETWORK:
            version, shift, bits = _place(ban)
            lengths = self._networks[version]
            del lengths[shift][bits]
            if not lengths[shift]:
                del lengths[shift]
            if not lengths:
                del self._networks[version]
        return ban


def fits(ban: Ban) -> Callable[[Person], bool]:
    """A function that tells whether a ban fits somebody, for looking through many."""
    if ban.kind == ACCOUNT:
        name = fold(ban.value)
        return lambda person: name in map(fold, person.accounts)
    if ban.kind == MASK:
        mask = pattern(ban.value)
        return lambda person: any(map(mask.fits, _texts(person)))
    return lambda person: any(_is_in(ban, at) for at in person.addresses)


def _is_in(ban: Ban, peer: str) -> bool:
    found, (version, shift, number) = address_of(peer), _place(ban)
    if found is None or found.is_loopback or found.version != version:
        return False
    return int(found) >> shift == number


def _place(ban: Ban) -> tuple[int, int, int]:
    """The version of IP, the bits that do not count, and those that do, as a number."""
    network = network_of(ban.value)
    if network is None:  # only after damage
        return 4, 0, -1
    shift = _BITS[network.version] - network.prefixlen
    return network.version, shift, int(network.network_address) >> shift


def _texts(person: Person) -> tuple[str, ...]:
    """What masks are compared with, folded."""
    shown = fold(address(person.nick, person.origin))
    real = (at for at in person.addresses if at != person.origin.host)
    return shown, *(fold(f"{person.nick}!{person.origin.user}@{at}") for at in real)
