from remote import obey, tell
from supybot import callbacks, ircmsgs, world


class Remote(callbacks.Plugin):
    def __init__(self, irc):
        super().__init__(irc)
        obey(self.act)

    def do422(self, irc, message):
        tell("ready")

    def doPrivmsg(self, irc, message):  # noqa: N802
        tell("heard", message.nick, message.args[1])

    def act(self, order, *arguments):
        (irc,) = world.ircs
        match order:
            case "join":
                irc.queueMsg(ircmsgs.join(*arguments))
            case "say":
                irc.queueMsg(ircmsgs.privmsg(*arguments))
            case "quit":
                irc.queueMsg(ircmsgs.quit("bye"))


Class = Remote
