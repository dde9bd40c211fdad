"""What a message costs to people who are here on two devices each, beside as many connections."""

import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence

import trio

from benchmarks.house import MANY, Figures, House, Wire, house

_PEOPLE, _MESSAGES, _ROUNDS = 1000, 50, 8
_PASSWORD = b"correct-horse"

_SECTIONS = {
    "accounts": {"iterations": 4096},
    "limits": dict.fromkeys(
        (
            *("connections", "connections_per_address", "rooms", "writers_per_address"),
            *("messages_per_second", "message_burst", "registrations_per_hour"),
            *("guesses_per_minute", "guess_burst"),
        ),
        MANY,
    ),
}

_Come = Callable[[House, int], Awaitable[Sequence[Wire]]]


async def devices(scale: int) -> Figures:
    """One speaks to 1,000 people of two devices each, and to 2,000 of one."""
    number, messages = _PEOPLE // scale, max(_MESSAGES // scale, 5)
    apart, together = ([_least(how, number, messages) for _ in range(2)] for how in ("one", "two"))
    what = f"{number:,} people on two devices each"
    return {
        f"{2 * number:,} people: CPU of a delivery, µs": min(apart),
        f"{what}: CPU of a delivery, µs": min(together),
        f"{what}: times": min(together) / min(apart),
    }


def _least(how: str, number: int, messages: int) -> float:
    """The least CPU of a delivery, in µs. Each is measured in a process of its own: it is dearer
    where memory has been used before.
    """
    command = [sys.executable, "-m", __name__, how, str(number), str(messages)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603 - ourselves


async def _measure(come: _Come, number: int, messages: int) -> float:
    async with house(sections=_SECTIONS) as it:
        wires = await come(it, number)
        least = min([await _say(it, wires[0], messages) for _ in range(_ROUNDS)])
    return least / messages / len(wires) * 1e6


async def _on_one(it: House, number: int) -> Sequence[Wire]:
    """Twice as many guests in a room."""
    guests, _ = await it.come(2 * number)
    await it.enter(guests, [b"#big"])
    return guests


async def _on_two(it: House, number: int) -> Sequence[Wire]:
    """So many people with an account in a room, each on two devices."""
    first, _ = await it.come(number)
    await it.ask(first, b"NS REGISTER " + _PASSWORD, b" 900 ")
    await it.enter(first, [b"#big"])
    second = [Wire() for _ in first]
    for wire in second:
        it.take(wire)
    hellos = [
        b"PASS u%06d:%b\r\nCAP REQ :no-implicit-names echo-message\r\nNICK u%06d\r\n"
        b"USER x 0 * :x\r\nCAP END" % (n, _PASSWORD, n)
        for n in range(number)
    ]
    await it.ask(second, hellos, b" JOIN #big")
    return [*first, *second]


async def _say(it: House, speaker: Wire, messages: int) -> float:
    """The CPU of so many messages, each when the one before has been shown to all, in seconds."""
    line = b"PRIVMSG #big :hello there"
    return sum([(await it.ask([speaker], line, b" PRIVMSG ")).cpu for _ in range(messages)])


if __name__ == "__main__":
    comes = {"one": _on_one, "two": _on_two}[sys.argv[1]]
    print(trio.run(_measure, comes, *map(int, sys.argv[2:])))
