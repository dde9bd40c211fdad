"""With ircrobots."""

import asyncio

import ircrobots
from ircstates import numerics
from remote import HOST, NICK, PASSWORD, PORT, TLS, obey, tell

KNOWN = {value for name, value in vars(numerics).items() if name.startswith(("RPL_", "ERR_"))}


class Server(ircrobots.Server):
    async def line_read(self, line):
        match line.command:
            case "001":
                tell("ready")
            case "PRIVMSG" if "batch" not in (line.tags or {}):
                tell("heard", line.hostmask.nickname, line.params[1])

    async def act(self, order, *arguments):
        match order:
            case "join":
                await self.send_raw(f"JOIN {arguments[0]}")
            case "say":
                await self.send_raw("PRIVMSG {} :{}".format(*arguments))
            case "quit":
                await self.send_raw("QUIT :bye")


class Bot(ircrobots.Bot):
    def create_server(self, name):
        return Server(self, name)


async def main():
    bot = Bot()
    tls = ircrobots.TLS() if TLS else None
    parameters = ircrobots.ConnectionParams(NICK, HOST, PORT, tls=tls, reconnect=1)
    if PASSWORD:
        parameters.sasl = ircrobots.SASLUserPass(NICK, PASSWORD)
    await bot.add_server("test", parameters)
    loop = asyncio.get_running_loop()
    obey(lambda *order: asyncio.run_coroutine_threadsafe(bot.servers["test"].act(*order), loop))
    await bot.run()


asyncio.run(main())
