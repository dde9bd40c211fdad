"""What a message costs to people who are here on two devices each, beside as many connections.

``python -m benchmarks.devices PORT NUMBER`` is the process of those people: they connect over
sockets, go into ``#one`` (twice as many guests) and ``#two`` (people with an account, on two
devices each), print ``joined``, and read as fast as they can.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import trio

from benchmarks.far import Far, read_on, until_all_hear
from benchmarks.house import MANY, Figures, House, Wire, house

_PEOPLE, _TURNS = 1000, 200
_AT_ONCE = 20  # so many people come before as many of the other room
_PASSWORD = "correct-horse"  # noqa: S105 - of accounts that end with us

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


async def devices(scale: int) -> Figures:
    """One speaks to 1,000 people of two devices each and to 2,000 of one, in turns."""
    number, turns = _PEOPLE // scale, max(_TURNS // scale, 20)
    async with house(sections=_SECTIONS) as it:
        command = [sys.executable, "-m", __name__, str(it.port), str(number)]
        people: Any = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
        try:
            await people.stdout.receive_some()
            speakers, _ = await it.come(1)
            await it.enter(speakers, [b"#one"])
            await it.enter(speakers, [b"#two"])
            turn = [await _in_turns(it, speakers, 2 * number) for _ in range(turns)]
        finally:
            people.kill()
            await people.wait()
    apart, together = (median(side) * 1e6 for side in zip(*turn, strict=True))
    what = f"{number:,} people on two devices each"
    return {
        f"{2 * number:,} people: CPU of a delivery, µs": apart,
        f"{what}: CPU of a delivery, µs": together,
        f"{what}: times": median(two / one for one, two in turn),
    }


async def _in_turns(it: House, speakers: Sequence[Wire], number: int) -> tuple[float, float]:
    """The CPU of a delivery in each room, in seconds."""
    one, two = [
        (await it.ask(speakers, b"PRIVMSG " + room + b" :hello there", b" PRIVMSG ")).cpu / number
        for room in (b"#one", b"#two")
    ]
    return one, two


def _come(port: int, number: int) -> None:
    """Both rooms fill up by turns, so that neither lies closer together in memory."""
    everybody: list[Far] = []
    for begin in range(0, number, _AT_ONCE):
        guests = [f"g{2 * begin + n:05}" for n in range(2 * _AT_ONCE)]
        owners = [f"o{begin + n:05}" for n in range(_AT_ONCE)]
        in_one = _connect(port, guests)
        _all_say(in_one, "JOIN #one", b" JOIN ")
        first = _connect(port, owners)
        _all_say(first, f"NS REGISTER {_PASSWORD}", b" 900 ")
        _all_say(first, "JOIN #two", b" JOIN ")
        everybody += [*in_one, *first, *_connect(port, owners, _PASSWORD)]
    print("joined", flush=True)
    read_on(everybody)


def _connect(port: int, nicks: Sequence[str], password: str = "") -> list[Far]:
    """Connect people; with a password they come to an account, and into its rooms."""
    caps = "CAP REQ :no-implicit-names echo-message"
    clients = []
    for nick in nicks:
        secret = f"PASS {nick}:{password}\r\n" if password else ""
        hello = f"{secret}{caps}\r\nNICK {nick}\r\nUSER {nick} 0 * :x\r\nCAP END\r\n"
        clients.append(Far(port, None, hello.encode()))
        clients[-1].begin()
    until_all_hear(clients, b" JOIN #two" if password else b" 422 ")
    return clients


def _all_say(clients: Sequence[Far], line: str, marker: bytes) -> None:
    for client in clients:
        client.say(f"{line}\r\n".encode())
    until_all_hear(clients, marker)


if __name__ == "__main__":
    os.nice(5)  # it must not hold up the server that it reads from
    _come(int(sys.argv[1]), int(sys.argv[2]))
