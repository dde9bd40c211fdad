"""Batches of a server's lines (ircv3.net, "batch")."""

from typing import NamedTuple

#: The capability for searching, and the kind of the batch of results (soju.im/search).
SEARCH = "soju.im/search"


class Batch(NamedTuple):
    """An open batch. ``page`` is the room or person whose history we asked for. It is ``late`` if
    it fills a gap, ``found`` if it answers a command of the person, ``asked`` if it is a page for
    scrolling back; ``told`` once the first result has come. It ``calls`` us if it holds messages
    that do.
    """

    kind: str
    page: str = ""
    late: bool = False
    found: bool = False
    told: bool = False
    asked: bool = False
    calls: bool = False


NO_BATCH = Batch("")
