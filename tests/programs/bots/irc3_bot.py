"""With irc3."""

import irc3
from remote import HOST, NICK, PASSWORD, PORT, TLS, obey, tell


@irc3.plugin
class Remote:
    requires = ("irc3.plugins.core",)

    def __init__(self, bot: irc3.IrcBot) -> None:
        self.bot = bot

    def server_ready(self) -> None:
        tell("ready")

    @irc3.event(irc3.rfc.PRIVMSG)
    def said(self, mask: str, event: str, data: str, **_: object) -> None:
        if event == "PRIVMSG":
            tell("heard", mask.nick, data)

    def act(self, order: str, *arguments: str) -> None:
        match order:
            case "join":
                self.bot.join(*arguments)
            case "say":
                self.bot.privmsg(*arguments)
            case "quit":
                self.bot.quit("bye")


where = {"host": HOST, "port": PORT, "ssl": TLS, "ssl_verify": "CERT_REQUIRED"}
account = {"sasl_username": NICK, "sasl_password": PASSWORD} if PASSWORD else {}
bot = irc3.IrcBot.from_config({"nick": NICK, **where, **account, "includes": [__name__]})
remote = bot.get_plugin(Remote)
obey(lambda *order: bot.loop.call_soon_threadsafe(remote.act, *order))
bot.run()
