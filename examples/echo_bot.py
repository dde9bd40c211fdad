"""A bot that repeats what follows "!echo". TRIO_CHAT_HOST and TRIO_CHAT_PORT say where."""

import trio

import trio_chat


async def main() -> None:
    settings = trio_chat.Settings()
    where, client = (settings.host, settings.port), settings.client
    async with trio_chat.open_chat(
        *where, others=client.others, tls=client.tls, pin=client.pin, nick="echo", retry=True
    ) as chat:
        async for message in chat:
            if isinstance(message, trio_chat.Incoming) and message.text.startswith("!echo "):
                await message.reply(f"{message.nick} said: {message.text.removeprefix('!echo ')}")


if __name__ == "__main__":
    trio.run(main)
