"""With irc, by jaraco."""

import irc.bot
from remote import NICK, PORT, obey, tell


class Bot(irc.bot.SingleServerIRCBot):
    def on_welcome(self, connection, event):
        tell("ready")

    def on_pubmsg(self, connection, event):
        tell("heard", event.source.nick, *event.arguments)

    on_privmsg = on_pubmsg

    def act(self, order, *arguments):
        match order:
            case "join":
                self.connection.join(*arguments)
            case "say":
                self.connection.privmsg(*arguments)
            case "quit":
                self.die("bye")


def odd(connection, event):
    if event.type.isdigit():
        tell("odd", f"{event.type} {event.arguments}")


again = irc.bot.ExponentialBackoff(min_interval=1)
bot = Bot([("127.0.0.1", PORT)], NICK, NICK, recon=again)
bot.reactor.add_global_handler("all_events", odd)
obey(lambda *order: bot.reactor.scheduler.execute_after(0, lambda: bot.act(*order)))
bot.start()
