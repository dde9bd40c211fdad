"""The load generator: many members on one epoll, every delivery counted and checked.

It is one process on a core of its own, and does as little for a delivery as it can: one large read
for all that waits at a member, one comparison, one division (``Transcript``). Which messages have
reached everybody is kept by counting how many members are at which message.
"""

import gc
import os
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.transcript import Failed, Transcript

READ = 1 << 20  # bytes
PATIENCE = 20.0  # seconds without anything, after which a run has failed
_QUIET = 0.05  # seconds after a run in which nothing more may come


class Pacing(Protocol):
    """When messages are said. Times are seconds since the run began, messages its own."""

    def allowed(self, now: float, sent: int, done: int) -> int:
        """How many more may be said now; ``done`` of those that were have reached everybody."""
        ...

    def due(self, now: float, message: int) -> float:
        """When a message that is said now was to be said: its latency counts from then."""
        ...

    def pause(self, now: float, sent: int) -> float:
        """How long to wait for something to happen, at the most."""
        ...


@dataclass(frozen=True)
class Window(Pacing):
    """Closed loop: so many messages are outstanding; another is said when one has arrived."""

    outstanding: int

    def allowed(self, now: float, sent: int, done: int) -> int:
        return done + self.outstanding - sent

    def due(self, now: float, message: int) -> float:
        return now

    def pause(self, now: float, sent: int) -> float:
        return PATIENCE


@dataclass(frozen=True)
class Rate(Pacing):
    """Open loop: so many a second, whether those before have arrived or not."""

    per_second: float

    def allowed(self, now: float, sent: int, done: int) -> int:
        return int(now * self.per_second) + 1 - sent

    def due(self, now: float, message: int) -> float:
        return message / self.per_second

    def pause(self, now: float, sent: int) -> float:
        return max(0.0, sent / self.per_second - now)


class Latencies:
    """How long deliveries took, to 10 µs."""

    _UNIT = 1e-5  # seconds

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float, deliveries: int = 1) -> None:
        self._counts[int(seconds / self._UNIT)] += deliveries

    def percentile(self, percent: float) -> float:
        """So many of a hundred deliveries took no longer than this, in seconds."""
        left = self.total * percent / 100
        for took in sorted(self._counts):
            left -= self._counts[took]
            if left <= 0:
                return (took + 1) * self._UNIT
        return 0.0

    @property
    def total(self) -> int:
        return self._counts.total()


@dataclass
class Result:
    """What a run gave: ``reads`` had a message or more in them, ``seconds`` are on the wall."""

    messages: int = 0
    deliveries: int = 0
    reads: int = 0
    seconds: float = 0.0
    latencies: Latencies = field(default_factory=Latencies)


class Probe:
    """Somebody who asks the server something every few milliseconds, and how long answers take.

    Each answer ends with the only newline in it.
    """

    def __init__(self, sock: socket.socket, question: bytes, *, interval: float) -> None:
        self._sock, self._question, self._interval = sock, question, interval
        self._next = 0.0
        self._asked: list[float] = []
        self.latencies = Latencies()
        with suppress(BlockingIOError):
            while sock.recv(READ):  # what came while it went in
                pass

    @property
    def waits(self) -> bool:
        return bool(self._asked)

    def tick(self, *, asking: bool) -> None:
        """Take the answers that have come; if ``asking``, ask again when it is time."""
        now = time.perf_counter()
        with suppress(BlockingIOError):
            answers = self._sock.recv(READ).count(b"\n")
            for asked in self._asked[:answers]:
                self.latencies.add(now - asked)
            del self._asked[:answers]
        if asking and now >= self._next:
            late = now - self._next
            due = self._next if late < self._interval else now  # or it was not asking before
            self._sock.send(self._question)
            self._asked.append(due)
            self._next = due + self._interval


class _Member:
    __slots__ = ("count", "offset", "receive")

    def __init__(self, sock: socket.socket) -> None:
        self.receive = sock.recv_into
        self.offset = 0  # bytes of the stream that have been read
        self.count = 0  # messages


class Room:
    """Members of a room, who read, and senders; a sender may be a member or somebody else.

    ``epoll`` has all of these sockets, and perhaps more: what is read there (b"" at the end) is
    handed to ``elsewhere`` with the descriptor. ``say(sender, text)`` is what a sender sends: each
    message by a call of its own, or, if there is one sender and ``in_one_write`` is set, all that
    may be said now together. Runs follow each other and go on counting.
    """

    def __init__(
        self,
        epoll: select.epoll,
        members: Sequence[socket.socket],
        senders: Sequence[socket.socket],
        say: Callable[[int, bytes], bytes],
        transcript: Transcript,
        *,
        in_one_write: bool = False,
        elsewhere: Callable[[int, bytes], None] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._epoll, self._senders, self._say = epoll, senders, say
        self._in_one_write = in_one_write
        self._transcript, self._patience = transcript, patience
        self._elsewhere = elsewhere or _must_stay
        self._members = {sock.fileno(): _Member(sock) for sock in members}
        self._at = Counter({0: len(members)})  # how many members have had so many messages
        self._done = 0  # messages that all members have had
        self._sent = 0
        self._due: list[float] = []  # when each message was to be said
        self._buffer = memoryview(bytearray(READ))
        self._result = Result()

    def run(
        self,
        pacing: Pacing,
        *,
        messages: int = 10**9,
        seconds: float = 3600.0,
        probe: Probe | None = None,
    ) -> Result:
        """Say so many messages, or for so long, and wait until all have reached everybody.

        With a ``probe`` the members are read in small portions, and it asks while messages are
        under way. Raises Failed.
        """
        self._result = result = Result()
        first = self._sent
        gc.collect()
        gc.disable()  # it would be the load generator's pause, and not the server's
        began = time.perf_counter()
        try:
            self._loop(pacing, first + messages, began, seconds, probe)
        finally:
            gc.enable()
        result.seconds = time.perf_counter() - began
        self._nothing_more()
        result.messages = self._done - first
        result.deliveries = result.messages * len(self._members)
        return result

    def _loop(
        self, pacing: Pacing, last: int, began: float, seconds: float, probe: Probe | None
    ) -> None:
        first, heard_at = self._sent, began
        while True:
            now = time.perf_counter()
            if now - began < seconds and self._sent < last:
                allowed = pacing.allowed(now - began, self._sent - first, self._done - first)
                self._speak(min(allowed, last - self._sent), pacing, now, began, first)
                pause = pacing.pause(now - began, self._sent - first)
            elif self._done == self._sent and not (probe and probe.waits):
                return
            else:
                pause = self._patience
            if probe:
                probe.tick(asking=self._sent > self._done)
            events = self._poll(pause, probe)
            if events or self._sent == self._done:
                heard_at = time.perf_counter()
            elif time.perf_counter() - heard_at >= self._patience:
                raise Failed(f"nothing came for {self._patience:g} s: {self._missing()}")
            for fd, _ in events:
                self._read(fd)
            while self._done < len(self._transcript.order) and not self._at[self._done]:
                del self._at[self._done]
                self._done += 1

    def _poll(self, pause: float, probe: Probe | None) -> list[tuple[int, int]]:
        if probe is None:
            return self._epoll.poll(min(pause, self._patience))
        return self._epoll.poll(0.0005, 16)  # often enough for it; a member's read is some µs

    def _speak(self, number: int, pacing: Pacing, now: float, began: float, first: int) -> None:
        """Let the senders say the next ``number`` messages in turn."""
        data: list[tuple[int, bytes]] = []
        for message in range(self._sent, self._sent + number):
            sender = message % len(self._senders)
            data.append((sender, self._say(sender, self._transcript.text(message))))
            self._due.append(began + pacing.due(now - began, message - first))
        self._sent += max(0, number)
        if self._in_one_write and data:
            data = [(0, b"".join([line for _, line in data]))]
        for sender, piece in data:
            if self._senders[sender].send(piece) < len(piece):
                raise Failed("the server does not read what is said")

    def _read(self, fd: int) -> None:
        """Read what waits at a member, compare it with what others have read, and count."""
        member = self._members.get(fd)
        if member is None:
            self._elsewhere(fd, self._read_elsewhere(fd))
            return
        transcript, buffer, begin = self._transcript, self._buffer, member.offset
        size = member.receive(buffer)
        if not size:
            raise Failed("cut off: a member saw the end")
        if not transcript.stream.startswith(buffer[:size], begin):
            transcript.learn(begin, bytes(buffer[:size]))
            if transcript.highest >= self._sent:
                raise Failed(f"made up: nobody has said message {transcript.highest}")
        member.offset = begin + size
        had, has = member.count, transcript.count(begin + size)
        if had != has:
            member.count = has
            self._at[had] -= 1
            self._at[has] += 1
            self._time(had, has)

    def _time(self, had: int, has: int) -> None:
        """Note how long the messages took that have just been read; most were said together."""
        now, due = time.perf_counter(), self._due
        self._result.reads += 1
        numbers = self._transcript.order[had:has]
        if due[numbers[0]] == due[numbers[-1]]:
            self._result.latencies.add(now - due[numbers[0]], len(numbers))
            return
        for number in numbers:
            self._result.latencies.add(now - due[number])

    def _read_elsewhere(self, fd: int) -> bytes:
        try:
            return bytes(self._buffer[: os.readv(fd, [self._buffer])])
        except ConnectionError:
            return b""

    def _nothing_more(self) -> None:
        """A message that comes twice may do so at the very end."""
        for fd, _ in self._epoll.poll(_QUIET):
            self._read(fd)

    def _missing(self) -> str:
        behind = sum(count for at, count in self._at.items() if at < self._sent)
        return f"{behind} of {len(self._members)} members have not had all {self._sent} messages"


def _must_stay(fd: int, data: bytes) -> None:
    """What senders that are no members are answered is of no interest."""
    if not data:
        raise Failed("cut off: a sender saw the end")
