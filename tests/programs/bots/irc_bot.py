"""With irc, by jaraco."""

import functools
import ssl

import irc.bot
import irc.connection
from remote import HOST, NICK, PASSWORD, PORT, TLS, obey, tell


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
parameters = {}
if TLS:
    wrapper = functools.partial(ssl.create_default_context().wrap_socket, server_hostname=HOST)
    parameters = {"connect_factory": irc.connection.Factory(wrapper=wrapper), "sasl_login": NICK}
bot = Bot([(HOST, PORT, PASSWORD)], NICK, NICK, recon=again, **parameters)
bot.reactor.add_global_handler("all_events", odd)
obey(lambda *order: bot.reactor.scheduler.execute_after(0, lambda: bot.act(*order)))
bot.start()
