"""The IRCv3 capabilities of the server (ircv3.net, "Capability Negotiation")."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from trio_chat.core.metadata import KEYS_MAX, SUBS_MAX, VALUE_MAX
from trio_chat.protocols.irc.info import (
    IDENTITY,
    METADATA,
    MISSED,
    NO_ROOMS,
    PLAIN,
    REDACTION,
    REGISTRATION,
    RENAMING,
)
from trio_chat.protocols.irc.multiline import MAX_BYTES, MAX_LINES, MULTILINE
from trio_chat.protocols.scram import SCRAM

_PRIVATELY, _IN_CLEAR = (PLAIN, SCRAM), (SCRAM,)


def mechanisms(*, private: bool) -> Sequence[str]:
    """The mechanisms by which clients may log in: PLAIN only where nobody on the way can read."""
    return _PRIVATELY if private else _IN_CLEAR


#: Each capability, with the value that CAP LS 302 shows.
CAPS = {
    "account-notify": "",
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "chghost": "",
    REGISTRATION: "before-connect",
    RENAMING: "",
    "draft/chathistory": "",
    "draft/event-playback": "",
    REDACTION: "",
    METADATA: f"before-connect,max-subs={SUBS_MAX},max-keys={KEYS_MAX},max-value-bytes={VALUE_MAX}",
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
    "sasl": ",".join(mechanisms(private=True)),
    "server-time": "",
    "setname": "",
    "soju.im/search": "",
    "standard-replies": "",
    IDENTITY: "",
    MISSED: "",
    NO_ROOMS: "",
    "userhost-in-names": "",
}

#: The capabilities that change how lines are written: clients that share them get the same bytes.
RENDERED = frozenset(CAPS) - {
    "cap-notify", REGISTRATION, "draft/event-playback", "labeled-response", "sasl",
    "soju.im/search", "standard-replies", NO_ROOMS,
}  # fmt: skip

#: The capabilities of which any lets a line have tags.
TAGGED = {"message-tags", "server-time", "account-tag", "batch", "labeled-response"}

NO_CAPS: frozenset[str] = frozenset()


@cache
def offered(*, private: bool, registration: str | None) -> Mapping[str, str]:
    """The capabilities for clients of which nobody on the way can read anything, and others.

    ``registration`` is the value of the one to register an account; None if nobody can.
    """
    caps = CAPS | {"sasl": ",".join(mechanisms(private=private))}
    if registration is None or not private:
        return {name: caps[name] for name in caps if name != REGISTRATION}
    return caps | {REGISTRATION: registration}


@lru_cache(maxsize=1000)
def shared(caps: frozenset[str]) -> frozenset[str]:
    """The same capabilities, as one object for all clients that have them: it takes 0.7 KiB."""
    return caps
