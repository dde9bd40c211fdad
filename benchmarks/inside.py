"""The server in one process with its clients: the CPU of what they ask, and how long others wait.

Links are no sockets here: what the server writes is counted and forgotten. So there may be more
of them than descriptors, and the kernel's part of the cost is left out. Each scenario runs in a
process of its own, ``python -m benchmarks.inside NAME SCALE``, which prints its figures as JSON;
numbers of people and messages are divided by the scale.

A figure's name is that of its row and that of its column, with a colon between them.
"""

import gc
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from benchmarks.devices import devices
from benchmarks.house import (
    MANY,
    READER,
    WAVE,
    Cost,
    Countdown,
    Figures,
    House,
    Wire,
    best,
    hold,
    house,
)
from benchmarks.logins import logins
from benchmarks.machine import Meter
from benchmarks.raid import raid
from benchmarks.scrapes import scrapes
from trio_chat.core.commands import LIST_MAX
from trio_chat.server.garbage import looking_once

# ── who comes, asks and leaves ─────────────────────────────────────────────────────────────────


async def joins(scale: int) -> Figures:
    """People go into a room and are told who is there."""
    figures: Figures = {}
    for number in (2000 // scale, 10_000 // scale):
        async with house() as it:
            people, _ = await it.come(number)
            await it.enter(people, [b"#big"])
            newcomers, _ = await it.come(100, "n", caps="echo-message")
            together: list[Cost] = []
            alone: list[Cost] = []
            for costs, some in ((together, newcomers), (alone, newcomers[:1])) * 3:
                costs.append(await it.ask(some, b"JOIN #big", b" 366 "))
                await it.ask(some, b"PART #big", b" PART ")
        figures |= {
            f"a room of {number:,}: one of 100 at once, CPU, ms": best(together).cpu / 100 * 1e3,
            f"a room of {number:,}: alone, CPU, ms": best(alone).cpu * 1e3,
        }
    return figures


async def names(scale: int) -> Figures:
    """All of a large room ask at once who is there."""
    number = 1000 // scale
    async with house() as it:
        people, _ = await it.come(number)
        await it.enter(people, [b"#big"])
        costs = [await it.ask(people, b"NAMES #big", b" 366 ") for _ in range(3)]
    return hold(f"{number:,} ask NAMES at once", best(costs))


_LOOKUPS = {
    "NAMES": (b"NAMES #big", b" 366 "),
    "WHO": (b"WHO #big", b" 315 "),
    "WHOX": (b"WHO #big %tcuhnfar,1", b" 315 "),
    "WHO u*": (b"WHO u*", b" 315 "),
    "LIST": (b"LIST", b" 323 "),
    "LUSERS": (b"LUSERS", b" 266 "),
    "MONITOR": (b"MONITOR S", b" 730 "),
    "SEARCH": (b"SEARCH in=#r0;text=message", b"BATCH -"),
    "SEARCH of a name": (b"SEARCH in=#r0;from=nobody", b"BATCH -"),
}


async def lookups(scale: int) -> Figures:
    """One person's questions: ten thousand are in one room, and in as many rooms of two."""
    number, figures = 10_000 // scale, Figures()
    async with house() as it:
        people, _ = await it.come(number)
        rooms = [b"#r%d" % room for room in range(number)]
        await it.enter(people, rooms)
        await it.enter(people, [*rooms[1:], rooms[0]])
        await it.enter(people, [b"#big"])
        [asker], _ = await it.come(1, "a", READER)
        await it.enter([asker, asker], [b"#big", b"#r0"])
        texts = [b"PRIVMSG #r0 :message %06d." % n for n in range(20_000 // scale)]
        await it.ask([people[0]], b"\r\n".join(texts), texts[-1][-14:])
        watched = b",".join(b"u%06d" % n for n in range(min(number, 50)))
        await it.ask([asker], b"MONITOR + " + watched, b" 730 ")
        for what, (line, end) in _LOOKUPS.items():
            figures |= hold(what, best([await it.ask([asker], line, end) for _ in range(5)]))
        return figures | await _masks(it, people[0], people[1])


async def _masks(it: House, operator: Wire, speaker: Wire) -> Figures:
    """Somebody enters and speaks in empty rooms with as many long masks as they may have."""
    entered, spoken = [], []
    numbers = itertools.count()  # no two masks are the same, so none is known already
    for room in (b"#m%d" % number for number in range(5)):
        await it.enter([operator], [room])
        for _ in range(LIST_MAX):
            masks = b"*%0186d!*@* *%0186d!*@*" % (next(numbers), next(numbers))
            await it.ask([operator], b"MODE %b +be %b" % (room, masks), b" MODE ")
        await it.ask([operator], b"PART " + room, b" PART ")
        entered.append(await it.ask([speaker], b"JOIN " + room, b" JOIN "))
        spoken.append(await it.ask([speaker], b"PRIVMSG %b :hello" % room, b" PRIVMSG "))
    entering = hold("to enter a room with full lists", best(entered))
    return entering | hold("to speak in a room with full lists", best(spoken))


async def leaves(scale: int) -> Figures:
    """A large room leaves; and people who are in all rooms together."""
    number, few = 10_000 // scale, 100 // min(scale, 10)
    async with house() as it:
        people, _ = await it.come(number)
        await it.enter(people, [b"#big"])
        figures = hold(f"{number:,} leave a room at once", await it.hang_up(people))
    async with house() as it:
        people, _ = await it.come(few)
        for room in range(few):
            await it.enter(people, [b"#r%d" % room])
        costs = [await it.ask(people[:1], b"NICK a%d" % n, b" NICK ") for n in range(3)]
        figures |= hold(f"{few} in the same {few} rooms, one changes the name", best(costs))
        costs = [await it.hang_up([people.pop()]) for _ in range(3)]
        figures |= hold(f"{few} in the same {few} rooms, one leaves", best(costs))
        costs = [await it.hang_up(people)]
        return figures | hold(f"{few} in the same {few} rooms, all leave", best(costs))


# ── very many ──────────────────────────────────────────────────────────────────────────────────


async def crowds(scale: int) -> Figures:
    """People come, go into rooms of a hundred, speak and leave: the same for each, however many."""
    figures = Figures()
    for number in (2000 // scale, 10_000 // scale, 50_000 // scale, 100_000 // scale):
        rooms = [b"#r%d" % room for room in range(max(1, number // 100))]
        async with house() as it:
            people, came = await it.come(number)
            joined = await it.enter(people, rooms)
            says = list(
                zip(people, [b"PRIVMSG %b :x" % room for room in rooms[:100]], strict=False)
            )
            said, after = [], []
            for one, line in says:
                said.append(await it.ask([one], line, b" PRIVMSG "))
                await it.ask(people[-1:], b"PART " + rooms[-1], b" PART ")
                await it.enter(people[-1:], rooms[-1:])
                after.append(await it.ask([one], line, b" PRIVMSG "))
            left = await it.hang_up(people)
        figures |= {
            f"{number:,}: come, µs each": came.cpu / number * 1e6,
            f"{number:,}: longest hold, ms": came.hold * 1e3,
            f"{number:,}: join, µs each": joined / number * 1e6,
            f"{number:,}: a message to 100, µs": statistics.median(c.cpu for c in said) * 1e6,
            f"{number:,}: after a join elsewhere, µs": statistics.median(c.cpu for c in after)
            * 1e6,
            f"{number:,}: leave, µs each": left.cpu / number * 1e6,
            f"{number:,}: longest hold then, ms": left.hold * 1e3,
        }
    return figures


async def short(scale: int) -> Figures:
    """People come and leave again, a thousand at a time."""
    meter, number = Meter(os.getpid()), 32_000 // scale
    resident: list[float] = []
    pauses = [0.0]
    began = 0.0

    def on_garbage(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "stop":
            pauses.append(time.thread_time() - began)
        began = time.thread_time()

    async with house() as it:
        gc.callbacks.append(on_garbage)
        for _ in range(0, number, WAVE):
            people, _ = await it.come(WAVE)
            await it.hang_up(people)
            resident.append(meter.resident() / 1024)
    first, most = resident[len(resident) // 8], max(resident)
    return {
        f"{number:,} connections: MiB after an eighth": first,
        f"{number:,} connections: most MiB": most,
        f"{number:,} connections: growth": most / first,
        f"{number:,} connections: longest look for garbage, CPU, ms": max(pauses) * 1e3,
    }


# ── while a thousand messages a second are said ────────────────────────────────────────────────

_RATE = 1000  # messages a second
_OLDEST = b"CHATHISTORY AFTER #talk timestamp=2000-01-01T00:00:00.000Z 1"
_NUMBER = re.compile(rb":\w+ (\d{6})\.")


async def _talk(it: House, messages: int, on_echo: Callable[[int, float], object]) -> list[Wire]:
    """Ten people in turn say what is due; ``on_echo`` is told the number and how long it took."""
    people, _ = await it.come(10, caps=READER)
    await it.enter(people, [b"#talk"])
    echoed, began = Countdown(messages), trio.current_time()
    for number in range(messages):
        due = began + number / _RATE
        await trio.sleep_until(due)

        def told(data: bytes, number: int = number, due: float = due) -> None:
            on_echo(number, trio.current_time() - due)
            echoed(data)

        text = b"%b %06d." % (b"message" if number % 100 else b"needle", number)
        people[number % 10].ask(b"PRIVMSG #talk :" + text, text, told)
    await echoed.over()
    return people


async def search(scale: int) -> Figures:
    """One message in a hundred has a word that is looked for as soon as it has been seen."""
    messages = 10_000 // scale
    found: list[bool] = []
    took: list[float] = []
    answered = Countdown(len(range(0, messages, 100)))
    async with house() as it:
        [asker], _ = await it.come(1, "a", READER)
        await it.enter([asker], [b"#talk"])

        def on_echo(number: int, seconds: float) -> None:
            if number % 100:
                return
            asked = trio.current_time()

            def on_answer(data: bytes) -> None:
                took.append(trio.current_time() - asked)
                found.append(data.count(b":needle ") > number // 100)
                answered(data)

            asker.ask(b"SEARCH in=#talk;text=needle", b"BATCH -", on_answer)

        await _talk(it, messages, on_echo)
        await answered.over()
    return {
        f"{messages:,} messages: searches": len(found),
        f"{messages:,} messages: complete": sum(found) / len(found),
        f"{messages:,} messages: answer p50, ms": statistics.median(took) * 1e3,
        f"{messages:,} messages: longest, ms": max(took) * 1e3,
    }


async def retention(scale: int) -> Figures:
    """A room of which the last thousand messages are kept, beside one of which all are."""
    messages, kept = 10_000 // scale, 1000 // scale
    echoes: dict[int, list[float]] = {kept: [], MANY: []}
    oldest: list[bytes] = []
    for per_room in (kept, MANY, kept, MANY):
        took: list[float] = []
        async with house(per_room=per_room) as it:
            people = await _talk(it, messages, lambda _, seconds: took.append(seconds))  # noqa: B023
            people[0].ask(_OLDEST, b"BATCH -", oldest.append)
            await it.ask(people[:1], b"PING x", b" PONG ")
        echoes[per_room].append(statistics.median(took) * 1e3)
    first = max(int(_NUMBER.findall(answer)[0]) for answer in oldest)
    with_it, without = (min(some) for some in echoes.values())
    what = f"{kept:,} of {messages:,} messages are kept"
    return {
        f"{what}: others still there": messages - kept - first,
        f"{what}: echo p50, ms": with_it,
        f"{what}: when all are, ms": without,
        f"{what}: ms more": with_it - without,
    }


# ── over sockets ───────────────────────────────────────────────────────────────────────────────

_MESSAGES = 50


async def tls(scale: int) -> Figures:
    """People come over sockets, a few or all at once, and are told what one says."""
    number, meter = 1000 // scale, Meter(os.getpid())
    rows: dict[str, Figures] = {"clear": {}, "tls": {}}
    async with house(tls=True) as it, _from_afar() as come:
        for how in rows:  # what the first ones take is for all
            await come(it, 20, 20, f"{how}-")
        for how, figures in rows.items():  # nobody leaves, so that no memory is used again
            before = meter.resident()
            await come(it, number, 20, how)
            figures["KiB each"] = (meter.resident() - before) / number
    for how, figures in rows.items():
        async with house(tls=True) as it, _from_afar() as come:
            [speaker], _ = await it.come(1)
            await it.enter([speaker], [b"#big"])
            came, join = await come(it, number, number, how)
            figures["come at once, CPU, µs each"] = came.cpu / number * 1e6
            figures["longest hold then, ms"] = came.hold * 1e3
            figures["its CPU, ms"] = came.hold_cpu * 1e3
            await join()
            text = b"PRIVMSG #big :message %d, of as many letters as people write at a time"
            said = [await it.ask([speaker], text % n, b" PRIVMSG ") for n in range(_MESSAGES)]
            cpu = statistics.median(cost.cpu for cost in said)
            figures["a message to all, CPU, µs each"] = cpu / number * 1e6
    clear, sealed = rows.values()
    times = {name: sealed[name] / (clear[name] or 1) for name in clear}
    table = {"in clear": clear, "over TLS": sealed, "times": times}
    return {f"{row}: {name}": row_of[name] for row, row_of in table.items() for name in row_of}


Come = Callable[[House, int, int, str], Awaitable[tuple[Cost, Callable[[], Awaitable[None]]]]]


@asynccontextmanager
async def _from_afar() -> AsyncIterator[Come]:
    """How people come over sockets: from processes that end with the context."""
    processes: list[trio.Process] = []

    async def come(
        it: House, number: int, at_once: int, how: str
    ) -> tuple[Cost, Callable[[], Awaitable[None]]]:
        command = [sys.executable, "-m", "benchmarks.far", str(it.port), str(number), str(at_once)]
        process: Any = await trio.lowlevel.open_process(
            [*command, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        processes.append(process)

        async def join() -> None:
            await process.stdin.send_all(b"\n")
            await process.stdout.receive_some()

        return await it.until(process.stdout.receive_some), join

    try:
        yield come
    finally:
        for process in processes:
            process.kill()
            await process.wait()


SCENARIOS = (
    joins,
    names,
    lookups,
    leaves,
    crowds,
    short,
    search,
    retention,
    tls,
    logins,
    raid,
    devices,
    scrapes,
)

if __name__ == "__main__":
    asked = {one.__name__: one for one in SCENARIOS}[sys.argv[1]]
    with looking_once():  # as the command does
        print(json.dumps(trio.run(asked, int(sys.argv[2]))))
