"""A raid: what it costs the server and what is let through, before it is locked and after."""

import time
from collections.abc import Iterable

import trio

from benchmarks.house import Figures, House, Wire, house

_RAIDERS, _NETWORKS = 200, 50
_BANS = (b"198.18.0.0/20", b"198.18.16.0/20", b"198.18.32.0/19")  # all of the networks

_BURST = 100  # lines of each that the server lets through at once
_FLOOD = b"\r\n".join([b"RAID"] * 1000)  # more than is read of anybody before all is measured
_SECONDS = 2.0  # that are measured each time
_PATIENCE = 60.0  # seconds until the burst is over

# The limits are those by default. Members come from this machine, raiders from anywhere.
_OPEN = {
    "limits": {},
    "tls": {"clear": "anyone"},
    "accounts": {"iterations": 4096, "operators": ["p0"]},
}


class _Listener(Wire):
    """Somebody who counts the lines of raiders."""

    __slots__ = ("_heard", "_wanted", "lines")

    def __init__(self) -> None:
        super().__init__()
        self.lines, self._wanted, self._heard = 0, 0, trio.Event()

    async def hear(self, lines: int) -> None:
        """Wait until there have been so many."""
        self._wanted = lines
        with trio.fail_after(_PATIENCE):
            await self._heard.wait()

    def _take(self, data: bytes) -> int:
        self.lines += data.count(b": RAID\n")
        if 0 < self._wanted <= self.lines:
            self._heard.set()
        return super()._take(data)


async def raid(scale: int) -> Figures:
    """Guests from many networks flood the lobby; an operator locks the chat, then bans them."""
    seconds = _SECONDS / scale
    async with house(sections=_OPEN) as it:
        operator, member = Wire(), _Listener()
        for name, wire in ((b"p0", operator), (b"p1", member)):
            await _come(it, [(name, wire)])
            await it.ask([wire], b"/register correct-horse", b" is yours now")
        raiders = [_raider(n) for n in range(max(_RAIDERS // scale, 4))]
        await _come(it, [(b"r%d" % n, raider) for n, raider in enumerate(raiders)])
        for raider in raiders:
            raider.ask(_FLOOD, b"never", len)
        await member.hear(_BURST * len(raiders))
        figures = await _measure("before", member, seconds)
        await it.ask([operator], b"/lock 10m raid", b" mutes ")
        figures |= await _measure("locked", member, seconds)
        for network in _BANS:
            await it.ask([operator], b"/uban %b 1h raid" % network, b" hits ")
        return figures | await _measure("locked, and three bans", member, seconds)


def _raider(number: int) -> Wire:
    """Each has an address of their own."""
    wire = Wire()
    wire.peer = f"198.18.{number % _NETWORKS}.{number // _NETWORKS + 1}"
    return wire


async def _come(it: House, people: Iterable[tuple[bytes, Wire]]) -> None:
    names, wires = zip(*people, strict=True)
    for wire in wires:
        it.take(wire)
    await it.ask(wires, names, b"/help for more")


async def _measure(when: str, member: _Listener, seconds: float) -> Figures:
    lines, cpu, began = member.lines, time.process_time(), trio.current_time()
    await trio.sleep(seconds)
    passed = trio.current_time() - began
    return {
        f"{when}: lines let through a second": (member.lines - lines) / passed,
        f"{when}: CPU, % of a core": (time.process_time() - cpu) / passed * 100,
    }
