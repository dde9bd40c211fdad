"""A bot in two rooms: what somebody says to it alone, as "#tea the kettle is on", it says in the
room, and it answers once that is there. TRIO_CHAT_HOST and TRIO_CHAT_PORT say where.
"""

import trio

import trio_chat

ROOMS = ("#lobby", "#tea")


async def carry(chat: trio_chat.Chat) -> None:
    asked: dict[str, trio_chat.Incoming] = {}  # for what is on its way, by its token
    async for message in chat:
        match message:
            case trio_chat.Incoming(nick=nick, to=to, text=text) if to:
                room, _, text = text.partition(" ")
                if room in ROOMS and text.strip():
                    token = trio_chat.new_token()
                    asked[token] = message
                    await chat.say(f"{nick} says: {text}", to=room, token=token)
                else:
                    await message.reply(f"Begin with {' or '.join(ROOMS)}.")
            case trio_chat.Acknowledged(token=token, msgid=msgid) if token in asked:
                await asked.pop(token).reply(f"It is there, as {msgid}.")
            case trio_chat.Failed(token=token, why=why) if token in asked:
                await asked.pop(token).reply(f"It is not there: {why}")
            case _:
                pass


async def main() -> None:
    settings = trio_chat.Settings()
    where, client = (settings.host, settings.port), settings.client
    async with trio_chat.open_chat(
        *where,
        others=client.others,
        tls=client.tls,
        pin=client.pin,
        nick="porter",
        rooms=ROOMS,
        retry=True,
    ) as chat:
        await carry(chat)


if __name__ == "__main__":
    trio.run(main)
