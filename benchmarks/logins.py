"""What accounts cost: registrations and logins, wrong ones above all, and the start with many."""

import hashlib
import tempfile
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import trio

from benchmarks.house import Cost, Countdown, Figures, House, Wire, best, house
from trio_chat.app import open_log, serve
from trio_chat.core.events import REALM, AccountMade
from trio_chat.core.names import fold
from trio_chat.server.passwords import new_verifier
from trio_chat.settings import HistorySettings, Settings
from trio_chat.storage.base import START, Log, Secret

# People who come at once, each from an address of their own: no more may wait for a thread.
_AT_ONCE = 16

_PROOFS = 20  # of each of them
_ITERATIONS, _FEWEST = 600_000, 4096


class _Hashing:
    """Counts the threads that hash a password at the same time."""

    def __init__(self) -> None:
        self.most = 0
        self._now, self._lock, self._hash = 0, threading.Lock(), hashlib.pbkdf2_hmac

    def __call__(self, *args: Any) -> bytes:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._hash(*args)
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def _hashing() -> Iterator[_Hashing]:
    with mock.patch.object(hashlib, "pbkdf2_hmac", _Hashing()) as counted:
        yield counted


async def _row(what: str, number: int, happens: Awaitable[Cost]) -> Figures:
    with _hashing() as counted:
        began = time.process_time()
        cost = await happens
        in_all = time.process_time() - began
    return {
        f"{what}: CPU of the loop, µs": cost.cpu / number * 1e6,
        f"{what}: CPU in all, µs": in_all / number * 1e6,
        f"{what}: hashed at a time": counted.most,
    }


async def logins(scale: int) -> Figures:
    """People register, log in, and fail to; and servers start."""
    async with house(iterations=max(_ITERATIONS // scale, _FEWEST)) as it:
        people = await it.come_in_plain(_AT_ONCE)
        to_plain = {
            "to register": (b"/register correct-horse", b" is yours now"),
            "a wrong password (PLAIN)": (b"/login p0000 wrong-horse", b" not the password"),
            "a right one": (b"/login p0000 correct-horse", b"You are logged in"),
        }
        figures = Figures()
        for what, (line, end) in to_plain.items():
            figures |= await _row(what, len(people), it.ask(people, line, end))
        people, _ = await it.come(_AT_ONCE, "s", "sasl")
        rounds = max(_PROOFS // scale, 1)
        proofs = _wrong_proofs(it, people, rounds)
        figures |= await _row("a wrong proof (SCRAM)", rounds * len(people), proofs)
    return figures | await _starts(20_000 // scale)


async def _wrong_proofs(it: House, people: Sequence[Wire], rounds: int) -> Cost:
    costs: list[Cost] = []
    for _ in range(rounds):
        costs.append(await it.ask(people, b"AUTHENTICATE SCRAM-SHA-256", b"AUTHENTICATE +"))
        answers: dict[Wire, bytes] = {}
        answered = Countdown(len(people))

        def begin(wire: Wire, answers: dict[Wire, bytes], answered: Countdown) -> None:
            def challenged(data: bytes) -> None:
                answers[wire] = data
                answered(data)

            wire.ask(_sasl(b"n,,n=p0000,r=nonce"), b"AUTHENTICATE ", challenged)

        begins = (lambda wire=wire: begin(wire, answers, answered) for wire in people)  # noqa: B023
        costs.append(await it.until_all(answered, begins))
        finals = [_sasl(_final(answers[wire])) for wire in people]
        costs.append(await it.ask(people, finals, b" 904 "))
    most = best(costs, max)
    return Cost(sum(cost.cpu for cost in costs), most.hold, most.hold_cpu)


def _sasl(message: bytes) -> bytes:
    return b"AUTHENTICATE " + b64encode(message)


def _final(answer: bytes) -> bytes:
    """The last message of somebody who does not know the password."""
    challenge = b64decode(answer.split(b"AUTHENTICATE ")[1].split()[0])
    nonce = challenge.split(b",")[0]
    return b"c=biws,%b,p=%b" % (nonce, b64encode(bytes(32)))


# ── the start ──────────────────────────────────────────────────────────────────────────────────


async def _starts(number: int) -> Figures:
    took = {}
    for accounts in (0, number):
        with tempfile.TemporaryDirectory(prefix="trio-chat-benchmark-") as folder:
            history = HistorySettings(store=str(Path(folder, "chat.db")))
            settings = Settings(port=0, history=history)
            await _start(settings)  # it makes its files
            async with open_log(settings) as log:
                await _fill(log, accounts)
            await _start(settings)  # it keeps the state of the accounts, as all servers do
            took[accounts] = min([await _start(settings) for _ in range(3)])
    what = f"to start with {number:,} accounts"
    return {
        f"{what}: s": took[number],
        f"{what}: with none": took[0],
        f"{what}: s more": took[number] - took[0],
    }


async def _fill(log: Log, number: int) -> None:
    verifier, last = new_verifier("correct-horse", _FEWEST), START
    for name in (f"person{n:05}" for n in range(number)):
        event, secret = AccountMade(name, f"={name}"), Secret(fold(name), verifier, new=True)
        [entry] = await log.append(REALM, [event], expect=last, barrier=True, secret=secret)
        last = entry.id


async def _start(settings: Settings) -> float:
    """The seconds until a server listens."""
    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve, settings)
        took = time.perf_counter() - began
        server.stop()
    return took
