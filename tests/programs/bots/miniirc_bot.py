"""With miniirc."""

import miniirc
from remote import NICK, PORT, obey, tell


def debug(line):
    if line.startswith("Ignored message"):
        tell("odd", line)


irc = miniirc.IRC("127.0.0.1", PORT, NICK, auto_connect=False, ssl=False, debug=debug)


@irc.Handler("001", colon=False)
def welcome(irc, hostmask, args):
    tell("ready")


@irc.Handler("PRIVMSG", colon=False)
def said(irc, hostmask, args):
    tell("heard", hostmask[0], args[-1])


def act(order, *arguments):
    match order:
        case "join":
            irc.send("JOIN", *arguments)
        case "say":
            irc.msg(*arguments)
        case "quit":
            irc.disconnect("bye")


irc.connect()
obey(act)
irc.wait_until_disconnected()
