"""What a message costs to people who are here on two devices each, beside as many connections."""

import statistics
from collections.abc import Sequence

from benchmarks.house import Figures, House, Wire, house

_PEOPLE, _MESSAGES, _ROUNDS = 1000, 200, 5
_PASSWORD = b"correct-horse"
_MANY = 1_000_000

_SECTIONS = {
    "accounts": {"iterations": 4096},
    "limits": dict.fromkeys(
        (
            *("connections", "connections_per_address", "rooms", "writers_per_address"),
            *("messages_per_second", "message_burst", "registrations_per_hour"),
            *("guesses_per_minute", "guess_burst"),
        ),
        _MANY,
    ),
}


async def devices(scale: int) -> Figures:
    """One speaks to 1,000 people of two devices each, or to 2,000 of one, in turns."""
    number, messages = _PEOPLE // scale, _MESSAGES // scale
    async with house(sections=_SECTIONS) as one, house(sections=_SECTIONS) as two:
        guests, _ = await one.come(2 * number)
        await one.enter(guests, [b"#big"])
        people = await _on_two_devices(two, number)
        turns = [
            (await _say(one, guests[0], messages), await _say(two, people[0], messages))
            for _ in range(_ROUNDS)
        ]
    each = 1e6 / messages / (2 * number)
    apart, together = (statistics.median(turn) * each for turn in zip(*turns, strict=True))
    what = f"{number:,} people on two devices each"
    return {
        f"{2 * number:,} people: CPU of a delivery, µs": apart,
        f"{what}: CPU of a delivery, µs": together,
        f"{what}: times": statistics.median(two / one for one, two in turns),
    }


async def _on_two_devices(it: House, number: int) -> Sequence[Wire]:
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
