"""What a connection speaks, by its first bytes: one port serves every kind of client.

A person who types and the tutorial's client wait for the server to speak; all others speak first.
"""

from enum import Enum, auto


class Spoken(Enum):
    PLAIN = auto()
    IRC = auto()
    HTTP = auto()
    TLS = auto()


_TLS_HANDSHAKE = b"\x16\x03"  # a TLS record of the type "handshake", version 3.x (RFC 8446, 5.1)

# A browser can be made to send any request anywhere; so what looks like a request never is chat.
_HTTP = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE ",
         b"CONNECT ", b"PRI ")  # fmt: skip
_IRC = (b"CAP ", b"NICK ", b"USER ", b"PASS ")
_OPENINGS = dict.fromkeys(_HTTP, Spoken.HTTP) | dict.fromkeys(_IRC, Spoken.IRC)
_LONGEST = max(map(len, _OPENINGS))


def sniff(data: bytes, *, more: bool = True) -> Spoken | None:
    """What the first bytes mean, or None if that depends on bytes yet to come.

    With ``more=False`` nothing else is coming for now, so the answer is never None.
    """
    if _TLS_HANDSHAKE.startswith(data[:2]) and (len(data) > 1 or more):
        return Spoken.TLS if len(data) > 1 else None
    # IRC commands are known in any case (modern.ircdocs.horse, "Message format"); HTTP's are not.
    begun, upper = data[:_LONGEST], data[:_LONGEST].upper()
    for opening, spoken in _OPENINGS.items():
        if (begun if spoken is Spoken.HTTP else upper).startswith(opening):
            return spoken
    if (
        more
        and len(data) < _LONGEST
        and any(
            opening.startswith(begun if spoken is Spoken.HTTP else upper)
            for opening, spoken in _OPENINGS.items()
        )
    ):
        return None
    return Spoken.PLAIN
