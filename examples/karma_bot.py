"""A bot that keeps karma in two rooms: "al++" gives a point to al, if al is there."""

from collections import Counter

import trio

import trio_chat


async def main() -> None:
    settings = trio_chat.Settings()
    where, client = (settings.host, settings.port), settings.client
    rooms = ["#lobby", "#tea"]
    karma: Counter[str] = Counter()
    async with trio_chat.open_chat(
        *where,
        others=client.others,
        tls=client.tls,
        pin=client.pin,
        nick="karma",
        rooms=rooms,
        retry=True,
    ) as chat:
        async for message in chat:
            if isinstance(message, trio_chat.Incoming) and message.text.endswith("++"):
                nick = message.text.removesuffix("++")
                here = chat.members(message.room) if message.room else ()  # in private, nobody
                if nick in [member.nick for member in here]:
                    karma[nick] += 1
                    await message.reply(f"{nick} has {karma[nick]}")


if __name__ == "__main__":
    trio.run(main)
