"""A scrape of the figures: how long all others wait for it, however many are here."""

import tempfile

import trio

from benchmarks.house import Figures, best, hold, house

_SCRAPES = 20
_REQUEST = b"GET /metrics HTTP/1.1\r\n\r\n"


async def scrapes(scale: int) -> Figures:
    """Somebody reads /metrics while people are in rooms of a hundred."""
    figures = Figures()
    for number in (100 // scale, 10_000 // scale):
        with tempfile.TemporaryDirectory(prefix="trio-chat-benchmark-") as folder:
            path = f"{folder}/ops"
            async with house(sections={"ops": {"listen": f"unix:{path}"}}) as it:
                people, _ = await it.come(number)
                await it.enter(people, [b"#r%d" % n for n in range(max(1, number // 100))])
                costs = [await it.until(lambda path=path: _scrape(path)) for _ in range(_SCRAPES)]
        figures |= hold(f"{number:,} connections", best(costs))
    return figures


async def _scrape(path: str) -> None:
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(_REQUEST)
        async for _ in stream:
            pass
