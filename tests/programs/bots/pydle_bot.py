"""With pydle."""

import asyncio

import pydle
from remote import HOST, NICK, PASSWORD, PORT, TLS, obey, tell


class Bot(pydle.Client):
    async def on_connect(self):
        await super().on_connect()
        tell("ready")

    async def on_message(self, target, by, message):
        await super().on_message(target, by, message)
        tell("heard", by, message)

    async def act(self, order, *arguments):
        match order:
            case "join":
                await self.join(*arguments)
            case "say":
                await self.message(*arguments)
            case "quit":
                await self.quit("bye")
                finished.set()


async def main():
    bot = Bot(NICK)
    loop = asyncio.get_running_loop()
    # By SASL it logs in only where all capabilities fit in one line.
    password = f"{NICK}:{PASSWORD}" if PASSWORD else None
    await bot.connect(HOST, PORT, tls=TLS, tls_verify=True, password=password)
    obey(lambda *order: asyncio.run_coroutine_threadsafe(bot.act(*order), loop))
    await finished.wait()


finished = asyncio.Event()
asyncio.run(main())
