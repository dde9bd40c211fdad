"""The sources of connections, and what is charged to them.

A source is an IPv4 address, or a /64 network of IPv6, the least that anybody is given. All of its
connections share what several clients may do: come in, write, and guess passwords. So whatever
somebody could do more of by connecting more often is charged to where they come from. Sources that
``limits.exempt`` names have no such budgets, because many people may share that address: that of
a school, say. Their connections are counted like all others.
"""

import ipaddress
import math
from functools import lru_cache

import trio

from trio_chat.core.networks import address_of
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.core.words import waiting
from trio_chat.server.addresses import networks
from trio_chat.server.fair_queue import FairQueue
from trio_chat.server.guesses import Guesses
from trio_chat.server.token_bucket import TokenBucket
from trio_chat.settings import LimitSettings

# Idle sources that are remembered because they still owe something. Some hundred bytes each.
_REMEMBERED = 10_000

# Those who are banned and speak TLS are told why at the price of a handshake: so many from one
# source at once, then one in so many seconds. All others get an alert.
_TOLD, _NEXT_TOLD = 3, 20.0

# Reports of messages from one source: so many at once, then one in so many seconds. They stay for
# ever, as accounts do, which may be registered about as often.
_COMPLAINTS, _NEXT_COMPLAINT = 5, 600.0

# When those may try again whom nothing but somebody else's leaving lets in.
_AGAIN = 60  # seconds

# Lines of the server's log on refusals to one source: so many at once, then one in so many seconds.
_REPORTS, _NEXT_REPORT = 10, 10.0

# Lines of the server's log on connections that come to nothing, and on floods, of one source.
_NEXT_NOTE = 60.0  # seconds


class Source:
    """The books of one source. ``name`` is its address or network.

    ``new_passwords`` bounds how often somebody may register there, or take another password; None
    is no bound, and so in all other budgets. ``metadata`` bounds how often they may set that, and
    ``complaints`` how often they may report messages.
    """

    __slots__ = (
        "_noted", "_reports", "_told", "arrivals", "complaints", "connections", "guesses",
        "is_exempt", "lines", "metadata", "name", "new_passwords",
    )  # fmt: skip

    def __init__(self, name: str, limits: LimitSettings) -> None:
        self.name = name
        self.connections = 0
        self._reports = TokenBucket(rate=1 / _NEXT_REPORT, burst=_REPORTS)
        self._told = TokenBucket(rate=1 / _NEXT_TOLD, burst=_TOLD)
        self._noted: dict[str, TokenBucket] = {}
        self.lines = FairQueue()
        self.guesses = Guesses()
        self.budget(limits)

    def budget(self, limits: LimitSettings) -> None:
        """Open the books anew, with these limits."""
        self.is_exempt = _is_exempt(self.name, limits)
        self.arrivals = self._bucket(limits.arrivals_per_second, limits.arrival_burst)
        writers = limits.writers_per_address
        self.lines.bucket = self._bucket(
            limits.messages_per_second * writers, limits.message_burst * writers
        )
        self.guesses.bucket = self._bucket(limits.guesses_per_minute / 60, limits.guess_burst)
        hourly = limits.registrations_per_hour
        self.new_passwords = self._bucket(hourly / 3600, hourly)
        hourly = limits.metadata_per_hour
        self.metadata = self._bucket(hourly / 3600, hourly)
        self.complaints = self._bucket(1 / _NEXT_COMPLAINT, _COMPLAINTS)

    def _bucket(self, rate: float, burst: float) -> TokenBucket | None:
        return None if self.is_exempt else TokenBucket(rate=rate, burst=burst)

    def may_report(self, now: float) -> bool:
        """Whether one more line of the server's log may be spent on refusals to it."""
        return not self._reports.try_take(now)

    def may_note(self, what: str, now: float) -> bool:
        """Whether the server's log may say now what goes on there, of these kinds: each is said
        once a minute at most.
        """
        new = TokenBucket(rate=1 / _NEXT_NOTE, burst=1)
        return not self._noted.setdefault(what, new).try_take(now)

    def may_be_told(self, now: float) -> bool:
        """Whether one more handshake may be spent on telling it why it is banned."""
        return not self._told.try_take(now)

    def describe(self, now: float) -> float:
        """Count one change of metadata; if it is one too many, returns the seconds to wait."""
        return self.metadata.try_take(now) if self.metadata else 0.0

    def complain(self, now: float) -> float:
        """Count one report; if it is one too many, returns the seconds to wait."""
        return self.complaints.try_take(now) if self.complaints else 0.0

    def complained_in_vain(self) -> None:
        """Count a report no more, which was refused."""
        if self.complaints:
            self.complaints.give_back()

    def owes(self, now: float) -> float:
        """The seconds until all of its budgets are full again."""
        buckets = (
            self._reports,
            self.complaints,
            self._told,
            self.arrivals,
            self.lines.bucket,
            self.guesses.bucket,
            self.new_passwords,
            self.metadata,
            *self._noted.values(),
        )
        return max(bucket.owes(now) for bucket in buckets if bucket)


class Sources:
    """All sources that somebody is connected from, and those that owe something.

    Only so many are remembered that nobody is connected from; beyond that, those that owe least are
    forgotten. So somebody who comes from very many addresses cannot make us forget a flood.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._known: dict[str, Source] = {}
        self.total = 0  # connections
        self._emptied = trio.Event()

    def __len__(self) -> int:
        return len(self._known)

    def reload(self, limits: LimitSettings) -> None:
        """Apply new limits to all sources."""
        self._limits = limits
        for source in self._known.values():
            source.budget(limits)

    def of(self, peer: str, now: float) -> Source:
        """The source that a peer belongs to; its books are opened if need be."""
        name = source_of(peer)
        if name not in self._known:
            if len(self._known) >= self.total + _REMEMBERED:
                self._forget(now)
            self._known[name] = Source(name, self._limits)
        return self._known[name]

    def enter(self, source: Source, now: float) -> Refused | None:
        """Count a connection, to ``leave`` later; or say why it cannot come in, and about the
        seconds after which it may try again.
        """
        why_not = self._why_not(source, now)
        if not why_not:
            source.connections += 1
            self.total += 1
            if source.arrivals:
                source.arrivals.take(now)
        return why_not

    def is_full(self, source: Source) -> bool:
        """Whether no other connection may come in from there until one has left."""
        return self._why_full(source) is not None

    def leave(self, source: Source, now: float) -> None:
        """Count a connection no more."""
        source.connections -= 1
        self.total -= 1
        if not self.total:
            self._emptied.set()
            self._emptied = trio.Event()
        if not source.connections and not source.owes(now):
            del self._known[source.name]

    async def until_empty(self) -> None:
        """Wait until nobody is connected."""
        if self.total:
            await self._emptied.wait()

    def _forget(self, now: float) -> None:
        """Forget half of the idle sources at once, so that it costs each newcomer very little."""
        idle = [source for source in self._known.values() if not source.connections]
        idle.sort(key=lambda source: source.owes(now))
        for source in idle[: len(idle) - _REMEMBERED // 2]:
            del self._known[source.name]

    def _why_not(self, source: Source, now: float) -> Refused | None:
        if full := self._why_full(source):
            return full
        if source.arrivals and (wait := source.arrivals.wait(now)):
            why = f"Too many connections from your address. Try again in {waiting(wait)}."
            return _refused(why, wait)
        return None

    def _why_full(self, source: Source) -> Refused | None:
        limits = self._limits
        if self.total >= limits.connections:
            full = f"The server is full ({limits.connections} connections). Try again later."
            return _refused(full, _AGAIN)
        if source.connections >= limits.connections_per_address:
            most = limits.connections_per_address
            why = f"There are already {most} connections from your address, which is the limit."
            return _refused(why, _AGAIN)
        return None


def _refused(why: str, again: float) -> Refused:
    return Refused(why, Code.TOO_MANY_CONNECTIONS, (str(math.ceil(again)),))


@lru_cache(maxsize=1000)
def source_of(peer: str) -> str:
    """The name of a peer's source; the peer itself if it is no IP address."""
    address = address_of(peer)
    if address is None:
        return peer
    if address.version == 6:
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)


def _is_exempt(name: str, limits: LimitSettings) -> bool:
    if name in limits.exempt or address_of(name.partition("/")[0]) is None:
        return name in limits.exempt
    source = ipaddress.ip_network(name)
    return any(
        network.version == source.version and network.overlaps(source)
        for network in networks(limits.exempt)
    )
