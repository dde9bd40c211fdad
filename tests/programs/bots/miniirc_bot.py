"""With miniirc."""

import os

import miniirc
from remote import HOST, NICK, PASSWORD, PORT, TLS, obey, tell


def debug(line):
    if line.startswith("Ignored message"):
        tell("odd", line)


if TLS:
    miniirc.get_ca_certs = lambda: os.environ["SSL_CERT_FILE"]  # else it trusts those of certifi
account = (NICK, PASSWORD) if PASSWORD else None
irc = miniirc.IRC(HOST, PORT, NICK, auto_connect=False, ssl=TLS, ns_identity=account, debug=debug)


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
