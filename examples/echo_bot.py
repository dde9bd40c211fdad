"""A bot that repeats what follows "!echo". TRIO_CHAT_HOST and TRIO_CHAT_PORT say where."""

import trio

import trio_chat


async def main() -> None:
    settings = trio_chat.Settings()
    async with trio_chat.open_chat(settings.host, settings.port, nick="echo") as chat:
        async for message in chat:
            match message:
                case trio_chat.Said(nick=nick, text=text) if text.startswith("!echo "):
                    await chat.say(f"{nick} said: {text.removeprefix('!echo ')}")


if __name__ == "__main__":
    trio.run(main)
