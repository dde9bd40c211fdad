"""The state of a room that outlives its members, and what it is made of."""

from dataclasses import dataclass, field
from typing import NamedTuple

from trio_chat.core.fact import fact
from trio_chat.core.metadata import Values


@fact
class Mask:
    """An entry of one of a room's lists: an address with wildcards, or ``a:`` and an account.

    ``number`` names it, and is never used again in that room. It was set ``by`` somebody ``at`` a
    moment, and ends ``until`` another (unix milliseconds), or never if that is 0. ``whom`` is the
    name by which somebody was banned, if the mask does not say it. Only those who lead the room are
    told the ``account`` of whoever has set it, or their name on the operators' socket.
    """

    mask: str
    by: str
    at: int
    number: int = 0
    until: int = 0
    why: str = ""
    whom: str = ""
    account: str = ""


class Standing(NamedTuple):
    """The ``letters`` of a status, and when its holder was last there (unix milliseconds)."""

    letters: str
    at: int


@dataclass(frozen=True, slots=True)
class RoomState:
    """The part of a room that outlives its members, and that a snapshot holds.

    ``barrier`` is the id of the last event on which later judgements depend. ``flags`` are the
    modes without an argument, ``masks`` the entries of its lists, each with its list's mode, and
    ``last_entry`` the number of the last one that there has been. Moments are in unix milliseconds.

    ``founder`` is the identity of its founder, if it has one; that has ``o``. Of known identities
    it remembers: in ``standing`` their status; in ``regulars``, for those who were in while it was
    shut or have come since, the id of the first event they have seen (empty: all of them); in
    ``left`` the id up to which they have seen what was said. ``shut`` holds the
    spans of ids in which it had +i; the last may have no end.
    """

    name: str
    topic: str = ""
    barrier: str = ""
    topic_by: str = ""
    topic_at: int = 0
    created: int = 0
    flags: frozenset[str] = frozenset()
    key: str = ""
    limit: int = 0
    masks: tuple[tuple[str, Mask], ...] = ()
    last_entry: int = 0
    founder: str = ""
    standing: dict[str, Standing] = field(default_factory=dict)
    regulars: dict[str, str] = field(default_factory=dict)
    shut: tuple[tuple[str, str], ...] = ()
    left: dict[str, str] = field(default_factory=dict)
    metadata: Values = ()
