"""Batches of a server's lines (ircv3.net, "batch")."""

from typing import NamedTuple


class Batch(NamedTuple):
    """One that is open. ``page`` is the room or person of which we have asked for it; ``late`` if
    it fills a gap, ``found`` if it is what somebody at our side wants to read, ``asked`` if it is a
    page for who scrolls back; ``told`` once something of what was found has come.
    """

    kind: str
    page: str = ""
    late: bool = False
    found: bool = False
    told: bool = False
    asked: bool = False


NO_BATCH = Batch("")
