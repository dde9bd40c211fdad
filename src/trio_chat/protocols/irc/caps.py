"""The IRCv3 capabilities of the server (ircv3.net, "Capability Negotiation")."""

from functools import lru_cache

from trio_chat.protocols.irc.multiline import MAX_BYTES, MAX_LINES, MULTILINE

#: Each capability, with the value that CAP LS 302 shows.
CAPS = {
    "account-notify": "",
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "chghost": "",
    "draft/chathistory": "",
    "draft/event-playback": "",
    MULTILINE: f"max-bytes={MAX_BYTES},max-lines={MAX_LINES}",
    "draft/read-marker": "",
    "echo-message": "",
    "extended-join": "",
    "extended-monitor": "",
    "invite-notify": "",
    "labeled-response": "",
    "message-tags": "",
    "multi-prefix": "",
    "no-implicit-names": "",
    "server-time": "",
    "setname": "",
    "soju.im/search": "",
    "standard-replies": "",
    "trio-chat/identity": "",
    "userhost-in-names": "",
}

#: The capabilities that change how lines are written: clients that share them get the same bytes.
RENDERED = frozenset(CAPS) - {
    "cap-notify", "draft/event-playback", "labeled-response", "soju.im/search",
    "standard-replies", "trio-chat/identity",
}  # fmt: skip

#: The capabilities of which any lets a line have tags.
TAGGED = {"message-tags", "server-time", "account-tag", "batch", "labeled-response"}

NO_CAPS: frozenset[str] = frozenset()


@lru_cache(maxsize=1000)
def shared(caps: frozenset[str]) -> frozenset[str]:
    """The same capabilities, as one object for all clients that have them: it takes 0.7 KiB."""
    return caps
